"""zoo predict: answers to a file of rows, in order, streaming; a killed call goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Record, Row

Asked = tuple[str, Row]
"""A row and its place, file:line."""


def predict(
    domain_name: str, source: str, output: str = "-", run: str | None = None, quiet: bool = False
) -> dict[str, Any]:
    """Answer the rows of `source` (JSONL with `instruction` and `input`; "-" is standard input) into `output`.

    Each line is the row as it came plus `prediction`, which it may not hold already. Beside the output,
    `<output>.from.json` names the model; an output begun by another model, or that answers other rows, is refused. A
    row that cannot be answered stops the call, once those before it are written.

    Returns {"rows", "answered", "output"}.
    """
    from instructzoo.core import infer

    domain = domains.get(domain_name)
    rows = _rows(source)
    folder = runs.find(run).folder if run else domain.bundled_model()
    predictor = infer.load(domain, folder)
    if output == "-":
        answered = _write(sys.stdout, predictor, rows, 0, quiet=True)
        return {"rows": answered, "answered": answered, "output": output}
    path = Path(output)
    done = _resume(path, identity(predictor), rows)
    with runs.disk_errors(path), path.open("a", encoding="utf-8") as file:
        answered = _write(file, predictor, rows, done, quiet)
    return {"rows": done + answered, "answered": answered, "output": output}


def identity(predictor: Any) -> str:
    """Sixteen hex digits of all that decides an answer: weights (an adapter's base too), tokenizer, settings, seed."""
    settings = predictor.recipe.model_dump_json(include={"domain", "model", "decode", "seed"})
    digest = hashlib.sha256(settings.encode())
    folder = predictor.loaded_from()
    found = {*folder.glob("*token*"), *folder.glob("tokenizer/*"), *folder.glob("chat_template*")}
    for path in sorted(path for path in found if path.is_file()):
        digest.update(f"{path.name} {runs.sha256(path)}".encode())
    for name, values in predictor.loaded.model.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(_bytes(values))
    return digest.hexdigest()[:16]


def _bytes(values: Any) -> Any:
    """A tensor's bytes, [n]; numpy knows no bfloat16."""
    import torch

    return values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _rows(source: str) -> Iterator[Asked]:
    """Checked rows, with their own keys. The first is read at once: a bad file fails before a model is loaded."""
    from instructzoo.core.data import read_jsonl

    def checked() -> Iterator[Asked]:
        for where, row in read_jsonl(source):
            Record.from_row(row, where)
            if "prediction" in row:
                raise ZooError('the row has a "prediction" already', "a row to answer", "rename or drop it", where)
            yield where, row

    rows = checked()
    first = list(islice(rows, 1))
    if not first:
        raise ZooError("no rows", "a line of JSON per row, with instruction and input", where=source)
    return chain(first, rows)


def _write(file: IO[str], predictor: Any, rows: Iterator[Asked], done: int, quiet: bool) -> int:
    """Answer the rows after the first `done`; returns how many."""
    from instructzoo.core.commands.progress import Counter

    answered = 0
    with Counter("answered", quiet) as counter:
        for row, text in predictor.stream(rows, done):
            file.write(json.dumps({**row, "prediction": text}, ensure_ascii=False) + "\n")
            file.flush()
            answered += 1
            counter.update(answered)
    return answered


def _resume(path: Path, model: str, rows: Iterator[Asked]) -> int:
    """Step over the rows that `path` already answers; returns how many. A line cut short is dropped."""
    from instructzoo.core.data import mend_jsonl, read_jsonl

    beside = path.with_name(path.name + ".from.json")
    if not path.exists():
        runs.write_json(beside, {"model": model})
        return 0
    if not beside.is_file():
        raise ZooError(
            f"{path} exists and zoo predict did not write it", "a new file", "choose another -o, or remove it"
        )
    if runs.read_json(beside)["model"] != model:
        raise ZooError(f"{path} holds answers of another model", "the model it was begun with", "choose another -o")
    mend_jsonl(path)
    done = 0
    for where, held in read_jsonl(path) if path.stat().st_size else ():
        _, row = next(rows, (where, None))
        if row is None or {k: held.get(k) for k in row} != row:
            raise ZooError("an answer to another row", "the rows that it was begun with", "choose another -o", where)
        done += 1
    return done

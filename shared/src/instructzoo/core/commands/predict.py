"""zoo predict: stream answers to the rows of a file, in order; an interrupted call is resumed."""

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
from instructzoo.core.record import TEXT_COLUMNS, Invalid, Record, Row
from instructzoo.core.terminal import model_option

LocatedRow = tuple[str, Row]
"""A row and where it comes from, file:line."""


def predict(
    domain_name: str,
    source: str,
    output: str = "-",
    model: str | None = None,
    quiet: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Answer the rows of a JSONL file.

    Each line of the output is the row as it came plus `prediction`. The file `<output>.from.json` beside the output
    identifies the model, so that a repeated call resumes its own output and refuses any other.

    Args:
        domain_name: An installed domain.
        source: JSONL of rows with `instruction` and optionally `input`; "-" is standard input.
        output: The JSONL file to write; "-" is standard output.
        model: A name of `zoo models`, a run directory, a folder or a hub id; by default small where the domain has it
            and its base is or may be fetched, else tiny.
        quiet: Whether to show no progress.
        yes: Whether the base of the default model may be fetched without a question.

    Returns:
        {"rows": answered in all, "answered": answered by this call, "output", "model", "knows": what the model knows,
        empty for a run or a folder}; for a domain whose answers are held to
        labels also "unparseable": how many of this call's answers have another form, or a label that is not on offer.

    Raises:
        ZooError: A row is malformed, has a `prediction` already or cannot be answered (the answers before it are
            written), or the output belongs to another model or to other rows.
    """
    from instructzoo.core import infer

    domain = domains.get(domain_name)
    rows = _rows(source)
    chosen = model_option.for_answers(domain, model, yes, ask=source != "-")
    predictor = infer.open_chosen(domain, chosen)
    about = model_option.about(domain, chosen)
    if output == "-":
        counts = _stream_answers(sys.stdout, predictor, rows, 0, quiet=True)
        return {"rows": counts["answered"], **counts, "output": output, **about}
    path = Path(output)
    done = _resume(path, identity(predictor), rows)
    with runs.disk_errors(path), path.open("a", encoding="utf-8") as file:
        counts = _stream_answers(file, predictor, rows, done, quiet)
    return {"rows": done + counts["answered"], **counts, "output": output, **about}


def identity(predictor: Any) -> str:
    """16 hex digits of all that decides an answer: weights (an adapter's base too), tokenizer, labels, settings."""
    settings = predictor.recipe.model_dump_json(include={"domain", "model", "decode", "seed"})
    digest = hashlib.sha256(settings.encode())
    folder = predictor.loaded_from()
    names = ("*token*", "tokenizer/*", "chat_template*", "labels.json")
    for path in sorted(path for path in {*chain(*map(folder.glob, names))} if path.is_file()):
        digest.update(f"{path.name} {runs.sha256(path)}".encode())
    for name, values in predictor.loaded.model.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(_bytes(values))
    return digest.hexdigest()[:16]


def _bytes(values: Any) -> Any:
    """The bytes of a tensor, [n]; numpy has no bfloat16."""
    import torch

    return values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _rows(source: str) -> Iterator[LocatedRow]:
    """Validated rows with all their keys. The first is read at once: a bad file fails before a model is loaded."""
    from instructzoo.core.data import read_jsonl

    def validated() -> Iterator[LocatedRow]:
        for where, row in read_jsonl(source):
            Record.from_row(row, where)
            if "prediction" in row:
                raise ZooError('the row has a "prediction" already', "a row to answer", "rename or drop it", where)
            yield where, row | {name: "" for name in TEXT_COLUMNS if row.get(name, "") is None}

    rows = validated()
    first = list(islice(rows, 1))
    if not first:
        raise ZooError("no rows", "a line of JSON per row, with instruction and input", where=source)
    return chain(first, rows)


def _stream_answers(
    file: IO[str], predictor: Any, rows: Iterator[LocatedRow], first: int, quiet: bool
) -> dict[str, int]:
    """Write the answers to `rows`, of which the first has the index `first`; returns their counts."""
    from instructzoo.core.infer import trained_labels
    from instructzoo.core.terminal.progress import Counter

    answered, unparseable = 0, 0
    domain, prompts = predictor.domain, predictor.prompts
    with Counter("answered", quiet) as counter:
        for row, text in predictor.stream(rows, first):
            file.write(json.dumps({**row, "prediction": text}, ensure_ascii=False) + "\n")
            file.flush()
            answered += 1
            counter.update(answered)
            if domain.labels:
                (labelled,) = trained_labels.add([row], predictor.labels)
                unparseable += isinstance(prompts.parse(text, labelled), Invalid)
    return {"answered": answered, **({"unparseable": unparseable} if domain.labels else {})}


def _resume(path: Path, model: str, rows: Iterator[LocatedRow]) -> int:
    """Skip the rows that `path` answers already; returns their number. An incomplete last line is dropped."""
    from instructzoo.core.data import read_jsonl, repair_jsonl

    model_file = path.with_name(path.name + ".from.json")
    if not path.exists():
        runs.write_json(model_file, {"model": model})
        return 0
    if not model_file.is_file():
        raise ZooError(
            f"{path} exists and zoo predict did not write it", "a new file", "choose another -o, or remove it"
        )
    recorded = runs.read_json(model_file)
    if not isinstance(recorded, dict) or recorded.get("model") != model:
        raise ZooError(f"{path} holds answers of another model", "the model that began it", "choose another -o")
    repair_jsonl(path)
    done = 0
    for where, answered in read_jsonl(path) if path.stat().st_size else ():
        _, row = next(rows, (where, None))
        if row is None or {key: answered.get(key) for key in row} != row:
            raise ZooError("an answer to another row", "the rows that it began with", "choose another -o", where)
        done += 1
    return done

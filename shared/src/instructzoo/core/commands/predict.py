"""zoo predict: typed answers to the texts or rows of a file, in order; an interrupted call is resumed."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.answers import output_files
from instructzoo.core.answers.answer_file import answer_to_file, answer_to_stdout
from instructzoo.core.answers.inputs import ROW_KEY, Item, count_items, items_of, read_items
from instructzoo.core.answers.inputs import text_column as choose_text_column
from instructzoo.core.answers.model import check_options, options_for
from instructzoo.core.answers.output_files import OutputFile
from instructzoo.core.answers.text_files import TEXT_KEYS
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Invalid, Row
from instructzoo.core.terminal import model_option
from instructzoo.core.terminal.progress import progress_counter

LocatedRow = tuple[str, Row]
"""A row and where it comes from, file:line."""


def predict(
    domain_name: str,
    source: str,
    output: str = "-",
    model: str | None = None,
    quiet: bool = False,
    yes: bool = False,
    text_column: str = "",
    options: Mapping[str, Any] | None = None,
    raw: bool = False,
) -> dict[str, Any]:
    """Answer the texts or rows of a file.

    Texts get typed answers, in the format that the output's suffix names (answers/output_files.py). Rows in the
    domain's own format, with an `instruction`, get the column `prediction` with the model's text in JSONL, and typed
    answers in other formats. The file `<output>.from.json` beside the output identifies the model, so that a repeated
    call resumes its own output and refuses any other.

    Args:
        domain_name: An installed domain.
        source: CSV, TSV, .txt, .json, JSONL or Parquet; "-" is JSONL on standard input.
        output: The CSV, JSONL or Parquet file to write; "-" is JSONL on standard output.
        model: A name of `zoo models`, a run directory, a folder or a hub id; by default small where the domain has it
            and its base is or may be fetched, else tiny.
        quiet: Whether to show no progress.
        yes: Whether the base of the default model may be fetched without a question.
        text_column: The column of the texts; "" guesses.
        options: Options of the domain's typed answers, such as task and labels.
        raw: Whether typed answers have the model's text beside them.

    Returns:
        {"rows": answered in all, "answered": answered by this call, "output", "model", "knows": what the model knows,
        empty for a run or a folder}; for typed answers also "failed": how many of this call's inputs could not be
        answered; for rows of a domain whose answers are held to labels "unparseable": how many of this call's answers
        have another form, or a label that is not on offer.

    Raises:
        ZooError: A row is malformed, has a `prediction` already or cannot be answered (the answers before it are
            written), an option is unknown, or the output belongs to another model or to other rows.
    """
    from instructzoo.core import infer

    domain = domains.get(domain_name)
    suffix = output_files.check_suffix(Path(output)) if output != "-" else ".jsonl"
    given = dict(options or {})
    check_options(domain.module("answers"), given)  # before a model is opened
    column, items = _open(source, text_column, domain.input_keys)
    if column == ROW_KEY and given:
        found = f"rows with an instruction, and the options {', '.join(given)}"
        raise ZooError(found, "one or the other", "leave the options out, or name the --text-column", source)
    total = None if source == "-" else count_items(source)
    chosen = model_option.for_answers(domain, model, yes, ask=source != "-")
    predictor, about = infer.open_chosen(domain, chosen), model_option.about(domain, chosen)
    checked = options_for(domain.module("answers"), predictor, given)
    if column == ROW_KEY and suffix == ".jsonl" and not raw:
        return _predict_rows(predictor, _located(items), output, total, quiet) | about
    if output == "-":
        counts = answer_to_stdout(predictor, items, checked, raw)
        return {"rows": counts["answered"], **counts, "output": output, **about}
    made_by = {"model": identity(predictor), "column": column, "raw": raw, "options": checked.model_dump(mode="json")}
    answers = OutputFile(Path(output), made_by, raw)
    answers.open()
    with progress_counter("answered", total, quiet, answers.done) as counter:
        counts = answer_to_file(predictor, items, answers, checked, counter)
    return {"rows": answers.done, **counts, "output": output, **about}


def _open(source: str, text_column: str, input_keys: Sequence[str]) -> tuple[str, Iterator[Item]]:
    """The column of the texts, and the items. The first is read at once: a bad file fails before a model is loaded."""
    from instructzoo.core.data import read_jsonl

    if source == "-":
        rows = read_jsonl("-")
        first_row = list(islice(rows, 1))
        is_own = not text_column and ROW_KEY in first_row[0][1]
        column = ROW_KEY if is_own else text_column
        items = items_of(chain(first_row, rows), (column,) if column else (*input_keys, *TEXT_KEYS), input_keys)
    else:
        column = choose_text_column(source, text_column, input_keys)
        items = read_items(source, column, input_keys)
    first = list(islice(items, 1))
    return column, chain(first, items)


def _predict_rows(
    predictor: Any, rows: Iterator[LocatedRow], output: str, total: int | None, quiet: bool
) -> dict[str, Any]:
    """Answer rows in the domain's own format: each line of the output is the row as it came plus `prediction`."""
    if output == "-":
        counts = _stream_answers(sys.stdout, predictor, rows, 0, None, quiet=True)
        return {"rows": counts["answered"], **counts, "output": output}
    path = Path(output)
    done = _resume(path, identity(predictor), rows)
    with runs.disk_errors(path), path.open("a", encoding="utf-8") as file:
        counts = _stream_answers(file, predictor, rows, done, total, quiet)
    return {"rows": done + counts["answered"], **counts, "output": output}


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


def _located(items: Iterator[Item]) -> Iterator[LocatedRow]:
    return ((item.where, item.input) for item in items if isinstance(item.input, dict))


def _stream_answers(
    file: IO[str], predictor: Any, rows: Iterator[LocatedRow], first: int, total: int | None, quiet: bool
) -> dict[str, int]:
    """Write the answers to `rows`, of which the first has the index `first`; returns their counts."""
    from instructzoo.core.infer import trained_labels

    answered, unparseable = 0, 0
    domain, prompts = predictor.domain, predictor.prompts
    with progress_counter("answered", total, quiet, first) as counter:
        for row, text in predictor.stream(rows, first):
            file.write(json.dumps({**row, "prediction": text}, ensure_ascii=False, default=str) + "\n")
            file.flush()
            answered += 1
            counter.update(first + answered)
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

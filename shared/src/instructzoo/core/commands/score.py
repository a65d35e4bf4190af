"""zoo score: any file of answers against a file of gold rows, also another system's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core.commands.training_task import check_scorer
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, place
from instructzoo.core.record import Record, Row

Asked = list[tuple[str, Any]]
"""Objects of a file, each with its place."""


def score(domain_name: str, gold: str, pred: str, scorer: str | None = None, task: str = "") -> dict[str, Any]:
    """Scores of the answers in `pred` to the rows in `gold`.

    gold: JSONL of rows, or a file in a published format that the domain reads (`task` then says what of it is asked).
    pred: JSONL with the key `prediction`; a file in such a published format, which answers as its own rows would; or
    plain text, an answer a line. scorer: one of metrics.SCORERS, or of the faulty published ones in metrics.LEGACY.

    Rows are matched by `id` where both files have ids, else by line; a gold row without an answer is wrong and counted.
    Raises ZooError for an unknown scorer, ids in some lines of a file only, an id that two gold rows have, answers to
    unknown rows, or two answers to one row.
    """
    domain = domains.get(domain_name)
    metrics = domain.module("metrics")
    scorer = check_scorer(domain, scorer or metrics.SCORERS[0], legacy=True)
    asked = _asked(domain, gold, task)
    rows = [_gold(row, where) for where, row in asked]
    answers = _answers(domain, pred, task, rows)
    by_id = all([_has_ids(asked), _has_ids(answers)])  # both are checked
    if by_id:
        _refuse_twins(asked)
    texts, missing = _match(rows, answers, by_id, gold, pred)
    found: dict[str, Any] = metrics.score(rows, texts, scorer).as_dict()
    found["counts"]["unanswered"] = missing
    return {"domain": domain_name, "scorer": scorer, "n": len(rows), "gold": gold, "pred": pred, **found}


def _asked(domain: Domain, gold: str, task: str) -> Asked:
    """The gold rows and their places."""
    from instructzoo.core.data import read_jsonl, readers

    published = domain.module("sources").gold(readers.existing(gold), task)
    if published is not None:
        return list(published)
    if task:
        raise ZooError(f'the task "{task}" for rows', "none: each row is of its own task", "leave it out", "--task")
    return list(read_jsonl(gold))


def _answers(domain: Domain, pred: str, task: str, rows: list[Row]) -> Asked:
    """Objects with `prediction`, each with its place. Raises ZooError for a published file of other sentences."""
    from instructzoo.core.data import read_jsonl, readers

    path = readers.existing(pred)
    published = domain.module("sources").gold(path, task)
    if published is not None:
        said = list(published)
        for (where, row), wanted in zip(said, rows, strict=False):
            # some questions to one text differ by what they give beside it, such as the event whose arguments are asked
            if any(row.get(name) != wanted.get(name) for name in ("item", "given")):
                found, expected = (f'"{one["input"][:60]}" {one.get("given") or ""}'.rstrip() for one in (row, wanted))
                fix = "keep the order of the gold file, and ask what both files give"
                raise ZooError(f"an answer to {found}", f"one to {expected}", fix, where)
        return [(where, {"prediction": _answer_of(domain, row)}) for where, row in said]
    if path.suffix.lower() not in (".txt", ".out"):
        return list(read_jsonl(pred))
    return [(place(pred, n), {"prediction": line}) for n, line in enumerate(_lines(path), 1)]


def _answer_of(domain: Domain, row: Row) -> str:
    """What a row of a published file says: its output, or what a model of another kind would have to give back."""
    if domain.objective == "text":
        return str(row["output"])
    return "".join(segment.text for segment in domain.module("prompts").render(row, 0) if segment.supervised)


def _lines(path: Path) -> list[str]:
    """Lines of a text file; an empty one is an empty answer."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ZooError(f"no UTF-8 text ({error.reason})", "an answer a line", where=str(path)) from error
    return text.removesuffix("\n").split("\n")


def _gold(row: Mapping[str, Any], where: str) -> Row:
    """A checked gold row; an id that the file gives is kept."""
    checked = Record.from_row(row, where).row()
    return checked | ({"id": str(row["id"])} if row.get("id") is not None else {})


def _has_ids(lines: Asked) -> bool:
    """Whether the lines of a file have ids. Raises ZooError where some have and some have not."""
    first = lines[0][1].get("id") is not None
    for where, values in lines:
        if (values.get("id") is not None) != first:
            found, wanted = ("no id", "one, as in") if first else ("an id", "none, as in")
            raise ZooError(found, f"{wanted} the lines before", "give every line one, or none", where)
    return first


def _refuse_twins(asked: Asked) -> None:
    seen = set()
    for where, row in asked:
        if str(row["id"]) in seen:
            raise ZooError(f"id {row['id']} stands twice", "an id of its own for every gold row", where=where)
        seen.add(str(row["id"]))


def _match(rows: list[Row], answers: Asked, by_id: bool, gold: str, pred: str) -> tuple[list[str], int]:
    """The answer to every gold row ("" where there is none), and how many there are none to."""
    for where, answer in answers:
        if not isinstance(answer.get("prediction"), str):
            raise ZooError('no text under "prediction"', '{"prediction": "..."}', where=where)
    if not by_id:
        if len(answers) > len(rows):
            raise ZooError(f"{len(answers)} answers to {len(rows)} rows", "at most one answer per row", where=pred)
        missing = len(rows) - len(answers)
        return [answer["prediction"] for _, answer in answers] + [""] * missing, missing
    given: dict[str, str] = {}
    known = {row["id"] for row in rows}
    for where, answer in answers:
        name = str(answer["id"])
        if name not in known:
            raise ZooError(f"an answer to the unknown id {name}", f"an id of {gold}", where=where)
        if name in given:
            raise ZooError(f"id {name} is answered twice", "one answer per row", where=where)
        given[name] = answer["prediction"]
    return [given.get(row["id"], "") for row in rows], sum(row["id"] not in given for row in rows)

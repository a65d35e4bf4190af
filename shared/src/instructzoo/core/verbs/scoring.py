"""zoo score: any file of answers against a file of gold rows, also another system's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructzoo.core import app as apps
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Record, Row
from instructzoo.core.verbs.preparing import known_scorer


def score(domain: str, gold: str, pred: str, scorer: str | None = None) -> dict[str, Any]:
    """Scores of the answers in `pred` (JSONL, key `prediction`) to the rows in `gold` (JSONL).

    Rows are matched by `id` where both files have ids, else by line; a gold row without an answer is wrong and counted.
    Raises ZooError for an unknown scorer, ids in some lines of a file only, an id that two gold rows have, answers to
    unknown rows, or two answers to one row.
    """
    from instructzoo.core.data import read_jsonl

    app = apps.get(domain)
    metrics = app.module("metrics")
    scorer = known_scorer(app, scorer or metrics.SCORERS[0])
    asked, answers = list(read_jsonl(gold)), list(read_jsonl(pred))
    rows = [_gold(row, where) for where, row in asked]
    by_id = all([_has_ids(asked), _has_ids(answers)])  # both are checked
    if by_id:
        _refuse_twins(asked)
    texts, missing = _match(rows, answers, by_id, gold, pred)
    found: dict[str, Any] = metrics.score(rows, texts, scorer).as_dict()
    found["counts"]["unanswered"] = missing
    return {"domain": domain, "scorer": scorer, "n": len(rows), "gold": gold, "pred": pred, **found}


def _gold(row: Mapping[str, Any], where: str) -> Row:
    """A checked gold row; an id that the file gives is kept."""
    checked = Record.from_row(row, where).row()
    return checked | ({"id": str(row["id"])} if row.get("id") is not None else {})


def _has_ids(lines: list[tuple[str, Any]]) -> bool:
    """Whether the lines of a file have ids. Raises ZooError where some have and some have not."""
    first = lines[0][1].get("id") is not None
    for where, values in lines:
        if (values.get("id") is not None) != first:
            found, wanted = ("no id", "one, as in") if first else ("an id", "none, as in")
            raise ZooError(found, f"{wanted} the lines before", "give every line one, or none", where)
    return first


def _refuse_twins(asked: list[tuple[str, Any]]) -> None:
    seen = set()
    for where, row in asked:
        if str(row["id"]) in seen:
            raise ZooError(f"id {row['id']} stands twice", "an id of its own for every gold row", where=where)
        seen.add(str(row["id"]))


def _match(rows: list[Row], answers: list[tuple[str, Any]], by_id: bool, gold: str, pred: str) -> tuple[list[str], int]:
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

"""zoo score: score a file of answers against a file of gold rows, whatever system wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core.commands.training_task import check_scorer
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, location
from instructzoo.core.record import Row
from instructzoo.core.score.scored_rows import LocatedObjects, gold_objects, gold_row


def score(domain_name: str, gold: str, pred: str, scorer: str | None = None, task: str = "") -> dict[str, Any]:
    """Score a file of answers.

    Rows and answers are matched by `id` where both files have ids, else by line. A gold row without an answer counts
    as wrong.

    Args:
        domain_name: An installed domain.
        gold: JSONL of rows with outputs, or a file in a published format that the domain reads.
        pred: JSONL with the key `prediction`; a file in such a published format, whose own outputs are the answers;
            or plain text with one answer per line.
        scorer: A name in the domain's metrics.SCORERS, or in metrics.LEGACY (published scorers with known errors); by
            default the first of SCORERS.
        task: The task that a file in a published format is read for; by default the format decides.

    Returns:
        {"domain", "scorer", "n": gold rows, "gold", "pred", "figures", "counts", ...}; "counts" has "unanswered", and
        what the reader of a published format left out or had to decide.

    Raises:
        ZooError: The scorer is unknown, only some lines of a file have ids, two gold rows share an id, or an answer
            belongs to an unknown row or to one that is answered already.
    """
    domain = domains.get(domain_name)
    metrics = domain.module("metrics")
    scorer = check_scorer(domain, scorer or metrics.SCORERS[0], legacy=True)
    objects, remarks = gold_objects(domain, gold, task)
    rows = [gold_row(row, where) for where, row in objects]
    answers = _answers(domain, pred, task, rows)
    by_id = all([_has_ids(objects), _has_ids(answers)])  # a list: both files are checked
    if by_id:
        _check_unique_ids(objects)
    texts, missing = _match(rows, answers, by_id, gold, pred)
    scores: dict[str, Any] = metrics.score(rows, texts, scorer).as_dict()
    scores["counts"] |= {"unanswered": missing, **remarks}
    return {"domain": domain_name, "scorer": scorer, "n": len(rows), "gold": gold, "pred": pred, **scores}


def _answers(domain: Domain, pred: str, task: str, rows: list[Row]) -> LocatedObjects:
    """Objects with `prediction`. Raises ZooError for a file in a published format that holds other questions."""
    from instructzoo.core.data import read_jsonl, readers

    path = readers.existing_path(pred)
    published = domain.module("sources").gold(path, task)
    if published is not None:
        predicted_rows = list(published)
        for (where, predicted), row in zip(predicted_rows, rows, strict=False):
            # Questions on one text may differ in the given annotation only, such as the event that arguments belong to.
            if any(predicted.get(name) != row.get(name) for name in ("item", "given")):
                found, expected = (f'"{r["input"][:60]}" {r.get("given") or ""}'.rstrip() for r in (predicted, row))
                fix = "keep the order of the gold file, and ask what both files give"
                raise ZooError(f"an answer to {found}", f"one to {expected}", fix, where)
        return [(where, {"prediction": _target(domain, predicted)}) for where, predicted in predicted_rows]
    if path.suffix.lower() not in (".txt", ".out"):
        return list(read_jsonl(pred))
    return [(location(pred, number), {"prediction": line}) for number, line in enumerate(_lines(path), 1)]


def _target(domain: Domain, row: Row) -> str:
    """The answer that a row of a published file holds: its output, or the target of a domain with its own objective."""
    if domain.objective == "text":
        return str(row["output"])
    return "".join(segment.text for segment in domain.module("prompts").render(row, 0) if segment.supervised)


def _lines(path: Path) -> list[str]:
    """Lines of a text file, which only a line feed ends; an empty one is an empty answer."""
    from instructzoo.core.data.line_files import lines

    return [line for _, line in lines(path, require_text=False)] or [""]


def _has_ids(objects: LocatedObjects) -> bool:
    """Whether the lines of a file have ids. Raises ZooError where only some of them have."""
    first = objects[0][1].get("id") is not None
    for where, values in objects:
        if (values.get("id") is not None) != first:
            found, expected = ("no id", "one, as in") if first else ("an id", "none, as in")
            raise ZooError(found, f"{expected} the lines before", "give every line one, or none", where)
    return first


def _check_unique_ids(gold_objects: LocatedObjects) -> None:
    """Raise a ZooError where two gold rows share an id."""
    ids = set()
    for where, row in gold_objects:
        if str(row["id"]) in ids:
            raise ZooError(f"id {row['id']} stands twice", "an id of its own for every gold row", where=where)
        ids.add(str(row["id"]))


def _match(rows: list[Row], answers: LocatedObjects, by_id: bool, gold: str, pred: str) -> tuple[list[str], int]:
    """The answer to every gold row ("" where there is none), and the number of gold rows without an answer."""
    for where, answer in answers:
        if not isinstance(answer.get("prediction"), str):
            raise ZooError('no text under "prediction"', '{"prediction": "..."}', where=where)
    if not by_id:
        if len(answers) > len(rows):
            raise ZooError(f"{len(answers)} answers to {len(rows)} rows", "at most one answer per row", where=pred)
        missing = len(rows) - len(answers)
        return [answer["prediction"] for _, answer in answers] + [""] * missing, missing
    answers_by_id: dict[str, str] = {}
    gold_ids = {row["id"] for row in rows}
    for where, answer in answers:
        answer_id = str(answer["id"])
        if answer_id not in gold_ids:
            raise ZooError(f"an answer to the unknown id {answer_id}", f"an id of {gold}", where=where)
        if answer_id in answers_by_id:
            raise ZooError(f"id {answer_id} is answered twice", "one answer per row", where=where)
        answers_by_id[answer_id] = answer["prediction"]
    texts = [answers_by_id.get(row["id"], "") for row in rows]
    return texts, sum(row["id"] not in answers_by_id for row in rows)

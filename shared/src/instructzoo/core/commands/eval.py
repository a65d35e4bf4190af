"""zoo eval: a model's answers to the test part, scored beside the baselines and the paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.commands.train import command
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.runs import Run

if TYPE_CHECKING:
    from instructzoo.core.data import Built

LOOKUP = 50_000
"""Training rows that the baselines learn from: more of them cost minutes and hardly score better."""

UNCONSTRAINED = "unconstrained"
"""The system beside a model whose answers are held to a grammar: the same model without it."""


def eval(domain_name: str, run: str | None = None, limit: int | None = None, baselines: bool = True) -> dict[str, Any]:
    """Score a run's model (or, with no run named, the one that the package carries) on its recipe's test part.

    A run's predictions.jsonl and scores.json are written into it where this is the whole evaluation that its recipe
    asks for, with every baseline; "recorded" in what is returned says whether they were. The bundled model's scores
    are only returned.
    """
    domain = domains.get(domain_name)
    folder = runs.find(run).folder if run else domain.bundled_model()
    scores, predictions = evaluate(domain, folder, limit, baselines)
    if not run:
        return scores
    asked = runs.stored_recipe(folder).evaluate
    whole = limit in (None, asked.limit) and (baselines or not asked.baselines) and not scores["left_out"]
    if whole:
        write(folder, scores, predictions)
    return scores | {"recorded": whole}


def write(folder: Path, scores: dict[str, Any], predictions: Sequence[dict[str, Any]]) -> None:
    """predictions.jsonl and scores.json, each whole."""
    lines = "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in predictions)
    runs.write_text(folder / "predictions.jsonl", lines)
    runs.write_json(folder / "scores.json", scores)


def evaluate(
    domain: Domain, folder: Path, limit: int | None = None, baselines: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of scores.json and of predictions.jsonl for the model in `folder`.

    limit: test rows to score, taken by seed; none: as the recipe says. Raises ZooError for a limit below 1, and for a
    run whose recipe no longer builds the rows that it was trained on.
    """
    from instructzoo.core import data, infer
    from instructzoo.core.data.split import sampled

    if limit is not None and limit < 1:
        raise ZooError(f"a limit of {limit} rows", "at least 1", "leave it out for all", "--limit")
    predictor = infer.load(domain, folder)
    recipe = predictor.recipe
    baselines = baselines and recipe.evaluate.baselines
    begun = Run(folder).manifest().get("data")
    # The bundled model's training rows are made only where a baseline learns from them; a run's are checked.
    built = data.build(recipe, parts=("train", "test") if baselines or begun else ("test",))
    same_rows(folder, built)
    test = sampled(built.rows["test"], limit or recipe.evaluate.limit, recipe.seed, "test")
    if not test:
        raise ZooError("the test part is empty", "at least one row", "look at the data card: zoo data")
    metrics = domain.module("metrics")
    answers, counted = predictor.answer_counted(test)
    systems, counts = {"model": answers}, {"model": counted}
    if predictor.constrained:
        systems[UNCONSTRAINED], counts[UNCONSTRAINED] = predictor.with_constraints(False).answer_counted(test)
    left_out: dict[str, str] = {}
    if baselines:
        train = sampled(built.rows["train"], LOOKUP, recipe.seed, "train")
        systems |= looked_up(domain, train, test)
        try:
            systems["untuned"], counts["untuned"] = predictor.untuned().answer_counted(test)
        except ZooError as error:  # a local backbone need not be where a bundled model is scored
            left_out["untuned"] = str(error)
    scored = {name: metrics.score(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    for name, counted in counts.items():
        scored[name].counts.update(counted)
    others = {s: metrics.score(test, answers, s).as_dict() for s in metrics.SCORERS if s != recipe.evaluate.scorer}
    hits = {name: metrics.correct(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    content = {
        "domain": recipe.domain,
        "recipe": recipe.name,
        "run": folder.name if folder.name != "weights" else "bundled",
        "part": "test",
        "scorer": recipe.evaluate.scorer,
        "n": len(test),
        "systems": {name: s.as_dict() for name, s in scored.items()},
        "left_out": left_out,
        **others,
        "paired": paired(hits),
        "paper": [asdict(f) for f in metrics.PAPER],
        "data": built.fingerprint,
        "backbone": recipe.model.backbone,
        "command": command(),
        **runs.environment(),
    }
    return content, describe(test, answers, hits["model"])


def same_rows(folder: Path, built: Built) -> None:
    """Raises ZooError where a run's recipe no longer builds the rows that it was trained beside."""
    begun = Run(folder).manifest().get("data")
    if begun not in (None, built.fingerprint):
        found = f"{folder} was trained beside rows {begun}, and its recipe now builds {built.fingerprint}"
        raise ZooError(found, "the same rows", "put data.path back as it was, or train again")


def looked_up(domain: Domain, train: Sequence[Row], test: Sequence[Row]) -> dict[str, list[str]]:
    """What copying, a constant, the nearest training row and the domain's own baselines answer."""
    from instructzoo.core.score import baselines

    known = {**baselines.BASELINES, **domain.module("metrics").BASELINES}
    return {name: list(answer(train, test)) for name, answer in known.items()}


def paired(hits: dict[str, list[bool]]) -> dict[str, Any]:
    """The model against every baseline on the same rows. hits: for each system, whether each answer is right."""
    from instructzoo.core.score import compare

    return {name: asdict(compare(hits["model"], other)) for name, other in hits.items() if name != "model"}


def describe(rows: Sequence[Row], answers: Sequence[str], hits: Sequence[bool]) -> list[dict[str, Any]]:
    """Lines of predictions.jsonl. A row's pictures are kept, since no text says what was asked without them."""
    return [
        {
            "id": row["id"],
            "instruction": row["instruction"],
            "input": row["input"],
            "output": row["output"],
            **{name: row[name] for name in ("image", "edited") if name in row},
            "prediction": answer,
            "correct": bool(hit),
        }
        for row, answer, hit in zip(rows, answers, hits, strict=True)
    ]

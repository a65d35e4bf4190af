"""zoo eval: a model's answers to the test part, scored beside the baselines and the paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from instructzoo.core import app as apps
from instructzoo.core import runs
from instructzoo.core.app import App
from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.verbs.training import command

LOOKUP = 50_000
"""Training rows that the baselines learn from: more of them cost minutes and hardly score better."""


def eval(domain: str, run: str | None = None, limit: int | None = None, baselines: bool = True) -> dict[str, Any]:
    """Score a run's model (or, with no run named, the one that the package carries) on its recipe's test part.

    A run's predictions.jsonl and scores.json are written into it; the carried model's scores are only returned.
    """
    app = apps.get(domain)
    folder = runs.find(run).folder if run else app.weights()
    scores, predictions = evaluate(app, folder, limit, baselines)
    if run:
        write(folder, scores, predictions)
    return scores


def write(folder: Path, scores: dict[str, Any], predictions: Sequence[dict[str, Any]]) -> None:
    """predictions.jsonl and scores.json, each whole."""
    lines = "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in predictions)
    runs.write_text(folder / "predictions.jsonl", lines)
    runs.write_json(folder / "scores.json", scores)


def evaluate(
    app: App, folder: Path, limit: int | None = None, baselines: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The content of scores.json and of predictions.jsonl for the model in `folder`."""
    from instructzoo.core import data
    from instructzoo.core.infer import Predictor

    predictor = Predictor.load(app, folder)
    recipe = predictor.recipe
    built = data.build(recipe)
    test = list(built.rows["test"])
    limit = limit or recipe.evaluate.limit
    test = test[:limit] if limit else test
    if not test:
        raise ZooError("the test part is empty", "at least one row", "look at the data card: zoo data")
    metrics = app.module("metrics")
    answers = predictor.answer(test)
    systems = {"model": answers}
    if baselines and recipe.evaluate.baselines:
        train = list(built.rows["train"].select(range(min(LOOKUP, len(built.rows["train"])))))
        systems |= baseline_answers(recipe, predictor, train, test)
    scored = {name: metrics.score(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    others = {s: metrics.score(test, answers, s).as_dict() for s in metrics.SCORERS if s != recipe.evaluate.scorer}
    hits = {name: metrics.correct(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    content = {
        "domain": recipe.domain,
        "recipe": recipe.name,
        "run": folder.name if folder.name != "weights" else "carried",
        "part": "test",
        "scorer": recipe.evaluate.scorer,
        "n": len(test),
        "systems": {name: s.as_dict() for name, s in scored.items()},
        **others,
        "paired": paired(hits),
        "paper": [asdict(f) for f in metrics.PAPER],
        "data": built.fingerprint,
        "backbone": recipe.model.backbone,
        "command": command(),
        **runs.environment(),
    }
    return content, describe(test, answers, hits["model"])


def baseline_answers(recipe: Recipe, predictor: Any, train: Sequence[Row], test: Sequence[Row]) -> dict[str, list[str]]:
    """What copying, a constant, the nearest training row and the untuned backbone answer."""
    from dataclasses import replace

    from instructzoo.core import models
    from instructzoo.core.score import baselines

    found = {name: list(answer(train, test)) for name, answer in baselines.BASELINES.items()}
    base = models.load(recipe.model, recipe.seed, list, tokenizer_at=predictor.loaded_from())
    base.model.eval()
    untuned = replace(predictor, loaded=base)
    return found | {"untuned": untuned.answer(test)}


def paired(hits: dict[str, list[bool]]) -> dict[str, Any]:
    """The model against every baseline on the same rows. hits: for each system, whether each answer is right."""
    from instructzoo.core.score import compare

    return {name: asdict(compare(hits["model"], other)) for name, other in hits.items() if name != "model"}


def describe(rows: Sequence[Row], answers: Sequence[str], hits: Sequence[bool]) -> list[dict[str, Any]]:
    """Lines of predictions.jsonl."""
    return [
        {
            "id": row["id"],
            "instruction": row["instruction"],
            "input": row["input"],
            "output": row["output"],
            "prediction": answer,
            "correct": bool(hit),
        }
        for row, answer, hit in zip(rows, answers, hits, strict=True)
    ]

"""zoo eval: answer the test split and score the answers, next to the baselines and the paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.atomic_files import check_writable
from instructzoo.core.commands.train import command_line
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.runs import Run

if TYPE_CHECKING:
    from instructzoo.core.data import BuiltData

BASELINE_ROWS = 50_000
"""Training rows that the baselines learn from: more rows cost minutes and hardly improve their scores."""

UNCONSTRAINED = "unconstrained"
"""The name of a second system where decoding is constrained to a grammar: the same model, unconstrained."""


def eval(
    domain_name: str, run: str | None = None, limit: int | None = None, baselines: bool = True, quiet: bool = False
) -> dict[str, Any]:
    """Score a model on the test split of its recipe.

    A run's predictions.jsonl and scores.json are written into it if this is the complete evaluation that its recipe
    asks for, with every baseline. The scores of a bundled model are only returned.

    Args:
        domain_name: An installed domain.
        run: A run directory; without it the domain's bundled model is scored.
        limit: The number of test rows, sampled by seed; by default as the recipe says.
        baselines: Whether to score the baselines too.
        quiet: Whether to show no progress.

    Returns:
        The content of scores.json: {"domain", "recipe", "scorer", "n", "systems": scores by system, "paired":
        comparisons with the baselines, "paper": published results, ...}; for a run also "recorded".

    Raises:
        ZooError: There is no such domain, run or bundled model, the limit is below 1, or the recipe of the run no
            longer builds the rows that it was trained on.
    """
    domain = domains.get(domain_name)
    folder = runs.find(run).folder if run else domain.bundled_model()
    if run and limit is None:
        check_writable(folder)  # before the evaluation, whose scores would have no place
    scores, predictions = evaluate(domain, folder, limit, baselines, quiet)
    if not run:
        return scores
    settings = runs.stored_recipe(folder).evaluate
    complete = limit in (None, settings.limit) and (baselines or not settings.baselines) and not scores["left_out"]
    if complete:
        save(folder, scores, predictions)
    return scores | {"recorded": complete}


def save(folder: Path, scores: dict[str, Any], predictions: Sequence[dict[str, Any]]) -> None:
    """Write predictions.jsonl and scores.json into a run directory.

    Args:
        folder: The run directory.
        scores: The content of scores.json.
        predictions: The lines of predictions.jsonl, as `describe` gives them.
    """
    lines = "".join(json.dumps(prediction, ensure_ascii=False) + "\n" for prediction in predictions)
    runs.write_text(folder / "predictions.jsonl", lines)
    runs.write_json(folder / "scores.json", scores)


def evaluate(
    domain: Domain, folder: Path, limit: int | None = None, baselines: bool = True, quiet: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Score the model in a folder.

    Args:
        domain: The domain.
        folder: A run directory, or the folder of a bundled model.
        limit: The number of test rows, sampled by seed; by default as the recipe says.
        baselines: Whether to score the baselines too, where the recipe asks for them.
        quiet: Whether to show no progress.

    Returns:
        The content of scores.json, and the lines of predictions.jsonl.

    Raises:
        ZooError: As `eval`.
    """
    from instructzoo.core import data, infer
    from instructzoo.core.data.split import sampled
    from instructzoo.core.infer import trained_labels

    if limit is not None and limit < 1:
        raise ZooError(f"a limit of {limit} rows", "at least 1", "leave it out for all", "--limit")
    predictor = infer.load(domain, folder)
    recipe = predictor.recipe
    baselines = baselines and recipe.evaluate.baselines
    is_run = Run(folder).manifest().get("data") is not None
    # The training rows of a bundled model are built only if a baseline learns from them; those of a run are compared.
    built = data.build(recipe, splits=("train", "test") if baselines or is_run else ("test",))
    check_same_data(folder, built)
    test = sampled(built.rows["test"], limit or recipe.evaluate.limit, recipe.seed, "test")
    if not test:
        raise ZooError("the test split is empty", "at least one row", "look at the data card: zoo data")
    if domain.labels:
        test = trained_labels.add(test, predictor.labels)
    metrics = domain.module("metrics")
    systems, counts, left_out = model_answers(predictor, test, baselines, quiet)
    if baselines:
        train = sampled(built.rows["train"], BASELINE_ROWS, recipe.seed, "train")
        untuned = {name: systems.pop(name) for name in ("untuned",) if name in systems}
        systems |= baseline_answers(domain, train, test, quiet) | untuned
    scored = {name: metrics.score(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    for name, system_counts in counts.items():
        scored[name].counts.update(system_counts)
    other_scorers = [scorer for scorer in metrics.SCORERS if scorer != recipe.evaluate.scorer]
    variants = {scorer: metrics.score(test, systems["model"], scorer).as_dict() for scorer in other_scorers}
    hits = {name: metrics.correct(test, texts, recipe.evaluate.scorer) for name, texts in systems.items()}
    content = {
        "domain": recipe.domain,
        "recipe": recipe.name,
        "run": folder.name if folder.name != "weights" else "bundled",
        "part": "test",
        "scorer": recipe.evaluate.scorer,
        "n": len(test),
        "systems": {name: scores.as_dict() for name, scores in scored.items()},
        "left_out": left_out,
        **variants,
        "paired": paired(hits),
        "paper": [asdict(result) for result in metrics.PAPER],
        "data": built.fingerprint,
        "backbone": recipe.model.backbone,
        "command": command_line(),
        **runs.environment(),
    }
    return content, describe(test, systems["model"], hits["model"])


def model_answers(
    predictor: Any, test: Sequence[Row], baselines: bool, quiet: bool
) -> tuple[dict[str, list[str]], dict[str, dict[str, int]], dict[str, str]]:
    """The answers of the model, of the same model unconstrained, and of its backbone before it was tuned.

    Args:
        predictor: The model.
        test: The rows to answer.
        baselines: Whether to ask the untuned backbone too.
        quiet: Whether to show no progress.

    Returns:
        For each system one answer per test row, in order; for each system what `answer_counted` counted; and the
        systems that could not be asked, with the reason.
    """
    from instructzoo.core.terminal.progress import Progress

    answers: dict[str, list[str]] = {}
    counts: dict[str, dict[str, int]] = {}
    left_out: dict[str, str] = {}

    def ask(name: str, system: Any) -> None:
        with Progress(name, len(test), quiet) as progress:
            answers[name], counts[name] = system.answer_counted(test, progress.update)

    ask("model", predictor)
    if predictor.constrained:
        ask(UNCONSTRAINED, predictor.with_constraints(False))
    if baselines:
        try:
            ask("untuned", predictor.untuned())
        except ZooError as error:  # a local backbone need not be where a bundled model is scored
            left_out["untuned"] = str(error)
    return answers, counts, left_out


def check_same_data(folder: Path, built: BuiltData) -> None:
    """Check that a run's recipe still builds the rows that it was trained on.

    Args:
        folder: The run directory. A run whose manifest names no fingerprint passes.
        built: The rows that the recipe builds now.

    Raises:
        ZooError: The fingerprint of the rows has changed: a file or the domain's code is another one.
    """
    fingerprint = Run(folder).manifest().get("data")
    if fingerprint not in (None, built.fingerprint):
        problem = f"{folder} was trained on data {fingerprint}, and its recipe now builds {built.fingerprint}"
        raise ZooError(problem, "the same rows", "put data.path back as it was, or train again")


def baseline_answers(
    domain: Domain, train: Sequence[Row], test: Sequence[Row], quiet: bool = True
) -> dict[str, list[str]]:
    """The answers of the baselines: copied input, constant answer, nearest training row, and the domain's own.

    Args:
        domain: The domain, whose baselines are added to those of core.
        train: The training rows.
        test: The rows to answer.
        quiet: Whether to show no progress.

    Returns:
        For each baseline one answer per test row, in order.
    """
    from instructzoo.core.score import baselines
    from instructzoo.core.terminal.progress import Progress

    answers = {}
    for name, answer in {**baselines.BASELINES, **domain.module("metrics").BASELINES}.items():
        with Progress(f"baseline {name}", len(test), quiet):
            answers[name] = list(answer(train, test))
    return answers


def paired(hits: dict[str, list[bool]]) -> dict[str, Any]:
    """The model against every other system on the same rows; hits: for each system, whether each answer is right."""
    from instructzoo.core.score import compare

    return {name: asdict(compare(hits["model"], other)) for name, other in hits.items() if name != "model"}


def describe(rows: Sequence[Row], answers: Sequence[str], hits: Sequence[bool]) -> list[dict[str, Any]]:
    """Lines of predictions.jsonl. The images of a row are included, since its text alone does not state the task.

    Args:
        rows: The rows that were asked.
        answers: The model's text for each row.
        hits: Whether each answer is right.

    Returns:
        One JSON object per row, in order.
    """
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

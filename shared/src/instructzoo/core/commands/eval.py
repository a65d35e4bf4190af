"""zoo eval: answer the test split, or a file of rows, and score the answers, next to the baselines and the paper."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from instructzoo.core import domain as domains
from instructzoo.core import run_checks, runs
from instructzoo.core.atomic_files import check_writable, existing_parent
from instructzoo.core.commands.train import command_line
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row
from instructzoo.core.score.types import Scores
from instructzoo.core.terminal import model_option

UNTRAINED_BASELINES = ("copy",)
"""Baselines that need no training rows."""

UNCONSTRAINED = "unconstrained"
"""The name of a second system where decoding is constrained to a grammar: the same model, unconstrained."""


def eval(
    domain_name: str,
    model: str | None = None,
    limit: int | None = None,
    baselines: bool = True,
    quiet: bool = False,
    rows: str | None = None,
    output: str | None = None,
) -> dict[str, Any]:
    """Score a model on the test split of its recipe, or on a file of rows.

    A run's predictions.jsonl and scores.json are written into it if this is the complete evaluation that its recipe
    asks for, with every baseline. The scores of any other model, and those of a file of rows, are only returned.

    Args:
        domain_name: An installed domain.
        model: A name of `zoo models`, a run directory, a folder or a hub id; by default tiny.
        limit: The number of test rows, sampled by seed; by default as the recipe says.
        baselines: Whether to score the baselines too.
        quiet: Whether to show no progress.
        rows: A file of rows with their true answers, as `zoo score --gold` reads it, in place of the test split. It is
            for rows that no training and no choice of settings has used: the tables of READMEs say so. Of the
            baselines, those that need no training rows are scored.
        output: A file that the scores are written to as well; scores that it holds are replaced.

    Returns:
        The content of scores.json: {"domain", "recipe", "scorer", "n", "systems": scores by system, "paired":
        comparisons with the baselines, "paper": published results, ...}; for a run also "recorded", for any other model
        "model" and "knows".

    Raises:
        ZooError: There is no such domain or model, the limit is below 1, the recipe of the run no longer builds the
            rows that it was trained on, a row of the file is malformed, or `output` holds no scores.
    """
    from instructzoo.core import infer

    domain = domains.get(domain_name)
    chosen = model_option.for_files(domain, model)
    folder, is_run = chosen.folder, (chosen.folder / "manifest.json").is_file()
    if is_run and limit is None and rows is None:
        check_writable(folder)  # before the evaluation, whose scores would have no place
    if output:
        _check_output(Path(output))
    scores, predictions = evaluate_predictor(infer.open_chosen(domain, chosen), limit, baselines, quiet, rows)
    returned_only = not is_run or rows is not None
    if returned_only:
        scores |= model_option.about(domain, chosen)
    if output:
        runs.write_json(Path(output), scores)
    if returned_only:
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


def _check_output(path: Path) -> None:
    """Raise a ZooError, before the evaluation, if its scores could not be written or would replace anything else."""
    check_writable(existing_parent(path.parent))
    if path.exists():
        run_checks.check_scores(runs.read_object(path, "the scores of zoo eval"), path)


def evaluate(
    domain: Domain,
    folder: Path,
    limit: int | None = None,
    baselines: bool = True,
    quiet: bool = False,
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Score the model in a folder.

    Args:
        domain: The domain.
        folder: A run directory, or the folder of a bundled model.
        limit: As for `evaluate_predictor`.
        baselines: As for `evaluate_predictor`.
        quiet: As for `evaluate_predictor`.

    Returns:
        The content of scores.json, and the lines of predictions.jsonl.

    Raises:
        ZooError: As `eval`.
    """
    from instructzoo.core import infer

    return evaluate_predictor(infer.load(domain, folder), limit, baselines, quiet)


def evaluate_predictor(
    predictor: Any, limit: int | None = None, baselines: bool = True, quiet: bool = False, rows: str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Score a model on the test split of its recipe.

    Args:
        predictor: The model.
        limit: The number of test rows, sampled by seed; by default as the recipe says.
        baselines: Whether to score the baselines too, where the recipe asks for them.
        quiet: Whether to show no progress.
        rows: A file of rows in place of the test split.

    Returns:
        The content of scores.json, and the lines of predictions.jsonl.

    Raises:
        ZooError: As `eval`.
    """
    from instructzoo.core.infer import trained_labels
    from instructzoo.core.infer.own_format import in_own_format
    from instructzoo.core.score import scored_rows

    if limit is not None and limit < 1:
        raise ZooError(f"a limit of {limit} rows", "at least 1", "leave it out for all", "--limit")
    domain, folder, recipe = predictor.domain, predictor.folder, predictor.recipe
    baselines = baselines and recipe.evaluate.baselines
    if rows is not None:
        test, train, origin = scored_rows.of_file(domain, folder, recipe, rows, limit)
    else:
        try:
            test, train, origin = scored_rows.of_recipe(domain, folder, recipe, limit, baselines)
        except ZooError as error:
            if predictor.model is None or error.where != "data.path":
                raise
            found = f"the corpora that {predictor.model.name} is scored on are no part of the package"
            fix = f"zoo models {domain.name} shows the scores that were recorded"
            raise ZooError(found, "a file of rows to score it on", fix, "--rows") from error
    if domain.labels:
        test = trained_labels.add(test, predictor.labels)
    metrics = domain.module("metrics")
    systems, counts, left_out = model_answers(predictor, test, baselines, quiet)
    predicted = systems["model"]
    systems = {name: in_own_format(predictor, test, texts) for name, texts in systems.items()}
    if baselines:
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
        "run": "bundled" if predictor.model and predictor.model.bundled else folder.name,
        **origin,
        "scorer": recipe.evaluate.scorer,
        "n": len(test),
        "systems": {name: _without_tables(name, scores).as_dict() for name, scores in scored.items()},
        "left_out": left_out,
        **variants,
        "paired": paired(hits),
        "backbone": recipe.model.backbone,
        "command": command_line(),
        **runs.environment(),
    }
    return content, describe(test, predicted, hits["model"])


def _without_tables(system: str, scores: Scores) -> Scores:
    """The scores of a system; only those of the model keep their tables, which nothing shows for the others."""
    return scores if system == "model" else replace(scores, tables=())


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


def baseline_answers(
    domain: Domain, train: Sequence[Row] | None, test: Sequence[Row], quiet: bool = True
) -> dict[str, list[str]]:
    """The answers of the baselines: copied input, constant answer, nearest training row, and the domain's own.

    Args:
        domain: The domain, whose baselines are added to those of core.
        train: The training rows; None: only the baselines that need none are scored.
        test: The rows to answer.
        quiet: Whether to show no progress.

    Returns:
        For each baseline one answer per test row, in order.
    """
    from instructzoo.core.score import baselines
    from instructzoo.core.terminal.progress import Progress

    answers = {}
    for name, answer in {**baselines.BASELINES, **domain.module("metrics").BASELINES}.items():
        if train is not None or name in UNTRAINED_BASELINES:
            with Progress(f"baseline {name}", len(test), quiet):
                answers[name] = list(answer(train or (), test))
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

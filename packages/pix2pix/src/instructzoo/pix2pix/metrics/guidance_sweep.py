"""Measures the paper's trade-off between making the edit and keeping the rest of the picture (arXiv:2211.09800).

    python -m instructzoo.pix2pix.metrics.guidance_sweep --model RUN --image-guidance 1,1.5,2 --guidance 2,4 -o FOLDER

The same rows are edited with the same noise at every image guidance s_I and text guidance s_T. FOLDER then contains

    points.json      every point with its values, their n and intervals; the baseline, the command and the versions
    trade-off.png    kept pixels over edit success, where rows have the true picture
    curve.png        image similarity over directional similarity, with a CLIP model: the paper's figure

The baseline is the identity: the picture before as the answer. Rows come from the validation split unless the test
split is requested, because guidance is a setting and must not be chosen on the split that is reported.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Protocol, Self

import typer

from instructzoo.core import data, infer, runs
from instructzoo.core import domain as domains
from instructzoo.core.data.split import sampled
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models.load import to_device
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, mean_with_ci
from instructzoo.core.score.scored_rows import check_same_data
from instructzoo.core.terminal import program
from instructzoo.pix2pix import images, metrics
from instructzoo.pix2pix.metrics import clip_metrics, trade_off_plot
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.metrics.trade_off_plot import Plane, Point

IMAGE_GUIDANCES = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2)
"""Values of s_I in the paper's evaluation; its s_T is 7.5, the default of sampling.Settings."""

LENIENT_EDIT, IMAGE_SIMILARITY, DIRECTIONAL_SIMILARITY = (
    f"{metrics.EDIT} (lenient)", "image similarity", "directional similarity",
)  # fmt: skip
SWEPT_SPLITS = ("validation", "test")
PIXEL_PLANE = Plane(
    metrics.EDIT, metrics.KEPT, "edit success, % (the edit was made)", "kept pixels, % (the rest was left alone)", 100.0
)
CLIP_PLANE = Plane(
    DIRECTIONAL_SIMILARITY,
    IMAGE_SIMILARITY,
    "directional similarity (the edit was made)",
    "image similarity (the picture was kept)",
)
PLOTS = {"trade-off.png": PIXEL_PLANE, "curve.png": CLIP_PLANE}


class SweepPredictor(Protocol):
    """The methods of a predictor that a sweep needs."""

    def sampled(self, *, guided: bool, guidance: float, image_guidance: float) -> Self: ...
    def answer(self, rows: Sequence[Row]) -> list[str]: ...


def sweep(
    predictor: SweepPredictor,
    rows: Sequence[Row],
    image_guidances: Sequence[float],
    guidances: Sequence[float],
    clip: Clip | None = None,
) -> list[Point]:
    """Measure the same rows at every pair of guidance scales.

    Args:
        predictor: The editor.
        rows: Rows to edit. Those with the true picture (`edited`) get the metrics of the domain, strict, and the
            lenient edit success; with `clip`, those with both captions get the similarities of clip_metrics.
        image_guidances: Values of s_I.
        guidances: Values of s_T.
        clip: A CLIP model.

    Returns:
        A point for every s_T and, within it, every s_I, in the given order; repeated values count once.

    Raises:
        ZooError: Nothing can be measured, or a scale is out of range.
    """
    return list(measure_points(predictor, rows, image_guidances, guidances, clip))


def measure_points(
    predictor: SweepPredictor,
    rows: Sequence[Row],
    image_guidances: Sequence[float],
    guidances: Sequence[float],
    clip: Clip | None = None,
) -> Iterator[Point]:
    """The points of `sweep`, each as soon as it is measured. Scales are checked before the first edit."""
    scales = [(s_t, s_i) for s_t in dict.fromkeys(guidances) for s_i in dict.fromkeys(image_guidances)]
    if not scales or not rows:
        raise ZooError(f"{len(rows)} rows at {len(scales)} pairs of guidances", "at least one of each")
    predictors = [predictor.sampled(guided=True, guidance=s_t, image_guidance=s_i) for s_t, s_i in scales]
    return (
        Point(s_i, s_t, len(rows), measure_answers(rows, guided.answer(rows), clip))
        for (s_t, s_i), guided in zip(scales, predictors, strict=True)
    )


def identity_point(rows: Sequence[Row], clip: Clip | None = None) -> Point:
    """The baseline: every picture unchanged."""
    return Point(None, None, len(rows), measure_answers(rows, metrics.copy_input([], rows), clip))


def measure_answers(rows: Sequence[Row], answers: Sequence[str], clip: Clip | None = None) -> dict[str, MetricValue]:
    """All metrics that rows and answers allow, by name.

    Args:
        rows: The rows that were edited.
        answers: Data URIs of the edited pictures, one per row.
        clip: A CLIP model for the similarities.

    Raises:
        ZooError: No row has a true picture and there is no CLIP model, or no row has both captions for it.
    """
    values: dict[str, MetricValue] = {}
    indices = [index for index, row in enumerate(rows) if row.get("edited")]
    if indices:
        known_rows, known_answers = [rows[index] for index in indices], [answers[index] for index in indices]
        strict, lenient = (metrics.score(known_rows, known_answers, scorer) for scorer in metrics.SCORERS)
        values |= {value.metric: value for value in strict.metric_values if value.group == "all"}
        values[LENIENT_EDIT] = replace(lenient.headline_value(), metric=LENIENT_EDIT)
    if clip is not None:
        values |= _clip_values(rows, answers, clip)
    if not values:
        raise ZooError("rows without true pictures", "`edited` in the rows, or a CLIP model", "name one: --clip")
    return values


def _clip_values(rows: Sequence[Row], answers: Sequence[str], clip: Clip) -> dict[str, MetricValue]:
    """Mean similarities over the rows that have both captions."""
    indices = [index for index, row in enumerate(rows) if row.get("input") and row.get("output")]
    if not indices:
        raise ZooError("rows without captions", "`input` and `output`, captions before and after", "leave out --clip")
    before = [images.read(rows[index]["image"], rows[index]["id"]) for index in indices]
    after = [images.read(answers[index], rows[index]["id"]) for index in indices]
    captions = ([rows[index][column] for index in indices] for column in ("input", "output"))
    similarity = clip_metrics.measure_similarity(clip, before, after, *captions)
    return {
        DIRECTIONAL_SIMILARITY: mean_with_ci(DIRECTIONAL_SIMILARITY, similarity.direction),
        IMAGE_SIMILARITY: mean_with_ci(IMAGE_SIMILARITY, similarity.image),
    }


cli = typer.Typer(add_completion=False, rich_markup_mode=None)


@cli.command()
def sweep_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="new folder for points.json and the figures")],
    model: Annotated[str | None, typer.Option(help="tiny, a run, a folder or a hub id; default: tiny")] = None,
    split: Annotated[str, typer.Option("--part", help="validation or test")] = SWEPT_SPLITS[0],
    limit: Annotated[int | None, typer.Option(min=1, help="rows to edit, by seed; default: the recipe's")] = None,
    clip: Annotated[Path | None, typer.Option(help="folder of a CLIP model and its tokenizer")] = None,
    image_guidance: Annotated[str, typer.Option(help="values of s_I")] = ",".join(map(str, IMAGE_GUIDANCES)),
    guidance: Annotated[str | None, typer.Option(help="values of s_T; default: the recipe's")] = None,
    steps: Annotated[int | None, typer.Option(help="denoising steps; default: the recipe's")] = None,
) -> None:
    """Edit the same rows at several guidance scales, and plot edit success against kept pixels."""
    _require_empty(output)
    image_scales = parse_numbers(image_guidance, "--image-guidance")
    text_scales = [] if guidance is None else parse_numbers(guidance, "--guidance")
    domain = domains.get("pix2pix")
    clip_model = Clip.load(clip) if clip else None
    if clip_model:
        to_device(clip_model.model)
    predictor = infer.open_model(domain, model or "tiny")
    if steps is not None:
        predictor = predictor.sampled(steps=steps)
    rows, fingerprint = _load_rows(predictor.recipe, predictor.folder, split, limit)
    baseline = identity_point(rows, clip_model)
    typer.echo(format_point(baseline))
    points: list[Point] = []
    text_scales = text_scales or [predictor.sampling.guidance]
    for point in measure_points(predictor, rows, image_scales, text_scales, clip_model):
        typer.echo(format_point(point))
        points.append(point)
    write_results(output, points, baseline, _describe_run(predictor, split, fingerprint, clip))
    typer.echo(f"written: {output}")


def parse_numbers(text: str, where: str) -> list[float]:
    """The numbers in a text such as "1.0,1.2". Raises ZooError naming `where` for another text."""
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise ZooError(f'"{text}"', "numbers with commas between them, such as 1.0,1.5", where=where) from error


def format_point(point: Point) -> str:
    """A point in one line."""
    scales = "identity" if point.guidance is None else f"s_T {point.guidance:<4g} s_I {point.image_guidance:<4g}"
    values = [
        point.metric_values[name]
        for plane in PLOTS.values()
        for name in (plane.x, plane.y)
        if name in point.metric_values
    ]
    return f"{scales:18}" + "".join(f"  {value.metric} {value.value:.3f}" for value in values)


def write_results(folder: Path, points: Sequence[Point], baseline: Point, about: dict[str, Any]) -> None:
    """Write points.json and the plots, all or none of them.

    Args:
        folder: An empty or absent folder.
        points: The measured points.
        baseline: The identity.
        about: Further content of points.json.
    """
    with runs.atomic_folder(folder) as new_folder:
        content = about | {"baseline": baseline.as_dict(), "points": [point.as_dict() for point in points]}
        runs.write_json(new_folder / "points.json", content)
        for name, plane in PLOTS.items():
            if {plane.x, plane.y} <= baseline.metric_values.keys():
                trade_off_plot.draw_plot(plane, points, baseline, new_folder / name)


def _require_empty(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ZooError(f"{folder} holds something", "an empty or absent folder", "choose another", "-o")


def _load_rows(recipe: Recipe, folder: Path, split: str, limit: int | None) -> tuple[list[Row], str]:
    """Rows of a split and the data's fingerprint; for a run, they are checked to be those that it was trained on."""
    if split not in SWEPT_SPLITS:
        raise ZooError(f'no split "{split}"', suggest(split, SWEPT_SPLITS), where="--part")
    has_data = runs.Run(folder).manifest().get("data")
    built = data.build(recipe, splits=("train", split) if has_data else (split,))
    check_same_data(folder, built)
    return sampled(built.rows[split], limit or recipe.evaluate.limit, recipe.seed, split), built.fingerprint


def _describe_run(predictor: Any, split: str, fingerprint: str, clip: Path | None) -> dict[str, Any]:
    """What points.json says about the run."""
    settings, recipe = predictor.sampling, predictor.recipe
    return {
        "domain": recipe.domain,
        "recipe": recipe.name,
        "run": "bundled" if predictor.model else predictor.folder.name,
        "part": split,
        "scorer": metrics.SCORERS[0],
        "sampling": {"steps": settings.steps, "scheduler": settings.scheduler, "seed": settings.seed},
        "clip": str(clip) if clip else None,
        "data": fingerprint,
        "backbone": recipe.model.backbone,
        "command": shlex.join(["python", "-m", "instructzoo.pix2pix.metrics.guidance_sweep", *sys.argv[1:]]),
        **runs.environment(),
    }


def main() -> None:
    """Run the command line."""
    program.run(cli, "sweep")


if __name__ == "__main__":
    main()

"""The paper's trade-off, measured: how far edits are made against how much is kept (arXiv:2211.09800, evaluation).

    python -m instructzoo.pix2pix.sweep --run RUN --image-guidance 1,1.5,2 --guidance 2,4 -o FOLDER

The same rows are edited with the same noise at every image guidance s_I and text guidance s_T. FOLDER then holds

    points.json      every point with its figures, their n and intervals; the baseline, the command and the versions
    trade-off.png    kept pixels over edit success, where rows hold the true picture
    curve.png        image similarity over directional similarity, with a CLIP model: the paper's figure

The baseline is the identity: the picture before as the answer. Rows are those of the validation part unless another is
asked for: guidance is a setting, and is not chosen on the part that is reported.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Protocol, Self

import typer

from instructzoo.core import cli as commands
from instructzoo.core import data, infer, runs
from instructzoo.core import domain as domains
from instructzoo.core.commands.eval import same_rows
from instructzoo.core.data.split import sampled
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.models.load import to_device
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue, mean_with_ci
from instructzoo.pix2pix import images, metrics
from instructzoo.pix2pix.metrics import clip_metrics, trade_off_plot
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.metrics.trade_off_plot import Plane, Point

IMAGE_GUIDANCES = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2)
"""Values of s_I in the paper's evaluation; its s_T is 7.5, the default of sampling.Settings."""

LENIENT, IMAGE, DIRECTION = f"{metrics.EDIT} (lenient)", "image similarity", "directional similarity"
PARTS = ("validation", "test")
TRUTH = Plane(
    metrics.EDIT, metrics.KEPT, "edit success, % (the edit was made)", "kept pixels, % (the rest was left alone)", 100.0
)
CLIP = Plane(DIRECTION, IMAGE, "directional similarity (the edit was made)", "image similarity (the picture was kept)")
DRAWN = {"trade-off.png": TRUTH, "curve.png": CLIP}


class Editor(Protocol):
    """What is needed of a predictor."""

    def sampled(self, *, guided: bool, guidance: float, image_guidance: float) -> Self: ...
    def answer(self, rows: Sequence[Row]) -> list[str]: ...


def sweep(
    predictor: Editor,
    rows: Sequence[Row],
    image_guidances: Sequence[float],
    guidances: Sequence[float],
    clip: Clip | None = None,
) -> list[Point]:
    """A point for every s_T and, within it, every s_I, in the given order.

    With truth (rows with `edited`): the figures of metrics.py, strict, and edit success lenient. With clip: those of
    similarity.py over the rows that have both captions. Raises ZooError where nothing can be measured.
    """
    return list(measured(predictor, rows, image_guidances, guidances, clip))


def measured(
    predictor: Editor,
    rows: Sequence[Row],
    image_guidances: Sequence[float],
    guidances: Sequence[float],
    clip: Clip | None = None,
) -> Iterator[Point]:
    """The points of `sweep`, each as soon as it is known. Guidances are looked at before the first edit."""
    scales = [(s_t, s_i) for s_t in dict.fromkeys(guidances) for s_i in dict.fromkeys(image_guidances)]
    if not scales or not rows:
        raise ZooError(f"{len(rows)} rows at {len(scales)} pairs of guidances", "at least one of each")
    held = [predictor.sampled(guided=True, guidance=s_t, image_guidance=s_i) for s_t, s_i in scales]
    return (
        Point(s_i, s_t, len(rows), figures(rows, one.answer(rows), clip))
        for (s_t, s_i), one in zip(scales, held, strict=True)
    )


def identity(rows: Sequence[Row], clip: Clip | None = None) -> Point:
    """The baseline: every picture as it was."""
    return Point(None, None, len(rows), figures(rows, metrics.copy([], rows), clip))


def figures(rows: Sequence[Row], answers: Sequence[str], clip: Clip | None = None) -> dict[str, MetricValue]:
    """All that can be measured of answers, by name. Raises ZooError where that is nothing."""
    found: dict[str, MetricValue] = {}
    known = [place for place, row in enumerate(rows) if row.get("edited")]
    if known:
        asked, given = [rows[place] for place in known], [answers[place] for place in known]
        strict, lenient = (metrics.score(asked, given, scorer) for scorer in metrics.SCORERS)
        found |= {one.metric: one for one in strict.metric_values if one.group == "all"}
        found[LENIENT] = replace(lenient.headline_value(), metric=LENIENT)
    if clip is not None:
        found |= _similar(rows, answers, clip)
    if not found:
        raise ZooError("rows without true pictures", "`edited` in the rows, or a CLIP model", "name one: --clip")
    return found


def _similar(rows: Sequence[Row], answers: Sequence[str], clip: Clip) -> dict[str, MetricValue]:
    known = [place for place, row in enumerate(rows) if row.get("input") and row.get("output")]
    if not known:
        raise ZooError("rows without captions", "`input` and `output`, captions before and after", "leave out --clip")
    before = [images.read(rows[place]["image"], rows[place]["id"]) for place in known]
    after = [images.read(answers[place], rows[place]["id"]) for place in known]
    captions = ([rows[place][column] for place in known] for column in ("input", "output"))
    found = clip_metrics.measure(clip, before, after, *captions)
    return {DIRECTION: mean_with_ci(DIRECTION, found.direction), IMAGE: mean_with_ci(IMAGE, found.image)}


cli = typer.Typer(add_completion=False, rich_markup_mode=None)


@cli.command()
def command(
    output: Annotated[Path, typer.Option("--output", "-o", help="new folder for points.json and the figures")],
    run: Annotated[
        str | None, typer.Option(help="a run directory; without it, the model that the package bundle")
    ] = None,
    part: Annotated[str, typer.Option(help="validation or test")] = PARTS[0],
    limit: Annotated[int | None, typer.Option(min=1, help="rows to edit, by seed; default: as the recipe says")] = None,
    clip: Annotated[Path | None, typer.Option(help="folder of a CLIP model and its tokenizer")] = None,
    image_guidance: Annotated[str, typer.Option(help="values of s_I")] = ",".join(map(str, IMAGE_GUIDANCES)),
    guidance: Annotated[str | None, typer.Option(help="values of s_T; default: the recipe's")] = None,
    steps: Annotated[int | None, typer.Option(help="denoising steps; default: the recipe's")] = None,
) -> None:
    """Edit the same rows at several guidances, and draw how far edits are made against how much is kept."""
    _refuse_full(output)
    pictures = numbers(image_guidance, "--image-guidance")
    texts = [] if guidance is None else numbers(guidance, "--guidance")
    domain = domains.get("pix2pix")
    folder = runs.find(run).folder if run else domain.bundled_model()
    seeing = Clip.load(clip) if clip else None
    if seeing:
        to_device(seeing.model)
    predictor = infer.load(domain, folder)
    if steps is not None:
        predictor = predictor.sampled(steps=steps)
    rows, fingerprint = _rows(predictor.recipe, folder, part, limit)
    baseline = identity(rows, seeing)
    typer.echo(told(baseline))
    points: list[Point] = []
    for point in measured(predictor, rows, pictures, texts or [predictor.sampling.guidance], seeing):
        typer.echo(told(point))
        points.append(point)
    write(output, points, baseline, _about(predictor, folder, part, fingerprint, clip))
    typer.echo(f"written: {output}")


def numbers(text: str, where: str) -> list[float]:
    """The numbers of "1.0,1.2". Raises ZooError for another text."""
    try:
        return [float(word) for word in text.split(",")]
    except ValueError as error:
        raise ZooError(f'"{text}"', "numbers with commas between them, such as 1.0,1.5", where=where) from error


def told(point: Point) -> str:
    """A point in one line."""
    scales = "identity" if point.guidance is None else f"s_T {point.guidance:<4g} s_I {point.image_guidance:<4g}"
    shown = [
        point.metric_values[name]
        for plane in DRAWN.values()
        for name in (plane.x, plane.y)
        if name in point.metric_values
    ]
    return f"{scales:18}" + "".join(f"  {one.metric} {one.value:.3f}" for one in shown)


def write(folder: Path, points: Sequence[Point], baseline: Point, about: dict[str, Any]) -> None:
    """points.json and the figures, all or none of them. about: what else points.json is to hold."""
    with runs.atomic_folder(folder) as fresh:
        content = about | {"baseline": baseline.as_dict(), "points": [point.as_dict() for point in points]}
        runs.write_json(fresh / "points.json", content)
        for name, plane in DRAWN.items():
            if {plane.x, plane.y} <= baseline.metric_values.keys():
                trade_off_plot.draw(plane, points, baseline, fresh / name)


def _refuse_full(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ZooError(f"{folder} holds something", "an empty or absent folder", "choose another", "-o")


def _rows(recipe: Recipe, folder: Path, part: str, limit: int | None) -> tuple[list[Row], str]:
    """Rows of a part and the fingerprint of all. A run's are checked to be those that it was trained beside."""
    if part not in PARTS:
        raise ZooError(f'no part "{part}"', suggest(part, PARTS), where="--part")
    begun = runs.Run(folder).manifest().get("data")
    built = data.build(recipe, parts=("train", part) if begun else (part,))
    same_rows(folder, built)
    return sampled(built.rows[part], limit or recipe.evaluate.limit, recipe.seed, part), built.fingerprint


def _about(predictor: Any, folder: Path, part: str, fingerprint: str, clip: Path | None) -> dict[str, Any]:
    own, recipe = predictor.sampling, predictor.recipe
    return {
        "domain": recipe.domain,
        "recipe": recipe.name,
        "run": folder.name if folder.name != "weights" else "bundled",
        "part": part,
        "scorer": metrics.SCORERS[0],
        "sampling": {"steps": own.steps, "scheduler": own.scheduler, "seed": own.seed},
        "clip": str(clip) if clip else None,
        "data": fingerprint,
        "backbone": recipe.model.backbone,
        "command": shlex.join(["python", "-m", "instructzoo.pix2pix.sweep", *sys.argv[1:]]),
        **runs.environment(),
    }


def main() -> None:
    """The command line."""
    commands.run(cli, "sweep")


if __name__ == "__main__":
    main()

"""The guidance sweep: its edits, metrics, plots and files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from editing import editing_setup, recipe, rows, save_model
from PIL import Image
from test_clip_metrics import folder as clip_folder

from instructzoo.core import ZooError, infer, runs
from instructzoo.core import domain as domains
from instructzoo.core.record import Row
from instructzoo.core.score import MetricValue
from instructzoo.pix2pix import metrics
from instructzoo.pix2pix.metrics import guidance_sweep, trade_off_plot
from instructzoo.pix2pix.metrics.clip_metrics import Clip
from instructzoo.pix2pix.metrics.trade_off_plot import Point

__all__ = ["clip_folder"]  # a fixture


@dataclass
class Sure:
    """Makes every edit below s_I = 2, and from there on gives the picture back."""

    image_guidance: float = 0.0
    requests: list[dict[str, Any]] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    def sampled(self, *, guided: bool, guidance: float, image_guidance: float) -> Sure:
        self.requests.append({"guided": guided, "s_T": guidance, "s_I": image_guidance})
        return Sure(image_guidance, self.requests, self.answered)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        self.answered.append(self.image_guidance)
        return [row["edited" if self.image_guidance < 2 else "image"] for row in rows]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory with an editor of random weights."""
    home = tmp_path_factory.mktemp("run")
    settings = recipe(data={"sources": ["world"], "sizes": {"train": 40, "validation": 6, "test": 5}})
    task, tuned, _, _ = editing_setup(settings)
    save_model(settings, tuned, task.loaded.tokenizer, home / "model")
    runs.write_json(home / "manifest.json", {"state": "finished"})
    shutil.copy(home / "model" / "recipe.yaml", home / "recipe.yaml")
    return home


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command line."""
    monkeypatch.setattr("sys.argv", ["sweep", *arguments])
    with pytest.raises(SystemExit) as ended:
        guidance_sweep.main()
    code = ended.value.code or 0  # None is Python's word for 0
    assert isinstance(code, int)
    return code


def test_every_point_is_measured_once_at_its_own_guidance_scales() -> None:
    editor, test_rows = Sure(), rows(12)
    points = guidance_sweep.sweep(editor, test_rows, [1, 2, 1], [7.5, 3])
    assert [(p.guidance, p.image_guidance) for p in points] == [(7.5, 1), (7.5, 2), (3, 1), (3, 2)]
    assert [(request["s_T"], request["s_I"]) for request in editor.requests] == [
        (p.guidance, p.image_guidance) for p in points
    ]
    assert editor.answered == [1, 2, 1, 2]
    assert {p.n for p in points} == {12}
    for point in points:
        expected = float(point.image_guidance == 1)
        assert (
            point.metric_values[metrics.EDIT].value
            == point.metric_values[guidance_sweep.LENIENT_EDIT].value
            == expected
        )
        assert point.metric_values[metrics.KEPT].value == 1
        assert point.metric_values[metrics.EDIT].low < point.metric_values[metrics.EDIT].high


def test_a_sweep_always_samples_with_guidance() -> None:
    editor = Sure()
    guidance_sweep.sweep(editor, rows(2), [1], [2])
    assert [request["guided"] for request in editor.requests] == [True]


def test_an_invalid_guidance_scale_or_an_empty_sweep_is_an_error(run: Path) -> None:
    predictor = infer.load(domains.get("pix2pix"), run)
    with pytest.raises(ZooError, match="guidance"):
        guidance_sweep.measure_points(predictor, rows(2), [1, 99], [2])
    for nothing in ([], [1]):
        with pytest.raises(ZooError, match="at least one"):
            guidance_sweep.measure_points(Sure(), rows(2) if not nothing else [], nothing, [2])


def test_strict_edit_success_is_at_most_the_lenient_one() -> None:
    """A picture that is right where it should change and wrong elsewhere."""
    test_rows = rows(30)
    spoilt = metrics.nearest_row(test_rows[:1], test_rows)
    measured = guidance_sweep.measure_answers(test_rows, spoilt)
    assert measured[metrics.EDIT].metric == metrics.EDIT
    assert measured[guidance_sweep.LENIENT_EDIT].metric == guidance_sweep.LENIENT_EDIT
    assert measured[metrics.EDIT].value <= measured[guidance_sweep.LENIENT_EDIT].value
    assert measured[metrics.KEPT].value < 1


def test_the_identity_baseline_edits_nothing_and_keeps_everything(clip_folder: Path) -> None:
    measured = guidance_sweep.identity_point(rows(8), Clip.load(clip_folder))
    assert measured.metric_values[metrics.EDIT].value == 0
    assert measured.metric_values[metrics.KEPT].value == 1
    assert measured.metric_values[guidance_sweep.DIRECTIONAL_SIMILARITY].value == 0
    assert measured.metric_values[guidance_sweep.IMAGE_SIMILARITY].value == pytest.approx(1, abs=1e-5)
    assert (measured.image_guidance, measured.guidance, measured.n) == (None, None, 8)


def test_metrics_skip_rows_without_gold_or_captions_and_need_at_least_one(clip_folder: Path) -> None:
    clip, test_rows = Clip.load(clip_folder), rows(4)
    answers = [row["edited"] for row in test_rows]
    blind: list[Row] = [row | {"edited": ""} for row in test_rows]
    assert set(guidance_sweep.measure_answers(blind, answers, clip)) == {
        guidance_sweep.DIRECTIONAL_SIMILARITY,
        guidance_sweep.IMAGE_SIMILARITY,
    }
    with pytest.raises(ZooError, match="rows without true pictures"):
        guidance_sweep.measure_answers(blind, answers)
    mute: list[Row] = [row | {"input": ""} for row in test_rows]
    with pytest.raises(ZooError, match="rows without captions"):
        guidance_sweep.measure_answers(mute, answers, clip)
    half = guidance_sweep.measure_answers([*blind[:1], *mute[1:2], *test_rows[2:]], answers, clip)
    assert half[metrics.EDIT].n == 3
    assert half[guidance_sweep.IMAGE_SIMILARITY].n == 3


def test_the_command_writes_plots_points_baseline_and_settings(
    run: Path, clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    settings = [
        "--model",
        str(run),
        "--clip",
        str(clip_folder),
        "--image-guidance",
        "1,2",
        "--steps",
        "2",
        "--limit",
        "4",
    ]
    assert exit_code(monkeypatch, *settings, "--guidance", "2,3", "-o", str(out)) == 0
    assert sorted(path.name for path in out.iterdir()) == ["curve.png", "points.json", "trade-off.png"]
    written = json.loads((out / "points.json").read_text(encoding="utf-8"))
    assert [(p["guidance"], p["image_guidance"], p["n"]) for p in written["points"]] == [
        (2, 1, 4), (2, 2, 4), (3, 1, 4), (3, 2, 4)
    ]  # fmt: skip
    assert written["command"].startswith("python -m instructzoo.pix2pix.metrics.guidance_sweep --model ")
    assert (written["part"], written["sampling"]["steps"], written["scorer"]) == ("validation", 2, "strict")
    assert {
        metrics.EDIT,
        metrics.KEPT,
        guidance_sweep.LENIENT_EDIT,
        guidance_sweep.DIRECTIONAL_SIMILARITY,
        guidance_sweep.IMAGE_SIMILARITY,
    } <= written["baseline"]["figures"].keys()
    assert written["points"][0]["figures"][metrics.KEPT].keys() == {"metric", "value", "low", "high", "n", "group"}
    assert len(capsys.readouterr().out.splitlines()) == 6


def test_a_user_error_is_one_line_and_writes_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    occupied = tmp_path / "taken"
    occupied.mkdir()
    (occupied / "mine.txt").write_text("kept", encoding="utf-8")
    free = str(tmp_path / "free")
    for arguments, message in [
        (["-o", str(occupied)], "holds something"),
        (["-o", free, "--image-guidance", "1..2"], '--image-guidance: "1..2"; expected numbers'),
        (["-o", free, "--part", "tests"], 'did you mean "test"'),
        (["-o", free, "--clip", str(occupied)], "a folder with a CLIP model"),
        (["-o", free, "--guidance", "-1"], "guidance"),
    ]:
        assert exit_code(monkeypatch, "--model", str(run), *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("sweep: ")
        assert error.count("\n") == 1
        assert message in error
    assert (occupied / "mine.txt").read_text(encoding="utf-8") == "kept"
    assert not Path(free).exists()


def test_sweeping_a_run_trained_on_other_data_is_an_error(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "model").symlink_to(run / "model")
    runs.write_json(other / "manifest.json", {"data": "0123456789abcdef"})
    shutil.copy(run / "recipe.yaml", other / "recipe.yaml")
    assert exit_code(monkeypatch, "--model", str(other), "-o", str(tmp_path / "free")) == 2
    assert "trained on data 0123456789abcdef" in capsys.readouterr().err


def point(s_t: float | None, s_i: float | None, edit: float, kept: float, half: float = 0.05) -> Point:
    values = {metrics.EDIT: edit, metrics.KEPT: kept}
    return Point(s_i, s_t, 50, {name: MetricValue(name, v, v - half, v + half, 50) for name, v in values.items()})


IDENTITY = point(None, None, 0, 1)


def drawn(points: list[Point], folder: Path) -> str:
    """The text of a drawing."""
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        trade_off_plot.draw_plot(guidance_sweep.PIXEL_PLANE, points, IDENTITY, folder / "drawn.svg")
    return (folder / "drawn.svg").read_text(encoding="utf-8")


def test_an_identity_beyond_the_axes_is_labelled_as_such(tmp_path: Path) -> None:
    far = drawn([point(2, 1, 0.7, 0.9), point(2, 2, 0.6, 0.95)], tmp_path)
    assert "beyond the axes" in far
    assert "(0.0, 100.0)" in far
    near = drawn([point(2, 1, 0.5, 0.9, 0.6), point(2, 2, 0.1, 0.99, 0.6)], tmp_path)
    assert "beyond the axes" not in near


def test_labels_overlap_neither_labels_nor_points() -> None:
    crowd = [np.cumsum(np.full((9, 2), step), 0) for step in (0.5, 1.0, 30.0)]
    offsets = trade_off_plot.place_labels(crowd)
    assert [len(line) for line in offsets] == [9, 9, 9]
    assert None in offsets[0]
    assert None not in offsets[2]  # points apart
    corners = [
        dot + o
        for line, line_offsets in zip(crowd, offsets, strict=True)
        for dot, o in zip(line, line_offsets, strict=True)
        if o
    ]
    for number, corner in enumerate(corners):
        assert not any((abs(corner - other) < trade_off_plot.LABEL_SIZE).all() for other in corners[:number])
        assert not any(
            ((dot > corner) & (dot < corner + trade_off_plot.LABEL_SIZE)).all() for line in crowd for dot in line
        )


def test_one_point_is_drawn_and_no_points_are_an_error(tmp_path: Path) -> None:
    trade_off_plot.draw_plot(guidance_sweep.PIXEL_PLANE, [point(2, 1.5, 1, 1, 0)], IDENTITY, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.width > 1000
    with pytest.raises(ZooError, match="no points"):
        trade_off_plot.draw_plot(guidance_sweep.PIXEL_PLANE, [], IDENTITY, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_equal_points_give_identical_bytes(tmp_path: Path) -> None:
    points = [point(2, 1, 0.7, 0.9), point(4, 1, 0.6, 0.95)]
    for name in ("a.png", "b.png"):
        trade_off_plot.draw_plot(guidance_sweep.PIXEL_PLANE, points, IDENTITY, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

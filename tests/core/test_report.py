"""The report is self-contained, names missing files and shows the others; the tables of READMEs are generated."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from instructzoo.core.errors import ZooError
from instructzoo.core.report import main, results_table, update_readme, write_report
from instructzoo.core.score import Scores, compare, mean_with_ci
from instructzoo.core.score.results import Results
from instructzoo.core.score.tables import format_number

ROOT = Path(__file__).parents[2]
DRAWN = ("metrics.jsonl", "lengths.json")


def scores_of(share: float, scorer: str = "strict", n: int = 200) -> tuple[Scores, np.ndarray]:
    hits = (np.arange(n) < share * n).astype(float)
    figures = (
        mean_with_ci("exact match", hits),
        mean_with_ci("exact match", hits[:50], "add"),
        mean_with_ci("exact match", hits[-40:], "add 2D"),
    )
    return Scores(scorer, figures, ("exact match", "all"), ("A note of the scorer.",), {"invalid": 3}), hits


def scores_json() -> dict[str, Any]:
    model, hits = scores_of(0.95)
    copied, none = scores_of(0.0)
    return {
        "domain": "arithmetic",
        "recipe": "tiny",
        "run": "0123abcd",
        "part": "test",
        "scorer": "strict",
        "n": 200,
        "systems": {"model": model.as_dict(), "copy": copied.as_dict()},
        "lenient": scores_of(0.97, "lenient")[0].as_dict(),
        "paired": {"copy": compare(hits, none).as_dict()},
        "paper": [
            {
                "metric": "exact match",
                "group": "add 2D",
                "value": 0.994,
                "system": "Goat-7B",
                "source": "arXiv:2305.14201",
            },
            {
                "metric": "exact match",
                "group": "add 9D",
                "value": 0.123,
                "system": "Goat-7B",
                "source": "arXiv:2305.14201",
            },
        ],
        "command": "zoo eval arithmetic --model runs/x",
        "backbone": "scratch:llama-3x128",
        "data": "f00d",
    }


def make_run(folder: Path) -> Path:
    """A complete run folder, in small."""

    def put(name: str, value: Any) -> None:
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))

    steps = [
        {"step": s, "loss": 3 / s, "lr": 1e-3, "grad_norm": 1.0, "examples": s, "tokens": 9 * s, "seconds": s}
        for s in range(1, 900)
    ]
    put("metrics.jsonl", "".join(json.dumps(x) + "\n" for x in [*steps, {"step": 899, "validation_loss": 0.5}]))
    put(
        "recipe.yaml",
        "domain: arithmetic\nname: tiny\nmodel: {backbone: 'scratch:llama-3x128'}\n"
        "train: {lr: 0.002, steps: null}\nseed: 0\n",
    )
    put(
        "manifest.json",
        {
            "state": "finished",
            "command": "zoo reproduce arithmetic/tiny",
            "versions": {"torch": "2.13.0"},
            "warnings": ["step-8 was corrupt"],
        },
    )
    put("scores.json", scores_json())
    rows = [
        {
            "id": str(i),
            "instruction": f"{i} + {i}",
            "input": "",
            "output": str(2 * i),
            "prediction": str(2 * i + (i % 5 == 0)),
            "correct": i % 5 != 0,
        }
        for i in range(60)
    ]
    put("predictions.jsonl", "".join(json.dumps(x) + "\n" for x in rows))
    histogram = {"edges": [0.0, 5.0, 10.0], "counts": [3, 7]}
    put("lengths.json", {"total": histogram, "supervised": histogram, "padding_share": 0.125, "supervised_share": 0.4})
    put("card.json", {"fingerprint": "f00d", "dropped": {"duplicates": 12}})
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder without training curves and lengths: drawing takes most of the time."""
    make_run(tmp_path)
    for name in DRAWN:
        (tmp_path / name).unlink()
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The HTML of a complete run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    folder.mkdir()
    return write_report(make_run(folder)).path.read_text()


class Page(HTMLParser):
    """Open elements, texts, and everything that a browser would fetch."""

    VOID = ("meta", "br", "link", "img", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.charts: list[dict[str, str | None]] = []
        self.tables: list[list[str]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        fetching = {
            k: v for k, v in attributes.items() if k in ("src", "data", "srcset", "poster", "xlink:href", "href")
        }
        self.fetched += [v or "" for v in fetching.values() if tag != "a" and not (v or "").startswith("#")]
        if "id" in attributes:
            self.ids.append(attributes["id"] or "")
        if tag == "svg":
            self.charts.append(attributes)
        if tag == "table":
            self.tables.append([])
        if tag == "th" and self.tables:
            self.tables[-1].append(attributes.get("scope") or "")
        assert tag not in ("script", "link", "iframe", "img", "object")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(folder: Path) -> Page:
    return Page(write_report(folder).path.read_text())


def test_the_report_needs_nothing_from_outside_and_is_well_formed(whole: str) -> None:
    text = whole
    parsed = Page(text)
    assert parsed.open == [] and parsed.fetched == []
    assert "@import" not in text and not re.search(r"url\((?!#)", text)
    assert len(parsed.ids) == len(set(parsed.ids)), "charts of one page share ids"
    for used in re.findall(r'(?:url\(|href=")#([^)"]+)', text):
        assert used in parsed.ids, used
    assert len(text) < 1_000_000


def test_charts_and_tables_are_labelled_for_screen_readers(whole: str) -> None:
    parsed = Page(whole)
    assert len(parsed.charts) == 6  # groups, loss, learning rate, gradient norm, two histograms
    assert all(chart["role"] == "img" and len(chart["aria-label"] or "") > 30 for chart in parsed.charts)
    assert parsed.tables and all("col" in scopes and "row" in scopes for scopes in parsed.tables)


def test_metric_values_are_shown_with_n_interval_scorer_and_baselines(whole: str) -> None:
    text = Page(whole).text
    assert "this model strict 95.0 [91.0, 97.3] – 200" in text
    assert "this model lenient 97.0 [93.6, 98.6] – 200" in text
    assert re.search(r"copy the input strict 0\.0 \[0\.0, 1\.9\] 95\.0 \[9\d\.\d, 9\d\.\d\], p < 0\.001 200", text)
    assert "zoo eval arithmetic --model runs/x" in text
    assert re.search(r"add 2D 40 75\.0 \[59\.8, 85\.8\] 99\.4", text)
    assert "add 9D 12.3" in text  # published, not measured here
    assert "A note of the scorer." in text


def test_the_report_shows_examples_settings_versions_and_data(whole: str) -> None:
    text = Page(whole).text
    for part in (
        "step-8 was corrupt",
        "Wrong: 8 of 12",
        "Right: 8 of 48",
        "train.lr 0.002",
        "train.steps none",
        "2.13.0",
        "f00d",
    ):
        assert part in text, part
    assert "40.0% of the tokens are supervised, 12.5% of all batch positions are padding" in text
    assert "best validation loss 0.5, at step 899" in text
    assert "duplicates 12" in text


def test_warnings_of_an_earlier_version_are_shown(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["incidents"] = ["step-9 was damaged"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    text = page(run).text
    assert "2 warnings of this run step-9 was damaged step-8 was corrupt" in text


def test_the_paper_is_named_only_where_there_are_published_results(whole: str, run: Path) -> None:
    assert "By group, beside the paper" in Page(whole).text
    (run / "scores.json").write_text(json.dumps(scores_json() | {"paper": []}))
    text = page(run).text
    assert "By group" in text and "paper" not in text.partition("Results")[2].partition("Training")[0]
    assert "next to published values" not in text


def test_tables_of_the_scorer_are_shown_under_their_captions(run: Path) -> None:
    values = scores_json()
    values["systems"]["model"]["tables"] = [{"caption": "By label", "head": ["label", "n"], "rows": [["<b>bold", "7"]]}]
    (run / "scores.json").write_text(json.dumps(values))
    parsed = page(run)
    assert "By label" in parsed.text and "<b>bold" in parsed.text


def test_text_of_a_model_is_escaped(run: Path) -> None:
    evil = '<script>alert(1)</script><img src="http://x.invalid/a.png">'
    line = {"id": "1", "instruction": evil, "input": "", "output": evil, "prediction": evil, "correct": False}
    (run / "predictions.jsonl").write_text(json.dumps(line) + "\n")
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"warnings": [evil], "command": evil}))
    (run / "recipe.yaml").write_text(json.dumps({"domain": evil, "name": evil}))
    parsed = page(run)  # Page asserts that there is no such element
    assert parsed.fetched == [] and evil in parsed.text


def test_an_empty_run_folder_is_reported_and_not_crashed_on(tmp_path: Path) -> None:
    text = page(tmp_path).text
    assert text.count("not evaluated yet") >= 2
    for name in ("recipe.yaml", "manifest.json", "card.json", "lengths.json", "metrics.jsonl", "predictions.jsonl"):
        assert name in text, name


@pytest.mark.parametrize(
    "name",
    ["scores.json", "card.json", "lengths.json", "manifest.json", "recipe.yaml", "metrics.jsonl", "predictions.jsonl"],
)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"systems": {}}', b"\xff\xfe", b'{"total": 3, "counts": 7, "step": "x"}']
)
def test_one_damaged_file_does_not_take_the_report_down(run: Path, name: str, content: bytes) -> None:
    (run / name).write_bytes(content)
    report = write_report(run)
    assert set(report.damaged) <= {name}
    if not name.endswith("jsonl") and content in (b"", b"{", b"[]", b"null", b"\xff\xfe"):
        assert name in report.damaged
    parsed = page(run)
    assert parsed.open == []
    assert ("could not be read completely" in parsed.text) is bool(report.damaged)
    assert all(damaged in parsed.text and reason[:8] in parsed.text for damaged, reason in report.damaged.items())
    if name != "scores.json":
        assert "this model strict 95.0" in parsed.text


def test_a_finished_run_whose_metrics_are_gone_is_not_called_untrained(run: Path) -> None:
    assert not (run / "metrics.jsonl").exists()
    assert "metrics.jsonl is missing: the curves of this finished run cannot be shown" in page(run).text
    assert "nothing was trained here" not in page(run).text


def test_half_a_line_of_a_killed_run_is_counted_and_left_out(run: Path) -> None:
    (run / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "lo')
    assert "could not be read: 1 lines of metrics.jsonl" in page(run).text


def test_a_hundred_thousand_steps_and_a_huge_answer_stay_a_small_file(run: Path) -> None:
    lines = ('{"step": %d, "loss": 0.5, "lr": 0.001}\n' % step for step in range(1, 100_001))  # noqa: UP031
    (run / "metrics.jsonl").write_text("".join(lines))
    line = {"id": "1", "instruction": "q", "input": "", "output": "o", "prediction": "7" * 10**6, "correct": False}
    (run / "predictions.jsonl").write_text(json.dumps(line) + "\n")
    path = write_report(run).path
    assert path.stat().st_size < 1_000_000
    assert "(999,400 more characters)" in path.read_text()


def test_a_loss_that_is_not_positive_or_not_a_number_is_drawn_all_the_same(run: Path) -> None:
    (run / "metrics.jsonl").write_text('{"step": 1, "loss": 0.0}\n{"step": 2, "loss": NaN}\n{"step": 3, "loss": 1.5}\n')
    assert "training loss 0 at first, 1.5 at last" in page(run).text


def test_the_same_run_gives_the_same_bytes(whole: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"  # the folder's name is the run's id
    folder.mkdir()
    assert write_report(make_run(folder)).path.read_text() == whole


def test_a_report_of_no_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="no directory"):
        write_report(tmp_path / "absent")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (1, "100.0"),
        (0.9996, "99.96"),
        (0.0004, "0.04"),
        (0.98765, "98.8"),
        (0.999999, "100.000"),
        (-0.5, "-50.0"),
    ],
)
def test_a_share_near_zero_or_one_gets_more_decimals(value: float, text: str) -> None:
    assert format_number("exact match", value) == text


def test_a_metric_with_a_unit_is_no_percentage() -> None:
    assert format_number("time (s)", 0.25) == "0.25"


def test_a_readme_table_has_scorers_intervals_n_and_baselines() -> None:
    table = results_table(scores_json())
    assert "| this model | strict | 95.0 [91.0, 97.3] | – | 200 |" in table
    assert "| this model | lenient |" in table and "| copy the input | strict | 0.0 [0.0, 1.9] |" in table
    assert "| add 2D | 40 | 75.0 [59.8, 85.8] | 99.4 |" in table
    assert "add 9D" not in table  # nothing was measured there
    widths = {line.count("|") for line in table.split("\n\n")[1].splitlines()}
    assert len(widths) == 1


def test_published_values_of_other_groups_or_metrics_get_a_table_of_their_own() -> None:
    """Where the paper has none of the groups, or has them by another metric, its figures stand apart from ours."""
    values = scores_json()
    values["paper"] = [values["paper"][0] | {"metric": "macro F1"}, values["paper"][1]]
    table = results_table(values)
    assert "Beside the published" not in table and "By group, strict scorer:" in table
    assert "| add 2D | 40 | 75.0 [59.8, 85.8] |\n" in table
    assert "not measured here (arXiv:2305.14201)</summary>" in table
    assert "| group | Goat-7B, macro F1, % | Goat-7B, exact match, % |" in table
    assert "| add 2D | 99.4 | – |" in table and "| add 9D | – | 12.3 |" in table


@pytest.mark.parametrize(
    "broken", [{}, {"systems": {}}, {"systems": {"model": {"figures": []}}}, {"domain": "x", "systems": 3}]
)
def test_malformed_scores_are_one_clear_error(broken: dict[str, Any]) -> None:
    with pytest.raises(ZooError):
        Results.from_dict(broken)


def test_update_readme_replaces_only_what_stands_between_its_markers(tmp_path: Path) -> None:
    scores, readme = tmp_path / "scores.json", tmp_path / "README.md"
    scores.write_text(json.dumps(scores_json()))
    readme.write_text("# Head\n<!-- results:arithmetic/tiny -->\nold 99.9\n<!-- /results -->\ntail\n")
    assert update_readme(readme, {"arithmetic/tiny": scores})
    text = readme.read_text()
    assert text.startswith("# Head\n<!-- results:arithmetic/tiny -->\n") and text.endswith(
        "\n<!-- /results -->\ntail\n"
    )
    assert results_table(scores_json()) in text and "old 99.9" not in text
    assert not update_readme(readme, {"arithmetic/tiny": scores})  # a second time changes nothing
    assert readme.read_text() == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no marker", "no place for results:arithmetic/tiny"),
        ("<!-- results:arithmetic/tiny -->\n", "README.md:1: the marker results:arithmetic/tiny is not closed"),
        (
            "\n<!-- results:a -->\n<!-- results:arithmetic/tiny --><!-- /results -->",
            "README.md:2: the marker results:a is not closed",
        ),
        ("<!-- results:arithmetic/tinny --><!-- /results -->", 'did you mean "arithmetic/tiny"'),
    ],
)
def test_a_missing_or_unclosed_marker_is_an_error_and_changes_nothing(tmp_path: Path, text: str, message: str) -> None:
    scores, readme = tmp_path / "scores.json", tmp_path / "README.md"
    scores.write_text(json.dumps(scores_json()))
    readme.write_text(text)
    with pytest.raises(ZooError, match=re.escape(message)):
        update_readme(readme, {"arithmetic/tiny": scores})
    assert readme.read_text() == text


def test_the_command_answers_bad_input_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["README.md"], ["README.md", "arithmetic/tiny"], [str(tmp_path / "none.md"), "a=b.json"]):
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_report_does_not_import_torch() -> None:
    code = "import sys, instructzoo.core.report; print({'torch', 'matplotlib', 'jinja2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_wheel_contains_the_report_template(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT / "shared")).build(directory=str(tmp_path), versions=["standard"])
    assert "instructzoo/core/report/report.html.j2" in zipfile.ZipFile(wheel).namelist()

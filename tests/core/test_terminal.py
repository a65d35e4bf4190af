"""What the commands print for people: tables that fit the terminal, and progress."""

from __future__ import annotations

import sys

import pytest

from instructzoo.core import api
from instructzoo.core.terminal import console, printers
from instructzoo.core.terminal.progress import Progress

HEAD = ("group", "n", "exact match", "precision", "recall", "out-of-schema labels")
ROWS = [
    ("all", "2000", "90.6 (89.4-91.9)", "90.9 (89.3-92.3)", "90.4 (89.0-91.9)", "0.0 (0.0-0.2)"),
    ("entities", "557", "92.8 (91.1-94.3)", "93.3 (91.2-95.3)", "92.3 (90.5-94.0)", ""),
]


@pytest.mark.parametrize("width", [30, 80, 200])
def test_a_wide_table_is_continued_below_and_no_cell_is_broken(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    console.put_wide(HEAD, ROWS)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= width
    for cell in (cell for row in ROWS for cell in row):
        assert cell in printed
    first, *others = printed.split("\n\n")
    assert "entities" in first
    assert bool(others) == (width < 100)
    if others:  # no group is listed where it has no value
        assert "entities" not in others[-1]


def test_the_list_of_backbones_names_each_in_full_and_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    listed = api.backbones()
    printers.backbones(listed)
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert all(backbone["name"] in printed for backbone in listed["backbones"])
    assert "Pinned" not in printed


def test_progress_without_a_terminal_is_a_line_a_minute_with_the_rows_and_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    assert not sys.stderr.isatty()
    with Progress("model", 544) as progress:
        for second in range(1, 150):
            now = float(second)
            progress.update(second)
    assert capsys.readouterr().err.splitlines() == [
        "model: 0 of 544 rows",
        "model: 61 of 544 rows, 8:03 left",
        "model: 122 of 544 rows, 7:02 left",
        "model: 544 of 544 rows in 2:29",
    ]


def test_quiet_progress_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("model", 10, quiet=True) as progress:
        progress.update(5)
    assert capsys.readouterr().err == ""

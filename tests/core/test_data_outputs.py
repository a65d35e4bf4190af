"""Commands check their output path before they begin, and a wrong path is an error of one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core import ZooError, api


def test_export_refuses_a_file_a_full_folder_or_an_unwritable_path(tmp_path: Path) -> None:
    file = tmp_path / "afile"
    file.write_text("x")
    with pytest.raises(ZooError, match="afile exists; expected an empty or absent directory; choose another -o"):
        api.export("arithmetic", str(file))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    with pytest.raises(ZooError, match="full exists"):
        api.export("arithmetic", str(tmp_path / "full"))
    with pytest.raises(ZooError, match="cannot write"):
        api.export("arithmetic", str(tmp_path / ("long" * 100)))
    assert file.read_text() == "x"


def test_explain_refuses_a_folder_as_its_html_file(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="found a folder; expected a file to write; choose another --html"):
        api.explain("arithmetic/tiny", html=str(tmp_path))

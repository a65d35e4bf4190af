"""Where a verb shall write is looked at before its work begins, and a wrong place is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructzoo.core import ZooError, verbs


def test_export_onto_a_file_ends_in_a_traceback(tmp_path: Path) -> None:
    file = tmp_path / "afile"
    file.write_text("x")
    with pytest.raises(ZooError, match="afile exists; expected an empty or absent directory; choose another -o"):
        verbs.export("arithmetic", str(file))
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "thesis.txt").write_text("years of work")
    with pytest.raises(ZooError, match="held exists"):
        verbs.export("arithmetic", str(tmp_path / "held"))
    with pytest.raises(ZooError, match="cannot write"):
        verbs.export("arithmetic", str(tmp_path / ("long" * 100)))
    assert file.read_text() == "x"


def test_explain_into_a_folder_ends_in_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZooError, match="found a folder; expected a file to write; choose another --html"):
        verbs.explain("arithmetic/tiny", html=str(tmp_path))

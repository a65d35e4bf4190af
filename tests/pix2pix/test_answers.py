"""Typed answers of pix2pix: a picture and an instruction in, the edited picture out, in Python and in a table."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from instructzoo.core import api, infer
from instructzoo.core import domain as domains
from instructzoo.core.answers.model import typed_model
from instructzoo.core.testing import Scripted
from instructzoo.pix2pix import images


class Darkening(Scripted):
    """Every answer is the picture with half its brightness."""

    def __init__(self) -> None:
        super().__init__(domains.get("pix2pix"))

    def answer(self, rows: list[Any]) -> list[str]:
        return [images.to_uri(images.read(row["image"]) // 2) for row in rows]


@pytest.fixture
def model() -> Any:
    return typed_model(domains.get("pix2pix"))(Darkening())


def grey(width: int = 40, height: int = 32) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 200, 200))


def test_paths_pictures_and_rows_are_edited_alike(model: Any, tmp_path: Path) -> None:
    grey().save(tmp_path / "a.png")
    inputs = [
        (str(tmp_path / "a.png"), "make it dark"),
        (tmp_path / "a.png", "make it dark"),
        (grey(), " make  it dark "),
        {"image": str(tmp_path / "a.png"), "instruction": "make it dark"},
    ]
    for edit in model(inputs):
        assert (edit.instruction, edit.error, edit.note) == ("make it dark", "", "")
        assert edit.edited.size == edit.picture.size == (40, 32)
        assert np.asarray(edit.edited).max() == 100
        assert images.read(edit.to_row()["edited"]).shape == (32, 40, 3)


def test_what_was_done_to_the_picture_is_said(model: Any) -> None:
    (edit,) = model([(grey(2000, 1500), "make it dark")])
    assert "Made smaller" in edit.note and edit.edited.size == (1024, 768)


def test_inputs_that_cannot_be_edited_have_an_error_and_leave_the_others_intact(model: Any, tmp_path: Path) -> None:
    (tmp_path / "b.png").write_text("no picture")
    inputs = [(tmp_path / "b.png", "make it dark"), (grey(), ""), "a.png", (grey(4, 4), "dark"), (grey(), "dark")]
    edits = model(inputs)
    assert [bool(edit.error) for edit in edits] == [True, True, True, True, False]
    assert "found str; expected a picture and an instruction" in edits[2].error
    assert all(edit.edited is None for edit in edits[:4])


def test_zoo_predict_writes_a_table_of_edits_with_paths_beside_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from instructzoo.core.commands import predict

    monkeypatch.setattr(infer, "open_chosen", lambda domain, chosen: Darkening())
    monkeypatch.setattr(predict, "identity", lambda predictor: "darkening")
    (tmp_path / "rows").mkdir()
    grey().save(tmp_path / "rows" / "a.png")
    rows = [{"id": n, "instruction": "make it dark", "image": name} for n, name in enumerate(("a.png", "b.png"))]
    source = tmp_path / "rows" / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = api.predict("pix2pix", str(source), str(tmp_path / "out.csv"), "tiny", quiet=True)
    assert (outcome["rows"], outcome["failed"]) == (2, 1)
    with (tmp_path / "out.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert images.read(first["edited"]).max() == 100
    assert (second["id"], second["edited"]) == ("1", "") and "cannot be read" in second["error"]

"""The commands on a small run: what works for texts works for pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from editing import rows

from instructzoo.core import ZooError, api
from instructzoo.pix2pix import images

OVERRIDES = [
    "data.sizes={train: 60, validation: 8, test: 10}",
    "model.options={resolution: 32, fit_steps: 30}",
    "model.backbone=scratch:unet-1x32",
    "train.steps=4",
    "train.batch=8",
    "decode.options={steps: 2}",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished run of four updates, scored and reported."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTZOO_RUNS", str(tmp_path_factory.mktemp("runs")))
        return api.reproduce("pix2pix/tiny", OVERRIDES, quiet=True)


def test_an_evaluation_scores_predicts_and_reports_pictures(run: dict[str, Any]) -> None:
    scores = run["scores"]
    assert set(scores["systems"]) == {"model", "untuned", "copy", "constant", "nearest"}
    assert scores["n"] == 10
    folder = Path(run["run"])
    answered = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert all(images.read(line["prediction"]).shape == (32, 32, 3) for line in answered)
    page = (folder / "report.html").read_text()
    assert all(f'<img src="{line["edited"]}"' in page for line in answered[:1])


def test_a_file_of_rows_is_answered_with_pictures_and_only_once(run: dict[str, Any], tmp_path: Path) -> None:
    test_rows = rows(3, split="test")
    picture = tmp_path / "before.png"
    picture.write_bytes(images.encode(images.read(test_rows[0]["image"])))
    test_rows[0]["image"] = str(picture)
    source, output = tmp_path / "requests.jsonl", tmp_path / "answered.jsonl"
    source.write_text("".join(json.dumps({k: row[k] for k in ("instruction", "image")}) + "\n" for row in test_rows))
    result = api.predict("pix2pix", str(source), str(output), run["run"], quiet=True)
    assert result["answered"] == 3
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert all(images.read(line["prediction"]).shape == (32, 32, 3) for line in lines)
    assert api.predict("pix2pix", str(source), str(output), run["run"], quiet=True)["answered"] == 0


def test_a_row_without_a_picture_is_an_error_with_its_line(run: dict[str, Any], tmp_path: Path) -> None:
    source = tmp_path / "requests.jsonl"
    source.write_text('{"instruction": "make it blue"}\n')
    with pytest.raises(ZooError, match=r'requests\.jsonl:1: no "image"'):
        api.predict("pix2pix", str(source), str(tmp_path / "out.jsonl"), run["run"], quiet=True)


def test_an_exported_model_is_a_diffusers_pipeline(run: dict[str, Any], tmp_path: Path) -> None:
    from diffusers import StableDiffusionInstructPix2PixPipeline

    result = api.export("pix2pix", str(tmp_path / "out"), run["run"], half=True)
    assert result["checked"] == 10
    assert "library_name: diffusers" in (tmp_path / "out" / "README.md").read_text()
    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(str(tmp_path / "out"), safety_checker=None)
    assert pipeline.unet.config.in_channels == 2 * pipeline.vae.config.latent_channels
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix in (".bin", ".ckpt", ".pt")]


def test_a_plan_counts_the_latents_of_a_picture_row() -> None:
    result = api.plan("pix2pix/tiny", OVERRIDES)
    assert result["tokens_per_row"] == 16
    assert result["steps"] == 4


def test_explain_shows_the_tokens_of_the_instruction() -> None:
    result = api.explain("pix2pix/tiny", OVERRIDES, row=1)
    assert any(token["text"].strip() in {"the", "a", "make", "background", "and"} for token in result["tokens"])


def test_a_table_of_pictures_scores_perfectly_against_itself(tmp_path: Path) -> None:
    lines = ["instruction,image,edited"]
    for number, row in enumerate(rows(3, split="test")):
        for side in ("image", "edited"):
            (tmp_path / f"{number}-{side}.png").write_bytes(images.encode(images.read(row[side])))
        lines.append(f"{row['instruction']},{number}-image.png,{number}-edited.png")
    table = tmp_path / "table.csv"
    table.write_text("\n".join(lines) + "\n")
    result = api.score("pix2pix", str(table), str(table))
    assert result["counts"]["right"] == result["n"] == 3


def test_a_text_domain_refuses_objective_settings() -> None:
    with pytest.raises(ZooError, match="objective"):
        api.train("arithmetic/tiny", ["objective={drop_text: 0.1}"], run_id="refused", quiet=True)

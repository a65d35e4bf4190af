"""The paper's published editor, by a pipeline of the same layout with random weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from editing import rows, stable_diffusion_folder

from instructzoo.core import domain as domains
from instructzoo.core import infer
from instructzoo.pix2pix import images


def test_a_pipeline_of_the_published_layout_edits_with_the_settings_of_its_model_card(tmp_path: Path) -> None:
    folder = stable_diffusion_folder(tmp_path / "editor", inputs=8)
    predictor = infer.open_model(domains.get("pix2pix"), f"instruct-pix2pix={folder}")
    assert predictor.model is not None and predictor.model.name == "instruct-pix2pix"
    sampling = predictor.sampling
    assert (sampling.steps, sampling.guidance, sampling.image_guidance) == (10, 7.5, 1.0)
    assert (sampling.guided, sampling.scheduler) == (True, "euler-ancestral")
    assert predictor.resolution == 512
    options = predictor.recipe.model.options | {"resolution": 16}
    small = predictor.recipe.model.model_copy(update={"options": options, "max_tokens": 24})
    predictor = replace(predictor, recipe=predictor.recipe.model_copy(update={"model": small}))
    (row,) = rows(1)
    (picture,) = predictor.answer([row])
    assert images.read(picture).shape == images.read(row["image"]).shape
    assert predictor.answer([row]) == [picture]
    assert predictor.sampled(seed=1).answer([row]) != [picture]

"""The loss of an editor: dropped conditions, weights, and independence of batches and restarts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from editing import editing_setup, editing_task, recipe, stable_diffusion_folder

from instructzoo.core import ZooError
from instructzoo.pix2pix import images, objective
from instructzoo.pix2pix.data import latent_cache
from instructzoo.pix2pix.networks import random_draws
from instructzoo.pix2pix.networks.random_draws import draw_random, min_snr_weights
from instructzoo.pix2pix.objective import EditingObjective, Settings


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stable_diffusion_folder(tmp_path_factory.mktemp("stable"))


class RecordingUNet(torch.nn.Module):
    """A UNet that records its inputs and predicts zeros."""

    def __init__(self, config: object) -> None:
        super().__init__()
        self.config, self.dtype, self.calls = config, torch.float32, []

    def forward(self, x: torch.Tensor, time: torch.Tensor, words: torch.Tensor) -> object:
        from types import SimpleNamespace

        self.calls.append((x, time, words))
        return SimpleNamespace(sample=torch.zeros_like(x[:, : x.shape[1] // 2]))


def watched_setup(
    **settings: float,
) -> tuple[EditingObjective, torch.nn.Module, RecordingUNet, list[latent_cache.TrainingExample]]:
    """An objective, and an editor whose UNet is watched."""
    _, tuned, edit_objective, encoded = editing_setup(recipe(objective=settings))
    unet = RecordingUNet(tuned.unet.config)
    tuned.unet = unet
    return edit_objective, tuned.train(), unet, encoded


def test_losses_of_micro_batches_sum_to_the_loss_of_one_batch() -> None:
    _, tuned, edit_objective, encoded = editing_setup(recipe())
    tuned.train()
    torch.manual_seed(5)
    total, count = edit_objective.loss(tuned, edit_objective.collate(encoded[:8]))
    parts = [edit_objective.loss(tuned, edit_objective.collate(encoded[i : i + 2])) for i in range(0, 8, 2)]
    assert sum(int(n) for _, n in parts) == int(count) == 8 * 12 * 16
    torch.testing.assert_close(sum(loss for loss, _ in parts), total, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("backbone", ["scratch", "stable"])
def test_losses_and_gradients_under_autocast_are_those_in_float32(backbone: str, base: Path) -> None:
    _, tuned, edit_objective, encoded = editing_setup(recipe() if backbone == "scratch" else recipe(str(base)))
    tuned.train()
    losses, gradients = [], []
    for enabled in (False, True):
        tuned.zero_grad()
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss, count = edit_objective.loss(tuned, edit_objective.collate(encoded[:8]))
        (loss / count).backward()
        losses.append(float(loss.detach()))
        gradients.append(torch.cat([p.grad.flatten() for p in tuned.parameters() if p.grad is not None]))
        assert loss.dtype == gradients[-1].dtype == torch.float32
    assert losses[1] == pytest.approx(losses[0], rel=2e-2)
    assert float(torch.cosine_similarity(*gradients, dim=0)) > 0.99


def test_noise_is_reproducible_by_seed_and_row_and_differs_between_seeds() -> None:
    rows = torch.arange(4)
    first, again, other = (draw_random(rows, (3, 2, 2), seed) for seed in (1, 1, 2))
    assert torch.equal(first.noise, again.noise)
    assert not torch.equal(first.noise, other.noise)
    assert len({float(value) for value in first.time}) == 4
    assert torch.equal(draw_random(torch.tensor([2]), (3, 2, 2), 1).noise[0], first.noise[2])


def test_the_validation_loss_does_not_depend_on_the_random_state() -> None:
    _, tuned, edit_objective, encoded = editing_setup(
        recipe(objective={"drop_both": 0.9, "drop_text": 0, "drop_image": 0})
    )
    tuned.eval()
    losses = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        losses.append(float(edit_objective.loss(tuned, edit_objective.collate(encoded[:4]))[0]))
    assert losses[0] == losses[1]


def test_only_training_rows_are_flipped_and_sample_among_variants(tmp_path: Path) -> None:
    task = editing_task(recipe(objective={"flip": 0.5}))
    first, second = task.built.rows["train"][:2]
    plain = {"instruction": "make it so", "input": "", "output": ""}
    row = first | plain | {"variants": f'[["{second["image"]}", "{second["edited"]}"]]'}
    (training_example,), (validation_example,) = task.encode([row]), task.encode([row], training=False)
    assert len({training_example.load_pair(seed)[0].numpy().tobytes() for seed in range(30)}) == 4
    assert len({validation_example.load_pair(seed)[0].numpy().tobytes() for seed in range(30)}) == 1


def test_the_loss_does_not_depend_on_the_process_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    _, tuned, edit_objective, encoded = editing_setup(recipe())
    losses = []
    for rank in (0, 1):
        monkeypatch.setattr(random_draws.distributed, "rank_and_world_size", lambda rank=rank: (rank, 2))
        torch.manual_seed(1_000_003 + (rank << 40))  # as the loop seeds an update
        losses.append(float(edit_objective.loss(tuned.train(), edit_objective.collate(encoded[:4]))[0]))
    assert losses[0] == losses[1]


def test_conditions_are_dropped_in_their_configured_fractions() -> None:
    """One draw decides: 5% see no instruction, 5% no picture, 5% neither, and never more."""
    edit_objective = EditingObjective(Settings(), torch.zeros(2, dtype=torch.long), True)
    drawn = draw_random(torch.arange(20_000), (1, 1, 1), 7).dropout
    no_text, no_image = edit_objective._drop_conditions(drawn, True)
    fractions = [float(x.float().mean()) for x in (no_text & ~no_image, no_image & ~no_text, no_text & no_image)]
    assert fractions == pytest.approx([0.05, 0.05, 0.05], abs=0.006)


def test_dropped_conditions_are_zero_latents_and_the_empty_text() -> None:
    edit_objective, tuned, unet, encoded = watched_setup(drop_both=1.0, drop_text=0.0, drop_image=0.0)
    edit_objective.loss(tuned, edit_objective.collate(encoded[:3]))
    x, _, words = unet.calls[0]
    assert not x[:, 12:].any()
    nothing = tuned.encode_text(edit_objective.empty[None])
    torch.testing.assert_close(words, nothing.expand_as(words))


def test_condition_latents_are_unscaled_and_target_latents_scaled() -> None:
    edit_objective, tuned, unet, encoded = watched_setup(drop_both=0.0, drop_text=0.0, drop_image=0.0)
    torch.manual_seed(2)
    batch = edit_objective.collate(encoded[:3])
    loss, _ = edit_objective.loss(tuned, batch)
    x, time, words = unet.calls[0]
    before, after = batch["before.0"].chunk(2, 1)[0], batch["after.0"]
    torch.testing.assert_close(x[:, 12:], before)
    drawn = draw_random(batch["rows.0"], (12, 4, 4), 2)
    mean, std = after.chunk(2, 1)
    target = (mean + std * drawn.latent_noise) * tuned.vae.config.scaling_factor
    kept = tuned.schedule.alphas_cumprod[time][:, None, None, None]
    torch.testing.assert_close(x[:, :12], kept.sqrt() * target + (1 - kept).sqrt() * drawn.noise)
    velocity = kept.sqrt() * drawn.noise - (1 - kept).sqrt() * target  # what a zero answer misses
    torch.testing.assert_close(loss, velocity.square().sum())
    torch.testing.assert_close(words, tuned.encode_text(batch["ids.0"]))


def test_min_snr_weights_follow_their_formula() -> None:
    _, tuned, edit_objective, encoded = editing_setup(recipe(objective={"min_snr": 5.0}))
    time = torch.tensor([0, 300, 999])
    kept = tuned.schedule.alphas_cumprod[time]
    snr = kept / (1 - kept)
    torch.testing.assert_close(
        min_snr_weights(tuned.schedule, time, "epsilon", 5.0), torch.minimum(snr, torch.tensor(5.0)) / snr
    )
    expected = torch.minimum(snr, torch.tensor(5.0)) / (snr + 1)
    torch.testing.assert_close(min_snr_weights(tuned.schedule, time, "v_prediction", 5.0), expected)
    plain = EditingObjective(Settings(), edit_objective.empty, False)
    batch = edit_objective.collate(encoded[:4])
    assert float(edit_objective.loss(tuned.eval(), batch)[0]) < float(plain.loss(tuned, batch)[0])


def test_the_prediction_type_is_that_of_the_backbone_unless_configured(base: Path) -> None:
    task = editing_task(recipe(str(base)))
    edit_objective = task.objective(task.trainable_model())
    assert task.loaded.model.schedule.config.prediction_type == "epsilon"
    assert edit_objective.frozen_text
    task = editing_task(recipe(str(base), objective={"prediction": "v_prediction"}))
    task.objective(task.trainable_model())
    assert task.loaded.model.schedule.config.prediction_type == "v_prediction"


def test_noise_offset_shifts_whole_channels() -> None:
    edit_objective, tuned, unet, encoded = watched_setup(noise_offset=3.0)
    plain, other, unmoved, _ = watched_setup()
    torch.manual_seed(2)
    for current, editor in ((edit_objective, tuned), (plain, other)):
        current.loss(editor, current.collate(encoded[:2]))
    moved = unet.calls[0][0][:, :12] - unmoved.calls[0][0][:, :12]
    torch.testing.assert_close(moved, moved.mean((2, 3), keepdim=True).expand_as(moved), rtol=1e-4, atol=1e-5)
    assert float(moved.abs().max()) > 0.1


def test_cached_latents_give_the_same_loss(base: Path) -> None:
    losses = []
    for cache in (True, False):
        _, tuned, edit_objective, encoded = editing_setup(recipe(str(base), objective={"cache": cache}))
        losses.append(float(edit_objective.loss(tuned.eval(), edit_objective.collate(encoded[:4]))[0]))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_frozen_text_encoder_encodes_each_instruction_once(base: Path) -> None:
    _, tuned, edit_objective, encoded = editing_setup(recipe(str(base)))
    read = []
    words = tuned.encode_text
    tuned.encode_text = lambda ids: read.append(len(ids)) or words(ids)  # type: ignore[assignment,func-returns-value]
    for _ in range(3):
        edit_objective.loss(tuned.eval(), edit_objective.collate(encoded[:8]))
    assert len(read) == 1


def test_a_batch_of_two_picture_sizes_has_the_loss_of_its_rows(tmp_path: Path) -> None:
    settings = recipe(model={"options": {"resolution": 32, "fit_steps": 5}})
    task = editing_task(settings)
    rows = [dict(row) for row in task.built.rows["train"][:4]]
    for number, row in enumerate(rows[:2]):
        tall = np.kron(images.read(row["image"]), np.ones((2, 1, 1), np.uint8))
        other = np.kron(images.read(row["edited"]), np.ones((2, 1, 1), np.uint8))
        row |= {"image": images.to_uri(tall), "edited": images.to_uri(other), "id": f"tall {number}"}
    tuned = task.trainable_model()
    edit_objective, encoded = task.objective(tuned), task.encode(rows)
    assert encoded[0].load_pair(0)[0].shape[1] > encoded[0].load_pair(0)[0].shape[2]
    together, count = edit_objective.loss(tuned.eval(), edit_objective.collate(encoded))
    apart = [edit_objective.loss(tuned, edit_objective.collate([row])) for row in encoded]
    torch.testing.assert_close(together, sum(loss for loss, _ in apart), rtol=1e-5, atol=1e-3)
    assert int(count) == sum(int(n) for _, n in apart)


def test_training_samples_among_all_variants_of_a_prompt() -> None:
    task = editing_task(recipe())
    first, second = task.built.rows["train"][:2]
    row = first | {"variants": f'[["{second["image"]}", "{second["edited"]}"]]'}
    (encoded,) = task.encode([row])
    pictures = {encoded.load_pair(seed)[0].numpy().tobytes() for seed in range(30)}
    assert len(pictures) == 2


def test_pairs_whose_text_mentions_left_are_not_flipped() -> None:
    task = editing_task(recipe(objective={"flip": 1.0}))
    rows = [row for row in task.built.rows["train"] if "left" in row["instruction"] + row["input"] + row["output"]]
    plain = editing_task(recipe()).encode(rows[:3])
    mirrored = task.encode(rows[:3])
    for a, b in zip(plain, mirrored, strict=True):
        assert torch.equal(a.load_pair(1)[1], b.load_pair(1)[1])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"drop_both": 0.95}, "sum to 1.05"), ({"zoom": 1.2}, "cache: false"), ({"drop_txt": 0.1}, "drop_text")],
)
def test_an_invalid_objective_setting_is_an_error(settings: dict[str, float], expected: str) -> None:
    with pytest.raises(ZooError, match=expected):
        objective.settings(recipe(objective=settings))


@pytest.mark.parametrize(
    "group", [{"train": {"packing": True}}, {"model": {"quantisation": "nf4"}, "method": {"name": "lora"}}]
)
def test_a_setting_that_editors_do_not_support_is_an_error(group: dict[str, object]) -> None:
    from instructzoo.core import domain as domains

    with pytest.raises(ZooError, match="leave it out"):
        objective.build_task(domains.get("pix2pix"), recipe(**group), None)

"""The training objective: tell the noise, or the velocity, of an edited picture's latents (arXiv:2211.09800, 3.2).

    loss = sum over latents of weight(t) * (UNet(noised target, picture before, instruction, t) - aim) ** 2

Every row draws its noise, its time step and its dropped conditions from a generator of its own, seeded by the update
and the row's number: a loss is the same for any micro-batch, a resumed run draws what the killed one would have drawn,
and validations always draw the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from instructzoo.core import recipe as recipes
from instructzoo.core.data import Built
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import ModelBundle, to_device
from instructzoo.core.recipe import Recipe, validate_part
from instructzoo.core.record import Row
from instructzoo.core.text import Lengths
from instructzoo.core.tune import distributed
from instructzoo.pix2pix import model, sampling
from instructzoo.pix2pix.data import latent_cache
from instructzoo.pix2pix.data.latent_cache import TrainingExample, moments
from instructzoo.pix2pix.networks.editor import Editor, tokens
from instructzoo.pix2pix.sampling import row_seed

Share = Annotated[float, Field(ge=0, le=1)]

KEPT = 4_096
"""Instructions whose words of a frozen encoder are kept, 236 KB each at 77 tokens of 768 channels."""

VALIDATION = 0x5EED
"""Seed of the draws of every validation."""


class Settings(recipes.Settings):
    """How the loss is made. The defaults are the paper's."""

    prediction: Literal["backbone", "v_prediction", "epsilon"] = Field(
        "backbone", description="what the UNet tells; backbone: what its scheduler says it was trained for"
    )
    drop_text: Share = Field(0.05, description="share of rows that see the picture and no instruction")
    drop_image: Share = Field(0.05, description="share of rows that see the instruction and no picture")
    drop_both: Share = Field(0.05, description="share of rows that see neither")
    min_snr: float | None = Field(
        None, gt=0, description="gamma of min-SNR weighting (arXiv:2303.09556), 5 there; none: no weighting"
    )
    noise_offset: float = Field(0.0, ge=0, description="standard deviation of a shift of a channel's whole noise")
    early: float = Field(
        1.0, gt=0, description="power of the draw of time steps: 1 is uniform, above 1 draws noisy ones more often"
    )
    flip: Share = Field(0.0, description="share of pairs that are mirrored; never where the texts speak of sides")
    zoom: float = Field(1.0, ge=1, description="pictures are enlarged by up to this and cropped, both alike, at random")
    cache: bool = Field(True, description="encode every picture once, before the training; not with zoom above 1")

    @model_validator(mode="after")
    def _shares_fit(self) -> Settings:
        if (total := self.drop_text + self.drop_image + self.drop_both) > 1:
            raise ValueError(f"drop_text, drop_image and drop_both sum to {total}; expected at most 1")
        if self.cache and self.zoom > 1:
            raise ValueError("zoom above 1 with cache: a cached picture has one crop; expected cache: false")
        return self


def settings(recipe: Recipe) -> Settings:
    return validate_part(Settings, recipe.objective, "objective")


@dataclass(frozen=True)
class Draws:
    """What rows draw: dropped and time, uniform [b]; sampled and noise, normal like the latents; shift [b, c, 1, 1]."""

    dropped: Tensor
    time: Tensor
    sampled: Tensor
    noise: Tensor
    shift: Tensor


class Editing:
    """The objective over rows that latents.py has prepared. empty: the ids of no instruction [t]."""

    def __init__(self, own: Settings, empty: Tensor, frozen_text: bool) -> None:
        self.own, self.empty, self.frozen_text = own, empty, frozen_text
        self._said: dict[bytes, Tensor] = {}

    def collate(self, rows: Sequence[TrainingExample]) -> dict[str, Tensor]:
        """Tensors of every size of picture among the rows, named apart by a number: `ids.0` [b, t], `before.0`, ..."""
        seed = update_seed()
        sizes: dict[tuple[int, ...], list[tuple[TrainingExample, Tensor, Tensor]]] = {}
        for row in rows:
            before, after = row.pair(row_seed(seed, row.number))
            sizes.setdefault(tuple(after.shape), []).append((row, before, after))
        batch: dict[str, Tensor] = {}
        for number, group in enumerate(sizes.values()):
            batch[f"rows.{number}"] = torch.tensor([row.number for row, _, _ in group])
            batch[f"ids.{number}"] = torch.stack([row.ids for row, _, _ in group])
            batch[f"before.{number}"] = torch.stack([before for _, before, _ in group])
            batch[f"after.{number}"] = torch.stack([after for _, _, after in group])
        return batch

    def loss(self, editor: Editor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The summed loss and the number of latents that it sums over."""
        found = [self._loss(editor, batch, n) for n in range(len(batch) // 4)]
        return torch.stack([loss for loss, _ in found]).sum(), torch.stack([count for _, count in found]).sum()

    def _loss(self, model: Editor, batch: dict[str, Tensor], number: int) -> tuple[Tensor, Tensor]:
        rows, ids = batch[f"rows.{number}"], batch[f"ids.{number}"]
        before, mean, std = encoded(model, batch[f"before.{number}"], batch[f"after.{number}"])  # [b, c, h, w] each
        drawn = draw(rows, mean.shape[1:], update_seed() if model.training else VALIDATION)
        drawn = Draws(*(value.to(mean.device) for value in vars(drawn).values()))
        target = (mean + std * drawn.sampled) * model.scale
        noise = drawn.noise + self.own.noise_offset * drawn.shift
        steps = model.schedule.config.num_train_timesteps
        time = (steps * (1 - drawn.time**self.own.early)).long().clamp(0, steps - 1)  # [b]

        no_text, no_image = self._dropped(drawn.dropped, model.training)
        words = self._words(model, torch.where(no_text[:, None], self.empty.to(ids.device), ids))
        shown = torch.where(no_image[:, None, None, None], torch.zeros_like(before), before)
        noised = model.schedule.add_noise(target, noise, time)
        said = model.unet(torch.cat([noised, shown], 1).to(model.unet.dtype), time, words).sample.float()

        kind = model.schedule.config.prediction_type
        aim = noise if kind == "epsilon" else model.schedule.get_velocity(target, noise, time)
        errors = (said - aim).square().sum((1, 2, 3))  # [b]
        if self.own.min_snr is not None:
            errors = errors * min_snr(model.schedule, time, kind, self.own.min_snr)
        return errors.sum(), torch.tensor(aim.numel(), device=errors.device)

    def _dropped(self, drawn: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Which rows see no instruction and which no picture, by one draw, as the paper's code does."""
        own = self.own
        if not training:
            return drawn < 0, drawn < 0
        no_text = drawn < own.drop_text + own.drop_both
        no_image = (drawn >= own.drop_text) & (drawn < own.drop_text + own.drop_both + own.drop_image)
        return no_text, no_image

    def _words(self, model: Editor, ids: Tensor) -> Tensor:
        """What the text encoder says of every row; each different instruction is read once, a frozen encoder's kept."""
        unique, places = torch.unique(ids, dim=0, return_inverse=True)
        if not self.frozen_text:
            return model.words(unique)[places]
        keys = [bytes(row.cpu().numpy().tobytes()) for row in unique]
        if len(self._said) > KEPT:
            self._said.clear()
        missing = [n for n, key in enumerate(keys) if key not in self._said]
        if missing:
            with torch.no_grad():
                for n, said in zip(missing, model.words(unique[missing]), strict=True):
                    self._said[keys[n]] = said
        return torch.stack([self._said[key] for key in keys])[places]


def choose(recipe: Recipe, editor: Editor, empty: Tensor) -> Editing:
    """The objective of a recipe; the model's scheduler is told what the UNet is to predict."""
    model.aim(editor, recipe)
    frozen = not any(p.requires_grad for p in editor.text.parameters())
    return Editing(settings(recipe), empty, frozen)


@dataclass(frozen=True)
class EditingTask:
    """A recipe of the domain made ready to run: core.commands.training_task.TrainingTask."""

    recipe: Recipe
    domain: Domain
    built: Built
    loaded: ModelBundle

    def tune(self) -> Editor:
        return model.apply(self.loaded.model, self.recipe.method, self.recipe)

    def objective(self, tuned: Editor) -> Editing:
        return choose(self.recipe, tuned, tokens(self.loaded.tokenizer, [""], self.recipe.model.max_tokens)[0])

    def encode(self, rows: Sequence[Row], training: bool = True) -> list[TrainingExample]:
        """Rows for `Editing.collate`; of validation rows the first pair, cut in the middle and not mirrored."""
        own, network = settings(self.recipe), self.loaded.model
        multiple = network.patch * network.multiple
        flip, zoom = (own.flip, own.zoom) if training else (0.0, 1.0)
        frame = latent_cache.Framed(model.settings(self.recipe).resolution, multiple, flip, zoom, variants=training)
        coded = latent_cache.encoder(to_device(network)) if own.cache else None
        return latent_cache.prepare(rows, network, self.loaded.tokenizer, self.recipe.model.max_tokens, frame, coded)

    def lengths(self, encoded: Sequence[TrainingExample]) -> Lengths:
        """Places of latents, all of which are learnt."""
        costs = [row.cost for row in encoded]
        return Lengths(costs, costs)

    def tokens(self, encoded: TrainingExample) -> list[dict[str, Any]]:
        """The instruction's tokens, which are read, and the picture, which is learnt; padding is left out."""
        tokenizer = self.loaded.tokenizer
        said = tokenizer(tokenizer.decode(encoded.ids.tolist(), skip_special_tokens=True))["input_ids"]
        picture = f" a picture of {encoded.cost} latents"
        read = [{"id": i, "text": tokenizer.decode([i]), "supervised": False} for i in said]
        return [*read, {"id": -1, "text": picture, "supervised": True}]

    def save_tokenizer(self, folder: Path) -> None:
        if self.recipe.model.backbone.startswith("scratch:"):
            model.keep(self.loaded.model, self.loaded.tokenizer, folder)

    def save(self, tuned: Editor, folder: Path) -> None:
        model.save(tuned, self.loaded.tokenizer, self.recipe, folder)


def build_task(domain: Domain, recipe: Recipe, kept: Path | None) -> EditingTask:
    """The rows and the untuned editor of a recipe. Raises ZooError for settings that no editor obeys."""
    from instructzoo.core import data

    if recipe.train.packing:
        raise ZooError("train.packing with pictures", "false", "leave it out")
    if recipe.model.quantisation != "none":
        raise ZooError(f"model.quantisation={recipe.model.quantisation}", "none, for an editor", "leave it out")
    if recipe.train.sharding or recipe.train.compile:
        raise ZooError("train.sharding or train.compile with an editor", "false", "leave it out")
    own = recipe.model
    if (own.weights, own.dropout, own.template) != ("float32", 0.0, "plain"):
        raise ZooError("model.weights, dropout or template on an editor", "their defaults", "leave them out")
    settings(recipe), model.settings(recipe)  # told now, not after the rows are built or the training is done
    sampling.named(validate_part(sampling.Settings, recipe.decode.options, "decode.options").scheduler)
    built = data.build(recipe)
    loaded = model.load(recipe, lambda: iter(built.rows["train"]), kept)
    return EditingTask(recipe, domain, built, loaded)


def encoded(model: Editor, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The mode of the picture before, mean and standard deviation of the one after.

    Both come as the autoencoder's moments [b, 2c, h, w] (cached), or as pixels [b, 3, h, w].
    """
    if before.shape[1] == 3:
        with torch.no_grad():
            before, after = moments(model, before), moments(model, after)
    mean, std = after.chunk(2, dim=1)
    return before.chunk(2, dim=1)[0], mean, std


def update_seed() -> int:
    """The seed that the loop sets before an update, without the rank that it adds: a row's draws are its own."""
    return (torch.initial_seed() - (distributed.rank_and_world_size()[0] << 40)) % 2**64


def draw(rows: Tensor, shape: Sequence[int], seed: int) -> Draws:
    """The draws of rows by number. shape: channels, height and width of the latents."""
    channels, height, width = shape
    uniform, normal = [], []
    size = 2 * channels * height * width + channels
    for row in rows.tolist():
        generator = torch.Generator().manual_seed(row_seed(seed, row))
        uniform.append(torch.rand(2, generator=generator))
        normal.append(torch.randn(size, generator=generator))
    u, n = torch.stack(uniform), torch.stack(normal)
    half = channels * height * width
    return Draws(
        u[:, 0], u[:, 1], n[:, :half].view(-1, *shape), n[:, half : 2 * half].view(-1, *shape),
        n[:, 2 * half :].view(-1, channels, 1, 1),
    )  # fmt: skip


def min_snr(schedule: Any, time: Tensor, kind: str, gamma: float) -> Tensor:
    """Weights [b] of the squared errors: min(snr, gamma) / snr for noise, / (snr + 1) for velocity."""
    kept = schedule.alphas_cumprod.to(time.device)[time]
    snr = kept / (1 - kept)
    return snr.clamp(max=gamma) / (snr if kind == "epsilon" else snr + 1)

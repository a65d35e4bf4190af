"""The training objective: predict the noise, or the velocity, of the edited picture's latents (arXiv:2211.09800, 3.2).

    loss = sum over latents of weight(t) * (UNet(noised target, picture before, instruction, t) - expected) ** 2

Every row draws its noise, its time step and its dropped conditions from a random generator of its own, seeded by the
update and the row's index. The loss is therefore the same for any micro-batch size, a resumed run draws what the
stopped one would have drawn, and every validation draws the same values.
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
from instructzoo.core.data import BuiltData
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import ModelBundle, to_device
from instructzoo.core.recipe import Recipe, validate_settings
from instructzoo.core.record import Row
from instructzoo.core.text import Lengths
from instructzoo.pix2pix import model, sampling
from instructzoo.pix2pix.data import latent_cache
from instructzoo.pix2pix.data.latent_cache import TrainingExample, encode_moments
from instructzoo.pix2pix.networks import random_draws
from instructzoo.pix2pix.networks.editor import Editor, tokenize
from instructzoo.pix2pix.sampling import row_seed

Fraction = Annotated[float, Field(ge=0, le=1)]

TEXT_CACHE_SIZE = 4_096
"""Encoded instructions of a frozen text encoder that are kept, 236 KB each at 77 tokens of 768 channels."""


class Settings(recipes.Settings):
    """How the loss is computed. The defaults are the paper's."""

    prediction: Literal["backbone", "v_prediction", "epsilon"] = Field(
        "backbone", description="what the UNet predicts; backbone: what its scheduler says it was trained to predict"
    )
    drop_text: Fraction = Field(0.05, description="fraction of rows that see the picture and no instruction")
    drop_image: Fraction = Field(0.05, description="fraction of rows that see the instruction and no picture")
    drop_both: Fraction = Field(0.05, description="fraction of rows that see neither")
    min_snr: float | None = Field(
        None, gt=0, description="gamma of min-SNR weighting (arXiv:2303.09556), 5 there; none: no weighting"
    )
    noise_offset: float = Field(
        0.0, ge=0, description="standard deviation of a random offset that is added to all of a channel's noise"
    )
    early: float = Field(
        1.0,
        gt=0,
        description="exponent of the time-step distribution: 1 is uniform, above 1 samples noisy steps more often",
    )
    flip: Fraction = Field(
        0.0, description="fraction of pairs that are mirrored; only where their texts surely name no side or writing"
    )
    zoom: float = Field(1.0, ge=1, description="largest random enlargement before the crop; both pictures get the same")
    cache: bool = Field(True, description="encode every picture once, before training starts; not with zoom above 1")

    @model_validator(mode="after")
    def _shares_fit(self) -> Settings:
        if (total := self.drop_text + self.drop_image + self.drop_both) > 1:
            raise ValueError(f"drop_text, drop_image and drop_both sum to {total}; expected at most 1")
        if self.cache and self.zoom > 1:
            raise ValueError("zoom above 1 with cache: a cached picture has one crop; expected cache: false")
        return self


def settings(recipe: Recipe) -> Settings:
    """The recipe's `objective` settings. Raises ZooError for unknown or invalid ones."""
    return validate_settings(Settings, recipe.objective, "objective")


class EditingObjective:
    """The loss of an editor over examples of data/latent_cache.py.

    Args:
        settings: The recipe's `objective` settings.
        empty: Token ids of the empty instruction, [t].
        frozen_text: Whether the text encoder is frozen, so that its outputs can be cached.
    """

    def __init__(self, settings: Settings, empty: Tensor, frozen_text: bool) -> None:
        self.settings, self.empty, self.frozen_text = settings, empty, frozen_text
        self._text_cache: dict[bytes, Tensor] = {}

    def collate(self, examples: Sequence[TrainingExample]) -> dict[str, Tensor]:
        """Stack examples into tensors, one group for each picture size in the batch.

        Args:
            examples: Training examples of any picture sizes.

        Returns:
            For group n: `rows.n` [b] the rows' indices, `ids.n` [b, t], `before.n` and `after.n` [b, ...] from
            `load_pair`.
        """
        seed = random_draws.update_seed()
        examples_by_size: dict[tuple[int, ...], list[tuple[TrainingExample, Tensor, Tensor]]] = {}
        for example in examples:
            before, after = example.load_pair(row_seed(seed, example.index))
            examples_by_size.setdefault(tuple(after.shape), []).append((example, before, after))
        batch: dict[str, Tensor] = {}
        for group_index, group in enumerate(examples_by_size.values()):
            batch[f"rows.{group_index}"] = torch.tensor([example.index for example, _, _ in group])
            batch[f"ids.{group_index}"] = torch.stack([example.token_ids for example, _, _ in group])
            batch[f"before.{group_index}"] = torch.stack([before for _, before, _ in group])
            batch[f"after.{group_index}"] = torch.stack([after for _, _, after in group])
        return batch

    def loss(self, editor: Editor, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Compute the loss of a collated batch.

        Args:
            editor: The editor in training or evaluation mode; in evaluation no condition is dropped.
            batch: What `collate` returned, on the editor's device.

        Returns:
            The summed loss and the number of latent values that it sums over, both scalars.
        """
        losses = [self._loss(editor, batch, n) for n in range(len(batch) // 4)]
        return torch.stack([loss for loss, _ in losses]).sum(), torch.stack([count for _, count in losses]).sum()

    def _loss(self, model: Editor, batch: dict[str, Tensor], group: int) -> tuple[Tensor, Tensor]:
        """The summed loss and the number of latent values of one group of equally large pictures."""
        rows, ids = batch[f"rows.{group}"], batch[f"ids.{group}"]
        before, mean, std = to_latents(model, batch[f"before.{group}"], batch[f"after.{group}"])  # [b, c, h, w] each
        seed = random_draws.update_seed() if model.training else random_draws.VALIDATION_SEED
        draws = random_draws.draw_random(rows, mean.shape[1:], seed)
        draws = random_draws.RandomDraws(*(value.to(mean.device) for value in vars(draws).values()))
        target = (mean + std * draws.latent_noise) * model.scale
        noise = draws.noise + self.settings.noise_offset * draws.channel_noise
        n_steps = model.schedule.config.num_train_timesteps
        time = (n_steps * (1 - draws.time**self.settings.early)).long().clamp(0, n_steps - 1)  # [b]

        no_text, no_image = self._drop_conditions(draws.dropout, model.training)
        text_states = self._encode_text(model, torch.where(no_text[:, None], self.empty.to(ids.device), ids))
        condition = torch.where(no_image[:, None, None, None], torch.zeros_like(before), before)
        noised = model.schedule.add_noise(target, noise, time)
        prediction = model.unet(
            torch.cat([noised, condition], 1).to(model.unet.dtype), time, text_states
        ).sample.float()

        prediction_type = model.schedule.config.prediction_type
        expected = noise if prediction_type == "epsilon" else model.schedule.get_velocity(target, noise, time)
        errors = (prediction - expected).square().sum((1, 2, 3))  # [b]
        if self.settings.min_snr is not None:
            errors = errors * random_draws.min_snr_weights(model.schedule, time, prediction_type, self.settings.min_snr)
        return errors.sum(), torch.tensor(expected.numel(), device=errors.device)

    def _drop_conditions(self, uniform: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Which rows see no instruction and which no picture, bool [b] each, from one draw as in the paper's code."""
        settings = self.settings
        if not training:
            return uniform < 0, uniform < 0
        no_text = uniform < settings.drop_text + settings.drop_both
        no_image = (uniform >= settings.drop_text) & (
            uniform < settings.drop_text + settings.drop_both + settings.drop_image
        )
        return no_text, no_image

    def _encode_text(self, model: Editor, ids: Tensor) -> Tensor:
        """Text states [b, t, d]: distinct instructions are encoded once, a frozen encoder's outputs are cached."""
        unique, inverse = torch.unique(ids, dim=0, return_inverse=True)
        if not self.frozen_text:
            return model.encode_text(unique)[inverse]
        keys = [bytes(row.cpu().numpy().tobytes()) for row in unique]
        if len(self._text_cache) > TEXT_CACHE_SIZE:
            self._text_cache.clear()
        missing = [n for n, key in enumerate(keys) if key not in self._text_cache]
        if missing:
            with torch.no_grad():
                for n, state in zip(missing, model.encode_text(unique[missing]), strict=True):
                    self._text_cache[keys[n]] = state
        return torch.stack([self._text_cache[key] for key in keys])[inverse]


def build_objective(recipe: Recipe, editor: Editor, empty: Tensor) -> EditingObjective:
    """Create the objective of a recipe and set the scheduler's prediction type accordingly.

    Args:
        recipe: Its `objective` settings are used.
        editor: The editor with its training method applied.
        empty: Token ids of the empty instruction, [t].

    Raises:
        ZooError: The backbone predicts neither noise nor velocity.
    """
    model.set_prediction_type(editor, recipe)
    frozen_text = not any(p.requires_grad for p in editor.text.parameters())
    return EditingObjective(settings(recipe), empty, frozen_text)


@dataclass(frozen=True)
class EditingTask:
    """A recipe with its rows and its untuned editor: the `TrainingTask` of core.commands.training_task."""

    recipe: Recipe
    domain: Domain
    built: BuiltData
    loaded: ModelBundle

    def trainable_model(self) -> Editor:
        return model.apply_method(self.loaded.model, self.recipe.method, self.recipe)

    def objective(self, tuned: Editor) -> EditingObjective:
        """The objective for the tuned editor."""
        return build_objective(
            self.recipe, tuned, tokenize(self.loaded.tokenizer, [""], self.recipe.model.max_tokens)[0]
        )

    def encode(self, rows: Sequence[Row], training: bool = True) -> list[TrainingExample]:
        """Examples for `collate`; validation rows use their first pair, a centre crop and no mirroring."""
        options, network = settings(self.recipe), self.loaded.model
        multiple = network.patch * network.multiple
        flip, zoom = (options.flip, options.zoom) if training else (0.0, 1.0)
        frame = latent_cache.FrameSettings(
            model.settings(self.recipe).resolution, multiple, flip, zoom, variants=training
        )
        encode = latent_cache.latent_encoder(to_device(network)) if options.cache else None
        return latent_cache.build_examples(
            rows, network, self.loaded.tokenizer, self.recipe.model.max_tokens, frame, encode
        )

    def lengths(self, encoded: Sequence[TrainingExample]) -> Lengths:
        """The cost of each example: spatial positions of its latents, all of which are predicted."""
        costs = [row.n_latents for row in encoded]
        return Lengths(costs, costs)

    def tokens(self, encoded: TrainingExample) -> list[dict[str, Any]]:
        """The instruction's tokens, which are the prompt, and the picture, which is the target; padding is left out."""
        tokenizer = self.loaded.tokenizer
        token_ids = encoded.token_ids.tolist()
        token_ids = token_ids[: token_ids.index(tokenizer.eos_token_id, 1) + 1]
        picture = f" a picture of {encoded.n_latents} latents"
        prompt_tokens = [{"id": i, "text": tokenizer.decode([i]), "supervised": False} for i in token_ids]
        return [*prompt_tokens, {"id": -1, "text": picture, "supervised": True}]

    def save_tokenizer(self, folder: Path) -> None:
        """Save the tokenizer and autoencoder of a scratch editor, so that a resumed run starts from the same ones."""
        if self.recipe.model.backbone.startswith("scratch:"):
            model.save_start(self.loaded.model, self.loaded.tokenizer, folder)

    def save(self, tuned: Editor, folder: Path) -> None:
        """Save what was trained."""
        model.save(tuned, self.loaded.tokenizer, self.recipe, folder)


def build_task(domain: Domain, recipe: Recipe, saved_start: Path | None) -> EditingTask:
    """Build the rows and load the untuned editor of a recipe.

    Args:
        domain: The pix2pix domain.
        recipe: The resolved recipe.
        saved_start: Folder with the tokenizer and autoencoder of an interrupted run, if there is one.

    Raises:
        ZooError: A setting is not supported by editors, or invalid.
    """
    from instructzoo.core import data

    if recipe.train.packing:
        raise ZooError("train.packing with pictures", "false", "leave it out")
    if recipe.model.quantisation != "none":
        raise ZooError(f"model.quantisation={recipe.model.quantisation}", "none, for an editor", "leave it out")
    if recipe.train.sharding or recipe.train.compile:
        raise ZooError("train.sharding or train.compile with an editor", "false", "leave it out")
    model_settings = recipe.model
    if (model_settings.weights, model_settings.dropout, model_settings.template) != ("float32", 0.0, "plain"):
        raise ZooError("model.weights, dropout or template on an editor", "their defaults", "leave them out")
    settings(recipe), model.settings(recipe)  # raises now, not after the rows are built or training has ended
    sampling.scheduler_class(validate_settings(sampling.Settings, recipe.decode.options, "decode.options").scheduler)
    built = data.build(recipe)
    loaded = model.load(recipe, lambda: iter(built.rows["train"]), saved_start)
    return EditingTask(recipe, domain, built, loaded)


def to_latents(model: Editor, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The latents of both pictures.

    Args:
        model: The editor.
        before: Picture before, as cached moments [b, 2c, h, w] or as pixels [b, 3, h, w] in -1..1.
        after: Picture after, likewise.

    Returns:
        The mode of the picture before, and mean and standard deviation of the picture after, [b, c, h, w] each.
    """
    if before.shape[1] == 3:
        with torch.no_grad():
            before, after = encode_moments(model, before), encode_moments(model, after)
    mean, std = after.chunk(2, dim=1)
    return before.chunk(2, dim=1)[0], mean, std

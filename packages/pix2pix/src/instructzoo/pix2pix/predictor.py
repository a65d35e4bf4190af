"""Answers rows with edited pictures as PNG data URIs; `zoo eval`, `zoo predict` and the demo share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.models.load import ModelBundle, to_device
from instructzoo.core.recipe import Recipe, validate_settings
from instructzoo.core.record import Row
from instructzoo.core.shelf import ShelfModel
from instructzoo.pix2pix import images, sampling
from instructzoo.pix2pix import model as editors
from instructzoo.pix2pix.data import image_transforms
from instructzoo.pix2pix.data.readers.base import resolve
from instructzoo.pix2pix.images import Pixels
from instructzoo.pix2pix.networks import usage_snippet as usage_snippet

MAX_DIFFERENCE = 2.0
"""Mean difference of pixel values in 0..255 up to which an exported model's picture counts as the same."""

MAX_BATCH_LATENTS = 16_384
"""Latent positions that are denoised together, guidance counted once: 1,024 pictures of 4x4 latents, 16 of 32x32."""

NAMED_ROWS = 3
"""Rows of a batch that an error names."""


@dataclass(frozen=True)
class Predictor:
    """An editing model.

    Attributes:
        scores: The content of scores.json beside the model, if there is one.
        model: Its row in the domain's table of models; None for a run or a folder.
        notice: Why it answers in place of the domain's default; empty where it does not.
    """

    domain: Domain
    recipe: Recipe
    loaded: ModelBundle
    folder: Path
    scores: dict[str, Any] | None = None
    constrained: bool = False
    model: ShelfModel | None = None
    notice: str = ""
    labels: None = None
    library: ClassVar[str] = "diffusers"
    usage: ClassVar[str] = (
        "diffusers' StableDiffusionInstructPix2PixPipeline opens this folder; where its autoencoder is a "
        "PatchAutoencoder, after `import instructzoo.pix2pix.networks.patch_autoencoder`."
    )

    @classmethod
    def load(cls, domain: Domain, folder: Path) -> Self:
        """The model of a weights folder or run directory. Raises ZooError for another domain's model."""
        model_folder = runs.model_folder(folder)
        recipe = runs.stored_recipe(model_folder)
        if recipe.domain != domain.name:
            problem = f"a model of the domain {recipe.domain}"
            raise ZooError(problem, f"one of {domain.name}", f"zoo ... {recipe.domain} --model {folder}", str(folder))
        scores, listed = runs.scores_of(folder), domain.shelf_model(folder)
        return cls(domain, recipe, editors.open_saved(model_folder), folder, scores, model=listed)

    @classmethod
    def of_folder(cls, domain: Domain, folder: Path, recipe: Recipe) -> Self:
        """An editor in diffusers' layout, with the recipe's settings. Raises ZooError for another folder."""
        return cls(domain, recipe, editors.open_saved(folder), folder)

    @property
    def prompts(self) -> Any:
        """The module that renders questions and reads answers: pictures have no dialects."""
        return self.domain.prompts(self.recipe.model.dialect)

    @property
    def sampling(self) -> sampling.Settings:
        """The settings of sampling."""
        return validate_settings(sampling.Settings, self.recipe.decode.options, "decode.options")

    def sampled(self, **values: Any) -> Self:
        """The same model with other settings of sampling (sampling.Settings); setting a scale turns guidance on."""
        guides = {"guided": True} if {"guidance", "image_guidance"} & values.keys() else {}
        options = self.recipe.decode.options | guides | values
        validate_settings(sampling.Settings, options, "decode.options")
        decode = self.recipe.decode.model_copy(update={"options": options})
        return replace(self, recipe=self.recipe.model_copy(update={"decode": decode}))

    @property
    def resolution(self) -> int:
        """Side of the square pictures that the model was trained at; other shapes are resized to as many pixels."""
        return editors.settings(self.recipe).resolution

    def loaded_from(self) -> Path:
        """The folder of the weights themselves: a run's model/, or the bundled folder."""
        return self.folder / "model" if (self.folder / "manifest.json").is_file() else self.folder

    def untuned(self) -> Self:
        """The same backbone before tuning, as a baseline."""
        weights_folder = self.loaded_from()
        base = editors.load(self.recipe, list, weights_folder if (weights_folder / "vae").is_dir() else None)
        return replace(self, loaded=ModelBundle(to_device(base.model.eval()), base.tokenizer, base.kind))

    def exported(self, folder: Path, half: bool) -> Self:
        """Write this model into `folder` as a pipeline of diffusers, LoRA merged, and open it from there."""
        merged_model = editors.merge_lora(self.loaded.model)
        (merged_model.half() if half else merged_model).save(folder, self.loaded.tokenizer)
        return replace(self, loaded=editors.open_saved(folder))

    @staticmethod
    def same_answer(one: str, other: str) -> bool:
        """Whether two pictures are the same to the eye: half precision moves values by a step or two."""
        a, b = (images.read(reference).astype(float) for reference in (one, other))
        return a.shape == b.shape and bool(abs(a - b).mean() < MAX_DIFFERENCE)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """Edited pictures as data URIs, in the order of the rows; only `instruction` and `image` are used."""
        return self._answer(rows, 0)

    def answer_counted(
        self, rows: Sequence[Row], on_answered: Callable[[int], None] | None = None
    ) -> tuple[list[str], dict[str, int]]:
        """As `answer`; pictures have nothing to count. `on_answered` is called with the number of answered rows."""
        return self._answer(rows, 0, on_answered), {}

    def with_constraints(self, constrained: bool) -> Self:
        """The same predictor: pictures have no grammar."""
        return self

    def stream(self, rows: Iterable[tuple[str, Row]], first: int = 0, batch: int = 64) -> Iterator[tuple[Row, str]]:
        """Answer a stream of rows in order.

        Args:
            rows: (file:line, row).
            first: Number of the first row; it seeds the noise.
            batch: Rows that are read and answered together.

        Yields:
            Each row with its answer.

        Raises:
            ZooError: A row cannot be read or answered; the message names its place. Rows before it are answered first.
        """
        source, first_error = iter(rows), None
        while first_error is None:
            block: list[tuple[str, Row, Row]] = []
            try:
                for where, row in islice(source, batch):
                    block.append((where, row, self._resolve_row(row, where)))
            except ZooError as error:
                first_error = error
            if not block:
                break
            try:
                answers = self._answer([resolved for _, _, resolved in block], first)
            except ZooError:
                yield from self._answer_singly(block, first)
            else:
                yield from zip((row for _, row, _ in block), answers, strict=True)
            first += len(block)
        if first_error:
            raise first_error

    def _answer_singly(self, block: Sequence[tuple[str, Row, Row]], first: int) -> Iterator[tuple[Row, str]]:
        """The rows of a block with their answers, up to the one that has none. Raises its ZooError, with its place."""
        for number, (where, row, resolved) in enumerate(block, first):
            try:
                (answer,) = self._answer([resolved], number)
            except ZooError as error:
                raise ZooError(error.found, error.expected, error.fix, where or error.where) from error
            yield row, answer

    def _resolve_row(self, row: Row, where: str) -> Row:
        """The row with its picture's path relative to its file. Raises ZooError for a row that cannot be answered."""
        from instructzoo.pix2pix.networks.editor import tokenize

        if not isinstance(row.get("image"), str) or not row["image"]:
            raise ZooError('no "image"', "a path or a data URI of the picture to edit", "add the column", where)
        file = Path(where.rpartition(":")[0])
        image = resolve(row["image"], file.parent if file.is_file() else Path())
        images.read(image, where)
        tokenize(self.loaded.tokenizer, [row.get("instruction") or ""], self.recipe.model.max_tokens, [where])
        return row | {"image": image}

    def _answer(self, rows: Sequence[Row], first: int, on_answered: Callable[[int], None] | None = None) -> list[str]:
        answers = [""] * len(rows)
        n_answered = 0
        for group in self._size_groups(rows):
            for (index, size, _), pixels in zip(group, self._edit(rows, group, first), strict=True):
                answers[index] = images.to_uri(image_transforms.resize(pixels, size))
            n_answered += len(group)
            if on_answered:
                on_answered(n_answered)
        return answers

    def _size_groups(self, rows: Sequence[Row]) -> Iterator[list[tuple[int, tuple[int, int], Pixels]]]:
        """(index, original size, resized picture) of rows, in batches of one size."""
        multiple = self.loaded.model.patch * self.loaded.model.multiple
        waiting: dict[tuple[int, ...], list[tuple[int, tuple[int, int], Pixels]]] = {}
        for index, row in enumerate(rows):
            pixels, size = image_transforms.resize_whole(
                images.read(row["image"], row.get("id") or ""), self.resolution, multiple
            )
            group = waiting.setdefault(pixels.shape, [])
            group.append((index, size, pixels))
            if len(group) * pixels.shape[0] * pixels.shape[1] >= MAX_BATCH_LATENTS * self.loaded.model.patch**2:
                yield waiting.pop(pixels.shape)
        yield from waiting.values()

    def _edit(
        self, rows: Sequence[Row], group: Sequence[tuple[int, tuple[int, int], Pixels]], first: int
    ) -> list[Pixels]:
        from instructzoo.pix2pix.networks.editor import tokenize
        from instructzoo.pix2pix.networks.patch_autoencoder import to_pixels, to_tensor

        network, max_tokens = self.loaded.model, self.recipe.model.max_tokens
        device = next(network.unet.parameters()).device
        texts = [rows[index].get("instruction") or "" for index, _, _ in group]
        ids = tokenize(self.loaded.tokenizer, [*texts, ""], max_tokens).to(device)
        before = to_tensor(pixels for _, _, pixels in group).to(device)
        numbers = [first + index for index, _, _ in group]
        try:
            return to_pixels(sampling.denoise(network, before, ids[:-1], ids[-1], self.sampling, numbers))
        except ZooError as error:
            if len(rows) == 1 or error.where:
                raise
            place = ", ".join(f"row {rows[index].get('id')}" for index, _, _ in group[:NAMED_ROWS])
            more = f" and {len(group) - NAMED_ROWS:,} more of its batch" if len(group) > NAMED_ROWS else ""
            raise ZooError(error.found, error.expected, error.fix, place + more) from error

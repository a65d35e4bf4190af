"""TrainingTask: what train, plan, explain and reproduce need of a domain's data and model, and its text form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from instructzoo.core import domain as domains
from instructzoo.core import runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError, suggest
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row

if TYPE_CHECKING:
    from instructzoo.core.data import BuiltData
    from instructzoo.core.models import ModelBundle
    from instructzoo.core.text import Encoder, Lengths
    from instructzoo.core.tune.objectives import Objective

TOKENIZER_ROWS = 20_000
"""Training rows that a scratch tokenizer is trained on."""


class TrainingTask(Protocol):
    """A recipe with its rows built and its untuned backbone loaded; whatever its model reads and writes.

    `TextTask` is the task of text models; a domain with a model of its own brings its own (`objective.build_task`).
    """

    @property
    def recipe(self) -> Recipe: ...

    @property
    def domain(self) -> Domain: ...

    @property
    def built(self) -> BuiltData:
        """The rows of all splits, with their data card."""

    @property
    def loaded(self) -> ModelBundle:
        """The untuned backbone with its tokenizer."""

    def trainable_model(self) -> Any:
        """The backbone with the fine-tuning method applied: adapters added, all other parameters frozen."""

    def objective(self, model: Any, /) -> Objective:
        """The loss of `trainable_model`."""

    def encode(self, rows: Sequence[Row], training: bool = True) -> Sequence[Any]:
        """Rows as the objective's collate function takes them; without `training`, nothing is drawn at random.

        Args:
            rows: The rows.
            training: Whether random augmentation is allowed.

        Returns:
            One encoded row for each row, in order; several for a conversation that takes several sequences.
        """

    def lengths(self, encoded: Sequence[Any]) -> Lengths:
        """The number of tokens, and of supervised tokens, of each encoded row."""

    def tokens(self, encoded: Any) -> list[dict[str, Any]]:
        """The tokens of one encoded row, for people: {"id", "text", "supervised"} each."""

    def save_tokenizer(self, folder: Path) -> None:
        """Save what was built from the rows for a scratch backbone; a resumed run loads it again."""

    def save(self, model: Any, folder: Path, /) -> None:
        """Save the trained model as the predictor loads it.

        Args:
            model: The trained `trainable_model`.
            folder: The folder that the model's files are written into.
        """


@dataclass(frozen=True)
class TextTask:
    """The `TrainingTask` of models that read and write text."""

    recipe: Recipe
    domain: Domain
    built: BuiltData
    loaded: ModelBundle
    encoder: Encoder

    def trainable_model(self) -> Any:
        """The backbone with the recipe's fine-tuning method applied."""
        from instructzoo.core.models import adapters

        return adapters.apply(self.loaded.model, self.recipe.method, self.recipe.seed)

    def objective(self, model: Any, /) -> Objective:
        """The loss of the backbone's kind: causal or encoder-decoder."""
        from instructzoo.core import tune
        from instructzoo.core.models.backbone_checks import check_positions

        check_positions(model, self.loaded.kind, self.recipe)
        return tune.choose(self.loaded.kind, model, self.loaded.tokenizer, self.recipe.train)

    def encode(self, rows: Sequence[Row], training: bool = True) -> Sequence[Any]:
        """Token ids and labels of the rows; nothing is random, so `training` makes no difference.

        Many rows are encoded once and kept in the cache.
        """
        from instructzoo.core.data.builder import code_digest
        from instructzoo.core.models.backbone_checks import check_ids, check_targets
        from instructzoo.core.text import encode_rows

        encoded = encode_rows(self.encoder, rows, code_digest(self.domain.folder()))
        check_ids(self.loaded.model, (ids for row in encoded for ids in row), self.loaded.tokenizer)
        if self.loaded.kind == "seq2seq":
            check_targets(self.loaded.model, (row.labels for row in encoded), self.recipe.model.max_tokens)
        return encoded

    def lengths(self, encoded: Sequence[Any]) -> Lengths:
        """The number of tokens, and of supervised tokens, of each encoded row."""
        from instructzoo.core.text import EncodedRows, lengths

        return encoded.lengths if isinstance(encoded, EncodedRows) else lengths(encoded)

    def tokens(self, encoded: Any) -> list[dict[str, Any]]:
        """The tokens of one encoded row; for encoder-decoders those of the prompt, then those of the answer."""
        from instructzoo.core.text import IGNORE_INDEX

        decode = self.loaded.tokenizer.decode
        if self.loaded.kind == "seq2seq":
            pairs = [(i, False) for i in encoded.input_ids] + [(i, True) for i in encoded.labels]
        else:
            pairs = [(i, label != IGNORE_INDEX) for i, label in zip(encoded.input_ids, encoded.labels, strict=True)]
        return [{"id": i, "text": decode([i]), "supervised": supervised} for i, supervised in pairs]

    def save_tokenizer(self, folder: Path) -> None:
        """Save the tokenizer into a folder."""
        self.loaded.tokenizer.save_pretrained(str(folder))

    def save(self, model: Any, folder: Path, /) -> None:
        """Save the model, its tokenizer and the labels of its training rows."""
        from instructzoo.core import models
        from instructzoo.core.infer import trained_labels

        models.save(model, self.loaded.tokenizer, self.recipe, folder)
        trained_labels.write(trained_labels.collect(self.domain, self.built.rows["train"]), folder)


def build_task(recipe: Recipe, saved_start: Path | None = None) -> TrainingTask:
    """Build the rows of a recipe, or find them in the cache, and load its untuned backbone.

    Args:
        recipe: The recipe.
        saved_start: A folder that `TrainingTask.save_tokenizer` of an earlier call may have filled.

    Returns:
        The task: a `TextTask`, or the domain's own.

    Raises:
        ZooError: The rows cannot be built, the backbone cannot be loaded, or the domain has no such scorer.
    """
    from instructzoo.core import data, models
    from instructzoo.core.text import Encoder

    domain = domains.get(recipe.domain)
    check_scorer(domain, recipe.evaluate.scorer, "evaluate.scorer")  # before the training, not after it
    prompts = domain.prompts(recipe.model.dialect)
    if domain.objective == "own":
        own_task: TrainingTask = domain.module("objective").build_task(domain, recipe, saved_start)
        return own_task
    _refuse_own_settings(recipe)
    built = data.build(recipe)

    def texts() -> Iterator[str]:
        for row in islice(built.rows["train"], TOKENIZER_ROWS):
            yield "".join(text for text, _ in prompts.render(row, recipe.seed))

    loaded = models.load(recipe.model, recipe.seed, texts, saved_start)
    return TextTask(recipe, domain, built, loaded, Encoder.of_recipe(recipe, prompts, loaded.tokenizer, loaded.kind))


def _refuse_own_settings(recipe: Recipe) -> None:
    """Raise a ZooError for settings that only a domain with a model of its own reads."""
    groups = {
        "model.options": recipe.model.options,
        "objective": recipe.objective,
        "decode.options": recipe.decode.options,
    }
    for name, values in groups.items():
        if values:
            problem = f"{name} sets {next(iter(values))}"
            raise ZooError(problem, f"nothing: {recipe.domain} trains a text model of the core", "leave it out", name)


def check_scorer(domain: Domain, scorer: str, where: str = "", legacy: bool = False) -> str:
    """Check the name of a scorer.

    Args:
        domain: The domain.
        scorer: The name of a variant of its scorer.
        where: Where the name was set, for the error.
        legacy: Whether published scorers with known errors count too, which only `zoo score` offers.

    Returns:
        The name.

    Raises:
        ZooError: The domain has no such scorer.
    """
    metrics = domain.module("metrics")
    scorers = (*metrics.SCORERS, *metrics.LEGACY) if legacy else metrics.SCORERS
    if scorer not in scorers:
        raise ZooError(f'{domain.name} has no scorer "{scorer}"', suggest(scorer, scorers), where=where)
    return scorer


def new_folder(output: str) -> Path:
    """The path of a folder that a command is about to fill.

    Raises:
        ZooError: A file or a folder with content is there already.
    """
    folder = Path(output)
    with runs.disk_errors(folder):
        occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if occupied:
        raise ZooError(f"{folder} exists", "an empty or absent directory", "choose another -o")
    return folder


def parameter_counts(model: Any) -> dict[str, Any]:
    """Numbers of parameters: {"total", "trained", "names": trained ones by name, equal names of all layers summed}."""
    from instructzoo.core.models import adapters

    names = adapters.trainable_parameter_counts(model)
    total = sum(parameter.numel() for parameter in model.parameters())
    return {"total": total, "trained": sum(names.values()), "names": names}

"""What train, plan and explain share: a recipe made ready to run."""

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
    from instructzoo.core.data import Built
    from instructzoo.core.models import ModelBundle
    from instructzoo.core.text import Encoder, Lengths
    from instructzoo.core.tune.objectives import Objective

TOKENIZER_ROWS = 20_000
"""Training rows that a scratch tokenizer is made from."""


class TrainingTask(Protocol):
    """A recipe made ready to run: what the verbs need of a domain's model, whatever it reads and writes."""

    @property
    def recipe(self) -> Recipe: ...

    @property
    def domain(self) -> Domain: ...

    @property
    def built(self) -> Built: ...

    @property
    def loaded(self) -> ModelBundle: ...

    def tune(self) -> Any:
        """The backbone with the method on it."""

    def objective(self, tuned: Any) -> Objective: ...

    def encode(self, rows: Sequence[Row], training: bool = True) -> Sequence[Any]:
        """Rows as the objective collates them; of validation rows nothing is drawn at random."""

    def lengths(self, encoded: Sequence[Any]) -> Lengths: ...

    def tokens(self, encoded: Any) -> list[dict[str, Any]]:
        """What is read and learnt of a row, for people: {"id", "text", "supervised"} each."""

    def save_tokenizer(self, folder: Path) -> None:
        """Write what a start from scratch took from the rows, for a resumed run."""

    def save(self, tuned: Any, folder: Path) -> None: ...


@dataclass(frozen=True)
class TextTask:
    """`TrainingTask` for models that read and write text."""

    recipe: Recipe
    domain: Domain
    built: Built
    loaded: ModelBundle
    encoder: Encoder

    def tune(self) -> Any:
        from instructzoo.core.models import adapters

        return adapters.apply(self.loaded.model, self.recipe.method, self.recipe.seed)

    def objective(self, tuned: Any) -> Objective:
        from instructzoo.core import tune

        return tune.choose(self.loaded.kind, tuned, self.loaded.tokenizer, self.recipe.train)

    def encode(self, rows: Sequence[Row], training: bool = True) -> Sequence[Any]:
        return self.encoder.encode_all(rows)

    def lengths(self, encoded: Sequence[Any]) -> Lengths:
        from instructzoo.core.text import lengths

        return lengths(encoded)

    def tokens(self, encoded: Any) -> list[dict[str, Any]]:
        from instructzoo.core.text import IGNORE_INDEX

        decode = self.loaded.tokenizer.decode
        if self.loaded.kind == "seq2seq":
            pairs = [(i, False) for i in encoded.ids] + [(i, True) for i in encoded.labels]
        else:
            pairs = [(i, label != IGNORE_INDEX) for i, label in zip(encoded.ids, encoded.labels, strict=True)]
        return [{"id": i, "text": decode([i]), "supervised": supervised} for i, supervised in pairs]

    def save_tokenizer(self, folder: Path) -> None:
        self.loaded.tokenizer.save_pretrained(str(folder))

    def save(self, tuned: Any, folder: Path) -> None:
        from instructzoo.core import models

        models.save(tuned, self.loaded.tokenizer, self.recipe, folder)


def build_task(recipe: Recipe, kept: Path | None = None) -> TrainingTask:
    """Build (or find) the rows and load the untuned backbone; kept: a folder that `TrainingTask.keep` filled before.

    Raises ZooError for a scorer that the domain does not have, besides what building and loading raise.
    """
    from instructzoo.core import data, models
    from instructzoo.core.text import Encoder

    domain = domains.get(recipe.domain)
    check_scorer(domain, recipe.evaluate.scorer, "evaluate.scorer")  # told now, not after a training
    if domain.objective == "own":
        own: TrainingTask = domain.module("objective").build_task(domain, recipe, kept)
        return own
    _refuse_options(recipe)
    built = data.build(recipe)
    prompts = domain.module("prompts")

    def texts() -> Iterator[str]:
        for row in islice(built.rows["train"], TOKENIZER_ROWS):
            yield "".join(text for text, _ in prompts.render(row, recipe.seed))

    loaded = models.load(recipe.model, recipe.seed, texts, kept)
    model = recipe.model
    encoder = Encoder(loaded.tokenizer, prompts, loaded.kind, model.max_tokens, recipe.seed, model.template)
    return TextTask(recipe, domain, built, loaded, encoder)


def _refuse_options(recipe: Recipe) -> None:
    """Settings that nobody would read."""
    groups = {
        "model.options": recipe.model.options,
        "objective": recipe.objective,
        "decode.options": recipe.decode.options,
    }
    for name, values in groups.items():
        if values:
            found = f"{name} sets {next(iter(values))}"
            raise ZooError(found, f"nothing: {recipe.domain} trains a text model of the core", "leave it out", name)


def check_scorer(domain: Domain, scorer: str, where: str = "", legacy: bool = False) -> str:
    """The scorer's name. Raises ZooError where the domain has none of that name.

    legacy: published scorers with known faults count too, which only `zoo score` reports.
    """
    metrics = domain.module("metrics")
    scorers = (*metrics.SCORERS, *metrics.LEGACY) if legacy else metrics.SCORERS
    if scorer not in scorers:
        raise ZooError(f'{domain.name} has no scorer "{scorer}"', suggest(scorer, scorers), where=where)
    return scorer


def new_folder(output: str) -> Path:
    """The folder that a verb is about to fill. Raises ZooError where something stands there already."""
    folder = Path(output)
    with runs.disk_errors(folder):
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if taken:
        raise ZooError(f"{folder} exists", "an empty or absent directory", "choose another -o")
    return folder


def counts(model: Any) -> dict[str, Any]:
    """Parameters: all, those that the method trains, and these by name (layers together)."""
    from instructzoo.core.models import adapters

    names = adapters.summary(model)
    total = sum(p.numel() for p in model.parameters())
    return {"total": total, "trained": sum(names.values()), "names": names}

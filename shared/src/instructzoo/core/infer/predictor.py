"""The predictor: one trained model with the prompts and the parser that it was trained with.

`zoo eval`, `zoo predict` and the demo answer through it, so what is served is what was scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from instructzoo.core import models, runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.infer.constrained_decoding import AnswerConstraints, Vocabulary
from instructzoo.core.infer.generate import count_truncated, generate_ids, texts
from instructzoo.core.models import adapters
from instructzoo.core.models.load import ModelBundle, open_saved, to_device
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.text import Encoder

TRUNCATED = "cut at max_new_tokens"
"""Count of the answers that did not end by themselves."""

DEAD_END = "ended where no token fits the grammar"
"""Count of the answers, among those held to a grammar, that the vocabulary could not go on with."""


@dataclass(frozen=True)
class Predictor:
    """A model that answers rows. `scores` is what scores.json beside the model says of it, if anything."""

    domain: Domain
    recipe: Recipe
    loaded: ModelBundle
    folder: Path
    scores: dict[str, Any] | None = None
    library: ClassVar[str] = "transformers"
    usage: ClassVar[str] = "transformers opens this folder by its configuration."

    @classmethod
    def load(cls, domain: Domain, folder: Path) -> Self:
        """The model of a weights folder, or of a run directory (its model/).

        Raises ZooError where there is none, or one of another domain.
        """
        model = _model_folder(folder)
        recipe = runs.stored_recipe(model)
        if recipe.domain != domain.name:
            other = f"a model of the domain {recipe.domain}"
            raise ZooError(other, f"one of {domain.name}", f"zoo ... {recipe.domain} --run {folder}", str(folder))
        scores = folder / "scores.json"
        loaded = open_saved(model)
        found = runs.read_json(scores) if scores.is_file() else None
        return cls(domain, recipe, loaded, folder, found)

    def loaded_from(self) -> Path:
        """The folder of the weights themselves: a run's model/, or the bundled folder."""
        return _model_folder(self.folder)

    def untuned(self) -> Self:
        """The same backbone before it was tuned, as a baseline."""
        base = models.load(self.recipe.model, self.recipe.seed, list, tokenizer_at=self.loaded_from())
        return replace(self, loaded=replace(base, model=to_device(base.model.eval())))

    def exported(self, folder: Path, half: bool) -> Self:
        """This model written into `folder` in the plain Hugging Face layout, adapters merged, and opened from there.

        Raises ZooError for a method that no plain model can hold.
        """
        plain = adapters.merged(self.loaded.model)
        end, stop = self.loaded.tokenizer.eos_token_id, self.encoder().stop
        plain.generation_config.eos_token_id = end if stop == end else [end, stop]  # other programs stop there too
        models.save_plain(plain.half() if half else plain, self.loaded.tokenizer, folder)
        return replace(self, loaded=models.open_plain(folder, self.recipe.model))

    @staticmethod
    def alike(one: str, other: str) -> bool:
        """Whether an exported model's answer is this one's."""
        return one == other

    @property
    def constrained(self) -> bool:
        """Whether decoding is constrained to the grammars of the rows: decode.constrained, else as the domain declares.

        Raises ZooError where the recipe asks for it and the domain has no grammar.
        """
        asked = self.recipe.decode.constrained
        if asked and not self.domain.constrained:
            found = f"the domain {self.domain.name} has no grammar of its answers"
            raise ZooError(found, "false", "leave it out", "decode.constrained")
        return self.domain.constrained if asked is None else asked

    def with_constraints(self, constrained: bool) -> Self:
        """The same model with decode.constrained set."""
        decode = self.recipe.decode.model_copy(update={"constrained": constrained})
        return replace(self, recipe=self.recipe.model_copy(update={"decode": decode}))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """How the tokens are spelled. Raises ZooError for a tokenizer that no answer can be held with."""
        return Vocabulary.of(self.loaded.tokenizer)

    def encoder(self) -> Encoder:
        prompts, loaded, model = self.domain.module("prompts"), self.loaded, self.recipe.model
        return Encoder(loaded.tokenizer, prompts, loaded.kind, model.max_tokens, self.recipe.seed, model.template)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """The model's texts, in the order of the rows. Only `instruction` and what render reads are needed."""
        return self.answer_counted(rows)[0]

    def answer_counted(self, rows: Sequence[Row]) -> tuple[list[str], dict[str, int]]:
        """As `answer`, and how many of the texts were cut or had to end: {TRUNCATED: n, DEAD_END: n}."""
        encoder, guide = self.encoder(), self._guide(rows)
        written = self._write(encoder, [_prompt(encoder, row) for row in rows], guide)
        counts = {TRUNCATED: count_truncated(written, self.recipe.decode)} | ({DEAD_END: guide.dead} if guide else {})
        return texts(self.loaded, written), counts

    def stream(self, rows: Iterable[tuple[str, Row]], first: int = 0, batch: int = 256) -> Iterator[tuple[Row, str]]:
        """Rows with their answers, in order, `batch` at a time. rows: (file:line, row); first: the number of the first.

        A row that cannot be read or asked raises ZooError naming its place, once those before it are answered.
        """
        encoder, fault = self.encoder(), None
        source = ((row, _prompt(encoder, row, where)) for where, row in rows)
        while fault is None:
            block: list[tuple[Row, list[int]]] = []
            try:
                for pair in islice(source, batch):
                    block.append(pair)
            except ZooError as error:
                fault = error
            if not block:
                break
            guide = self._guide([row for row, _ in block])
            written = self._write(encoder, [ids for _, ids in block], guide, first)
            yield from zip((row for row, _ in block), texts(self.loaded, written), strict=True)
            first += len(block)
        if fault:
            raise fault

    def _write(
        self, encoder: Encoder, prompts: Sequence[list[int]], guide: AnswerConstraints | None, first: int = 0
    ) -> list[list[int]]:
        return generate_ids(self.loaded, prompts, self.recipe.decode, self.recipe.seed, encoder.stop, first, guide)

    def _guide(self, rows: Sequence[Row]) -> AnswerConstraints | None:
        if not self.constrained:
            return None
        prompts = self.domain.module("prompts")
        return AnswerConstraints(self.vocabulary, lambda number: prompts.constraint(rows[number]))


def _prompt(encoder: Encoder, row: Row, where: str = "") -> list[int]:
    """Ids of the question. Raises ZooError naming `where` for one that is too long."""
    try:
        return encoder.prompt({"input": "", "output": "", **row})
    except ZooError as error:
        raise ZooError(error.found, error.expected, error.fix, error.where or where) from error


def _model_folder(folder: Path) -> Path:
    return folder / "model" if (folder / "manifest.json").is_file() else folder

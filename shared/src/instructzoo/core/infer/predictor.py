"""The predictor: one trained model with the prompt function and the parser that it was trained with.

`zoo eval`, `zoo predict` and the demo answer through it, so what is served is what was scored.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Self

from instructzoo.core import models, runs
from instructzoo.core.domain import Domain
from instructzoo.core.errors import ZooError
from instructzoo.core.infer import trained_labels
from instructzoo.core.infer.answering import answer_prompts
from instructzoo.core.infer.token_spellings import TokenSpellings
from instructzoo.core.models import adapters
from instructzoo.core.models.backbone_checks import longest_prompt
from instructzoo.core.models.load import ModelBundle, open_other, open_saved, to_device
from instructzoo.core.recipe import Recipe
from instructzoo.core.record import Row
from instructzoo.core.shelf import ShelfModel
from instructzoo.core.text import Encoder


@dataclass(frozen=True)
class Predictor:
    """A trained model that answers rows.

    Attributes:
        domain: The domain.
        recipe: The recipe that the model was trained with; its `decode` settings apply.
        loaded: The model with its tokenizer.
        folder: The weights folder or run directory that it was loaded from.
        scores: The content of the scores.json in that folder, if there is one.
        labels: The labels of its training rows, to which answers are held, if the domain declares them.
        model: Its row in the domain's table of models; None for a run or a folder.
        notice: Why it answers in place of the domain's default, to be shown above its answers; empty where it does not.
    """

    domain: Domain
    recipe: Recipe
    loaded: ModelBundle
    folder: Path
    scores: dict[str, Any] | None = None
    labels: trained_labels.Labels | None = None
    model: ShelfModel | None = None
    notice: str = ""
    library: ClassVar[str] = "transformers"
    usage: ClassVar[str] = "transformers opens this folder by its configuration."

    @classmethod
    def load(cls, domain: Domain, folder: Path) -> Self:
        """Load a model.

        Args:
            domain: The domain of the model.
            folder: A weights folder, or a run directory, whose model/ is loaded.

        Returns:
            The predictor, its model in evaluation mode on the device that is in use.

        Raises:
            ZooError: There is no model, a file of it was changed since it was saved, or it is one of another domain.

        Example:
            >>> predictor = Predictor.load(domain, domain.bundled_model())
            >>> predictor.answer([{"instruction": "What is 12 + 30?"}])
        """
        model_folder = runs.model_folder(folder)
        recipe = runs.stored_recipe(model_folder)
        if recipe.domain != domain.name:
            found = f"a model of the domain {recipe.domain}"
            raise ZooError(found, f"one of {domain.name}", f"zoo ... {recipe.domain} --model {folder}", str(folder))
        model, labels = domain.shelf_model(folder), trained_labels.read(domain, model_folder)
        predictor = cls(domain, recipe, open_saved(model_folder), folder, runs.scores_of(folder), labels, model)
        return predictor.merged() if model is not None and model.kind == "small" else predictor

    @classmethod
    def of_folder(cls, domain: Domain, folder: Path, recipe: Recipe) -> Self:
        """Open a model of another program, with the settings of a recipe. Raises ZooError if it is damaged.

        Args:
            domain: The domain, in whose prompts it is asked.
            folder: A model in the Hugging Face layout, or an adapter of peft on the recipe's backbone.
            recipe: Its `model` and `decode` apply.
        """
        return cls(domain, recipe, open_other(folder, recipe), folder, None, trained_labels.read(domain, folder))

    @property
    def prompts(self) -> Any:
        """The module that renders questions for this model and reads its answers: the domain's, or its dialect's."""
        return self.domain.prompts(self.recipe.model.dialect)

    def merged(self) -> Self:
        """The same model with its adapter merged into the base, which answers the same in less time."""
        return replace(self, loaded=replace(self.loaded, model=adapters.merged(self.loaded.model)))

    def loaded_from(self) -> Path:
        """The folder of the weights themselves: a run's model/, or the bundled folder."""
        return _model_folder(self.folder)

    def untuned(self) -> Self:
        """The same backbone before it was tuned, as a baseline. Raises ZooError for a model that was not tuned here."""
        if self.recipe.model.backbone == str(self.folder):
            raise ZooError("it was not tuned here, so that its base is not known")
        base = models.load(self.recipe.model, self.recipe.seed, list, tokenizer_folder=self.loaded_from())
        return replace(self, loaded=replace(base, model=to_device(base.model.eval())))

    def exported(self, folder: Path, half: bool) -> Self:
        """Save the model in the plain Hugging Face layout, with adapters merged, and load it from there.

        Args:
            folder: The folder to write to.
            half: Whether weights are saved in float16.

        Returns:
            A predictor with the exported model.

        Raises:
            ZooError: The method cannot be merged into a plain model.
        """
        plain = adapters.merged(self.loaded.model)
        encoder, tokenizer = self.encoder(), copy.deepcopy(self.loaded.tokenizer)
        tokenizer.chat_template = encoder.chat_template or tokenizer.chat_template
        eos_id, stop_id = tokenizer.eos_token_id, encoder.stop
        # other programs must stop at the same tokens
        plain.generation_config.eos_token_id = eos_id if stop_id == eos_id else [eos_id, stop_id]
        models.save_plain(plain.half() if half else plain, tokenizer, folder)
        trained_labels.write(self.labels, folder)
        return replace(self, loaded=models.open_plain(folder, self.recipe.model))

    @staticmethod
    def same_answer(answer: str, other_answer: str) -> bool:
        """Whether an exported model's answer counts as the same as this model's.

        Args:
            answer: Text of one of the two models.
            other_answer: Text of the other one.

        Returns:
            True if the texts are equal; a domain may compare what they say instead.
        """
        return answer == other_answer

    @property
    def constrained(self) -> bool:
        """Whether decoding is constrained to the grammars of the rows: decode.constrained, or the domain's default.

        Raises:
            ZooError: The recipe sets decode.constrained, and the domain, or the dialect of the model, has no grammar.
        """
        setting, dialect = self.recipe.decode.constrained, self.recipe.model.dialect
        has_grammar = self.domain.constrained and not dialect
        if setting and not has_grammar:
            name = f"the prompt dialect {dialect}" if dialect else f"the domain {self.domain.name}"
            raise ZooError(f"{name} has no grammar of its answers", "false", "leave it out", "decode.constrained")
        return has_grammar if setting is None else setting

    def with_constraints(self, constrained: bool) -> Self:
        """The same model with decode.constrained set.

        Args:
            constrained: Whether decoding is constrained to the domain's grammar.

        Returns:
            A predictor that shares this one's weights.
        """
        return self._with_decode(constrained=constrained)

    def sampling(self, temperature: float, top_p: float) -> Self:
        """The same model with answers that are drawn, for texts of which many different ones are wanted.

        Args:
            temperature: decode.temperature; 0 is greedy.
            top_p: decode.top_p.

        Returns:
            A predictor that shares this one's weights.
        """
        return self._with_decode(temperature=temperature, top_p=top_p)

    def _with_decode(self, **settings: Any) -> Self:
        decode = self.recipe.decode.model_copy(update=settings)
        return replace(self, recipe=self.recipe.model_copy(update={"decode": decode}))

    @cached_property
    def token_spellings(self) -> TokenSpellings:
        """The bytes of the tokens. Raises ZooError if the tokenizer cannot be constrained."""
        return TokenSpellings.from_tokenizer(self.loaded.tokenizer)

    def encoder(self) -> Encoder:
        """The encoder that renders and tokenizes questions as in training, as long as the model has positions for."""
        return self._encoder

    @cached_property
    def _encoder(self) -> Encoder:
        prompts, loaded, model = self.prompts, self.loaded, self.recipe.model
        limit = longest_prompt(loaded.model, loaded.kind, self.recipe.decode.max_new_tokens)
        max_tokens = model.max_tokens if limit is None else min(limit, model.max_tokens)
        return replace(Encoder.of_recipe(self.recipe, prompts, loaded.tokenizer, loaded.kind), max_tokens=max_tokens)

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """Answer rows.

        Args:
            rows: The questions; only `instruction` and the columns that the domain's `render` reads are needed.

        Returns:
            The model's texts, in the order of the rows.

        Raises:
            ZooError: A question is malformed or longer than the model can read.
        """
        return self.answer_counted(rows)[0]

    def answer_counted(
        self, rows: Sequence[Row], on_answered: Callable[[int], None] | None = None
    ) -> tuple[list[str], dict[str, int]]:
        """Answer rows, and count the answers that did not end by themselves.

        Args:
            rows: As for `answer`.
            on_answered: Called with the number of rows that are answered, whenever it has grown.

        Returns:
            The texts, and {TRUNCATED: n}, with DEAD_END: n as well if decoding is constrained.

        Raises:
            ZooError: As for `answer`.
        """
        encoder = self.encoder()
        prompts = [_prompt_ids(encoder, row) for row in rows]
        return answer_prompts(self, rows, prompts, on_answered=on_answered)

    def stream(self, rows: Iterable[tuple[str, Row]], first: int = 0, batch: int = 256) -> Iterator[tuple[Row, str]]:
        """Answer a stream of rows.

        Args:
            rows: Pairs of the row's position (file:line) and the row.
            first: The number of the first row, on which sampled answers depend.
            batch: The number of rows that are read and answered at a time.

        Yields:
            Each row with its answer, in order.

        Raises:
            ZooError: A row cannot be read or rendered; the message names its position. The rows before it are answered
                first.
        """
        encoder, error = self.encoder(), None
        prompts = ((row, _prompt_ids(encoder, row, where)) for where, row in rows)
        while error is None:
            block: list[tuple[Row, list[int]]] = []
            try:
                for pair in islice(prompts, batch):
                    block.append(pair)
            except ZooError as raised:
                error = raised
            if not block:
                break
            block_rows = [row for row, _ in block]
            texts, _ = answer_prompts(self, block_rows, [prompt for _, prompt in block], first)
            yield from zip(block_rows, texts, strict=True)
            first += len(block)
        if error:
            raise error


def _prompt_ids(encoder: Encoder, row: Row, where: str = "") -> list[int]:
    """Token ids of the question. Raises ZooError that names `where` if it is too long."""
    try:
        return encoder.prompt({"input": "", "output": "", **row})
    except ZooError as error:
        raise ZooError(error.found, error.expected, error.fix, error.where or where) from error


def _model_folder(folder: Path) -> Path:
    return folder / "model" if (folder / "manifest.json").is_file() else folder

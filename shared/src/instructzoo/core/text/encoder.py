"""Rows to input_ids and labels: the segments of a prompt are tokenized in one pass, each with its supervised flag.

    [("2 + 3\\nAnswer: ", False), ("5", True)]    segments, as prompts.render gives them
    input_ids  [ 2  + 3 \\n Answer:  5  <eos> ]
    labels     [ -  - - -  -        5  <eos> ]    "-" is IGNORE_INDEX

Which tokens are supervised is known from the segments and never searched for in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice, takewhile
from typing import Any, NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.recipe import TEMPLATE_DATE, Recipe
from instructzoo.core.record import Row, Segment
from instructzoo.core.text.chat_template import Chat, ChatTurn
from instructzoo.core.text.template_rendering import TemplateRenderer
from instructzoo.core.text.text_tokenizer import TextTokenizer

IGNORE_INDEX = -100
"""Label of a token that is read and not a target: torch's cross-entropy ignores it."""

ROWS_PER_CALL = 8192
"""Rows whose texts go to the tokenizer in one call."""


class Encoded(NamedTuple):
    """Token ids of a row. Causal: input_ids and labels have one length. Seq2seq: source and target."""

    input_ids: list[int]
    labels: list[int]

    @property
    def num_supervised(self) -> int:
        """Tokens with a label."""
        return sum(label != IGNORE_INDEX for label in self.labels)


@dataclass(frozen=True)
class Encoder:
    """Encodes rows for training and prompts for generation, both from the same segments.

    Args:
        tokenizer: A transformers tokenizer with an end-of-sequence token.
        prompts: The domain's module with `render(row, seed) -> list[Segment]`.
        kind: "causal" or "seq2seq".
        max_tokens: Limit of prompt plus target (causal), or of each (seq2seq).
        seed: Passed to `render`.
        template: "plain", or "chat" to put the segments into the tokenizer's own chat template.
        template_date: The date that a chat template is told.
        dialect: The name of the prompt format that `prompts` writes; "" for the domain's own.
        stop_token: The token that ends a plain answer; None for the tokenizer's end of sequence.

    Raises:
        ZooError: The tokenizer has no end-of-sequence token or not this stop token, or a chat template is asked for and
            cannot be used.
    """

    tokenizer: Any
    prompts: Any
    kind: str
    max_tokens: int
    seed: int = 0
    template: str = "plain"
    template_date: date = TEMPLATE_DATE
    dialect: str = ""
    stop_token: str | None = None

    def __post_init__(self) -> None:
        if self.tokenizer.eos_token_id is None:
            raise ZooError(
                "the tokenizer has no end-of-sequence token",
                "eos_token",
                "a model without one never learns to stop; choose another",
            )
        if self.stop_token is not None:
            self._check_stop_token(self.stop_token)
        if self.template == "chat" and self.kind == "seq2seq":
            raise ZooError("a chat template for a seq2seq backbone", "plain", "set it", "model.template")
        if self._chat:
            _ = self._chat.frame  # a template without a stop token is refused before any row is read

    @classmethod
    def of_recipe(cls, recipe: Recipe, prompts: Any, tokenizer: Any, kind: str) -> Encoder:
        """Return the encoder of a recipe, the same for training and for serving.

        Args:
            recipe: Its seed and `model` settings apply.
            prompts: The domain's module.
            tokenizer: The tokenizer of the model.
            kind: "causal" or "seq2seq".
        """
        model = recipe.model
        return cls(
            tokenizer,
            prompts,
            kind,
            model.max_tokens,
            recipe.seed,
            model.template,
            model.template_date,
            model.dialect,
            model.stop_token,
        )

    def _check_stop_token(self, token: str) -> None:
        where = "model.stop_token"
        if self.template == "chat":
            raise ZooError(f'"{token}" with a chat template, which has its own', "none", "leave it out", where)
        if token not in self.tokenizer.get_vocab():
            raise ZooError(f'no token "{token}" in the tokenizer', "one of its tokens", "see tokenizer.json", where)

    @property
    def stop(self) -> int:
        """Id of the token that ends every answer: the model is trained to write it and generation stops at it."""
        if self.stop_token is not None:
            return int(self.tokenizer.convert_tokens_to_ids(self.stop_token))
        stop_token_id: int = self._chat.frame.token if self._chat else self.tokenizer.eos_token_id
        return stop_token_id

    @property
    def chat_template(self) -> str | None:
        """The chat template with the date and the other values that it is given here; None for plain prompts."""
        return self._chat.exported_template if self._chat else None

    def encode(self, row: Row) -> Encoded:
        """Encode a training row of one answer, or of several under a chat template that keeps earlier turns.

        Raises:
            ZooError: No text is supervised, the target would be cut at max_tokens, or it has an unknown character.
        """
        (encoded,) = self.encode_all([row])
        return encoded

    def encode_all(self, rows: Iterable[Row]) -> list[Encoded]:
        """Encode many training rows with few calls of the tokenizer.

        Args:
            rows: The rows.

        Returns:
            One for each row, in order. A conversation whose earlier turns the chat template rewrites gives one for each
            of its answers.

        Raises:
            ZooError: As for `encode`.
        """
        iterator, encoded = iter(rows), []
        while block := list(islice(iterator, ROWS_PER_CALL)):
            sequences = [(row, turns) for row in block for turns in self._render(row)]
            token_ids = iter(self._text_tokenizer.encode([turn.pieces for _, turns in sequences for turn in turns]))
            for row, turns in sequences:
                joined = self._join([(next(token_ids), turn.supervised) for turn in turns])
                self._check(row, joined)
                encoded.append(joined)
        return encoded

    def prompt(self, row: Row) -> list[int]:
        """Return the input_ids that the model reads before it answers, equal to those of training.

        Raises:
            ZooError: They are more than max_tokens.
        """
        segments = self.prompts.render(row, self.seed)
        if self._chat:
            (input_ids,) = self._text_tokenizer.encode([self._chat.question(segments)])
        else:
            prompt = takewhile(lambda segment: not segment.supervised, segments)
            input_ids = [*self._bos, *(token for segment in prompt for token in self.tokenize(segment.text))]
        if self.kind == "seq2seq":
            input_ids.append(self.tokenizer.eos_token_id)
        if len(input_ids) > self.max_tokens:
            raise ZooError(f"the question takes {len(input_ids)} tokens", f"at most {self.max_tokens}", "shorten it")
        return input_ids

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text, without special tokens around them and without any that it spells out."""
        return self._text_tokenizer.encode_text(text)

    def _render(self, row: Row) -> list[list[ChatTurn]]:
        """Return the sequences of a training row, in the chat template if there is one; refuse a row without any."""
        segments: list[Segment] = self.prompts.render(row, self.seed)
        supervised = [s.supervised for s in segments if s.text]
        if not any(supervised):
            raise ZooError(f"row {row.get('id', '')} has no supervised text", "an output to learn", "drop the row")
        if self.kind == "seq2seq" and supervised != sorted(supervised):
            problem = f"row {row.get('id', '')} is read on after its target begins"
            raise ZooError(
                problem, "all that is read before all that is learnt", "take a causal backbone for dialogues"
            )
        if self._chat:
            return self._chat.sequences(segments)
        return [[ChatTurn([segment.text], segment.supervised) for segment in segments]]

    def _join(self, segments: Sequence[tuple[list[int], bool]]) -> Encoded:
        """Join tokenized segments; the stop token is supervised if the last segment is. A chat template has its own."""
        stop = self.stop
        if self.kind == "seq2seq":
            source = [token for token_ids, supervised in segments if not supervised for token in token_ids]
            target = [token for token_ids, supervised in segments if supervised for token in token_ids]
            return Encoded([*self._bos, *source, self.tokenizer.eos_token_id], [*target, stop])
        input_ids = list(self._bos)
        labels = [IGNORE_INDEX] * len(input_ids)
        for token_ids, supervised in segments:
            input_ids += token_ids
            labels += token_ids if supervised else [IGNORE_INDEX] * len(token_ids)
        if self._chat:
            return Encoded(input_ids, labels)
        last_is_supervised = segments[-1][1]
        return Encoded([*input_ids, stop], [*labels, stop if last_is_supervised else IGNORE_INDEX])

    def _check(self, row: Row, encoded: Encoded) -> None:
        """Raise ZooError for a target with an unknown character and for a row of more than max_tokens."""
        unknown = self.tokenizer.unk_token_id
        if unknown not in (None, self.tokenizer.eos_token_id, self.stop) and unknown in encoded.labels:
            problem = f"the target of row {row.get('id', '')} holds a character that the tokenizer does not know"
            raise ZooError(problem, "targets that the model can write", "drop the row, or choose another tokenizer")
        longest = max(len(encoded.input_ids), len(encoded.labels))
        if longest > self.max_tokens:
            raise ZooError(
                f"row {row.get('id', '')} takes {longest} tokens, its target would be cut",
                f"at most model.max_tokens = {self.max_tokens}",
                "raise it, or drop the row",
            )

    @cached_property
    def _chat(self) -> Chat | None:
        return Chat(TemplateRenderer(self.tokenizer, self.template_date)) if self.template == "chat" else None

    @cached_property
    def _text_tokenizer(self) -> TextTokenizer:
        return self._chat.renderer.text_tokenizer if self._chat else TextTokenizer(self.tokenizer)

    @cached_property
    def _bos(self) -> list[int]:
        """The beginning-of-sequence token, if the tokenizer adds one by itself. A chat template writes its own."""
        if self._chat or self.tokenizer.bos_token_id is None:
            return []
        if self.kind == "seq2seq" and self.tokenizer.bos_token_id == self.tokenizer.eos_token_id:
            return []  # what it adds is the end
        return [token for token in self.tokenizer("")["input_ids"] if token == self.tokenizer.bos_token_id]


@dataclass(frozen=True)
class Lengths:
    """Tokens per row and supervised tokens per row of a split."""

    total: Sequence[int]
    supervised: Sequence[int]

    @property
    def supervised_share(self) -> float:
        """Share of supervised tokens among all tokens."""
        return sum(self.supervised) / max(1, sum(self.total))

    def histograms(self, bins: int = 24) -> dict[str, Any]:
        """Return {"total": {"edges", "counts"}, "supervised": ..., "supervised_share", "rows"} for the report."""
        import numpy as np

        histograms: dict[str, Any] = {"supervised_share": self.supervised_share, "rows": len(self.total)}
        for name, values in (("total", self.total), ("supervised", self.supervised)):
            counts, edges = np.histogram(values, bins=min(bins, max(1, max(values) - min(values))))
            histograms[name] = {"edges": edges.tolist(), "counts": counts.tolist()}
        return histograms


def lengths(encoded: Sequence[Encoded]) -> Lengths:
    """Return the lengths of encoded rows; of a seq2seq row the longer of source and target counts."""
    total = [max(len(row.input_ids), len(row.labels)) for row in encoded]
    return Lengths(total, [row.num_supervised for row in encoded])

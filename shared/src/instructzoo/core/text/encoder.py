"""Segments -> ids and labels in one pass. The boundary of supervision is known, never searched for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, takewhile
from typing import Any, NamedTuple

from instructzoo.core.errors import ZooError
from instructzoo.core.record import Row, Segment
from instructzoo.core.text.chat_template import Chat

IGNORE_INDEX = -100
"""Label of a token that is read and not learnt (torch's cross-entropy ignores it)."""


BLOCK = 8192
"""Rows whose texts go to the tokenizer together."""


class Encoded(NamedTuple):
    """Causal: ids and labels of one length. Seq2seq: ids is the source, labels the target."""

    ids: list[int]
    labels: list[int]

    @property
    def supervised(self) -> int:
        return sum(label != IGNORE_INDEX for label in self.labels)


@dataclass(frozen=True)
class Encoder:
    """How rows become ids. kind: "causal" or "seq2seq"; max_tokens bounds prompt plus target (causal) or each.

    template: "plain", or "chat" for the tokenizer's own chat template around the domain's prompt.
    """

    tokenizer: Any
    prompts: Any
    kind: str
    max_tokens: int
    seed: int = 0
    template: str = "plain"

    def __post_init__(self) -> None:
        if self.tokenizer.eos_token_id is None:
            raise ZooError(
                "the tokenizer has no end-of-sequence token",
                "eos_token",
                "a model without one never learns to stop; choose another",
            )
        if self.template == "chat" and self.kind == "seq2seq":
            raise ZooError("a chat template for a seq2seq backbone", "plain", "set it", "model.template")
        if self._chat:
            _ = self._chat.end  # a template without a stop token is refused before any row is read

    @property
    def stop(self) -> int:
        """The id that the model learns to end its answers with, and that generation must stop at."""
        end: int = self._chat.end.token if self._chat else self.tokenizer.eos_token_id
        return end

    def encode(self, row: Row) -> Encoded:
        """Ids and labels of a training row. Raises ZooError where nothing is supervised or the target is cut."""
        return self.encode_all([row])[0]

    def encode_all(self, rows: Iterable[Row]) -> list[Encoded]:
        """As `encode`, for many rows: their texts go through the tokenizer in blocks. The first faulty row stops it."""
        source, encoded = iter(rows), []
        while block := list(islice(source, BLOCK)):
            segments = [self._render(row) for row in block]
            pieces = iter(self._pieces([text for row in segments for text, _ in row]))
            for row, parts in zip(block, segments, strict=True):
                joined = self._join([(next(pieces), supervised) for _, supervised in parts])
                self._check(row, joined)
                encoded.append(joined)
        return encoded

    def prompt(self, row: Row) -> list[int]:
        """Ids that the model reads before it answers: the pass of training, up to the first supervised piece."""
        segments = self.prompts.render(row, self.seed)
        if self._chat:
            ids = self.pieces(self._chat.question(segments))
        else:
            read = takewhile(lambda segment: not segment.supervised, segments)
            ids = [*self._opening, *(i for segment in read for i in self.pieces(segment.text))]
        if self.kind == "seq2seq":
            ids.append(self.tokenizer.eos_token_id)
        if len(ids) > self.max_tokens:
            raise ZooError(f"the question takes {len(ids)} tokens", f"at most {self.max_tokens}", "shorten it")
        return ids

    def pieces(self, text: str) -> list[int]:
        return self._pieces([text])[0]

    def _pieces(self, texts: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids

    def _render(self, row: Row) -> list[Segment]:
        segments: list[Segment] = self.prompts.render(row, self.seed)
        order = [s.supervised for s in segments if s.text]
        if not any(order):
            raise ZooError(f"row {row.get('id', '')} has no supervised text", "an output to learn", "drop the row")
        if self.kind == "seq2seq" and order != sorted(order):
            found = f"row {row.get('id', '')} is read on after its target begins"
            raise ZooError(found, "all that is read before all that is learnt", "take a causal backbone for dialogues")
        return self._chat.turns(segments) if self._chat else segments

    def _join(self, parts: Sequence[tuple[list[int], bool]]) -> Encoded:
        """The stop token is learnt wherever the last word is the model's. A chat template brings its own."""
        end = self.stop
        if self.kind == "seq2seq":
            source = [i for ids, supervised in parts if not supervised for i in ids]
            target = [i for ids, supervised in parts if supervised for i in ids]
            return Encoded([*source, end], [*target, end])
        ids = list(self._opening)
        labels = [IGNORE_INDEX] * len(ids)
        for piece, supervised in parts:
            ids += piece
            labels += piece if supervised else [IGNORE_INDEX] * len(piece)
        if self._chat:
            return Encoded(ids, labels)
        return Encoded([*ids, end], [*labels, end if parts[-1][1] else IGNORE_INDEX])

    def _check(self, row: Row, encoded: Encoded) -> None:
        unknown = self.tokenizer.unk_token_id
        if unknown is not None and unknown != self.tokenizer.eos_token_id and unknown in encoded.labels:
            found = f"the target of row {row.get('id', '')} holds a character that the tokenizer does not know"
            raise ZooError(found, "targets that the model can write", "drop the row, or choose another tokenizer")
        longest = max(len(encoded.ids), len(encoded.labels))
        if longest > self.max_tokens:
            raise ZooError(
                f"row {row.get('id', '')} takes {longest} tokens, its target would be cut",
                f"at most model.max_tokens = {self.max_tokens}",
                "raise it, or drop the row",
            )

    @cached_property
    def _chat(self) -> Chat | None:
        return Chat(self.tokenizer) if self.template == "chat" else None

    @cached_property
    def _opening(self) -> list[int]:
        """The tokenizer's own opening token, where its model was trained with one. A chat template writes it itself."""
        if self._chat or self.kind == "seq2seq" or self.tokenizer.bos_token_id is None:
            return []
        return [i for i in self.tokenizer("")["input_ids"] if i == self.tokenizer.bos_token_id]


@dataclass(frozen=True)
class Lengths:
    """What a set costs: tokens per row, supervised tokens per row, and the shares over the whole set."""

    total: list[int]
    supervised: list[int]

    @property
    def supervised_share(self) -> float:
        return sum(self.supervised) / max(1, sum(self.total))

    def histograms(self, bins: int = 24) -> dict[str, Any]:
        """{"total": {"edges", "counts"}, "supervised": ..., "supervised_share"} for the report."""
        import numpy as np

        shown: dict[str, Any] = {"supervised_share": self.supervised_share, "rows": len(self.total)}
        for name, values in (("total", self.total), ("supervised", self.supervised)):
            counts, edges = np.histogram(values, bins=min(bins, max(1, max(values) - min(values))))
            shown[name] = {"edges": edges.tolist(), "counts": counts.tolist()}
        return shown


def lengths(encoded: Sequence[Encoded]) -> Lengths:
    return Lengths([max(len(e.ids), len(e.labels)) for e in encoded], [e.supervised for e in encoded])

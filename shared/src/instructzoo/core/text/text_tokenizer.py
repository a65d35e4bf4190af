"""Tokenizing texts so that a control token spelled out in a text stays text.

    transformers   "Use the </s> tag"   Use · the · </s> · tag              the text ends the sequence
    here           "Use the </s> tag"   Use · the · < · / · s · > · tag     the text is text

Control tokens are written by a chat template alone. A text with such tokens is given as pieces: strings, and the id of
each control token between them. Texts that spell none get the same ids as from transformers.
"""

from __future__ import annotations

import json
import re
import secrets
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from instructzoo.core.errors import ZooError

Piece = str | int
"""A piece of a text to tokenize: literal text, or the id of a control token."""


@dataclass(frozen=True)
class TextTokenizer:
    """Tokenizes texts; what users write never becomes a control token.

    Args:
        tokenizer: A tokenizer of transformers. Its state is not changed.
        template_tokens: Ids of added tokens that are not special, and with which a chat template marks its turns.

    Attributes:
        secret: Letters of the private spellings of control tokens, drawn anew for each tokenizer, so that no text
            contains them.
    """

    tokenizer: Any
    template_tokens: frozenset[int] = frozenset()
    secret: str = field(default_factory=lambda: _random_letters(20), init=False, repr=False, compare=False)

    @cached_property
    def control(self) -> dict[int, str]:
        """The spelling of each control token by id: special tokens and `template_tokens`."""
        added = self.tokenizer.added_tokens_decoder
        token_ids = {*self.tokenizer.all_special_ids, *self.template_tokens}
        token_ids |= {token_id for token_id, token in added.items() if token.special}
        return {
            token_id: added[token_id].content if token_id in added else self.tokenizer.convert_ids_to_tokens(token_id)
            for token_id in sorted(token_ids)
        }

    def encode(self, texts: Sequence[Sequence[Piece]]) -> list[list[int]]:
        """Tokenize texts.

        Args:
            texts: The pieces of each text.

        Returns:
            The token ids of each text, without special tokens around them. Characters that the tokenizer does not know
            are its unknown token.

        Raises:
            ZooError: The tokenizer has no other way to write a control token that a text spells out.
        """
        if not texts:
            return []
        spelled = ["".join(p if isinstance(p, str) else self.control[p] for p in pieces) for pieces in texts]
        encoded = self.tokenizer(spelled, add_special_tokens=False)["input_ids"]
        return [
            token_ids if self._holds_only_own_tokens(pieces, token_ids) else self._encode_literally(pieces)
            for pieces, token_ids in zip(texts, encoded, strict=True)
        ]

    def encode_text(self, text: str) -> list[int]:
        """Tokenize one text without control tokens. Raises ZooError as `encode` does."""
        return self.encode([[text]])[0]

    def spells_control_token(self, text: str) -> bool:
        """Whether transformers would read a control token in a text."""
        token_ids = self.tokenizer([text], add_special_tokens=False)["input_ids"][0]
        return not self._holds_only_own_tokens([text], token_ids)

    def _holds_only_own_tokens(self, pieces: Sequence[Piece], token_ids: Sequence[int]) -> bool:
        """Whether the control tokens among `token_ids` are those of `pieces`."""
        own = [piece for piece in pieces if not isinstance(piece, str)]
        if not own and self._control_ids.isdisjoint(token_ids):
            return True
        ignored = self._ignored_unknown(pieces)
        found = [i for i in token_ids if i in self.control and i != ignored]
        return found == [i for i in own if i != ignored]

    def _ignored_unknown(self, pieces: Sequence[Piece]) -> int | None:
        """The unknown token, which stands for an unknown character where no text spells it out."""
        unknown: int | None = self.tokenizer.unk_token_id
        if unknown is None or any(isinstance(piece, str) and self.control[unknown] in piece for piece in pieces):
            return None
        return unknown

    def _encode_literally(self, pieces: Sequence[Piece]) -> list[int]:
        """Tokenize a text that spells out a control token."""
        if self.tokenizer.is_fast:
            spelled = "".join(p if isinstance(p, str) else self._private_spellings[p] for p in pieces)
            token_ids: list[int] = self._literal_backend.encode(spelled, add_special_tokens=False).ids
        else:
            token_ids = list(self._encode_piecewise(pieces))
        own, unknown = {p for p in pieces if not isinstance(p, str)}, self.tokenizer.unk_token_id
        for token_id in token_ids:
            if token_id in self.control and token_id not in own and token_id != unknown:
                problem = f"the tokenizer can write the text {self.control[token_id]!r} only as its control token"
                raise ZooError(problem, "texts that do not spell it out", "change the text, or take another backbone")
        return token_ids

    def _encode_piecewise(self, pieces: Sequence[Piece]) -> Iterator[int]:
        """Tokenize as transformers' tokenizers in Python do: the texts between added tokens one by one."""
        added = {t.content: i for i, t in self.tokenizer.added_tokens_decoder.items() if i not in self.control}
        longest_first = sorted(added, key=len, reverse=True)
        vocabulary = re.compile(f"({'|'.join(map(re.escape, longest_first)) or '(?!)'})")
        for piece in pieces:
            if not isinstance(piece, str):
                yield piece
                continue
            for part in filter(None, vocabulary.split(piece)):
                if part in added:
                    yield added[part]
                else:
                    yield from self.tokenizer(part, add_special_tokens=False, split_special_tokens=True)["input_ids"]

    @cached_property
    def _control_ids(self) -> frozenset[int]:
        return frozenset(self.control)

    @cached_property
    def _private_spellings(self) -> dict[int, str]:
        """Spellings of the control tokens that no text contains; every thread that asks for them gets the same."""
        names = {i: "".join(string.ascii_lowercase[int(digit)] for digit in str(i)) for i in self.control}
        return {i: f"\U0010fffd{self.secret}-{name}\U0010fffd" for i, name in names.items()}

    @cached_property
    def _literal_backend(self) -> Any:
        """A copy of the fast tokenizer in which the control tokens have private spellings.

        Not to recognise the spellings (`split_special_tokens`) is not enough: the vocabulary of a unigram, word or
        sentencepiece model may hold them. Nor may the tokenizer itself be switched: other threads use it.
        """
        from tokenizers import AddedToken, Tokenizer

        layout = json.loads(self.tokenizer.backend_tokenizer.to_str())
        private = {spelling: self._private_spellings[i] for i, spelling in self.control.items()}
        added = set()
        for token in layout["added_tokens"]:
            added.add(token["content"])
            token["content"] = private.get(token["content"], token["content"])
        _rename(layout["model"], private)
        layout["post_processor"] = layout["truncation"] = layout["padding"] = None
        backend = Tokenizer.from_str(json.dumps(layout))
        backend.add_special_tokens(
            [AddedToken(name, normalized=False) for spelling, name in private.items() if spelling not in added]
        )
        return backend


def _random_letters(number: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(number))


def _rename(model: dict[str, Any], names: dict[str, str]) -> None:
    """Rename entries of the vocabulary of a tokenizers model, as tokenizer.json has it; merges to them are dropped."""
    vocabulary = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(piece, piece): token_id for piece, token_id in vocabulary.items()}
    else:  # unigram: pairs of piece and score
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
    if isinstance(model.get("unk_token"), str):
        model["unk_token"] = names.get(model["unk_token"], model["unk_token"])
    if "merges" in model:
        prefix = model.get("continuing_subword_prefix") or ""
        model["merges"] = [
            (left, right)
            for left, right in model["merges"]
            if not {left, right, left + right.removeprefix(prefix)} & names.keys()
        ]

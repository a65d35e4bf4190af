"""Decoding held to a grammar: of the vocabulary only tokens whose bytes may follow, the stop token where it may end.

The tokens of a tokenizer are spelled once and put into a tree. At every step of a row, tree and automaton are walked
together, so only branches that the grammar allows are looked at; where the likeliest token is allowed, none is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import Constraint, State, advance

SPACE = 0x20

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(slots=True)
class Branch:
    """A node of the tree of tokens: ids of those that are spelled out here, and where each further byte leads."""

    ids: list[int] = field(default_factory=list)
    after: dict[int, Branch] = field(default_factory=dict)


@dataclass(frozen=True)
class Vocabulary:
    """How the tokens of one tokenizer are spelled. pieces: bytes by id; None for special ones, which are never written.

    swallows: an answer's first token loses the space that it begins with (sentencepiece).
    """

    pieces: tuple[bytes | None, ...]
    swallows: bool = False

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        """Raises ZooError for a tokenizer whose tokens stand for no fixed bytes."""
        spell, swallows = _speller(tokenizer)
        special = set(tokenizer.all_special_ids)
        added = {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
        special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        pieces: list[bytes | None] = [None] * len(tokenizer)
        for piece, number in tokenizer.get_vocab().items():
            if number not in special:
                pieces[number] = added[number].encode() if number in added else spell(piece)
        return cls(tuple(pieces), swallows)

    def spelled(self, token: int, opening: bool) -> bytes | None:
        """The bytes of a token. opening: whether it is the answer's first."""
        piece = self.pieces[token] if token < len(self.pieces) else None
        if opening and self.swallows and piece and piece[:1] == b" ":
            return piece[1:]
        return piece

    def allowed(self, constraint: Constraint, state: State, opening: bool) -> list[int]:
        """Ids of the tokens that may be written in this state."""
        found: list[int] = []
        waiting = [(self._opening if opening and self.swallows else self._tree, state)]
        while waiting:
            branch, here = waiting.pop()
            found += branch.ids
            if branch.after:
                following = constraint.following(here)
                few, many = sorted((branch.after, following), key=len)
                waiting += [(branch.after[byte], following[byte]) for byte in few if byte in many]
        return found

    @cached_property
    def _tree(self) -> Branch:
        return self._grown(opening=False)

    @cached_property
    def _opening(self) -> Branch:
        return self._grown(opening=True)

    def _grown(self, opening: bool) -> Branch:
        root = Branch()
        for token in range(len(self.pieces)):
            spelled = self.spelled(token, opening)
            if spelled is None or not (spelled or opening):  # a token of no bytes could be written for ever
                continue
            branch = root
            for byte in spelled:
                branch = branch.after.get(byte) or branch.after.setdefault(byte, Branch())
            branch.ids.append(token)
        return root


@dataclass
class Walk:
    """Where an answer is in its grammar. opening: nothing is written yet."""

    constraint: Constraint
    state: State
    opening: bool = True


@dataclass
class AnswerConstraints:
    """What holds the rows of one call to their grammars. grammar: that of a row by its number, None where it is free.

    A grammar is made when its row begins and forgotten when it ends: there are never more than rows in a batch. A row
    at a dead end (no token spells what the grammar wants, which a vocabulary without all bytes can bring about) ends
    there; `dead` counts them. stops: ids that end an answer; `generate_ids` sets them.
    """

    vocabulary: Vocabulary
    grammar: Callable[[int], Constraint | None]
    stops: Collection[int] = ()
    dead: int = 0
    _walks: dict[int, Walk | None] = field(default_factory=dict)

    def restrict(self, rows: Sequence[int | None], logits: Tensor, greedy: bool) -> Tensor:
        """Logits [b, v] with -inf where a row may not go on; None stands for a row that has ended.

        greedy: only the likeliest token counts, so a row that is allowed it is left as it is.
        """
        likeliest = logits.argmax(-1).tolist() if greedy else []
        held = logits
        for i, row in enumerate(rows):
            walk = None if row is None else self._walk(row)
            if walk is None or (greedy and self._permits(walk, likeliest[i])):
                continue
            if held is logits:
                held = logits.clone()
            ids = torch.tensor(self._ids(walk), device=logits.device)
            held[i] = float("-inf")
            held[i, ids] = logits[i, ids]
        return held

    def take(self, row: int, token: int) -> None:
        """Tell that this token, which is no stop token, was written to this row."""
        walk = self._walk(row)
        if walk is None:
            return
        state = self._after(walk, token)
        if state is None:
            raise ValueError(f"token {token} was written to row {row} against its grammar")
        walk.state, walk.opening = state, False

    def drop(self, row: int) -> None:
        """Tell that this row has ended."""
        self._walks.pop(row, None)

    def _walk(self, row: int) -> Walk | None:
        if row not in self._walks:
            constraint = self.grammar(row)
            self._walks[row] = None if constraint is None else Walk(constraint, self._start(constraint))
        return self._walks[row]

    def _start(self, constraint: Constraint) -> State:
        start = constraint.start()
        if self.vocabulary.swallows and set(following := constraint.following(start)) == {SPACE}:
            return following[SPACE]  # the space that every answer begins with is in the first token, and swallowed
        return start

    def _permits(self, walk: Walk, token: int) -> bool:
        if token in self.stops:
            return walk.constraint.accepts(walk.state)
        return self._after(walk, token) is not None

    def _after(self, walk: Walk, token: int) -> State | None:
        spelled = self.vocabulary.spelled(token, walk.opening)
        if spelled is None or not (spelled or walk.opening):
            return None
        return advance(walk.constraint, walk.state, spelled)

    def _ids(self, walk: Walk) -> list[int]:
        """Ids that may be written now; the stop tokens where the answer may end, or must."""
        ids = self.vocabulary.allowed(walk.constraint, walk.state, walk.opening)
        ids = [token for token in ids if token not in self.stops]
        ends = walk.constraint.accepts(walk.state)
        self.dead += not (ids or ends)
        return ids if ids and not ends else [*ids, *self.stops]


class ConstraintLogitsProcessor(LogitsProcessor):
    """A guide inside transformers' own `generate`. rows: which of the guide's rows this batch asks, in its order."""

    def __init__(self, guide: AnswerConstraints, rows: Sequence[int], greedy: bool) -> None:
        self.guide, self.greedy = guide, greedy
        self.rows: list[int | None] = list(rows)
        self.begun = False

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Logits [b, v] for the token after `input_ids` [b, s]; the signature is transformers'."""
        written = input_ids[:, -1].tolist() if self.begun else []
        self.begun = True
        for i, token in enumerate(written):
            if (row := self.rows[i]) is not None:
                if token in self.guide.stops:
                    self.guide.drop(row)
                    self.rows[i] = None
                else:
                    self.guide.take(row, token)
        return self.guide.restrict(self.rows, scores, self.greedy)

    def end(self) -> None:
        """Tell that `generate` has returned."""
        for row in self.rows:
            if row is not None:
                self.guide.drop(row)


def _speller(tokenizer: Any) -> tuple[Callable[[str], bytes], bool]:
    """How a token is spelled, and whether the first one loses its space, from the tokenizer's own decoder."""
    backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
    steps = list(_steps(json.loads(backend.to_str())["decoder"])) if backend else []
    kinds = {step["type"] for step in steps}
    if kinds == {"ByteLevel"}:
        table = byte_table()
        return lambda piece: bytes(table[c] for c in piece), False
    if kinds == {"Metaspace"}:
        mark, scheme = steps[0]["replacement"], steps[0].get("prepend_scheme", "always")
        return lambda piece: piece.replace(mark, " ").encode(), scheme != "never"
    known = {"Replace", "ByteFallback", "Fuse", "Strip"}
    if kinds and kinds <= known:
        return _replaced(steps), any(s["type"] == "Strip" and s["start"] for s in steps)
    raise ZooError(
        f"a tokenizer that decodes by {', '.join(sorted(kinds)) or 'rules of its own'}",
        "ByteLevel, Metaspace or Replace: tokens of fixed bytes",
        "set decode.constrained=false",
    )


def _steps(decoder: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """The steps of a decoder as tokenizer.json has it, in their order."""
    if decoder is None:
        return
    if decoder["type"] != "Sequence":
        yield decoder
        return
    for step in decoder["decoders"]:
        yield from _steps(step)


def _replaced(steps: Iterable[Mapping[str, Any]]) -> Callable[[str], bytes]:
    """Spelling by replacements of characters; <0x0A> is a byte that has no token of its own."""
    changes = []
    falls_back = False
    for step in steps:
        falls_back |= step["type"] == "ByteFallback"
        if step["type"] == "Replace":
            pattern = step["pattern"]
            wanted = pattern["Regex"] if "Regex" in pattern else re.escape(pattern["String"])
            changes.append((re.compile(wanted), step["content"]))

    def spell(piece: str) -> bytes:
        if falls_back and (match := _BYTE.fullmatch(piece)):
            return bytes([int(match[1], 16)])
        for wanted, content in changes:
            piece = wanted.sub(content.replace("\\", "\\\\"), piece)
        return piece.encode()

    return spell


def byte_table() -> dict[str, int]:
    """The byte behind each character that byte-level BPE writes its tokens in (GPT-2, Radford et al. 2019)."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + n): b for n, b in enumerate(hidden)}

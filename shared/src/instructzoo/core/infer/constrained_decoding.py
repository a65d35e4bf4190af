"""Grammar-constrained decoding: tokens that the grammar does not allow are masked; stop tokens are allowed only where
an answer may end.

The bytes of all tokens of a tokenizer are put into a trie once. At every step of a row, trie and automaton are walked
together, so that only branches that the grammar allows are visited; if the likeliest token is allowed, none is.
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

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(slots=True)
class TokenTrieNode:
    """A node of the trie of tokens: the ids of the tokens that end here, and the child for each further byte."""

    token_ids: list[int] = field(default_factory=list)
    children: dict[int, TokenTrieNode] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenSpellings:
    """The bytes of every token of one tokenizer.

    by_id: the bytes by token id; None for special tokens, which are never part of an answer. strips_leading_space:
    whether the first token of an answer loses the space that it starts with (sentencepiece).
    """

    by_id: tuple[bytes | None, ...]
    strips_leading_space: bool = False

    @classmethod
    def from_tokenizer(cls, tokenizer: Any) -> TokenSpellings:
        """Read the spellings from a tokenizer's own decoder.

        Args:
            tokenizer: A tokenizer of transformers.

        Returns:
            The bytes of its tokens.

        Raises:
            ZooError: Its tokens do not stand for fixed bytes.
        """
        spell, strips_leading_space = _spelling_rule(tokenizer)
        special_ids = set(tokenizer.all_special_ids)
        added = {token_id: token.content for token_id, token in tokenizer.added_tokens_decoder.items()}
        special_ids |= {token_id for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}
        by_id: list[bytes | None] = [None] * len(tokenizer)
        for piece, token_id in tokenizer.get_vocab().items():
            if token_id not in special_ids:
                by_id[token_id] = added[token_id].encode() if token_id in added else spell(piece)
        return cls(tuple(by_id), strips_leading_space)

    def spelling(self, token_id: int, at_start: bool) -> bytes | None:
        """The bytes of a token; None for a special one. at_start: whether it is the first token of the answer."""
        spelling = self.by_id[token_id] if token_id < len(self.by_id) else None
        if at_start and self.strips_leading_space and spelling and spelling[:1] == b" ":
            return spelling[1:]
        return spelling

    def allowed_tokens(self, constraint: Constraint, state: State, at_start: bool) -> list[int]:
        """Ids of the tokens whose bytes may be written in `state`."""
        token_ids: list[int] = []
        pending = [(self._trie_at_start if at_start and self.strips_leading_space else self._trie, state)]
        while pending:
            node, node_state = pending.pop()
            token_ids += node.token_ids
            if node.children:
                transitions = constraint.transitions(node_state)
                fewer, more = sorted((node.children, transitions), key=len)
                pending += [(node.children[byte], transitions[byte]) for byte in fewer if byte in more]
        return token_ids

    @cached_property
    def _trie(self) -> TokenTrieNode:
        return self._build_trie(at_start=False)

    @cached_property
    def _trie_at_start(self) -> TokenTrieNode:
        return self._build_trie(at_start=True)

    def _build_trie(self, at_start: bool) -> TokenTrieNode:
        root = TokenTrieNode()
        for token_id in range(len(self.by_id)):
            spelling = self.spelling(token_id, at_start)
            if spelling is None or not (spelling or at_start):  # a token without bytes could be repeated for ever
                continue
            node = root
            for byte in spelling:
                node = node.children.get(byte) or node.children.setdefault(byte, TokenTrieNode())
            node.token_ids.append(token_id)
        return root


@dataclass
class ConstraintState:
    """The state of one answer in its grammar. at_start: no token of the answer is written yet."""

    constraint: Constraint
    state: State
    at_start: bool = True


@dataclass
class AnswerConstraints:
    """The grammars of the rows of one call, and the state of every row that is being decoded.

    A grammar is built when its row begins and forgotten when it ends, so there are never more of them than rows in a
    batch. At a dead end no token spells what the grammar requires, which happens with a vocabulary that lacks bytes;
    the answer ends there.

    spellings: the bytes of the tokens. constraint_of: the grammar of a row by its index; None if the row is not
    constrained. stop_ids: tokens that end an answer; `generate_ids` sets them. dead_ends: the number of answers that
    came to one.
    """

    spellings: TokenSpellings
    constraint_of: Callable[[int], Constraint | None]
    stop_ids: Collection[int] = ()
    dead_ends: int = 0
    _states: dict[int, ConstraintState | None] = field(default_factory=dict)

    def mask_logits(self, rows: Sequence[int | None], logits: Tensor, greedy: bool) -> Tensor:
        """Mask the tokens that the grammars do not allow.

        Args:
            rows: The index of each row of the batch; None for a row that has ended.
            logits: [b, v].
            greedy: Whether only the likeliest token counts: a row whose likeliest token is allowed is not changed.

        Returns:
            Logits [b, v] with -inf for tokens that may not follow; `logits` itself if nothing changes.
        """
        likeliest = logits.argmax(-1).tolist() if greedy else []
        masked = logits
        for i, row in enumerate(rows):
            state = None if row is None else self._state(row)
            if state is None or (greedy and self._permits(state, likeliest[i])):
                continue
            if masked is logits:
                masked = logits.clone()
            token_ids = torch.tensor(self._allowed_tokens(state), device=logits.device)
            masked[i] = float("-inf")
            masked[i, token_ids] = logits[i, token_ids]
        return masked

    def advance(self, row: int, token_id: int) -> None:
        """Record that a token was written to a row.

        Args:
            row: The index of the row.
            token_id: The token; not one of the stop tokens.

        Raises:
            ValueError: The grammar does not allow the token.
        """
        row_state = self._state(row)
        if row_state is None:
            return
        next_state = self._next_state(row_state, token_id)
        if next_state is None:
            raise ValueError(f"token {token_id} was written to row {row} against its grammar")
        row_state.state, row_state.at_start = next_state, False

    def finish(self, row: int) -> None:
        """Record that a row has ended, and forget its grammar."""
        self._states.pop(row, None)

    def _state(self, row: int) -> ConstraintState | None:
        if row not in self._states:
            constraint = self.constraint_of(row)
            self._states[row] = None if constraint is None else ConstraintState(constraint, self._start(constraint))
        return self._states[row]

    def _start(self, constraint: Constraint) -> State:
        start = constraint.start()
        if self.spellings.strips_leading_space and set(transitions := constraint.transitions(start)) == {SPACE}:
            return transitions[SPACE]  # the space that every answer starts with is stripped from the first token
        return start

    def _permits(self, row_state: ConstraintState, token_id: int) -> bool:
        if token_id in self.stop_ids:
            return row_state.constraint.accepts(row_state.state)
        return self._next_state(row_state, token_id) is not None

    def _next_state(self, row_state: ConstraintState, token_id: int) -> State | None:
        spelling = self.spellings.spelling(token_id, row_state.at_start)
        if spelling is None or not (spelling or row_state.at_start):
            return None
        return advance(row_state.constraint, row_state.state, spelling)

    def _allowed_tokens(self, row_state: ConstraintState) -> list[int]:
        """Ids of the tokens that may follow, with the stop tokens where the answer may end, or must."""
        constraint, state = row_state.constraint, row_state.state
        token_ids = self.spellings.allowed_tokens(constraint, state, row_state.at_start)
        token_ids = [token_id for token_id in token_ids if token_id not in self.stop_ids]
        may_end = constraint.accepts(state)
        self.dead_ends += not (token_ids or may_end)
        return token_ids if token_ids and not may_end else [*token_ids, *self.stop_ids]


class ConstraintLogitsProcessor(LogitsProcessor):
    """Applies `AnswerConstraints` inside transformers' own `generate`.

    rows: the index of each row of the batch among the rows of `constraints`.
    """

    def __init__(self, constraints: AnswerConstraints, rows: Sequence[int], greedy: bool) -> None:
        self.constraints, self.greedy = constraints, greedy
        self.rows: list[int | None] = list(rows)
        self.started = False

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Logits [b, v] for the token after `input_ids` [b, s]; the signature is transformers'."""
        new_tokens = input_ids[:, -1].tolist() if self.started else []
        self.started = True
        for i, token_id in enumerate(new_tokens):
            if (row := self.rows[i]) is not None:
                if token_id in self.constraints.stop_ids:
                    self.constraints.finish(row)
                    self.rows[i] = None
                else:
                    self.constraints.advance(row, token_id)
        return self.constraints.mask_logits(self.rows, scores, self.greedy)

    def finish(self) -> None:
        """Record that `generate` has returned, so that all rows have ended."""
        for row in self.rows:
            if row is not None:
                self.constraints.finish(row)


def _spelling_rule(tokenizer: Any) -> tuple[Callable[[str], bytes], bool]:
    """How a token's bytes follow from its text, and whether the first token loses its space."""
    backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
    steps = list(_decoder_steps(json.loads(backend.to_str())["decoder"])) if backend else []
    types = {step["type"] for step in steps}
    if types == {"ByteLevel"}:
        table = byte_table()
        return lambda piece: bytes(table[c] for c in piece), False
    if types == {"Metaspace"}:
        mark, scheme = steps[0]["replacement"], steps[0].get("prepend_scheme", "always")
        return lambda piece: piece.replace(mark, " ").encode(), scheme != "never"
    supported = {"Replace", "ByteFallback", "Fuse", "Strip"}
    if types and types <= supported:
        return _replacement_rule(steps), any(s["type"] == "Strip" and s["start"] for s in steps)
    raise ZooError(
        f"a tokenizer that decodes by {', '.join(sorted(types)) or 'rules of its own'}",
        "ByteLevel, Metaspace or Replace: tokens of fixed bytes",
        "set decode.constrained=false",
    )


def _decoder_steps(decoder: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """The steps of a decoder as tokenizer.json lists them, sequences flattened."""
    if decoder is None:
        return
    if decoder["type"] != "Sequence":
        yield decoder
        return
    for step in decoder["decoders"]:
        yield from _decoder_steps(step)


def _replacement_rule(steps: Iterable[Mapping[str, Any]]) -> Callable[[str], bytes]:
    """Spelling by replacements of characters; <0x0A> stands for a byte that has no token of its own."""
    replacements = []
    has_byte_fallback = False
    for step in steps:
        has_byte_fallback |= step["type"] == "ByteFallback"
        if step["type"] == "Replace":
            pattern = step["pattern"]
            regex = pattern["Regex"] if "Regex" in pattern else re.escape(pattern["String"])
            replacements.append((re.compile(regex), step["content"]))

    def spell(piece: str) -> bytes:
        if has_byte_fallback and (match := _BYTE_TOKEN.fullmatch(piece)):
            return bytes([int(match[1], 16)])
        for regex, content in replacements:
            piece = regex.sub(content.replace("\\", "\\\\"), piece)
        return piece.encode()

    return spell


def byte_table() -> dict[str, int]:
    """The byte behind each character that byte-level BPE writes its tokens in (GPT-2, Radford et al. 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(b): b for b in printable} | {chr(256 + n): b for n, b in enumerate(others)}

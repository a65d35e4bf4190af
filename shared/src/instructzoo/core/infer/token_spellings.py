"""The bytes that the tokens of a tokenizer stand for, and which of the tokens a grammar allows.

The bytes of all tokens are put into a trie once. Trie and automaton are then walked together, so that only branches
that the grammar allows are visited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from instructzoo.core.errors import ZooError
from instructzoo.core.infer.grammar import Constraint, State

_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")


@dataclass(slots=True)
class TokenTrieNode:
    """A node of the trie of tokens: the ids of the tokens that end here, and the child for each further byte."""

    token_ids: list[int] = field(default_factory=list)
    children: dict[int, TokenTrieNode] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenSpellings:
    """The bytes of every token of one tokenizer.

    Args:
        by_id: The bytes by token id; None for special tokens, which are never part of an answer.
        strips_leading_space: Whether the first token of an answer loses the space that it starts with (sentencepiece).
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
        vocabulary = tokenizer.get_vocab()
        by_id: list[bytes | None] = [None] * (1 + max(vocabulary.values()))  # ids may have gaps
        for piece, token_id in vocabulary.items():
            if token_id not in special_ids:
                by_id[token_id] = added[token_id].encode() if token_id in added else spell(piece)
        return cls(tuple(by_id), strips_leading_space)

    def spelling(self, token_id: int, at_start: bool) -> bytes | None:
        """Return the bytes that a token writes.

        Args:
            token_id: Id of the token; one beyond the vocabulary has no bytes.
            at_start: Whether it is the first token of the answer.

        Returns:
            The bytes; None for a special token.
        """
        spelling = self.by_id[token_id] if token_id < len(self.by_id) else None
        if at_start and self.strips_leading_space and spelling and spelling[:1] == b" ":
            return spelling[1:]
        return spelling

    def allowed_tokens(self, constraint: Constraint, state: State, at_start: bool) -> list[int]:
        """Find the tokens that may be written next.

        Args:
            constraint: The grammar of the answer.
            state: Its state after the bytes that are written already.
            at_start: Whether the next token is the first one of the answer.

        Returns:
            Ids of the tokens whose bytes may be written in `state`, in no particular order.
        """
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

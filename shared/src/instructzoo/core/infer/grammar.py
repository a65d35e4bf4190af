"""Grammars of answers, byte by byte: which bytes may follow a text. They constrain decoding (constrained_decoding.py).

    label, words = choice(["person", "place"]), span("Ada lives in Köln.")
    answer = Grammar(either(literal("None"), many(seq(label, literal(": "), words), "; ")))
    answer.permits("place: Köln; person: Ada")     # True

A grammar is a nondeterministic finite automaton over the UTF-8 bytes of the answer; only the states that decoding
reaches are determinised. A span needs no nodes of its own: its state is the set of offsets in the source text at which
the bytes written so far may end.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from instructzoo.core.infer.grammar_parts import END, SPAN_STRIDE, Choice, Either, Many, Nodes, Part, Seq, Span
from instructzoo.core.infer.source_spans import SourceText, utf8_bytes

__all__ = [
    "MAX_CACHED_STATES", "Constraint", "Grammar", "Part", "State", "advance", "choice", "either", "literal", "many",
    "permits", "seq", "span",
]  # fmt: skip

State = Hashable

MAX_CACHED_STATES = 20_000
"""States whose transitions one grammar caches; beyond this number it clears the cache and starts again."""


class Constraint(Protocol):
    """An automaton over the bytes of an answer. Its states are hashable, and from each of them an end is reachable."""

    def start(self) -> State:
        """The state before the first byte."""
        ...

    def transitions(self, state: Any) -> Mapping[int, State]:
        """The next state for each byte that may be written in `state`."""
        ...

    def accepts(self, state: Any) -> bool:
        """Whether the answer may end in `state`."""
        ...


def literal(text: str) -> Part:
    """Exactly this text.

    Args:
        text: The text that must be written.

    Returns:
        A part of a grammar.
    """
    return Choice((text,))


def choice(texts: Iterable[str]) -> Part:
    """One of several texts.

    Args:
        texts: The alternatives. Without any, the part can write nothing, and `either` leaves it out.

    Returns:
        A part of a grammar.
    """
    return Choice(tuple(texts))


def seq(*parts: Part) -> Part:
    """All parts, one after the other.

    Args:
        *parts: The parts in their order. If one of them can write nothing, neither can the sequence.

    Returns:
        A part of a grammar.
    """
    return Seq(parts)


def either(*parts: Part) -> Part:
    """One of several parts.

    Args:
        *parts: The alternatives. Parts that can write nothing (a choice among no labels) are left out.

    Returns:
        A part of a grammar.
    """
    return Either(parts)


def many(part: Part, separator: str) -> Part:
    """A part once or more.

    Args:
        part: The part that is repeated.
        separator: The text between two occurrences.

    Returns:
        A part of a grammar.
    """
    return Many(part, literal(separator))


def span(text: str, escapes: Mapping[str, str | None] | None = None) -> Part:
    """Any piece of a text that starts where a word or a punctuation mark starts and ends where one ends.

    Args:
        text: The source text.
        escapes: How characters are written that are not written as they stand, such as {'"': '\\\\"'}. None as a value
            excludes a character from all spans.

    Returns:
        A part of a grammar.
    """
    return Span(SourceText(text, escapes or {}))


class Grammar:
    """A `Constraint` that is built from parts. Its states are frozen sets of nodes.

    Args:
        part: The whole answer, from `literal`, `choice`, `seq`, `either`, `many` and `span`.

    Raises:
        ValueError: The part can write nothing at all.
    """

    def __init__(self, part: Part) -> None:
        self._nodes = Nodes()
        first_node = part.build(self._nodes, END)
        if first_node is None:
            raise ValueError("a grammar that can write nothing; give its choices texts and its spans words")
        self._closures: dict[int, frozenset[int]] = {}
        self._transitions: dict[frozenset[int], dict[int, frozenset[int]]] = {}
        self._start = self._closure(first_node)

    def start(self) -> frozenset[int]:
        """The state before the first byte: the closure of the first node."""
        return self._start

    def accepts(self, state: frozenset[int]) -> bool:
        """Whether the answer may end in `state`: the end is one of its nodes."""
        return END in state

    def transitions(self, state: frozenset[int]) -> Mapping[int, frozenset[int]]:
        """The next state for each byte. O(offsets in the state): one for each place where the span so far may end."""
        transitions = self._transitions.get(state)
        if transitions is None:
            if len(self._transitions) >= MAX_CACHED_STATES:
                self._transitions.clear()
            transitions = self._transitions[state] = self._compute_transitions(state)
        return transitions

    def permits(self, text: str) -> bool:
        """Whether the whole text is an answer of this grammar."""
        return permits(self, text)

    def _compute_transitions(self, state: frozenset[int]) -> dict[int, frozenset[int]]:
        nodes_by_byte: dict[int, set[int]] = {}
        for node in state:
            if node < SPAN_STRIDE:
                for byte, next_node in self._nodes.edges[node].items():
                    nodes_by_byte.setdefault(byte, set()).update(self._closure(next_node))
                continue
            source, node_after_span = self._nodes.spans[node // SPAN_STRIDE - 1]
            offset = node % SPAN_STRIDE
            next_nodes = nodes_by_byte.setdefault(source.data[offset], set())
            if source.reaches_end[offset + 1]:
                next_nodes.add(node + 1)
            if offset + 1 in source.ends:
                next_nodes |= self._closure(node_after_span)
        return {byte: frozenset(nodes) for byte, nodes in nodes_by_byte.items()}

    def _closure(self, node: int) -> frozenset[int]:
        """The epsilon closure of `node`, reduced to the nodes that write a byte and to the end."""
        closure = self._closures.get(node)
        if closure is None:
            reached, pending, nodes = {node}, [node], self._nodes
            while pending:
                current = pending.pop()
                if current >= SPAN_STRIDE:
                    continue
                new = [target for target in nodes.epsilon_edges[current] if target not in reached]
                reached.update(new)
                pending.extend(new)
            closure = frozenset(n for n in reached if n >= SPAN_STRIDE or n == END or nodes.edges[n])
            self._closures[node] = closure
        return closure


def permits(constraint: Constraint, text: str) -> bool:
    """Whether the whole text is an answer under the constraint.

    Args:
        constraint: A grammar, or any other automaton over bytes.
        text: A complete answer.

    Returns:
        True if the bytes of `text` lead from the start to a state in which the answer may end.
    """
    state = advance(constraint, constraint.start(), utf8_bytes(text))
    return state is not None and constraint.accepts(state)


def advance(constraint: Constraint, state: State, data: Sequence[int]) -> State | None:
    """Follow several bytes from a state.

    Args:
        constraint: The automaton.
        state: The state before the bytes.
        data: The bytes that are written.

    Returns:
        The state after the bytes, or None if they may not be written.
    """
    for byte in data:
        next_state = constraint.transitions(state).get(byte)
        if next_state is None:
            return None
        state = next_state
    return state

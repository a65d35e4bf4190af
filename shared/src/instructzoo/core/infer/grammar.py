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
from dataclasses import dataclass, field
from typing import Any, Protocol

from instructzoo.core.infer.source_spans import SourceText, utf8_bytes

State = Hashable

MAX_CACHED_STATES = 20_000
"""States whose transitions one grammar caches; beyond this number it clears the cache and starts again."""

SPAN_STRIDE = 1 << 32
"""Nodes from here on are offsets in spans: (index of the span + 1) * SPAN_STRIDE + the offset, in bytes."""

END = 0
"""The accepting node: the answer may end."""


class Constraint(Protocol):
    """An automaton over the bytes of an answer. Its states are hashable, and from each of them an end is reachable."""

    def start(self) -> State: ...

    def transitions(self, state: Any) -> Mapping[int, State]:
        """The next state for each byte that may be written in `state`."""
        ...

    def accepts(self, state: Any) -> bool:
        """Whether the answer may end in `state`."""
        ...


class Part(Protocol):
    """A piece of a grammar."""

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        """Add this piece in front of `next_node`. Returns its first node, or None if the piece can write nothing."""
        ...


@dataclass
class Nodes:
    """The automaton under construction. Every list has one entry per node; node 0 is the end."""

    edges: list[dict[int, int]] = field(default_factory=lambda: [{}])  # byte -> next node
    epsilon_edges: list[list[int]] = field(default_factory=lambda: [[]])  # nodes that are reached without a byte
    spans: list[tuple[SourceText, int]] = field(default_factory=list)  # each with the node that follows it

    def add(self, epsilon_edges: Iterable[int] = ()) -> int:
        self.edges.append({})
        self.epsilon_edges.append(list(epsilon_edges))
        return len(self.edges) - 1


@dataclass(frozen=True)
class Choice:
    """One of several texts, built as a trie of their bytes."""

    texts: tuple[str, ...]

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        if not self.texts:
            return None
        root = nodes.add()
        for text in self.texts:
            node = root
            for byte in utf8_bytes(text):
                edges = nodes.edges[node]
                node = edges[byte] if byte in edges else edges.setdefault(byte, nodes.add())
            nodes.epsilon_edges[node].append(next_node)
        return root


@dataclass(frozen=True)
class Seq:
    """All parts, one after the other."""

    parts: tuple[Part, ...]

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        for part in reversed(self.parts):
            first_node = part.build(nodes, next_node)
            if first_node is None:
                return None
            next_node = first_node
        return next_node


@dataclass(frozen=True)
class Either:
    """One of several parts."""

    parts: tuple[Part, ...]

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        first_nodes = [part.build(nodes, next_node) for part in self.parts]
        alternatives = [node for node in first_nodes if node is not None]
        return nodes.add(alternatives) if alternatives else None


@dataclass(frozen=True)
class Many:
    """A part once or more, with a separator between its occurrences."""

    part: Part
    separator: Part

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        end_of_part = nodes.add([next_node])
        first_node = self.part.build(nodes, end_of_part)
        repeat = None if first_node is None else self.separator.build(nodes, first_node)
        if repeat is not None:
            nodes.epsilon_edges[end_of_part].append(repeat)
        return first_node


@dataclass(frozen=True)
class Span:
    """Any span of a source text."""

    source: SourceText

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        if not self.source.starts:
            return None
        nodes.spans.append((self.source, next_node))
        base = SPAN_STRIDE * len(nodes.spans)
        return nodes.add(base + start for start in self.source.starts)


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
        return self._start

    def accepts(self, state: frozenset[int]) -> bool:
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

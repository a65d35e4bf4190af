"""The parts that grammars are built from, and the nondeterministic automaton that they are built into.

Parts are made by the functions of grammar.py (`literal`, `choice`, `seq`, `either`, `many`, `span`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from instructzoo.core.infer.source_spans import SourceText, utf8_bytes

SPAN_STRIDE = 1 << 32
"""Nodes from here on are offsets in spans: (index of the span + 1) * SPAN_STRIDE + the offset, in bytes."""

END = 0
"""The accepting node: the answer may end."""


class Part(Protocol):
    """A piece of a grammar."""

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        """Add this piece to the automaton.

        Args:
            nodes: The automaton under construction, changed in place.
            next_node: The node that follows the piece.

        Returns:
            The piece's first node, or None if the piece can write nothing.
        """
        ...


@dataclass
class Nodes:
    """The automaton under construction. Every list has one entry per node; node 0 is the end."""

    edges: list[dict[int, int]] = field(default_factory=lambda: [{}])  # byte -> next node
    epsilon_edges: list[list[int]] = field(default_factory=lambda: [[]])  # nodes that are reached without a byte
    spans: list[tuple[SourceText, int]] = field(default_factory=list)  # each with the node that follows it

    def add(self, epsilon_edges: Iterable[int] = ()) -> int:
        """Add a node with these epsilon edges and no edges by bytes; return its index."""
        self.edges.append({})
        self.epsilon_edges.append(list(epsilon_edges))
        return len(self.edges) - 1


@dataclass(frozen=True)
class Choice:
    """One of several texts, built as a trie of their bytes."""

    texts: tuple[str, ...]

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        """Add the trie; every text leads to `next_node`. Returns its root, or None without texts."""
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
        """Add the parts from the last to the first. Returns the first node, or None if a part can write nothing."""
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
        """Add the alternatives. Returns a node before them, or None if none of them can write anything."""
        first_nodes = [part.build(nodes, next_node) for part in self.parts]
        alternatives = [node for node in first_nodes if node is not None]
        return nodes.add(alternatives) if alternatives else None


@dataclass(frozen=True)
class Many:
    """A part once or more, with a separator between its occurrences."""

    part: Part
    separator: Part

    def build(self, nodes: Nodes, next_node: int) -> int | None:
        """Add the part and a loop over the separator. Returns the first node, or None if the part can write nothing."""
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
        """Add a node before all starts of spans. Returns it, or None if no span of the source is allowed."""
        if not self.source.starts:
            return None
        nodes.spans.append((self.source, next_node))
        base = SPAN_STRIDE * len(nodes.spans)
        return nodes.add(base + start for start in self.source.starts)

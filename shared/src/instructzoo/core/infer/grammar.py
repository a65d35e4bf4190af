"""Grammars of answers, byte by byte: what a text may go on with. Decoding is held to them (infer/constrained.py).

    label, words = choice(["person", "place"]), span("Ada lives in Köln.")
    answer = Grammar(either(literal("None"), many(seq(label, literal(": "), words), "; ")))
    answer.permits("place: Köln; person: Ada")     # True

A grammar is a nondeterministic automaton over the UTF-8 bytes of the answer, determinised where decoding comes by. A
span needs no nodes of its own: its state is the set of places in the text that what is written so far may end at.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from instructzoo.core.infer.source_spans import SourceText, encoded

State = Hashable

MEMO = 20_000
"""States whose successors one grammar remembers; beyond, it forgets them all and begins anew."""

STRIDE = 1 << 32
"""Nodes from here on are places in spans: (number of the span + 1) * STRIDE + the place, in bytes."""

END = 0
"""The node behind the last part: the answer may end."""


class Constraint(Protocol):
    """An automaton over the bytes of an answer. Its states are hashable; each of them can still reach an end."""

    def start(self) -> State: ...

    def following(self, state: Any) -> Mapping[int, State]:
        """The state after each byte that may be written next."""
        ...

    def accepts(self, state: Any) -> bool:
        """Whether the answer may end here."""
        ...


class Part(Protocol):
    """A piece of a grammar."""

    def build(self, nodes: Nodes, after: int) -> int | None:
        """Add this piece before the node `after`; its first node, or None where it can write nothing at all."""
        ...


@dataclass
class Nodes:
    """The automaton under construction. Every list has one entry per node; node 0 is the end."""

    edges: list[dict[int, int]] = field(default_factory=lambda: [{}])  # the node after a byte
    free: list[list[int]] = field(default_factory=lambda: [[]])  # nodes that are reached without one
    spans: list[tuple[SourceText, int]] = field(default_factory=list)  # each with the node behind it

    def add(self, free: Iterable[int] = ()) -> int:
        self.edges.append({})
        self.free.append(list(free))
        return len(self.edges) - 1


@dataclass(frozen=True)
class Choice:
    """One of some texts, as a tree of their bytes."""

    texts: tuple[str, ...]

    def build(self, nodes: Nodes, after: int) -> int | None:
        if not self.texts:
            return None
        root = nodes.add()
        for text in self.texts:
            node = root
            for byte in encoded(text):
                known = nodes.edges[node]
                node = known[byte] if byte in known else known.setdefault(byte, nodes.add())
            nodes.free[node].append(after)
        return root


@dataclass(frozen=True)
class Seq:
    parts: tuple[Part, ...]

    def build(self, nodes: Nodes, after: int) -> int | None:
        for part in reversed(self.parts):
            first = part.build(nodes, after)
            if first is None:
                return None
            after = first
        return after


@dataclass(frozen=True)
class Either:
    parts: tuple[Part, ...]

    def build(self, nodes: Nodes, after: int) -> int | None:
        built = [part.build(nodes, after) for part in self.parts]
        found = [node for node in built if node is not None]
        return nodes.add(found) if found else None


@dataclass(frozen=True)
class Many:
    part: Part
    separator: Part

    def build(self, nodes: Nodes, after: int) -> int | None:
        behind = nodes.add([after])
        first = self.part.build(nodes, behind)
        again = None if first is None else self.separator.build(nodes, first)
        if again is not None:
            nodes.free[behind].append(again)
        return first


@dataclass(frozen=True)
class Span:
    passage: SourceText

    def build(self, nodes: Nodes, after: int) -> int | None:
        if not self.passage.starts:
            return None
        nodes.spans.append((self.passage, after))
        base = STRIDE * len(nodes.spans)
        return nodes.add(base + place for place in self.passage.starts)


def literal(text: str) -> Part:
    """This text and nothing else."""
    return Choice((text,))


def choice(texts: Iterable[str]) -> Part:
    """One of these texts. Nothing can be written where there are none."""
    return Choice(tuple(texts))


def seq(*parts: Part) -> Part:
    """All of these, one after the other."""
    return Seq(parts)


def either(*parts: Part) -> Part:
    """One of these. Parts that can write nothing (a choice among no labels) are left out."""
    return Either(parts)


def many(part: Part, separator: str) -> Part:
    """This part once or more, `separator` between."""
    return Many(part, literal(separator))


def span(text: str, written: Mapping[str, str | None] | None = None) -> Part:
    """Any piece of the text that begins where a word or a mark begins and ends where one ends.

    written: how characters are written where that is not as they stand ({'"': '\\\\"'}); None bars one from all spans.
    """
    return Span(SourceText(text, written or {}))


class Grammar:
    """A `Constraint` from parts. Its states are frozen sets of nodes."""

    def __init__(self, part: Part) -> None:
        self._nodes = Nodes()
        first = part.build(self._nodes, END)
        if first is None:
            raise ValueError("a grammar that can write nothing; give its choices texts and its spans words")
        self._closures: dict[int, frozenset[int]] = {}
        self._memo: dict[frozenset[int], dict[int, frozenset[int]]] = {}
        self._start = self._closure(first)

    def start(self) -> frozenset[int]:
        return self._start

    def accepts(self, state: frozenset[int]) -> bool:
        return END in state

    def following(self, state: frozenset[int]) -> Mapping[int, frozenset[int]]:
        """O(places of the state): one for each spot of the text that the words so far may end at."""
        known = self._memo.get(state)
        if known is None:
            if len(self._memo) >= MEMO:
                self._memo.clear()
            known = self._memo[state] = self._successors(state)
        return known

    def permits(self, text: str) -> bool:
        """Whether the whole text is an answer of this grammar."""
        return permits(self, text)

    def _successors(self, state: frozenset[int]) -> dict[int, frozenset[int]]:
        reached: dict[int, set[int]] = {}
        for node in state:
            if node < STRIDE:
                for byte, after in self._nodes.edges[node].items():
                    reached.setdefault(byte, set()).update(self._closure(after))
                continue
            passage, behind = self._nodes.spans[node // STRIDE - 1]
            place = node % STRIDE
            after_byte = reached.setdefault(passage.data[place], set())
            if passage.open[place + 1]:
                after_byte.add(node + 1)
            if place + 1 in passage.ends:
                after_byte |= self._closure(behind)
        return {byte: frozenset(nodes) for byte, nodes in reached.items()}

    def _closure(self, node: int) -> frozenset[int]:
        """The nodes that write a byte (or are the end) and that are reached from `node` without one."""
        known = self._closures.get(node)
        if known is None:
            seen, waiting, nodes = {node}, [node], self._nodes
            while waiting:
                one = waiting.pop()
                fresh = [after for after in nodes.free[one] if after not in seen] if one < STRIDE else ()
                seen.update(fresh)
                waiting.extend(fresh)
            kept = (one for one in seen if one >= STRIDE or one == END or nodes.edges[one])
            known = self._closures[node] = frozenset(kept)
        return known


def permits(constraint: Constraint, text: str) -> bool:
    """Whether the whole text is an answer under the constraint."""
    state = advance(constraint, constraint.start(), encoded(text))
    return state is not None and constraint.accepts(state)


def advance(constraint: Constraint, state: State, written: Sequence[int]) -> State | None:
    """The state after these bytes, or None where they may not be written."""
    for byte in written:
        after = constraint.following(state).get(byte)
        if after is None:
            return None
        state = after
    return state

"""Prevents repeated list items: no item may occur more often than a limit allows. Small models otherwise loop.

item = seq(choice(["person", "place"]), literal(": "), span("Ada met Bo in Oslo."))
answer = NonRepeatingList(Grammar(many(item, "; ")), "; ", max_count=lambda item: 1)
permits(answer, "person: Ada; place: Oslo")     # True
permits(answer, "person: Ada; person: Ada")     # False
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from instructzoo.core.infer.grammar import MAX_CACHED_STATES, Grammar
from instructzoo.core.infer.source_spans import utf8_bytes


class ListState(NamedTuple):
    """A state of the constraint: what the list contains so far.

    Args:
        grammar_state: The state of the grammar of single lists.
        finished_items: The items before the current one, sorted by their bytes, so that lists of the same items share a
            state.
        current_item: The bytes written of the current item.
        separator_left: Bytes of the separator that must still be written.
    """

    grammar_state: frozenset[int]
    finished_items: tuple[bytes, ...] = ()
    current_item: bytes = b""
    separator_left: int = 0


class NonRepeatingList:
    """The `Constraint` of a grammar of lists, without the lists in which an item occurs too often.

    A repetition is forbidden at the byte where it parts from all other items, and the separator is forbidden when no
    item is left, so that every beginning of an answer can still reach an end.

    Args:
        grammar: Permits lists of items. Where an item may end, it may not continue with the separator's first byte.
        separator: The text between two items.
        max_count: The number of times that an item may occur, given the item without leading spaces; less than 1
            counts as 1.
        spellings: Other ways to write an item. Their occurrences count as occurrences of the item.
    """

    def __init__(
        self,
        grammar: Grammar,
        separator: str,
        max_count: Callable[[str], int],
        spellings: Callable[[str], Iterable[str]] = lambda item: (),
    ) -> None:
        self._grammar, self._separator = grammar, utf8_bytes(separator)
        self._max_count, self._spellings = max_count, spellings
        self._limits: dict[bytes, tuple[int, frozenset[bytes]]] = {}
        self._transitions: dict[ListState, dict[int, ListState]] = {}

    def start(self) -> ListState:
        """The state of the empty list."""
        return ListState(self._grammar.start())

    def accepts(self, state: ListState) -> bool:
        """Whether the answer may end: after a complete item that does not occur too often."""
        return (
            not state.separator_left
            and self._grammar.accepts(state.grammar_state)
            and state.current_item not in self._exhausted_items(state)
        )

    def transitions(self, state: ListState) -> Mapping[int, ListState]:
        """The next state for each byte that may be written in `state`."""
        transitions = self._transitions.get(state)
        if transitions is None:
            if len(self._transitions) >= MAX_CACHED_STATES:
                self._transitions.clear()
            transitions = self._transitions[state] = self._compute_transitions(state)
        return transitions

    def _compute_transitions(self, state: ListState) -> dict[int, ListState]:
        grammar_transitions = self._grammar.transitions(state.grammar_state)
        if state.separator_left:
            return {
                byte: ListState(grammar_state, state.finished_items, b"", state.separator_left - 1)
                for byte, grammar_state in grammar_transitions.items()
            }
        exhausted = self._exhausted_items(state)
        item_may_end = self._grammar.accepts(state.grammar_state)
        transitions: dict[int, ListState] = {}
        for byte, grammar_state in grammar_transitions.items():
            if item_may_end and byte == self._separator[0]:
                if state.current_item in exhausted:
                    continue
                in_separator = self._start_separator(state, grammar_state)
                if in_separator is not None:
                    transitions[byte] = in_separator
                continue
            next_state = self._extend_item(state, byte, grammar_state)
            if self._can_complete_item(next_state, exhausted):
                transitions[byte] = next_state
        return transitions

    def _extend_item(self, state: ListState, byte: int, grammar_state: frozenset[int]) -> ListState:
        """The state after one more byte of the current item; leading spaces do not belong to the item."""
        current_item = (state.current_item + bytes((byte,))).lstrip()
        return state._replace(grammar_state=grammar_state, current_item=current_item)

    def _start_separator(self, state: ListState, grammar_state: frozenset[int]) -> ListState | None:
        """The state after the first byte of a separator; None if no item can follow. grammar_state: after that byte."""
        finished_items = [*state.finished_items]
        insort(finished_items, state.current_item)
        in_separator = ListState(grammar_state, tuple(finished_items), b"", len(self._separator) - 1)
        for byte in self._separator[1:]:
            grammar_state = self._grammar.transitions(grammar_state)[byte]
        next_item = ListState(grammar_state, in_separator.finished_items)
        return in_separator if self._can_complete_item(next_item, self._exhausted_items(next_item)) else None

    def _exhausted_items(self, state: ListState) -> set[bytes]:
        """Items that the current one may still become, and that occur as often as they may, in all their spellings."""
        exhausted: set[bytes] = set()
        for item in state.finished_items:
            limit, spellings = self._limit_and_spellings(item)
            if sum(map(state.finished_items.count, spellings)) >= limit:
                exhausted.update(spelling for spelling in spellings if spelling.startswith(state.current_item))
        return exhausted

    def _limit_and_spellings(self, item: bytes) -> tuple[int, frozenset[bytes]]:
        """How often an item may occur, and all the ways to write it."""
        if item not in self._limits:
            text = item.decode(errors="surrogatepass")
            spellings = frozenset((item, *map(utf8_bytes, self._spellings(text))))
            self._limits[item] = (max(1, self._max_count(text)), spellings)
        return self._limits[item]

    def _can_complete_item(self, state: ListState, exhausted: set[bytes]) -> bool:
        """Whether the current item can become one that is not exhausted. O(bytes of the exhausted ones).

        A depth-first search: a beginning that no exhausted item shares can be completed, since the grammar has no dead
        ends, so only beginnings of exhausted items are followed.
        """
        pending = [state]
        while pending:
            candidate = pending.pop()
            if not any(item.startswith(candidate.current_item) for item in exhausted):
                return True
            item_may_end = self._grammar.accepts(candidate.grammar_state)
            if item_may_end and candidate.current_item not in exhausted:
                return True
            pending += [
                self._extend_item(candidate, byte, grammar_state)
                for byte, grammar_state in self._grammar.transitions(candidate.grammar_state).items()
                if not (item_may_end and byte == self._separator[0])
            ]
        return False

"""Lists that say no item more often than it can be true. Small models lose their place in a list and go round in it.

item = seq(choice(["person", "place"]), literal(": "), span("Ada met Bo in Oslo."))
answer = NonRepeatingList(Grammar(many(item, "; ")), "; ", often=lambda item: 1)
permits(answer, "person: Ada; place: Oslo")     # True
permits(answer, "person: Ada; person: Ada")     # False
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from instructzoo.core.infer.grammar import MEMO, Grammar
from instructzoo.core.infer.source_spans import encoded


class Place(NamedTuple):
    """Where an answer is: the grammar's state, the items before this one in order of bytes, what stands of this one.

    left: bytes of the separator that are still to come.
    """

    inner: frozenset[int]
    said: tuple[bytes, ...] = ()
    written: bytes = b""
    left: int = 0


class NonRepeatingList:
    """The `Constraint` that a grammar of a list makes, less the lists that repeat an item too often.

    Where an item could end, it may not go on with the separator's first byte. often: how many times an item may be
    said, at least once; it is given without spaces before it. spellings: other ways to write an item, which count as
    it does. A repetition is barred where it parts from all other items, and the separator where nothing is left to say,
    so that every beginning of an answer can reach an end.
    """

    def __init__(
        self,
        grammar: Grammar,
        separator: str,
        often: Callable[[str], int],
        spellings: Callable[[str], Iterable[str]] = lambda item: (),
    ) -> None:
        self._grammar, self._separator, self._often, self._spellings = grammar, encoded(separator), often, spellings
        self._known: dict[bytes, tuple[int, frozenset[bytes]]] = {}
        self._memo: dict[Place, dict[int, Place]] = {}

    def start(self) -> Place:
        return Place(self._grammar.start())

    def accepts(self, place: Place) -> bool:
        return not place.left and self._grammar.accepts(place.inner) and place.written not in self._used(place)

    def following(self, place: Place) -> Mapping[int, Place]:
        known = self._memo.get(place)
        if known is None:
            if len(self._memo) >= MEMO:
                self._memo.clear()
            known = self._memo[place] = self._successors(place)
        return known

    def _successors(self, place: Place) -> dict[int, Place]:
        after = self._grammar.following(place.inner)
        if place.left:
            return {byte: Place(inner, place.said, b"", place.left - 1) for byte, inner in after.items()}
        used, ended, found = self._used(place), self._grammar.accepts(place.inner), {}
        for byte, inner in after.items():
            if ended and byte == self._separator[0]:
                if place.written not in used and (begun := self._begun(inner, place)):
                    found[byte] = begun
                continue
            here = self._further(place, byte, inner)
            if self._goes_on(here, used):
                found[byte] = here
        return found

    def _further(self, place: Place, byte: int, inner: frozenset[int]) -> Place:
        return place._replace(inner=inner, written=(place.written + bytes((byte,))).lstrip())

    def _begun(self, inner: frozenset[int], place: Place) -> Place | None:
        """Behind the first byte of a separator; None where no item is left."""
        said = [*place.said]
        insort(said, place.written)
        begun = Place(inner, tuple(said), b"", len(self._separator) - 1)
        for byte in self._separator[1:]:
            inner = self._grammar.following(inner)[byte]
        first = Place(inner, begun.said)
        return begun if self._goes_on(first, self._used(first)) else None

    def _used(self, place: Place) -> set[bytes]:
        """Items that begin as this one does and may not be said again."""
        found: set[bytes] = set()
        for item in place.said:
            limit, written = self._judged(item)
            if sum(map(place.said.count, written)) >= limit:
                found.update(form for form in written if form.startswith(place.written))
        return found

    def _judged(self, item: bytes) -> tuple[int, frozenset[bytes]]:
        """How often an item may be said, and the ways to write it."""
        if item not in self._known:
            text = item.decode(errors="surrogatepass")
            written = frozenset((item, *map(encoded, self._spellings(text))))
            self._known[item] = (max(1, self._often(text)), written)
        return self._known[item]

    def _goes_on(self, place: Place, used: set[bytes]) -> bool:
        """Whether what is written of an item can become one that is not used. O(bytes of the used ones)."""
        waiting = [place]
        while waiting:
            here = waiting.pop()
            if not any(item.startswith(here.written) for item in used):
                return True
            ended = self._grammar.accepts(here.inner)
            if ended and here.written not in used:
                return True
            waiting += [
                self._further(here, byte, inner)
                for byte, inner in self._grammar.following(here.inner).items()
                if not (ended and byte == self._separator[0])
            ]
        return False

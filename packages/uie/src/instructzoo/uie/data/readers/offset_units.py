"""What the offsets of a file count: code points, or what tools written in other languages count.

    "😀 Ann"      code points: Ann is [2, 5]; UTF-16 units, as in JavaScript and Java: [3, 6]; UTF-8 bytes: [5, 8]

A file is read in code points. Where that cuts words in two, leaves the text or contradicts the texts that spans state,
and another unit fits every row of the file, the file is read in that unit and each such row gets a remark. Where some
rows fit only one unit and some only another, the file is an error; but where every span of a row states its text, the
row decides for itself, since some tools changed what they count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, Literal

from instructzoo.core.data.line_files import LeftOut
from instructzoo.core.errors import ZooError
from instructzoo.uie.data.readers.base import INSIDE_WORD, Sentence, make_span
from instructzoo.uie.schema import Mention

Unit = Literal["code points", "UTF-16 units", "UTF-8 bytes"]
OTHER_UNITS: tuple[Unit, ...] = ("UTF-16 units", "UTF-8 bytes")

LocatedValues = tuple[str, Mapping[str, Any]]
TextOf = Callable[[Mapping[str, Any]], str]


def read_as(unit: Unit) -> str:
    """The remark of a text whose offsets count something else than code points."""
    return f"texts whose offsets count {unit}, read as such"


@dataclass
class SpanReader:
    """Makes the mentions of one text from the offsets of its file.

    Attributes:
        text: The text.
        where: File and line, for error messages.
        unit: What the offsets count.
        unsure: How many spans begin or end within a word, or with a space, and state no text that confirms them.
        unstated: How many spans state no text.
    """

    text: str
    where: str
    unit: Unit = "code points"
    unsure: int = 0
    unstated: int = 0
    _ends: list[int] = field(default_factory=list)

    def span(self, start: int, end: int, stated_text: str | None = None) -> Mention:
        """The mention at these offsets. Raises ZooError as `make_span` does, and for half a character."""
        self.unstated += stated_text is None
        start, end = self.code_points(start), self.code_points(end)
        mention = make_span(self.text, start, end, self.where, stated_text)
        self.unsure += stated_text is None and cuts_word(self.text, start, end)
        return mention

    def code_points(self, offset: int) -> int:
        """An offset in `unit` as one in code points; -1 for one outside of the text or within a character."""
        if self.unit == "code points":
            return offset
        if not self._ends:
            encoding, size = ("utf-16-le", 2) if self.unit == "UTF-16 units" else ("utf-8", 1)
            sizes = (len(c.encode(encoding, "surrogatepass")) // size for c in self.text)
            self._ends = list(accumulate(sizes, initial=0))
        index = bisect_left(self._ends, offset)
        return index if index < len(self._ends) and self._ends[index] == offset else -1


def cuts_word(text: str, start: int, end: int) -> bool:
    """Whether a span begins or ends within a word or with a space.

    Only letters that have a case, and digits, tell: other scripts write words without spaces, or with prefixes.
    """
    if text[start].isspace() or text[end - 1].isspace():
        return True
    return any(0 < at < len(text) and _in_word(text[at - 1]) and _in_word(text[at]) for at in (start, end))


def _in_word(character: str) -> bool:
    return character.islower() or character.isupper() or character.isdigit()


Parse = Callable[[Mapping[str, Any], SpanReader], Sentence | LeftOut]


@dataclass(frozen=True)
class _Reading:
    """What a row reads as in one unit: what its reader made of it or its error, and what is sure about its spans."""

    row: Sentence | LeftOut | ZooError
    unit: Unit
    unsure: int
    unstated: int

    @property
    def fits(self) -> bool:
        return not isinstance(self.row, ZooError) and not self.unsure


def read_rows(rows: Sequence[LocatedValues], text_of: TextOf, parse: Parse) -> Iterator[Sentence | LeftOut]:
    """Read the rows of a file in the unit that fits them.

    Args:
        rows: (file:line, object) of each row.
        text_of: The text of a row; "" where it has none.
        parse: parse(values, spans) reads a row with the spans that a `SpanReader` makes.

    Yields:
        What `parse` returns for each row.

    Raises:
        ZooError: Whatever `parse` raises for a row; for rows of which some fit one unit only, and some another.
    """

    def read(index: int, unit: Unit) -> _Reading:
        where, values = rows[index]
        spans = SpanReader(text_of(values), where, unit)
        row: Sentence | LeftOut | ZooError
        try:
            row = parse(values, spans)
        except ZooError as error:
            row = error
        return _Reading(row, unit, spans.unsure, spans.unstated)

    readings = [read(index, "code points") for index in range(len(rows))]
    doubtful = {i for i, reading in enumerate(readings) if not reading.fits and not text_of(rows[i][1]).isascii()}
    if doubtful:
        for unit in OTHER_UNITS:
            others = {i: read(i, unit) for i, (_, values) in enumerate(rows) if not text_of(values).isascii()}
            for index in _rows_in(unit, rows, readings, others):
                readings[index] = others[index]
    for reading in readings:
        if isinstance(reading.row, ZooError):
            raise reading.row
        yield _with_remarks(reading, reading.row)


def _rows_in(
    unit: Unit, rows: Sequence[LocatedValues], readings: Sequence[_Reading], others: Mapping[int, _Reading]
) -> list[int]:
    """The rows to be read in this unit. Raises ZooError where rows whose spans state no text contradict each other."""
    fit_other = [i for i, other in others.items() if other.fits and not readings[i].fits]
    confirmed = [i for i in fit_other if not others[i].unstated]
    assumed = [i for i in fit_other if others[i].unstated]
    if not assumed:
        return confirmed
    contradicting = [i for i, other in others.items() if readings[i].fits and readings[i].unstated and not other.fits]
    if contradicting:
        expected = f"{readings[contradicting[0]].unit}, as in {rows[contradicting[0]][0]}"
        raise ZooError(f"offsets that count {unit}", expected, "give all offsets in code points", rows[assumed[0]][0])
    same_unit = (i for i, other in others.items() if readings[i].unstated and not isinstance(other.row, ZooError))
    return [*confirmed, *same_unit]


def _with_remarks(reading: _Reading, row: Sentence | LeftOut) -> Sentence | LeftOut:
    remarks = [INSIDE_WORD] * reading.unsure + [read_as(reading.unit)] * (reading.unit != "code points")
    return replace(row, remarks=(*row.remarks, *remarks)) if isinstance(row, Sentence) and remarks else row

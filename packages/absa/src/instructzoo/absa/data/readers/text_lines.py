"""The formats of one sentence a line.

    ASQP   The wine is fine .####[['wine', 'drinks quality', 'positive', 'fine']]         aspect, category, sentiment,
                                                                                          opinion; NULL is implicit
    ACOS   The wine is fine .<tab>1,2 DRINKS#QUALITY 2 3,4                                tokens [first, end) of aspect
                                                                                          and opinion; -1,-1 is implicit
    ASTE   The wine is fine .####[([1], [3], 'POS')]                                      tokens of aspect and opinion

ASQP: Zhang et al., EMNLP 2021. ACOS: Cai et al., ACL 2021; its sentiments 0, 1, 2 are negative, neutral, positive.
ASTE-Data-V2: Xu et al., EMNLP 2020. The K-shot files of Varia et al. are ASQP with tuples and "none" for NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from instructzoo.absa.data.readers.base import (
    EMPTY_SPAN,
    Sentence,
    answerable,
    category,
    lines,
    literal,
    sentence,
    sentiment,
    span,
)
from instructzoo.absa.schema import TASKS, Quad
from instructzoo.core.data.line_files import malformed
from instructzoo.core.errors import ZooError

MARK = "####["
MARKS = 20
"""How many marks of a line are tried: a line full of them must not take minutes."""

NO_CATEGORY = "laptop"
"""What the K-shot files of LAP14 write for a category: that data has none."""

ASQP_FORM = "sentence####[['aspect', 'category', 'positive', 'opinion'], ...]"
ASTE_FORM = "sentence####[([0, 1], [3], 'POS'), ...] with token numbers"
ACOS_FORM = "sentence<tab>first,end CATEGORY 0|1|2 first,end<tab>..."
ACOS_TUPLE = re.compile(r"(-?\d+),(-?\d+) (\S+) ([012]) (-?\d+),(-?\d+)")
ACOS_SENTIMENTS = ("negative", "neutral", "positive")

_TRIPLETS = answerable(("aspect", "opinion", "sentiment"))


def asqp(path: Path) -> Iterator[Sentence]:
    """Sentences of an ASQP or K-shot file. Raises ZooError with file:line for a line of another form."""
    read = [(where, *_halves(line, ASQP_FORM, where)) for where, line in lines(path)]
    quads = [tuple(_quad(label, where) for label in labels) for where, _, labels in read]
    first = next((held[0] for held in quads if held), None)
    tasks = _TRIPLETS if first and first.category is None else TASKS  # for the lines without tuples too
    for (where, text, labels), held in zip(read, quads, strict=True):
        if any((quad.category is None) != (tasks == _TRIPLETS) for quad in held):
            raise malformed(labels, "a category in every tuple of the file, or in none", where)
        yield sentence(text, held, where, tasks)


def aste(path: Path) -> Iterator[Sentence]:
    """Sentences of an ASTE file. Raises ZooError with file:line for another form, or a token that is not there."""
    for where, line in lines(path):
        text, labels = _halves(line, ASTE_FORM, where)
        tokens = text.split(" ")
        quads = []
        for label in labels:
            if not (isinstance(label, (tuple, list)) and len(label) == 3):
                raise malformed(label, ASTE_FORM, where)
            aspect, opinion = (_picked(numbers, tokens, where) for numbers in label[:2])
            quads.append(Quad(aspect, None, opinion, sentiment(label[2], where)))
        yield sentence(text, quads, where, _TRIPLETS)


def acos(path: Path) -> Iterator[Sentence]:
    """Sentences of an ACOS file. Raises ZooError with file:line for another form, or a token that is not there."""
    for where, line in lines(path):
        text, *labels = line.split("\t")
        tokens = text.split(" ")
        quads, remarks = [], []
        for label in labels:
            match = ACOS_TUPLE.fullmatch(label.strip())
            if not match:
                raise malformed(label, ACOS_FORM, where)
            first, end, name, mood, opens, closes = match.groups()
            aspect, opinion = (_between(int(a), int(b), tokens, where) for a, b in ((first, end), (opens, closes)))
            remarks += [EMPTY_SPAN for words in (aspect, opinion) if words == ""]
            quads.append(Quad(aspect or None, category(name), opinion or None, ACOS_SENTIMENTS[int(mood)]))
        yield sentence(text, quads, where, remarks=remarks)


def _halves(line: str, form: str, where: str) -> tuple[str, list[Any]]:
    """The sentence and its labels. Both may hold the mark themselves: the first one with labels after it counts."""
    place = -1
    for _ in range(MARKS):
        place = line.find(MARK, place + 1)
        if place < 0:
            break
        try:
            labels = literal(line[place + len(MARK) - 1 :].strip(), form, where)
        except ZooError:
            continue
        if isinstance(labels, list):
            return line[:place], labels
    raise malformed(line, form, where)


def _quad(label: Any, where: str) -> Quad:
    if not (isinstance(label, (tuple, list)) and len(label) == 4 and all(isinstance(part, str) for part in label)):
        raise malformed(label, ASQP_FORM, where)
    aspect, name, mood, opinion = label
    if isinstance(label, tuple):  # a K-shot file
        aspect, opinion = ("" if words == "none" else words for words in (aspect, opinion))
    if not name.strip():
        raise malformed(label, "a category", where)
    return Quad(span(aspect), None if name == NO_CATEGORY else category(name), span(opinion), sentiment(mood, where))


def _picked(numbers: Any, tokens: Sequence[str], where: str) -> str:
    if not (isinstance(numbers, list) and numbers and all(type(number) is int for number in numbers)):
        raise malformed(numbers, ASTE_FORM, where)
    if min(numbers) < 0 or max(numbers) >= len(tokens):
        raise _no_token(max(numbers, key=abs), tokens, where)
    return " ".join(tokens[number] for number in numbers)


def _between(first: int, end: int, tokens: Sequence[str], where: str) -> str | None:
    """The tokens from first up to end; none: implicit; empty where the span is."""
    if (first, end) == (-1, -1):
        return None
    if not 0 <= first <= end <= len(tokens):
        raise _no_token(first if first < 0 or first > len(tokens) else end, tokens, where)
    return " ".join(tokens[first:end])


def _no_token(number: int, tokens: Sequence[str], where: str) -> ZooError:
    return ZooError(f"token {number}", f"one of the {len(tokens)} tokens of the sentence", "mend the line", where)

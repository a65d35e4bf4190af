"""Formats with one sentence per line.

    ASQP   The wine is fine .####[['wine', 'drinks quality', 'positive', 'fine']]         aspect, category, sentiment,
                                                                                          opinion; NULL is implicit
    ACOS   The wine is fine .<tab>1,2 DRINKS#QUALITY 2 3,4                                tokens [first, end) of aspect
                                                                                          and opinion; -1,-1 is implicit
    ASTE   The wine is fine .####[([1], [3], 'POS')]                                      tokens of aspect and opinion

ASQP: Zhang et al., EMNLP 2021. ACOS: Cai et al., ACL 2021; its sentiments 0, 1, 2 are negative, neutral, positive.
A text alone is not annotated; `[]` after its tab says that it has no tuple.
ASTE-Data-V2: Xu et al., EMNLP 2020. The K-shot files of Varia et al. are ASQP with tuples and "none" for NULL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from instructzoo.absa.data.readers.base import (
    EMPTY_SPAN,
    NOTHING_MARKS,
    Sentence,
    make_sentence,
    numbered_lines,
    parse_literal,
    parse_sentiment,
    parse_span,
    supported_tasks,
)
from instructzoo.absa.schema import TASKS, Quad, parse_category
from instructzoo.core.data.line_files import malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError

MARK = "####["
MAX_MARKS = 20
"""How many marks of a line are tried: a line full of them must not take minutes."""

NO_CATEGORY = "laptop"
"""What the K-shot files of LAP14 write as the category, since that data has none."""

ASQP_FORM = "sentence####[['aspect', 'category', 'positive', 'opinion'], ...]"
ASTE_FORM = "sentence####[([0, 1], [3], 'POS'), ...] with token numbers"
ACOS_FORM = "sentence<tab>first,end CATEGORY 0|1|2 first,end<tab>..."
ACOS_TUPLE = re.compile(r"(-?\d{1,9}),(-?\d{1,9}) (\S+) ([012]) (-?\d{1,9}),(-?\d{1,9})")
ACOS_SENTIMENTS = ("negative", "neutral", "positive")

_TRIPLET_TASKS = supported_tasks(("aspect", "opinion", "sentiment"))


def read_asqp(path: Path) -> Iterator[Sentence]:
    """Read the sentences of an ASQP or K-shot file.

    Raises:
        ZooError: with file:line, for a line of another form.
    """
    lines = [(where, *_split_line(line, ASQP_FORM, where)) for where, line in numbered_lines(path)]
    quads_by_line = [tuple(_asqp_quad(label, where) for label in labels) for where, _, labels in lines]
    first_quad = next((quads[0] for quads in quads_by_line if quads), None)
    # the first tuple decides, so that sentences without tuples get the same tasks
    tasks = _TRIPLET_TASKS if first_quad and first_quad.category is None else TASKS
    for (where, text, labels), quads in zip(lines, quads_by_line, strict=True):
        if any((quad.category is None) != (tasks == _TRIPLET_TASKS) for quad in quads):
            raise malformed(labels, "a category in every tuple of the file, or in none", where)
        yield make_sentence(text, quads, where, tasks)


def read_aste(path: Path) -> Iterator[Sentence]:
    """Read the sentences of an ASTE file.

    Raises:
        ZooError: with file:line, for a line of another form or a token index out of range.
    """
    for where, line in numbered_lines(path):
        text, labels = _split_line(line, ASTE_FORM, where)
        tokens = text.split(" ")
        quads = []
        for label in labels:
            if not (isinstance(label, (tuple, list)) and len(label) == 3):
                raise malformed(label, ASTE_FORM, where)
            aspect, opinion = (_join_tokens(indices, tokens, where) for indices in label[:2])
            quads.append(Quad(aspect, None, opinion, parse_sentiment(label[2], where)))
        yield make_sentence(text, quads, where, _TRIPLET_TASKS)


def read_acos(path: Path) -> Iterator[Sentence]:
    """Read the sentences of an ACOS file.

    Raises:
        ZooError: with file:line, for a line of another form or a token index out of range.
    """
    for where, line in numbered_lines(path):
        text, *labels = line.split("\t")
        annotated = any(label.strip() for label in labels)
        labels = [label for label in labels if label.strip() not in ("", *NOTHING_MARKS)]
        tokens = text.split(" ")
        quads, remarks = [], []
        for label in labels:
            match = ACOS_TUPLE.fullmatch(label.strip())
            if not match:
                raise malformed(label, ACOS_FORM, where)
            aspect_start, aspect_end, category, sentiment, opinion_start, opinion_end = match.groups()
            ranges = ((aspect_start, aspect_end), (opinion_start, opinion_end))
            aspect, opinion = (_token_range(int(start), int(end), tokens, where) for start, end in ranges)
            remarks += [EMPTY_SPAN for span in (aspect, opinion) if span == ""]
            quads.append(
                Quad(aspect or None, parse_category(category), opinion or None, ACOS_SENTIMENTS[int(sentiment)])
            )
        yield make_sentence(text, quads, where, remarks=remarks, annotated=annotated)


def _split_line(line: str, form: str, where: str) -> tuple[str, list[Any]]:
    """The sentence and its labels. Both may contain the mark; the first one that valid labels follow counts."""
    mark_start = -1
    for _ in range(MAX_MARKS):
        mark_start = line.find(MARK, mark_start + 1)
        if mark_start < 0:
            break
        try:
            labels = parse_literal(line[mark_start + len(MARK) - 1 :].strip(), form, where)
        except ZooError:
            continue
        if isinstance(labels, list):
            return line[:mark_start], labels
    raise malformed(line, form, where)


def _asqp_quad(label: Any, where: str) -> Quad:
    if not (isinstance(label, (tuple, list)) and len(label) == 4 and all(isinstance(item, str) for item in label)):
        raise malformed(label, ASQP_FORM, where)
    aspect, category, sentiment, opinion = label
    if isinstance(label, tuple):  # a K-shot file
        aspect, opinion = ("" if span == "none" else span for span in (aspect, opinion))
    if not category.strip():
        raise malformed(label, "a category", where)
    return Quad(
        parse_span(aspect),
        None if category == NO_CATEGORY else parse_category(category),
        parse_span(opinion),
        parse_sentiment(sentiment, where),
    )


def _join_tokens(indices: Any, tokens: Sequence[str], where: str) -> str:
    if not (isinstance(indices, list) and indices and all(type(index) is int for index in indices)):
        raise malformed(indices, ASTE_FORM, where)
    if min(indices) < 0 or max(indices) >= len(tokens):
        raise _no_such_token(max(indices, key=abs), tokens, where)
    if indices != sorted({*indices}):
        raise ZooError(f"tokens {shorten(str(indices))}", "token numbers in ascending order", "correct the line", where)
    return " ".join(tokens[index] for index in indices)


def _token_range(start: int, end: int, tokens: Sequence[str], where: str) -> str | None:
    """The tokens [start, end); None for the implicit span -1,-1; "" for an empty one."""
    if (start, end) == (-1, -1):
        return None
    if not 0 <= start <= end <= len(tokens):
        raise _no_such_token(start if start < 0 or start > len(tokens) else end, tokens, where)
    return " ".join(tokens[start:end])


def _no_such_token(index: int, tokens: Sequence[str], where: str) -> ZooError:
    expected = f"one of the {len(tokens)} tokens of the sentence, counted from 0"
    return ZooError(f"token {shorten(str(index))}", expected, "correct the line", where)

"""Readers of line-based formats: CoNLL columns, with a token on each line, and SemEval-2010 task 8.

    CoNLL     Ann <tab> B-person            the first column is the token, the last one its tag; a blank line ends a
              lives <tab> O                 sentence; columns are split at tabs, or at spaces where a line has none

    SemEval   1 <tab> "The <e1>cup</e1> holds <e2>tea</e2>."
              Content-Container(e2,e1)
              Comment: none

Tags are BIO, or BIOES and BILOU, which are equivalent. An inside tag without a beginning (I-person after O, or after
I-city) begins a span, as in CoNLL's scorer, and gets a remark. Tokens are joined by single spaces.
A SemEval relation goes from the first to the second argument of its name, whichever comes first in the text; "Other" is
no relation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.errors import ZooError, location
from instructzoo.uie.data.readers.base import NO_RELATION, Sentence, join_tokens, make_mention, make_sentence, make_span
from instructzoo.uie.schema import Annotation, Relation

CONLL_FORM = "a token and a tag (O, B-type, I-type), with a tab or spaces between"
SEMEVAL_FORM = 'number<tab>"text with <e1>one</e1> and <e2>another</e2> noun"'
RELATION_FORM = "a relation such as Cause-Effect(e1,e2), or Other"
STARTS_INSIDE = "spans that begin with an inside tag (I-)"

TAG = re.compile(r"O|([BIESLU])-(\S.*)")
NUMBERED = re.compile(r'\d+\t".*"\s*')
_NOUN = re.compile(r"<(e[12])>(.*?)</\1>", re.DOTALL)
_RELATION = re.compile(r"(Other)|([\w-]+)\((e1,e2|e2,e1)\)")
_DOCUMENT = "-DOCSTART-"


def read_conll(path: Path) -> Iterator[Sentence]:
    """Sentences of a CoNLL file. Raises ZooError with file:line for a line without a token or a valid tag."""
    tokens: list[str] = []
    tags: list[str] = []
    first_line = 1
    for number, line in _lines_and_end(path):
        if not line.strip():
            if tokens:
                yield _sentence(tokens, tags, location(path, first_line))
            tokens, tags, first_line = [], [], number + 1
            continue
        columns = split_columns(line)
        if columns[0] == _DOCUMENT or (not tokens and line.startswith("# ") and not TAG.fullmatch(columns[-1])):
            first_line = number + 1
            continue
        if len(columns) < 2 or not columns[0] or not TAG.fullmatch(columns[-1]):
            raise malformed(line, CONLL_FORM, location(path, number))
        tokens.append(columns[0])
        tags.append(columns[-1])


def _lines_and_end(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, and a blank one after the last, which ends the last sentence."""
    number = 0
    for number, line in lines(path):
        yield number, line
    yield number + 1, ""


def split_columns(line: str) -> list[str]:
    """The columns of a line, split at tabs, or at spaces where the line has no tab."""
    return [column.strip(" ") for column in line.split("\t")] if "\t" in line.strip() else line.split()


def _sentence(tokens: list[str], tags: list[str], where: str) -> Sentence:
    text, starts = join_tokens(tokens)
    spans, remarks = _spans(tags)
    entities = (
        make_mention(type, text, starts[first], starts[end - 1] + len(tokens[end - 1]), where)
        for type, first, end in spans
    )
    return make_sentence(text, Annotation(entities=tuple(entities)), where, remarks)


def _spans(tags: list[str]) -> tuple[list[tuple[str, int, int]], list[str]]:
    """(type, first token, token after the last) of every span, and a remark for each that starts with an inside tag."""
    spans: list[tuple[str, int, int]] = []
    remarks = []
    open_type = ""  # of the span that the next token may continue
    for index, tag in enumerate(tags):
        match = TAG.fullmatch(tag)
        kind, type = match.groups() if match and match[1] else ("O", "")
        if kind != "O":
            if kind in "IEL" and type == open_type:
                spans[-1] = (type, spans[-1][1], index + 1)
            else:
                remarks += [STARTS_INSIDE] * (kind in "IEL")
                spans.append((type, index, index + 1))
        open_type = type if kind in "BI" else ""
    return spans, remarks


def read_semeval(path: Path) -> Iterator[Sentence]:
    """Sentences of SemEval-2010 task 8. Raises ZooError with file:line for a malformed line."""
    block: list[tuple[int, str]] = []
    for number, line in _lines_and_end(path):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _semeval_sentence(block, path)
            block = []


def _semeval_sentence(block: list[tuple[int, str]], path: Path) -> Sentence:
    """The sentence of a block of numbered lines: the text, its relation, comments."""
    (number, line), *rest = block
    where = location(path, number)
    if not NUMBERED.fullmatch(line):
        raise malformed(line, SEMEVAL_FORM, where)
    text, nouns = _nouns(line.partition("\t")[2].strip()[1:-1], where)
    if not rest:
        raise ZooError("a sentence without its relation", f"{RELATION_FORM}, on the next line", "", where)
    match = _RELATION.fullmatch(rest[0][1].strip())
    if not match:
        raise malformed(rest[0][1], RELATION_FORM, location(path, rest[0][0]))
    if match[1]:
        return make_sentence(text, Annotation(), where, [NO_RELATION])
    head, tail = (nouns[name] for name in match[3].split(","))
    relation = Relation(match[2], make_span(text, *head, where), make_span(text, *tail, where))
    return make_sentence(text, Annotation(relations=(relation,)), where)


def _nouns(tagged: str, where: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """The text without its tags, and the offsets of the two nouns in it."""
    pieces, nouns = [], {}
    read_up_to = length = 0  # in the tagged text, and of the text without tags
    for match in _NOUN.finditer(tagged):
        pieces += [tagged[read_up_to : match.start()], match[2]]
        length += match.start() - read_up_to
        nouns[match[1]] = (length, length + len(match[2]))
        length += len(match[2])
        read_up_to = match.end()
    text = "".join([*pieces, tagged[read_up_to:]])
    if set(nouns) != {"e1", "e2"} or any(tag in text for tag in ("<e1>", "</e1>", "<e2>", "</e2>")):
        raise malformed(tagged, SEMEVAL_FORM, where)
    return text, nouns

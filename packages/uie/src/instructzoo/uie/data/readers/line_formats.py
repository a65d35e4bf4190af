"""The formats of lines: a token a line, and SemEval-2010 task 8.

    CoNLL     Ann <tab> B-person            the first column is the token, the last one its tag; a blank line ends a
              lives <tab> O                 sentence; columns are split at tabs, or at spaces where a line has none

    SemEval   1 <tab> "The <e1>cup</e1> holds <e2>tea</e2>."
              Content-Container(e2,e1)
              Comment: none

Tags are BIO, or BIOES and BILOU, which say the same. A tag that goes on where nothing began (I-person after O, or after
I-city) begins a span, as CoNLL's scorer has it, and is remarked. Tokens are joined by one space.
A relation of SemEval goes from the first to the second noun of its name, whichever of them stands first in the text;
"Other" is no relation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.errors import ZooError, place
from instructzoo.uie.data.readers.base import NO_RELATION, Sentence, joined, mention, sentence, span
from instructzoo.uie.schema import Annotation, Relation

CONLL_FORM = "a token and a tag (O, B-type, I-type), with a tab or spaces between"
SEMEVAL_FORM = 'number<tab>"text with <e1>one</e1> and <e2>another</e2> noun"'
RELATION_FORM = "a relation such as Cause-Effect(e1,e2), or Other"
BEGUN_INSIDE = "spans that begin with an inside tag (I-)"

TAG = re.compile(r"O|([BIESLU])-(\S.*)")
NUMBERED = re.compile(r'\d+\t".*"\s*')
_NOUN = re.compile(r"<(e[12])>(.*?)</\1>", re.DOTALL)
_RELATION = re.compile(r"(Other)|([\w-]+)\((e1,e2|e2,e1)\)")
_DOCUMENT = "-DOCSTART-"


def conll(path: Path) -> Iterator[Sentence]:
    """Sentences of a CoNLL file. Raises ZooError with file:line for a line without token or with no such tag."""
    tokens: list[str] = []
    tags: list[str] = []
    first = 1
    for number, line in _lines_and_end(path):
        if not line.strip():
            if tokens:
                yield _sentence(tokens, tags, place(path, first))
            tokens, tags, first = [], [], number + 1
            continue
        cells = cells_of(line)
        if cells[0] == _DOCUMENT or (not tokens and line.startswith("# ") and not TAG.fullmatch(cells[-1])):
            first = number + 1
            continue
        if len(cells) < 2 or not cells[0] or not TAG.fullmatch(cells[-1]):
            raise malformed(line, CONLL_FORM, place(path, number))
        tokens.append(cells[0])
        tags.append(cells[-1])


def _lines_and_end(path: Path) -> Iterator[tuple[int, str]]:
    """Lines, and a blank one after the last."""
    number = 0
    for number, line in lines(path):
        yield number, line
    yield number + 1, ""


def cells_of(line: str) -> list[str]:
    return [cell.strip(" ") for cell in line.split("\t")] if "\t" in line.strip() else line.split()


def _sentence(tokens: list[str], tags: list[str], where: str) -> Sentence:
    text, starts = joined(tokens)
    spans, remarks = _spans(tags)
    found = (mention(type, text, starts[a], starts[b - 1] + len(tokens[b - 1]), where) for type, a, b in spans)
    return sentence(text, Annotation(entities=tuple(found)), where, remarks)


def _spans(tags: list[str]) -> tuple[list[tuple[str, int, int]], list[str]]:
    """(type, first token, token after the last) of every span, and a remark for each that begins inside."""
    spans: list[tuple[str, int, int]] = []
    remarks = []
    open_type = ""  # of the span that the last token left open
    for number, tag in enumerate(tags):
        match = TAG.fullmatch(tag)
        kind, type = match.groups() if match and match[1] else ("O", "")
        if kind != "O":
            if kind in "IEL" and type == open_type:
                spans[-1] = (type, spans[-1][1], number + 1)
            else:
                remarks += [BEGUN_INSIDE] * (kind in "IEL")
                spans.append((type, number, number + 1))
        open_type = type if kind in "BI" else ""
    return spans, remarks


def semeval(path: Path) -> Iterator[Sentence]:
    """Sentences of SemEval-2010 task 8. Raises ZooError with file:line for a line of another form."""
    block: list[tuple[int, str]] = []
    for number, line in _lines_and_end(path):
        if line.strip():
            block.append((number, line))
        elif block:
            yield _marked(block, path)
            block = []


def _marked(block: list[tuple[int, str]], path: Path) -> Sentence:
    (number, line), *rest = block
    where = place(path, number)
    if not NUMBERED.fullmatch(line):
        raise malformed(line, SEMEVAL_FORM, where)
    text, nouns = _nouns(line.partition("\t")[2].strip()[1:-1], where)
    if not rest:
        raise ZooError("a sentence without its relation", f"{RELATION_FORM}, on the next line", "", where)
    match = _RELATION.fullmatch(rest[0][1].strip())
    if not match:
        raise malformed(rest[0][1], RELATION_FORM, place(path, rest[0][0]))
    if match[1]:
        return sentence(text, Annotation(), where, [NO_RELATION])
    head, tail = (nouns[name] for name in match[3].split(","))
    relation = Relation(match[2], span(text, *head, where), span(text, *tail, where))
    return sentence(text, Annotation(relations=(relation,)), where)


def _nouns(marked: str, where: str) -> tuple[str, dict[str, tuple[int, int]]]:
    """The text without its marks, and where the two nouns stand in it."""
    pieces, nouns = [], {}
    done = length = 0
    for match in _NOUN.finditer(marked):
        pieces += [marked[done : match.start()], match[2]]
        length += match.start() - done
        nouns[match[1]] = (length, length + len(match[2]))
        length += len(match[2])
        done = match.end()
    text = "".join([*pieces, marked[done:]])
    if set(nouns) != {"e1", "e2"} or any(mark in text for mark in ("<e1>", "</e1>", "<e2>", "</e2>")):
        raise malformed(marked, SEMEVAL_FORM, where)
    return text, nouns

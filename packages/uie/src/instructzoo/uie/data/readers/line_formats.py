"""Readers of line-based formats: CoNLL columns, with a token on each line, and SemEval-2010 task 8.

    CoNLL     Ann <tab> B-person            the first column is the token, the last one its tag; a blank line ends a
              lives <tab> O                 sentence; columns are split at tabs, or at spaces where a line has none

    SemEval   1 <tab> "The <e1>cup</e1> holds <e2>tea</e2>."
              Content-Container(e2,e1)
              Comment: none

Every line has as many columns as the first: a token with a space in it would otherwise lose its end. Any other white
space (no-break, ideographic) is a part of its token. Where the first column counts the tokens of every sentence, the
second one is the token.
Tags are BIO, or BIOES, BILOU and BMES, which are equivalent. An inside tag without a beginning (I-person after O, or
after I-city) begins a span, as in CoNLL's scorer, and gets a remark; so does a span without its end tag in a file that
has end tags. Tokens are joined by single spaces.
A SemEval relation goes from the first to the second argument of its name, whichever comes first in the text; "Other" is
no relation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core.data.line_files import lines, malformed
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location
from instructzoo.uie.data.readers.base import NO_RELATION, Sentence, join_tokens, make_mention, make_sentence, make_span
from instructzoo.uie.schema import Annotation, Relation

CONLL_FORM = "a token and a tag (O, B-type, I-type), with a tab or spaces between"
SEMEVAL_FORM = 'number<tab>"text with <e1>one</e1> and <e2>another</e2> noun"'
RELATION_FORM = "a relation such as Cause-Effect(e1,e2), or Other"
TAGS_FORM = "O, B-type, I-type"
STARTS_INSIDE = "spans that begin with an inside tag (I-)"
NOT_ENDED = "spans without an end tag (E-, L-), although the sentence has such tags"
NUMBERS = "sentences whose first column counts the tokens, read without it"
OTHER_TAGS = "sentences with another column of tags, of which the last one is read"

TAG = re.compile(r"O|([BIMESLU])-(\S.*)")
NUMBERED = re.compile(r'\d+\t".*"\s*')
_NOUN = re.compile(r"<(e[12])>(.*?)</\1>", re.DOTALL)
_RELATION = re.compile(r"(Other)|([\w-]+)\((e1,e2|e2,e1)\)")
_DOCUMENT = "-DOCSTART-"
_SPACES = " \t\r"  # what may stand between columns; any other white space belongs to a token


@dataclass(frozen=True)
class _Columns:
    """The columns of the tokens of a sentence, and where it begins."""

    where: str
    tokens: list[list[str]]


def read_conll(path: Path) -> Iterator[Sentence]:
    """Sentences of a CoNLL file. Raises ZooError with file:line for a line without a token or a valid tag."""
    sentences = list(_conll_sentences(path))
    numbered = all(_counts_tokens(sentence.tokens) for sentence in sentences)
    lines = [columns for sentence in sentences for columns in sentence.tokens]
    middle = range(1 + numbered, len(lines[0]) - 1) if lines else range(0)
    remarks = [NUMBERS] * numbered + [OTHER_TAGS] * sum(_holds_tags([columns[i] for columns in lines]) for i in middle)
    for sentence in sentences:
        tokens = [columns[numbered] for columns in sentence.tokens]
        tags = [columns[-1] for columns in sentence.tokens]
        yield tagged_sentence(tokens, tags, sentence.where, remarks)


def _holds_tags(column: list[str]) -> bool:
    """Whether a column has tags too, such as those of chunks, or of spans within spans."""
    return all(TAG.fullmatch(cell) for cell in column) and any(cell != "O" for cell in column)


def _conll_sentences(path: Path) -> Iterator[_Columns]:
    """The sentences of a file, every line with as many columns as the first one."""
    tokens: list[list[str]] = []
    first_line, width = 1, 0
    for number, line in _lines_and_end(path):
        where = location(path, number)
        if not line.strip(_SPACES):
            if tokens:
                yield _Columns(location(path, first_line), tokens)
            tokens, first_line = [], number + 1
            continue
        columns = split_columns(line.removeprefix("\ufeff"))  # where files were put together
        if columns[0] == _DOCUMENT or (not tokens and _is_comment(line, columns, width)):
            first_line = number + 1
            continue
        if len(columns) < 2 or not columns[0] or not TAG.fullmatch(columns[-1]):
            raise malformed(line, CONLL_FORM, where)
        width = width or len(columns)
        if len(columns) != width:
            fix = "separate columns by tabs where a token has spaces"
            raise ZooError(f"{len(columns)} columns in {shorten(line)}", f"{width}, as above", fix, where)
        tokens.append(columns)


def _is_comment(line: str, columns: list[str], width: int) -> bool:
    """Whether a line before a sentence is a comment, such as "# id 7", and not the token "# O"."""
    return line.startswith("# ") and (not TAG.fullmatch(columns[-1]) or len(columns) != (width or len(columns)))


def _counts_tokens(tokens: list[list[str]]) -> bool:
    """Whether the first of at least three columns counts the tokens, from 0 or 1."""
    if len(tokens[0]) < 3 or tokens[0][0] not in ("0", "1"):
        return False
    first = int(tokens[0][0])
    return [columns[0] for columns in tokens] == [str(first + index) for index in range(len(tokens))]


def _lines_and_end(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, and a blank one after the last, which ends the last sentence."""
    number = 0
    for number, line in lines(path):
        yield number, line
    yield number + 1, ""


def split_columns(line: str) -> list[str]:
    """The columns of a line, split at tabs, or at spaces where the line has no tab; other white space is kept."""
    line = line.strip(_SPACES) if "\t" not in line.strip(_SPACES) else line.rstrip("\r")
    return [column.strip(" ") for column in line.split("\t")] if "\t" in line else re.split(" +", line)


def tagged_sentence(tokens: Sequence[str], tags: Sequence[str], where: str, remarks: Sequence[str] = ()) -> Sentence:
    """The sentence of tokens and their tags.

    Args:
        tokens: The tokens, none of them empty.
        tags: A tag that TAG matches for each token.
        where: File and line, for error messages.
        remarks: Remarks of the reader.

    Returns:
        The sentence; remarks count the spans whose tags do not follow their scheme.
    """
    text, starts = join_tokens(tokens)
    spans, tag_remarks = _spans(tags)
    entities = (
        make_mention(type, text, starts[first], starts[end - 1] + len(tokens[end - 1]), where)
        for type, first, end in spans
    )
    return make_sentence(text, Annotation(entities=tuple(entities)), where, [*remarks, *tag_remarks])


def _spans(tags: Sequence[str]) -> tuple[list[tuple[str, int, int]], list[str]]:
    """(type, first token, token after the last) of every span, and a remark for each whose tags break the scheme."""
    has_end_tags = any(tag[:2] in ("E-", "L-") for tag in tags)
    spans: list[tuple[str, int, int]] = []
    remarks = []
    open_type = ""  # of the span that the next token may continue
    begun = False  # whether that span has a tag of its beginning
    for index, tag in enumerate([*tags, "O"]):
        match = TAG.fullmatch(tag)
        kind, type = match.groups() if match and match[1] else ("O", "")
        continues = kind in "IMEL" and type == open_type
        if open_type and not continues:
            remarks += [NOT_ENDED] * (begun and has_end_tags)
        if kind != "O":
            if continues:
                spans[-1] = (type, spans[-1][1], index + 1)
            else:
                begun = kind in "BSU"
                remarks += [STARTS_INSIDE] * (not begun)
                spans.append((type, index, index + 1))
        open_type = type if kind in "BIM" else ""
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

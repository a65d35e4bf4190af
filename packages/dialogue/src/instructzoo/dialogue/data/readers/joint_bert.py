"""Files of parallel lines beside each other, as in JointBERT's copies of SNIPS and ATIS.

    seq.in     play some jazz please        a text a line
    seq.out    O O B-genre O                the tags of its tokens, in BIO; may be missing (HWU64, few-shot splits)
    label      play_music                   its intent; may be missing where there is seq.out

Tokens are split at spaces and joined by single spaces. A tag I-x that follows neither B-x nor I-x begins a value, as in
CoNLL's scorer, and is counted. An utterance with several intents has one label, such as "atis_flight#atis_airfare".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from instructzoo.core.data.line_files import lines
from instructzoo.core.data.readers import shorten
from instructzoo.core.errors import ZooError, location
from instructzoo.dialogue.data.readers.base import Beginning, utterance
from instructzoo.dialogue.schema import Dialogue

TEXTS, TAGS, INTENTS = "seq.in", "seq.out", "label"
STARTS_INSIDE = "slot values that begin with an inside tag (I-)"

_TAG = re.compile(r"O|([BI])-(\S+)")


def matches(beginning: Beginning) -> bool:
    """Whether the path is seq.in, or a folder with it."""
    folder = _folder(beginning.path)
    return (beginning.path.is_dir() or beginning.path.name == TEXTS) and (folder / TEXTS).is_file()


def read(path: Path) -> Iterator[Dialogue]:
    """The utterances of seq.in.

    Args:
        path: seq.in, or the folder that holds it.

    Yields:
        A dialogue of one turn for each line.

    Raises:
        ZooError: With file:line for a blank text, a blank intent, and tags that are malformed or not one for each
            token; for files of different lengths, and where seq.in stands alone.
    """
    folder = _folder(path)
    texts = _lines(folder / TEXTS)
    tags = _lines_beside(folder / TAGS, texts)
    intents = _lines_beside(folder / INTENTS, texts)
    if tags is None and intents is None:
        raise ZooError(f"{TEXTS} stands alone", f"{INTENTS} or {TAGS} beside it", "add one", str(folder / TEXTS))
    for index, text in enumerate(texts):
        where = location(folder / TEXTS, index + 1)
        intent = intents[index].strip() if intents else None
        if intent == "":
            place = location(folder / INTENTS, index + 1)
            raise ZooError("a blank line", "an intent", "write it, or remove the utterance", place)
        if tags is None:
            yield utterance(text, where, intent)
        else:
            yield tagged(_tokens(text), _tokens(tags[index]), where, location(folder / TAGS, index + 1), intent)


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _lines(path: Path) -> list[str]:
    """The lines of a file without blank ones at its end."""
    texts = [line for _, line in lines(path)]
    while not texts[-1].strip():
        texts.pop()
    return texts


def _lines_beside(path: Path, texts: Sequence[str]) -> list[str] | None:
    """The lines of a file, as many as there are texts; None where there is no such file."""
    if not path.is_file():
        return None
    found = _lines(path)
    if len(found) != len(texts):
        raise ZooError(f"{len(found):,} lines", f"{len(texts):,}, as in {TEXTS}", "one line an utterance", str(path))
    return found


def _tokens(line: str) -> list[str]:
    """The tokens of a line; white space other than spaces and tabs belongs to a token."""
    return re.split(r"[ \t]+", line.strip(" \t"))


def tagged(tokens: Sequence[str], tags: Sequence[str], where: str, tags_where: str, intent: str | None) -> Dialogue:
    """The utterance of tokens with BIO tags.

    Args:
        tokens: The tokens, which become a text with single spaces between them.
        tags: A tag for each token.
        where: The place of the tokens, for error messages.
        tags_where: The place of the tags.
        intent: The intent; None where none is annotated.

    Returns:
        A dialogue of one turn.

    Raises:
        ZooError: A tag is malformed, or there is not one for each token.
    """
    if len(tags) != len(tokens):
        found, expected = f"{len(tags)} tags", f"{len(tokens)}, as there are tokens"
        raise ZooError(found, expected, "write a tag for each token", tags_where)
    starts, offset = [], 0
    for token in tokens:
        starts.append(offset)
        offset += len(token) + 1
    spans, remarks = _spans(tags, tags_where)
    by_offset = [(name, starts[first], starts[last] + len(tokens[last])) for name, first, last in spans]
    return utterance(" ".join(tokens), where, intent, by_offset, remarks=remarks)


def _spans(tags: Sequence[str], where: str) -> tuple[list[tuple[str, int, int]], list[str]]:
    """(slot, first token, last token) of each value, and a remark for each that begins with an inside tag."""
    spans: list[tuple[str, int, int]] = []
    remarks = []
    open_name = ""  # of the value that the next tag may continue
    for index, tag in enumerate(tags):
        match = _TAG.fullmatch(tag)
        if not match:
            raise ZooError(f'the tag "{shorten(tag)}"', "O, B-slot or I-slot", "correct it", where)
        kind, name = match[1], match[2] or ""
        if kind == "I" and name == open_name:
            spans[-1] = (name, spans[-1][1], index)
        elif kind:
            remarks += [STARTS_INSIDE] * (kind == "I")
            spans.append((name, index, index))
        open_name = name
    return spans, remarks

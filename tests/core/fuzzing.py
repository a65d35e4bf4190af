"""Files that were valid until something happened to them, for the tests of readers: bytes, lines and JSON values.

    @fuzzed(mutated(VALID), examples=2000)
    def test_...(content: bytes) -> None:
        reads_or_refuses(lambda: reader(write(content)))

A test of this kind holds where every input is read or refused with a ZooError, within SECONDS. Examples are drawn with
a fixed seed: a failure repeats on every machine.
"""

from __future__ import annotations

import contextlib
import copy
import json
import signal
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructzoo.core.errors import ZooError

SECONDS = 10
"""How much processor time the reading of one input of some kilobytes may take."""

ODD_TEXTS = (
    "", " ", "\t", "\r", "\n", "\r\n", "\0", "\ufeff", "\u00a0", "\u3000", "\u2028", "\u0085", "\u200b", "\x0b", "\x1f",
    "é", "e\u0301", "😀", "👩\u200d👩", "שלום", "İ", "ß", "٣", "²", "½", '"', "'", "\\", "\\n", ",", ";", "####[", "<",
    ">", "&", "&#0;", "<!DOCTYPE x>", "]]>", "[", "]", "{", "}", "null", "NaN", "-Infinity", "1e999", "-1", "0x1",
    "1_000", "9" * 5000, "-" + "9" * 400, "[" * 3000, '{"a":' * 3000, "(" * 300, "a" * 5000, "O", "B-", "I-x", "S-x",
    "# ", "...", "\\ud800", "\\u0000", "None", "NULL", "true", "T1", "E1", "R1\t", "-DOCSTART-", "2024-01-01", "../x",
    "~x", "%s",
)  # fmt: skip
ODD_BYTES = (
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"PK",
)
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 10**400, -(10**30), 0.5, -0.0, 1e308, "", " ", "x", "\0", "😀", "\u00a0", "\ufeff",
    "\ud800", "B-x", "1", "None", "a" * 3000, [], {}, [[]], [None], {"": None}, [0, 1], [1, 0, "x"], ["a", "b"],
    {"start": 0, "end": 1}, {"a": {"b": {"c": [1]}}}, [[[[[[]]]]]],
)  # fmt: skip


class TookTooLong(BaseException):
    """Reading one input took more than SECONDS of processor time. No reader catches it, since it is no Exception."""


@contextlib.contextmanager
def time_limit(seconds: float = SECONDS) -> Iterator[None]:
    """Raise TookTooLong in the block when it uses more processor time than this."""

    def stop(signal_number: int, frame: types.FrameType | None) -> None:
        raise TookTooLong(f"more than {seconds} seconds")

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


def reads_or_refuses(read: Callable[[], Any]) -> None:
    """Call a reader: whatever it returns is fine, and so is a ZooError of one line; anything else fails the test."""
    with time_limit():
        try:
            read()
        except ZooError as error:
            assert "\n" not in str(error) and str(error)
            str(error).encode("utf-8", "strict" if str(error).isprintable() else "backslashreplace")


def fuzzed(strategy: st.SearchStrategy[Any], examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test on this many examples of a strategy, the same ones every time."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        configured = settings(
            max_examples=examples,
            derandomize=True,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        return configured(given(strategy)(test))

    return decorate


def mutated(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Raw bytes now and then; mostly one of some valid contents after one to four accidents.

    Args:
        valid: Contents that the reader reads.

    Returns:
        The strategy.
    """
    return st.one_of(st.sampled_from(valid).flatmap(_after_accidents), _json_of(valid), st.binary(max_size=200))


def _after_accidents(content: bytes) -> st.SearchStrategy[bytes]:
    return st.lists(_accident(), min_size=1, max_size=4).map(lambda accidents: _apply(content, accidents))


Accident = tuple[str, float, float, bytes]
"""What happens; where it begins and how far it goes, as shares of the content; what is put in."""

_KINDS = ("flip", "insert", "insert", "delete", "repeat", "truncate", "swap lines", "drop line", "repeat line", "join")


def _accident() -> st.SearchStrategy[Accident]:
    share = st.floats(0, 1, exclude_max=True)
    odd = st.one_of(st.sampled_from(ODD_TEXTS).map(lambda text: text.encode()), st.sampled_from(ODD_BYTES))
    return st.tuples(st.sampled_from(_KINDS), share, share, odd)


def _apply(content: bytes, accidents: Sequence[Accident]) -> bytes:
    for kind, at, reach, odd in accidents:
        start = int(at * len(content))
        end = start + int(reach * min(len(content) - start, 40))
        lines = content.split(b"\n")
        index, other = int(at * len(lines)), int(reach * len(lines))
        if kind == "flip" and content:
            content = content[:start] + bytes([content[start] ^ (1 << int(reach * 8))]) + content[start + 1 :]
        elif kind == "insert":
            content = content[:start] + odd + content[start:]
        elif kind == "delete":
            content = content[:start] + content[end:]
        elif kind == "repeat":
            content = content[:end] + content[start:]
        elif kind == "truncate":
            content = content[:start]
        elif kind == "join":
            content = b"\n".join([*lines[:index], b"".join(lines[index : index + 2]), *lines[index + 2 :]])
        elif kind == "swap lines":
            lines[index], lines[other] = lines[other], lines[index]
            content = b"\n".join(lines)
        else:
            kept = lines[index : index + 1] * (2 if kind == "repeat line" else 0)
            content = b"\n".join([*lines[:index], *kept, *lines[index + 1 :]])
    return content


def _json_of(valid: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """The contents that are JSON or JSON Lines with wrong values in them; nothing where none of them is."""
    documents = [values for content in valid if (values := _json_values(content)) is not None]
    if not documents:
        return st.nothing()
    return st.sampled_from(documents).flatmap(
        lambda document: mutated_json(document[0]).map(lambda value: _dumps(value, as_lines=document[1]))
    )


def _dumps(value: Any, as_lines: bool) -> bytes:
    values = value if as_lines and isinstance(value, list) else [value]
    return "\n".join(json.dumps(part) for part in values).encode()


def _json_values(content: bytes) -> tuple[Any, bool] | None:
    """(value, False) of JSON, ([value, ...], True) of JSON Lines, None for anything else."""
    with contextlib.suppress(ValueError):
        return json.loads(content), False
    with contextlib.suppress(ValueError):
        return [json.loads(line) for line in content.split(b"\n") if line.strip()], True
    return None


def mutated_json(value: Any) -> st.SearchStrategy[Any]:
    """A JSON value with one to three of its parts missing, doubled, renamed or of a wrong type."""
    changes = st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(("drop", "put", "put", "double", "rename")))
    odd = st.one_of(st.sampled_from(ODD_VALUES), st.sampled_from(ODD_TEXTS), st.text(max_size=5), st.integers(-3, 12))
    return st.lists(st.tuples(changes, odd), min_size=1, max_size=3).map(lambda edits: _edited(value, edits))


def _edited(value: Any, edits: Sequence[tuple[tuple[float, str], Any]]) -> Any:
    value = copy.deepcopy(value)
    for (at, kind), odd in edits:
        places = list(_places(value))
        if not places:
            return odd
        holder, key = places[int(at * len(places))]
        if kind == "drop":
            del holder[key]
        elif kind == "double" and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif kind == "rename" and isinstance(holder, dict):
            holder[str(odd)[:50]] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(odd)
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(list or dict, key) of every part of a value, the outer ones first."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])

"""The exceptions of the project: errors that a user can correct, and a run that was stopped on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

SUGGESTION_STARTS = ("did you mean ", "known: ")
"""How `suggest` begins its text. Such a text stands by itself, where any other expectation follows "expected"."""


class ZooError(Exception):
    """An error that the user can correct. The command line prints it as one line and exits with code 2.

    The message reads `where: found; expected ...; fix`, without the pieces that are empty.

    Args:
        found: What the program found, such as `train.lr = "fast"`.
        expected: What it needs instead, such as `a valid number`, or the text of `suggest`.
        fix: What the user can do about it.
        where: The place of the error: `file:line`, a file or a dotted setting.

    Example:
        >>> print(ZooError("port 70000", "1 to 65535", "choose another --port"))
        port 70000; expected 1 to 65535; choose another --port
    """

    def __init__(self, found: str, expected: str = "", fix: str = "", where: str = "") -> None:
        self.found, self.expected, self.fix, self.where = found, expected, fix, where
        clauses = [f"{where}: {found}" if where else found]
        if expected:
            clauses.append(expected if expected.startswith(SUGGESTION_STARTS) else f"expected {expected}")
        if fix:
            clauses.append(fix)
        super().__init__(" ".join("; ".join(clauses).split()))


class Stopped(Exception):
    """A run received SIGTERM, SIGHUP or Ctrl-C and has saved its state; the exit code is 128 + the signal.

    Args:
        step: The number of optimiser updates that the saved state holds.
        signal_number: The signal that arrived.
    """

    def __init__(self, step: int, signal_number: int) -> None:
        self.step, self.signal_number = step, signal_number
        super().__init__(f"stopped at step {step}, saved; the same command resumes the run")


def location(path: Path | str, line: int | None = None) -> str:
    """`file:line`, the form that editors and terminals turn into a link; the file alone where no line is given."""
    return f"{path}:{line}" if line is not None else str(path)


def suggest(word: str, candidates: Iterable[str]) -> str:
    """A hint for a mistyped name.

    Args:
        word: What the user typed.
        candidates: The names that exist.

    Returns:
        'did you mean "x"?' where a candidate is similar to `word`, else "known: " and all candidates.
    """
    names = sorted(candidates)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5 if len(word) < 4 else 0.6)
    return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(names) or 'none'}"

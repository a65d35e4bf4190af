"""The examples of the READMEs: a page shows what a command or a snippet really prints.

    <!-- example: absa/load -->
    ```python
    from instructzoo.core import load

    load("absa")(["Great wine, slow service"])
    ```

    ```text
    ...
    ```
    <!-- /example -->

The first block is run, the second is what it printed. `python -m instructzoo.core.report.examples README.md` runs the
examples of a page and writes their outputs anew; a second block that is missing is added. A block of `python` shows
what it prints, and the value of its last line as an interactive session would. A block of `sh` holds commands, such as
`zoo predict ...`; they run in an empty folder. An example of a model whose base must be fetched names the base:
`<!-- example: absa/small needs smollm2-135m -->`.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import pprint
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from instructzoo.core import runs
from instructzoo.core.errors import ZooError, location

CLOSING = "<!-- /example -->"
FORM = "a block of ```python or ```sh, and a block of ```text with its output"
WIDTH = 100
"""Columns of what an example prints."""

TIME_LIMIT = 600
"""Seconds that the commands of an example may take."""

_MARKER = re.compile(r"^<!-- *example\b.*\n", re.MULTILINE)
_OPENING = re.compile(r"<!-- example: (?P<name>[\w./-]+)(?: needs (?P<base>[\w./-]+))? -->\n")
_TEXT = r"(?:(?!^```).)*"
_BLOCKS = re.compile(
    rf"(?P<before>{_TEXT}^```(?P<language>python|sh)\n(?P<code>.*?)^```\n)"
    rf"(?:(?P<between>{_TEXT}^```(?!python|sh)\w*\n)(?P<output>.*?)^```\n)?(?P<after>{_TEXT})",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Example:
    """An example of a page.

    Attributes:
        name: Its name, such as absa/load.
        base: The backbone that must have been fetched for it; empty where it needs none.
        language: python or sh.
        code: The snippet, or the commands.
        output: What the page says that it prints.
        where: Its place, file:line.
    """

    name: str
    base: str
    language: str
    code: str
    output: str
    where: str


def examples_of(page: Path) -> list[Example]:
    """The examples of a page, in order.

    Args:
        page: A Markdown file.

    Returns:
        The examples, none where the page has no marker.

    Raises:
        ZooError: A marker is not closed, or does not hold the two blocks.
    """
    return [example for example, _, _ in _located(page, _read(page))]


def run(example: Example) -> str:
    """Run an example.

    Args:
        example: The example; it runs in an empty folder, a snippet in this process.

    Returns:
        What it printed on standard output, without spaces at the ends of lines; a snippet's last value follows.

    Raises:
        ZooError: It fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        printed = (_run_python if example.language == "python" else _run_commands)(example, Path(folder))
    lines = [line.rstrip() for line in printed.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def update_page(page: Path, fetched: Sequence[str] | None = None) -> bool:
    """Run the examples of a page and write their outputs anew.

    Args:
        page: A Markdown file.
        fetched: The bases that are there; an example that needs another one stays as it is. None: all are.

    Returns:
        Whether the page changed.

    Raises:
        ZooError: A marker is malformed, or an example fails; the page is then unchanged.
    """
    before = _read(page)
    pieces, position = [], 0
    for example, blocks, start in _located(page, before):
        if fetched is not None and example.base and example.base not in fetched:
            continue
        between = blocks["between"] or "\n```text\n"
        text = f"{blocks['before']}{between}{run(example)}```\n{blocks['after']}"
        pieces += [before[position:start], text]
        position = start + blocks.end()
    updated = "".join([*pieces, before[position:]])
    if updated != before:
        runs.write_text(page, updated)
    return updated != before


def main(arguments: Sequence[str]) -> int:
    """The command `python -m instructzoo.core.report.examples README.md ...`."""
    try:
        for argument in arguments:
            sys.stdout.write(f"{argument}: {'updated' if update_page(Path(argument)) else 'up to date'}\n")
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except OSError as error:
        raise ZooError(f"cannot read: {error.strerror}", "a Markdown file", where=str(page)) from error


def _located(page: Path, text: str) -> Iterator[tuple[Example, re.Match[str], int]]:
    """The examples of a text with the match of their blocks, and where the blocks begin."""
    for marker in _MARKER.finditer(text):
        where = location(str(page), text.count("\n", 0, marker.start()) + 1)
        opening = _OPENING.fullmatch(marker[0])
        if opening is None:
            raise ZooError(
                marker[0].strip(), "<!-- example: NAME --> or <!-- example: NAME needs BASE -->", where=where
            )
        close, following = text.find(CLOSING, marker.end()), _MARKER.search(text, marker.end())
        if close < 0 or (following and following.start() < close):
            raise ZooError(f"the marker example: {opening['name']} is not closed", CLOSING, where=where)
        blocks = _BLOCKS.fullmatch(text[marker.end() : close])
        if blocks is None:
            raise ZooError(f"the example {opening['name']} has another form", FORM, where=where)
        code, output = blocks["code"], blocks["output"] or ""
        example = Example(opening["name"], opening["base"] or "", blocks["language"], code, output, where)
        yield example, blocks, marker.end()


def _run_python(example: Example, folder: Path) -> str:
    """Run a snippet in a namespace of its own."""
    script, out = folder / "example.py", io.StringIO()
    script.write_text(_showing_last_value(example), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()), contextlib.chdir(folder):
        try:
            runpy.run_path(str(script), {"_show": _show})
        except Exception as error:
            raise ZooError(f"{type(error).__name__}: {error}", "an example that runs", where=example.where) from error
    return out.getvalue()


def _showing_last_value(example: Example) -> str:
    """The snippet with its last line inside a call of _show, if that line is an expression."""
    try:
        body = ast.parse(example.code).body
    except SyntaxError as error:
        raise ZooError(f"no Python: {error.msg}", "an example that runs", where=example.where) from error
    if not body or not isinstance(body[-1], ast.Expr):
        return example.code
    lines, last = example.code.splitlines(), body[-1]
    return "\n".join([*lines[: last.lineno - 1], "_show(", *lines[last.lineno - 1 : last.end_lineno], ")"])


def _show(value: object) -> None:
    if value is not None:
        sys.stdout.write(pprint.pformat(value, width=WIDTH, sort_dicts=False) + "\n")


def _run_commands(example: Example, folder: Path) -> str:
    """Run commands in a shell whose `zoo` is the one of this Python."""
    programs, work = folder / "bin", folder / "work"
    programs.mkdir()
    work.mkdir()
    zoo = programs / "zoo"
    zoo.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m instructzoo.core.cli "$@"\n', encoding="utf-8")
    zoo.chmod(0o755)
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}", "COLUMNS": str(WIDTH)}
    done = subprocess.run(
        ["sh", "-e", "-c", example.code], cwd=work, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ZooError(f"exit code {done.returncode}: {reason}", "an example that runs", where=example.where)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Running a command line: how its errors are printed, and its exit codes."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import typer

from instructzoo.core.errors import Stopped, ZooError
from instructzoo.core.stop_signals import exit_on_stop_signals

RENAMED_OPTIONS = {"--run": "--model MODEL names the model, a run directory too"}
"""Options of earlier versions, and what stands for them now."""

UsageError: Any = typer.BadParameter.__base__
"""Raised for options and arguments that do not exist; newer versions of typer bring a click of their own."""


def run(command: typer.Typer, name: str) -> None:
    """Run a command line: a user error is one line on standard error and exit code 2; --debug shows its traceback.

    What the system refuses (a full disk, a file that cannot be opened) is a user error too, wherever it happens.

    Args:
        command: The Typer application.
        name: The name of the program, which begins the error line.
    """
    exit_on_stop_signals()
    for stream in ("stdin", "stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started the program
            setattr(sys, stream, Path(os.devnull).open("r" if stream == "stdin" else "w"))  # noqa: SIM115 - for good
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    if not sys.warnoptions:
        warnings.simplefilter("ignore", FutureWarning)  # of libraries among one another: no user can act on them
    # With AVX512-BF16, bitsandbytes logs at every start that it lacks a kernel, which models/load.py disables anyway.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        code = command(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()  # while an error can still be one line
        raise SystemExit(code)
    except ZooError as error:
        if debug:
            raise
        sys.stderr.write(f"{name}: {error}\n")
        raise SystemExit(2) from None
    except UsageError as error:
        if renamed := next((a for a in arguments if a.partition("=")[0] in RENAMED_OPTIONS), None):
            now = RENAMED_OPTIONS[renamed.partition("=")[0]]
            sys.stderr.write(f"{name}: no option {renamed.partition('=')[0]}; {now}\n")
            raise SystemExit(2) from None
        problem = error.format_message()
        path = error.ctx.command_path if error.ctx else name
        several_lines = "\n" in problem  # the help that a command without arguments shows
        sys.stderr.write(f"{problem}\n" if several_lines else f"{path}: {problem} ({path} --help)\n")
        raise SystemExit(2) from None
    except Stopped as stopped:
        sys.stderr.write(f"{name}: {stopped}\n")
        raise SystemExit(128 + stopped.signal_number) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        _drop_output()
        raise SystemExit(141) from None
    except OSError as error:
        if debug:
            raise
        sys.stderr.write(f"{name}: {_system_error(error)}\n")
        raise SystemExit(2) from None


def _system_error(error: OSError) -> ZooError:
    """An error of the operating system in one line, with the file that it concerns."""
    where, reason = str(error.filename or ""), error.strerror or str(error)
    if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF):
        where = "standard output"  # files are opened by name
        _drop_output()
    return ZooError(reason, "a file that can be read, or a place with room to write", where=where)


def _drop_output() -> None:
    """Let what is still to be written to standard output go nowhere: Python would try again at its exit, and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(result: dict[str, Any], as_json: bool, kind: str) -> None:
    """Print a command's result: one JSON object for programs, or text for people. Only the main process prints.

    Args:
        result: What the API function returned.
        as_json: Whether to print it as JSON.
        kind: The function of terminal/printers.py that prints it for people.
    """
    from instructzoo.core import runs
    from instructzoo.core.terminal import console, printers

    if not runs.is_main():
        return
    if as_json:
        console.line(json.dumps(result, indent=2, ensure_ascii=False, default=str))
    else:
        printers.PRINTERS[kind](result)

"""Running a command line: how its errors are printed, and its exit codes."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

import typer

from instructzoo.core.errors import Stopped, ZooError

UsageError: Any = typer.BadParameter.__base__
"""Raised for options and arguments that do not exist; newer versions of typer bring a click of their own."""


def run(command: typer.Typer, name: str) -> None:
    """Run a command line: a user error is one line on standard error and exit code 2; --debug shows its traceback.

    Args:
        command: The Typer application.
        name: The name of the program, which begins the error line.
    """
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    if not sys.warnoptions:
        warnings.simplefilter("ignore", FutureWarning)  # of libraries among one another: no user can act on them
    # With AVX512-BF16, bitsandbytes logs at every start that it lacks a kernel, which models/load.py disables anyway.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    try:
        raise SystemExit(command(arguments, prog_name=name, standalone_mode=False))
    except ZooError as error:
        if debug:
            raise
        sys.stderr.write(f"{name}: {error}\n")
        raise SystemExit(2) from None
    except UsageError as error:
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
        sys.stderr.close()
        raise SystemExit(141) from None

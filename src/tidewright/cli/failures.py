"""What a command returns to the shell, and how an error is told to a person.

=====  =======================================================================
code   meaning
=====  =======================================================================
0      done
1      the command ran and found a difference, a defect or a failed check
2      wrong usage, or a setting or file that cannot be used
3      a passing fault (network, lock, rate limit); try again later
4      stored facts contradict each other; trading must not continue
5      a venue refused
6      an action may or may not have happened; ask the venue before repeating
70     a fault in Tidewright itself
130    interrupted from the keyboard
=====  =======================================================================
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import ParamSpec

import typer

from tidewright.domain.errors import (
    ConfigError,
    DataIntegrityError,
    Rejected,
    TidewrightError,
    Transient,
    UnknownOutcome,
)

P = ParamSpec("P")


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    DIFFERENCE = 1
    USAGE = 2
    TRANSIENT = 3
    INTEGRITY = 4
    REJECTED = 5
    UNKNOWN_OUTCOME = 6
    FAULT = 70
    INTERRUPTED = 130


_CODES: Mapping[type[TidewrightError], ExitCode] = {
    ConfigError: ExitCode.USAGE,
    Transient: ExitCode.TRANSIENT,
    DataIntegrityError: ExitCode.INTEGRITY,
    Rejected: ExitCode.REJECTED,
    UnknownOutcome: ExitCode.UNKNOWN_OUTCOME,
}

_ADVICE: Mapping[ExitCode, str] = {
    ExitCode.TRANSIENT: "Nothing was changed; try again in a moment.",
    ExitCode.INTEGRITY: "Trading must not continue on these files; keep them for inspection.",
    ExitCode.UNKNOWN_OUTCOME: "It may have happened: ask the venue before repeating it.",
}


def exit_code(error: TidewrightError) -> ExitCode:
    """Return the exit code of an error."""
    for kind in type(error).__mro__:
        if kind in _CODES:
            return _CODES[kind]
    return ExitCode.DIFFERENCE


def tell(error: TidewrightError) -> ExitCode:
    """Print an error for a person on standard error and return its exit code."""
    code = exit_code(error)
    print(f"error: {error}", file=sys.stderr)
    if code in _ADVICE:
        print(_ADVICE[code], file=sys.stderr)
    return code


def guarded(function: Callable[P, int | None]) -> Callable[P, None]:
    """Return a command whose errors, interrupts and returned codes become exit codes."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = function(*args, **kwargs)
        except TidewrightError as error:
            raise typer.Exit(tell(error)) from error
        except KeyboardInterrupt as error:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(ExitCode.INTERRUPTED) from error
        except BrokenPipeError as error:
            discard_output()
            raise typer.Exit(ExitCode.OK) from error
        if code:
            raise typer.Exit(code)

    return run


def discard_output() -> None:
    """Point standard output nowhere, so that closing it cannot fail again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

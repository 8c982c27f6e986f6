"""Entry point of ``tidewright``: reads which command is meant and loads that one alone.

Exit codes are those of `tidewright.cli.failures`.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from tidewright import __version__
from tidewright.cli.commands import COMMANDS, Entry
from tidewright.cli.failures import ExitCode, discard_output, guarded

_HELP = "An autonomous trader whose every decision can be replayed."
_EPILOG = (
    "Exit codes: 0 done, 1 difference or defect found, 2 usage or configuration, 3 passing fault, "
    "4 stored data damaged, 5 refused by a venue, 6 outcome unknown, 70 fault in Tidewright, "
    "130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process by default.

    Returns
    -------
    int
        Exit code.
    """
    code = _run(list(sys.argv[1:] if arguments is None else arguments))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    return code


def _run(words: list[str]) -> int:
    try:
        application(next((word for word in words if not word.startswith("-")), ""))(
            args=words, prog_name="tidewright"
        )
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - the outermost boundary: a fault becomes a report and a code
        traceback.print_exc()
        print(
            "This is a fault in Tidewright; please report it with the lines above.", file=sys.stderr
        )
        return ExitCode.FAULT
    return ExitCode.OK


def application(wanted: str) -> typer.Typer:
    """Return the command tree in which only the wanted command is real.

    The others are listed by name and summary, so that help and corrections of misspelt names need
    no import.
    """
    root = typer.Typer(
        add_completion=False,
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    root.callback()(_options)
    for name, entry in COMMANDS.items():
        if name == wanted:
            _attach(root, name, entry)
        else:
            root.command(name, help=entry.summary, rich_help_panel=entry.panel)(_unloaded)
    return root


def _print_version(asked: bool) -> None:
    if asked:
        print(f"tidewright {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def _unloaded() -> None:
    """Stand in for a command that was not asked for."""


def _attach(root: typer.Typer, name: str, entry: Entry) -> None:
    module, _, attribute = entry.target.partition(":")
    found = getattr(import_module(f"tidewright.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        for command in found.registered_commands:
            if command.callback is not None:
                command.callback = guarded(command.callback)
        root.add_typer(found, name=name, help=entry.summary, rich_help_panel=entry.panel)
    else:
        root.command(name, rich_help_panel=entry.panel)(guarded(found))


if __name__ == "__main__":
    raise SystemExit(main())

"""Write ``docs/reference/commands.md`` from the command tree itself.

Run ``python scripts/commands_reference.py`` after changing a command, or with ``--check`` to learn
whether the page is in step.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from inspect import signature
from pathlib import Path
from types import UnionType
from typing import cast, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from tidewright.cli.commands import COMMANDS
from tidewright.cli.failures import ExitCode

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"

_HEAD = """# Commands

This page is made from the code by `python scripts/commands_reference.py`.

`./tw COMMAND` in the repository and `tidewright COMMAND` once installed are the same. Every command
explains itself with `--help`.
"""

_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.DIFFERENCE: "a difference or defect was found",
    ExitCode.USAGE: "usage or configuration",
    ExitCode.TRANSIENT: "a passing fault; trying again may help",
    ExitCode.INTEGRITY: "stored data is damaged",
    ExitCode.REJECTED: "refused by a venue",
    ExitCode.UNKNOWN_OUTCOME: "the outcome is unknown",
    ExitCode.FAULT: "a fault in Tidewright",
    ExitCode.INTERRUPTED: "interrupted",
}


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    panels: dict[str, list[str]] = {}
    for name, entry in COMMANDS.items():
        panels.setdefault(entry.panel, []).append(name)
    for panel, names in panels.items():
        parts.append(f"\n## {panel}\n")
        for name in names:
            parts += _described(name)
    parts.append("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
    parts += [f"| {int(code)} | {_MEANINGS[code]} |\n" for code in ExitCode]
    return "".join(parts)


def _described(name: str) -> Iterator[str]:
    module, _, attribute = COMMANDS[name].target.partition(":")
    found = getattr(import_module(f"tidewright.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        yield from _command(name, found)
        return
    for item in found.registered_commands:
        if item.callback is not None:
            yield from _command(f"{name} {item.name}", item.callback)


def _command(name: str, function: Callable[..., object]) -> Iterator[str]:
    words = [_word(item) for item in signature(function, eval_str=True).parameters.values()]
    arguments = [word for word in words if word.positional]
    usage = " ".join((name, *(word.text for word in arguments)))
    yield f"\n### `{usage}`\n\n{inspect.cleandoc(function.__doc__ or '')}\n"
    if words:
        yield "\n| word | meaning | default |\n|---|---|---|\n"
    for word in (*arguments, *(word for word in words if not word.positional)):
        yield f"| `{word.text}` | {_cell(word.meaning)} | {word.default} |\n"


@dataclass(frozen=True, slots=True)
class _Word:
    positional: bool
    text: str
    meaning: str
    default: str


def _word(parameter: inspect.Parameter) -> _Word:
    kind, *notes = get_args(parameter.annotation)
    (info,) = (note for note in notes if isinstance(note, ArgumentInfo | OptionInfo))
    required = parameter.default is inspect.Parameter.empty
    if isinstance(info, ArgumentInfo):
        text = parameter.name.upper() + ("..." if get_origin(kind) is list else "")
        return _Word(True, text if required else f"[{text}]", info.help or "", "")
    names = (info.default, *(info.param_decls or ()))
    text = ", ".join(str(name) for name in names if isinstance(name, str))
    value = _value(kind)
    default = "must be given" if required else _default(parameter.default)
    return _Word(False, f"{text} {value}".strip(), info.help or "", default)


def _value(kind: object) -> str:
    """Return what stands after an option; nothing for a switch."""
    kinds = [one for one in (get_args(kind) if isinstance(kind, UnionType) else (kind,)) if one]
    first = kinds[0]
    if get_origin(first) is list:
        (first,) = get_args(first)
    if first is bool:
        return ""
    if isinstance(first, type) and issubclass(first, Enum):
        return "\\|".join(str(one.value) for one in first)
    return {Path: "PATH", int: "INTEGER", float: "NUMBER"}.get(cast("type", first), "TEXT")


def _default(default: object) -> str:
    if default is None or default == "" or default is False:
        return ""
    if default is True:
        return "on"
    return f"`{default.value if isinstance(default, Enum) else default}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> int:
    """Write the page, or compare it with ``--check``."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print(f"{PAGE} is not in step; run python scripts/commands_reference.py")
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

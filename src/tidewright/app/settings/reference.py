"""The written reference of all settings, made from the classes that define them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from decimal import Decimal
from enum import Enum

from pydantic import SecretStr

from tidewright.app.settings.model import DECIDING, Settings
from tidewright.app.settings.names import (
    HIDDEN,
    LEAF_ALIASES,
    SECTION_ALIASES,
    WITHOUT_EFFECT,
    sections,
)

_HEAD = """# Settings

This page is made from the code by `python -m tidewright.app.settings.reference`.

A setting is read, in this order, from the YAML file (`--config FILE`, or `tidewright.yaml` in the
working directory), from `.env`, from the environment, and from `--set NAME=VALUE`; the later one
wins. In the environment `risk.max_drawdown_percent` is `TIDEWRIGHT__RISK__MAX_DRAWDOWN_PERCENT`.
Lists may be written with commas there. A name that belongs to one section only may also stand at
the top of the file without its section. An unknown name is an error that names the nearest one.

```yaml
mode: paper
strategies: [sma_cross]
account:
  currency: USDT
  initial_balance: 10000
risk:
  max_drawdown_percent: 15
```
"""
_DECIDES = (
    "Decisions depend on {names}: changing one of them begins a new epoch of a home, so "
    "`tidewright replay --verify` compares only what was decided under equal ones."
)
_PARAMETER = re.compile(r"^(\w+(?:, \w+)*) : .+$")


def field_texts(cls: type) -> Mapping[str, str]:
    """Return what a class's docstring says of each of its fields."""
    texts: dict[str, str] = {}
    names: list[str] = []
    lines = (inspect.getdoc(cls) or "").splitlines()
    begin = lines.index("Parameters") + 2 if "Parameters" in lines else len(lines)
    for line in lines[begin:]:
        if found := _PARAMETER.match(line):
            names = found.group(1).split(", ")
        elif line.startswith("    "):
            for name in names:
                text = line.strip().replace("``", "`")
                texts[name] = f"{texts.get(name, '')} {text}".strip()
        elif line and not line.startswith(" "):
            break
    return texts


def _default(field: Field[object]) -> str:
    value = field.default
    if value is MISSING and field.default_factory is not MISSING:
        value = field.default_factory()
    if isinstance(value, SecretStr):
        return "empty"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, Decimal | float):
        return f"`{Decimal(str(value)).normalize():f}`"
    return f"`{value}`" if value != "" else "empty"


def _table(cls: type, prefix: str) -> Iterator[str]:
    texts = field_texts(cls)
    yield "| name | default | meaning |"
    yield "|---|---|---|"
    for field in fields(cls):
        name = f"{prefix}{field.name}"
        if name in HIDDEN or name in sections():
            continue
        unit = field.metadata.get("unit", "")
        meaning = texts.get(field.name, "")
        yield f"| `{name}` | {_default(field)} | {meaning}{f' Unit: {unit}.' if unit else ''} |"


def _older_names() -> Iterator[str]:
    yield "## Older names"
    yield ""
    yield "These are accepted too; a name that ends in `_krw` also sets the account's currency."
    yield ""
    yield "| written | stands for |"
    yield "|---|---|"
    for written, name in sorted(SECTION_ALIASES.items()):
        target = f"section `{name}`" if name else "no section"
        yield f"| section `{written}` | {target} |"
    for written, name in sorted(LEAF_ALIASES.items()):
        yield f"| `{written}` | `{name}` |"
    yield ""
    yield "## Names without effect"
    yield ""
    yield "Accepted, so that an older file can be used as it is; reported when the trader starts."
    yield ""
    yield "| section | names | why |"
    yield "|---|---|---|"
    for section, (reason, leaves) in sorted(WITHOUT_EFFECT.items()):
        yield f"| `{section}` | {', '.join(f'`{leaf}`' for leaf in leaves)} | {reason} |"


def settings_reference() -> str:
    """Return the reference as Markdown."""
    lines = [_HEAD, _DECIDES.format(names=", ".join(f"`{name}`" for name in DECIDING)), ""]
    lines += ["## General", "", *_table(Settings, ""), ""]
    for name, cls in sections().items():
        summary = (inspect.getdoc(cls) or "").splitlines()[0]
        lines += [f"## {name}", "", summary, "", *_table(cls, f"{name}."), ""]
    return "\n".join([*lines, *_older_names(), ""])


if __name__ == "__main__":
    print(settings_reference(), end="")  # noqa: T201 - the page goes to standard output

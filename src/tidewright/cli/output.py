"""How commands print: JSON for programs, aligned tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"cannot print a {type(value).__name__} as JSON")


def print_json(value: object) -> None:
    """Print a value as indented JSON on standard output; dataclasses become objects."""
    print(json.dumps(value, indent=2, default=_plain, ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Print rows under headings, numbers to the right, a dash for what is unknown.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    rows : sequence of sequences
        One value per heading.
    empty : str
        What to say when there is no row.
    """
    if not rows:
        print(empty)
        return
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(columns, *cells, strict=True)]
    numeric = [
        all(row[index] is None or isinstance(row[index], int | float | Decimal) for row in rows)
        for index in range(len(columns))
    ]

    def line(texts: Sequence[str]) -> str:
        parts = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(texts, widths, numeric, strict=True)
        )
        return "  ".join(parts).rstrip()

    print(line(columns))
    print(line(["-" * width for width in widths]))
    for row in cells:
        print(line(row))

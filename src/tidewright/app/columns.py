"""Columns of stored bars as a file for other tools."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tidewright.app.feeds.files import LoadReport, load_bars
from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import ColumnReference
from tidewright.features.sets import FEATURES_22, feature_set, features_22
from tidewright.research.bulk.columns import InstrumentRows, instrument_rows
from tidewright.strategy.expressions import Column, parse_number

if TYPE_CHECKING:
    import polars as pl


Named = tuple[tuple[str, ColumnReference], ...]
"""Names in the file and the columns under them."""

_SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What was written.

    Parameters
    ----------
    path : Path
        The file.
    rows : int
        Bars of all symbols.
    columns : tuple of str
        Names of the columns in the file, times and symbol apart.
    supplied : tuple of str
        Features of the set that no bar determines; they are not in the file.
    loaded : LoadReport
        What became of the data.
    """

    path: Path
    rows: int
    columns: tuple[str, ...]
    supplied: tuple[str, ...]
    loaded: LoadReport


def chosen_columns(
    sets: Sequence[str], columns: Sequence[str], bars_per_day: int = 1
) -> tuple[Named, tuple[str, ...]]:
    """Return the columns of named sets and of texts such as ``"sma(10)"``.

    Parameters
    ----------
    sets : sequence of str
        Names of sets.
    columns : sequence of str
        Columns as expressions write them.
    bars_per_day : int
        As in `features_22`.

    Returns
    -------
    tuple of (str, ColumnReference), tuple of str
        The columns, each name once, and the features that callers supply.

    Raises
    ------
    ConfigError
        If a set or a column does not exist, or nothing was chosen.
    """
    found: dict[str, ColumnReference] = {}
    supplied: dict[str, None] = {}
    for name in sets:
        chosen = feature_set(name)
        if name == FEATURES_22.name:
            chosen = features_22(bars_per_day)
        found.update(chosen.columns)
        supplied.update(dict.fromkeys(chosen.supplied))
    for text in columns:
        node = parse_number(text)
        if not isinstance(node, Column):
            raise ConfigError(f"column was {text!r}; expected one name with its parameters")
        found[node.reference.label] = node.reference
    if not found:
        raise ConfigError("no column was chosen; expected a set or a column")
    return tuple(found.items()), tuple(supplied)


def export_columns(
    data: Path,
    target: Path,
    chosen: tuple[Named, tuple[str, ...]],
    symbols: Sequence[str] = (),
    timeframe: str = "",
) -> ExportReport:
    """Write columns of every bar of a file or folder.

    Parameters
    ----------
    data : Path
        Parquet or CSV file of bars, or a folder of them.
    target : Path
        File to write, ending in ``.parquet`` or ``.csv``.
    chosen : tuple
        From `chosen_columns`.
    symbols, timeframe
        As in `load_bars`.

    Raises
    ------
    ConfigError
        If the data cannot be used or the target's suffix is another.
    """
    import polars as pl

    if target.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f"export file was {target}; expected a name ending in .parquet or .csv")
    series, instruments, report = load_bars(data, symbols, timeframe=timeframe)
    named, supplied = chosen
    found = instrument_rows(series, instruments, [reference for _, reference in named])
    frame = pl.concat([_frame(rows, named) for rows in found])
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix.lower() == ".csv":
        times = pl.col("timestamp", "ts_known").dt.to_string("iso:strict")
        frame.with_columns(times).write_csv(target)
    else:
        frame.write_parquet(target, compression="zstd")
    return ExportReport(target, len(frame), tuple(name for name, _ in named), supplied, report)


def _frame(rows: InstrumentRows, named: Named) -> pl.DataFrame:
    import polars as pl

    bars = rows.bars
    time = pl.Datetime("ns", "UTC")
    return pl.DataFrame(
        {
            "symbol": [bars.instrument] * len(bars),
            "timestamp": pl.Series(bars.ts_event).cast(time),
            "ts_known": pl.Series(bars.ts_known).cast(time),
            # what is unknown is an empty cell, which every tool understands
            **{
                name: pl.Series(column).fill_nan(None)
                for (name, _), column in zip(named, rows.columns, strict=True)
            },
        }
    )

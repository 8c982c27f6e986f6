"""Columns of a backtest's rows: of every timeframe, and across the instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.features.across import NEVER, Evaluated, across_series
from tidewright.features.bulk import Series
from tidewright.features.declarations import ColumnReference
from tidewright.features.timeframes import row_table
from tidewright.market.aggregation import aggregate
from tidewright.market.arrays import BarArrays, Int64


@dataclass(frozen=True, slots=True, eq=False)
class InstrumentRows:
    """Rows of one instrument.

    Parameters
    ----------
    bars : BarArrays
        Bar of each row.
    source_row : int64 array of shape (n_rows,) or None
        Bar of the feed with which each row came; None where the rows are the feed's own bars.
    moments : int64 array of shape (n_rows,)
        When each row was evaluated, nanoseconds UTC; `NEVER` for a row that gave way to a later
        one of the same moment.
    columns : float64 array of shape (n_references, n_rows)
        One row per reference.
    """

    bars: BarArrays
    source_row: Int64 | None
    moments: Int64
    columns: NDArray[np.float64]


def instrument_rows(
    series: Sequence[BarArrays],
    instruments: Sequence[Instrument],
    references: Sequence[ColumnReference],
    timeframe: str = "",
    watched: Sequence[bool] | None = None,
) -> list[InstrumentRows]:
    """Return the rows of instruments with their columns.

    Parameters
    ----------
    series : sequence of BarArrays
        Bars of the feed, in the order of the instruments' ids.
    instruments : sequence of Instrument
        What each series is of.
    references : sequence of ColumnReference
        Columns: of the rows, of other timeframes, across the instruments.
    timeframe : str
        Timeframe of the rows; empty means the feed's own.
    watched : sequence of bool or None
        Which instruments cross-sections are taken over; None means all.

    Returns
    -------
    list of InstrumentRows
        One per series: what the engine has in the same rows, bit for bit.

    Raises
    ------
    ConfigError
        If a column cannot be computed, or a timeframe is no multiple of the feed's.
    """
    own = list(dict.fromkeys(one.own for one in references))
    found = []
    for one, instrument in zip(series, instruments, strict=True):
        bars, source_row, moments = _rows(one, timeframe)
        found.append(
            InstrumentRows(bars, source_row, moments, row_table(own, bars, one, instrument))
        )
    if own == list(references):
        return found
    across = [one for one in references if one.across]
    members = [n for n in range(len(found)) if watched is None or watched[n]]
    columns = [dict(zip(own, found[n].columns, strict=True)) for n in members]
    evaluated = [Evaluated(instruments[n], found[n].moments) for n in members]
    sections = dict(zip(members, across_series(across, columns, evaluated), strict=True))
    return [
        _chosen(rows, references, own, dict(zip(across, sections.get(n, ()), strict=False)))
        for n, rows in enumerate(found)
    ]


def _rows(one: BarArrays, timeframe: str) -> tuple[BarArrays, Int64 | None, Int64]:
    if timeframe in ("", one.timeframe):
        return one, None, one.ts_known
    longer = aggregate(one, timeframe)
    source_row = longer.source_row
    moments = one.ts_known[source_row]
    # Where a bar finishes two longer ones, the later one is the row that is evaluated.
    moments[:-1][source_row[1:] == source_row[:-1]] = NEVER
    return longer.bars, source_row, moments


def _chosen(
    rows: InstrumentRows,
    references: Sequence[ColumnReference],
    own: Sequence[ColumnReference],
    sections: dict[ColumnReference, Series],
) -> InstrumentRows:
    """Return rows with the columns that were asked for, in their order."""
    known = dict(zip(own, rows.columns, strict=True))
    columns = np.full((len(references), len(rows.bars)), np.nan)
    for place, one in enumerate(references):
        values = sections.get(one) if one.across else known[one]
        if values is not None:
            columns[place] = values
    return InstrumentRows(rows.bars, rows.source_row, rows.moments, columns)

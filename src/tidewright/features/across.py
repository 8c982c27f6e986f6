"""Cross-sections: columns of one instrument among all that gained a row at the same moment.

The members of a moment are the instruments, of those that a strategy trades, that gained a row in
its slice and whose value is known. An instrument without a bar is not part of it: its last value
is old. A row that no slice evaluates (of two longer bars that one bar completes, the earlier one)
has no cross-section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.instrument import Instrument
from tidewright.features.bulk import Series
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.cross_section import CROSS_FUNCTIONS, cross_section, cross_section_rows
from tidewright.market.arrays import Int64

NEVER = -1
"""Moment of a row that no slice evaluates."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """When the rows of an instrument were evaluated.

    Parameters
    ----------
    instrument : Instrument
        Whose rows they are.
    moments : int64 array of shape (n_rows,)
        ``ts_known`` of the slice that evaluated each row, or `NEVER`.
    """

    instrument: Instrument
    moments: Int64


def groups_of(instruments: Sequence[Instrument], by: str) -> Int64:
    """Return the number of each instrument's group; -1 where it is not known.

    Parameters
    ----------
    instruments : sequence of Instrument
        The instruments.
    by : str
        One of `GROUPINGS`; empty puts all into one group.
    """
    if not by:
        return np.zeros(len(instruments), np.int64)
    names = [str(getattr(one, by)) for one in instruments]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] if name else -1 for name in names], np.int64)


def across_moment(
    references: Sequence[ColumnReference], values: Series, instruments: Sequence[Instrument]
) -> Series:
    """Return cross-sections of one moment.

    Parameters
    ----------
    references : sequence of ColumnReference
        Cross-sections.
    values : float64 array of shape (n_instruments, n_references)
        The column that each is taken of, in the order of the instruments' ids.
    instruments : sequence of Instrument
        Those that gained a row, in the order of their ids.

    Returns
    -------
    float64 array of shape (n_instruments, n_references)
    """
    found = np.empty((len(references), len(instruments)))
    for place, reference in enumerate(references):
        cross_section(
            CROSS_FUNCTIONS[reference.across],
            np.ascontiguousarray(values[:, place]),
            groups_of(instruments, reference.by),
            found[place],
        )
    return found.T


def across_series(
    references: Sequence[ColumnReference],
    columns: Sequence[Mapping[ColumnReference, Series]],
    evaluated: Sequence[Evaluated],
) -> list[list[Series]]:
    """Return cross-sections of histories: row by row what `across_moment` gives.

    Parameters
    ----------
    references : sequence of ColumnReference
        Cross-sections.
    columns : sequence of mapping of ColumnReference to float64 array of shape (n_rows,)
        Per instrument, the column that each is taken of, by `ColumnReference.own`.
    evaluated : sequence of Evaluated
        Per instrument, in the order of the instruments' ids.

    Returns
    -------
    list of list of float64 arrays of shape (n_rows,)
        Per instrument, one per reference; NaN where an instrument is no member.
    """
    kept = [np.flatnonzero(one.moments != NEVER) for one in evaluated]
    moments = _joined([one.moments[rows] for one, rows in zip(evaluated, kept, strict=True)])
    owners = np.repeat(np.arange(len(evaluated)), [len(rows) for rows in kept])
    order = np.argsort(moments, kind="stable")
    starts = np.flatnonzero(np.diff(moments[order], prepend=np.int64(NEVER)))
    bounds = np.append(starts, len(order))
    ends = np.cumsum([0, *(len(rows) for rows in kept)])
    found: list[list[Series]] = [[] for _ in evaluated]
    for reference in references:
        own = reference.own
        values = [each[own][rows] for each, rows in zip(columns, kept, strict=True)]
        groups = groups_of([one.instrument for one in evaluated], reference.by)
        given = np.concatenate([*values, np.zeros(0)])[order]
        sorted_ = np.empty(len(order))
        number = CROSS_FUNCTIONS[reference.across]
        cross_section_rows(number, given, groups[owners[order]], bounds, sorted_)
        flat = np.empty(len(order))
        flat[order] = sorted_
        for place, rows in enumerate(kept):
            series = np.full(len(evaluated[place].moments), np.nan)
            series[rows] = flat[ends[place] : ends[place + 1]]
            found[place].append(series)
    return found


def _joined(parts: Sequence[Int64]) -> Int64:
    return np.concatenate([*parts, np.zeros(0, np.int64)])

"""Every row of a history at once, bit for bit what streaming gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.features.calendar import calendar_series
from tidewright.features.declarations import Channel, ColumnReference
from tidewright.features.plan import ColumnPlan, RecursiveGroup, plan_columns
from tidewright.features.talib_functions import batch
from tidewright.kernels import derived, rolling, windows
from tidewright.market.arrays import BarArrays

Series = NDArray[np.float64]
"""One column of a history."""


def bulk_columns(
    references: Sequence[ColumnReference], bars: BarArrays, instrument: Instrument
) -> NDArray[np.float64]:
    """Return columns of a history, row by row.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns.
    bars : BarArrays
        The history; its first row is the anchor of recursive columns.
    instrument : Instrument
        What the bars are of.

    Returns
    -------
    float64 array of shape (n_bars, n_columns)
        Row by row what `StreamingColumns` gives, NaN included.

    Raises
    ------
    ConfigError
        If a reference is not of a declared column with valid parameters.
    OverflowError
        If a bar is outside the range of the exact sums.
    """
    return np.ascontiguousarray(bulk_table(references, bars, instrument).T)


def bulk_series(
    references: Sequence[ColumnReference], bars: BarArrays, instrument: Instrument
) -> tuple[Series, ...]:
    """Return columns of a history, each as an array of its own; the fastest form of many.

    Parameters, errors and values are those of `bulk_columns`.

    Returns
    -------
    tuple of float64 arrays of shape (n_bars,)
        One per reference.
    """
    plan = plan_columns(references, instrument)
    program = plan.program.copy()
    program[:, windows.COLUMN] = np.arange(len(program))
    table = np.empty((len(program), len(bars)))
    _fill_windows(plan, program, bars, table)
    found = dict(zip(plan.program[:, windows.COLUMN].tolist(), table, strict=True))
    for column, values in _other_series(plan, bars):
        found[column] = values
    for entry in plan.derived:
        result = np.empty(len(bars))
        _derive(entry, found, result)
        found[int(entry[derived.COLUMN])] = result
    return tuple(found[column] for column in range(len(plan.references)))


def bulk_table(
    references: Sequence[ColumnReference], bars: BarArrays, instrument: Instrument
) -> NDArray[np.float64]:
    """Return columns of a history, one after the other in one array.

    Parameters, errors and values are those of `bulk_columns`.

    Returns
    -------
    float64 array of shape (n_columns, n_bars)
        Contiguous.
    """
    plan = plan_columns(references, instrument)
    table = np.empty((plan.width, len(bars)))
    _fill_windows(plan, plan.program, bars, table)
    for column, values in _other_series(plan, bars):
        table[column] = values
    for entry in plan.derived:
        _derive(entry, table, table[int(entry[derived.COLUMN])])
    return table[: len(plan.references)]


def _other_series(plan: ColumnPlan, bars: BarArrays) -> Iterator[tuple[int, Series]]:
    """Yield the columns that need no window and no other column."""
    for recipe, column in plan.times:
        yield column, calendar_series(recipe, bars.ts_known)
    if not len(bars):
        # TA-Lib takes no empty arrays
        yield from ((column, np.empty(0)) for group in plan.groups for _, column in group.targets)
        return
    wanted = dict.fromkeys(channel for group in plan.groups for channel in group.channels)
    inputs = {channel: channel_values(bars, channel, plan.ratios) for channel in wanted}
    for group in plan.groups:
        outputs = run_batch(group, [inputs[channel] for channel in group.channels])
        for output, column in group.targets:
            yield column, outputs[output]


def _derive(
    entry: NDArray[np.int64], found: Mapping[int, Series] | NDArray[np.float64], result: Series
) -> None:
    first, second, third = (
        found[int(entry[place])] for place in (derived.FIRST, derived.SECOND, derived.THIRD)
    )
    derived.derived_series(entry, first, second, third, result)


def _fill_windows(
    plan: ColumnPlan, program: NDArray[np.int64], bars: BarArrays, table: NDArray[np.float64]
) -> None:
    if len(program):
        returns = np.empty(len(bars) if windows.needs_returns(program) else 0)
        rolling.window_rows(program, plan.ratios, bar_channels(bars), returns, table)


def run_batch(group: RecursiveGroup, inputs: Sequence[Series]) -> tuple[Series, ...]:
    """Return every output of a TA-Lib function over a history, NaN before its look-back."""
    result = getattr(batch, group.function)(*inputs, **dict(group.options))
    outputs = result if isinstance(result, tuple) else (result,)
    return tuple(with_gap(output, group.lookback) for output in outputs)


def with_gap(output: Series | NDArray[np.int32], lookback: int) -> Series:
    """Return an output of TA-Lib as floats; whole ones say 0 where they have no value yet."""
    values = output.astype(np.float64, copy=False)
    if values is not output:
        values[:lookback] = np.nan
    return values


def bar_channels(bars: BarArrays) -> rolling.Bars:
    """Return open, high, low, close and volume as contiguous arrays."""
    opened, high, low, close, volume = (
        contiguous(values) for values in (bars.open, bars.high, bars.low, bars.close, bars.volume)
    )
    return opened, high, low, close, volume


def contiguous(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return values as a contiguous writable array: the one form that kernels are compiled for."""
    if values.flags.carray and values.dtype == np.int64:
        return values
    return np.require(values, np.int64, ("C", "W"))


def channel_values(bars: BarArrays, channel: Channel, ratios: NDArray[np.int64]) -> Series:
    """Return one price or the volume of every bar as a float, each rounded once.

    Parameters
    ----------
    bars : BarArrays
        The history.
    channel : Channel
        Part of a bar.
    ratios : int64 array of shape (4,)
        Size of a tick and of a lot, as `ColumnPlan` has them.
    """
    place = 2 if channel is Channel.VOLUME else 0
    numerator, denominator = ratios[place : place + 2].tolist()
    return windows.prices(contiguous(getattr(bars, channel.value)), numerator, denominator)

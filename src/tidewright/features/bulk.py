"""Every row of a history at once, bit for bit what streaming gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.features.declarations import Channel, ColumnReference
from tidewright.features.plan import plan_columns
from tidewright.features.talib_functions import batch
from tidewright.kernels import windows
from tidewright.market.arrays import BarArrays


def bulk_columns(
    references: Sequence[ColumnReference], bars: BarArrays, instrument: Instrument
) -> NDArray[np.float64]:
    """Return columns of a history.

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
    plan = plan_columns(references, instrument)
    rows = np.full((len(bars), len(plan.references)), np.nan)
    if not len(bars):
        return rows
    windows.window_rows(plan.program, plan.ratios, bar_matrix(bars), rows)
    wanted = dict.fromkeys(channel for group in plan.groups for channel in group.channels)
    inputs = {channel: channel_prices(bars, channel, plan.price_ratio) for channel in wanted}
    for group in plan.groups:
        result = getattr(batch, group.function)(
            *(inputs[channel] for channel in group.channels), **dict(group.options)
        )
        outputs = result if isinstance(result, tuple) else (result,)
        for output, column in group.targets:
            rows[:, column] = outputs[output]
    return rows


def bar_matrix(bars: BarArrays) -> NDArray[np.int64]:
    """Return bars as int64 array of shape (5, n_bars): open, high, low, close, volume."""
    return np.stack((bars.open, bars.high, bars.low, bars.close, bars.volume))


def channel_prices(
    bars: BarArrays, channel: Channel, price_ratio: tuple[int, int]
) -> NDArray[np.float64]:
    """Return one price of every bar as a float, each rounded once."""
    # a copy is contiguous and writable, whatever the history is a view of: one compiled form
    return windows.prices(np.array(getattr(bars, channel.value), np.int64), *price_ratio)

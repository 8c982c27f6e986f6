"""Columns bar by bar: window columns by one compiled call, recursive ones by TA-Lib handles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.features.bulk import channel_prices
from tidewright.features.declarations import Channel, ColumnReference
from tidewright.features.plan import RecursiveGroup, plan_columns
from tidewright.features.talib_functions import stream
from tidewright.kernels.windows import (
    window_capacity,
    window_memory,
    window_start,
    window_step,
)
from tidewright.market.arrays import BarArrays, bar_arrays

Update = Callable[..., float]
"""A TA-Lib handle's update: the new inputs to the new value."""
Updates = Callable[..., tuple[float, ...]]
"""The update of a handle with several outputs."""


class _Handle(Protocol):
    update: Update

    @property
    def value(self) -> float | tuple[float, ...]: ...


_CLOSE_ONLY = (Channel.CLOSE,)


class StreamingColumns:
    """The newest two rows of a list of columns, moved on by every bar.

    The first bar seen is the anchor of recursive columns. After `restore` every later value equals
    that of a run that never stopped, bit for bit.

    Parameters
    ----------
    references : sequence of ColumnReference
        Columns.
    instrument : Instrument
        What the bars are of.

    Raises
    ------
    ConfigError
        If a reference is not of a declared column with valid parameters.
    """

    __slots__ = (
        "_denominator",
        "_history",
        "_many",
        "_memory",
        "_numerator",
        "_of_close",
        "_of_range",
        "_pending",
        "_plan",
        "current",
        "previous",
        "references",
    )

    def __init__(self, references: Sequence[ColumnReference], instrument: Instrument) -> None:
        plan = plan_columns(references, instrument)
        self._plan = plan
        self._numerator, self._denominator = plan.price_ratio
        self.references = plan.references
        """Columns, in the order of a row."""
        self._reset()

    def _reset(self) -> None:
        width = len(self.references)
        self.current: NDArray[np.float64] = np.full(width, np.nan)
        """float64 array of shape (n_columns,): the newest row; given anew by every update."""
        self.previous: NDArray[np.float64] = np.full(width, np.nan)
        """float64 array of shape (n_columns,): the row before it."""
        self._memory = window_memory(self._plan.program, self._plan.ratios)
        self._of_close: list[tuple[Update, int]] = []
        self._of_range: list[tuple[Update, int]] = []
        self._many: list[tuple[Updates, bool, tuple[tuple[int, int], ...]]] = []
        self._pending: list[RecursiveGroup] = list(self._plan.groups)
        self._history: list[Bar] = []

    def update(self, bar: Bar) -> None:
        """Take a bar: the newest row becomes the previous one.

        Raises
        ------
        OverflowError
            If the bar is outside the range of the exact sums.
        """
        row = self.previous
        self.previous = self.current
        self.current = row
        window_step(self._memory, row, bar.open, bar.high, bar.low, bar.close, bar.volume)
        numerator = self._numerator
        denominator = self._denominator
        # int / int is rounded once, as the compiled conversion of a whole history is
        close = bar.close * numerator / denominator
        for update, column in self._of_close:
            row[column] = update(close)
        if self._of_range or self._many:
            high = bar.high * numerator / denominator
            low = bar.low * numerator / denominator
            for update, column in self._of_range:
                row[column] = update(high, low, close)
            for updates, close_only, targets in self._many:
                values = updates(close) if close_only else updates(high, low, close)
                for output, column in targets:
                    row[column] = values[output]
        if self._pending:
            self._wait(bar)

    def restore(self, bars: BarArrays) -> None:
        """Reopen everything from the anchor; forgets what was streamed before.

        Parameters
        ----------
        bars : BarArrays
            Every bar from the anchor on.

        Raises
        ------
        OverflowError
            If a bar is outside the range of the exact sums.
        """
        self._reset()
        count = len(bars)
        # The two newest rows need no more than the longest window and one bar.
        first = max(0, count - window_capacity(self._memory) - 1)
        waiting, self._pending = self._pending, []
        window_start(self._memory, first)
        for bar in bars.slice(first, count).bars():
            self.update(bar)
        for group in waiting:
            if count > group.lookback:
                self._open(group, bars)
            else:
                self._pending.append(group)
        if self._pending:
            self._history = list(bars.bars())

    def _wait(self, bar: Bar) -> None:
        """Remember a bar for functions that need more of them; open those that have enough."""
        self._history.append(bar)
        ready = [group for group in self._pending if len(self._history) > group.lookback]
        if not ready:
            return
        bars = bar_arrays(bar.instrument, bar.timeframe, self._history)
        for group in ready:
            self._open(group, bars)
        self._pending = [group for group in self._pending if group not in ready]
        if not self._pending:
            self._history = []

    def _open(self, group: RecursiveGroup, bars: BarArrays) -> None:
        """Open a handle on every bar since the anchor and fill the two newest rows."""
        inputs = (
            channel_prices(bars, channel, self._plan.price_ratio) for channel in group.channels
        )
        opened: tuple[_Handle, NDArray[np.float64] | tuple[NDArray[np.float64], ...]] = getattr(
            stream, group.function
        ).open_and_fill(*inputs, **dict(group.options))
        handle, filled = opened
        outputs = filled if isinstance(filled, tuple) else (filled,)
        for output, column in group.targets:
            values = outputs[output]
            self.current[column] = values[-1]
            self.previous[column] = values[-2] if len(values) > 1 else np.nan
        close_only = group.channels == _CLOSE_ONLY
        if len(outputs) > 1:
            self._many.append((handle.update, close_only, group.targets))  # type: ignore[arg-type]
            return
        kept = self._of_close if close_only else self._of_range
        ((_, column),) = group.targets
        kept.append((handle.update, column))

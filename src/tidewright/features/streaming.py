"""Columns bar by bar: window columns by one compiled call, recursive ones by TA-Lib handles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.features.bulk import channel_values, with_gap
from tidewright.features.calendar import calendar_value
from tidewright.features.declarations import Channel, ColumnReference
from tidewright.features.plan import RecursiveGroup, plan_columns
from tidewright.features.talib_functions import stream
from tidewright.kernels.derived import derived_step
from tidewright.kernels.windows import (
    window_capacity,
    window_memory,
    window_start,
    window_step,
)
from tidewright.market.arrays import BarArrays, bar_arrays

Row = NDArray[np.float64]
"""Values of every column at one bar."""
Update = Callable[..., float]
"""A TA-Lib handle's update: the new inputs to the new value."""
Updates = Callable[..., tuple[float, ...]]
"""The update of a handle with several outputs."""
Values = tuple[float, ...]
"""Open, high, low, close and volume as floats."""


class _Handle(Protocol):
    update: Update


_CHANNELS = tuple(Channel)
_CLOSE_ONLY = (Channel.CLOSE,)
_RANGE = (Channel.HIGH, Channel.LOW, Channel.CLOSE)


class _Handles:
    """Open TA-Lib handles, by the inputs that they share.

    Most strategies use functions of the close or of high, low and close: those are kept apart, so
    that a bar costs them nothing but the calls.
    """

    __slots__ = ("of_close", "of_range", "others")

    def __init__(self) -> None:
        self.of_close: list[tuple[Update, int]] = []
        self.of_range: list[tuple[Update, int]] = []
        self.others: dict[tuple[Channel, ...], _Shared] = {}

    def add(self, group: RecursiveGroup, update: Update, outputs: int) -> None:
        single = group.targets[0][1]
        if outputs == 1 and group.channels == _CLOSE_ONLY:
            self.of_close.append((update, single))
        elif outputs == 1 and group.channels == _RANGE:
            self.of_range.append((update, single))
        else:
            shared = self.others.setdefault(group.channels, _Shared(group.channels))
            if outputs == 1:
                shared.one.append((update, single))
            else:
                shared.many.append((cast(Updates, update), group.targets))

    def fill(self, row: Row, values: Values) -> None:
        """Update every handle that is not one of the common two kinds."""
        for shared in self.others.values():
            arguments = shared.pick(values)
            for update, column in shared.one:
                row[column] = update(*arguments)
            for updates, targets in shared.many:
                given = updates(*arguments)
                for output, column in targets:
                    row[column] = given[output]


class _Shared:
    """Handles that take the same parts of a bar."""

    __slots__ = ("many", "one", "pick")

    def __init__(self, channels: tuple[Channel, ...]) -> None:
        places = [_CHANNELS.index(channel) for channel in channels]
        self.pick: Callable[[Values], Values] = (
            itemgetter(*places) if len(places) > 1 else itemgetter(slice(places[0], places[0] + 1))
        )
        self.one: list[tuple[Update, int]] = []
        self.many: list[tuple[Updates, tuple[tuple[int, int], ...]]] = []


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
        "_derived",
        "_handles",
        "_hidden",
        "_history",
        "_memory",
        "_numerator",
        "_of_close",
        "_of_range",
        "_pending",
        "_plan",
        "_rest",
        "_wide",
        "_wide_before",
        "current",
        "previous",
        "references",
    )

    def __init__(self, references: Sequence[ColumnReference], instrument: Instrument) -> None:
        plan = plan_columns(references, instrument)
        self._plan = plan
        self._numerator, self._denominator = plan.ratios[:2].tolist()
        self._derived = plan.derived if len(plan.derived) else None
        self._hidden = plan.width > len(plan.references)
        self.references = plan.references
        """Columns, in the order of a row."""
        self._reset()

    def _reset(self) -> None:
        visible = len(self.references)
        # Columns that only derived ones read lie behind the visible part of a row.
        self._wide: Row = np.full(self._plan.width, np.nan)
        self._wide_before: Row = np.full(self._plan.width, np.nan)
        self.current: Row = self._wide[:visible]
        """float64 array of shape (n_columns,): the newest row; given anew by every update."""
        self.previous: Row = self._wide_before[:visible]
        """float64 array of shape (n_columns,): the row before it."""
        self._memory = window_memory(self._plan.program, self._plan.ratios)
        self._handles = _Handles()
        self._of_close = self._handles.of_close
        self._of_range = self._handles.of_range
        self._rest = bool(self._plan.times)
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
        if self._hidden:
            row = self._wide_before
            self._wide_before = self._wide
            self._wide = row
        window_step(self._memory, row, bar.open, bar.high, bar.low, bar.close, bar.volume)
        numerator = self._numerator
        denominator = self._denominator
        # int / int is rounded once, as the compiled conversion of a whole history is
        close = bar.close * numerator / denominator
        for update, column in self._of_close:
            row[column] = update(close)
        if self._of_range:
            high = bar.high * numerator / denominator
            low = bar.low * numerator / denominator
            for update, column in self._of_range:
                row[column] = update(high, low, close)
        if self._rest:
            self._fill_rest(bar, row)
        if self._pending:
            self._wait(bar)
        if self._derived is not None:
            derived_step(self._derived, *self._rows())

    def _rows(self) -> tuple[Row, Row]:
        """Return the newest two rows with their hidden parts."""
        if self._hidden:
            return self._wide, self._wide_before
        return self.current, self.previous

    def _fill_rest(self, bar: Bar, row: Row) -> None:
        """Fill what few strategies use: calendar columns and handles of other inputs."""
        for recipe, column in self._plan.times:
            row[column] = calendar_value(recipe, bar.ts_known)
        numerator, denominator, lot_numerator, lot_denominator = self._plan.ratios.tolist()
        values = (
            bar.open * numerator / denominator,
            bar.high * numerator / denominator,
            bar.low * numerator / denominator,
            bar.close * numerator / denominator,
            bar.volume * lot_numerator / lot_denominator,
        )
        self._handles.fill(row, values)

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
        # The three newest rows need no more than the longest window and two bars; the third is
        # what a change in the second is measured from.
        first = max(0, count - window_capacity(self._memory) - 2)
        waiting, self._pending = self._pending, []
        window_start(self._memory, first)
        third = self._wide_before.copy()
        for bar in bars.slice(first, count).bars():
            third[:] = self._rows()[1]
            self.update(bar)
        newest, before = self._rows()
        for group in waiting:
            if count > group.lookback:
                self._open(group, bars, (newest, before, third))
            else:
                self._pending.append(group)
        if self._derived is not None:
            derived_step(self._derived, before, third)
            derived_step(self._derived, newest, before)
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
            self._open(group, bars, self._rows())
        self._pending = [group for group in self._pending if group not in ready]
        if not self._pending:
            self._history = []

    def _open(self, group: RecursiveGroup, bars: BarArrays, rows: Sequence[Row]) -> None:
        """Open a handle on every bar since the anchor and fill rows, the newest first."""
        inputs = (channel_values(bars, channel, self._plan.ratios) for channel in group.channels)
        opened: tuple[_Handle, Row | tuple[Row, ...]] = getattr(
            stream, group.function
        ).open_and_fill(*inputs, **dict(group.options))
        handle, filled = opened
        outputs = filled if isinstance(filled, tuple) else (filled,)
        for output, column in group.targets:
            values = with_gap(outputs[output], group.lookback)
            for age, row in enumerate(rows):
                row[column] = values[-1 - age] if age < len(values) else np.nan
        self._handles.add(group, handle.update, len(outputs))
        self._rest = bool(self._plan.times or self._handles.others)

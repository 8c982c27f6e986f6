"""Which bars are fit to trade on: one rule set for a stream and for a whole file.

Both run `kernels.bars.check_step`; a bar that breaks a rule becomes a `DataDefect`, is reported
and is never traded on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.time import DAY, MINUTE, iso, timeframe_nanoseconds
from tidewright.kernels.bars import (
    ACCEPTED,
    CHECK_OUT_SIZE,
    CHECK_STATE_SIZE,
    check_loop,
    check_step,
)
from tidewright.market.arrays import BarArrays, Int64

RULES = (
    "accepted",
    "not_finite",
    "price_not_positive",
    "volume_negative",
    "out_of_range",
    "off_grid",
    "high_low_inconsistent",
    "open_candle",
    "stale",
    "duplicate",
    "out_of_order",
    "daily_change",
    "spike",
)
"""Names of the verdicts of `kernels.bars.check_step`, by their number, in order of precedence."""

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BarRules:
    """Limits of the checks.

    Parameters
    ----------
    max_daily_change_percent : float
        Largest distance of a price from the last close of an earlier day, > 0; for bars longer
        than a day it grows with their number of days.
    max_data_age_minutes : float
        Oldest bar that a live stream may bring; 0 leaves age unchecked.
    confirm_after_bars : int
        Bars in a row at a level beyond the limit after which that level is believed, >= 1.
    """

    max_daily_change_percent: float = 50.0
    max_data_age_minutes: float = 15.0
    confirm_after_bars: int = 3

    def __post_init__(self) -> None:
        if not (
            0 < self.max_daily_change_percent < 1e6
            and 0 <= self.max_data_age_minutes < 1e9
            and self.confirm_after_bars >= 1
        ):
            raise ConfigError(
                f"bar rules were {self}; expected max_daily_change_percent above 0, "
                "max_data_age_minutes 0 or more and confirm_after_bars 1 or more"
            )

    def limits(self, duration: int) -> Int64:
        """Return the limits as `kernels.bars.check_step` takes them for bars of that length."""
        days = max(1, duration // DAY)
        return np.array(
            (
                round(self.max_daily_change_percent * 10_000 * days),
                self.confirm_after_bars,
                round(self.max_data_age_minutes * MINUTE),
            ),
            np.int64,
        )


@dataclass(frozen=True, slots=True)
class RawBar:
    """A bar as a source gave it, not yet trusted.

    Parameters
    ----------
    ts_event : int
        Open time, nanoseconds UTC.
    open, high, low, close : float
        Prices in the quote currency.
    volume : float
        Traded quantity.
    """

    ts_event: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, eq=False)
class RawBars:
    """Bars of one series as a source gave them, in the source's order.

    Parameters
    ----------
    ts_event : int64 array of shape (n_bars,)
        Open times, nanoseconds UTC.
    prices : float64 array of shape (n_bars, 4)
        Open, high, low, close in the quote currency.
    volume : float64 array of shape (n_bars,)
        Traded quantities.
    """

    ts_event: Int64
    prices: Float64
    volume: Float64

    def __len__(self) -> int:
        return len(self.ts_event)

    def row(self, index: int) -> RawBar:
        """Return one row."""
        opened, high, low, close = (float(price) for price in self.prices[index])
        volume = float(self.volume[index])
        return RawBar(int(self.ts_event[index]), opened, high, low, close, volume)


def raw_bars(bars: Sequence[RawBar]) -> RawBars:
    """Return raw bars as columns."""
    prices = [(bar.open, bar.high, bar.low, bar.close) for bar in bars]
    return RawBars(
        np.array([bar.ts_event for bar in bars], np.int64),
        np.array(prices, np.float64).reshape(len(bars), 4),
        np.array([bar.volume for bar in bars], np.float64),
    )


def _grid(instrument: Instrument) -> Int64:
    return np.array((*instrument.price_ratio, *instrument.quantity_ratio), np.int64)


class BarValidator:
    """Check the bars of one instrument and timeframe as they come.

    Parameters
    ----------
    instrument : Instrument
        Whose bars they are.
    timeframe : str
        Their timeframe.
    rules : BarRules
        The limits.
    """

    def __init__(
        self, instrument: Instrument, timeframe: str, rules: BarRules | None = None
    ) -> None:
        self.instrument = instrument
        self.timeframe = timeframe
        self.rules = rules or BarRules()
        self._duration = timeframe_nanoseconds(timeframe)
        self._limits = self.rules.limits(self._duration)
        self._grid = _grid(instrument)
        self._state = np.zeros(CHECK_STATE_SIZE, np.int64)
        self._prices = np.zeros(4, np.float64)
        self._out = np.zeros(CHECK_OUT_SIZE, np.int64)
        self._wording = _Wording(instrument, self._duration, self.rules)

    def check(self, raw: RawBar, now: int = 0) -> Bar | DataDefect:
        """Return the bar in ticks and lots, or why it was kept out.

        Parameters
        ----------
        raw : RawBar
            The bar as it came.
        now : int
            Time of receipt, nanoseconds UTC; 0 (replay) leaves age and open candles unchecked.
        """
        ts_known = raw.ts_event + self._duration
        self._prices[:] = (raw.open, raw.high, raw.low, raw.close)
        verdict = check_step(
            self._state,
            self._prices,
            float(raw.volume),
            raw.ts_event,
            ts_known,
            self._grid,
            self._limits,
            now,
            self._out,
        )
        out = self._out.tolist()
        if verdict != ACCEPTED:
            return self._wording.defect(
                verdict, raw, reference=out[6], last=int(self._state[1]), now=now
            )
        return Bar(self.instrument.id, self.timeframe, raw.ts_event, ts_known, *out[:5])

    def snapshot(self) -> list[int]:
        """Return the state as JSON-able values."""
        return [int(value) for value in self._state]

    def restore(self, data: Sequence[int]) -> None:
        """Take over a state that `snapshot` gave."""
        self._state[:] = data


@dataclass(frozen=True, slots=True)
class _Wording:
    """Puts a verdict into words."""

    instrument: Instrument
    duration: int
    rules: BarRules

    def defect(
        self, verdict: int, raw: RawBar, *, reference: int, last: int, now: int
    ) -> DataDefect:
        rule = RULES[verdict]
        detail = _detail(rule, raw, self.instrument, self.rules)
        if rule in ("daily_change", "spike"):
            detail += f" around {self.instrument.price(reference)}"
        elif rule in ("open_candle", "stale"):
            detail += f"; it closes at {iso(raw.ts_event + self.duration)}, it was {iso(now)}"
        elif rule in ("duplicate", "out_of_order"):
            detail += f" {iso(last)}"
        return DataDefect(self.instrument.id, raw.ts_event, rule, detail)


def _detail(rule: str, raw: RawBar, instrument: Instrument, rules: BarRules) -> str:
    values = f"open {raw.open!r} high {raw.high!r} low {raw.low!r} close {raw.close!r}"
    limit = rules.max_daily_change_percent
    texts = {
        "not_finite": f"was {values} volume {raw.volume!r}; expected finite numbers",
        "price_not_positive": f"was {values}; expected prices above 0",
        "volume_negative": f"volume was {raw.volume!r}; expected 0 or more",
        "out_of_range": f"was {values} volume {raw.volume!r}; expected at most 2**53 steps",
        "off_grid": f"was {values}; expected whole ticks of {instrument.tick_size}",
        "high_low_inconsistent": f"was {values}; expected low <= open, close <= high",
        "open_candle": "was not yet closed when it came; expected a closed bar",
        "stale": f"was too old; expected at most {rules.max_data_age_minutes:g} minutes",
        "duplicate": "was given before; expected a time after",
        "out_of_order": f"was of {iso(raw.ts_event)}; expected a time after",
        "daily_change": f"close was {raw.close!r}; expected within {limit:g} % a day",
        "spike": f"was high {raw.high!r} low {raw.low!r}; expected within {limit:g} % a day",
    }
    return texts[rule]


@dataclass(frozen=True, slots=True, eq=False)
class CheckedBars:
    """What became of a whole series.

    Parameters
    ----------
    bars : BarArrays
        The bars that were accepted.
    verdicts : int64 array of shape (n_raw,)
        Verdict of each raw row; `RULES` names them.
    defects : tuple of (int, DataDefect)
        Row and reason of every row that was kept out.
    volumes_rounded : int
        Accepted rows whose volume was not a whole number of lots.
    """

    bars: BarArrays
    verdicts: Int64
    defects: tuple[tuple[int, DataDefect], ...]
    volumes_rounded: int


def check_bars(
    raw: RawBars,
    instrument: Instrument,
    timeframe: str,
    rules: BarRules | None = None,
    now: int = 0,
) -> CheckedBars:
    """Check a whole series with the verdicts that `BarValidator` gives one by one.

    Parameters
    ----------
    raw : RawBars
        The rows in the order in which the source gave them.
    instrument : Instrument
        Whose bars they are.
    timeframe : str
        Their timeframe.
    rules : BarRules
        The limits; give ``max_data_age_minutes`` 0 for history.
    now : int
        As in `BarValidator.check`.

    Returns
    -------
    CheckedBars
        Accepted bars and defects.
    """
    rules = rules or BarRules()
    duration = timeframe_nanoseconds(timeframe)
    verdicts = np.zeros(len(raw), np.int64)
    out = np.zeros((len(raw), CHECK_OUT_SIZE), np.int64)
    check_loop(
        np.ascontiguousarray(raw.prices),
        np.ascontiguousarray(raw.volume),
        np.ascontiguousarray(raw.ts_event),
        duration,
        _grid(instrument),
        rules.limits(duration),
        now,
        verdicts,
        out,
    )
    kept = verdicts == ACCEPTED
    times = raw.ts_event[kept]
    columns = (np.ascontiguousarray(column) for column in out[kept][:, :5].T)
    bars = BarArrays(instrument.id, timeframe, times, times + duration, *columns)
    defects = _defects(raw, _Wording(instrument, duration, rules), now, verdicts, out)
    return CheckedBars(bars, verdicts, defects, int(out[kept][:, 5].sum()))


def _defects(
    raw: RawBars, wording: _Wording, now: int, verdicts: Int64, out: Int64
) -> tuple[tuple[int, DataDefect], ...]:
    bad = np.flatnonzero(verdicts != ACCEPTED)
    good = np.flatnonzero(verdicts == ACCEPTED)
    times = raw.ts_event[good]
    found: list[tuple[int, DataDefect]] = []
    for row, place in zip(bad.tolist(), np.searchsorted(good, bad).tolist(), strict=True):
        last = int(times[place - 1]) if place else 0
        defect = wording.defect(
            int(verdicts[row]), raw.row(row), reference=int(out[row, 6]), last=last, now=now
        )
        found.append((row, defect))
    return tuple(found)

"""Steps that check and build bars; a stream calls them once per bar, a bulk run in a loop.

Both uses share every rule: `check_step` decides whether a bar is fit to trade on, `fold_step`
folds short bars into longer ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

ACCEPTED = 0
NOT_FINITE = 1
PRICE_NOT_POSITIVE = 2
VOLUME_NEGATIVE = 3
OUT_OF_RANGE = 4
OFF_GRID = 5
HIGH_LOW_INCONSISTENT = 6
OPEN_CANDLE = 7
STALE = 8
DUPLICATE = 9
OUT_OF_ORDER = 10
DAILY_CHANGE = 11
SPIKE = 12

CHECK_STATE_SIZE = 7
"""int64 state of `check_step`: started, last open time, last close, day, reference close of the
day, bars in a row beyond the limit, close of the last of them."""
CHECK_OUT_SIZE = 7
"""What `check_step` writes: open, high, low, close in ticks, volume in lots, 1 if the volume was
rounded to its lot, and the reference close in ticks."""
FOLD_STATE_SIZE = 8
"""int64 state of `fold_step`: open bucket (0/1), its open time, open, high, low, close, volume,
and the open time of the last bar folded."""
FOLD_OUT_SIZE = 6
"""What `fold_step` writes per finished bar: open time, open, high, low, close, volume."""

_DAY = 86_400_000_000_000
_LARGEST = 9_007_199_254_740_992.0
# Prices that were computed, not printed, carry a few last-place errors; more is another price.
_NOISE = 1e-15


@compiled
def steps_of(value: float, numerator: int, denominator: int) -> float:
    """Return the nearest whole number of steps of size ``numerator / denominator``."""
    return float(np.rint(value * denominator / numerator))


@compiled
def on_grid(value: float, steps: float, numerator: int, denominator: int) -> bool:
    """Tell whether a value equals its steps up to the noise of float arithmetic."""
    return bool(abs(steps * numerator / denominator - value) <= _NOISE * abs(value))


@compiled
def _shape(prices: Float64, volume: float, grid: Int64, out: Int64) -> int:
    """Check one bar by itself and write its integer form."""
    for index in range(4):
        if not np.isfinite(prices[index]):
            return NOT_FINITE
    if not np.isfinite(volume):
        return NOT_FINITE
    for index in range(4):
        if prices[index] <= 0.0:
            return PRICE_NOT_POSITIVE
    if volume < 0.0:
        return VOLUME_NEGATIVE
    lots = steps_of(volume, grid[2], grid[3])
    if lots > _LARGEST:
        return OUT_OF_RANGE
    for index in range(4):
        steps = steps_of(prices[index], grid[0], grid[1])
        if steps > _LARGEST:
            return OUT_OF_RANGE
        if steps < 1.0 or not on_grid(prices[index], steps, grid[0], grid[1]):
            return OFF_GRID
        out[index] = int(steps)
    out[4] = int(lots)
    out[5] = 0 if on_grid(volume, lots, grid[2], grid[3]) else 1
    if out[1] < max(out[0], out[3], out[2]) or out[2] > min(out[0], out[3]):
        return HIGH_LOW_INCONSISTENT
    return ACCEPTED


@compiled
def _moment(state: Int64, ts_event: int, ts_known: int, limits: Int64, now: int) -> int:
    """Check when one bar came."""
    if now > 0 and ts_known > now:
        return OPEN_CANDLE
    if now > 0 and limits[2] > 0 and now - ts_known > limits[2]:
        return STALE
    if state[0] == 1 and ts_event == state[1]:
        return DUPLICATE
    if state[0] == 1 and ts_event < state[1]:
        return OUT_OF_ORDER
    return ACCEPTED


@compiled
def _level(state: Int64, ts_event: int, limits: Int64, out: Int64) -> int:
    """Check the price level of one bar against the reference close of its day."""
    reference = state[4]
    if state[0] == 0:
        reference = out[0]
    elif ts_event // _DAY != state[3]:
        reference = state[2]
    out[6] = reference
    share = limits[0] / 1_000_000.0
    if abs(out[3] - reference) > reference * share:
        near = state[5] > 0 and abs(out[3] - state[6]) <= state[6] * share
        state[5] = state[5] + 1 if near else 1
        state[6] = out[3]
        if state[5] < limits[1]:
            return DAILY_CHANGE
        reference = out[3]
    # A wick is held against the bar before as well: a long day may lead there step by step.
    last = state[2] if state[0] == 1 else reference
    highest, lowest = max(reference, last), min(reference, last)
    if out[1] - highest > highest * share or lowest - out[2] > lowest * share:
        return SPIKE
    state[4] = reference
    return ACCEPTED


@compiled
def check_step(
    state: Int64,
    prices: Float64,
    volume: float,
    ts_event: int,
    ts_known: int,
    grid: Int64,
    limits: Int64,
    now: int,
    out: Int64,
) -> int:
    """Decide about one bar and write its integer form.

    Parameters
    ----------
    state : int64 array of length `CHECK_STATE_SIZE`
        Memory of the bars accepted so far; zeros at first. Changed in place.
    prices : float64 array of length 4
        Open, high, low, close.
    volume : float
        Traded quantity; rounded to the nearest lot, since it is a statistic and not an order.
    ts_event, ts_known : int
        Open and close time, nanoseconds UTC.
    grid : int64 array of length 4
        Numerator and denominator of the tick, then of the lot.
    limits : int64 array of length 3
        Largest change against the reference in millionths; number of bars in a row at a new level
        that make it believed; largest age in nanoseconds, 0 for none.
    now : int
        Time of receipt, nanoseconds UTC; 0 leaves age and open candles unchecked.
    out : int64 array of length `CHECK_OUT_SIZE`
        Written in full when the bar is accepted.

    Returns
    -------
    int
        `ACCEPTED`, or the first rule that the bar breaks.

    Notes
    -----
    The reference is the last close accepted on an earlier UTC day, and the first bar's open before
    there is one. A level beyond the limit that several bars in a row agree on is a fact (a split,
    a crash), so the last of them is accepted and becomes the reference.
    """
    out[:] = 0
    verdict = _shape(prices, volume, grid, out)
    if verdict != ACCEPTED:
        return verdict
    verdict = _moment(state, ts_event, ts_known, limits, now)
    if verdict != ACCEPTED:
        return verdict
    verdict = _level(state, ts_event, limits, out)
    if verdict != ACCEPTED:
        return verdict
    state[0] = 1
    state[1] = ts_event
    state[2] = out[3]
    state[3] = ts_event // _DAY
    state[5] = 0
    return ACCEPTED


@compiled
def check_loop(
    prices: Float64,
    volumes: Float64,
    ts_event: Int64,
    duration: int,
    grid: Int64,
    limits: Int64,
    now: int,
    verdicts: Int64,
    out: Int64,
) -> None:
    """Run `check_step` over all rows of a fresh series.

    Parameters
    ----------
    prices : float64 array of shape (n_bars, 4)
        Open, high, low, close.
    volumes : float64 array of shape (n_bars,)
        Traded quantities.
    ts_event : int64 array of shape (n_bars,)
        Open times.
    duration : int
        Length of a bar, nanoseconds.
    grid, limits, now
        As in `check_step`.
    verdicts : int64 array of shape (n_bars,)
        Written: the verdict of each row.
    out : int64 array of shape (n_bars, `CHECK_OUT_SIZE`)
        Written: the integer form of each row.
    """
    state = np.zeros(CHECK_STATE_SIZE, np.int64)
    for row in range(len(ts_event)):
        verdicts[row] = check_step(
            state,
            prices[row],
            volumes[row],
            ts_event[row],
            ts_event[row] + duration,
            grid,
            limits,
            now,
            out[row],
        )


@compiled
def _take_bucket(state: Int64, out: Int64) -> None:
    for index in range(FOLD_OUT_SIZE):
        out[index] = state[index + 1]
    state[0] = 0


@compiled
def fold_step(
    state: Int64,
    ts_event: int,
    bar: Int64,
    duration: int,
    target: int,
    origin: int,
    out: Int64,
) -> int:
    """Fold one bar into its bucket and write the buckets that this finishes.

    A bucket is finished by its own last sub-bar, or by the first bar of a later bucket when the
    last sub-bar never came; a bar may do both at once.

    Parameters
    ----------
    state : int64 array of length `FOLD_STATE_SIZE`
        The bucket being built; zeros at first. Changed in place.
    ts_event : int
        Open time of the bar, nanoseconds UTC, after that of the bar before.
    bar : int64 array of length 5
        Open, high, low, close in ticks, volume in lots.
    duration, target : int
        Length of the bar and of the bucket, nanoseconds; the second a multiple of the first.
    origin : int
        A time at which a bucket begins.
    out : int64 array of shape (2, `FOLD_OUT_SIZE`)
        Finished bars, oldest first.

    Returns
    -------
    int
        How many bars were finished: 0, 1 or 2; -1 when the bar is not after the one before.
    """
    if state[7] != 0 and ts_event <= state[7]:
        return -1
    state[7] = ts_event
    finished = 0
    start = (ts_event - origin) // target * target + origin
    if state[0] == 1 and state[1] != start:
        _take_bucket(state, out[finished])
        finished += 1
    if state[0] == 0:
        state[0] = 1
        state[1] = start
        for index in range(5):
            state[index + 2] = bar[index]
    else:
        state[3] = max(state[3], bar[1])
        state[4] = min(state[4], bar[2])
        state[5] = bar[3]
        state[6] += bar[4]
    if ts_event + duration >= start + target:
        _take_bucket(state, out[finished])
        finished += 1
    return finished


@compiled
def fold_loop(
    ts_event: Int64,
    bars: Int64,
    duration: int,
    target: int,
    origin: int,
    rows: Int64,
    out: Int64,
) -> int:
    """Run `fold_step` over all rows of a fresh series.

    Parameters
    ----------
    ts_event : int64 array of shape (n_bars,)
        Open times, strictly increasing.
    bars : int64 array of shape (n_bars, 5)
        Open, high, low, close, volume.
    duration, target, origin : int
        As in `fold_step`.
    rows : int64 array of shape (2 * n_bars,)
        Written: the row whose arrival finished each bar.
    out : int64 array of shape (2 * n_bars, `FOLD_OUT_SIZE`)
        Written: the finished bars.

    Returns
    -------
    int
        How many bars were finished; -1 - row when a row is not after the one before.
    """
    state = np.zeros(FOLD_STATE_SIZE, np.int64)
    finished = np.zeros((2, FOLD_OUT_SIZE), np.int64)
    count = 0
    for row in range(len(ts_event)):
        found = fold_step(state, ts_event[row], bars[row], duration, target, origin, finished)
        if found < 0:
            return -1 - row
        for index in range(found):
            out[count] = finished[index]
            rows[count] = row
            count += 1
    return count

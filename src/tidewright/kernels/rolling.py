"""Window columns of a whole history in a few passes, bit for bit what each window gives alone.

Sums of whole numbers are exact in whatever order they are made, so a sum that rolls along gives the
bits of a sum made anew; extremes are those of van Herk (Pattern Recognition Letters 13 (1992) 517)
and of Gil and Werman (IEEE PAMI 15 (1993) 504): three comparisons a value, however long the window
is. History is worked on in blocks that stay in the nearest cache, each from its own window on, so
that numbers stay small. Where numbers could leave 64 bits, and for statistics of floats, which
depend on the order of their sums, every window is computed alone as `windows` does it.
"""

from __future__ import annotations

import math

import numpy as np

from tidewright.kernels.exact import (
    PRICE_DENOMINATOR,
    PRICE_NUMERATOR,
    QUANTITY_DENOMINATOR,
    QUANTITY_NUMERATOR,
    change,
    compare,
    deviation,
    ratios_of,
    volume_weighted,
    weighted,
)
from tidewright.kernels.integer import (
    magnitude,
    ratio_to_float,
    wide_product,
    wide_subtract,
)
from tidewright.kernels.jit import compiled
from tidewright.kernels.levels import (
    LEVEL_BREAK,
    LEVEL_DISTANCE,
    LEVEL_STRENGTH,
    LINE_BREAK,
    RANGE_WIDTH,
    RANK,
    line_break,
    rank,
    shape_of,
    share,
    touching,
)
from tidewright.kernels.returns import log_return, return_value
from tidewright.kernels.windows import (
    ARGUMENT,
    BAND,
    BAND_WIDTH,
    CHANGE,
    CHANNEL,
    CLOSE,
    COLUMN,
    DEVIATION,
    FIRST_OF_LEVELS,
    FIRST_OF_RETURNS,
    HIGH,
    HIGHEST,
    LAST,
    LENGTH,
    LOW,
    LOWEST,
    MAX_LOTS,
    MAX_TICKS,
    MEAN,
    MEAN_RATIO,
    MEAN_SIGN,
    OPEN,
    STEP,
    TO_MEAN,
    TO_MEAN_RATIO,
    VOLUME,
    VWAP,
    ZSCORE,
    Float64,
    Int64,
    mean_value,
)

Bars = tuple[Int64, Int64, Int64, Int64, Int64]
"""Open, high, low and close in ticks and volume in lots."""

BLOCK = 1_024
"""Fewest rows of a block."""

_ROOM = 2.0**62
_SCRATCH_ROWS = 4


@compiled
def peak_of(values: Int64, most: int) -> int:
    """Return the largest value of an array, or -1 if one is outside 0 to ``most``."""
    low = high = 0
    for value in values:
        low = min(low, value)
        high = max(high, value)
    return high if low >= 0 and high <= most else -1


@compiled
def peaks_of(bars: Bars) -> Int64:
    """Return the largest price or volume of each channel.

    Raises
    ------
    OverflowError
        If a bar is outside the accepted range.
    """
    peaks = np.empty(5, np.int64)
    for channel in range(VOLUME):
        peaks[channel] = peak_of(bars[channel], MAX_TICKS)
        if peaks[channel] < 0:
            raise OverflowError("price outside 0 to 2**48 ticks")
    peaks[VOLUME] = peak_of(bars[VOLUME], MAX_LOTS)
    if peaks[VOLUME] < 0:
        raise OverflowError("volume outside 0 to 2**60 lots")
    return peaks


@compiled
def sums(values: Int64, length: int, start: int, stop: int, out: Int64) -> None:
    """Write the sum of the window that ends with each of the rows ``[start, stop)``."""
    total = 0
    for value in values[start - length + 1 : start]:
        total += value
    entering = values[start:stop]
    leaving = values[start - length + 1 :]
    for place in range(stop - start):
        total += entering[place]
        out[place] = total
        total -= leaving[place]


@compiled
def extremes(
    values: Int64, length: int, start: int, stop: int, side: int, scratch: Int64, out: Int64
) -> None:
    """Write the largest (``side`` 1) or smallest (-1) value of each window.

    Parameters
    ----------
    values : int64 array of shape (n_bars,)
        Values.
    length, start, stop : int
        Windows of so many values that end with the rows ``[start, stop)``.
    side : int
        Which extreme.
    scratch : int64 array
        At least ``stop - start + length`` long.
    out : int64 array
        Receives the extremes.
    """
    count = stop - start
    seen = values[start - length + 1 : stop]
    size = len(seen)
    # Backwards: the extreme from each value to the end of its part of `length` values.
    begin = 0
    while begin < size:
        end = min(begin + length, size)
        best = side * seen[end - 1]
        for place in range(end - 1, begin - 1, -1):
            best = max(best, side * seen[place])
            scratch[place] = best
        begin = end
    # Forwards: the extreme from the beginning of the part; a window touches two parts at most.
    left, best = 0, side * seen[0]
    for place in range(size):
        value = side * seen[place]
        best = value if left == 0 else max(best, value)
        left += 1
        if left == length:
            left = 0
        row = place - length + 1
        if 0 <= row < count:
            out[row] = side * max(best, scratch[row])


@compiled
def deviations(
    values: Int64,
    length: int,
    start: int,
    stop: int,
    ratio: tuple[int, int],
    out: Float64,
) -> None:
    """Write the population standard deviation of each window, times a step.

    ``n * sum(d**2) - sum(d)**2`` is the same whole number whatever ``d`` is measured from; here
    that is the first newest value of the block.
    """
    seen = values[start - length + 1 : stop]
    base = values[start]
    widest = 0
    for value in seen:
        widest = max(widest, abs(value - base))
    if float(widest) * float(widest) * length >= _ROOM:
        for row in range(start, stop):
            window = values[row - length + 1 : row + 1]
            out[row - start] = deviation(window, ratio[0], ratio[1])
        return
    total = squares = 0
    for value in seen[: length - 1]:
        total += value - base
        squares += (value - base) * (value - base)
    narrow = float(widest) * float(widest) * length * length < _ROOM
    for place in range(stop - start):
        entering = seen[place + length - 1] - base
        total += entering
        squares += entering * entering
        if narrow:
            spread = float(squares * length - total * total)
        else:
            spread = _wide_spread(squares, total, length)
        out[place] = math.sqrt(spread) / length * ratio[0] / ratio[1]
        leaving = seen[place] - base
        total -= leaving
        squares -= leaving * leaving


@compiled
def _wide_spread(squares: int, total: int, count: int) -> float:
    high, low = wide_product(magnitude(squares), magnitude(count))
    size = magnitude(total)
    square_high, square_low = wide_product(size, size)
    high, low = wide_subtract(high, low, square_high, square_low)
    return ratio_to_float(high, low, np.uint64(1))


@compiled
def mean_block(
    step: int,
    values: Int64,
    rows: tuple[int, int, int],
    ratio: tuple[int, int],
    argument: float,
    peak: int,
    scratch: Int64,
    spreads: Float64,
    out: Float64,
) -> None:
    """Write a column of means and deviations of one channel for a block of rows.

    Parameters
    ----------
    step : int
        What to compute.
    values : int64 array of shape (n_bars,)
        Ticks or lots, at most ``peak``.
    rows : (int, int, int)
        Length of a window, first row, one past the last.
    ratio : (int, int)
        Size of a tick or lot.
    argument : float
        As `mean_value` takes it.
    peak : int
        Largest value of the channel.
    scratch, spreads : arrays
        At least as long as the block.
    out : float64 array
        Receives the values.
    """
    length, start, stop = rows
    count = stop - start
    if step == DEVIATION:
        deviations(values, length, start, stop, ratio, out)
        return
    sums(values, length, start, stop, scratch)
    if step == MEAN:
        ratios_of(scratch[:count], ratio[0], length, ratio[1], peak * length, out)
    elif step == BAND:
        ratios_of(scratch[:count], ratio[0], length, ratio[1], peak * length, out)
        if argument != 0.0:
            deviations(values, length, start, stop, ratio, spreads)
            for place in range(count):
                out[place] = out[place] + argument * spreads[place]
    elif step in (TO_MEAN, TO_MEAN_RATIO):
        less = 1.0 if step == TO_MEAN else 0.0
        for place in range(count):
            average = float(scratch[place]) / float(length)
            found = share(float(values[start + place]), average, math.nan)
            out[place] = found - 1.0 if less else found
    elif step in (MEAN_RATIO, MEAN_SIGN):
        for place in range(count):
            spreads[place] = float(scratch[place]) / float(length)
        shorter = int(argument)
        sums(values, shorter, start, stop, scratch)
        for place in range(count):
            short = float(scratch[place]) / float(shorter)
            if step == MEAN_RATIO:
                out[place] = share(short, spreads[place], math.nan)
            else:
                out[place] = compare(short, spreads[place])
    else:
        deviations(values, length, start, stop, (1, 1), spreads)
        for place in range(count):
            newest = float(values[start + place])
            average = float(scratch[place]) / float(length)
            width = 2.0 * argument * spreads[place]
            if step == ZSCORE:
                out[place] = share(newest - average, spreads[place], 0.0)
            elif step == BAND_WIDTH:
                out[place] = share(width, average, math.nan)
            else:
                out[place] = share(newest - average, width, 0.0) + 0.5


@compiled
def weighted_block(
    bars: Bars, rows: tuple[int, int, int], ratios: Int64, peaks: Int64, out: Float64
) -> None:
    """Write volume weighted means for a block of rows."""
    length, start, stop = rows
    high, low, close, volume = bars[HIGH], bars[LOW], bars[CLOSE], bars[VOLUME]
    price = float(peaks[HIGH]) + float(peaks[LOW]) + float(peaks[CLOSE])
    if (price + 1.0) * (float(peaks[VOLUME]) + 1.0) * length >= _ROOM:
        for row in range(start, stop):
            first, end = row - length + 1, row + 1
            out[row - start] = volume_weighted(
                high[first:end], low[first:end], close[first:end], volume[first:end], ratios
            )
        return
    value = lots = 0
    for row in range(start - length + 1, start):
        value += (high[row] + low[row] + close[row]) * volume[row]
        lots += volume[row]
    nothing = np.uint64(0)
    for row in range(start, stop):
        value += (high[row] + low[row] + close[row]) * volume[row]
        lots += volume[row]
        out[row - start] = weighted(nothing, magnitude(value), nothing, magnitude(lots), ratios)
        oldest = row - length + 1
        value -= (high[oldest] + low[oldest] + close[oldest]) * volume[oldest]
        lots -= volume[oldest]


@compiled
def level_block(
    step: int,
    channel: int,
    bars: Bars,
    rows: tuple[int, int, int],
    argument: float,
    scratch: Int64,
    out: Float64,
) -> None:
    """Write where the newest bar of each window stands, for a block of rows."""
    length, start, stop = rows
    opened, high, low, close = bars[OPEN], bars[HIGH], bars[LOW], bars[CLOSE]
    values, upper = bars[channel], channel == HIGH
    side = 1 if upper else -1
    if step < RANK:
        for row in range(start, stop):
            before = close[row - 1] if row > 0 else 0
            out[row - start] = shape_of(
                step,
                float(opened[row]),
                float(high[row]),
                float(low[row]),
                float(close[row]),
                float(before),
            )
    elif step == RANK:
        for row in range(start, stop):
            out[row - start] = rank(values[row - length + 1 : row + 1])
    elif step == LINE_BREAK:
        for row in range(start, stop):
            earlier = values[row - length + 1 : row]
            out[row - start] = line_break(earlier, float(close[row]), upper)
    elif step == LEVEL_STRENGTH:
        extremes(values, length, start, stop, side, scratch[1], scratch[0])
        sums(high, length, start, stop, scratch[1])
        sums(low, length, start, stop, scratch[2])
        for row in range(start, stop):
            place = row - start
            ranges = scratch[1, place] - scratch[2, place]
            window = values[row - length + 1 : row + 1]
            out[place] = touching(window, side, side * scratch[0, place], ranges, argument)
    elif step == LEVEL_BREAK:
        extremes(values, length - 1, start - 1, stop - 1, side, scratch[1], scratch[0])
        for row in range(start, stop):
            price, level = float(close[row]), float(scratch[0, row - start])
            out[row - start] = share(price - level, price, math.nan)
    elif step == LEVEL_DISTANCE:
        extremes(values, length, start, stop, side, scratch[1], scratch[0])
        for row in range(start, stop):
            price, level = float(close[row]), float(scratch[0, row - start])
            out[row - start] = share(abs(price - level), price, math.nan)
    else:
        extremes(high, length, start, stop, 1, scratch[1], scratch[0])
        extremes(low, length, start, stop, -1, scratch[1], scratch[2])
        for row in range(start, stop):
            place, price = row - start, float(close[row])
            top, bottom = float(scratch[0, place]), float(scratch[2, place])
            if step == RANGE_WIDTH:
                out[place] = share(top - bottom, price, math.nan)
            else:
                out[place] = share(price - bottom, top - bottom, 0.5)


@compiled
def price_block(
    step: int,
    channel: int,
    bars: Bars,
    rows: tuple[int, int, int],
    argument: float,
    ratios: Int64,
    peaks: Int64,
    scratch: Int64,
    spreads: Float64,
    out: Float64,
) -> None:
    """Write a column of prices, volumes and their means for a block of rows."""
    length, start, stop = rows
    ratio = (ratios[PRICE_NUMERATOR], ratios[PRICE_DENOMINATOR])
    if channel == VOLUME:
        ratio = (ratios[QUANTITY_NUMERATOR], ratios[QUANTITY_DENOMINATOR])
    values, peak = bars[channel], peaks[channel]
    if step == LAST:
        oldest = start - length + 1
        ratios_of(values[oldest : stop - length + 1], ratio[0], 1, ratio[1], peak, out)
    elif step in (HIGHEST, LOWEST):
        side = 1 if step == HIGHEST else -1
        extremes(values, length, start, stop, side, scratch[1], scratch[0])
        ratios_of(scratch[0, : stop - start], ratio[0], 1, ratio[1], peak, out)
    elif step == CHANGE:
        for row in range(start, stop):
            out[row - start] = change(values[row - length + 1 : row + 1])
    elif step == VWAP:
        weighted_block(bars, rows, ratios, peaks, out)
    elif float(peak) * length >= _ROOM or float(peak) * length >= 2.0**53:
        for row in range(start, stop):
            window = values[row - length + 1 : row + 1]
            out[row - start] = mean_value(step, window, ratio[0], ratio[1], argument)
    else:
        mean_block(step, values, rows, ratio, argument, peak, scratch[0], spreads, out)


@compiled
def window_rows(
    program: Int64, ratios: Int64, bars: Bars, returns: Float64, table: Float64
) -> None:
    """Write every window column of every row of a history, its first row being the anchor.

    Parameters
    ----------
    program : int64 array of shape (n_window_columns, 5)
        What to compute, and the row of ``table`` that receives each column.
    ratios : int64 array of shape (4,)
        The instrument's price and quantity ratios.
    bars : tuple of five int64 arrays of shape (n_bars,)
        The bars.
    returns : float64 array of shape (n_bars,) or (0,)
        Receives log returns; without elements where no column reads them.
    table : float64 array of shape (n_columns, n_bars)
        Receives the values.

    Raises
    ------
    OverflowError
        If a bar is outside the accepted range.
    """
    peaks, count = peaks_of(bars), len(bars[CLOSE])
    for bar in range(len(returns)):
        earlier = bars[CLOSE][bar - 1] if bar else 0
        returns[bar] = log_return(earlier, bars[CLOSE][bar])
    arguments = program.view(np.float64)
    for index in range(program.shape[0]):
        step, channel, length = (
            program[index, STEP],
            program[index, CHANNEL],
            program[index, LENGTH],
        )
        argument, column = float(arguments[index, ARGUMENT]), table[program[index, COLUMN]]
        column[: min(length - 1, count)] = math.nan
        size = max(BLOCK, 4 * length)
        scratch, spreads = np.empty((_SCRATCH_ROWS, size + length), np.int64), np.empty(size)
        start = length - 1
        while start < count:
            stop = min(start + size, count)
            rows, out = (length, start, stop), column[start:stop]
            if step >= FIRST_OF_LEVELS:
                level_block(step, channel, bars, rows, argument, scratch, out)
            elif step >= FIRST_OF_RETURNS:
                for row in range(start, stop):
                    # the first bar of the window has its return from a bar before it
                    window = returns[row - length + 2 : row + 1]
                    out[row - start] = return_value(step, window, int(argument))
            else:
                price_block(
                    step, channel, bars, rows, argument, ratios, peaks, scratch, spreads, out
                )
            start = stop

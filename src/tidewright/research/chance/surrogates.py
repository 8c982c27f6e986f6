"""Patternless copies of a market: its bars in another order, everything else left alone.

A copy keeps what is no skill to know: when bars come and where they are absent, how volatile and
how busy each hour was, how instruments move together, the total drift of each, and the shape of
single bars. It destroys what a strategy would have to know: in which order moves come.

1. A bar becomes a shape: log moves from the close before to its open, and from there to its high,
   its low and its close (`_shapes`).
2. Shapes are divided by the local volatility, volumes by the local volume (`_local_level`): time of
   day first, then a moving average around the bar. The variance of one bar is that of M. Garman and
   M. Klass, "On the Estimation of Security Price Volatilities", Journal of Business, 1980, and its
   opening gap squared.
3. Scaled shapes are permuted among times that are alike (`_strata`): with the same instruments
   listed, after a gap in time or not, about as volatile; quiet bars jump more in units of their
   volatility, and instruments move together more when it is high. There is one permutation for all
   instruments. Where one has no bar at the source, the permutation is followed on until it has one
   (`_sources`), which permutes its own bars too. What is usual for a kind of time is taken out, so
   that knowing the kind tells nothing of direction, and replaced by what chance makes usual: else a
   rule that is luckily small at the right kind of time would meet no copy that is as lucky.
4. Shapes are multiplied by the volatility of their new place and joined. The total drift is then
   set right, spread so that the expected simple return is the same for all bars (`_draw`): what
   moved a market in wild times may have been luck, so copies must be free to have other luck there.

Permuted, and not drawn: every copy holds the bars of the market itself. Such tests are described in
T. Masters, "Permutation and Randomization Tests for Trading System Development", 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.time import DAY, timeframe_nanoseconds
from tidewright.kernels.bulk.venue import PRICE_END
from tidewright.market.arrays import BarArrays
from tidewright.research.results import Float64, Int64

Float32 = NDArray[np.float32]

VOLATILITY_BARS = 31
"""Bars, centred, over which local volatility and local volume are averaged."""
_SHORTEST_ERA = 100
_ERAS = 20
_STRATUM = 100
_MOST_LEVELS = 10
_STEADY = 20.0
"""A time of day seen on this many days is trusted as much as the average of all times."""
_GAP, _HIGH, _LOW, _CLOSE, _VOLUME = range(5)


@dataclass(frozen=True, slots=True, eq=False)
class _Shapes:
    """Bars of one instrument, taken apart.

    Parameters
    ----------
    instrument, timeframe : str
        What the bars are of.
    ts_event, ts_known : int64 array of shape (n_bars,)
        Their times.
    start : int
        Their first open, ticks.
    places : int64 array of shape (n_bars,)
        Where each bar stands in the times of all instruments.
    kinds : int64 array of shape (n_bars,)
        Stratum of each bar.
    shapes : float32 array of shape (n_bars, 5)
        Gap, high, low and close in units of local volatility, volume in units of local volume.
    scale, level : float64 array of shape (n_bars,)
        Local volatility, a log move; local volume, lots.
    drift : float
        Log move from the first open to the last close.
    loudness : float
        Variance of a move in units of the squared local volatility.
    """

    instrument: str
    timeframe: str
    ts_event: Int64
    ts_known: Int64
    start: int
    places: Int64
    kinds: Int64
    shapes: Float32
    scale: Float64
    level: Float64
    drift: float
    loudness: float


@dataclass(frozen=True, slots=True, eq=False)
class SurrogateMarket:
    """A market taken apart, from which patternless copies are put together.

    Made by `surrogate_market`. Can be pickled.
    """

    parts: tuple[_Shapes, ...]
    strata: tuple[Int64, ...]
    times: int
    block: int

    def draw(self, seed: int, number: int) -> tuple[BarArrays, ...]:
        """Return one copy, the same for the same seed and number wherever it is drawn.

        Parameters
        ----------
        seed, number : int
            At least 0; which sequence of copies, and which of them.

        Returns
        -------
        tuple of BarArrays
            In the order of the market's series, with their times.
        """
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, number])))
        moved = _permutation(self.strata, self.times, self.block, generator)
        chance = generator.standard_normal(self.times, np.float32)
        return tuple(_draw(part, _sources(part.places, moved), chance) for part in self.parts)


def surrogate_market(
    series: Sequence[BarArrays], *, block: int = 1, volatility_bars: int = VOLATILITY_BARS
) -> SurrogateMarket:
    """Take a market apart.

    Parameters
    ----------
    series : sequence of BarArrays
        Bars of each instrument, all of one timeframe; histories may differ.
    block : int
        Bars that stay together; 1 destroys all order, more keeps patterns shorter than a block
        (and exchanges them between times of any volatility).
    volatility_bars : int
        Bars, centred, over which local volatility and volume are averaged.
    """
    opened = [one.ts_event for one in series]
    times = opened[0] if len(opened) == 1 else np.unique(np.concatenate(opened))
    step = timeframe_nanoseconds(series[0].timeframe)
    after_gap = np.diff(times, prepend=times[:1]) > step
    places = [np.searchsorted(times, one) for one in opened]
    slots = _time_of_day(times) // step
    parts = tuple(
        _taken_apart(one, place, slots[place], volatility_bars)
        for one, place in zip(series, places, strict=True)
    )
    strata = _strata(parts, after_gap, _MOST_LEVELS if block <= 1 else 1)
    kinds = np.zeros(len(times), np.int64)
    for number, stratum in enumerate(strata):
        kinds[stratum] = number
    parts = tuple(_without_means(part, kinds[part.places]) for part in parts)
    return SurrogateMarket(parts, strata, len(times), block)


def _strata(
    parts: Sequence[_Shapes], after_gap: NDArray[np.bool_], most_levels: int
) -> tuple[Int64, ...]:
    """Return the times among which bars are exchanged."""
    times = len(after_gap)
    nervous, count = np.zeros(times), np.zeros(times)
    for part in parts:
        known = np.flatnonzero(part.scale > 0.0)
        if len(known):
            level = np.log(part.scale[known])
            nervous[part.places[known]] += level - np.median(level)
            count[part.places[known]] += 1.0
    nervous /= np.maximum(count, 1.0)
    strata = []
    eras = _eras([part.places for part in parts], times)
    for begin, end in pairwise(eras):
        for kind in (False, True):
            chosen = begin + np.flatnonzero(after_gap[begin:end] == kind)
            levels = min(max(len(chosen) // _STRATUM, 1), most_levels)
            by_level = chosen[np.argsort(nervous[chosen], kind="stable")]
            strata += [np.sort(one) for one in np.array_split(by_level, levels)]
    return tuple(strata)


def _time_of_day(times: Int64) -> Int64:
    """Return the time since the first bar of each UTC day: midnight, or a session's opening."""
    if len(times) == 0:
        return times
    day = times // DAY
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    return times - np.repeat(times[first], np.diff(np.append(first, len(times))))


def _eras(places: Sequence[Int64], times: int) -> list[int]:
    """Return where the set of listed instruments changes; short eras join the one before.

    Within an era every listed instrument can take part in the same permutation.
    """
    shortest = max(_SHORTEST_ERA, times // _ERAS)
    changes = {int(one[0]) for one in places if len(one)}
    changes |= {int(one[-1]) + 1 for one in places if len(one)}
    kept = [0]
    for change in sorted(changes):
        if change - kept[-1] >= shortest and times - change >= shortest:
            kept.append(change)
    return [*kept, times]


def _taken_apart(bars: BarArrays, places: Int64, slots: Int64, window: int) -> _Shapes:
    logs = np.log(np.stack((bars.open, bars.high, bars.low, bars.close)).astype(np.float64))
    moves = np.zeros((len(bars), 5))
    if len(bars):
        moves[1:, _GAP] = logs[0, 1:] - logs[3, :-1]
        moves[:, _HIGH : _CLOSE + 1] = (logs[1:] - logs[0]).T
        moves[:, _VOLUME] = bars.volume
    spread, body = moves[:, _HIGH] - moves[:, _LOW], moves[:, _CLOSE]
    variance = 0.5 * spread**2 - (2 * np.log(2) - 1) * body**2 + moves[:, _GAP] ** 2
    scale = _local_level(np.sqrt(np.maximum(variance, 0.0)), slots, window)
    level = _local_level(moves[:, _VOLUME], slots, window)
    moves[:, :_VOLUME] *= _inverse(scale)[:, None]
    moves[:, _VOLUME] *= _inverse(level)
    drift = float(logs[3, -1] - logs[0, 0]) if len(bars) else 0.0
    return _Shapes(
        bars.instrument,
        bars.timeframe,
        bars.ts_event,
        bars.ts_known,
        int(bars.open[0]) if len(bars) else 1,
        places,
        places,
        moves.astype(np.float32),
        scale,
        level,
        drift,
        0.0,
    )


def _without_means(part: _Shapes, kinds: Int64) -> _Shapes:
    """Make the mean scaled move of one instrument 0 in each stratum."""
    moves = part.shapes[:, _GAP] + part.shapes[:, _CLOSE]
    part.shapes[:, _GAP] -= _means(moves, kinds)[kinds].astype(np.float32)
    moved = (part.shapes[:, _GAP] + part.shapes[:, _CLOSE]) * part.scale
    variance = float(np.sum(part.scale**2))
    loudness = float(np.sum(moved**2)) / variance if variance > 0.0 else 0.0
    return replace(part, kinds=kinds, loudness=loudness)


def _means(values: NDArray[np.floating], kinds: Int64) -> Float64:
    """Return the mean of the values of each kind."""
    return np.bincount(kinds, weights=values) / np.maximum(np.bincount(kinds), 1)


def _local_level(size: Float64, slots: Int64, window: int) -> Float64:
    """Return the usual size around each bar: its time of day, times an average of neighbours."""
    mean = float(np.mean(size)) if len(size) else 0.0
    if mean == 0.0:
        return np.zeros(len(size))
    counts = np.bincount(slots)
    sums = np.bincount(slots, weights=size)
    usual = ((sums / mean + _STEADY) / (counts + _STEADY))[slots]
    half = window // 2
    total = np.concatenate(([0.0], np.cumsum(size / usual)))
    rows = np.arange(len(size))
    begin, end = np.maximum(rows - half, 0), np.minimum(rows + half + 1, len(size))
    level = usual * (total[end] - total[begin]) / (end - begin)
    # Differences of a running total leave crumbs where every neighbour is 0.
    return np.where(level > 1e-9 * mean, level, 0.0)


def _inverse(scale: Float64) -> Float64:
    return np.divide(1.0, scale, out=np.zeros(len(scale)), where=scale > 0.0)


def _permutation(
    strata: Sequence[Int64], times: int, block: int, generator: np.random.Generator
) -> Int64:
    """Return the source of each time: a permutation within each stratum."""
    moved = np.arange(times)
    for stratum in strata:
        if block <= 1:
            moved[stratum] = generator.permutation(stratum)
            continue
        turned = np.roll(stratum, int(generator.integers(max(len(stratum), 1))))
        parts = [turned[at : at + block] for at in range(0, len(turned), block)]
        order = generator.permutation(len(parts))
        moved[stratum] = np.concatenate([parts[at] for at in order]) if parts else stratum
    return moved


def _sources(places: Int64, moved: Int64) -> Int64:
    """Return the source row of each bar of one instrument."""
    if len(places) == len(moved):
        return moved
    row = np.full(len(moved), -1, np.int64)
    row[places] = np.arange(len(places))
    source = moved[places]
    absent = np.flatnonzero(row[source] < 0)
    while len(absent):
        source[absent] = moved[source[absent]]
        absent = absent[row[source[absent]] < 0]
    return row[source]


def _draw(part: _Shapes, source: Int64, chance: Float32) -> BarArrays:
    scale = part.scale
    shapes = part.shapes.take(source, axis=0)
    gap = shapes[:, _GAP] * scale
    body = shapes[:, _CLOSE] * scale
    # Moves weighted by the same chance for all instruments: means as they come in random samples,
    # together in instruments that move together.
    luck = (shapes[:, _GAP] + shapes[:, _CLOSE]) * chance[part.places]
    gap += _means(luck, part.kinds)[part.kinds] * scale
    gap[:1] = 0.0
    # A mean log move is a mean simple return less half the variance.
    gap[1:] -= part.loudness / 2.0 * scale[1:] * scale[1:]
    missing = part.drift - float(np.sum(gap) + np.sum(body))
    gap[1:] += missing / max(len(gap) - 1, 1)
    closed = np.log(float(part.start)) + np.cumsum(gap + body)
    opened = closed - body
    high = _ticks(opened + shapes[:, _HIGH] * scale)
    low = _ticks(opened + shapes[:, _LOW] * scale)
    open_, close = _ticks(opened), _ticks(closed)
    lots = np.rint(shapes[:, _VOLUME] * part.level).astype(np.int64)
    traded = (shapes[:, _VOLUME] > 0.0) & (part.level > 0.0)
    return BarArrays(
        part.instrument,
        part.timeframe,
        part.ts_event,
        part.ts_known,
        open_,
        np.maximum(high, np.maximum(open_, close)),
        np.minimum(low, np.minimum(open_, close)),
        close,
        np.where(traded, np.maximum(lots, 1), 0),
    )


def _ticks(logs: Float64) -> Int64:
    return np.clip(np.rint(np.exp(logs)), 1, PRICE_END - 1).astype(np.int64)

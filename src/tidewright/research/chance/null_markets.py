"""Markets in which there is nothing to find, on which research has to find nothing.

Five kinds: a random walk; a walk with changing volatility and fat tails, GARCH(1, 1) with
Student's t (T. Bollerslev, "A Conditionally Heteroskedastic Time Series Model for Speculative
Prices and Rates of Return", Review of Economics and Statistics, 1987); real bars whose moves are
turned upside down by fair coins; real bars in another order; and real bars drawn with replacement.
Bars in another order end where the others end, so what rose must still fall: rules that follow
trends lose a little on them. Bars drawn with replacement are a fair bet at every moment. Nothing
here knows of `research.chance.surrogates`: the markets test that module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays
from tidewright.research.results import Float64, Int64

FIRST_DAY = 18_262
"""2020-01-01, as days since 1970-01-01 UTC."""
_PRICE = 10_000_000
_DAILY = 0.02
_ARCH, _GARCH, _DEGREES = 0.08, 0.90, 5.0
_LOTS = 10_000_000


class NullMarket(StrEnum):
    """Kind of a market without a pattern."""

    RANDOM_WALK = "random walk"
    GARCH_T = "GARCH-t"
    SIGN_FLIPPED = "sign-flipped"
    PERMUTED = "permuted"
    RESAMPLED = "resampled"


def null_market(
    kind: NullMarket, seed: int, names: Sequence[str], bars: int, real: Sequence[BarArrays] = ()
) -> tuple[BarArrays, ...]:
    """Return daily bars without a pattern.

    Parameters
    ----------
    kind : NullMarket
        How they are made.
    seed : int
        At least 0.
    names : sequence of str
        Instruments; their moves share half of their variance.
    bars : int
        Days of a simulated market, at least 1.
    real : sequence of BarArrays
        What `SIGN_FLIPPED`, `PERMUTED` and `RESAMPLED` change, all with the same times;
        otherwise not used.

    Returns
    -------
    tuple of BarArrays
        In the order of the names, or of the real series.
    """
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 1])))
    if kind is NullMarket.SIGN_FLIPPED:
        return tuple(sign_flipped(real, generator))
    if kind is NullMarket.PERMUTED:
        return tuple(permuted(real, generator))
    if kind is NullMarket.RESAMPLED:
        return tuple(resampled(real, generator))
    return simulated(generator, names, bars, fat=kind is NullMarket.GARCH_T)


def simulated(
    generator: np.random.Generator, names: Sequence[str], bars: int, *, fat: bool
) -> tuple[BarArrays, ...]:
    """Return daily bars of fair walks, of changing volatility and with fat tails if wished."""
    size = np.full((len(names), bars), _DAILY)
    common = generator.standard_normal(bars)
    if fat:
        # One divisor for the whole day makes its move Student's t.
        spread = generator.chisquare(_DEGREES, bars) / (_DEGREES - 2)
        size *= _garch(generator, bars) / np.sqrt(spread)
    found = []
    for own, name in zip(size, names, strict=True):
        # Half the variance less in logarithms makes prices fair bets.
        moves = own * (common + generator.standard_normal(bars)) / np.sqrt(2.0) - own**2 / 2.0
        close = np.log(_PRICE) + np.cumsum(moves)
        start = close - moves
        high, low = _extremes(generator, moves, own)
        volume = (_LOTS * (0.5 + generator.random(bars))).astype(np.int64)
        found.append(daily_bars(name, (start, start + high, start + low, close), volume))
    return tuple(found)


def _extremes(
    generator: np.random.Generator, moves: Float64, size: Float64
) -> tuple[Float64, Float64]:
    """Return the largest rise and fall of continuous paths that make given moves.

    Between steps of a path there would be room to be filled at a stop that no price ever was at.
    Each has the law of a Brownian bridge's extreme (as in P. Glasserman, "Monte Carlo Methods in
    Financial Engineering", 2003, section 6.4), independent of the other.
    """
    draws = -2.0 * np.log1p(-generator.random((2, len(moves))))
    reach = np.sqrt(moves**2 + size**2 * draws)
    return (moves + reach[0]) / 2.0, (moves - reach[1]) / 2.0


def daily_bars(
    name: str, logs: tuple[Float64, Float64, Float64, Float64], volume: Int64
) -> BarArrays:
    """Return daily bars from log prices: open, high, low and close."""
    ts = (FIRST_DAY + np.arange(len(volume))) * DAY
    opened, high, low, close = (_ticks(one) for one in logs)
    return BarArrays(name, "1d", ts, ts + DAY, opened, high, low, close, volume)


def sign_flipped(series: Sequence[BarArrays], generator: np.random.Generator) -> list[BarArrays]:
    """Return bars whose moves are turned upside down where a fair coin says so, all together."""
    coins = generator.integers(0, 2, max(len(one) for one in series)) * 2.0 - 1.0
    found = []
    for one in series:
        gap, high, low, close = _moves(one)
        sign = coins[: len(one)]
        up = sign > 0
        turned = (gap * sign, np.where(up, high, -low), np.where(up, low, -high), close * sign)
        found.append(_joined(one, turned, one.volume))
    return found


def permuted(series: Sequence[BarArrays], generator: np.random.Generator) -> list[BarArrays]:
    """Return bars in another order, the same for all, without the drift of each.

    Which instrument rose more is known only afterwards, so it is a pattern too.
    """
    order = generator.permutation(min(len(one) for one in series))
    found = []
    for one in series:
        gap, high, low, close = (move[order] for move in _moves(one))
        drift = float(np.mean(gap + close))
        moves = (gap - drift, high, low, close)
        found.append(_joined(one.slice(0, len(order)), moves, one.volume[order]))
    return found


def resampled(series: Sequence[BarArrays], generator: np.random.Generator) -> list[BarArrays]:
    """Return bars drawn with replacement, the same for all, without what each earns on average."""
    count = min(len(one) for one in series)
    drawn = generator.integers(0, count, count)
    found = []
    for one in series:
        moves = _moves(one.slice(0, count))
        earned = float(np.log(np.mean(np.exp(moves[0] + moves[3]))))
        gap, high, low, close = (move[drawn] for move in moves)
        bars = one.slice(0, count)
        found.append(_joined(bars, (gap - earned, high, low, close), one.volume[drawn]))
    return found


def _garch(generator: np.random.Generator, bars: int) -> Float64:
    """Return the volatility factor of each day: variance 1 on average."""
    shocks = generator.standard_t(_DEGREES, bars + 250) ** 2 * (_DEGREES - 2) / _DEGREES
    variance, found = 1.0, np.empty(len(shocks))
    for day, shock in enumerate(shocks.tolist()):
        found[day] = variance
        variance = 1.0 - _ARCH - _GARCH + variance * (_ARCH * shock + _GARCH)
    return np.sqrt(found[250:])


def _moves(bars: BarArrays) -> tuple[Float64, Float64, Float64, Float64]:
    """Return the log move to the open, and from there to high, low and close."""
    opened, high, low, close = (
        np.log(column.astype(np.float64)) for column in (bars.open, bars.high, bars.low, bars.close)
    )
    gap = np.concatenate(([0.0], opened[1:] - close[:-1]))
    return gap, high - opened, low - opened, close - opened


def _joined(bars: BarArrays, moves: tuple[Float64, ...], volume: Int64) -> BarArrays:
    gap, high, low, close = moves
    # In the middle of what ticks can say: prices of years upside down must not fall below one.
    closed = np.log(_PRICE) + np.cumsum(gap + close)
    opened = closed - close
    return replace(
        bars,
        open=_ticks(opened),
        high=_ticks(opened + high),
        low=_ticks(opened + low),
        close=_ticks(closed),
        volume=volume,
    )


def _ticks(logs: Float64) -> Int64:
    return np.maximum(np.rint(np.exp(logs)), 1).astype(np.int64)

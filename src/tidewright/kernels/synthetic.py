"""A simulated market in blocks that can be made in any order, each from the seed alone.

Every random number is a hash of (seed, what it is for, which instrument, which moment), so a block
needs no memory of the blocks before it beyond their end prices, which a short loop gives. Only
additions, multiplications, divisions and square roots are used: the bits are the same everywhere.

Prices are log-levels in the loop and become ticks through `growth`. Returns are a market part and
an own part of each instrument. Their size follows the regime of the block and, minute by minute,
a GARCH(1, 1) recursion (Bollerslev 1986) that is warmed up on the shocks of the block before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.kernels.jit import compiled

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

BLOCK_MINUTES = 360
"""Length of a block; a regime lasts whole blocks."""
PATH_POINTS = 12
"""Prices seen within a minute, from its open to its close."""
REGIMES = 4
"""Calm rise, nervous fall, narrow range, high volatility."""

_ARCH = 0.12
_GARCH = 0.85
_PULL = 0.004
"""Share of its distance from the start by which a level is pulled back per block."""

_REGIME, _KEEP, _LEVEL, _MINUTE, _PATH, _VOLUME = 1, 2, 3, 4, 5, 6
_MARKET = 1_000


@compiled
def noise(seed: int, purpose: int, instrument: int, moment: int) -> np.uint64:
    """Return 64 hashed bits (the finaliser of splitmix64, Steele et al. 2014, once per part)."""
    value = np.uint64(seed)
    for part in (purpose, instrument, moment):
        value = value + np.uint64(0x9E3779B97F4A7C15) + np.uint64(part)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        value = value ^ (value >> np.uint64(31))
    return value


@compiled
def uniform(seed: int, purpose: int, instrument: int, moment: int) -> float:
    """Return a hashed number in [0, 1)."""
    return float(noise(seed, purpose, instrument, moment) >> np.uint64(11)) / 9007199254740992.0


@compiled
def shock(seed: int, purpose: int, instrument: int, moment: int) -> float:
    """Return a hashed number of mean 0 and variance 1, near normal: a sum of twelve uniforms."""
    total = 0.0
    for part in range(3):
        bits = noise(seed, purpose, instrument, moment * 3 + part)
        for _ in range(4):
            total += float(bits & np.uint64(0xFFFF)) + 0.5
            bits = bits >> np.uint64(16)
    return total / 65536.0 - 6.0


@compiled
def growth(level: float) -> float:
    """Return a price factor for a log-level: (1 + x / 1024) ** 1024, near exp(x)."""
    factor = 1.0 + level / 1024.0
    for _ in range(10):
        factor *= factor
    return factor


@compiled
def next_regime(seed: int, block: int, regime: int) -> int:
    """Return the regime of a block, given that of the block before."""
    if uniform(seed, _KEEP, 0, block) < 0.7:
        return regime
    return int(uniform(seed, _REGIME, 0, block) * REGIMES)


@compiled
def advance(
    seed: int,
    block: int,
    regime: int,
    levels: Float64,
    scale: Float64,
    beta: Float64,
    drift: Float64,
    size: Float64,
) -> None:
    """Move the log-levels from the start of a block to its end, in place.

    Parameters
    ----------
    seed, block, regime : int
        Which market, which block, its regime.
    levels : float64 array of shape (n_instruments,)
        Log-levels, 0 being the start price.
    scale : float64 array of shape (n_instruments,)
        Standard deviation of a minute's return in ordinary times.
    beta : float64 array of shape (n_instruments,)
        Share of the variance that the market explains, in [0, 1].
    drift, size : float64 array of shape (REGIMES,)
        Drift of a block in standard deviations, and factor of the standard deviation.
    """
    market = shock(seed, _LEVEL, _MARKET, block) + drift[regime]
    for index in range(len(levels)):
        own = shock(seed, _LEVEL, index, block)
        mixed = np.sqrt(beta[index]) * market + np.sqrt(1.0 - beta[index]) * own
        step = scale[index] * size[regime] * np.sqrt(float(BLOCK_MINUTES)) * mixed
        levels[index] += step - _PULL * levels[index]


@compiled
def _variance(seed: int, instrument: int, block: int, out: Float64, shocks: Float64) -> None:
    """Write the variance factor and the shock of each minute of a block."""
    variance = 1.0
    begin = block * BLOCK_MINUTES
    for minute in range(begin - BLOCK_MINUTES, begin + BLOCK_MINUTES):
        found = shock(seed, _MINUTE, instrument, minute + BLOCK_MINUTES)
        if minute >= begin:
            out[minute - begin] = variance
            shocks[minute - begin] = found
        variance = 1.0 - _ARCH - _GARCH + variance * (_ARCH * found * found + _GARCH)


@compiled
def make_block(
    seed: int,
    block: int,
    starts: Float64,
    ends: Float64,
    scale: Float64,
    beta: Float64,
    factor: float,
    base: Int64,
    turnover: Int64,
    paths: Int64,
    volumes: Int64,
) -> None:
    """Write every price and volume of one block.

    Parameters
    ----------
    seed, block : int
        Which market, which block.
    starts, ends : float64 array of shape (n_instruments,)
        Log-levels at the start and the end of the block.
    scale, beta : float64 array of shape (n_instruments,)
        As in `advance`.
    factor : float
        Size factor of the block's regime.
    base, turnover : int64 array of shape (n_instruments,)
        Ticks at log-level 0; ordinary lots a minute.
    paths : int64 array of shape (n_instruments, BLOCK_MINUTES, PATH_POINTS)
        Written: prices in ticks; the first is the open, the last the close.
    volumes : int64 array of shape (n_instruments, BLOCK_MINUTES)
        Written: lots.
    """
    market_variance = np.zeros(BLOCK_MINUTES)
    market_shock = np.zeros(BLOCK_MINUTES)
    variance = np.zeros(BLOCK_MINUTES)
    own_shock = np.zeros(BLOCK_MINUTES)
    step = np.zeros(BLOCK_MINUTES)
    _variance(seed, _MARKET, block, market_variance, market_shock)
    for index in range(len(starts)):
        _variance(seed, index, block, variance, own_shock)
        total, weight = 0.0, 0.0
        for minute in range(BLOCK_MINUTES):
            market = np.sqrt(beta[index] * market_variance[minute]) * market_shock[minute]
            own = np.sqrt((1.0 - beta[index]) * variance[minute]) * own_shock[minute]
            step[minute] = scale[index] * factor * (market + own)
            variance[minute] = (
                beta[index] * market_variance[minute] + (1.0 - beta[index]) * variance[minute]
            )
            total += step[minute]
            weight += variance[minute]
        # The block's own return is spread over its minutes so that they end at its end level.
        correction = (ends[index] - starts[index] - total) / weight
        level = starts[index]
        for minute in range(BLOCK_MINUTES):
            moment = block * BLOCK_MINUTES + minute
            move = step[minute] + correction * variance[minute]
            width = scale[index] * factor * np.sqrt(variance[minute])
            _minute_path(seed, index, moment, level, move, width, base[index], paths[index, minute])
            level += move
            if minute == BLOCK_MINUTES - 1:
                level = ends[index]
            spread = 0.25 + 1.5 * uniform(seed, _VOLUME, index, moment)
            lots = turnover[index] * spread * (0.4 + 0.6 * variance[minute]) * factor
            volumes[index, minute] = 1 + int(lots)


@compiled
def _minute_path(
    seed: int,
    instrument: int,
    moment: int,
    level: float,
    move: float,
    width: float,
    base: int,
    path: Int64,
) -> None:
    """Write the prices of one minute: a bridge of small shocks from its open to its close."""
    walk = np.zeros(PATH_POINTS)
    spread = width / np.sqrt(float(PATH_POINTS - 1))
    for point in range(1, PATH_POINTS):
        bits = noise(seed, _PATH, instrument, moment * PATH_POINTS + point)
        small = 0.0
        for _ in range(4):
            small += float(bits & np.uint64(0xFFFF)) + 0.5
            bits = bits >> np.uint64(16)
        # A sum of four uniforms has variance 1/3.
        walk[point] = walk[point - 1] + (small / 65536.0 - 2.0) * 1.7320508 * spread
    last = walk[PATH_POINTS - 1]
    for point in range(PATH_POINTS):
        share = point / (PATH_POINTS - 1.0)
        value = level + walk[point] + share * (move - last)
        path[point] = max(1, int(base * growth(value) + 0.5))

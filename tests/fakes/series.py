"""Daily series whose truth is known."""

from __future__ import annotations

import numpy as np

_WARM_UP = 200


def autoregressive(seed: int, sets: int, days: int, carry: float) -> np.ndarray:
    """Series of which each day carries a share of the day before; long-run variance 1, mean 0."""
    noise = np.random.default_rng(seed).standard_normal((sets, days + _WARM_UP))
    for day in range(1, days + _WARM_UP):
        noise[:, day] += carry * noise[:, day - 1]
    return noise[:, _WARM_UP:] * (1.0 - carry)


def heavy_tailed(
    seed: int, sets: int, days: int, shock: float = 0.08, keep: float = 0.90
) -> np.ndarray:
    """GARCH(1,1) with Student's t of 5 degrees: restless days follow restless ones; variance 1."""
    noise = np.random.default_rng(seed).standard_t(5, (sets, days + _WARM_UP)) * np.sqrt(3 / 5)
    variance = np.ones(sets)
    for day in range(days + _WARM_UP):
        noise[:, day] *= np.sqrt(variance)
        variance = (1.0 - shock - keep) + shock * noise[:, day] ** 2 + keep * variance
    return noise[:, _WARM_UP:]


def losing_seldom(seed: int, sets: int, days: int) -> np.ndarray:
    """Small gains and rare large losses: skewness -2, mean 0, variance 1."""
    return 1.0 - np.random.default_rng(seed).exponential(1.0, (sets, days))


def trading_seldom(seed: int, sets: int, days: int, share: float = 0.05) -> np.ndarray:
    """Flat on most days: mean 0, variance 1."""
    generator = np.random.default_rng(seed)
    active = generator.random((sets, days)) < share
    return generator.standard_normal((sets, days)) * active / np.sqrt(share)


def averages_on_noise(seed: int, days: int = 1_000) -> np.ndarray:
    """Profits of 1,000 pairs of moving averages, long or short, on a random walk."""
    longest = 260
    walk = np.cumsum(np.random.default_rng(seed).standard_normal(days + longest + 1))
    sums = np.concatenate(([0.0], np.cumsum(walk)))
    ends = np.arange(longest, longest + days)

    def average(length: int) -> np.ndarray:
        return (sums[ends + 1] - sums[ends + 1 - length]) / length

    fast = {length: average(length) for length in range(2, 42, 2)}
    slow = {length: average(length) for length in range(45, 256, 4)}
    moves = walk[ends + 1] - walk[ends]
    pairs = [(one, other) for one in fast for other in slow][:1_000]
    return np.array([np.sign(fast[one] - slow[other]) * moves for one, other in pairs])

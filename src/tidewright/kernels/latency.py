"""How long a message travels: a middle, a spread around it, and now and then a spike.

Times are hashed from a seed, the leg and what travels, so that the same message takes the same
time whenever and wherever it is asked for. The spread is near lognormal, of additions,
multiplications and divisions alone: the bits are the same everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

from tidewright.kernels.jit import compiled
from tidewright.kernels.synthetic import growth, shock, uniform

FEED_LEG, ORDER_LEG, ANSWER_LEG = 201, 202, 203
"""Which way a message goes: prices to the trader, orders to the venue, answers back."""

_MILLION = 1_000_000
# The spread's draws are the moments before it.
_SPIKE = 3


class Travel(NamedTuple):
    """How long messages of one leg travel.

    Parameters
    ----------
    middle : int
        Median without spikes, nanoseconds.
    spread_ppm : int
        Standard deviation of the logarithm, in millionths.
    spike_ppm : int
        Probability of a spike, in millionths.
    spike : int
        What a spike adds, nanoseconds.
    """

    middle: int
    spread_ppm: int
    spike_ppm: int
    spike: int


@compiled
def travel_time(travel: Travel, seed: int, leg: int, key: int) -> int:
    """Return how many nanoseconds a message travels.

    Parameters
    ----------
    travel : Travel
        Of the leg.
    seed, leg, key : int
        What the draws depend on; the key stands for the message and is 0 or more.
    """
    time = travel.middle
    if travel.spread_ppm > 0:
        level = float(travel.spread_ppm) / _MILLION * shock(seed, leg, key, 0)
        time = int(float(travel.middle) * growth(level))
    if travel.spike_ppm > 0 and uniform(seed, leg, key, _SPIKE) * _MILLION < travel.spike_ppm:
        time += travel.spike
    return time


@compiled
def travel_time_flat(travel: tuple[int, ...], seed: int, leg: int, key: int) -> int:
    """Return `travel_time` of four numbers, which are quicker to pass from Python."""
    return travel_time(Travel(*travel), seed, leg, key)

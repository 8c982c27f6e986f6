"""How late prices come and orders arrive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import MILLISECOND
from tidewright.kernels.latency import (
    ANSWER_LEG,
    FEED_LEG,
    ORDER_LEG,
    Travel,
    travel_time_flat,
)
from tidewright.kernels.matching.layout import Int64

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Leg:
    """How long messages of one way travel.

    Parameters
    ----------
    median : int
        Nanoseconds that half of the messages need at most, spikes aside; >= 0.
    spread : float
        Standard deviation of the logarithm of the time, in [0, 2].
    spike_chance : float
        Probability of a spike, in [0, 1].
    spike : int
        Nanoseconds that a spike adds, >= 0.

    Raises
    ------
    ConfigError
        If a value is outside its range.
    """

    median: int
    spread: float = 0.0
    spike_chance: float = 0.0
    spike: int = 0

    def __post_init__(self) -> None:
        for name, most in (("median", None), ("spread", 2), ("spike_chance", 1), ("spike", None)):
            value = getattr(self, name)
            if not (value >= 0 and (most is None or value <= most)):
                bound = "0 or more" if most is None else f"0 to {most}"
                raise ConfigError(f"{name} was {value}; expected {bound}")

    @property
    def travel(self) -> Travel:
        """The same in whole numbers, as the compiled step takes it."""
        spread, chance = round(self.spread * _MILLION), round(self.spike_chance * _MILLION)
        return Travel(self.median, spread, chance, self.spike)


@dataclass(frozen=True, slots=True)
class LatencyModel:
    """How long prices, orders and answers travel.

    Draws are hashed from the seed and what travels: the same order takes the same time in every
    run, whatever else happens. The paper venue varies its latency by the same step.

    Parameters
    ----------
    seed : int
        In [0, 2**63).
    feed, order, answer : Leg
        Prices to the trader, orders to the venue, answers back.
    """

    seed: int = 0
    feed: Leg = Leg(5 * MILLISECOND, spread=0.3)
    order: Leg = Leg(10 * MILLISECOND, spread=0.3)
    answer: Leg = Leg(10 * MILLISECOND, spread=0.3)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"seed was {self.seed}; expected 0 to 2**63 - 1")

    def feed_time(self, number: int) -> int:
        """Return how long a numbered update of a feed travels, nanoseconds."""
        return travel_time_flat(tuple(self.feed.travel), self.seed, FEED_LEG, number)

    def order_time(self, key: int) -> int:
        """Return how long an order travels, nanoseconds; the key is its id or a hash of it."""
        return travel_time_flat(tuple(self.order.travel), self.seed, ORDER_LEG, key)

    def answer_time(self, key: int) -> int:
        """Return how long the answer to an order travels, nanoseconds."""
        return travel_time_flat(tuple(self.answer.travel), self.seed, ANSWER_LEG, key)

    def feed_arrivals(self, sent: Int64) -> Int64:
        """Return when the updates of one connection arrive; none overtakes another.

        Parameters
        ----------
        sent : int64 array of shape (n,)
            When they were sent, in order, nanoseconds.

        Returns
        -------
        int64 array of shape (n,)
        """
        times = [self.feed_time(number) for number in range(len(sent))]
        return np.maximum.accumulate(sent + np.array(times, np.int64))

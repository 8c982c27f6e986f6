"""Who trades in a market, how many of each kind, and what they do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Float64, Int64
from tidewright.kernels.synthetic import uniform

_SPREAD_OF_HABITS = 91
"""What the draws are for that make one trader unlike the next."""


@dataclass(frozen=True, slots=True)
class Population:
    """How many traders of each kind one market has, and how lively they are.

    Parameters
    ----------
    makers, noise, momentum, value, arbitrage : int
        Traders of each kind.
    maker_wait, noise_wait, momentum_wait, value_wait, arbitrage_wait : int
        Mean time between two acts of one trader, nanoseconds.
    volatility : float
        Standard deviation of the hidden value's relative move in a second, in calm times.
    unrest : float
        How fast the logarithm of volatility wanders, per root second.
    jump_chance, jump_size : float
        Jumps per second, and their size in standard deviations of a second's move.
    """

    makers: int = 8
    noise: int = 600
    momentum: int = 60
    value: int = 120
    arbitrage: int = 2
    maker_wait: int = 400 * MILLISECOND
    noise_wait: int = 40 * SECOND
    momentum_wait: int = 20 * SECOND
    value_wait: int = 12 * SECOND
    arbitrage_wait: int = 500 * MILLISECOND
    volatility: float = 0.000_10
    unrest: float = 0.012
    jump_chance: float = 0.000_3
    jump_size: float = 12.0

    def __post_init__(self) -> None:
        for name in ("makers", "noise", "momentum", "value", "arbitrage"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 0 or more")

    @property
    def traders(self) -> int:
        """How many traders one market has."""
        return self.makers + self.noise + self.momentum + self.value + self.arbitrage


ZERO_INTELLIGENCE = Population(makers=0, momentum=0, value=0, arbitrage=0, noise=790)
"""The control: traders without a view or a memory, so that nothing clusters."""


class Surroundings(Protocol):
    """What traders must know of the market in which they trade."""

    @property
    def price(self) -> int:
        """Price at the start, ticks."""

    @property
    def size(self) -> int:
        """Lots in one of the usual lots."""

    @property
    def grain(self) -> float:
        """Ticks in the smallest difference that traders mind."""

    @property
    def between(self) -> tuple[int, int] | None:
        """Two other markets whose prices divide to this one's."""

    @property
    def tied(self) -> float:
        """Share of the variance of its hidden value that it has in common with other markets."""


def trader_rows(
    population: Population, markets: Sequence[Surroundings], start_lots: int, seed: int
) -> tuple[Int64, Float64]:
    """Return the traders of all markets, one account each.

    Returns
    -------
    (int64 array of shape (n, N_TRADER), float64 array of shape (n, N_HABIT))
        As `kernels.agents.run.simulate` takes them.
    """
    count = population.traders * len(markets)
    traders, habits = np.zeros((count, at.N_TRADER), np.int64), np.zeros((count, at.N_HABIT))
    kinds = np.repeat(
        [at.MAKER, at.NOISE, at.MOMENTUM, at.VALUE, at.ARBITRAGE],
        [
            population.makers,
            population.noise,
            population.momentum,
            population.value,
            population.arbitrage,
        ],
    )
    for number in range(count):
        market = number // population.traders
        kind = int(kinds[number % population.traders])
        own = (
            uniform(seed, _SPREAD_OF_HABITS, number, 0),
            uniform(seed, _SPREAD_OF_HABITS, number, 1),
        )
        row = traders[number]
        row[at.KIND], row[at.MARKET], row[at.ACCOUNT] = kind, market, number + 1
        row[at.OTHER_MARKET] = (market + 1) % len(markets)
        place = markets[market]
        _give_habits(population, kind, row, habits[number], own, place)
        row[at.START_LOTS] = start_lots * place.size
        row[[at.SIZE, at.MOST_LOTS]] *= place.size
    return traders, habits


def _give_habits(
    population: Population,
    kind: int,
    row: Int64,
    habit: Float64,
    own: tuple[float, float],
    place: Surroundings,
) -> None:
    first, second = own
    tick_move = float(place.price) * population.volatility
    if kind == at.MAKER:
        row[at.WAIT], row[at.SIZE], row[at.MOST_LOTS] = population.maker_wait, 40, 1_200
        habit[at.AVERSION] = (0.02 + 0.06 * first) / place.grain
        habit[at.HALF_SPREAD] = 0.5 * place.grain + tick_move * (0.1 + 0.6 * second)
        habit[at.VARIANCE], habit[at.MEMORY] = tick_move**2, 0.05
    elif kind == at.NOISE:
        row[at.WAIT], row[at.SIZE] = population.noise_wait, 20
        habit[at.CANCELS], habit[at.TAKES] = 0.55, 0.2
        habit[at.DISTANCE] = place.grain + tick_move * (0.5 + 2.0 * first)
    elif kind == at.MOMENTUM:
        row[at.WAIT], row[at.SIZE], row[at.MOST_LOTS] = population.momentum_wait, 30, 120
        habit[at.MEMORY] = 0.02 + 0.1 * first
        habit[at.THRESHOLD] = population.volatility * (4.0 + 12.0 * second)
    elif kind == at.VALUE:
        row[at.WAIT], row[at.SIZE], row[at.MOST_LOTS] = population.value_wait, 40, 2_000
        habit[at.BIAS] = population.volatility * 8.0 * (2.0 * first - 1.0)
        habit[at.THRESHOLD] = population.volatility * (2.0 + 6.0 * second)
        habit[at.AVERSION] = population.volatility * 60.0
    else:
        row[at.WAIT], row[at.SIZE], row[at.MOST_LOTS] = population.arbitrage_wait, 30, 0
        habit[at.THRESHOLD] = 0.000_5


def value_rows(population: Population, markets: Sequence[Surroundings]) -> Float64:
    """Return the hidden values of the markets, that begin at their prices.

    Returns
    -------
    float64 array of shape (n_markets, N_VALUE)
    """
    values = np.zeros((len(markets), at.N_VALUE))
    for row, place in zip(values, markets, strict=True):
        row[at.WORTH] = row[at.START_WORTH] = place.price
        row[at.TIED] = math.sqrt(place.tied)
        if place.between is not None:
            row[at.DIVIDEND], row[at.DIVISOR] = place.between[0] + 1, place.between[1] + 1
    calm = math.log(population.volatility)
    values[:, at.LOG_VOLATILITY] = values[:, at.CALM_VOLATILITY] = calm
    values[:, at.RETURN_TO_CALM] = 0.000_2
    values[:, at.UNREST] = population.unrest
    values[:, at.JUMP_CHANCE], values[:, at.JUMP_SIZE] = (
        population.jump_chance,
        population.jump_size,
    )
    values[:, at.PULL] = 0.000_000_1
    return values

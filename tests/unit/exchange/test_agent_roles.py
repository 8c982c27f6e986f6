"""What each kind of trader is for shows when it is taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tidewright.domain.time import SECOND
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.kernels.matching import layout as at

SEEDS = range(12)
PAIR = (MarketShape(60_000, tied=0.9), MarketShape(60_000, tied=0.9))


def means(population: Population, seed: int) -> tuple[float, float]:
    """Mean distance of two markets' middles, and mean spread; ticks, of half an hour."""
    living = AgentMarket(PAIR, population, seed)
    gaps, spreads = [], []
    for second in range(60, 1_800, 5):
        living.run(second * SECOND)
        for number in range(len(PAIR)):
            living.take_trades(number)
        one, other = ((int(book[at.BID]), int(book[at.ASK])) for book in living.books)
        gaps.append(0.5 * abs(sum(one) - sum(other)))
        spreads.append(0.5 * (one[1] - one[0] + other[1] - other[0]))
    return float(np.mean(gaps)), float(np.mean(spreads))


def over_seeds(**change: int) -> np.ndarray:
    population = replace(Population(), **change)
    return np.mean([means(population, seed) for seed in SEEDS], axis=0)


def test_without_arbitrageurs_two_markets_of_one_good_part() -> None:
    gap, _ = over_seeds()
    alone, _ = over_seeds(arbitrage=0)
    assert alone > 2.0 * gap


def test_without_makers_the_spread_is_wide() -> None:
    _, spread = over_seeds()
    _, alone = over_seeds(makers=0)
    assert alone > 1.5 * spread

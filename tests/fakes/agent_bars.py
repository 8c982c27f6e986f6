"""Minutes of a market that traders make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.time import MINUTE
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.kernels.matching import layout as at

Float64 = NDArray[np.float64]


def minutes_of(population: Population, seed: int, count: int) -> tuple[Float64, Float64, Float64]:
    """Middles of the quotes, lots traded, and lots bought less sold, of so many minutes."""
    market = AgentMarket([MarketShape(60_000)], population, seed)
    prices, volume, signed = [60_000.0], [], []
    for minute in range(1, count + 1):
        traded = bought = 0
        finished = False
        while not finished:
            finished = market.run(minute * MINUTE)
            rows = market.take_trades(0)
            trades = rows[rows[:, at.EVENT] == at.TRADED]
            traded += int(trades[:, at.TRADE_LOTS].sum())
            bought += int((trades[:, at.TRADE_LOTS] * trades[:, at.TAKER_SIDE]).sum())
        book = market.books[0]
        prices.append(0.5 * float(book[at.BID] + book[at.ASK]))
        volume.append(float(traded))
        signed.append(float(bought))
    return np.array(prices), np.array(volume), np.array(signed)

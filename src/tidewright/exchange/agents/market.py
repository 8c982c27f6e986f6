"""A living market: it can be run until any moment, and goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import SECOND
from tidewright.exchange.agents.population import Population, trader_rows, value_rows
from tidewright.exchange.matching.book import BookShape, new_accounts, new_book
from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Int64
from tidewright.kernels.agents.run import simulate
from tidewright.kernels.matching import layout as book_at

START_LOTS = 1_000_000
"""Lots of each good that every trader begins with, so that it can sell."""
LOG_ROWS = 200_000
"""Rows of each market's log between two looks at it."""


@dataclass(frozen=True, slots=True)
class MarketShape:
    """What one market trades.

    Parameters
    ----------
    price : int
        Price at the start, ticks.
    prices : int
        Prices reach from 1 to this many ticks.
    """

    price: int
    prices: int = 64**3


class AgentMarket:
    """Order books, accounts and traders of some markets.

    Parameters
    ----------
    markets : sequence of MarketShape
        What is traded; an arbitrageur compares a market with the next one.
    population : Population
        Who trades in each of them.
    seed : int
        The same seed gives the same market.
    """

    def __init__(self, markets: Sequence[MarketShape], population: Population, seed: int) -> None:
        if not markets:
            raise ConfigError("markets were empty; expected at least one")
        self.markets = tuple(markets)
        count = len(markets)
        largest = max(market.prices for market in markets)
        traders = population.traders
        shape = BookShape(largest, 4 * traders + 16, 0, count, 1, 1)
        self.books = np.stack([new_book(shape) for _ in markets])
        for number, book in enumerate(self.books):
            book[book_at.BASE] = book_at.N_RATES + 2 * number
            book[book_at.QUOTE] = book_at.N_RATES + 2 * count
            book[book_at.LAST] = book[book_at.ANCHOR] = self.markets[number].price
            book[book_at.LOWEST] = book[book_at.HIGHEST] = self.markets[number].price
        self.accounts = new_accounts(traders * count, count + 1)
        self.accounts[1:, book_at.N_RATES : book_at.N_RATES + 2 * count : 2] = START_LOTS
        self.accounts[1:, book_at.N_RATES + 2 * count] = 2**62 // (traders * count + 1)
        prices = np.array([market.price for market in markets], np.float64)
        self.traders, self.habits = trader_rows(
            population, count, START_LOTS, float(prices.mean()), seed
        )
        self.values = value_rows(population, prices)
        self.log = np.zeros((count, LOG_ROWS, book_at.N_LOG), np.int64)
        self.clock = np.zeros(at.N_CLOCK + book_at.N_MESSAGE, np.int64)
        self.clock[at.SEED], self.clock[at.NEWS_EVERY] = seed, SECOND
        times = self.traders[:, at.WAIT] * np.arange(1, len(self.traders) + 1)
        self._times = times // len(self.traders)
        self._heap = np.argsort(self._times, kind="stable").astype(np.int64)

    @property
    def now(self) -> int:
        """Market time, nanoseconds since the start."""
        return int(self.clock[at.NOW])

    @property
    def messages(self) -> int:
        """Messages that the books took so far."""
        return int(self.books[:, book_at.MESSAGES].sum())

    def run(self, until: int) -> bool:
        """Let the traders act until a moment; False when a log is full and must be taken first."""
        return bool(
            simulate(
                self.books,
                self.accounts,
                self.log,
                self.traders,
                self.habits,
                self.values,
                (self._heap, self._times),
                self.clock,
                until,
            )
        )

    def take_trades(self, market: int) -> Int64:
        """Return what a market's log holds, rows of `kernels.matching.layout`, and empty it."""
        rows = self.log[market, : self.books[market, book_at.LOG_ROWS]].copy()
        self.books[market, book_at.LOG_ROWS] = 0
        return rows

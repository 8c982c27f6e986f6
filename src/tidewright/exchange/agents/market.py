"""A living market: it can be run until any moment, and goes on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import SECOND
from tidewright.exchange.agents.population import Population, trader_rows, value_rows
from tidewright.exchange.agents.state import pack, unpack
from tidewright.exchange.matching.book import BookShape, new_accounts, new_books
from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Float64, Int64
from tidewright.kernels.agents.run import simulate
from tidewright.kernels.matching import layout as book_at

START_LOTS = 1_000_000
"""Usual lots of each good that every trader begins with, so that it can sell."""
MONEY = 2**62
"""Units of an asset that pays for others, shared evenly by all traders."""
LOG_ROWS = 200_000
"""Rows of each market's log between two looks at it."""
_ASLEEP = 2**61
"""Added to the wake times of traders whose market stands still."""


@dataclass(frozen=True, slots=True)
class MarketShape:
    """What one market trades.

    Parameters
    ----------
    price : int
        Price at the start, ticks.
    prices : int
        Prices reach from 1 to this many ticks.
    goods : (int, int) or None
        Numbers of the asset that is traded and of the one that pays. None gives every market a
        good of its own and one asset that pays for all of them.
    units : (int, int)
        Smallest units of the traded asset in one lot, and of the paying one in a lot at one tick.
    size : int
        Lots in one of the traders' usual lots: 1,000 where a lot is a thousandth of what is worth
        trading.
    grain : float
        Ticks in the smallest difference that traders mind: 100 where prices are finer than that.
    between : (int, int) or None
        Two other markets whose prices divide to this one's, such as ETH and BTC in dollars for ETH
        in BTC: its hidden value follows theirs.
    tied : float
        Share of the variance of its hidden value that it has in common with all markets of the
        same ``common_seed``, in [0, 1].
    """

    price: int
    prices: int = 64**3
    goods: tuple[int, int] | None = None
    units: tuple[int, int] = (1, 1)
    size: int = 1
    grain: float = 1.0
    between: tuple[int, int] | None = None
    tied: float = 0.0


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
    users : int
        Accounts after those of the traders, for others who trade here.
    user_orders : int
        Orders that users may have in one market at once, beside those of the traders.
    assets : int
        Assets that accounts hold, at least as many as the markets name.
    common_seed : int or None
        Seed of what moves all markets; None takes ``seed``.
    """

    def __init__(
        self,
        markets: Sequence[MarketShape],
        population: Population,
        seed: int,
        *,
        users: int = 0,
        user_orders: int = 0,
        assets: int = 0,
        common_seed: int | None = None,
    ) -> None:
        if not markets:
            raise ConfigError("markets were empty; expected at least one")
        self.markets = tuple(markets)
        count, traders = len(markets), population.traders
        goods = [
            market.goods or (number, len(markets)) for number, market in enumerate(self.markets)
        ]
        self.words, self.books = new_books(
            [
                BookShape(
                    market.prices, 4 * traders + 16 + user_orders, *goods[number], *market.units
                )
                for number, market in enumerate(self.markets)
            ]
        )
        for market, book in zip(self.markets, self.books, strict=True):
            for place in (book_at.LAST, book_at.ANCHOR, book_at.LOWEST, book_at.HIGHEST):
                book[place] = market.price
        self._begins = np.cumsum([0, *(len(book) for book in self.books[:-1])])
        self.first_user = traders * count + 1
        self.accounts = new_accounts(
            traders * count + users, max(assets, *(max(pair) + 1 for pair in goods))
        )
        self._endow(goods)
        self.traders, self.habits = trader_rows(population, self.markets, START_LOTS, seed)
        self.values = value_rows(population, self.markets)
        self.log = np.zeros((count, LOG_ROWS, book_at.N_LOG), np.int64)
        self.clock = np.zeros(at.N_CLOCK + book_at.N_MESSAGE, np.int64)
        self.clock[at.SEED], self.clock[at.NEWS_EVERY] = seed, SECOND
        self.clock[at.COMMON_SEED] = seed if common_seed is None else common_seed
        times = self.traders[:, at.WAIT] * np.arange(1, len(self.traders) + 1)
        self._times = times // max(len(self.traders), 1)
        self._heap = np.argsort(self._times, kind="stable").astype(np.int64)

    def _endow(self, goods: Sequence[tuple[int, int]]) -> None:
        """Give every trader goods to sell and money to buy with."""
        free = self.accounts[1 : self.first_user, book_at.N_RATES :: 2]
        lots = [START_LOTS * market.size * market.units[0] for market in self.markets]
        for (base, _), amount in zip(goods, lots, strict=True):
            free[:, base] = amount
        for _, quote in goods:
            free[:, quote] = MONEY // self.first_user
        each = len(free) // len(goods)
        # What pays in one market may be what another trades, whose traders count their lots.
        for number, (base, _) in enumerate(goods):
            free[number * each : (number + 1) * each, base] = lots[number]

    @property
    def now(self) -> int:
        """Market time, nanoseconds since the start."""
        return int(self.clock[at.NOW])

    @property
    def messages(self) -> int:
        """Messages that the books took so far."""
        return sum(int(book[book_at.MESSAGES]) for book in self.books)

    def run(self, until: int) -> bool:
        """Let the traders act until a moment; False when a log is full and must be taken first."""
        if not len(self.traders):
            self.clock[at.NOW] = until
            return True
        return bool(
            simulate(
                (self.words, self._begins),
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

    def pause(self, market: int) -> None:
        """Let the traders of a market sleep until `resume`."""
        self._shift(market, _ASLEEP - self.now)

    def resume(self, market: int) -> None:
        """Wake the traders of a market, each after what was left of its sleep at `pause`."""
        self._shift(market, self.now - _ASLEEP)

    def _shift(self, market: int, by: int) -> None:
        self._times[self.traders[:, at.MARKET] == market] += by
        self._heap[:] = np.argsort(self._times, kind="stable")

    def take_trades(self, market: int) -> Int64:
        """Return what a market's log holds, rows of `kernels.matching.layout`, and empty it."""
        book = self.books[market]
        rows = self.log[market, : book[book_at.LOG_ROWS]].copy()
        book[book_at.LOG_ROWS] = 0
        return rows

    def save(self) -> bytes:
        """Return the whole state; every log must have been taken.

        Raises
        ------
        ConfigError
            If a log holds rows that nobody took.
        """
        return pack(self._arrays(), self.books)

    def restore(self, state: bytes) -> None:
        """Go back or on to a state that a market of the same making saved.

        Raises
        ------
        DataIntegrityError
            If the state is damaged or of another market's shape.
        """
        unpack(state, self._arrays(), self.books)

    def _arrays(self) -> tuple[Int64 | Float64, ...]:
        """Return all that the market consists of beside its books and their logs."""
        return (
            self.accounts,
            self.traders,
            self.habits,
            self.values,
            self.clock,
            self._times,
            self._heap,
        )

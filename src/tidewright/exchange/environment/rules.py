"""What an episode is: its length, its traders, what a learner may do, and how it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.exchange.agents.market import MarketShape
from tidewright.exchange.agents.population import Population, trader_rows, value_rows
from tidewright.exchange.matching.book import BookShape, new_accounts, new_book
from tidewright.kernels.agents import layout as agents_at
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.layout import Float64, Int64
from tidewright.kernels.matching import layout as book_at

CROWD = Population(
    makers=2,
    noise=48,
    momentum=4,
    value=8,
    arbitrage=0,
    maker_wait=400 * MILLISECOND,
    noise_wait=8 * SECOND,
    momentum_wait=4 * SECOND,
    value_wait=4 * SECOND,
    volatility=0.000_5,
)
"""Traders of one small market, which send it about 25 messages a second."""

PRICES = 64**2
"""Prices are 1 to this many ticks, less one."""
LOG_ROWS = 2**15
"""Rows of the log that all markets share, one after the other."""
_OPENING = 3
"""How often every trader acts before an episode begins."""
_LINE = 8
"""Words of a cache line, at which the parts of a market begin."""


@dataclass(frozen=True, slots=True)
class MarketRules:
    """What holds in every one of many markets.

    Parameters
    ----------
    steps : int
        Actions in an episode.
    step_time : int
        Market time from one action to the next, nanoseconds.
    price : int
        Price at the start, ticks, far from the ends of the book (1 and 4,095).
    order_lots, sizes : int
        Lots of the smallest order, and how many multiples of it may be asked for.
    distances : int
        How many distances from the middle a limit order may have: 0 ticks, 1, 2 and so on.
    most_lots : int
        The most lots that may be held, or owed.
    most_loss : int
        An episode ends when so much was lost, in ticks x lots.
    aversion : float
        What a step costs: aversion x lots held, squared.
    maker_ppm, taker_ppm : int
        Fees of the learner, in millionths of what it receives.
    crowd : Population
        The other traders; nobody trades between markets.

    Raises
    ------
    ConfigError
        If a number is outside what makes sense.
    """

    steps: int = 1_000
    step_time: int = 200 * MILLISECOND
    price: int = 2_000
    order_lots: int = 5
    sizes: int = 4
    distances: int = 8
    most_lots: int = 200
    most_loss: int = 10_000
    aversion: float = 0.000_1
    maker_ppm: int = 0
    taker_ppm: int = 100
    crowd: Population = field(default=CROWD)

    def __post_init__(self) -> None:
        for name in ("steps", "step_time", "order_lots", "sizes", "distances", "most_lots"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 1 or more")
        for name in ("maker_ppm", "taker_ppm"):
            if not 0 <= getattr(self, name) < 1_000_000:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 0 to 999,999")
        if not self.distances < self.price < PRICES - self.distances:
            raise ConfigError(
                f"price was {self.price}; expected {self.distances} ticks of room to 0 and {PRICES}"
            )
        if self.most_loss < 1 or self.aversion < 0.0:
            raise ConfigError(
                f"most_loss was {self.most_loss} and aversion {self.aversion}; expected above 0, "
                "and 0 or more"
            )
        if self.crowd.traders < 1 or self.crowd.makers + self.crowd.noise < 1:
            raise ConfigError("the crowd had no makers and no noise traders; nothing would rest")
        if self.crowd.arbitrage:
            raise ConfigError(
                f"the crowd had {self.crowd.arbitrage} arbitrageurs; expected none, for there is "
                "no second market"
            )


@dataclass(frozen=True, slots=True)
class FreshMarket:
    """A market at the start of an episode, and the rules as the compiled steps take them.

    Parameters
    ----------
    words, reals : int64 and float64 arrays
        One row each of what `kernels.environment.run.step_markets` takes.
    law : int64 array
        Its ``rules``.
    """

    words: Int64
    reals: Float64
    law: Int64


def fresh_market(rules: MarketRules) -> FreshMarket:
    """Lay out one market: the learner, the clock, accounts, traders, and the book."""
    crowd = rules.crowd
    places = (MarketShape(rules.price, PRICES),)
    traders, habits = trader_rows(crowd, places, at.START_LOTS, 0)
    values = value_rows(crowd, places)
    learner = crowd.traders + 1
    accounts = _accounts(rules, learner)
    book = _book(rules)
    book[book_at.ACCOUNTS], book[book_at.WIDTH] = accounts.shape
    people = _aligned(at.MONEY + accounts.size)
    place = _aligned(people + traders.size)
    # An odd number of lines, so that equal parts of many markets share no cache set.
    words = np.zeros((_aligned(place + book.size) // _LINE | 1) * _LINE, np.int64)
    words[at.CLOCK + agents_at.NEWS_EVERY] = SECOND
    words[at.MONEY : at.MONEY + accounts.size] = accounts.ravel()
    words[people : people + traders.size] = traders.ravel()
    words[place : place + book.size] = book
    reals = np.zeros(_aligned(at.HABITS + habits.size))
    reals[: values.size] = values.ravel()
    reals[at.HABITS : at.HABITS + habits.size] = habits.ravel()
    gap, kinds = _kinds(crowd)
    law = np.zeros(at.KINDS + kinds.size, np.int64)
    law[at.STEP_TIME], law[at.STEPS], law[at.MEAN_GAP] = rules.step_time, rules.steps, gap
    law[at.MOST_LOTS], law[at.ORDER_LOTS] = rules.most_lots, rules.order_lots
    law[at.MOST_LOSS], law[at.LEARNER], law[at.OPENING] = rules.most_loss, learner, _OPENING
    law[at.PEOPLE], law[at.BOOK], law[at.LOG_ROOM] = people, place, LOG_ROWS
    law[at.KINDS :] = kinds.ravel()
    return FreshMarket(words, reals, law)


def _aligned(words: int) -> int:
    return -(-words // _LINE) * _LINE


def _accounts(rules: MarketRules, learner: int) -> Int64:
    accounts = new_accounts(learner, 2)
    accounts[1:, book_at.N_RATES] = at.START_LOTS * at.UNIT
    accounts[1:, book_at.N_RATES + 2] = at.START_MONEY
    accounts[learner, book_at.MAKER_PPM] = rules.maker_ppm
    accounts[learner, book_at.TAKER_PPM] = rules.taker_ppm
    return accounts


def _book(rules: MarketRules) -> Int64:
    # A maker has two orders in the book, everybody else one.
    orders = rules.crowd.traders + rules.crowd.makers + 2
    book = new_book(BookShape(PRICES, orders + 1, 0, 1, at.UNIT, at.UNIT))
    book[book_at.LAST] = book[book_at.ANCHOR] = rules.price
    book[book_at.LOWEST] = book[book_at.HIGHEST] = rules.price
    return book


def _kinds(crowd: Population) -> tuple[int, Int64]:
    """Return the mean time between two wakes, and first, count and share of each kind."""
    counts = (crowd.makers, crowd.noise, crowd.momentum, crowd.value)
    waits = (crowd.maker_wait, crowd.noise_wait, crowd.momentum_wait, crowd.value_wait)
    rates = np.array([count / wait for count, wait in zip(counts, waits, strict=True)])
    kinds = np.zeros((len(counts), at.N_KIND), np.int64)
    kinds[:, at.FIRST] = np.concatenate(([0], np.cumsum(counts)[:-1]))
    kinds[:, at.COUNT] = counts
    kinds[:, at.SHARE] = np.rint(np.cumsum(rates) / rates.sum() * 2.0**32)
    return round(1.0 / float(rates.sum())), kinds

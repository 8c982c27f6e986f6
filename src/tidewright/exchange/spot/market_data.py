"""What a spot exchange shows of its markets beside trades and depth: values without a wire format.

Prices, quantities and money are whole numbers of 1e-8 of their asset, times nanoseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class BestPrices(NamedTuple):
    """The best level of each side; price and quantity of an empty side are 0."""

    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    update: int


@dataclass(frozen=True, slots=True)
class AggregateTrade:
    """Trades of one taking order that followed each other at one price."""

    symbol: str
    id: int
    price: int
    quantity: int
    first_trade: int
    last_trade: int
    time: int
    buyer_makes: bool


class Candle(NamedTuple):
    """Prices and volumes of an interval; a tuple, because one request makes a thousand.

    Parameters
    ----------
    opened, closed : int
        First moment, and one millisecond before the next candle's.
    open, high, low, close : int
        Prices; all are the close before when nothing was traded.
    volume, money : int
        Base quantity traded, and its worth in the quote asset.
    bought, bought_money : int
        The part of them in which the buyer took.
    trades, first_trade, last_trade : int
        How many trades, and their ids; -1 where there was none.
    """

    opened: int
    closed: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    money: int
    bought: int
    bought_money: int
    trades: int
    first_trade: int
    last_trade: int


@dataclass(frozen=True, slots=True)
class Ticker:
    """How a market moved in a window that ends now.

    Parameters
    ----------
    opened, closed : int
        First and last moment of the window.
    open, high, low, last : int
        Prices; without a trade, high and low are 0 and the others the last price.
    last_quantity : int
        Of the last trade, 0 without one.
    before : int
        The last price before the window.
    average : int
        Average price weighted by quantity, 0 without a trade.
    volume, money : int
        Base quantity traded, and its worth in the quote asset.
    trades, first_trade, last_trade : int
        How many trades, and their ids; -1 where there was none.
    best : BestPrices
        The book's best levels now.
    """

    symbol: str
    opened: int
    closed: int
    open: int
    high: int
    low: int
    last: int
    last_quantity: int
    before: int
    average: int
    volume: int
    money: int
    trades: int
    first_trade: int
    last_trade: int
    best: BestPrices

    @property
    def change(self) -> int:
        """How far the price went from the window's first trade to its last."""
        return self.last - self.open

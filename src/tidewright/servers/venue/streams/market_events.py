"""Market events as the protocol writes them: one function for each, a dictionary out.

Times are divided by a unit: milliseconds unless the client's address asked for microseconds.
"""

from __future__ import annotations

from tidewright.exchange.spot.market_data import AggregateTrade, BestPrices, Candle, Ticker
from tidewright.exchange.spot.values import Depth, PublicTrade
from tidewright.servers.venue.writers import MILLISECONDS, Json, amount, levels, percent

Event = Json
"""An event before it becomes JSON."""


def trade(one: PublicTrade, now: int, unit: int) -> Event:
    """Tell of one trade."""
    return {
        "e": "trade",
        "E": now // unit,
        "s": one.symbol,
        "t": one.id,
        "p": amount(one.price),
        "q": amount(one.quantity),
        "T": one.time // unit,
        "m": one.buyer_makes,
        "M": True,
    }


def aggregate_trade(one: AggregateTrade, now: int, unit: int) -> Event:
    """Tell of what one taking order traded at one price."""
    return {
        "e": "aggTrade",
        "E": now // unit,
        "s": one.symbol,
        "a": one.id,
        "p": amount(one.price),
        "q": amount(one.quantity),
        "f": one.first_trade,
        "l": one.last_trade,
        "T": one.time // unit,
        "m": one.buyer_makes,
        "M": True,
    }


def best(symbol: str, prices: BestPrices) -> Event:
    """Tell of the best prices; the only event without a name and a time."""
    return {
        "u": prices.update,
        "s": symbol,
        "b": amount(prices.bid),
        "B": amount(prices.bid_quantity),
        "a": amount(prices.ask),
        "A": amount(prices.ask_quantity),
    }


def change(depth: Depth, now: int, unit: int) -> Event:
    """Tell how the book changed since the event before."""
    return {
        "e": "depthUpdate",
        "E": now // unit,
        "s": depth.symbol,
        "U": depth.first_update,
        "u": depth.last_update,
        "b": levels(depth.bids),
        "a": levels(depth.asks),
    }


def top(depth: Depth) -> Event:
    """Show the best levels of the book."""
    return {
        "lastUpdateId": depth.last_update,
        "bids": levels(depth.bids),
        "asks": levels(depth.asks),
    }


def candle(symbol: str, interval: str, one: Candle, now: int, unit: int, *, done: bool) -> Event:
    """Show a candle; ``done`` when it changes no more."""
    return {
        "e": "kline",
        "E": now // unit,
        "s": symbol,
        "k": {
            "t": one.opened // unit,
            "T": (one.closed + MILLISECONDS) // unit - 1,
            "s": symbol,
            "i": interval,
            "f": one.first_trade,
            "L": one.last_trade,
            "o": amount(one.open),
            "c": amount(one.close),
            "h": amount(one.high),
            "l": amount(one.low),
            "v": amount(one.volume),
            "n": one.trades,
            "x": done,
            "q": amount(one.money),
            "V": amount(one.bought),
            "Q": amount(one.bought_money),
            "B": "0",
        },
    }


def mini(one: Ticker, now: int, unit: int) -> Event:
    """Tell of the last 24 hours in short."""
    return {
        "e": "24hrMiniTicker",
        "E": now // unit,
        "s": one.symbol,
        "c": amount(one.last),
        "o": amount(one.open),
        "h": amount(one.high),
        "l": amount(one.low),
        "v": amount(one.volume),
        "q": amount(one.money),
    }


def day(one: Ticker, now: int, unit: int) -> Event:
    """Tell of the last 24 hours."""
    return {
        "e": "24hrTicker",
        "E": now // unit,
        "s": one.symbol,
        **_change(one),
        "w": amount(one.average),
        "x": amount(one.before),
        "c": amount(one.last),
        "Q": amount(one.last_quantity),
        "b": amount(one.best.bid),
        "B": amount(one.best.bid_quantity),
        "a": amount(one.best.ask),
        "A": amount(one.best.ask_quantity),
        **_range(one),
        **_span(one, unit),
    }


def window(one: Ticker, interval: str, now: int, unit: int) -> Event:
    """Tell of a shorter window."""
    return {
        "e": f"{interval}Ticker",
        "E": now // unit,
        "s": one.symbol,
        **_change(one),
        "w": amount(one.average),
        "c": amount(one.last),
        **_range(one),
        **_span(one, unit),
    }


def average(symbol: str, minutes: int, price: int, last_trade: int, now: int, unit: int) -> Event:
    """Tell of the average price of some minutes, and when the last trade was."""
    return {
        "e": "avgPrice",
        "E": now // unit,
        "s": symbol,
        "i": f"{minutes}m",
        "w": amount(price),
        "T": last_trade // unit,
    }


def _change(one: Ticker) -> Event:
    return {"p": amount(one.change), "P": percent(one.change, one.open)}


def _range(one: Ticker) -> Event:
    return {
        "o": amount(one.open),
        "h": amount(one.high),
        "l": amount(one.low),
        "v": amount(one.volume),
        "q": amount(one.money),
    }


def _span(one: Ticker, unit: int) -> Event:
    return {
        "O": one.opened // unit,
        "C": one.closed // unit,
        "F": one.first_trade,
        "L": one.last_trade,
        "n": one.trades,
    }

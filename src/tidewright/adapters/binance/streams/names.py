"""Names of market streams, as a subscription spells them."""

from __future__ import annotations

from typing import Literal


def trades(symbol: str) -> str:
    """Return the stream of every trade of a symbol."""
    return f"{symbol.lower()}@trade"


def aggregate_trades(symbol: str) -> str:
    """Return the stream of what each taking order traded at one price."""
    return f"{symbol.lower()}@aggTrade"


def klines(symbol: str, interval: str) -> str:
    """Return the stream of candles of a symbol, the forming one included."""
    return f"{symbol.lower()}@kline_{interval}"


def best_prices(symbol: str) -> str:
    """Return the stream of the best bid and ask."""
    return f"{symbol.lower()}@bookTicker"


def mini_ticker(symbol: str) -> str:
    """Return the stream of the last 24 hours in short."""
    return f"{symbol.lower()}@miniTicker"


def depth(symbol: str, milliseconds: Literal[100, 1000] = 100) -> str:
    """Return the stream of changes of the book, told every so many milliseconds."""
    name = f"{symbol.lower()}@depth"
    return f"{name}@100ms" if milliseconds == 100 else name

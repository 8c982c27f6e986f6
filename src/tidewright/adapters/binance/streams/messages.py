"""What market streams say, as values.

Prices and quantities are whole numbers of 1e-8, times nanoseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.market.local_book import BookChange


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade.

    Parameters
    ----------
    symbol : str
        Such as ``"BTCUSDT"``.
    id : int
        Its number; those of a symbol follow each other without holes.
    price, quantity : int
        Units of 1e-8.
    ts_event : int
        When it happened, nanoseconds UTC.
    buyer_makes : bool
        Whether the buyer's order waited in the book, so that the seller took it.
    """

    symbol: str
    id: int
    price: int
    quantity: int
    ts_event: int
    buyer_makes: bool


@dataclass(frozen=True, slots=True)
class AggregateTrade:
    """What one taking order traded at one price.

    Parameters
    ----------
    symbol : str
        Such as ``"BTCUSDT"``.
    id : int
        Its number; those of a symbol follow each other without holes.
    price, quantity : int
        Units of 1e-8.
    first_trade, last_trade : int
        Ids of the trades in it.
    ts_event : int
        When it happened, nanoseconds UTC.
    buyer_makes : bool
        Whether the buyer's order waited in the book.
    """

    symbol: str
    id: int
    price: int
    quantity: int
    first_trade: int
    last_trade: int
    ts_event: int
    buyer_makes: bool


@dataclass(frozen=True, slots=True)
class Kline:
    """A candle, finished or forming.

    Parameters
    ----------
    symbol, interval : str
        Such as ``"BTCUSDT"`` and ``"1m"``.
    ts_open, ts_close : int
        When it opens, and the first moment after it, nanoseconds UTC.
    open, high, low, close : int
        Prices, units of 1e-8.
    volume, quote_volume : int
        Traded quantity and money, units of 1e-8.
    trades : int
        Number of trades in it.
    closed : bool
        Whether it changes no more. A forming candle is for display alone.
    ts_event : int
        When the venue told of it, nanoseconds UTC.
    """

    symbol: str
    interval: str
    ts_open: int
    ts_close: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int
    trades: int
    closed: bool
    ts_event: int


@dataclass(frozen=True, slots=True)
class BookTicker:
    """The best prices after an update of the book; the venue gives no time with it.

    Parameters
    ----------
    symbol : str
        Such as ``"BTCUSDT"``.
    update : int
        Id of the update.
    bid, bid_quantity, ask, ask_quantity : int
        Units of 1e-8.
    """

    symbol: str
    update: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int


@dataclass(frozen=True, slots=True)
class MiniTicker:
    """The last 24 hours of a symbol.

    Parameters
    ----------
    symbol : str
        Such as ``"BTCUSDT"``.
    ts_event : int
        When the venue told of it, nanoseconds UTC.
    open, high, low, close : int
        Prices, units of 1e-8.
    volume, quote_volume : int
        Traded quantity and money, units of 1e-8.
    """

    symbol: str
    ts_event: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote_volume: int


@dataclass(frozen=True, slots=True)
class DepthUpdate:
    """How the book of a symbol changed.

    Parameters
    ----------
    symbol : str
        Such as ``"BTCUSDT"``.
    ts_event : int
        When the venue told of it, nanoseconds UTC.
    change : BookChange
        The change.
    """

    symbol: str
    ts_event: int
    change: BookChange


@dataclass(frozen=True, slots=True)
class Answer:
    """The venue's answer to a subscription.

    Parameters
    ----------
    id : int
        Which request it answers; -1 where the venue could not tell.
    error : str
        What it refused; empty when it did as asked.
    """

    id: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The venue is about to close the connection: open another one now."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A kind of event that this version does not read.

    Parameters
    ----------
    kind : str
        Its name in the protocol.
    """

    kind: str


MarketEvent = Trade | AggregateTrade | Kline | BookTicker | MiniTicker | DepthUpdate
"""Whatever tells of a market."""

Message = MarketEvent | Answer | Shutdown | Unknown
"""Whatever may come on a connection."""

"""The requests that are sent, as values: what they ask, what they cost, how they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Generic, TypeVar

import orjson

from tidewright.adapters.binance.budget import Urgency, Window
from tidewright.adapters.binance.classify import Asked, Purpose
from tidewright.adapters.binance.parse import (
    OrderReader,
    VenueAccount,
    VenueFill,
    VenueOrder,
    parse_account,
    parse_canceled,
    parse_fills,
    parse_order,
    parse_orders,
    parse_time,
)
from tidewright.adapters.binance.rules import SymbolRules, parse_limits, parse_symbols
from tidewright.domain.orders import Side

T = TypeVar("T")

MOST_FILLS = 1_000
"""Most executions in one answer."""


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request.

    Parameters
    ----------
    method, path : str
        Such as ``"GET"`` and ``"/api/v3/time"``.
    asked : Asked
        What its answer means.
    parameters : tuple of (str, str)
        Sent in this order, time and signature behind them.
    weight, orders : int
        What it takes of the budget.
    urgency : Urgency
        How much of the budget it must leave.
    signed : bool
        Whether it needs a key.
    """

    method: str
    path: str
    asked: Asked[T]
    parameters: tuple[tuple[str, str], ...]
    weight: int
    orders: int = 0
    urgency: Urgency = Urgency.QUERY
    signed: bool = True


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it is sent.

    Parameters
    ----------
    symbol, client_id : str
        What it trades, and the id that was committed for it.
    side : Side
        Buy or sell.
    kind : str
        The venue's word for its type.
    quantity : Decimal
        How much of the base asset, on the symbol's grid.
    price, stop_price : Decimal or None
        Where its type needs them.
    time_in_force : str
        ``GTC``, ``IOC`` or ``FOK``; empty where its type takes none.
    """

    symbol: str
    client_id: str
    side: Side
    kind: str
    quantity: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: str = ""


@dataclass(frozen=True, slots=True)
class Information:
    """What exchangeInfo tells.

    Parameters
    ----------
    symbols : dict of str to SymbolRules
        Symbols by name.
    limits : tuple of Window
        The venue's limits.
    """

    symbols: dict[str, SymbolRules]
    limits: tuple[Window, ...]


def server_time() -> Request[int]:
    """Return the question for the venue's time, milliseconds."""
    return _open("time", parse_time, (), 1)


def exchange_info(symbols: Sequence[str]) -> Request[Information]:
    """Return the question for the filters of symbols and the venue's limits."""
    listed = orjson.dumps(list(symbols)).decode()
    return _open("exchangeInfo", _read_information, (("symbols", listed),), 20)


def account() -> Request[VenueAccount]:
    """Return the question for balances and fees."""
    return _question("account", parse_account, (), 20)


def order(symbol: str, client_id: str) -> Request[VenueOrder]:
    """Return the question for one order."""
    reader = OrderReader(parse_order, symbol, client_id)
    return _question("order", reader, (("symbol", symbol), ("origClientOrderId", client_id)), 4)


def open_orders(symbol: str = "") -> Request[tuple[VenueOrder, ...]]:
    """Return the question for the open orders of a symbol, or of all."""
    given = (("symbol", symbol),) if symbol else ()
    return _question("openOrders", parse_orders, given, 6 if symbol else 80)


def fills_of_order(symbol: str, order_id: int) -> Request[tuple[VenueFill, ...]]:
    """Return the question for the executions of one order, by the venue's number."""
    given = (("symbol", symbol), ("orderId", str(order_id)), ("limit", str(MOST_FILLS)))
    return _question("myTrades", parse_fills, given, 5)


def fills_from(symbol: str, trade_id: int) -> Request[tuple[VenueFill, ...]]:
    """Return the question for executions from a trade id on, oldest first."""
    given = (("symbol", symbol), ("fromId", str(trade_id)), ("limit", str(MOST_FILLS)))
    return _question("myTrades", parse_fills, given, 20)


def placement(new: NewOrder) -> Request[VenueOrder]:
    """Return the command that places an order; its answer tells the fills that it had at once."""
    given = [
        ("symbol", new.symbol),
        ("side", new.side.name),
        ("type", new.kind),
        ("quantity", f"{new.quantity:f}"),
        ("newClientOrderId", new.client_id),
        ("newOrderRespType", "FULL"),
    ]
    if new.time_in_force:
        given.append(("timeInForce", new.time_in_force))
    for name, price in (("price", new.price), ("stopPrice", new.stop_price)):
        if price is not None:
            given.append((name, f"{price:f}"))
    reader = OrderReader(parse_order, new.symbol, new.client_id)
    asked = Asked("POST /api/v3/order", Purpose.ORDER, reader)
    return Request("POST", "/api/v3/order", asked, tuple(given), 1, 1, Urgency.ORDER)


def cancellation(symbol: str, client_id: str) -> Request[VenueOrder]:
    """Return the command that cancels an order."""
    reader = OrderReader(parse_canceled, symbol, client_id)
    asked = Asked("DELETE /api/v3/order", Purpose.CANCEL, reader)
    given = (("symbol", symbol), ("origClientOrderId", client_id))
    return Request("DELETE", "/api/v3/order", asked, given, 1, urgency=Urgency.CANCEL)


def _read_information(value: object) -> Information:
    return Information(parse_symbols(value), parse_limits(value))


def _question(
    name: str, read: Callable[[object], T], given: tuple[tuple[str, str], ...], weight: int
) -> Request[T]:
    path = f"/api/v3/{name}"
    return Request("GET", path, Asked(f"GET {path}", Purpose.QUESTION, read), given, weight)


def _open(
    name: str, read: Callable[[object], T], given: tuple[tuple[str, str], ...], weight: int
) -> Request[T]:
    return replace(_question(name, read, given, weight), signed=False)

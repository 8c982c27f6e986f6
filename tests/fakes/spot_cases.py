"""A small spot exchange of two accounts, and orders in few words."""

from __future__ import annotations

from dataclasses import replace

from tidewright.domain.orders import Side
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.listing import CountFilter, Filter, Listing
from tidewright.exchange.spot.values import Kind, NewOrder, TimeInForce

ONE = 100_000_000
START = 1_700_000_000_000_000_000
BUY, SELL = Side.BUY, Side.SELL

LISTING = Listing("BTCUSDT", "BTC", "USDT", ONE // 100, ONE // 100_000, 1_000 * ONE)
ACCOUNTS = (
    SpotAccount("ann", {"BTC": 1_000 * ONE, "USDT": 1_000_000 * ONE}, 1_000, 2_000),
    SpotAccount("bob", {"BTC": 1_000 * ONE, "USDT": 1_000_000 * ONE}, 1_000, 2_000),
)
ANN, BOB = 0, 1


def venue(*filters: Filter, everywhere: tuple[CountFilter, ...] = ()) -> SpotExchange:
    """An exchange without traders whose last price is 1,000."""
    listing = replace(LISTING, filters=filters)
    return SpotExchange([listing], ACCOUNTS, seed=1, now=START, filters=everywhere)


def limit(side: Side, price: float, quantity: float, **more: object) -> NewOrder:
    """A limit order at a price in dollars for a quantity in whole coins."""
    return order(side, Kind.LIMIT, price=price, quantity=quantity, **more)


def order(
    side: Side,
    kind: Kind,
    *,
    price: float = 0,
    quantity: float = 0,
    stop: float = 0,
    money: float = 0,
    shows: float = 0,
    trail: int = 0,
    life: TimeInForce = TimeInForce.GTC,
    **more: object,
) -> NewOrder:
    """An order of any kind in dollars and whole coins."""
    made = NewOrder(
        "BTCUSDT",
        side,
        kind,
        quantity=units(quantity),
        money=units(money),
        price=units(price),
        stop_price=units(stop),
        trailing_delta=trail,
        iceberg_quantity=units(shows),
        time_in_force=life,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def units(amount: float) -> int:
    """Return 1e-8 units of a short decimal number."""
    return round(amount * ONE)

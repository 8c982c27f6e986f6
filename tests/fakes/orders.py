"""Instruments, bars and approved orders for tests of venues."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tidewright.domain.facts import CancelOrder, QueryOrder, SubmitOrder
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import (
    ApprovalToken,
    ApprovedOrder,
    Leg,
    OrderIntent,
    OrderType,
    Side,
)
from tidewright.domain.time import MINUTE

START = 1_700_000_040_000_000_000
"""Open time of bar 0."""


def instrument(name: str = "BTCUSDT", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "id": name,
        "venue": "paper",
        "base": name[:3],
        "quote": "USDT",
        "asset_class": AssetClass.CRYPTO,
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "max_quantity": Decimal(100),
        "min_notional": Decimal(5),
        "maker_fee_rate": Decimal("0.0005"),
        "taker_fee_rate": Decimal("0.001"),
        "shortable": True,
    }
    return Instrument(**{**fields, **changes})


def bar(
    index: int,
    open_: int,
    high: int,
    low: int,
    close: int,
    *,
    volume: int = 1_000_000,
    name: str = "BTCUSDT",
) -> Bar:
    opened = START + index * MINUTE
    return Bar(name, "1m", opened, opened + MINUTE, open_, high, low, close, volume)


def intent(client_id: str, index: int, **changes: Any) -> OrderIntent:
    """An order decided at the open of bar ``index``, the first bar that it can meet."""
    fields: dict[str, Any] = {
        "client_id": client_id,
        "strategy": "test",
        "instrument": "BTCUSDT",
        "side": Side.BUY,
        "leg": Leg.ENTRY,
        "order_type": OrderType.LIMIT if changes.get("limit_ticks") else OrderType.MARKET,
        "lots": 100,
        "reference_ticks": 10_000,
        "ts_decided": START + index * MINUTE,
        "confidence": 0.9,
        "reason": "a test",
    }
    return OrderIntent(**{**fields, **changes})


def leaving(client_id: str, index: int, **changes: Any) -> OrderIntent:
    """A reduce-only sell of 100 lots."""
    fields: dict[str, Any] = {"side": Side.SELL, "leg": Leg.EXIT, "reduce_only": True}
    return intent(client_id, index, **{**fields, **changes})


def submit(order: OrderIntent) -> SubmitOrder:
    return SubmitOrder(ApprovedOrder(order, (), ApprovalToken()))


def cancel(client_id: str, name: str = "BTCUSDT") -> CancelOrder:
    return CancelOrder(client_id, name)


def query(client_id: str, name: str = "BTCUSDT") -> QueryOrder:
    return QueryOrder(client_id, name)

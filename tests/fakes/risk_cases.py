"""Instruments, accounts and intents for tests of risk; each helper takes what should differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.orders import Leg, OrderIntent, OrderRecord, OrderState, OrderType, Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.signals import Direction, Signal, TriggerType
from tidewright.risk.account import AccountView
from tidewright.risk.gate import RiskGate
from tidewright.risk.settings import RiskSettings

NOON = 1_700_049_600_000_000_000
"""2023-11-15T12:00:00Z."""
EQUITY = 10_000 * 10**8
"""Ten thousand in money units."""
MARK = 10_000
"""100.00 in ticks of 0.01; one lot of 0.001 is worth 0.10 at it."""


def make_instrument(name: str = "AAA", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "id": name,
        "venue": "paper",
        "base": name,
        "quote": "USDT",
        "asset_class": AssetClass.CRYPTO,
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.001"),
        "min_quantity": Decimal("0.001"),
        "max_quantity": Decimal(0),
        "min_notional": Decimal(5),
        "taker_fee_rate": Decimal("0.001"),
    }
    return Instrument(**{**fields, **changes})


def make_account(**changes: Any) -> AccountView:
    view = AccountView(
        ts=NOON,
        equity=EQUITY,
        cash=EQUITY,
        positions={},
        marks={"AAA": MARK, "BBB": MARK, "CCC": MARK, "DDD": MARK, "EEE": MARK},
        mark_times=dict.fromkeys(("AAA", "BBB", "CCC", "DDD", "EEE"), NOON),
        working=(),
        unknown=frozenset(),
        feed_live=True,
        correlation=lambda _first, _second: 0.0,
    )
    return replace(view, **changes)


def make_intent(number: int = 1, **changes: Any) -> OrderIntent:
    intent = OrderIntent(
        client_id=f"feed-{number:x}-e",
        strategy="sma_cross",
        instrument="AAA",
        side=Side.BUY,
        leg=Leg.ENTRY,
        order_type=OrderType.MARKET,
        lots=1_000,
        reference_ticks=MARK,
        ts_decided=NOON,
        confidence=0.8,
        reason="test",
    )
    return replace(intent, **changes)


def make_exit(number: int = 1, **changes: Any) -> OrderIntent:
    fields: dict[str, Any] = {
        "client_id": f"feed-{number:x}-x",
        "side": Side.SELL,
        "leg": Leg.EXIT,
        "reduce_only": True,
    }
    return make_intent(number, **{**fields, **changes})


def make_record(intent: OrderIntent, state: OrderState = OrderState.OPEN) -> OrderRecord:
    return OrderRecord(intent, state, ts_sent=NOON, ts_updated=NOON)


def make_gate(
    instruments: Mapping[str, Instrument] | None = None, equity: int = EQUITY, **limits: Any
) -> RiskGate:
    """Return a gate that has seen the account once, at noon."""
    if instruments is None:
        names = ("AAA", "BBB", "CCC", "DDD", "EEE")
        instruments = {name: make_instrument(name) for name in names}
    gate = RiskGate(RiskSettings(**limits), instruments)
    assert gate.mark(NOON, equity) == []
    return gate


def make_trade(pnl: int, ts: int = NOON) -> Trade:
    return Trade(
        strategy="sma_cross",
        instrument="AAA",
        side=Side.BUY,
        lots=1,
        ts_entry=ts,
        ts_exit=ts,
        entry_value=1,
        exit_value=1,
        entry_lots=1,
        exit_lots=1,
        fees=0,
        pnl=pnl,
        entry_client_id="feed-1-e",
        exit_reason="stop",
    )


def make_signal(direction: Direction = Direction.LONG, instrument: str = "AAA") -> Signal:
    return Signal("sma_cross", instrument, direction, 0.8, 0, "test", TriggerType.RULE, NOON)

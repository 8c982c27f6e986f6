"""Slices and outcomes for tests of what is stored."""

from __future__ import annotations

from decimal import Decimal

from tidewright.domain.events import Event, Slice, TradingState
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderExecuted,
    OrderPlaced,
    OrderUpdated,
    Outcome,
    PositionUpdated,
    Severity,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import (
    Bracket,
    Fill,
    Leg,
    OrderIntent,
    OrderRecord,
    OrderState,
    OrderType,
    Side,
)
from tidewright.domain.portfolio import Position, Trade
from tidewright.domain.signals import Direction, Signal, TriggerType
from tidewright.domain.time import MINUTE

START = 1_640_995_200 * 1_000_000_000
BTC = Instrument(
    id="BTCUSDT",
    venue="paper",
    base="BTC",
    quote="USDT",
    asset_class=AssetClass.CRYPTO,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    source="test",
)
FIRST_EQUITY = 10_000 * 10**8


def bar(minute: int, close: int = 4_625_000, instrument: str = "BTCUSDT") -> Bar:
    known = START + minute * MINUTE
    return Bar(instrument, "1m", known - MINUTE, known, close, close + 9, close - 9, close, 1_234)


def quiet_slice(minute: int) -> Slice:
    return Slice(START + minute * MINUTE, (bar(minute),))


def quiet_outcome(sequence: int, minute: int | None = None, equity: int = FIRST_EQUITY) -> Outcome:
    return Outcome(sequence, START + (sequence if minute is None else minute) * MINUTE, equity)


def intent(number: int, leg: Leg = Leg.ENTRY) -> OrderIntent:
    return OrderIntent(
        client_id=f"0123456789abcdef-{number:x}-{leg.value}",
        strategy="sma_cross",
        instrument="BTCUSDT",
        side=Side.BUY if leg is Leg.ENTRY else Side.SELL,
        leg=leg,
        order_type=OrderType.MARKET,
        lots=200_000,
        reference_ticks=4_625_000,
        ts_decided=START + number * MINUTE,
        confidence=0.7,
        reason="crosses_above(sma(10), sma(50))",
        bracket=Bracket(stop_ticks=4_600_000, target_ticks=4_700_000) if leg is Leg.ENTRY else None,
    )


def signal(minute: int, instrument: str = "BTCUSDT") -> Signal:
    return Signal(
        "sma_cross",
        instrument,
        Direction.LONG,
        0.7,
        0,
        "crosses_above(sma(10), sma(50))",
        TriggerType.RULE,
        START + minute * MINUTE,
    )


def _trade(client_id: str, ts: int, pnl: int) -> Trade:
    return Trade(
        strategy="sma_cross",
        instrument="BTCUSDT",
        side=Side.BUY,
        lots=200_000,
        ts_entry=ts,
        ts_exit=ts + 3 * MINUTE,
        entry_value=200_000 * 4_625_100,
        exit_value=200_000 * 4_650_000,
        entry_lots=200_000,
        exit_lots=200_000,
        fees=18_55020000,
        pnl=pnl,
        entry_client_id=client_id,
        exit_reason="signal",
    )


def round_trip(minute: int, pnl: int = 5 * 10**8) -> list[tuple[Event | None, tuple[Fact, ...]]]:
    """Facts of four successive slices that open and close one position."""
    ts = START + minute * MINUTE
    entry, leaving = intent(minute), intent(minute + 2, Leg.EXIT)
    bought = Fill(
        f"t{minute}",
        entry.client_id,
        "BTCUSDT",
        Side.BUY,
        200_000,
        4_625_100,
        9_25020000,
        False,
        ts,
    )
    sold = Fill(
        f"t{minute}x",
        leaving.client_id,
        "BTCUSDT",
        Side.SELL,
        200_000,
        4_650_000,
        9_30000000,
        False,
        ts + 3 * MINUTE,
    )
    held = Position(
        "sma_cross", "BTCUSDT", 200_000, 92_502 * 10**8, 9_25020000, ts, entry.client_id, 4_600_000
    )
    gone = Position("sma_cross", "BTCUSDT", 0, 0, 0, ts, entry.client_id)
    trade = _trade(entry.client_id, ts, pnl)
    return [
        (
            None,
            (
                SignalGenerated(signal(minute)),
                OrderPlaced(OrderRecord(entry, OrderState.SENT, ts_sent=ts, ts_updated=ts)),
                SignalRejected(
                    signal(minute), "max_positions", "5", "5", "five positions are open"
                ),
            ),
        ),
        (
            None,
            (
                OrderExecuted(bought, "sma_cross", 900 * 10**8, 1),
                OrderUpdated(
                    OrderRecord(
                        entry,
                        OrderState.FILLED,
                        200_000,
                        200_000 * 4_625_100,
                        9_25020000,
                        ts,
                        ts + MINUTE,
                        f"v{minute}",
                    )
                ),
                PositionUpdated(held),
                AlertLogged(Severity.WARNING, "slippage", "slippage was one tick", "BTCUSDT"),
            ),
        ),
        (
            None,
            (
                OrderPlaced(OrderRecord(leaving, OrderState.SENT, ts_sent=ts, ts_updated=ts)),
                TradingStateChanged(TradingState.ACTIVE, TradingState.REDUCING, "risk", "loss"),
            ),
        ),
        (
            None,
            (
                OrderExecuted(sold, "sma_cross", 10_005 * 10**8, 0),
                PositionUpdated(gone),
                TradeClosed(trade),
            ),
        ),
    ]

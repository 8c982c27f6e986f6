"""From slices and outcomes to rows of the read models: pure, so the same rows every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from tidewright.domain.events import DatumQuarantined, InstrumentDefined, Slice
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderExecuted,
    OrderPlaced,
    OrderUpdated,
    Outcome,
    PositionCharged,
    PositionUpdated,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import to_decimal
from tidewright.domain.orders import OrderRecord
from tidewright.domain.portfolio import Position, Trade
from tidewright.domain.signals import Signal
from tidewright.domain.time import DAY, iso
from tidewright.storage.schema import FACTS_PER_OUTCOME

Value = bool | int | float | str | Decimal | None
Row = dict[str, Value]
"""One row: column name to value."""

# Averages rarely end; twelve places are far below any tick.
_AVERAGE = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """Equity over a run of slices within one bucket.

    Parameters
    ----------
    bucket : int
        Known time of the slices divided by the length of a bucket.
    ts : int
        Of the last slice, nanoseconds UTC.
    first, last, high : int
        Money units: equity after the first and last slice, and the highest of them.
    """

    bucket: int
    ts: int
    first: int
    last: int
    high: int


@dataclass(slots=True)
class Day:
    """What one day's outcomes add to its row; money units."""

    fees: int = 0
    realized: int = 0
    trades: int = 0
    wins: int = 0
    losses: int = 0


@dataclass(slots=True)
class Batch:
    """Rows to be written in one transaction."""

    inserts: dict[str, list[Row]] = field(default_factory=dict)
    upserts: dict[str, dict[tuple[str, ...], Row]] = field(default_factory=dict)
    closed_positions: set[tuple[str, str]] = field(default_factory=set)
    equity: list[EquityPoint] = field(default_factory=list)
    days: dict[str, Day] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    last_sequence: int = 0

    def insert(self, table: str, row: Row) -> None:
        """Add a row that is written once and never changed."""
        self.inserts.setdefault(table, []).append(row)

    def upsert(self, table: str, key: tuple[str, ...], row: Row) -> None:
        """Add a row that replaces the one with the same key."""
        self.upserts.setdefault(table, {})[key] = row

    def day(self, ts: int) -> Day:
        """Return what is added to the day of a time."""
        return self.days.setdefault(date_of(ts), Day())


def date_of(ts: int) -> str:
    """Return the UTC date of a time."""
    return iso(ts - ts % DAY)[:10]


class Projection:
    """Turns slices and outcomes into rows.

    Parameters
    ----------
    instruments : iterable of Instrument
        Those known already; definitions in slices are added.
    bars : bool
        Whether bars become rows of ``market_data``.
    """

    def __init__(self, instruments: Iterable[Instrument] = (), *, bars: bool = False) -> None:
        self.instruments = {instrument.id: instrument for instrument in instruments}
        self._bars = bars
        self._facts: Mapping[type, Callable[[_Place, Any], None]] = {
            SignalGenerated: self._signal,
            SignalRejected: self._rejection,
            AlertLogged: self._alert,
            OrderPlaced: self._order,
            OrderUpdated: self._order,
            OrderExecuted: self._fill,
            PositionCharged: self._charge,
            PositionUpdated: self._position,
            TradeClosed: self._trade,
            TradingStateChanged: self._trading_state,
        }

    def add(self, batch: Batch, slice_: Slice, outcome: Outcome) -> None:
        """Add the rows of one step to a batch."""
        for ordinal, event in enumerate(slice_.events):
            if type(event) is InstrumentDefined:
                self.instruments[event.instrument.id] = event.instrument
                row = _instrument_row(event.instrument)
                batch.upsert("instruments", (event.instrument.id,), row)
            elif type(event) is Bar:
                if self._bars:
                    self._bar(batch, event)
            elif type(event) is DatumQuarantined:
                place = _Place(batch, outcome, FACTS_PER_OUTCOME - 1 - ordinal)
                defect = event.defect
                row = {"asset": defect.instrument, "datum_time": defect.ts_event}
                batch.insert(
                    "data_defects",
                    {**place.row(), **row, "rule": defect.rule, "detail": defect.detail},
                )
        for ordinal, fact in enumerate(outcome.facts):
            self._fact(_Place(batch, outcome, ordinal), fact)

    def _fact(self, place: _Place, fact: Fact) -> None:
        write = self._facts.get(type(fact))
        if write is None:
            return
        try:
            write(place, fact)
        except _Undefined as missing:
            text = f"{type(fact).__name__} of {missing}: no such instrument was defined"
            row = {"severity": "warning", "code": "undefined_instrument", "message": text}
            place.batch.insert("alerts", {**place.row(), **row, "asset": str(missing)})

    def _instrument(self, name: str) -> Instrument:
        try:
            return self.instruments[name]
        except KeyError:
            raise _Undefined(name) from None

    def _bar(self, batch: Batch, bar: Bar) -> None:
        instrument = self.instruments.get(bar.instrument)
        if instrument is None:
            return
        row: Row = {
            "asset": bar.instrument,
            "timeframe": bar.timeframe,
            "timestamp": bar.ts_event,
            "known_at": bar.ts_known,
            "volume": instrument.quantity(bar.volume),
        }
        for name in ("open", "high", "low", "close"):
            row[name] = instrument.price(getattr(bar, name))
        batch.insert("market_data", row)

    def _signal(self, place: _Place, fact: SignalGenerated) -> None:
        signal = fact.signal
        more: Row = {"horizon": signal.horizon, "trigger_type": signal.trigger_type.value}
        place.batch.insert("signals", {**place.row(), **_signal_row(signal), **more})

    def _rejection(self, place: _Place, fact: SignalRejected) -> None:
        more: Row = {
            "rule": fact.rule,
            "limit_value": fact.limit,
            "observed_value": fact.value,
            "message": fact.message,
        }
        place.batch.insert("signal_rejections", {**place.row(), **_signal_row(fact.signal), **more})

    def _alert(self, place: _Place, fact: AlertLogged) -> None:
        row: Row = {
            "severity": fact.severity.value,
            "code": fact.code,
            "message": fact.message,
            "asset": fact.instrument,
        }
        place.batch.insert("alerts", {**place.row(), **row})

    def _trading_state(self, place: _Place, fact: TradingStateChanged) -> None:
        row: Row = {
            "before": fact.before.value,
            "after": fact.after.value,
            "actor": fact.actor,
            "reason": fact.reason,
        }
        place.batch.insert("trading_states", {**place.row(), **row})

    def _order(self, place: _Place, fact: OrderPlaced | OrderUpdated) -> None:
        order = fact.order
        row = _order_row(self._instrument(order.intent.instrument), order)
        row["sequence"] = place.sequence
        place.batch.upsert("orders", (order.intent.client_id,), row)

    def _fill(self, place: _Place, fact: OrderExecuted) -> None:
        fill = fact.fill
        instrument = self._instrument(fill.instrument)
        row: Row = {
            "timestamp": fill.ts_event,
            "asset": fill.instrument,
            "trade_id": fill.trade_id,
            "order_id": fill.client_id,
            "strategy": fact.strategy,
            "direction": fill.side.value,
            "size": instrument.quantity(fill.lots),
            "price": instrument.price(fill.ticks),
            "fee": to_decimal(fill.fee),
            "maker": fill.maker,
            "slippage": instrument.price(fact.slippage_ticks),
            "cash": to_decimal(fact.cash),
        }
        place.batch.insert("fills", {**place.row(), **row})
        place.batch.day(place.ts).fees += fill.fee

    def _charge(self, place: _Place, fact: PositionCharged) -> None:
        row: Row = {
            "timestamp": place.ts,
            "asset": fact.instrument,
            "strategy": fact.strategy,
            "days": fact.days,
            "amount": to_decimal(fact.amount),
            "cash": to_decimal(fact.cash),
        }
        place.batch.insert("charges", {**place.row(), **row})
        place.batch.day(place.ts).fees += fact.amount

    def _position(self, place: _Place, fact: PositionUpdated) -> None:
        position = fact.position
        key = (position.strategy, position.instrument)
        if position.lots == 0:
            place.batch.upserts.get("positions", {}).pop(key, None)
            place.batch.closed_positions.add(key)
            return
        row = _position_row(self._instrument(position.instrument), position)
        row |= {"sequence": place.sequence, "timestamp": place.ts}
        place.batch.upsert("positions", key, row)

    def _trade(self, place: _Place, fact: TradeClosed) -> None:
        trade = fact.trade
        instrument = self._instrument(trade.instrument)
        row: Row = {
            "strategy": trade.strategy,
            "asset": trade.instrument,
            "direction": trade.side.value,
            "size": instrument.quantity(trade.lots),
            "entry_time": trade.ts_entry,
            "exit_time": trade.ts_exit,
            "entry_price": average_price(instrument, trade.entry_value, trade.entry_lots),
            "exit_price": average_price(instrument, trade.exit_value, trade.exit_lots),
            "fees": to_decimal(trade.fees),
            "pnl": to_decimal(trade.pnl),
            "order_id": trade.entry_client_id,
            "exit_reason": trade.exit_reason,
        }
        place.batch.insert("trades", {**place.row(), **row})
        place.batch.trades.append(trade)
        day = place.batch.day(place.ts)
        day.realized += trade.pnl
        day.trades += 1
        day.wins += trade.pnl > 0
        day.losses += trade.pnl < 0


class _Undefined(Exception):
    """A fact speaks of an instrument that no slice has defined."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fact stands: its batch, its step and its place within it."""

    batch: Batch
    outcome: Outcome
    ordinal: int

    @property
    def sequence(self) -> int:
        return self.outcome.sequence

    @property
    def ts(self) -> int:
        return self.outcome.ts_known

    def row(self) -> Row:
        """Return the columns that every fact's row begins with."""
        return {
            "id": self.sequence * FACTS_PER_OUTCOME + self.ordinal,
            "sequence": self.sequence,
            "timestamp": self.ts,
        }


def average_price(instrument: Instrument, value: int, lots: int) -> Decimal:
    """Return the average price of fills, to twelve places, halves away from zero.

    Parameters
    ----------
    instrument : Instrument
        What was traded.
    value : int
        Sum of lots times ticks.
    lots : int
        Sum of lots; 0 gives 0.
    """
    if lots == 0:
        return Decimal(0)
    with localcontext() as context:
        context.prec = 60
        return (instrument.tick_size * value / lots).quantize(_AVERAGE, ROUND_HALF_UP).normalize()


def _prices(instrument: Instrument, ticks: Mapping[str, int | None]) -> Row:
    return {
        name: None if value is None else instrument.price(value) for name, value in ticks.items()
    }


def _instrument_row(instrument: Instrument) -> Row:
    return {
        item.name: str(value) if isinstance(value := getattr(instrument, item.name), str) else value
        for item in fields(instrument)
    }


def _signal_row(signal: Signal) -> Row:
    return {
        "strategy": signal.strategy,
        "asset": signal.instrument,
        "direction": signal.direction.value,
        "confidence": signal.confidence,
        "reason": signal.reason,
    }


def _order_row(instrument: Instrument, order: OrderRecord) -> Row:
    intent, bracket = order.intent, order.intent.bracket
    limit = intent.limit_ticks
    return {
        "order_id": intent.client_id,
        "timestamp": intent.ts_decided,
        "asset": intent.instrument,
        "direction": intent.side.value,
        "size": instrument.quantity(intent.lots),
        "price": instrument.price(intent.reference_ticks if limit is None else limit),
        "strategy": intent.strategy,
        "leg": intent.leg.name.lower(),
        "order_type": intent.order_type.value,
        "state": order.state.value,
        "confidence": intent.confidence,
        "reason": intent.reason,
        "reduce_only": intent.reduce_only,
        **_prices(
            instrument,
            {
                "limit_price": limit,
                "stop_price": bracket.stop_ticks if bracket else None,
                "target_price": bracket.target_ticks if bracket else None,
            },
        ),
        "filled_size": instrument.quantity(order.filled_lots),
        "average_price": average_price(instrument, order.filled_value, order.filled_lots)
        if order.filled_lots
        else None,
        "fees": to_decimal(order.fees),
        "sent_at": order.ts_sent,
        "updated_at": order.ts_updated,
        "venue_order_id": order.venue_order_id,
        "state_reason": order.reason,
    }


def _position_row(instrument: Instrument, position: Position) -> Row:
    size = instrument.quantity(position.lots)
    with localcontext() as context:
        context.prec = 60
        average = (to_decimal(position.cost) / size).quantize(_AVERAGE, ROUND_HALF_UP).normalize()
    return {
        "strategy": position.strategy,
        "asset": position.instrument,
        "opened_at": position.ts_opened,
        "direction": "long" if position.lots > 0 else "short",
        "size": size,
        "average_price": average,
        "cost": to_decimal(position.cost),
        "fees": to_decimal(position.fees),
        "realized_pnl": to_decimal(position.realized),
        **_prices(
            instrument,
            {"stop_price": position.stop_ticks, "target_price": position.target_ticks},
        ),
        "order_id": position.client_id,
    }

"""Read functions of the API: raw readings of a `LiveView` in, read models out.

Also the port that an API server needs of the trader it shows (`Services`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from tidewright.app.page.books import book_view
from tidewright.app.page.curve import EquityRow
from tidewright.app.page.read_models import (
    AlertView,
    BookView,
    Candle,
    Candles,
    Delta,
    EquityPoint,
    EquitySeries,
    FillView,
    Indicator,
    InstrumentView,
    OrderView,
    PositionView,
    Quote,
    RefusalView,
    Role,
    SettingValue,
    SignalView,
    Snapshot,
    Status,
    TradeView,
)
from tidewright.app.page.view import BarRow, Cursor, LiveView, Reading, SignalRow, Timed
from tidewright.domain.facts import AlertLogged, OrderExecuted, SignalRejected
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import UNITS_PER_CURRENCY, to_decimal
from tidewright.domain.orders import Leg, OrderRecord, Side
from tidewright.domain.portfolio import Position, Trade

MILLISECOND = 1_000_000
DELTA_BARS = 100
"""New bars of one instrument beyond which a reader asks for its candles again."""

_BAR_COLUMNS = frozenset({"open", "high", "low", "close", "volume"})
_PRICES = _BAR_COLUMNS - {"volume"}
_PRICE_COLUMNS = frozenset({"sma", "ema", "vwap", "highest", "lowest"})


class Login(Protocol):
    """Who may come in; each answer is the role granted, or None."""

    def verify(self, secret: str) -> Role | None:
        """Check the login secret; takes a tenth of a second on purpose."""

    def redeem(self, token: str) -> Role | None:
        """Use up a one-time link token."""


class Services(Protocol):
    """What the API needs of the trader it shows."""

    @property
    def view(self) -> LiveView:
        """What is shown."""

    @property
    def login(self) -> Login:
        """Who may come in."""

    def halt(self, actor: str, reason: str) -> None:
        """Order the halt; returns once the order is stored.

        Raises
        ------
        Transient
            If it could not be stored.
        """

    def resume(self, actor: str, reason: str) -> None:
        """Order trading to go on; returns once the order is stored.

        Raises
        ------
        Transient
            If it could not be stored.
        """

    def settings(self) -> Mapping[str, Mapping[str, SettingValue]]:
        """Return the settings by section, secrets masked."""


def snapshot(view: LiveView) -> tuple[Snapshot, Cursor]:
    """Return everything but candles, and the cursor from which deltas go on."""
    reading = view.snapshot()
    return _snapshot(reading), reading.counts


def delta(view: LiveView, since: Cursor) -> tuple[Delta | Snapshot, Cursor]:
    """Return what is new since a cursor; a whole snapshot if too much happened in between."""
    reading = view.snapshot(since)
    if reading.lost or reading.equity_whole:
        return snapshot(view)
    bars = {name: rows[-DELTA_BARS:] for name, rows in reading.bars.items()}
    stale = [name for name, rows in reading.bars.items() if len(rows) > DELTA_BARS]
    return (
        Delta(
            status=_status(reading),
            quotes=_quotes(reading),
            bars={
                name: [_candle(reading.instruments[name], row) for _, row in rows]
                for name, rows in bars.items()
            },
            forming={
                name: _candle(reading.instruments[name], BarRow(bar, {}))
                for name, bar in reading.forming.items()
                if name in reading.instruments
            },
            stale_candles=stale,
            equity=[_equity_point(row) for row in reading.equity],
            orders=_orders(reading),
            positions=_positions(reading),
            fills=_fills(reading),
            trades=_trades(reading),
            signals=_signals(reading),
            refusals=_refusals(reading),
            alerts=_alerts(reading),
        ),
        reading.counts,
    )


def status(view: LiveView) -> Status:
    """Return the first glance."""
    return _status(view.snapshot())


def instruments(view: LiveView) -> list[InstrumentView]:
    """Return what can be traded."""
    return [_instrument(found) for found in view.snapshot().instruments.values()]


def candles(view: LiveView, instrument: str, limit: int) -> Candles | None:
    """Return the latest bars of an instrument, the forming one left out; None if unknown."""
    rows = view.bars(instrument, limit)
    if rows is None:
        return None
    reading = view.snapshot()
    return Candles(
        instrument=instrument,
        timeframe=reading.heading.timeframe,
        rows=[_candle(reading.instruments[instrument], row) for row in rows],
    )


def book(view: LiveView, instrument: str) -> BookView | None:
    """Return the order book of an instrument as it is now, and keep it up for a while.

    None where the feed has no books, or none yet for whoever looks first.
    """
    picture = view.books.look(instrument)
    return None if picture is None else book_view(picture)


def equity(view: LiveView) -> EquitySeries:
    """Return equity, benchmark and drawdown since the start of trading."""
    return _equity(view.snapshot())


def positions(view: LiveView) -> list[PositionView]:
    """Return the open positions."""
    return _positions(view.snapshot())


def orders(view: LiveView) -> list[OrderView]:
    """Return the latest orders, each once in its latest state, oldest first."""
    return _orders(view.snapshot())


def trades(view: LiveView) -> list[TradeView]:
    """Return the latest round trips, oldest first."""
    return _trades(view.snapshot())


def signals(view: LiveView) -> list[SignalView]:
    """Return the latest signals, oldest first."""
    return _signals(view.snapshot())


def refusals(view: LiveView) -> list[RefusalView]:
    """Return the latest refused signals, oldest first."""
    return _refusals(view.snapshot())


def alerts(view: LiveView) -> list[AlertView]:
    """Return the latest alerts, oldest first."""
    return _alerts(view.snapshot())


def _snapshot(reading: Reading) -> Snapshot:
    return Snapshot(
        status=_status(reading),
        instruments=[_instrument(found) for found in reading.instruments.values()],
        quotes=_quotes(reading),
        equity=_equity(reading),
        positions=_positions(reading),
        orders=_orders(reading),
        fills=_fills(reading),
        trades=_trades(reading),
        signals=_signals(reading),
        refusals=_refusals(reading),
        alerts=_alerts(reading),
    )


def _positions(reading: Reading) -> list[PositionView]:
    known = reading.instruments
    return [
        _position(known[held.instrument], held, reading.closes.get(held.instrument))
        for held in reading.positions
        if held.instrument in known
    ]


def _orders(reading: Reading) -> list[OrderView]:
    known = reading.instruments
    return [
        _order(known[order.intent.instrument], order)
        for _, order in reading.orders
        if order.intent.instrument in known
    ]


def _fills(reading: Reading) -> list[FillView]:
    known = reading.instruments
    return [
        _fill(known[fact.fill.instrument], fact)
        for _, fact in reading.fills
        if fact.fill.instrument in known
    ]


def _trades(reading: Reading) -> list[TradeView]:
    known = reading.instruments
    return [
        _trade(number, known[trade.instrument], trade)
        for number, trade in reading.trades
        if trade.instrument in known
    ]


def _signals(reading: Reading) -> list[SignalView]:
    return [_signal(number, row) for number, row in reading.signals]


def _refusals(reading: Reading) -> list[RefusalView]:
    return [_refusal(number, row) for number, row in reading.refusals]


def _alerts(reading: Reading) -> list[AlertView]:
    return [_alert(number, row) for number, row in reading.alerts]


def _milliseconds(ts: int) -> int:
    return ts // MILLISECOND


def _percent(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole else None


def _money_of(instrument: Instrument, ticks: int, lots: int) -> int:
    """Money units of a price times a quantity, rounded half away from zero as the kernels do."""
    numerator, denominator = instrument.value_ratio
    scaled = abs(ticks * lots) * numerator
    units = (2 * scaled + denominator) // (2 * denominator)
    return units if ticks * lots >= 0 else -units


def _price_of(instrument: Instrument, units: int, lots: int) -> Decimal:
    """Average price of a cost in money units, two digits finer than the tick."""
    price = to_decimal(units) / instrument.quantity(lots)
    return price.quantize(instrument.tick_size.normalize() * Decimal("0.01"))


def _decimals(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))


def _instrument(found: Instrument) -> InstrumentView:
    return InstrumentView(
        id=found.id,
        venue=found.venue,
        base=found.base,
        quote=found.quote,
        asset_class=found.asset_class,
        tick_size=found.tick_size,
        lot_size=found.lot_size,
        price_decimals=_decimals(found.tick_size),
        quantity_decimals=_decimals(found.lot_size),
        source=found.source,
    )


def _quotes(reading: Reading) -> list[Quote]:
    quotes = []
    for name, instrument in reading.instruments.items():
        close, opened = reading.closes.get(name), reading.day_opens.get(name, 0)
        if name in reading.forming and close is not None:
            close = reading.forming[name].close
        quotes.append(
            Quote(
                instrument=name,
                last=None if close is None else instrument.price(close),
                day_change_percent=None if close is None else _percent(close - opened, opened),
            )
        )
    return quotes


def _candle(instrument: Instrument, row: BarRow) -> Candle:
    bar: Bar = row.bar
    numerator, denominator = instrument.price_ratio
    lots, per = instrument.quantity_ratio
    return Candle(
        time_ms=_milliseconds(bar.ts_event),
        open=bar.open * numerator / denominator,
        high=bar.high * numerator / denominator,
        low=bar.low * numerator / denominator,
        close=bar.close * numerator / denominator,
        volume=bar.volume * lots / per,
        columns={
            label: float(value) if math.isfinite(value) else None
            for label, value in row.columns.items()
        },
    )


def _equity_point(row: EquityRow) -> EquityPoint:
    return EquityPoint(
        time_ms=_milliseconds(row.ts),
        equity=row.equity / UNITS_PER_CURRENCY,
        benchmark=row.benchmark / UNITS_PER_CURRENCY,
        drawdown_percent=100.0 * row.drawdown,
    )


def _equity(reading: Reading) -> EquitySeries:
    return EquitySeries(
        initial=None if reading.equity_initial is None else to_decimal(reading.equity_initial),
        currency=reading.heading.currency,
        points=[_equity_point(row) for row in reading.equity],
    )


def _risk(instrument: Instrument, held: Position, close: int | None) -> int | None:
    if held.stop_ticks is None or close is None:
        return None
    return max(0, _money_of(instrument, close - held.stop_ticks, held.lots))


def _status(reading: Reading) -> Status:
    now, initial, opening = reading.equity_now, reading.equity_initial, reading.equity_day
    risks = [
        _risk(reading.instruments[held.instrument], held, reading.closes.get(held.instrument))
        for held in reading.positions
        if held.instrument in reading.instruments
    ]
    open_risk = sum(risk for risk in risks if risk is not None)
    change = reading.state_change
    day = None if now is None or opening is None else now - opening
    total = None if now is None or initial is None else now - initial
    return Status(
        mode=reading.heading.mode,
        state=reading.state,
        state_since_ms=None if change is None else _milliseconds(change.ts),
        state_actor="" if change is None else change.fact.actor,
        state_reason="" if change is None else change.fact.reason,
        strategy=reading.heading.strategy,
        timeframe=reading.heading.timeframe,
        currency=reading.heading.currency,
        sequence=reading.sequence,
        equity=None if now is None else to_decimal(now),
        day_pnl=None if day is None else to_decimal(day),
        day_pnl_percent=None if day is None else _percent(day, opening or 0),
        total_pnl=None if total is None else to_decimal(total),
        total_pnl_percent=None if total is None else _percent(total, initial or 0),
        benchmark_percent=benchmark_percent(reading),
        drawdown_percent=None if now is None else 100.0 * reading.drawdown,
        max_drawdown_percent=None if now is None else 100.0 * reading.max_drawdown,
        open_risk=to_decimal(open_risk),
        open_risk_percent=None if now is None else _percent(open_risk, now),
        unprotected=sum(risk is None for risk in risks),
        feed_live=reading.feed.live,
        feed_detail=reading.feed.detail,
        feed_received_ms=_milliseconds(reading.ts_received) or None,
        market_time_ms=_milliseconds(reading.ts_market) or None,
        server_time_ms=_milliseconds(reading.now),
        defects=reading.defects,
        indicators=_indicators(reading.heading.indicators),
        book=reading.heading.book,
    )


def benchmark_percent(reading: Reading) -> float | None:
    """Return the benchmark's return since the start of trading, in percent."""
    initial = reading.equity_initial
    return None if not initial else 100.0 * (reading.benchmark / initial - 1.0)


def _indicators(labels: Iterable[str]) -> list[Indicator]:
    """Return what is drawn besides the bars, and where."""
    found = []
    for label in labels:
        name = label.partition("@")[0].partition("(")[0]
        longer = "@" in label
        if name in _BAR_COLUMNS and not longer:
            continue
        if name in _PRICE_COLUMNS or name.startswith("bollinger_") or (longer and name in _PRICES):
            found.append(Indicator(label=label, pane="price"))
        else:
            found.append(Indicator(label=label, pane="volume" if "volume" in name else "own"))
    return found


def _position(instrument: Instrument, held: Position, close: int | None) -> PositionView:
    value = None if close is None else _money_of(instrument, close, held.lots)
    gain = None if value is None else value - held.cost
    risk = _risk(instrument, held, close)
    return PositionView(
        strategy=held.strategy,
        instrument=held.instrument,
        side=Side.BUY if held.lots > 0 else Side.SELL,
        quantity=instrument.quantity(abs(held.lots)),
        entry_price=_price_of(instrument, held.cost, held.lots),
        mark_price=None if close is None else instrument.price(close),
        value=None if value is None else to_decimal(abs(value)),
        unrealised=None if gain is None else to_decimal(gain),
        unrealised_percent=None if gain is None else _percent(gain, abs(held.cost)),
        realised=to_decimal(held.realized),
        fees=to_decimal(held.fees),
        stop_price=_price(instrument, held.stop_ticks),
        target_price=_price(instrument, held.target_ticks),
        risk=None if risk is None else to_decimal(risk),
        opened_ms=_milliseconds(held.ts_opened),
        client_id=held.client_id,
    )


def _price(instrument: Instrument, ticks: int | None) -> Decimal | None:
    return None if ticks is None else instrument.price(ticks)


def _average(instrument: Instrument, value: int, lots: int) -> Decimal:
    price = instrument.tick_size * value / lots
    return price.quantize(instrument.tick_size.normalize() * Decimal("0.01"))


def _order(instrument: Instrument, order: OrderRecord) -> OrderView:
    intent = order.intent
    filled = order.filled_lots
    return OrderView(
        client_id=intent.client_id,
        strategy=intent.strategy,
        instrument=intent.instrument,
        side=intent.side,
        leg=intent.leg,
        order_type=intent.order_type,
        state=order.state,
        quantity=instrument.quantity(intent.lots),
        filled=instrument.quantity(filled),
        average_price=_average(instrument, order.filled_value, filled) if filled else None,
        limit_price=_price(instrument, intent.limit_ticks),
        fees=to_decimal(order.fees),
        decided_ms=_milliseconds(intent.ts_decided),
        updated_ms=_milliseconds(order.ts_updated),
        reason=order.reason or intent.reason,
    )


def _leg(client_id: str) -> Leg | None:
    letter = client_id.rpartition("-")[2]
    return Leg(letter) if letter in {leg.value for leg in Leg} else None


def _fill(instrument: Instrument, fact: OrderExecuted) -> FillView:
    fill = fact.fill
    return FillView(
        trade_id=fill.trade_id,
        client_id=fill.client_id,
        strategy=fact.strategy,
        instrument=fill.instrument,
        side=fill.side,
        leg=_leg(fill.client_id),
        quantity=instrument.quantity(fill.lots),
        price=instrument.price(fill.ticks),
        fee=to_decimal(fill.fee),
        slippage_ticks=fact.slippage_ticks,
        time_ms=_milliseconds(fill.ts_event),
    )


def _trade(number: int, instrument: Instrument, trade: Trade) -> TradeView:
    cost = abs(_money_of(instrument, trade.entry_value, 1))
    return TradeView(
        id=number,
        strategy=trade.strategy,
        instrument=trade.instrument,
        side=trade.side,
        quantity=instrument.quantity(trade.lots),
        entry_ms=_milliseconds(trade.ts_entry),
        exit_ms=_milliseconds(trade.ts_exit),
        entry_price=_average(instrument, trade.entry_value, trade.entry_lots),
        exit_price=_average(instrument, trade.exit_value, trade.exit_lots),
        fees=to_decimal(trade.fees),
        pnl=to_decimal(trade.pnl),
        pnl_percent=_percent(trade.pnl, cost),
        exit_reason=trade.exit_reason,
    )


def _signal(number: int, row: SignalRow) -> SignalView:
    signal = row.signal
    return SignalView(
        id=number,
        strategy=signal.strategy,
        instrument=signal.instrument,
        direction=signal.direction,
        confidence=signal.confidence,
        reason=signal.reason,
        trigger=signal.trigger_type,
        status=row.status,
        flow=list(row.flow),
        time_ms=_milliseconds(signal.ts_known),
    )


def _refusal(number: int, row: Timed[SignalRejected]) -> RefusalView:
    fact, signal = row.fact, row.fact.signal
    return RefusalView(
        id=number,
        strategy=signal.strategy,
        instrument=signal.instrument,
        direction=signal.direction,
        confidence=signal.confidence,
        reason=signal.reason,
        rule=fact.rule,
        limit=fact.limit,
        value=fact.value,
        message=fact.message,
        time_ms=_milliseconds(row.ts),
    )


def _alert(number: int, row: Timed[AlertLogged]) -> AlertView:
    fact = row.fact
    return AlertView(
        id=number,
        severity=fact.severity,
        code=fact.code,
        message=fact.message,
        instrument=fact.instrument,
        time_ms=_milliseconds(row.ts),
    )

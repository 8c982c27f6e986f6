"""What one running trader shows: bounded, in memory, fed by outcomes, read by the page.

The trading thread calls `LiveView.publish` and must not be held up, so a step only files raw
domain values; prices, percentages and text are made by whoever reads (`app.page.queries`). A reader
takes a `Reading`: everything, or what is new since its `Cursor`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

from tidewright.app.page.books import BookBoard
from tidewright.app.page.curve import DayRow, EquityCurve, EquityRow, Ring
from tidewright.app.page.read_models import Mode, SignalStatus
from tidewright.domain.events import (
    DatumQuarantined,
    FeedStatus,
    InstrumentDefined,
    Slice,
    TradingState,
    TradingWindow,
)
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderExecuted,
    OrderPlaced,
    OrderUpdated,
    Outcome,
    PositionUpdated,
    RiskChecked,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import OrderRecord
from tidewright.domain.portfolio import Position, Trade
from tidewright.domain.signals import Signal
from tidewright.domain.time import DAY

T = TypeVar("T")

Columns = Callable[[str], Mapping[str, float]]
"""Instrument id -> indicator values after the latest step, in a mapping of its own."""

BAR_LIMIT = 1_500
ITEM_LIMIT = 500


class BarRow(NamedTuple):
    """A bar and the indicator values known at its close."""

    bar: Bar
    columns: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal, what became of it in its step, and the names of the events that led there."""

    signal: Signal
    status: SignalStatus
    flow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """A fact and the time of the slice that led to it."""

    ts: int
    fact: T


class PastMoment(NamedTuple):
    """Equity of a time before this start, and the closes then known."""

    ts: int
    equity: int
    closes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Past:
    """What a trader did before it was started again.

    Parameters
    ----------
    curve : sequence of PastMoment
        Evenly spaced moments since the start of trading, oldest first.
    stride : int
        Steps from one moment to the next.
    bars : mapping of str to sequence of BarRow
        Latest bars of each instrument.
    whole : bool
        Whether ``bars`` go back to the first one ever.
    facts : sequence of (int, sequence of Fact)
        Time and facts of the latest steps that decided something.
    totals : Totals or None
        Sums over all trades of the run; None takes those among ``facts``.
    counts : mapping of str to int
        How many fills, trades, signals, refusals and alerts there were in all, where known.
    """

    curve: Sequence[PastMoment] = ()
    stride: int = 1
    bars: Mapping[str, Sequence[BarRow]] = field(default_factory=dict)
    whole: bool = True
    facts: Sequence[tuple[int, Sequence[Fact]]] = ()
    totals: Totals | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all trades of the run, in money units where they are money."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    gross_profit: int = 0
    gross_loss: int = 0
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """How many items of each series a reader has seen."""

    bars: Mapping[str, int]
    equity: tuple[int, int]
    orders: int
    fills: int
    trades: int
    signals: int
    refusals: int
    alerts: int


_START = Cursor({}, (-1, 0), 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent look at the view.

    Items are numbered: (number, item), oldest first. ``equity_whole`` tells that ``equity`` is
    the whole series and not what is new. ``lost`` tells that items between the cursor and the
    oldest one held are gone, so the reader needs a full reading.
    """

    heading: Heading
    sequence: int
    ts_market: int
    ts_received: int
    now: int
    state: TradingState
    state_change: Timed[TradingStateChanged] | None
    feed: FeedStatus
    defects: int
    instruments: Mapping[str, Instrument]
    closes: Mapping[str, int]
    day_opens: Mapping[str, int]
    equity_now: int | None
    equity_initial: int | None
    equity_day: int | None
    benchmark: float
    drawdown: float
    max_drawdown: float
    positions: tuple[Position, ...]
    totals: Totals
    days: tuple[DayRow, ...]
    bars: Mapping[str, tuple[tuple[int, BarRow], ...]]
    forming: Mapping[str, Bar]
    equity: tuple[EquityRow, ...]
    equity_whole: bool
    orders: tuple[tuple[int, OrderRecord], ...]
    fills: tuple[tuple[int, OrderExecuted], ...]
    trades: tuple[tuple[int, Trade], ...]
    signals: tuple[tuple[int, SignalRow], ...]
    refusals: tuple[tuple[int, Timed[SignalRejected]], ...]
    alerts: tuple[tuple[int, Timed[AlertLogged]], ...]
    counts: Cursor
    lost: bool


class _Series:
    """Bars of one instrument and its part in the benchmark."""

    __slots__ = ("close", "day_open", "midnight", "rows", "weight")

    def __init__(self) -> None:
        self.rows: Ring[BarRow] = Ring(BAR_LIMIT)
        self.close = 0
        self.midnight = 0
        self.day_open = 0
        self.weight = 0.0


@dataclass(frozen=True, slots=True)
class Heading:
    """What does not change while a trader runs.

    Parameters
    ----------
    mode : Mode
        Whose money and whose prices.
    strategy, timeframe : str
        What trades, and on which bars; bars of other timeframes only move the clock.
    currency : str
        Of the account; empty takes the quote currency of the first instrument.
    indicators : tuple of str
        Labels of the strategy's columns in the order in which they are drawn.
    book : bool
        Whether the feed has order books that can be looked at.
    """

    mode: Mode
    strategy: str
    timeframe: str
    currency: str = ""
    indicators: tuple[str, ...] = ()
    book: bool = False


class LiveView:
    """The state of one running trader as the page shows it; an `OutcomeSink`.

    Parameters
    ----------
    instruments : sequence of Instrument
        The universe; the benchmark holds it in equal parts.
    heading : Heading
        Mode, strategy, timeframe, currency and indicators.
    columns : callable
        Indicator values of an instrument, read right after each step in the trading thread; the
        mapping it returns is kept and must not change later.
    trading_start : int
        Nanoseconds UTC; equity before it is warm-up and is left out. A `TradingWindow` moves it.
    clock : callable
        Wall clock, nanoseconds UTC.

    Attributes
    ----------
    books : BookBoard
        Order books, where the feed has them.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        heading: Heading,
        *,
        columns: Columns | None = None,
        trading_start: int = 0,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self.books = BookBoard()
        self._instruments = {instrument.id: instrument for instrument in instruments}
        self._series = {name: _Series() for name in self._instruments}
        currency = heading.currency or next((i.quote for i in instruments), "")
        self._heading = replace(heading, currency=currency)
        self._timeframe = heading.timeframe
        self._columns: Columns = columns or _no_columns
        self._start = trading_start
        self._clock = clock
        self._lock = threading.Lock()
        self._watchers: tuple[Callable[[], None], ...] = ()
        self._sequence = self._market = self._received = self._defects = 0
        self._state = TradingState.ACTIVE
        self._state_change: Timed[TradingStateChanged] | None = None
        self._feed = FeedStatus(live=True, detail="")
        self._equity = EquityCurve()
        self._totals = Totals()
        self._forming: dict[str, Bar] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._working: dict[str, OrderRecord] = {}
        self._orders: Ring[OrderRecord] = Ring(ITEM_LIMIT)
        self._fills: Ring[OrderExecuted] = Ring(ITEM_LIMIT)
        self._trades: Ring[Trade] = Ring(ITEM_LIMIT)
        self._signals: Ring[SignalRow] = Ring(ITEM_LIMIT)
        self._refusals: Ring[Timed[SignalRejected]] = Ring(ITEM_LIMIT)
        self._alerts: Ring[Timed[AlertLogged]] = Ring(ITEM_LIMIT)

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step; see `OutcomeSink`."""
        with self._lock:
            self._received = self._clock()
            self._market = slice_.ts_known
            self._sequence = outcome.sequence
            for event in slice_.events:
                if type(event) is Bar:
                    self._observe(event)
                else:
                    self._control(event)
            if outcome.ts_known >= self._start:
                self._note_equity(outcome.ts_known, outcome.equity)
            if outcome.facts:
                self._note(outcome.ts_known, outcome.facts)
        if self._watchers:
            self._wake()

    def forming(self, instrument: str, bar: Bar) -> None:
        """Show a candle that is still moving; the finished bar replaces it."""
        with self._lock:
            self._forming[instrument] = bar
            self._received = self._clock()
        if self._watchers:
            self._wake()

    def restore(
        self,
        *,
        state: TradingState,
        positions: Iterable[Position] = (),
        orders: Iterable[OrderRecord] = (),
        trades: Iterable[Trade] = (),
    ) -> None:
        """Start from what a restarted trader already holds."""
        with self._lock:
            self._state = state
            for position in positions:
                self._positions[position.strategy, position.instrument] = position
            for order in orders:
                self._order(order)
            for trade in trades:
                self._trade(trade)

    def recall(self, past: Past) -> None:
        """Begin with what a trader did before this start; ignored once steps were published."""
        with self._lock:
            if self._sequence:
                return
            for moment in past.curve:
                for name, close in moment.closes.items():
                    if name in self._series:
                        self._reprice(self._series[name], close)
                if moment.ts >= self._start:
                    self._note_equity(moment.ts, moment.equity)
                    self._equity.filled = past.stride
            self._equity.stride = past.stride
            for name, rows in past.bars.items():
                if name in self._series:
                    self._remember(self._series[name], rows, whole=past.whole)
            for ts, facts in past.facts:
                self._note(ts, facts)
            self._totals = past.totals or self._totals
            for name, ring in self._rings().items():
                ring.total = max(ring.total, past.counts.get(name, 0))

    def _remember(self, series: _Series, rows: Sequence[BarRow], *, whole: bool) -> None:
        for row in rows:
            series.rows.append(row)
        if not rows:
            return
        self._reprice(series, rows[-1].bar.close)
        series.midnight = (rows[-1].bar.ts_event // DAY + 1) * DAY
        today = next(row.bar for row in rows if row.bar.ts_event >= series.midnight - DAY)
        # The first bar of the day may be older than what is held: then its price is unknown.
        known = whole or today is not rows[0].bar or today.ts_event % DAY == 0
        series.day_open = today.open if known else 0

    def _rings(self) -> Mapping[str, Ring[Any]]:
        return {
            "fills": self._fills,
            "trades": self._trades,
            "signals": self._signals,
            "refusals": self._refusals,
            "alerts": self._alerts,
        }

    def watch(self, callback: Callable[[], None]) -> None:
        """Call back once at the next change, from the thread that made it."""
        with self._lock:
            self._watchers = (*self._watchers, callback)

    def unwatch(self, callback: Callable[[], None]) -> None:
        """Forget a callback, if it still waits."""
        with self._lock:
            self._watchers = tuple(kept for kept in self._watchers if kept != callback)

    def snapshot(self, since: Cursor | None = None) -> Reading:
        """Return one consistent look: everything held, or what is new since ``since``.

        A full reading leaves out the bars; `bars` gives those of one instrument.
        """
        with self._lock:
            return self._read(since)

    def bars(self, instrument: str, limit: int) -> tuple[BarRow, ...] | None:
        """Return the latest bars of an instrument, oldest first; None if it is not traded here."""
        with self._lock:
            series = self._series.get(instrument)
            return None if series is None else tuple(series.rows.items)[-limit:]

    def _wake(self) -> None:
        with self._lock:
            waiting, self._watchers = self._watchers, ()
        for callback in waiting:
            callback()

    def _observe(self, bar: Bar) -> None:
        series = self._series.get(bar.instrument)
        if series is None or bar.timeframe != self._timeframe:
            return
        series.rows.append(BarRow(bar, self._columns(bar.instrument)))
        self._reprice(series, bar.close)
        if bar.ts_event >= series.midnight:
            series.midnight = (bar.ts_event // DAY + 1) * DAY
            series.day_open = bar.open
        if self._forming:
            self._forming.pop(bar.instrument, None)

    def _reprice(self, series: _Series, close: int) -> None:
        if series.weight:
            self._equity.benchmark += series.weight * (close - series.close)
        elif self._equity.initial is not None:
            self._buy(series, close)
        series.close = close

    def _note_equity(self, ts: int, equity: int) -> None:
        if self._equity.initial is None and equity > 0:
            self._begin(equity)
        if self._equity.initial is not None:
            self._equity.note(ts, equity)

    def _begin(self, equity: int) -> None:
        self._equity.initial = self._equity.peak = equity
        self._equity.benchmark = float(equity)
        for series in self._series.values():
            if series.close:
                self._buy(series, series.close)

    def _buy(self, series: _Series, close: int) -> None:
        if close > 0 and self._equity.initial is not None:
            series.weight = self._equity.initial / len(self._series) / close

    def _control(self, event: object) -> None:
        if isinstance(event, FeedStatus):
            self._feed = event
        elif isinstance(event, DatumQuarantined):
            self._defects += 1
        elif isinstance(event, TradingWindow):
            self._start = max(self._start, event.start)
        elif isinstance(event, InstrumentDefined):
            self._instruments[event.instrument.id] = event.instrument
            self._series.setdefault(event.instrument.id, _Series())

    def _note(self, ts: int, facts: Sequence[Fact]) -> None:
        for fact in facts:
            match fact:
                case OrderPlaced(order) | OrderUpdated(order):
                    self._order(order)
                case OrderExecuted():
                    self._fills.append(fact)
                case PositionUpdated(position):
                    self._position(position)
                case TradeClosed(trade):
                    self._trade(trade)
                case SignalRejected():
                    self._refusals.append(Timed(ts, fact))
                case AlertLogged():
                    self._alerts.append(Timed(ts, fact))
                case TradingStateChanged():
                    self._state = fact.after
                    self._state_change = Timed(ts, fact)
        for row in _signal_rows(facts):
            self._signals.append(row)

    def _order(self, order: OrderRecord) -> None:
        self._orders.append(order)
        if order.state.is_final:
            self._working.pop(order.intent.client_id, None)
        else:
            self._working[order.intent.client_id] = order

    def _position(self, position: Position) -> None:
        key = position.strategy, position.instrument
        if position.lots:
            self._positions[key] = position
        else:
            self._positions.pop(key, None)

    def _trade(self, trade: Trade) -> None:
        self._trades.append(trade)
        sums = self._totals
        self._totals = Totals(
            sums.trades + 1,
            sums.wins + (trade.pnl > 0),
            sums.losses + (trade.pnl < 0),
            sums.gross_profit + max(trade.pnl, 0),
            sums.gross_loss - min(trade.pnl, 0),
            sums.fees + trade.fees,
        )

    def _counts(self) -> Cursor:
        return Cursor(
            {name: series.rows.total for name, series in self._series.items()},
            (self._equity.epoch, len(self._equity.rows)),
            self._orders.total,
            self._fills.total,
            self._trades.total,
            self._signals.total,
            self._refusals.total,
            self._alerts.total,
        )

    def _read(self, since: Cursor | None) -> Reading:
        seen = since or _START
        equity, whole = self._equity.since(seen.equity)
        known = self._equity.initial is not None
        days = (*self._equity.days, self._today()) if known else ()
        return Reading(
            heading=self._heading,
            sequence=self._sequence,
            ts_market=self._market,
            ts_received=self._received,
            now=self._clock(),
            state=self._state,
            state_change=self._state_change,
            feed=self._feed,
            defects=self._defects,
            instruments=dict(self._instruments),
            closes={name: s.close for name, s in self._series.items() if s.close},
            day_opens={name: s.day_open for name, s in self._series.items() if s.close},
            equity_now=self._equity.now if known else None,
            equity_initial=self._equity.initial,
            equity_day=self._equity.opening if known else None,
            benchmark=self._equity.benchmark,
            drawdown=self._equity.drawdown,
            max_drawdown=self._equity.max_drawdown,
            positions=tuple(self._positions.values()),
            totals=self._totals,
            days=days if since is None else (),
            bars=self._new_bars(seen) if since else {},
            forming=dict(self._forming),
            equity=equity,
            equity_whole=whole,
            orders=self._order_rows(since),
            fills=self._fills.since(seen.fills),
            trades=self._trades.since(seen.trades),
            signals=self._signals.since(seen.signals),
            refusals=self._refusals.since(seen.refusals),
            alerts=self._alerts.since(seen.alerts),
            counts=self._counts(),
            lost=since is not None and self._lost(since),
        )

    def _today(self) -> DayRow:
        return DayRow(self._equity.day, self._equity.opening, self._equity.now)

    def _new_bars(self, seen: Cursor) -> dict[str, tuple[tuple[int, BarRow], ...]]:
        found = {
            name: series.rows.since(seen.bars.get(name, 0)) for name, series in self._series.items()
        }
        return {name: rows for name, rows in found.items() if rows}

    def _order_rows(self, since: Cursor | None) -> tuple[tuple[int, OrderRecord], ...]:
        if since is not None:
            return self._orders.since(since.orders)
        latest = {order.intent.client_id: (n, order) for n, order in self._orders.since(0)}
        for client_id, order in self._working.items():
            latest.setdefault(client_id, (-1, order))
        return tuple(sorted(latest.values(), key=lambda pair: pair[0]))

    def _lost(self, seen: Cursor) -> bool:
        return any(
            ring.total - count > len(ring.items)
            for ring, count in (
                (self._orders, seen.orders),
                (self._fills, seen.fills),
                (self._trades, seen.trades),
                (self._signals, seen.signals),
                (self._refusals, seen.refusals),
                (self._alerts, seen.alerts),
            )
        )


def _no_columns(_instrument: str) -> Mapping[str, float]:
    return {}


def _signal_rows(facts: Sequence[Fact]) -> list[SignalRow]:
    signals = [fact.signal for fact in facts if isinstance(fact, SignalGenerated)]
    if not signals:
        return []
    refused = {fact.signal for fact in facts if isinstance(fact, SignalRejected)}
    approved = {
        (fact.intent.strategy, fact.intent.instrument)
        for fact in facts
        if isinstance(fact, RiskChecked) and fact.approved
    }
    rows = []
    for signal in signals:
        status = SignalStatus.NOTED
        if signal in refused:
            status = SignalStatus.REFUSED
        elif (signal.strategy, signal.instrument) in approved:
            status = SignalStatus.APPROVED
        flow = tuple(fact.EVENT for fact in facts if _is_about(fact, signal))
        rows.append(SignalRow(signal, status, flow))
    return rows


def _is_about(fact: Fact, signal: Signal) -> bool:
    """Return whether a fact of the signal's own step follows from it."""
    match fact:
        case SignalGenerated(found):
            return found is signal
        case SignalRejected(found):
            return found == signal
        case RiskChecked(intent):
            return (intent.strategy, intent.instrument) == (signal.strategy, signal.instrument)
        case OrderPlaced(order):
            intent = order.intent
            return (intent.strategy, intent.instrument) == (signal.strategy, signal.instrument)
        case AlertLogged():
            return fact.instrument == signal.instrument
    return False

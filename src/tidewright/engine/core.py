"""The decision core: ``Engine.step(sequence, slice) -> Outcome``.

One step handles the events of one slice in the order in which the slice holds them, then due
timers, then evaluates every instrument that gained a bar, once. It reads no clock, draws no random
number and does no I/O: two engines built from equal configurations and given equal slices give
equal outcomes, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tidewright.domain import events as ev
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import (
    AlertLogged,
    CancelOrder,
    Command,
    Fact,
    OrderExecuted,
    Outcome,
    PositionUpdated,
    Severity,
    TradeClosed,
)
from tidewright.domain.market import Bar
from tidewright.domain.orders import STOPS, TARGETS, Fill, Leg, OrderRecord
from tidewright.engine.config import EngineConfig
from tidewright.engine.decide import Decider
from tidewright.engine.portfolio import Holding
from tidewright.engine.series import Series, Track
from tidewright.engine.state import EngineState


class Engine:
    """Decides everything, from inputs alone.

    Parameters
    ----------
    config : EngineConfig
        Strategies, limits and identities.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.state = EngineState(config)
        self._touched: list[tuple[Track, Series]] = []
        self._decider = Decider(self.state)
        self._handlers: dict[type, Callable[[Any, list[Fact], list[Command]], None]] = {
            ev.Started: self._on_started,
            ev.OperatorCommand: self._on_operator,
            ev.InstrumentDefined: self._on_instrument,
            ev.TradingWindow: self._on_window,
            ev.FeedStatus: self._on_feed_status,
            ev.ClockJumped: self._on_clock_jump,
            ev.ScoreObserved: self._on_score,
            ev.DatumQuarantined: self._on_quarantine,
            ev.ClockTick: self._on_tick,
            ev.AccountReported: self._on_account,
            ev.BorrowCharged: self._on_borrow,
        }

    @property
    def config(self) -> EngineConfig:
        """What it was built from."""
        return self.state.config

    def step(self, sequence: int, slice_: ev.Slice) -> Outcome:
        """Handle one slice and return what was decided.

        Parameters
        ----------
        sequence : int
            Journal sequence of the input; part of the client ids of orders that follow from it.
        slice_ : Slice
            Events that became known at one moment.

        Raises
        ------
        DataIntegrityError
            If time goes back or stored facts contradict each other.
        """
        state = self.state
        ts = slice_.ts_known
        if ts < state.ts_known:
            raise DataIntegrityError(
                f"slice {sequence} was known at {ts}; expected no earlier than {state.ts_known}"
            )
        state.sequence, state.ts_known = sequence, ts
        facts: list[Fact] = []
        commands: list[Command] = []
        touched = self._touched
        touched.clear()
        orders = state.orders
        bars = False
        for event in slice_.events:
            if type(event) is Bar:
                if not bars:
                    bars = True
                    if 0 < orders.next_due <= ts:
                        self._fire_timers(ts, facts, commands)
                self.take_bar(event, facts)
            else:
                handler = self._handlers.get(type(event), self._on_venue)
                handler(event, facts, commands)
        equity = state.equity()
        if bars:
            state.sections.update(touched)
            facts += state.gate.mark(ts, equity)
            window = state.window
            inside = window.start <= ts and (ts < window.end or not window.end)
            if inside or state.portfolio.holdings:
                self._decider.evaluate(touched, equity, facts, commands, entries_open=inside)
        elif 0 < orders.next_due <= ts:
            self._fire_timers(ts, facts, commands)
        if facts:
            self._cancel_entries_when_halted(facts, commands)
        return Outcome(sequence, ts, equity, tuple(facts), tuple(commands), orders.next_due)

    def take_bar(self, bar: Bar, facts: list[Fact]) -> None:
        """Take a bar into marks and columns, or leave it out and say why."""
        track = self.state.tracks.get(bar.instrument)
        if track is None:
            facts.append(_ignored(bar, "UNKNOWN_INSTRUMENT", "its instrument is not defined"))
        elif bar.ts_event <= track.last_event:
            facts.append(_ignored(bar, "LATE_BAR", "a bar of that time or later was already used"))
        elif bar.timeframe != self.state.config.feed_timeframe:
            facts.append(_ignored(bar, "TIMEFRAME", "the feed carries another timeframe"))
        else:
            track.accept(bar, self._touched)
            self.state.marks[bar.instrument] = bar.close

    def end_of_bars(self) -> None:
        """Close a slice whose bars were taken without deciding anything."""
        self.state.sections.update(self._touched)
        self._touched.clear()

    def take(self, event: ev.Event, facts: list[Fact]) -> list[Command]:
        """Take any event that is no bar, and return the commands that follow from it."""
        commands: list[Command] = []
        self._handlers.get(type(event), self._on_venue)(event, facts, commands)
        return commands

    def _on_venue(self, event: ev.VenueEvent, facts: list[Fact], commands: list[Command]) -> None:
        venue_sequence = getattr(event, "venue_sequence", 0)
        self.state.venue_sequence = max(self.state.venue_sequence, venue_sequence)
        applied = self.state.orders.apply(event, self.state.ts_known)
        facts += applied.facts
        if isinstance(event, (ev.AnswerLost, ev.OrderRejected, ev.OrderAccepted)):
            definite = isinstance(event, ev.OrderAccepted)
            facts += self.state.gate.venue_answer(definite, self.state.ts_known)
        if applied.fill is not None and applied.order is not None:
            self.book(applied.fill, applied.order, facts)
        elif applied.order is not None:
            holding = self.state.portfolio.holdings.get(applied.order.intent.instrument)
            if holding is None:
                return
            if holding.in_parts:
                self._show_nearest(holding, facts)
            elif isinstance(event, ev.StopMoved):
                holding.stop_ticks = event.stop_ticks
                facts.append(PositionUpdated(holding.position()))

    def _show_nearest(self, holding: Holding, facts: list[Fact]) -> None:
        """Show the nearest stop and target that work for a position in parts."""
        sign = 1 if holding.lots > 0 else -1
        stops, targets = [], []
        for order in self.state.orders.working_for(holding.instrument):
            leg, price = order.intent.leg, order.intent.reference_ticks
            if leg in STOPS:
                stops.append(sign * price)
            elif leg in TARGETS:
                targets.append(sign * price)
        stop = sign * max(stops) if stops else None
        target = sign * min(targets) if targets else None
        if (stop, target) != (holding.stop_ticks, holding.target_ticks):
            holding.stop_ticks, holding.target_ticks = stop, target
            facts.append(PositionUpdated(holding.position()))

    def book(self, fill: Fill, order: OrderRecord, facts: list[Fact]) -> None:
        """Book a fill into the portfolio and tell risk of a trade that closed."""
        track = self.state.tracks[fill.instrument]
        booking = self.state.portfolio.book(fill, order.intent, track.instrument, track.bars)
        slippage = fill.side.sign * (fill.ticks - order.intent.reference_ticks)
        facts.append(
            OrderExecuted(fill, order.intent.strategy, self.state.portfolio.cash, slippage)
        )
        facts.append(PositionUpdated(booking.position))
        facts += self.state.gate.fill_booked(
            fill, order.intent.reference_ticks, self.state.ts_known
        )
        if booking.trade is not None:
            facts.append(TradeClosed(booking.trade))
            self.state.note_trade(booking.trade)
            facts += self.state.gate.trade_closed(booking.trade, self.state.ts_known)

    def _fire_timers(self, ts: int, facts: list[Fact], commands: list[Command]) -> None:
        due_facts, due_commands = self.state.orders.due(ts)
        facts += due_facts
        commands += due_commands

    def _cancel_entries_when_halted(self, facts: list[Fact], commands: list[Command]) -> None:
        if self.state.gate.trading_state is not ev.TradingState.HALTED:
            return
        leaving = {command.client_id for command in commands if isinstance(command, CancelOrder)}
        for order in self.state.orders.working():
            if order.intent.leg is Leg.ENTRY and order.intent.client_id not in leaving:
                self.state.cancel(order.intent.client_id, facts, commands)

    def _on_started(self, event: ev.Started, facts: list[Fact], commands: list[Command]) -> None:
        self.state.feed_live = True
        lost_facts, lost_commands = self.state.orders.recover(self.state.ts_known)
        facts += lost_facts
        commands += lost_commands
        own = {setup.strategy.name for setup in self.state.config.strategies}
        facts += [
            AlertLogged(
                Severity.WARNING,
                "POSITION_WITHOUT_STRATEGY",
                f"{holding.instrument} is held for {holding.strategy!r}, which does not run; only "
                "its protective orders will close it.",
                holding.instrument,
            )
            for holding in self.state.portfolio.holdings.values()
            if holding.strategy not in own
        ]

    def _on_operator(
        self, event: ev.OperatorCommand, facts: list[Fact], commands: list[Command]
    ) -> None:
        facts += self.state.gate.operator(event, self.state.ts_known)

    def _on_instrument(
        self, event: ev.InstrumentDefined, facts: list[Fact], commands: list[Command]
    ) -> None:
        self.state.define(event.instrument)

    def _on_window(
        self, event: ev.TradingWindow, facts: list[Fact], commands: list[Command]
    ) -> None:
        self.state.window = event

    def _on_feed_status(
        self, event: ev.FeedStatus, facts: list[Fact], commands: list[Command]
    ) -> None:
        self.state.feed_live = event.live
        severity = Severity.INFO if event.live else Severity.WARNING
        facts.append(
            AlertLogged(severity, "FEED_LIVE" if event.live else "FEED_STALE", event.detail)
        )

    def _on_clock_jump(
        self, event: ev.ClockJumped, facts: list[Fact], commands: list[Command]
    ) -> None:
        facts.append(
            AlertLogged(
                Severity.WARNING,
                "CLOCK_JUMPED",
                f"The machine's clock moved by {event.offset / 1e9:+.3f} s; "
                "intervals are measured by the monotonic clock and are not affected.",
            )
        )

    def _on_score(
        self, event: ev.ScoreObserved, facts: list[Fact], commands: list[Command]
    ) -> None:
        self.state.scores[event.name, event.instrument] = event.value

    def _on_quarantine(
        self, event: ev.DatumQuarantined, facts: list[Fact], commands: list[Command]
    ) -> None:
        defect = event.defect
        facts.append(
            AlertLogged(
                Severity.WARNING,
                "DATUM_QUARANTINED",
                f"{defect.rule}: {defect.detail}",
                defect.instrument,
            )
        )

    def _on_tick(self, event: ev.ClockTick, facts: list[Fact], commands: list[Command]) -> None:
        pass

    def _on_borrow(
        self, event: ev.BorrowCharged, facts: list[Fact], commands: list[Command]
    ) -> None:
        state = self.state
        state.venue_sequence = max(state.venue_sequence, event.venue_sequence)
        charged = state.portfolio.charge(event)
        if charged is None:
            return
        facts.append(charged)
        holding = state.portfolio.holdings.get(event.instrument)
        if holding is not None:
            facts.append(PositionUpdated(holding.position()))

    def _on_account(
        self, event: ev.AccountReported, facts: list[Fact], commands: list[Command]
    ) -> None:
        state = self.state
        if not state.account_open:
            state.account_open = True
            state.portfolio.open_account(event.cash)
            state.venue_sequence = event.venue_sequence
        elif event.venue_sequence > state.venue_sequence:
            # Something happened since the events were read; it is told with the next ones.
            return
        own = tuple(state.portfolio.positions())
        forgot = event.venue_sequence < state.venue_sequence
        if not forgot and event.cash == state.portfolio.cash and event.positions == own:
            return
        message = (
            f"The venue reports cash {event.cash} and positions {list(event.positions)} after "
            f"event {event.venue_sequence}; the ledger holds cash {state.portfolio.cash} and "
            f"positions {list(own)} after event {state.venue_sequence}. "
            "New exposure is blocked until an operator resumes."
        )
        state.venue_sequence = event.venue_sequence
        facts.append(AlertLogged(Severity.CRITICAL, "LEDGER_MISMATCH", message))
        facts += state.gate.operator(
            ev.OperatorCommand(ev.TradingState.REDUCING, "reconciliation", message),
            state.ts_known,
        )


def _ignored(bar: Bar, code: str, why: str) -> AlertLogged:
    return AlertLogged(
        Severity.WARNING, code, f"Bar of {bar.ts_event} was left out: {why}.", bar.instrument
    )

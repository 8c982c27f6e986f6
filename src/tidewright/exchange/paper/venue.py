"""The paper venue: a broker whose market is the bars that it is shown.

Every answer and every change is one record, applied to the state in memory and written to the log
before the call returns; a crash at any moment leaves either all or nothing of a call. What a bar
does to an order is decided in ``kernels.fills`` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.events import (
    AccountReported,
    BorrowCharged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    StopMoved,
    VenueEvent,
)
from tidewright.domain.facts import CancelOrder, Command, SubmitOrder
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import from_decimal
from tidewright.domain.orders import MAX_PARTS, STOPS, TARGETS, Fill, Leg, OrderIntent, Side
from tidewright.domain.ports import VenueLog
from tidewright.domain.time import DAY
from tidewright.exchange.paper.checks import affordable, exit_trade, is_duplicate, refusal
from tidewright.exchange.paper.records import (
    AccountOpened,
    IdGivenUp,
    InstrumentListed,
    OrderTaken,
    Record,
    TradeMoved,
    read_record,
    write_record,
)
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.exchange.paper.state import Book, VenueState, WorkingTrade
from tidewright.kernels.accounting import borrow_fee
from tidewright.kernels.fills import LegFill, StepResult, TradeState, read_step, step_flat
from tidewright.kernels.parts import PartsStep, PartStep, aggregate, read_parts, step_parts_flat

_OVER = "the position closed"
_TOO_DEAR = "free cash did not cover the price at which the order would have traded"
_NO_PART = (0,) * (len(TradeState._fields) - 1)


class PaperVenue:
    """A simulated venue with its own account and its own durable log.

    Parameters
    ----------
    instruments : sequence of Instrument
        What it trades; instruments of the log that are missing here stay traded as they were.
    settings : PaperSettings
        Costs and imperfections; the opening balance counts for a new log only.
    log : VenueLog
        Its memory; everything is rebuilt from it.
    seed : int
        Seed of the draws of a new log, in [0, 2**63); an old log keeps its own.

    Raises
    ------
    ConfigError
        If the log belongs to an account in another currency.
    DataIntegrityError
        If the log contradicts itself or an instrument changed its steps while in use.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        settings: PaperSettings,
        log: VenueLog,
        seed: int,
    ) -> None:
        self._log = log
        self._state = VenueState()
        self._unwritten: list[Record] = []
        self._failed = False
        for data in log.load():
            self._state.apply(read_record(data))
        self._books: Mapping[str, Book] = self._state.books
        opened = self._state.opened
        if opened is None:
            opened = AccountOpened(seed, from_decimal(settings.initial_balance), settings.currency)
            self._note(opened)
        elif opened.currency != settings.currency:
            raise ConfigError(
                f"the venue's account is in {opened.currency}; the setting was {settings.currency}"
            )
        self._rules = settings.rules(opened.seed)
        self._flat_rules = tuple(self._rules)
        self._settings = settings
        for instrument in instruments:
            book = self._books.get(instrument.id)
            if book is None or book.listing.instrument != instrument:
                self._note(InstrumentListed(instrument))
        self._told = len(self._state.events)
        self._write()

    @property
    def last_sequence(self) -> int:
        """Sequence of the latest event."""
        return len(self._state.events)

    def observe(self, bars: Sequence[Bar]) -> Sequence[VenueEvent]:
        """Meet bars, in their order, and return what happened.

        Bars of instruments that are not traded here and bars already met change nothing.
        """
        books = self._books
        for bar in bars:
            book = books.get(bar.instrument)
            if book is None or bar.ts_known <= book.met:
                continue
            if bar.ts_event >= book.charge_from:
                self._charge(book, bar)
            if book.quiet_low < bar.low and bar.high < book.quiet_high:
                book.met = bar.ts_known
            else:
                self._meet(book, bar)
        return self._write() if self._unwritten else ()

    def execute(self, command: Command) -> Sequence[VenueEvent]:
        """Carry out one command and return its answer."""
        if isinstance(command, SubmitOrder):
            return self.place(command.order.intent)
        if isinstance(command, CancelOrder):
            return self.cancel(command.client_id)
        return self.query(command.client_id)

    def place(self, intent: OrderIntent) -> Sequence[VenueEvent]:
        """Take or refuse an order that reached the venue.

        A client id that was used before is refused with the code ``DUPLICATE``; that answer has
        the sequence 0 and is not kept: it is no part of the history of the order that owns the id.
        """
        self._check_usable()
        state = self._state
        if is_duplicate(state, intent.client_id):
            reason = "the client id was used before; the order was not taken again"
            return (OrderRejected(intent.client_id, "DUPLICATE", reason, intent.ts_decided, 0),)
        refused = refusal(state, intent, self._rules.cost_ppm)
        sequence = state.next_sequence
        if refused is not None:
            self._note(
                OrderRejected(
                    intent.client_id, refused.code, refused.reason, intent.ts_decided, sequence
                )
            )
            return self._write()
        trade = exit_trade(state, intent) if intent.leg is Leg.EXIT else None
        self._note(OrderTaken(intent, trade.entry.client_id if trade else intent.client_id))
        self._accept(intent.client_id, intent.ts_decided)
        return self._write()

    def cancel(self, client_id: str) -> Sequence[VenueEvent]:
        """Cancel an order or a leg; one that works no more answers with its own history."""
        self._check_usable()
        trade_id, leg = self._state.legs.get(client_id, ("", Leg.ENTRY))
        trade = self._state.trades.get(trade_id)
        if trade is None or not _works(trade, leg, client_id):
            return self.query(client_id)
        book = self._state.book_of(trade)
        self._cancel(client_id, "cancelled by the trader", self._now())
        state, parts = _without(trade, leg)
        self._note(TradeMoved(trade_id, state, book.met, parts))
        return self._write()

    def query(self, client_id: str) -> Sequence[VenueEvent]:
        """Return the whole history of an order, or a definite `OrderNotFound`.

        An id that the venue has denied is given up: an order that comes with it later, such as
        one that was delayed on its way, is refused.
        """
        self._check_usable()
        history = self._state.history.get(client_id)
        if history is not None:
            return tuple(history)
        if client_id not in self._state.given_up:
            self._note(IdGivenUp(client_id))
            self._write()
        return (OrderNotFound(client_id, self._now()),)

    def events_since(self, venue_sequence: int) -> Sequence[VenueEvent]:
        """Return the events with a sequence above the given one, in order."""
        self._check_usable()
        return tuple(self._state.events[max(venue_sequence, 0) :])

    def account(self) -> AccountReported:
        """Return cash and positions."""
        self._check_usable()
        account = self._state.account
        positions = tuple((name, account.positions[name][0]) for name in sorted(account.positions))
        return AccountReported(account.cash, positions, self._now(), self.last_sequence)

    def close(self) -> None:
        """Release the log."""
        self._log.close()

    def _note(self, record: Record) -> None:
        self._state.apply(record)
        self._unwritten.append(record)

    def _write(self) -> Sequence[VenueEvent]:
        """Write what is new and return the events in it; without the write nothing is told."""
        self._check_usable()
        if not self._unwritten:
            return ()
        records, self._unwritten = self._unwritten, []
        self._failed = True
        self._log.append([write_record(record) for record in records])
        self._failed = False
        told, self._told = self._told, len(self._state.events)
        return tuple(self._state.events[told:])

    def _check_usable(self) -> None:
        if self._failed:
            raise DataIntegrityError(
                "the venue's log could not be written; expected a restart, which rebuilds the "
                "venue from what was written"
            )

    def _now(self) -> int:
        """Return the latest time that the venue has seen."""
        times = [book.met for book in self._books.values()]
        times += [trade.entry.ts_decided for trade in self._state.trades.values()]
        return max(times, default=0)

    def _charge(self, book: Book, bar: Bar) -> None:
        """Charge for what is owed on the first bar of a UTC day, before anything else in it."""
        listing = book.listing
        rate = self._settings.borrow_ppm(listing.instrument.borrow_rate)
        if rate == 0:
            return
        name, days = bar.instrument, bar.ts_event // DAY - book.charged_day
        lots = -self._state.account.positions[name][0]
        amount = borrow_fee(listing.value(bar.open, lots), rate, days)
        sequence = self._state.next_sequence
        self._note(BorrowCharged(name, lots, bar.open, days, rate, amount, bar.ts_event, sequence))

    def _meet(self, book: Book, bar: Bar) -> None:
        for trade in tuple(book.trades):
            if trade.parts:
                self._advance_parts(book, trade, bar)
            else:
                self._advance(book, trade, bar)
        book.met = bar.ts_known

    def _advance(self, book: Book, trade: WorkingTrade, bar: Bar) -> None:
        before = trade.state
        result = self._step(before, bar)
        entry = result.entry
        if not self._pays(book, entry):
            self._cancel(trade.entry.client_id, _TOO_DEAR, bar.ts_known)
            before = before._replace(entry_lots=0)
            result = self._step(before, bar)
        if result.state == trade.state:
            return
        self._tell_fills(trade, before, result, bar)
        if result.closed:
            self._tell_closed(trade, before, bar.ts_known)
        elif result.expired:
            sequence = self._state.next_sequence
            reason = f"worked for {trade.entry.expire_after_bars} bars"
            self._note(OrderExpired(trade.entry.client_id, reason, bar.ts_known, sequence))
        self._note(TradeMoved(trade.entry.client_id, result.state, bar.ts_known))

    def _pays(self, book: Book, entry: LegFill) -> bool:
        """Return whether the account can pay what an entry would trade."""
        return not entry.lots or affordable(
            self._state, book.listing, entry.ticks, entry.lots, maker=bool(entry.maker)
        )

    def _step(self, state: TradeState, bar: Bar) -> StepResult:
        return read_step(step_flat(tuple(state), _numbers(bar), self._flat_rules))

    def _advance_parts(self, book: Book, trade: WorkingTrade, bar: Bar) -> None:
        """Take a trade in parts through a bar: one entry and exit, legs for each part."""
        before = trade.parts
        result = self._step_parts(before, bar)
        if not self._pays(book, result.entry):
            self._cancel(trade.entry.client_id, _TOO_DEAR, bar.ts_known)
            before = tuple(part._replace(entry_lots=0) for part in before)
            result = self._step_parts(before, bar)
        after = tuple(part.state for part in result.parts[: len(before)])
        if after == trade.parts:
            return
        side, was = trade.entry.side, aggregate(before)
        self._fill(trade, trade.entry.client_id, side, result.entry, bar)
        self._open_legs(trade, before, after, bar)
        if trade.exit is not None:
            self._fill(trade, trade.exit.client_id, side.opposite, result.exit, bar)
        for place, part in enumerate(result.parts[: len(before)]):
            self._tell_part(trade, place, (before[place], part), bar)
        state = aggregate(after)
        if result.closed:
            self._end_orders(trade, was, bar.ts_known)
        else:
            self._tell_rest(trade, was, state, bool(result.expired), bar.ts_known)
        self._note(TradeMoved(trade.entry.client_id, state, bar.ts_known, after))

    def _step_parts(self, parts: Sequence[TradeState], bar: Bar) -> PartsStep:
        first, second = tuple(parts[0]), tuple(parts[1])
        third = tuple(parts[2]) if len(parts) == MAX_PARTS else (first[0], *_NO_PART)
        return read_parts(step_parts_flat(first, second, third, _numbers(bar), self._flat_rules))

    def _open_legs(
        self,
        trade: WorkingTrade,
        before: Sequence[TradeState],
        after: Sequence[TradeState],
        bar: Bar,
    ) -> None:
        """Accept the legs of the parts whose entry began to fill in this bar."""
        for place, (was, now) in enumerate(zip(before, after, strict=True)):
            if was.best == 0 and now.best != 0:
                self._accept(trade.leg_id(STOPS[place]), bar.ts_known)
                self._accept(trade.leg_id(TARGETS[place]), bar.ts_known)

    def _tell_part(
        self, trade: WorkingTrade, place: int, part: tuple[TradeState, PartStep], bar: Bar
    ) -> None:
        """Tell what the legs of a part traded, and end them where it is over."""
        before, after = part
        leaving = trade.entry.side.opposite
        stop, target = trade.leg_id(STOPS[place]), trade.leg_id(TARGETS[place])
        self._fill(trade, stop, leaving, after.stop, bar)
        self._fill(trade, target, leaving, after.target, bar)
        if after.state.held and after.state.stop != before.stop:
            sequence = self._state.next_sequence
            self._note(StopMoved(stop, after.state.stop, bar.ts_known, sequence))
        if after.closed and trade.entry.bracket is not None:
            lots = trade.entry.bracket.parts[place].lots
            for leg_id, works in ((stop, before.stop or before.trail), (target, before.target)):
                if works and self._state.filled.get(leg_id, 0) < lots:
                    self._cancel(leg_id, _OVER, bar.ts_known)

    def _tell_rest(
        self, trade: WorkingTrade, was: TradeState, now: TradeState, expired: bool, ts: int
    ) -> None:
        """End the entry and the exit of a trade in parts that have nothing left to do."""
        entry, leaving, filled = trade.entry, trade.exit, self._state.filled
        if was.entry_lots and not now.entry_lots and filled.get(entry.client_id, 0) < entry.lots:
            if expired:
                sequence = self._state.next_sequence
                reason = f"worked for {entry.expire_after_bars} bars"
                self._note(OrderExpired(entry.client_id, reason, ts, sequence))
            else:
                self._cancel(entry.client_id, "a part of the trade closed", ts)
        left = leaving is not None and was.exit_lots and not now.exit_lots
        if leaving is not None and left and filled.get(leaving.client_id, 0) < leaving.lots:
            self._cancel(leaving.client_id, _OVER, ts)

    def _tell_fills(
        self, trade: WorkingTrade, before: TradeState, result: StepResult, bar: Bar
    ) -> None:
        side = trade.entry.side
        self._fill(trade, trade.entry.client_id, side, result.entry, bar)
        stop = before.stop
        if result.entry.lots and before.best == 0:
            if before.stop or before.trail:
                self._accept(trade.stop_id, bar.ts_known)
            if before.target:
                self._accept(trade.target_id, bar.ts_known)
        if trade.exit is not None:
            self._fill(trade, trade.exit.client_id, side.opposite, result.exit, bar)
        self._fill(trade, trade.stop_id, side.opposite, result.stop, bar)
        self._fill(trade, trade.target_id, side.opposite, result.target, bar)
        if result.state.held and result.state.stop != stop:
            sequence = self._state.next_sequence
            self._note(StopMoved(trade.stop_id, result.state.stop, bar.ts_known, sequence))

    def _tell_closed(self, trade: WorkingTrade, before: TradeState, ts: int) -> None:
        """End every order and leg of a trade that is over, unless it filled to the last lot."""
        self._end_orders(trade, before, ts)
        for leg_id, works in (
            (trade.stop_id, before.stop or before.trail),
            (trade.target_id, before.target),
        ):
            if works and self._state.filled.get(leg_id, 0) < trade.entry.lots:
                self._cancel(leg_id, _OVER, ts)

    def _end_orders(self, trade: WorkingTrade, before: TradeState, ts: int) -> None:
        """End entry and exit of a trade that is over, unless they filled to the last lot."""
        orders = [trade.entry]
        filled = self._state.filled
        if before.exit_lots and trade.exit is not None:
            orders.append(trade.exit)
        for order in orders:
            if filled.get(order.client_id, 0) < order.lots and (
                order is not trade.entry or before.entry_lots
            ):
                self._cancel(order.client_id, _OVER, ts)

    def _fill(
        self, trade: WorkingTrade, client_id: str, side: Side, leg: LegFill, bar: Bar
    ) -> None:
        if not leg.lots:
            return
        state = self._state
        listing = self._books[trade.entry.instrument].listing
        maker = bool(leg.maker)
        fee = listing.fee(listing.value(leg.ticks, leg.lots), maker=maker)
        fills = [e for e in state.history.get(client_id, ()) if isinstance(e, OrderFilled)]
        fill = Fill(
            trade_id=f"{client_id}.{len(fills) + 1}",
            client_id=client_id,
            instrument=trade.entry.instrument,
            side=side,
            lots=leg.lots,
            ticks=leg.ticks,
            fee=fee,
            maker=maker,
            ts_event=bar.ts_event if leg.opening else bar.ts_known,
        )
        self._note(OrderFilled(fill, state.next_sequence))

    def _accept(self, client_id: str, ts: int) -> None:
        sequence = self._state.next_sequence
        self._note(OrderAccepted(client_id, f"P{sequence}", ts, sequence))

    def _cancel(self, client_id: str, reason: str, ts: int) -> None:
        self._note(OrderCanceled(client_id, reason, ts, self._state.next_sequence))


def _numbers(bar: Bar) -> tuple[int, ...]:
    """Return a bar as the fill kernel takes it."""
    return (bar.ts_event, bar.ts_known, bar.open, bar.high, bar.low, bar.close, bar.volume)


def _works(trade: WorkingTrade, leg: Leg, client_id: str) -> bool:
    """Return whether an order or leg of a trade still works."""
    state = trade.state
    if leg is Leg.ENTRY:
        return state.entry_lots > 0
    if leg is Leg.EXIT:
        return state.exit_lots > 0 and trade.exit is not None and trade.exit.client_id == client_id
    part = trade.parts[leg.part] if trade.parts else state
    if part.held == 0:
        return False
    return part.stop != 0 if leg in STOPS else part.target != 0


def _without(trade: WorkingTrade, leg: Leg) -> tuple[TradeState, tuple[TradeState, ...]]:
    """Return a trade, and its parts, without one of its orders."""
    if not trade.parts:
        return _less(trade.state, leg), ()
    own = leg in STOPS or leg in TARGETS
    parts = tuple(
        _less(part, leg) if not own or place == leg.part else part
        for place, part in enumerate(trade.parts)
    )
    return aggregate(parts), parts


def _less(state: TradeState, leg: Leg) -> TradeState:
    if leg is Leg.ENTRY:
        return state._replace(entry_lots=0)
    if leg is Leg.EXIT:
        return state._replace(exit_lots=0)
    if leg in STOPS:
        return state._replace(stop=0, trail=0, triggered=0)
    return state._replace(target=0)

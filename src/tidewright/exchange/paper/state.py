"""What the paper venue knows: a fold of its log, the same live and after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import BorrowCharged, OrderFilled
from tidewright.domain.orders import PROTECTIVE, Leg, OrderIntent, leg_client_id
from tidewright.domain.time import DAY
from tidewright.exchange.paper.account import Listing, PaperAccount
from tidewright.exchange.paper.records import (
    AccountOpened,
    IdGivenUp,
    InstrumentListed,
    OrderTaken,
    Record,
    SequencedEvent,
    TradeMoved,
)
from tidewright.kernels.fills import FAR, TradeState, quiet_range_flat
from tidewright.kernels.parts import aggregate

NOT_SHORT = -1
"""The day up to which nothing is owed."""


@dataclass(slots=True)
class WorkingTrade:
    """A trade that is not over: its orders and where it stands.

    Parameters
    ----------
    entry : OrderIntent
        The order that opened it.
    stop_id, target_id : str
        Client ids of its protective legs; of a trade in parts, those of the first part.
    state : TradeState
        Where it stands; of a trade in parts, all of them together.
    exit : OrderIntent or None
        The latest order to leave it.
    quiet : (int, int)
        A bar strictly inside changes nothing.
    parts : tuple of TradeState
        Where each part stands; empty for a trade in one piece.
    """

    entry: OrderIntent
    stop_id: str
    target_id: str
    state: TradeState
    exit: OrderIntent | None = None
    quiet: tuple[int, int] = (-FAR, FAR)
    parts: tuple[TradeState, ...] = ()

    def move(self, state: TradeState, parts: tuple[TradeState, ...] = ()) -> None:
        """Stand somewhere else."""
        self.state, self.parts = state, parts
        if not parts:
            self.quiet = quiet_range_flat(tuple(state))
            return
        alive = [part for part in parts if part.held or part.entry_lots]
        ranges = [quiet_range_flat(tuple(part)) for part in alive]
        self.quiet = (
            max((low for low, _ in ranges), default=-FAR),
            min((high for _, high in ranges), default=FAR),
        )

    def leg_id(self, leg: Leg) -> str:
        """Return the client id of a protective leg."""
        return leg_client_id(self.entry.client_id, leg)

    @property
    def is_over(self) -> bool:
        """Whether nothing is held and no entry works."""
        return self.state.held == 0 and self.state.entry_lots == 0


@dataclass(slots=True)
class Book:
    """The trades of one instrument.

    Parameters
    ----------
    listing : Listing
        The instrument.
    trades : list of WorkingTrade
        In the order in which their entries were taken.
    met : int
        Close time of the latest bar met, nanoseconds UTC.
    quiet_low, quiet_high : int
        A bar strictly inside changes nothing.
    charged_day : int
        UTC day up to which borrowed lots are paid for; `NOT_SHORT` when none are owed.
    charge_from : int
        A bar that opens then or later is charged for, nanoseconds UTC.
    """

    listing: Listing
    trades: list[WorkingTrade] = field(default_factory=list)
    met: int = 0
    quiet_low: int = -FAR
    quiet_high: int = FAR
    charged_day: int = NOT_SHORT
    charge_from: int = FAR

    def owe(self, day: int) -> None:
        """Owe borrowed lots, charged up to a UTC day; `NOT_SHORT` means owe none."""
        self.charged_day = day
        self.charge_from = FAR if day == NOT_SHORT else (day + 1) * DAY

    def settle(self) -> None:
        """Find the range in which bars change nothing."""
        self.quiet_low, self.quiet_high = -FAR, FAR
        for trade in self.trades:
            low, high = trade.quiet
            self.quiet_low = max(self.quiet_low, low)
            self.quiet_high = min(self.quiet_high, high)


class VenueState:
    """Books, account and events, changed by records alone."""

    def __init__(self) -> None:
        self.opened: AccountOpened | None = None
        self.account = PaperAccount()
        self.books: dict[str, Book] = {}
        self.trades: dict[str, WorkingTrade] = {}
        self.events: list[SequencedEvent] = []
        self.history: dict[str, list[SequencedEvent]] = {}
        self.legs: dict[str, tuple[str, Leg]] = {}
        self.filled: dict[str, int] = {}
        self.given_up: set[str] = set()

    @property
    def next_sequence(self) -> int:
        """Number of the next event."""
        return len(self.events) + 1

    def apply(self, record: Record) -> None:
        """Take over one record.

        Raises
        ------
        DataIntegrityError
            If it contradicts what came before.
        """
        _APPLY.get(type(record), VenueState._tell)(self, record)

    def book_of(self, trade: WorkingTrade) -> Book:
        """Return the book that a trade stands in."""
        return self.books[trade.entry.instrument]

    def _open(self, record: AccountOpened) -> None:
        self.opened = record
        self.account.cash = record.cash

    def _give_up(self, record: IdGivenUp) -> None:
        self.given_up.add(record.client_id)

    def _list(self, record: InstrumentListed) -> None:
        instrument = record.instrument
        book = self.books.get(instrument.id)
        if book is None:
            self.books[instrument.id] = Book(Listing.of(instrument))
            return
        before = book.listing.instrument
        in_use = book.trades or instrument.id in self.account.positions
        sizes = (before.tick_size, before.lot_size)
        if in_use and sizes != (instrument.tick_size, instrument.lot_size):
            raise DataIntegrityError(
                f"{instrument.id} has open trades in steps of {sizes}; its tick and lot size were "
                f"{(instrument.tick_size, instrument.lot_size)}: expected no change before flat"
            )
        book.listing = Listing.of(instrument)

    def _take(self, record: OrderTaken) -> None:
        intent = record.intent
        if record.trade != intent.client_id:
            trade = self.trades[record.trade]
            trade.exit = intent
            if trade.parts:
                parts = _leaving(trade.parts, intent)
                trade.move(aggregate(parts), parts)
            else:
                trade.move(_with_exit(trade.state, intent, intent.lots))
            self.legs[intent.client_id] = (record.trade, Leg.EXIT)
        else:
            trade = WorkingTrade(
                intent,
                leg_client_id(intent.client_id, Leg.STOP),
                leg_client_id(intent.client_id, Leg.TARGET),
                opening_state(intent),
            )
            parts = opening_parts(intent, trade.state)
            trade.move(aggregate(parts) if parts else trade.state, parts)
            self.trades[intent.client_id] = trade
            self.books[intent.instrument].trades.append(trade)
            self.legs[intent.client_id] = (record.trade, Leg.ENTRY)
            for leg in PROTECTIVE[: 2 * max(len(parts), 1)]:
                self.legs[trade.leg_id(leg)] = (record.trade, leg)
        self.book_of(trade).settle()

    def _move(self, record: TradeMoved) -> None:
        trade = self.trades[record.trade]
        trade.move(record.state, record.parts)
        book = self.book_of(trade)
        if trade.is_over:
            del self.trades[record.trade]
            book.trades.remove(trade)
        book.met = max(book.met, record.met)
        if self.account.positions.get(book.listing.instrument.id, _FLAT)[0] >= 0:
            if book.charged_day != NOT_SHORT:
                book.owe(NOT_SHORT)
        elif book.charged_day == NOT_SHORT:
            # A bar that closes at midnight belongs to the day before.
            book.owe((record.met - 1) // DAY)
        book.settle()

    def _tell(self, event: SequencedEvent) -> None:
        if event.venue_sequence != self.next_sequence:
            raise DataIntegrityError(
                f"venue event had sequence {event.venue_sequence}; expected {self.next_sequence}"
            )
        self.events.append(event)
        if isinstance(event, BorrowCharged):
            self.account.cash -= event.amount
            self.books[event.instrument].owe(event.ts_event // DAY)
            return
        if not isinstance(event, OrderFilled):
            self.history.setdefault(event.client_id, []).append(event)
            return
        fill = event.fill
        self.history.setdefault(fill.client_id, []).append(event)
        self.account.book(fill, self.books[fill.instrument].listing)
        self.filled[fill.client_id] = self.filled.get(fill.client_id, 0) + fill.lots


_FLAT = (0, 0)

_APPLY: Mapping[type, Callable[[VenueState, Any], None]] = {
    TradeMoved: VenueState._move,
    OrderTaken: VenueState._take,
    AccountOpened: VenueState._open,
    InstrumentListed: VenueState._list,
    IdGivenUp: VenueState._give_up,
}


def opening_parts(intent: OrderIntent, whole: TradeState) -> tuple[TradeState, ...]:
    """Return the parts of a trade whose entry was just taken; none for a trade in one piece."""
    if intent.bracket is None:
        return ()
    return tuple(
        whole._replace(entry_lots=part.lots, stop=part.stop_ticks, target=part.target_ticks)
        for part in intent.bracket.parts
    )


def _with_exit(state: TradeState, intent: OrderIntent, lots: int) -> TradeState:
    return state._replace(
        exit_lots=lots, exit_limit=intent.limit_ticks or 0, exit_since=intent.ts_decided
    )


def _leaving(parts: tuple[TradeState, ...], intent: OrderIntent) -> tuple[TradeState, ...]:
    """Return the parts with an exit that leaves the first ones first."""
    left, found = intent.lots, []
    for part in parts:
        lots = min(part.held, left)
        left -= lots
        found.append(_with_exit(part, intent, lots))
    return tuple(found)


def opening_state(intent: OrderIntent) -> TradeState:
    """Return the state of a trade whose entry was just taken."""
    bracket = intent.bracket
    digest = blake2b(intent.client_id.encode(), digest_size=8).digest()
    return TradeState(
        direction=intent.side.sign,
        key=int.from_bytes(digest, "big") >> 2,
        entry_lots=intent.lots,
        entry_limit=intent.limit_ticks or 0,
        entry_since=intent.ts_decided,
        entry_bars=intent.expire_after_bars,
        held=0,
        stop=(bracket.stop_ticks or 0) if bracket else 0,
        target=(bracket.target_ticks or 0) if bracket else 0,
        trail=(bracket.trail_ticks or 0) if bracket else 0,
        best=0,
        triggered=0,
        exit_lots=0,
        exit_limit=0,
        exit_since=0,
    )

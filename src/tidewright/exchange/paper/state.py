"""What the paper venue knows: a fold of its log, the same live and after a crash."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import OrderFilled
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import Leg, OrderIntent, leg_client_id
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
from tidewright.kernels.fills import FAR, TradeState, quiet_range


@dataclass(slots=True)
class WorkingTrade:
    """A trade that is not over: its orders and where it stands.

    Parameters
    ----------
    entry : OrderIntent
        The order that opened it.
    stop_id, target_id : str
        Client ids of its protective legs.
    state : TradeState
        Where it stands.
    exit : OrderIntent or None
        The latest order to leave it.
    """

    entry: OrderIntent
    stop_id: str
    target_id: str
    state: TradeState
    exit: OrderIntent | None = None

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
    """

    listing: Listing
    trades: list[WorkingTrade] = field(default_factory=list)
    met: int = 0
    quiet_low: int = -FAR
    quiet_high: int = FAR

    def settle(self) -> None:
        """Drop what is over and find the range in which bars change nothing."""
        self.trades = [trade for trade in self.trades if not trade.is_over]
        self.quiet_low, self.quiet_high = -FAR, FAR
        for trade in self.trades:
            low, high = quiet_range(trade.state)
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
        match record:
            case TradeMoved():
                self._move(record)
            case OrderTaken():
                self._take(record)
            case AccountOpened():
                self.opened = record
                self.account.cash = record.cash
            case InstrumentListed():
                self._list(record.instrument)
            case IdGivenUp():
                self.given_up.add(record.client_id)
            case _:
                self._tell(record)

    def book_of(self, trade: WorkingTrade) -> Book:
        """Return the book that a trade stands in."""
        return self.books[trade.entry.instrument]

    def _list(self, instrument: Instrument) -> None:
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
            trade.state = trade.state._replace(
                exit_lots=intent.lots,
                exit_limit=intent.limit_ticks or 0,
                exit_since=intent.ts_decided,
            )
            self.legs[intent.client_id] = (record.trade, Leg.EXIT)
        else:
            trade = WorkingTrade(
                intent,
                leg_client_id(intent.client_id, Leg.STOP),
                leg_client_id(intent.client_id, Leg.TARGET),
                opening_state(intent),
            )
            self.trades[intent.client_id] = trade
            self.books[intent.instrument].trades.append(trade)
            self.legs[intent.client_id] = (record.trade, Leg.ENTRY)
            self.legs[trade.stop_id] = (record.trade, Leg.STOP)
            self.legs[trade.target_id] = (record.trade, Leg.TARGET)
        self.book_of(trade).settle()

    def _move(self, record: TradeMoved) -> None:
        trade = self.trades[record.trade]
        trade.state = record.state
        if trade.is_over:
            del self.trades[record.trade]
        book = self.book_of(trade)
        book.met = max(book.met, record.met)
        book.settle()

    def _tell(self, event: SequencedEvent) -> None:
        if event.venue_sequence != self.next_sequence:
            raise DataIntegrityError(
                f"venue event had sequence {event.venue_sequence}; expected {self.next_sequence}"
            )
        client_id = event.client_id if not isinstance(event, OrderFilled) else event.fill.client_id
        self.events.append(event)
        self.history.setdefault(client_id, []).append(event)
        if isinstance(event, OrderFilled):
            fill = event.fill
            self.account.book(fill, self.books[fill.instrument].listing)
            self.filled[client_id] = self.filled.get(client_id, 0) + fill.lots


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

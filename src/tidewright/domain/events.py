"""Inputs of the engine: everything that can make it decide, and the slices they come in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import NamedTuple

from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.orders import Fill


class TradingState(StrEnum):
    """What the engine may do; latched until an operator changes it."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"


@dataclass(frozen=True)
class Started:
    """A process took over; commands older than the intent's time to live expire now.

    Parameters
    ----------
    now : int
        Wall clock of the machine, nanoseconds UTC.
    fingerprint : str
        Digest of build, lock file, configuration, specs and column versions.
    """

    now: int
    fingerprint: str


@dataclass(frozen=True)
class OperatorCommand:
    """A person's order to change the trading state.

    Parameters
    ----------
    state : TradingState
        The state wanted.
    actor : str
        Who asked, such as ``"cli"`` or ``"dashboard"``.
    reason : str
        Why, in the person's words.
    """

    state: TradingState
    actor: str
    reason: str


@dataclass(frozen=True)
class InstrumentDefined:
    """An instrument appeared or its rules changed."""

    instrument: Instrument


@dataclass(frozen=True)
class TradingWindow:
    """Limits entries, never warm-up and never exits: entries are decided only in [start, end).

    Parameters
    ----------
    start, end : int
        Nanoseconds UTC; ``end`` 0 means open.
    """

    start: int
    end: int = 0


@dataclass(frozen=True)
class ClockTick:
    """Time passed without market data; due timers fire."""


@dataclass(frozen=True)
class FeedStatus:
    """The market feed's own state.

    Parameters
    ----------
    live : bool
        False blocks new exposure until the feed is live again.
    detail : str
        What is known of it.
    """

    live: bool
    detail: str


@dataclass(frozen=True)
class ClockJumped:
    """The machine's clock moved against its monotonic clock.

    Parameters
    ----------
    offset : int
        Nanoseconds; positive when the clock went forward.
    """

    offset: int


@dataclass(frozen=True)
class DatumQuarantined:
    """A datum failed validation and was kept out."""

    defect: DataDefect


@dataclass(frozen=True)
class ScoreObserved:
    """An opinion that came from outside the core, such as a model's or an LLM's.

    Parameters
    ----------
    name, instrument : str
        Which score and of what.
    value : float
        The score.

    Raises
    ------
    ValueError
        If the score is not finite: JSON has no word for it, so the record could not be read back.
    """

    name: str
    instrument: str
    value: float

    def __post_init__(self) -> None:
        if not isfinite(self.value):
            raise ValueError(
                f"score {self.name} of {self.instrument} was {self.value}; expected a finite number"
            )


@dataclass(frozen=True)
class OrderAccepted:
    """The venue holds the order."""

    client_id: str
    venue_order_id: str
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class OrderRejected:
    """The venue refused the order for good."""

    client_id: str
    code: str
    reason: str
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class OrderFilled:
    """The order traded."""

    fill: Fill
    venue_sequence: int


@dataclass(frozen=True)
class OrderCanceled:
    """The order works no more; what it had filled stays filled."""

    client_id: str
    reason: str
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class OrderExpired:
    """The order's time ran out; what it had filled stays filled."""

    client_id: str
    reason: str
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class StopMoved:
    """A trailing stop moved."""

    client_id: str
    stop_ticks: int
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class BorrowCharged:
    """The venue charged the account for what it sold short and held over the end of a day.

    Parameters
    ----------
    instrument : str
        What is held.
    lots, ticks : int
        Lots owed, > 0, and the price that they were valued at.
    days : int
        UTC days that began since the last charge, >= 1.
    rate_ppm : int
        Millionths of the value per year of 365 days.
    amount : int
        Money units taken from cash.
    ts_event : int
        Open time of the first bar of the day, nanoseconds UTC.
    venue_sequence : int
        The venue's number of the event.
    """

    instrument: str
    lots: int
    ticks: int
    days: int
    rate_ppm: int
    amount: int
    ts_event: int
    venue_sequence: int


@dataclass(frozen=True)
class AnswerLost:
    """The edge did not learn what became of a command; the order is UNKNOWN."""

    client_id: str
    detail: str
    ts_event: int


@dataclass(frozen=True)
class OrderNotFound:
    """A definite answer to a query: the venue never held the order."""

    client_id: str
    ts_event: int


@dataclass(frozen=True)
class AccountReported:
    """What the venue says it holds for the account.

    Parameters
    ----------
    cash : int
        Money units.
    positions : tuple of (str, int)
        Instrument id and signed lots, by instrument id, zero positions left out.
    ts_event : int
        Nanoseconds UTC.
    venue_sequence : int
        Sequence of the last venue event that the report includes.
    """

    cash: int
    positions: tuple[tuple[str, int], ...]
    ts_event: int
    venue_sequence: int


VenueEvent = (
    OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | StopMoved
    | BorrowCharged
    | AnswerLost
    | OrderNotFound
    | AccountReported
)
"""What a broker reports."""

ControlEvent = (
    Started
    | OperatorCommand
    | InstrumentDefined
    | TradingWindow
    | FeedStatus
    | ClockJumped
    | ScoreObserved
)
"""What the person, the configuration or the edge reports."""

MarketEvent = Bar | DatumQuarantined | ClockTick
"""What a market feed reports."""

Event = ControlEvent | VenueEvent | MarketEvent
"""Any input of the engine."""


class Slice(NamedTuple):
    """The events that became known at one moment, in the order in which they are handled.

    A tuple, because a run makes one per bar.

    Parameters
    ----------
    ts_known : int
        Nanoseconds UTC; slices of one run never go back in time.
    events : tuple of Event
        Ordered by `slice_rank`, venue events by venue sequence, bars by instrument id.
    """

    ts_known: int
    events: tuple[Event, ...]


_RANKS: dict[type, int] = {
    Started: 0,
    InstrumentDefined: 1,
    TradingWindow: 1,
    OperatorCommand: 1,
    FeedStatus: 1,
    ClockJumped: 1,
    ScoreObserved: 1,
    DatumQuarantined: 1,
    OrderAccepted: 2,
    OrderRejected: 2,
    OrderFilled: 2,
    OrderCanceled: 2,
    OrderExpired: 2,
    StopMoved: 2,
    BorrowCharged: 2,
    AnswerLost: 2,
    OrderNotFound: 2,
    AccountReported: 2,
    ClockTick: 3,
    Bar: 4,
}


def slice_rank(event: Event) -> int:
    """Return the place of an event within its slice.

    Operator, configuration and instrument changes come first, then venue answers and fills,
    then due timers (fired by the engine), then bars.
    """
    return _RANKS[type(event)]

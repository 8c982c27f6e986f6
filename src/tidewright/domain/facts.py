"""Outputs of the engine: facts decided, commands to carry out, and the Outcome that holds them.

Whatever is written down is a frozen dataclass without slots: the JSON writer takes one with a
``__dict__`` at once, and one with slots field by field, six times as slowly.

The names in ``EVENT`` are those of the event flow::

    MARKET_DATA -> SIGNAL_GENERATED -> RISK_CHECK
        -> SIGNAL_REJECTED -> ALERT_LOGGED
        -> ORDER_PLACED -> ORDER_FILLED -> POSITION_UPDATE -> STATE_SAVED

STATE_SAVED is the commit of the outcome itself, so no fact carries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple

from tidewright.domain.events import TradingState
from tidewright.domain.orders import ApprovedOrder, Fill, LimitCheck, OrderIntent, OrderRecord
from tidewright.domain.portfolio import Position, Trade
from tidewright.domain.signals import Signal


class Severity(StrEnum):
    """How loud an alert is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class SignalGenerated:
    """A strategy formed an opinion that could lead to an order."""

    EVENT: ClassVar[str] = "SIGNAL_GENERATED"
    signal: Signal


@dataclass(frozen=True)
class RiskChecked:
    """Risk held an intent against its limits."""

    EVENT: ClassVar[str] = "RISK_CHECK"
    intent: OrderIntent
    approved: bool
    checks: tuple[LimitCheck, ...]


@dataclass(frozen=True)
class SignalRejected:
    """A signal led to no order; stored with the rule and the limit that it met."""

    EVENT: ClassVar[str] = "SIGNAL_REJECTED"
    signal: Signal
    rule: str
    limit: str
    value: str
    message: str


@dataclass(frozen=True)
class AlertLogged:
    """Something a person should know."""

    EVENT: ClassVar[str] = "ALERT_LOGGED"
    severity: Severity
    code: str
    message: str
    instrument: str = ""


@dataclass(frozen=True)
class OrderPlaced:
    """An approved order is on its way to the venue."""

    EVENT: ClassVar[str] = "ORDER_PLACED"
    order: OrderRecord


@dataclass(frozen=True)
class OrderUpdated:
    """An order moved to another state."""

    EVENT: ClassVar[str] = "ORDER_UPDATED"
    order: OrderRecord


@dataclass(frozen=True)
class OrderExecuted:
    """A fill was booked.

    Parameters
    ----------
    fill : Fill
        What traded.
    strategy : str
        Whose order it was.
    cash : int
        Money units after booking.
    slippage_ticks : int
        Fill price against the reference of the order, positive when worse.
    """

    EVENT: ClassVar[str] = "ORDER_FILLED"
    fill: Fill
    strategy: str
    cash: int
    slippage_ticks: int


@dataclass(frozen=True)
class PositionCharged:
    """A fee for holding a position was booked.

    Parameters
    ----------
    strategy, instrument : str
        Whose and of what; the strategy is empty where the position is closed already.
    amount : int
        Money units taken from cash.
    days : int
        Days that it is for.
    cash : int
        Money units after booking.
    """

    EVENT: ClassVar[str] = "POSITION_CHARGED"
    strategy: str
    instrument: str
    amount: int
    days: int
    cash: int


@dataclass(frozen=True)
class PositionUpdated:
    """A position changed; zero lots mean that it is closed."""

    EVENT: ClassVar[str] = "POSITION_UPDATE"
    position: Position


@dataclass(frozen=True)
class TradeClosed:
    """A round trip ended."""

    EVENT: ClassVar[str] = "TRADE_CLOSED"
    trade: Trade


@dataclass(frozen=True)
class TradingStateChanged:
    """The trading state was latched to another value."""

    EVENT: ClassVar[str] = "TRADING_STATE_CHANGED"
    before: TradingState
    after: TradingState
    actor: str
    reason: str


Fact = (
    SignalGenerated
    | RiskChecked
    | SignalRejected
    | AlertLogged
    | OrderPlaced
    | OrderUpdated
    | OrderExecuted
    | PositionCharged
    | PositionUpdated
    | TradeClosed
    | TradingStateChanged
)
"""Anything the engine decided or booked."""


@dataclass(frozen=True)
class SubmitOrder:
    """Send an approved order to the venue."""

    order: ApprovedOrder


@dataclass(frozen=True)
class CancelOrder:
    """Cancel a working order."""

    client_id: str
    instrument: str


@dataclass(frozen=True)
class QueryOrder:
    """Ask the venue what became of an order; never resends it."""

    client_id: str
    instrument: str


Command = SubmitOrder | CancelOrder | QueryOrder
"""What the edge must do after the commit that holds it."""


class Outcome(NamedTuple):
    """Everything that one step decided; a tuple, because a run makes one per bar.

    Parameters
    ----------
    sequence : int
        Journal sequence of the input.
    ts_known : int
        Time of the input's slice, nanoseconds UTC.
    equity : int
        Money units: cash plus positions at the latest closes.
    facts : tuple of Fact
        In the order in which they were decided.
    commands : tuple of Command
        In the order in which they must be carried out.
    next_timer : int
        When the earliest timer is due, nanoseconds UTC; 0 when none is set.
    """

    sequence: int
    ts_known: int
    equity: int
    facts: tuple[Fact, ...] = ()
    commands: tuple[Command, ...] = ()
    next_timer: int = 0


@dataclass(frozen=True)
class RecordedSubmission:
    """A `SubmitOrder` read back from storage: a record, which no broker accepts."""

    intent: OrderIntent
    checks: tuple[LimitCheck, ...]

"""Orders from intent to fill: OrderIntent -> ApprovedOrder -> Order -> Fill."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b

from tidewright.domain.errors import ConfigError


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order meets the market."""

    MARKET = "market"
    LIMIT = "limit"


class Leg(StrEnum):
    """Part that an order plays in a trade; the last letter of its client id.

    A trade in parts has a stop and a target for each of them; the first part's are plain.
    """

    ENTRY = "e"
    EXIT = "x"
    STOP = "s"
    TARGET = "t"
    STOP_2 = "u"
    TARGET_2 = "w"
    STOP_3 = "v"
    TARGET_3 = "y"

    @property
    def part(self) -> int:
        """The part that a stop or target belongs to, from 0; 0 for entry and exit."""
        return {"u": 1, "w": 1, "v": 2, "y": 2}.get(self.value, 0)


STOPS = (Leg.STOP, Leg.STOP_2, Leg.STOP_3)
"""Stops by part."""
TARGETS = (Leg.TARGET, Leg.TARGET_2, Leg.TARGET_3)
"""Targets by part."""
PROTECTIVE = tuple(leg for pair in zip(STOPS, TARGETS, strict=True) for leg in pair)
"""Legs that the venue makes from the bracket of an entry."""
MAX_PARTS = len(STOPS)
"""Most parts of a trade."""


class OrderState(StrEnum):
    """Where an order stands; ``execution.transitions`` holds the legal moves."""

    APPROVED = "approved"
    SENT = "sent"
    UNKNOWN = "unknown"
    OPEN = "open"
    PARTIALLY_FILLED = "partially_filled"
    CANCEL_SENT = "cancel_sent"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the order any more."""
        return self in _FINAL


_FINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.EXPIRED}
)

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")


def client_order_id(home: str, account: str, strategy: str, instrument: str, sequence: int) -> str:
    """Return the deterministic client id of an entry, without its leg letter.

    Parameters
    ----------
    home : str
        Random id of the trader's home.
    account, strategy, instrument : str
        What the order is for.
    sequence : int
        Journal sequence of the input that led to the order, >= 0.

    Returns
    -------
    str
        At most 34 characters of ``[A-Za-z0-9_-]``; equal inputs give equal ids.
    """
    owner = "\x1f".join((home, account, strategy, instrument)).encode()
    return f"{blake2b(owner, digest_size=8).hexdigest()}-{sequence:x}"


def leg_client_id(order: str, leg: Leg) -> str:
    """Return the client id of one leg of a trade.

    Parameters
    ----------
    order : str
        Result of `client_order_id`, or the id of any leg of the same trade.
    leg : Leg
        The leg wanted.
    """
    stem, separator, last = order.rpartition("-")
    if separator and last in _LEG_LETTERS and "-" in stem:
        order = stem
    identifier = f"{order}-{leg.value}"
    if not _CLIENT_ID.fullmatch(identifier):
        raise ConfigError(f"client order id was {identifier!r}; expected 1 to 36 of [A-Za-z0-9_-]")
    return identifier


_LEG_LETTERS = frozenset(leg.value for leg in Leg)


@dataclass(frozen=True)
class BracketPart:
    """Protection of a part of an entry.

    Parameters
    ----------
    lots : int
        Lots of the part, > 0.
    stop_ticks, target_ticks : int
        Stop and profit target prices in ticks, > 0.
    """

    lots: int
    stop_ticks: int
    target_ticks: int


@dataclass(frozen=True)
class Bracket:
    """Protection that becomes active as the entry fills; the legs of a part cancel each other.

    Parameters
    ----------
    stop_ticks, target_ticks : int or None
        Stop and profit target prices in ticks; of an entry in parts, those nearest to the price.
    trail_ticks : int or None
        Distance in ticks that the stop keeps behind the best price since entry.
    parts : tuple of BracketPart
        Two or three parts with a stop and a target each, which together are the entry; they fill
        in this order. Empty for an entry in one piece.
    """

    stop_ticks: int | None = None
    target_ticks: int | None = None
    trail_ticks: int | None = None
    parts: tuple[BracketPart, ...] = ()


@dataclass(frozen=True)
class OrderIntent:
    """What a strategy wants to do, before risk has spoken.

    Parameters
    ----------
    client_id : str
        Deterministic client order id, leg letter included.
    strategy, instrument : str
        Whose and of what.
    side : Side
        Buy or sell.
    leg : Leg
        ENTRY or EXIT; STOP and TARGET orders are made by the venue from the bracket.
    order_type : OrderType
        Market or limit.
    lots : int
        Quantity in lots, > 0.
    reference_ticks : int
        Latest close when the intent was formed; slippage is measured against it.
    ts_decided : int
        When it was formed, nanoseconds UTC.
    confidence : float
        Of the signal behind it, in [0, 1]; ranks entries of one slice.
    reason : str
        The signal's reason.
    limit_ticks : int or None
        Limit price, for limit orders.
    expire_after_bars : int
        A working entry is cancelled after this many bars; 0 means it works until cancelled.
    bracket : Bracket or None
        Protection of an entry.
    reduce_only : bool
        Whether the order may only make the position smaller.
    """

    client_id: str
    strategy: str
    instrument: str
    side: Side
    leg: Leg
    order_type: OrderType
    lots: int
    reference_ticks: int
    ts_decided: int
    confidence: float
    reason: str
    limit_ticks: int | None = None
    expire_after_bars: int = 0
    bracket: Bracket | None = None
    reduce_only: bool = False


@dataclass(frozen=True)
class LimitCheck:
    """One limit that an intent was held against.

    Parameters
    ----------
    rule : str
        Name of the rule, such as ``"max_position_size_percent"``.
    limit, value : str
        The limit and the value that met it, as exact text with unit.
    """

    rule: str
    limit: str
    value: str


class ApprovalToken:
    """Proof that risk approved an order; made in ``tidewright.risk`` and nowhere else."""

    __slots__ = ()


@dataclass(frozen=True)
class ApprovedOrder:
    """An intent that risk has approved: the only thing that a broker accepts.

    Parameters
    ----------
    intent : OrderIntent
        What was approved.
    checks : tuple of LimitCheck
        The limits it was held against.
    token : ApprovalToken
        Held by ``tidewright.risk`` alone.

    Raises
    ------
    TypeError
        If the token is not an `ApprovalToken`.
    """

    intent: OrderIntent
    checks: tuple[LimitCheck, ...]
    token: ApprovalToken

    def __post_init__(self) -> None:
        if type(self.token) is not ApprovalToken:
            raise TypeError(
                f"ApprovedOrder needs the risk room's approval token; it was {self.token!r}"
            )


@dataclass(frozen=True)
class RefusedOrder:
    """An intent that risk has refused.

    Parameters
    ----------
    intent : OrderIntent
        What was refused.
    rule : str
        The rule that refused it.
    limit, value : str
        The limit and the value that met it, as exact text with unit.
    message : str
        One sentence for a person.
    """

    intent: OrderIntent
    rule: str
    limit: str
    value: str
    message: str


@dataclass(frozen=True)
class Fill:
    """One execution.

    Parameters
    ----------
    trade_id : str
        Unique at the venue for the instrument; a fill is booked once per trade id.
    client_id : str
        Client id of the leg that traded.
    instrument : str
        Instrument id.
    side : Side
        Side of the order.
    lots, ticks : int
        Quantity and price.
    fee : int
        Money units, >= 0 unless the venue paid a rebate.
    maker : bool
        Whether the order provided liquidity.
    ts_event : int
        When it happened, nanoseconds UTC.
    """

    trade_id: str
    client_id: str
    instrument: str
    side: Side
    lots: int
    ticks: int
    fee: int
    maker: bool
    ts_event: int


@dataclass(frozen=True)
class OrderRecord:
    """What is known of an order; a record, which no broker accepts.

    Parameters
    ----------
    intent : OrderIntent
        What was asked for; bracket legs carry an intent of their own.
    state : OrderState
        Where it stands.
    filled_lots : int
        Executed quantity so far.
    filled_value : int
        Sum of lots times ticks over its fills; divided by ``filled_lots`` it is the average price.
    fees : int
        Money units paid so far.
    ts_sent, ts_updated : int
        When it was sent and when it last changed, nanoseconds UTC.
    venue_order_id : str
        The venue's own id, empty until known.
    reason : str
        Why it is in this state, where there is something to say.
    """

    intent: OrderIntent
    state: OrderState
    filled_lots: int = 0
    filled_value: int = 0
    fees: int = 0
    ts_sent: int = 0
    ts_updated: int = 0
    venue_order_id: str = ""
    reason: str = ""

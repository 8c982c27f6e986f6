"""What a spot exchange is asked for and what it tells: values without a wire format.

Prices, quantities and money are whole numbers of 1e-8 of their asset; a price is 1e-8 of the quote
asset for one whole unit of the base asset. Times are nanoseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidewright.domain.errors import Rejected
from tidewright.domain.orders import Side


class Kind(StrEnum):
    """What an order does when it arrives."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def waits(self) -> bool:
        """Whether it waits for a price before it enters the book."""
        return self in _WAITING


_WAITING = frozenset(
    {Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT, Kind.TAKE_PROFIT, Kind.TAKE_PROFIT_LIMIT}
)


class TimeInForce(StrEnum):
    """How long an order stands."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class SelfTrade(StrEnum):
    """What happens when an account would trade with itself."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"
    DECREMENT = "DECREMENT"


class Status(StrEnum):
    """Where an order stands."""

    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self not in (Status.NEW, Status.PENDING_NEW, Status.PARTIALLY_FILLED)


class SymbolStatus(StrEnum):
    """Whether a symbol trades."""

    TRADING = "TRADING"
    END_OF_DAY = "END_OF_DAY"
    HALT = "HALT"
    BREAK = "BREAK"
    CANCEL_ONLY = "CANCEL_ONLY"


class Execution(StrEnum):
    """What just happened to an order."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class Reason(StrEnum):
    """Why a request was refused."""

    UNKNOWN_SYMBOL = "unknown symbol"
    MARKET_CLOSED = "market closed"
    FILTER = "filter"
    NO_BALANCE = "no balance"
    DUPLICATE = "duplicate"
    WOULD_TAKE = "would take"
    WOULD_TRIGGER = "would trigger"
    UNKNOWN_ORDER = "unknown order"
    NO_SUCH_ORDER = "no such order"
    NO_LIQUIDITY = "no liquidity"
    NOT_ALLOWED = "not allowed"
    WRONG_CLIENT_ID = "wrong client id"
    BAD_ICEBERG = "bad iceberg"
    BAD_LIST = "bad list"
    BAD_AMEND = "bad amend"
    BOOK_FULL = "book full"
    CANCEL_RESTRICTED = "cancel restricted"


class Refusal(Rejected):
    """The exchange's definite no.

    Parameters
    ----------
    reason : Reason
        Why.
    detail : str
        The filter's name, or what was expected and what came.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value, reason.name)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request for an order; 0 and "" stand for what was not given."""

    symbol: str
    side: Side
    kind: Kind
    quantity: int = 0
    money: int = 0
    price: int = 0
    stop_price: int = 0
    trailing_delta: int = 0
    iceberg_quantity: int = 0
    time_in_force: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    client_id: str = ""
    strategy_id: int = 0
    strategy_type: int = 0


@dataclass(frozen=True, slots=True)
class SpotOrder:
    """An order as it stands now.

    Parameters
    ----------
    id, list_id : int
        Order ids count up by symbol; ``list_id`` is -1 outside an order list.
    account : int
        Number of the account.
    terms : NewOrder
        What was asked for; ``client_id`` is the order's own, made by the exchange when none came.
    quantity : int
        What it is for now: of a market order for money, what the book gave.
    executed, spent : int
        Base quantity traded, and its worth in the quote asset.
    status : Status
        Where it stands.
    working : bool
        Whether it is in the book, or was; False while it waits for its price.
    placed, updated, working_since : int
        Times; ``working_since`` is 0 before it works.
    prevented, prevented_match : int
        Quantity that self-trade prevention took, and the number of that match; 0 is none.
    stop_price : int
        The price it waits for now; that of a trailing stop moves.
    trailing_since : int
        When its trailing stop began to follow; 0 when not.
    """

    id: int
    account: int
    terms: NewOrder
    quantity: int
    status: Status
    placed: int
    updated: int
    list_id: int = -1
    executed: int = 0
    spent: int = 0
    working: bool = False
    working_since: int = 0
    prevented: int = 0
    prevented_match: int = 0
    stop_price: int = 0
    trailing_since: int = 0


@dataclass(frozen=True, slots=True)
class SpotFill:
    """One account's side of a trade."""

    trade_id: int
    order_id: int
    list_id: int
    account: int
    symbol: str
    price: int
    quantity: int
    money: int
    fee: int
    fee_asset: str
    time: int
    buys: bool
    makes: bool


@dataclass(frozen=True, slots=True)
class Prevention:
    """A match that self-trade prevention stopped.

    Parameters
    ----------
    taker_quantity, maker_quantity : int
        What each order lost by it; 0 of one that goes on.
    """

    id: int
    symbol: str
    taker_order: int
    maker_order: int
    price: int
    taker_quantity: int
    maker_quantity: int
    choice: SelfTrade
    time: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was taken, and what it did at once."""

    order: SpotOrder
    fills: tuple[SpotFill, ...] = ()
    preventions: tuple[Prevention, ...] = ()


class ReplaceMode(StrEnum):
    """Whether a replacement is placed though what it replaces could not be cancelled."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


@dataclass(frozen=True, slots=True)
class Replaced:
    """Both outcomes of a cancel-replace; ``placed`` is None where it was not attempted."""

    cancelled: SpotOrder | Refusal
    placed: Placed | Refusal | None


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something happened to an order.

    Parameters
    ----------
    execution : Execution
        What.
    order : SpotOrder
        The order after it.
    fill : SpotFill or None
        With `Execution.TRADE`.
    request_id : str
        Client id of a cancel, where it differs from the order's own; with `Execution.REPLACED`, the
        client id that the order had before.
    time : int
        When.
    """

    execution: Execution
    order: SpotOrder
    time: int
    fill: SpotFill | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class BalanceEvent:
    """Balances of an account after something changed them: (asset, free, locked) of those."""

    account: int
    time: int
    balances: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class DepositEvent:
    """Money came to an account from outside, or left it."""

    account: int
    time: int
    asset: str
    amount: int


class ListKind(StrEnum):
    """How the orders of a list hang together."""

    OCO = "OCO"
    OTO = "OTO"
    OTOCO = "OTOCO"


@dataclass(frozen=True, slots=True)
class OrderList:
    """Orders that belong together."""

    id: int
    account: int
    symbol: str
    kind: ListKind
    client_id: str
    orders: tuple[int, ...]
    done: bool
    placed: int


@dataclass(frozen=True, slots=True)
class ListEvent:
    """An order list began or ended."""

    list: OrderList
    time: int


SpotEvent = OrderEvent | BalanceEvent | DepositEvent | ListEvent
"""What the owner of an account is told."""


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A trade as everybody sees it."""

    symbol: str
    id: int
    price: int
    quantity: int
    time: int
    buyer_makes: bool


@dataclass(frozen=True, slots=True)
class Depth:
    """Price levels, best first: (price, quantity); of a change, a quantity of 0 removes a level.

    Parameters
    ----------
    first_update, last_update : int
        Update ids it covers; equal for a whole book.
    """

    symbol: str
    first_update: int
    last_update: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    time: int

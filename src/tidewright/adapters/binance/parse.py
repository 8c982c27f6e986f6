"""Reading what Binance answers: orders, fills, balances, time.

A form that differs from the documented one is `UnreadableAnswer`; an answer that contradicts itself
is `DataIntegrityError`. Nothing is guessed and nothing is left at a default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tidewright.adapters.binance.clock import MILLISECOND
from tidewright.adapters.binance.fields import Fields, UnreadableAnswer, as_list
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.orders import Side


class Status(StrEnum):
    """Where an order stands at the venue."""

    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PENDING_CANCEL = "PENDING_CANCEL"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def works(self) -> bool:
        """Whether the order may still trade."""
        return self in _WORKING


_WORKING = frozenset(
    {Status.NEW, Status.PENDING_NEW, Status.PARTIALLY_FILLED, Status.PENDING_CANCEL}
)


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution as the venue tells it.

    Parameters
    ----------
    trade_id, order_id : int
        The venue's numbers.
    price, quantity : Decimal
        At which price how much of the base asset, > 0.
    commission : Decimal
        Fee, in ``commission_asset``.
    commission_asset : str
        What the fee was paid in.
    maker : bool
        Whether the order provided liquidity.
    side : Side
        Side of the order.
    ts_event : int
        When it happened, nanoseconds UTC.
    """

    trade_id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    maker: bool
    side: Side
    ts_event: int


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the venue tells it.

    Parameters
    ----------
    symbol, client_id : str
        What it trades and the id that we gave it.
    order_id : int
        The venue's number, > 0.
    side : Side
        Buy or sell.
    kind : str
        The venue's word for its type, such as ``"LIMIT"``.
    status : Status
        Where it stands.
    price : Decimal
        Limit price; 0 for a market order.
    quantity, executed : Decimal
        How much was asked for and how much has traded, of the base asset.
    value : Decimal
        What traded, in the quote asset.
    ts_event : int
        When it last changed, nanoseconds UTC.
    fills : tuple of VenueFill
        What traded at once, where the answer tells it.
    """

    symbol: str
    client_id: str
    order_id: int
    side: Side
    kind: str
    status: Status
    price: Decimal
    quantity: Decimal
    executed: Decimal
    value: Decimal
    ts_event: int
    fills: tuple[VenueFill, ...] = ()


@dataclass(frozen=True, slots=True)
class VenueAccount:
    """What the venue holds for the account.

    Parameters
    ----------
    can_trade : bool
        Whether it takes orders.
    maker_rate, taker_rate : Decimal
        Fees as a share of the traded value.
    balances : dict of str to (Decimal, Decimal)
        By asset: what is free and what orders hold.
    ts_event : int
        When it last changed, nanoseconds UTC.
    """

    can_trade: bool
    maker_rate: Decimal
    taker_rate: Decimal
    balances: dict[str, tuple[Decimal, Decimal]]
    ts_event: int


def parse_time(value: object) -> int:
    """Return the venue's time in milliseconds, from the answer of ``time``."""
    return _milliseconds(Fields(value, "time"), "serverTime")


def parse_order(value: object) -> VenueOrder:
    """Return an order, from the answer to a placement or a query.

    Raises
    ------
    UnreadableAnswer
        If it has not the form of an order.
    DataIntegrityError
        If it contradicts itself: more executed than ordered, fills that are not what was executed,
        a status that its quantities do not allow.
    """
    return _order(value, "clientOrderId")


def parse_canceled(value: object) -> VenueOrder:
    """Return the order of a cancel's answer, where ``clientOrderId`` is the cancel's own id."""
    return _order(value, "origClientOrderId")


def parse_orders(value: object) -> tuple[VenueOrder, ...]:
    """Return a list of orders."""
    return tuple(parse_order(item) for item in as_list(value, "orders"))


def parse_fills(value: object) -> tuple[VenueFill, ...]:
    """Return the executions of ``myTrades``, by trade id; each id once.

    Raises
    ------
    DataIntegrityError
        If one trade id is told with two contents.
    """
    found: dict[int, VenueFill] = {}
    for item in as_list(value, "trades"):
        fill = _fill(Fields(item, "trade"))
        if found.setdefault(fill.trade_id, fill) != fill:
            raise DataIntegrityError(
                f"trade {fill.trade_id} was told as {fill} and as {found[fill.trade_id]}; "
                "expected one content for one id"
            )
    return tuple(found[trade_id] for trade_id in sorted(found))


def parse_account(value: object) -> VenueAccount:
    """Return the account, from the answer of ``account``."""
    account = Fields(value, "account")
    rates = account.within("commissionRates")
    balances: dict[str, tuple[Decimal, Decimal]] = {}
    for item in account.items("balances"):
        balance = Fields(item, "balance")
        asset = balance.text("asset")
        if asset in balances:
            raise DataIntegrityError(f"balance of {asset} was told twice; expected once")
        balances[asset] = balance.decimal("free"), balance.decimal("locked")
    return VenueAccount(
        account.flag("canTrade"),
        rates.decimal("maker"),
        rates.decimal("taker"),
        balances,
        _milliseconds(account, "updateTime") * MILLISECOND,
    )


@dataclass(frozen=True, slots=True)
class OrderReader:
    """Reads one certain order.

    Parameters
    ----------
    parse : callable
        Reads an order.
    symbol, client_id : str
        The order that must come.
    """

    parse: Callable[[object], VenueOrder]
    symbol: str
    client_id: str

    def __call__(self, value: object) -> VenueOrder:
        """Return the order.

        Raises
        ------
        UnreadableAnswer
            If the answer is about another order.
        """
        order = self.parse(value)
        came = order.symbol, order.client_id
        if came != (self.symbol, self.client_id):
            raise UnreadableAnswer(
                f"answer was about {came}; expected {(self.symbol, self.client_id)}"
            )
        return order


def _order(value: object, id_field: str) -> VenueOrder:
    told = Fields(value, "order")
    side = _side(told.text("side"))
    time = _first(told, ("updateTime", "transactTime", "time"))
    order_id = told.integer("orderId")
    if order_id <= 0:
        raise told.error("orderId", "a number above 0")
    fills = told.items("fills") if "fills" in told else ()
    order = VenueOrder(
        told.text("symbol"),
        told.text(id_field),
        order_id,
        side,
        told.text("type"),
        _status(told.text("status")),
        told.decimal("price"),
        told.decimal("origQty"),
        told.decimal("executedQty"),
        told.decimal("cummulativeQuoteQty"),
        time * MILLISECOND,
        tuple(_fill_of_order(Fields(item, "fill"), side, time, order_id) for item in fills),
    )
    _check(order, told="fills" in told)
    return order


def _check(order: VenueOrder, *, told: bool) -> None:
    wrong = ""
    if order.executed > order.quantity:
        wrong = f"executed {order.executed}; expected at most {order.quantity}"
    elif (order.status is Status.FILLED) != (order.executed == order.quantity != 0):
        wrong = f"{order.status} with {order.executed} of {order.quantity}; expected one to fit"
    elif order.status is Status.NEW and order.executed:
        wrong = f"NEW with {order.executed} executed; expected none"
    elif told and sum((fill.quantity for fill in order.fills), Decimal(0)) != order.executed:
        wrong = f"executed {order.executed}; expected the sum of its fills"
    if wrong:
        raise DataIntegrityError(f"order {order.client_id} of {order.symbol} was {wrong}")


def _fill_of_order(told: Fields, side: Side, time: int, order_id: int) -> VenueFill:
    # What trades with the answer itself took liquidity.
    return VenueFill(
        told.integer("tradeId"),
        order_id,
        _above_zero(told, "price"),
        _above_zero(told, "qty"),
        told.decimal("commission"),
        told.text("commissionAsset"),
        False,
        side,
        time * MILLISECOND,
    )


def _fill(told: Fields) -> VenueFill:
    return VenueFill(
        told.integer("id"),
        told.integer("orderId"),
        _above_zero(told, "price"),
        _above_zero(told, "qty"),
        told.decimal("commission"),
        told.text("commissionAsset"),
        told.flag("isMaker"),
        Side.BUY if told.flag("isBuyer") else Side.SELL,
        _milliseconds(told, "time") * MILLISECOND,
    )


def _above_zero(told: Fields, key: str) -> Decimal:
    number = told.decimal(key)
    if number == 0:
        raise told.error(key, "a number above 0, as text")
    return number


def _first(told: Fields, keys: tuple[str, ...]) -> int:
    for key in keys:
        if key in told:
            return _milliseconds(told, key)
    raise told.error(keys[0], "a time in milliseconds")


def _milliseconds(told: Fields, key: str) -> int:
    time = told.integer(key)
    # Seconds and microseconds are what a misread or changed unit would look like.
    if not 0 <= time < 10**14:
        raise told.error(key, "a time in milliseconds")
    return time


def _side(word: str) -> Side:
    if word not in ("BUY", "SELL"):
        raise UnreadableAnswer(f"side was {word!r}; expected BUY or SELL")
    return Side[word]


def _status(word: str) -> Status:
    if word not in Status.__members__:
        raise UnreadableAnswer(f"status was {word!r}; expected one of {', '.join(Status)}")
    return Status(word)

"""An order's terms as a client writes them: which parameters go with which type.

The legs of an order list carry a prefix: ``aboveType``, ``pendingBelowPrice``. A `Names` says how
the parameters of one leg are called, so that one reader serves every order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tidewright.domain.orders import Side
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import Kind, NewOrder, SelfTrade, TimeInForce
from tidewright.servers.venue import errors
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.parameters import Field, Value, Values

_BAD_TYPE = errors.ApiError(-1116, "Invalid orderType.")
BAD_SIDE = errors.ApiError(-1117, "Invalid side.")
_BAD_TIME = errors.ApiError(-1115, "Invalid timeInForce.")
_LOWEST_STRATEGY_TYPE = 1_000_000
ANSWERS = ("ACK", "RESULT", "FULL")


def _kind(name: str, text: str) -> Value:
    if text not in Kind.__members__:
        raise _BAD_TYPE
    return text


def _strategy_type(name: str, text: str) -> Value:
    value = read.whole(name, text)
    if value < _LOWEST_STRATEGY_TYPE:
        raise errors.ApiError(-1134, "strategyType was less than 1000000.")
    return value


def _unpegged(name: str, text: str) -> Value:
    raise errors.ApiError(-2010, "Pegged orders are not supported for this symbol.")


@dataclass(frozen=True, slots=True)
class Names:
    """What the parameters of one order are called."""

    kind: str = "type"
    side: str = "side"
    quantity: str = "quantity"
    money: str = "quoteOrderQty"
    price: str = "price"
    stop_price: str = "stopPrice"
    trailing_delta: str = "trailingDelta"
    iceberg: str = "icebergQty"
    time_in_force: str = "timeInForce"
    client_id: str = "newClientOrderId"
    strategy_id: str = "strategyId"
    strategy_type: str = "strategyType"
    peg_price: str = "pegPriceType"
    peg_offset: str = "pegOffsetType"
    peg_value: str = "pegOffsetValue"

    @classmethod
    def of_leg(cls, leg: str, *, side: str = "", quantity: str = "") -> Names:
        """Return the names of a leg of an order list.

        Parameters
        ----------
        leg : str
            The prefix.
        side, quantity : str
            Where the leg shares them with another.
        """
        return cls(
            kind=f"{leg}Type",
            side=side or f"{leg}Side",
            quantity=quantity or f"{leg}Quantity",
            money="",
            price=f"{leg}Price",
            stop_price=f"{leg}StopPrice",
            trailing_delta=f"{leg}TrailingDelta",
            iceberg=f"{leg}IcebergQty",
            time_in_force=f"{leg}TimeInForce",
            client_id=f"{leg}ClientOrderId",
            strategy_id=f"{leg}StrategyId",
            strategy_type=f"{leg}StrategyType",
            peg_price=f"{leg}PegPriceType",
            peg_offset=f"{leg}PegOffsetType",
            peg_value=f"{leg}PegOffsetValue",
        )

    def fields(self, *, shared: bool = True) -> tuple[Field, ...]:
        """Return the parameters of the order; without side and quantity unless ``shared``."""
        found = [
            Field(self.kind, _kind, mandatory=True),
            Field(self.price, read.units),
            Field(self.stop_price, read.units),
            Field(self.trailing_delta, read.whole),
            Field(self.iceberg, read.units),
            Field(self.time_in_force, read.one_of(TimeInForce.__members__, _BAD_TIME)),
            Field(self.client_id, read.client_id),
            Field(self.strategy_id, read.whole),
            Field(self.strategy_type, _strategy_type),
            Field(self.peg_price, _unpegged),
            Field(self.peg_offset, _unpegged),
            Field(self.peg_value, _unpegged),
        ]
        if shared:
            found[:0] = [
                Field(self.side, read.one_of(("BUY", "SELL"), BAD_SIDE), mandatory=True),
                Field(self.quantity, read.units, mandatory=not self.money),
            ]
        if self.money:
            found.append(Field(self.money, read.units))
        return tuple(found)


PLAIN = Names()
"""Names of an order of its own."""
ANSWER_FIELDS = (
    Field("newOrderRespType", read.one_of(ANSWERS)),
    Field("selfTradePreventionMode", read.one_of(SelfTrade.__members__)),
)

_NEEDS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.LIMIT: ("time_in_force", "quantity", "price"),
        Kind.LIMIT_MAKER: ("quantity", "price"),
        Kind.MARKET: (),
        Kind.STOP_LOSS: ("quantity",),
        Kind.STOP_LOSS_LIMIT: ("time_in_force", "quantity", "price"),
        Kind.TAKE_PROFIT: ("quantity",),
        Kind.TAKE_PROFIT_LIMIT: ("time_in_force", "quantity", "price"),
    }
)
_STOP = ("stop_price", "trailing_delta")
_MAY_HAVE: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.LIMIT: ("iceberg",),
        Kind.LIMIT_MAKER: ("iceberg",),
        Kind.MARKET: ("quantity", "money"),
        Kind.STOP_LOSS: _STOP,
        Kind.STOP_LOSS_LIMIT: (*_STOP, "iceberg"),
        Kind.TAKE_PROFIT: _STOP,
        Kind.TAKE_PROFIT_LIMIT: (*_STOP, "iceberg"),
    }
)
_OPTIONAL = (
    "time_in_force",
    "quantity",
    "money",
    "price",
    "stop_price",
    "trailing_delta",
    "iceberg",
)
_POSITIVE = ("quantity", "money", "price", "stop_price", "trailing_delta", "iceberg")


def new_order(
    values: Values, listing: Listing, names: Names = PLAIN, kind: Kind | None = None
) -> NewOrder:
    """Return the order that a request asks for.

    Parameters
    ----------
    values : Values
        The request.
    listing : Listing
        Its symbol.
    names : Names
        What the parameters of the order are called.
    kind : Kind, optional
        Its type, where the request does not say it.

    Raises
    ------
    errors.ApiError
        If a parameter that its type needs is missing, or one is sent that it does not take.
    """
    kind = kind or Kind(values.text(names.kind))
    _check_composition(values, kind, names)
    return NewOrder(
        symbol=listing.symbol,
        side=Side.BUY if values.text(names.side) == "BUY" else Side.SELL,
        kind=kind,
        quantity=values.number(names.quantity),
        money=values.number(names.money),
        price=values.number(names.price),
        stop_price=values.number(names.stop_price),
        trailing_delta=values.number(names.trailing_delta),
        iceberg_quantity=values.number(names.iceberg),
        time_in_force=values.word(names.time_in_force, TimeInForce, TimeInForce.GTC),
        self_trade=values.word("selfTradePreventionMode", SelfTrade, listing.default_self_trade),
        client_id=values.text(names.client_id),
        strategy_id=values.number(names.strategy_id),
        strategy_type=values.number(names.strategy_type),
    )


def answer_kind(values: Values, order: NewOrder) -> str:
    """Return how much the answer tells: ACK, RESULT or FULL."""
    usual = "FULL" if order.kind in (Kind.MARKET, Kind.LIMIT) else "ACK"
    return values.text("newOrderRespType", usual)


def _check_composition(values: Values, kind: Kind, names: Names) -> None:
    for what in _NEEDS[kind]:
        if getattr(names, what) not in values:
            raise errors.missing(getattr(names, what))
    if kind is Kind.MARKET:
        _check_market(values, names)
    elif kind.waits and names.stop_price not in values and names.trailing_delta not in values:
        raise errors.missing_both(names.stop_price, names.trailing_delta)
    taken = (*_NEEDS[kind], *_MAY_HAVE[kind])
    for what in _OPTIONAL:
        name = getattr(names, what)
        if what not in taken and name in values:
            raise errors.not_required(name)
    for what in _POSITIVE:
        name = getattr(names, what)
        if name in values and values.number(name) == 0:
            raise errors.ApiError(-1013, f"Invalid {name}.")


def _check_market(values: Values, names: Names) -> None:
    if not names.money:
        return
    if names.quantity not in values and names.money not in values:
        raise errors.missing_both(names.quantity, names.money)
    if names.quantity in values and names.money in values:
        raise errors.not_required(names.money)

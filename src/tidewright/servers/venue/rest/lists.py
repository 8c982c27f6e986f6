"""Order lists: one cancels the other, one triggers the other, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from tidewright.exchange.spot.values import Kind, ListKind, NewOrder
from tidewright.servers.venue import errors
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.general import find_listing
from tidewright.servers.venue.rest.orders import (
    SYMBOL,
    write_canceled_list,
    write_list,
    write_placed,
)
from tidewright.servers.venue.rest.pages import chosen
from tidewright.servers.venue.rest.terms import (
    ANSWER_FIELDS,
    BAD_SIDE,
    Names,
    answer_kind,
    new_order,
)
from tidewright.servers.venue.signing import Permission

_ABOVE = Names.of_leg("above", side="side", quantity="quantity")
_BELOW = Names.of_leg("below", side="side", quantity="quantity")
_WORKING = Names.of_leg("working")
_PENDING = Names.of_leg("pending")
_PENDING_ABOVE = Names.of_leg("pendingAbove", side="pendingSide", quantity="pendingQuantity")
_PENDING_BELOW = Names.of_leg("pendingBelow", side="pendingSide", quantity="pendingQuantity")
_OLD_STOP = Names(
    kind="",
    money="",
    price="stopLimitPrice",
    time_in_force="stopLimitTimeInForce",
    client_id="stopClientOrderId",
    iceberg="stopIcebergQty",
    strategy_id="stopStrategyId",
    strategy_type="stopStrategyType",
)
_OLD_LIMIT = Names(
    kind="",
    money="",
    stop_price="",
    trailing_delta="",
    time_in_force="",
    client_id="limitClientOrderId",
    iceberg="limitIcebergQty",
    strategy_id="limitStrategyId",
    strategy_type="limitStrategyType",
)
_LIST_ID = Field("listClientOrderId", read.client_id)


def _pair(
    values_of: Callable[[Names], NewOrder], above: Names, below: Names
) -> tuple[NewOrder, NewOrder]:
    """Return the two orders of which one cancels the other, the one that stops a loss first."""
    orders = values_of(above), values_of(below)
    stops = [order for order in orders if _stops(order)]
    others = [order for order in orders if not _stops(order)]
    if len(stops) != 1:
        raise errors.ApiError(-1168, "At least one OCO order must be contingent.")
    return stops[0], others[0]


def _stops(order: NewOrder) -> bool:
    return order.kind in (Kind.STOP_LOSS, Kind.STOP_LOSS_LIMIT)


def _place(call: Call, kind: ListKind, orders: Sequence[NewOrder]) -> object:
    limits, values = call.venue.orders, call.values
    limits.check(call.account, len(orders), call.now)
    found, placed = call.venue.exchange.place_list(
        call.account, kind, orders, values.text("listClientOrderId"), now=call.now
    )
    limits.add(call.account, len(orders), call.now)
    told = write_list(call, found)
    told["orderReports"] = [
        write_placed(one, answer_kind(values, one.order.terms), call.unit) for one in placed
    ]
    return told


def _legs(call: Call) -> Callable[[Names], NewOrder]:
    listing = find_listing(call)
    return lambda names: new_order(call.values, listing, names)


def _oco(call: Call) -> object:
    legs = _legs(call)
    _check_places(call, "above", "below", "side")
    return _place(call, ListKind.OCO, _pair(legs, _ABOVE, _BELOW))


def _oto(call: Call) -> object:
    legs = _legs(call)
    _check_working(call)
    return _place(call, ListKind.OTO, (legs(_WORKING), legs(_PENDING)))


def _otoco(call: Call) -> object:
    legs = _legs(call)
    _check_working(call)
    _check_places(call, "pendingAbove", "pendingBelow", "pendingSide")
    pending = _pair(legs, _PENDING_ABOVE, _PENDING_BELOW)
    return _place(call, ListKind.OTOCO, (legs(_WORKING), *pending))


def _old_oco(call: Call) -> object:
    """Place one that cancels the other, asked for as it was before 2024."""
    listing, values = find_listing(call), call.values
    limited = _OLD_STOP.price in values
    if limited and _OLD_STOP.time_in_force not in values:
        raise errors.missing(_OLD_STOP.time_in_force)
    stop_kind = Kind.STOP_LOSS_LIMIT if limited else Kind.STOP_LOSS
    stop = new_order(values, listing, _OLD_STOP, stop_kind)
    limit = new_order(values, listing, _OLD_LIMIT, Kind.LIMIT_MAKER)
    return _place(call, ListKind.OCO, (stop, limit))


_MISPLACED: Mapping[tuple[str, str, Kind], tuple[int, str]] = MappingProxyType(
    {
        ("BUY", "above", Kind.LIMIT_MAKER): (-1165, "A limit order in a buy OCO must be below."),
        ("SELL", "below", Kind.LIMIT_MAKER): (-1166, "A limit order in a sell OCO must be above."),
        ("BUY", "below", Kind.STOP_LOSS): (-1196, "A stop loss order in a buy OCO must be above."),
        ("SELL", "above", Kind.STOP_LOSS): (
            -1197,
            "A stop loss order in a sell OCO must be below.",
        ),
        ("BUY", "above", Kind.TAKE_PROFIT): (
            -1198,
            "A take profit order in a buy OCO must be below.",
        ),
        ("SELL", "below", Kind.TAKE_PROFIT): (
            -1199,
            "A take profit order in a sell OCO must be above.",
        ),
    }
)


def _check_places(call: Call, above: str, below: str, side: str) -> None:
    """Refuse types that no order above or below the price may have."""
    for place, leg in (("above", above), ("below", below)):
        kind = Kind(call.values.text(f"{leg}Type"))
        if kind in (Kind.LIMIT, Kind.MARKET):
            raise errors.ApiError(-1158, "Order type not supported in OCO.")
        plain = Kind(kind.value.removesuffix("_LIMIT"))
        problem = _MISPLACED.get((call.values.text(side), place, plain))
        if problem is not None:
            raise errors.ApiError(*problem)


def _check_working(call: Call) -> None:
    if call.values.text("workingType") not in (Kind.LIMIT, Kind.LIMIT_MAKER):
        raise errors.bad_value("workingType")


def _cancel(call: Call) -> object:
    listing, values = find_listing(call), call.values
    if "orderListId" not in values and "listClientOrderId" not in values:
        raise errors.missing_both("listClientOrderId", "orderListId")
    request_id = values.text("newClientOrderId") or call.venue.exchange.new_client_id()
    found = call.venue.exchange.cancel_list(
        call.account,
        listing.symbol,
        list_id=values.number("orderListId"),
        client_id=values.text("listClientOrderId"),
        request_id=request_id,
        now=call.now,
    )
    return write_canceled_list(call, found, request_id)


def _query(call: Call) -> object:
    values = call.values
    if "orderListId" not in values and "origClientOrderId" not in values:
        raise errors.missing_both("origClientOrderId", "orderListId")
    found = call.venue.exchange.list(
        call.account,
        list_id=values.number("orderListId"),
        client_id=values.text("origClientOrderId"),
    )
    return write_list(call, found)


def _query_all(call: Call) -> object:
    values = call.values
    if "fromId" in values and ("startTime" in values or "endTime" in values):
        raise errors.bad_combination()
    found = call.venue.exchange.lists(call.account)
    rows = chosen(call, found, "fromId", number=lambda one: one.id, time=lambda one: one.placed)
    return [write_list(call, one) for one in rows]


def _query_open(call: Call) -> object:
    return [
        write_list(call, one) for one in call.venue.exchange.lists(call.account, only_open=True)
    ]


_SHARED = (
    Field("side", read.one_of(("BUY", "SELL"), BAD_SIDE), mandatory=True),
    Field("quantity", read.units, mandatory=True),
)
_OLD_FIELDS = (
    *_SHARED,
    Field("price", read.units, mandatory=True),
    Field("stopPrice", read.units, mandatory=True),
    Field("trailingDelta", read.whole),
    *(
        field
        for names in (_OLD_STOP, _OLD_LIMIT)
        for field in names.fields(shared=False)
        if field.name not in ("", "price", "stopPrice", "trailingDelta", "type")
        and not field.name.startswith("peg")
    ),
)


def _placing(answer: Callable[[Call], object], *fields: Field) -> Endpoint:
    return Endpoint(
        answer,
        SYMBOL,
        _LIST_ID,
        *fields,
        *ANSWER_FIELDS,
        permission=Permission.TRADE,
        counts_orders=True,
    )


OCO = _placing(_oco, *_SHARED, *_ABOVE.fields(shared=False), *_BELOW.fields(shared=False))
OTO = _placing(_oto, *_WORKING.fields(), *_PENDING.fields())
OTOCO = _placing(
    _otoco,
    *_WORKING.fields(),
    *_PENDING_ABOVE.fields(),
    *_PENDING_BELOW.fields(shared=False),
)
OLD_OCO = _placing(_old_oco, *_OLD_FIELDS)
CANCEL = Endpoint(
    _cancel,
    SYMBOL,
    Field("orderListId", read.whole),
    _LIST_ID,
    Field("newClientOrderId", read.client_id),
    permission=Permission.TRADE,
)
QUERY = Endpoint(
    _query,
    Field("orderListId", read.whole),
    Field("origClientOrderId", read.client_id),
    permission=Permission.USER_DATA,
    weight=4,
)
QUERY_ALL = Endpoint(
    _query_all,
    Field("fromId", read.whole),
    Field("startTime", read.moment),
    Field("endTime", read.moment),
    Field("limit", read.whole),
    permission=Permission.USER_DATA,
    weight=20,
)
QUERY_OPEN = Endpoint(_query_open, permission=Permission.USER_DATA, weight=6)

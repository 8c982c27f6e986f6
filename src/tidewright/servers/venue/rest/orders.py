"""Orders: placed, tried, taken back, replaced, lowered and looked up."""

from __future__ import annotations

from collections.abc import Mapping

from tidewright.exchange.spot.values import (
    OrderList,
    Placed,
    Status,
)
from tidewright.servers.venue import errors, writers
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field, Value
from tidewright.servers.venue.rest.general import find_listing
from tidewright.servers.venue.rest.terms import (
    ANSWER_FIELDS,
    PLAIN,
    answer_kind,
    new_order,
)
from tidewright.servers.venue.signing import Permission
from tidewright.servers.venue.writers import Json

SYMBOL = Field("symbol", read.symbol, mandatory=True)
WHICH = (Field("orderId", read.whole), Field("origClientOrderId", read.client_id))
RESTRICTIONS = {
    "ONLY_NEW": Status.NEW,
    "ONLY_PARTIALLY_FILLED": Status.PARTIALLY_FILLED,
}


def _restriction(name: str, text: str) -> Value:
    if text not in RESTRICTIONS:
        raise errors.ApiError(-1145, "Invalid cancelRestrictions")
    return text


RESTRICTED = Field("cancelRestrictions", _restriction)


def which_order(call: Call, by_id: str = "orderId", by_name: str = "origClientOrderId") -> None:
    """Refuse a request that names no order.

    Raises
    ------
    errors.ApiError
        -1102.
    """
    if by_id not in call.values and by_name not in call.values:
        raise errors.missing_both(by_name, by_id)


def write_placed(placed: Placed, told: str, unit: int) -> Json:
    """Write an order that was taken, as much as was asked for."""
    if told == "ACK":
        return writers.order_ack(placed.order, unit)
    if told == "RESULT":
        return writers.order_result(placed.order, unit)
    return writers.order_full(placed.order, placed.fills, placed.preventions, unit)


def write_list(call: Call, found: OrderList) -> Json:
    """Write an order list with its orders."""
    exchange = call.venue.exchange
    orders = [
        exchange.order(call.account, found.symbol, order_id=number) for number in found.orders
    ]
    return writers.order_list(found, orders, call.unit)


def _place(call: Call) -> object:
    order = new_order(call.values, find_listing(call))
    orders = call.venue.orders
    orders.check(call.account, 1, call.now)
    placed = call.venue.exchange.place(call.account, order, call.now)
    orders.add(call.account, 1, call.now)
    return write_placed(placed, answer_kind(call.values, order), call.unit)


def _test(call: Call) -> object:
    listing = find_listing(call)
    order = new_order(call.values, listing)
    call.venue.exchange.check(call.account, order, call.now)
    if not call.values.flag("computeCommissionRates"):
        return {}
    account = call.venue.exchange.accounts[call.account]
    standard = {
        "maker": writers.rate(account.maker_ppm),
        "taker": writers.rate(account.taker_ppm),
    }
    none = {"maker": writers.rate(0), "taker": writers.rate(0)}
    return {
        "standardCommissionForOrder": standard,
        "specialCommissionForOrder": none,
        "taxCommissionForOrder": none,
        "discount": no_discount(),
    }


def no_discount() -> Json:
    """Write that paying fees in another asset brings nothing here."""
    return {
        "enabledForAccount": False,
        "enabledForSymbol": False,
        "discountAsset": "BNB",
        "discount": writers.rate(0),
    }


def _test_weight(sent: Mapping[str, str]) -> int:
    return 20 if sent.get("computeCommissionRates", "").lower() == "true" else 1


def _query(call: Call) -> object:
    listing, values = find_listing(call), call.values
    which_order(call)
    found = call.venue.exchange.order(
        call.account,
        listing.symbol,
        order_id=values.number("orderId"),
        client_id=values.text("origClientOrderId"),
    )
    return writers.order_queried(found, call.unit)


def _cancel(call: Call) -> object:
    listing, values = find_listing(call), call.values
    which_order(call)
    request_id = values.text("newClientOrderId") or call.venue.exchange.new_client_id()
    order = call.venue.exchange.cancel(
        call.account,
        listing.symbol,
        order_id=values.number("orderId"),
        client_id=values.text("origClientOrderId"),
        request_id=request_id,
        only=RESTRICTIONS.get(values.text("cancelRestrictions")),
        now=call.now,
    )
    if order.list_id < 0:
        return writers.order_canceled(order, request_id, call.unit)
    found = call.venue.exchange.list(call.account, list_id=order.list_id)
    return write_canceled_list(call, found, request_id)


def write_canceled_list(call: Call, found: OrderList, request_id: str) -> Json:
    """Write an order list that was taken back, with each of its orders."""
    orders = [
        call.venue.exchange.order(call.account, found.symbol, order_id=number)
        for number in found.orders
    ]
    told = writers.order_list(found, orders, call.unit)
    told["orderReports"] = [
        writers.order_canceled(order, request_id, call.unit) for order in orders
    ]
    return told


def _cancel_all(call: Call) -> object:
    listing = find_listing(call)
    request_id = call.venue.exchange.new_client_id()
    found = call.venue.exchange.cancel_all(call.account, listing.symbol, call.now)
    return [
        write_canceled_list(call, one, request_id)
        if isinstance(one, OrderList)
        else writers.order_canceled(one, request_id, call.unit)
        for one in found
    ]


PLACE_FIELDS = (SYMBOL, *PLAIN.fields(), *ANSWER_FIELDS)
PLACE = Endpoint(_place, *PLACE_FIELDS, permission=Permission.TRADE, counts_orders=True)
TEST = Endpoint(
    _test,
    *PLACE_FIELDS,
    Field("computeCommissionRates", read.flag),
    permission=Permission.TRADE,
    weight=_test_weight,
)
QUERY = Endpoint(_query, SYMBOL, *WHICH, permission=Permission.USER_DATA, weight=4)
CANCEL = Endpoint(
    _cancel,
    SYMBOL,
    *WHICH,
    Field("newClientOrderId", read.client_id),
    RESTRICTED,
    permission=Permission.TRADE,
)
CANCEL_ALL = Endpoint(_cancel_all, SYMBOL, permission=Permission.TRADE)

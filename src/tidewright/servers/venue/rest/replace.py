"""An order that takes another's place, or goes on smaller."""

from __future__ import annotations

from tidewright.exchange.spot.values import (
    Placed,
    Refusal,
    ReplaceMode,
    SpotOrder,
)
from tidewright.servers.venue import errors, writers
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.general import find_listing
from tidewright.servers.venue.rest.orders import (
    PLACE_FIELDS,
    RESTRICTED,
    RESTRICTIONS,
    SYMBOL,
    WHICH,
    which_order,
    write_list,
    write_placed,
)
from tidewright.servers.venue.rest.terms import answer_kind, new_order
from tidewright.servers.venue.signing import Permission
from tidewright.servers.venue.writers import Json

_BY_ID, _BY_NAME = "cancelOrderId", "cancelOrigClientOrderId"
_EXCEEDED = ("DO_NOTHING", "CANCEL_ONLY")
_SUCCESS, _FAILURE, _NOT_ATTEMPTED = "SUCCESS", "FAILURE", "NOT_ATTEMPTED"


def _replace(call: Call) -> object:
    listing, values, venue = find_listing(call), call.values, call.venue
    which_order(call, _BY_ID, _BY_NAME)
    order = new_order(values, listing)
    request_id = values.text("cancelNewClientOrderId") or venue.exchange.new_client_id()
    try:
        venue.orders.check(call.account, 1, call.now)
    except errors.ApiError as problem:
        if values.text("orderRateLimitExceededMode") != "CANCEL_ONLY":
            raise
        return _only_cancel(call, request_id, problem)
    outcome = venue.exchange.replace(
        call.account,
        order,
        call.now,
        mode=ReplaceMode(values.text("cancelReplaceMode")),
        order_id=values.number(_BY_ID),
        client_id=values.text(_BY_NAME),
        request_id=request_id,
        only=RESTRICTIONS.get(values.text("cancelRestrictions")),
    )
    if not isinstance(outcome.placed, Refusal):
        venue.orders.add(call.account, 1, call.now)
    told: Json | None = None
    if isinstance(outcome.placed, Placed):
        told = write_placed(outcome.placed, answer_kind(values, order), call.unit)
    elif outcome.placed is not None:
        told = errors.of_refusal(outcome.placed).body
    canceled = _write_canceled(outcome.cancelled, request_id, call.unit)
    return _both(outcome.cancelled, canceled, outcome.placed, told)


def _only_cancel(call: Call, request_id: str, problem: errors.ApiError) -> object:
    """Take the old order back though the new one is one too many."""
    values = call.values
    try:
        order = call.venue.exchange.cancel(
            call.account,
            values.text("symbol"),
            order_id=values.number(_BY_ID),
            client_id=values.text(_BY_NAME),
            request_id=request_id,
            only=RESTRICTIONS.get(values.text("cancelRestrictions")),
            now=call.now,
        )
    except Refusal as refusal:
        body = errors.of_refusal(refusal).body
        raise _failure(_FAILURE, body, _NOT_ATTEMPTED, None, errors.TOO_MANY) from refusal
    canceled = writers.order_canceled(order, request_id, call.unit)
    raise _failure(_SUCCESS, canceled, _FAILURE, problem.body, errors.TOO_MANY)


def _write_canceled(found: SpotOrder | Refusal, request_id: str, unit: int) -> Json:
    if isinstance(found, Refusal):
        return errors.of_refusal(found).body
    return writers.order_canceled(found, request_id, unit)


def _both(
    canceled: SpotOrder | Refusal,
    canceled_body: Json,
    placed: Placed | Refusal | None,
    placed_body: Json | None,
) -> Json:
    """Return what both halves of a replacement came to; raise it unless both went well."""
    first = _FAILURE if isinstance(canceled, Refusal) else _SUCCESS
    second = _NOT_ATTEMPTED if placed is None else _SUCCESS
    if isinstance(placed, Refusal):
        second = _FAILURE
    if (first, second) == (_SUCCESS, _SUCCESS):
        return {
            "cancelResult": first,
            "newOrderResult": second,
            "cancelResponse": canceled_body,
            "newOrderResponse": placed_body,
        }
    status = errors.CONFLICT if _SUCCESS in (first, second) else 400
    raise _failure(first, canceled_body, second, placed_body, status)


def _failure(
    canceled: str, canceled_body: Json, placed: str, placed_body: Json | None, status: int
) -> errors.ApiError:
    data: Json = {
        "cancelResult": canceled,
        "newOrderResult": placed,
        "cancelResponse": canceled_body,
        "newOrderResponse": placed_body,
    }
    if _SUCCESS in (canceled, placed):
        text = "Order cancel-replace partially failed."
        return errors.ApiError(-2021, text, status, data=data)
    return errors.ApiError(-2022, "Order cancel-replace failed.", status, data=data)


def _amend(call: Call) -> object:
    listing, values, exchange = find_listing(call), call.values, call.venue.exchange
    which_order(call)
    if values.number("newQty") == 0:
        raise errors.ApiError(-1013, "Invalid newQty.")
    before = exchange.order(
        call.account,
        listing.symbol,
        order_id=values.number("orderId"),
        client_id=values.text("origClientOrderId"),
    )
    amended = exchange.amend(
        call.account,
        listing.symbol,
        order_id=before.id,
        quantity=values.number("newQty"),
        new_client_id=values.text("newClientOrderId") or exchange.new_client_id(),
        now=call.now,
    )
    told: Json = {
        "transactTime": amended.updated // call.unit,
        "executionId": call.venue.amended(before, amended).id,
        "amendedOrder": writers.order_amended(amended, before.terms.client_id, call.unit),
    }
    if amended.list_id >= 0:
        whole = write_list(call, exchange.list(call.account, list_id=amended.list_id))
        told["listStatus"] = {
            name: value
            for name, value in whole.items()
            if name not in ("listStatusType", "transactionTime")
        }
    return told


CANCEL_REPLACE = Endpoint(
    _replace,
    *PLACE_FIELDS,
    Field("cancelReplaceMode", read.one_of(ReplaceMode.__members__), mandatory=True),
    Field("cancelNewClientOrderId", read.client_id),
    Field(_BY_NAME, read.client_id),
    Field(_BY_ID, read.whole),
    RESTRICTED,
    Field("orderRateLimitExceededMode", read.one_of(_EXCEEDED)),
    permission=Permission.TRADE,
    counts_orders=True,
)
AMEND = Endpoint(
    _amend,
    SYMBOL,
    *WHICH,
    Field("newClientOrderId", read.client_id),
    Field("newQty", read.units, mandatory=True),
    permission=Permission.TRADE,
    weight=4,
)

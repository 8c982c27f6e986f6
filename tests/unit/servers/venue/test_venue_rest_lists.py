"""Order lists, replaced and lowered orders, and matches with oneself, as REST tells of them."""

from __future__ import annotations

import pytest

from fakes.venue_desk import VenueDesk
from tidewright.domain.time import SECOND
from tidewright.servers.venue.limits import Limit, LimitSettings

OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "60000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "45000",
    "belowPrice": "44000",
    "belowTimeInForce": "GTC",
}
WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.01",
    "workingTimeInForce": "GTC",
    "pendingSide": "SELL",
    "pendingQuantity": "0.01",
}


@pytest.fixture
def desk() -> VenueDesk:
    """A venue where bitcoin last traded at 50,000."""
    desk = VenueDesk()
    desk.order("bob", side="SELL", quantity="0.001")
    desk.order("alice", quantity="0.001")
    desk.clock.turn(11)
    return desk


def _replace(desk, **changes):
    terms = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "old"}
    return desk.order(path="order/cancelReplace", **(terms | changes))


def test_replaced_order_tells_of_both_halves(desk):
    desk.order(newClientOrderId="old", price="40000")
    answer = _replace(desk, price="41000", newClientOrderId="new", cancelNewClientOrderId="stop")
    body = answer.body
    assert answer.status == 200
    assert list(body) == ["cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse"]
    assert (body["cancelResult"], body["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    canceled, placed = body["cancelResponse"], body["newOrderResponse"]
    assert (canceled["origClientOrderId"], canceled["clientOrderId"]) == ("old", "stop")
    assert (placed["clientOrderId"], placed["price"], placed["fills"]) == (
        "new",
        "41000.00000000",
        [],
    )
    assert answer.headers["x-mbx-order-count-10s"] == "2"


def test_replacement_stops_where_nothing_could_be_cancelled(desk):
    answer = _replace(desk)
    assert (answer.status, answer.body) == (
        400,
        {
            "code": -2022,
            "msg": "Order cancel-replace failed.",
            "data": {
                "cancelResult": "FAILURE",
                "newOrderResult": "NOT_ATTEMPTED",
                "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
                "newOrderResponse": None,
            },
        },
    )
    counts = desk.signed("alice", "GET", "rateLimit/order").body
    assert counts[0]["count"] == 1


def test_replacement_that_may_fail_half_way(desk):
    answer = _replace(desk, cancelReplaceMode="ALLOW_FAILURE", price="40000")
    assert (answer.status, answer.body["code"], answer.body["msg"]) == (
        409,
        -2021,
        "Order cancel-replace partially failed.",
    )
    data = answer.body["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", "SUCCESS")
    assert data["cancelResponse"] == {"code": -2011, "msg": "Unknown order sent."}
    assert data["newOrderResponse"]["status"] == "NEW"


@pytest.mark.parametrize(
    ("placed_before", "status", "code"), [(True, 409, -2021), (False, 400, -2022)]
)
def test_replacement_whose_new_order_fails(desk, placed_before, status, code):
    desk.order("bob", side="SELL", price="50500")
    if placed_before:
        desk.order(newClientOrderId="old", price="40000")
    answer = _replace(
        desk,
        cancelReplaceMode="ALLOW_FAILURE",
        type="LIMIT_MAKER",
        timeInForce=None,
        price="51000",
    )
    assert (answer.status, answer.body["code"]) == (status, code)
    data = answer.body["data"]
    assert data["newOrderResult"] == "FAILURE"
    assert data["newOrderResponse"] == {
        "code": -2010,
        "msg": "Order would immediately match and take.",
    }


def test_replacement_above_the_order_limit_may_still_cancel():
    desk = VenueDesk(LimitSettings(orders=(Limit("ORDERS", SECOND, 10, 1),)))
    desk.order(newClientOrderId="old", price="40000")
    refused = _replace(desk, price="41000")
    assert (refused.status, refused.body["code"]) == (429, -1015)
    answer = _replace(desk, price="41000", orderRateLimitExceededMode="CANCEL_ONLY")
    assert (answer.status, answer.body["code"]) == (429, -2021)
    data = answer.body["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert data["newOrderResponse"]["code"] == -1015
    again = _replace(desk, price="41000", orderRateLimitExceededMode="CANCEL_ONLY")
    assert (again.status, again.body["data"]["newOrderResult"]) == (429, "NOT_ATTEMPTED")


@pytest.mark.parametrize(
    ("path", "parameters", "code", "message"),
    [
        (
            "order/cancelReplace",
            {"cancelOrigClientOrderId": None},
            -1102,
            "Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, "
            "but both were empty/null!",
        ),
        (
            "order/cancelReplace",
            {"cancelReplaceMode": "MAYBE"},
            -1130,
            "Data sent for parameter 'cancelReplaceMode' is not valid.",
        ),
        (
            "order/cancelReplace",
            {"cancelRestrictions": "ONLY_OLD"},
            -1145,
            "Invalid cancelRestrictions",
        ),
    ],
)
def test_replacements_that_are_refused(desk, path, parameters, code, message):
    assert _replace(desk, **parameters).body == {"code": code, "msg": message}


def test_cancel_may_depend_on_what_was_filled(desk):
    desk.order(newClientOrderId="old", price="40000")
    asked = {"symbol": "BTCUSDT", "origClientOrderId": "old"}
    refused = desk.signed(
        "alice", "DELETE", "order", **asked, cancelRestrictions="ONLY_PARTIALLY_FILLED"
    )
    assert refused.body == {
        "code": -2011,
        "msg": "Order was not canceled due to cancel restrictions.",
    }
    assert desk.signed("alice", "DELETE", "order", **asked, cancelRestrictions="ONLY_NEW").body[
        "status"
    ] == ("CANCELED")


def test_lowered_order_keeps_its_place_and_is_remembered(desk):
    desk.order(newClientOrderId="old", price="40000", quantity="0.03")
    desk.clock.turn(1)
    told = desk.signed(
        "alice",
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        origClientOrderId="old",
        newClientOrderId="less",
        newQty="0.02",
    ).body
    assert list(told) == ["transactTime", "executionId", "amendedOrder"]
    assert told["amendedOrder"] == {
        "symbol": "BTCUSDT",
        "orderId": told["amendedOrder"]["orderId"],
        "orderListId": -1,
        "origClientOrderId": "old",
        "clientOrderId": "less",
        "price": "40000.00000000",
        "qty": "0.02000000",
        "executedQty": "0.00000000",
        "preventedQty": "0.00000000",
        "quoteOrderQty": "0.00000000",
        "cumulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": told["amendedOrder"]["workingTime"],
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    number = told["amendedOrder"]["orderId"]
    found = desk.signed("alice", "GET", "order/amendments", symbol="BTCUSDT", orderId=number).body
    assert found == [
        {
            "symbol": "BTCUSDT",
            "orderId": number,
            "executionId": told["executionId"],
            "origClientOrderId": "old",
            "newClientOrderId": "less",
            "origQty": "0.03000000",
            "newQty": "0.02000000",
            "time": told["transactTime"],
        }
    ]
    more = desk.signed(
        "alice",
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=number,
        newQty="0.05",
    )
    assert (more.status, more.body["code"]) == (400, -2038)


def test_pair_of_which_one_cancels_the_other(desk):
    answer = desk.signed("alice", "POST", "orderList/oco", listClientOrderId="pair", **OCO)
    told = answer.body
    assert answer.headers["x-mbx-order-count-10s"] == "2"
    assert {name: told[name] for name in list(told)[:5]} == {
        "orderListId": 1,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": "pair",
    }
    assert list(told)[5:] == ["transactionTime", "symbol", "orders", "orderReports"]
    stop, limit = told["orderReports"]
    assert (stop["orderListId"], set(told["orders"][0])) == (
        1,
        {"symbol", "orderId", "clientOrderId"},
    )
    for query in ({"orderListId": 1}, {"origClientOrderId": "pair"}):
        found = desk.signed("alice", "GET", "orderList", **query).body
        assert found == {name: told[name] for name in list(told)[:-1]}
    assert desk.signed("alice", "GET", "openOrderList").body == [found]
    gone = desk.signed("alice", "DELETE", "order", symbol="BTCUSDT", orderId=stop["orderId"]).body
    assert (gone["listStatusType"], gone["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [one["status"] for one in gone["orderReports"]] == ["CANCELED", "CANCELED"]
    assert desk.signed("alice", "GET", "openOrderList").body == []
    (listed,) = desk.signed("alice", "GET", "allOrderList").body
    assert listed["listOrderStatus"] == "ALL_DONE"
    # The usual answer for these types tells no more than that they were taken.
    assert set(stop) == set(limit) == {*told["orders"][0], "orderListId", "transactTime"}


def test_pair_asked_for_in_the_old_way(desk):
    told = desk.signed(
        "alice",
        "POST",
        "order/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        price="60000",
        stopPrice="45000",
        newOrderRespType="RESULT",
    ).body
    assert [one["type"] for one in told["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "BUY"}, -1165),
        ({"aboveType": "STOP_LOSS", "abovePrice": None, "aboveStopPrice": "60000"}, -1197),
        ({"aboveType": "MARKET", "abovePrice": None}, -1158),
        ({"belowStopPrice": None}, -1102),
        ({"belowStopPrice": "65000"}, -2010),
        ({"quantity": None}, -1102),
        ({"aboveStrategyType": 5}, -1134),
    ],
)
def test_pairs_that_are_refused(desk, changes, code):
    sent = {name: value for name, value in (OCO | changes).items() if value is not None}
    answer = desk.signed("alice", "POST", "orderList/oco", **sent)
    assert (answer.status, answer.body["code"]) == (400, code), answer.body
    assert desk.signed("alice", "GET", "openOrders").body == []


def test_order_that_triggers_another(desk):
    told = desk.signed(
        "alice", "POST", "orderList/oto", **WORKING, pendingType="MARKET", newOrderRespType="RESULT"
    ).body
    assert told["contingencyType"] == "OTO"
    assert [one["status"] for one in told["orderReports"]] == ["NEW", "PENDING_NEW"]
    assert told["orderReports"][1]["workingTime"] == -1
    desk.order("bob", price="48900", quantity="0.02")
    desk.order("bob", side="SELL", price="49000", quantity="0.02")
    desk.clock.turn(1)
    orders = desk.signed("alice", "GET", "allOrders", symbol="BTCUSDT").body
    assert [(one["type"], one["status"]) for one in orders[-2:]] == [
        ("LIMIT", "FILLED"),
        ("MARKET", "FILLED"),
    ]


def test_order_that_triggers_a_pair(desk):
    told = desk.signed(
        "alice",
        "POST",
        "orderList/otoco",
        **WORKING,
        pendingAboveType="LIMIT_MAKER",
        pendingAbovePrice="60000",
        pendingBelowType="STOP_LOSS",
        pendingBelowStopPrice="45000",
        newOrderRespType="RESULT",
    ).body
    assert [(one["type"], one["status"]) for one in told["orderReports"]] == [
        ("LIMIT", "NEW"),
        ("STOP_LOSS", "PENDING_NEW"),
        ("LIMIT_MAKER", "PENDING_NEW"),
    ]
    gone = desk.signed("alice", "DELETE", "orderList", symbol="BTCUSDT", orderListId=1).body
    assert {one["status"] for one in gone["orderReports"]} == {"CANCELED"}
    again = desk.signed("alice", "DELETE", "orderList", symbol="BTCUSDT", orderListId=1)
    assert again.body == {"code": -2011, "msg": "Unknown order sent."}


def test_everything_is_taken_back_lists_as_lists(desk):
    desk.order(price="40000", newClientOrderId="alone")
    desk.signed("alice", "POST", "orderList/oco", **OCO)
    told = desk.signed("alice", "DELETE", "openOrders", symbol="BTCUSDT").body
    assert [one.get("origClientOrderId", "a list") for one in told] == ["alone", "a list"]
    assert len(told[1]["orderReports"]) == 2
    nothing = desk.signed("alice", "DELETE", "openOrders", symbol="BTCUSDT")
    assert nothing.body == {"code": -2011, "msg": "Unknown order sent."}


def test_match_with_oneself_is_told(desk):
    desk.order(side="SELL", price="50100", newClientOrderId="mine")
    told = desk.order(price="50100", newClientOrderId="other").body
    (match,) = told["preventedMatches"]
    maker = match["makerOrderId"]
    assert match == {
        "preventedMatchId": match["preventedMatchId"],
        "makerOrderId": maker,
        "price": "50100.00000000",
        "makerPreventedQuantity": "0.01000000",
    }
    gone = desk.signed("alice", "GET", "order", symbol="BTCUSDT", orderId=maker).body
    assert (gone["status"], gone["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "0.01000000")
    by_order = desk.signed("alice", "GET", "myPreventedMatches", symbol="BTCUSDT", orderId=maker)
    by_match = desk.signed(
        "alice",
        "GET",
        "myPreventedMatches",
        symbol="BTCUSDT",
        preventedMatchId=match["preventedMatchId"],
    )
    assert by_order.body == by_match.body
    assert list(by_match.body[0]) == [
        "symbol",
        "preventedMatchId",
        "takerOrderId",
        "makerSymbol",
        "makerOrderId",
        "tradeGroupId",
        "selfTradePreventionMode",
        "price",
        "makerPreventedQuantity",
        "transactTime",
    ]
    assert desk.signed("alice", "GET", "myPreventedMatches", symbol="BTCUSDT").body["code"] == -1128


def test_pages_of_history(desk):
    for number in range(6):
        desk.order(price="40000", newClientOrderId=f"o{number}")
        desk.clock.turn(1)

    def names(**parameters):
        found = desk.signed("alice", "GET", "allOrders", symbol="BTCUSDT", **parameters).body
        return [one["clientOrderId"] for one in found]

    every = names()[-6:]
    assert every == [f"o{number}" for number in range(6)]
    assert names(limit=2) == ["o4", "o5"]
    orders = desk.signed("alice", "GET", "allOrders", symbol="BTCUSDT", limit=6).body
    assert names(orderId=orders[1]["orderId"], limit=2) == ["o1", "o2"]
    assert names(startTime=orders[3]["time"]) == ["o3", "o4", "o5"]
    assert names(startTime=orders[3]["time"], endTime=orders[4]["time"]) == ["o3", "o4"]
    assert names(endTime=orders[1]["time"])[-2:] == ["o0", "o1"]
    far = desk.signed(
        "alice", "GET", "allOrders", symbol="BTCUSDT", startTime=0, endTime=86_400_001
    )
    assert far.body == {"code": -1127, "msg": "More than 24 hours between startTime and endTime."}
    both = desk.signed("alice", "GET", "myTrades", symbol="BTCUSDT", fromId=1, startTime=1)
    assert both.body["code"] == -1128

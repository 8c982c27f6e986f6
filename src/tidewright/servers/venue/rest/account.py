"""An account: what it has, what it ordered, what it traded, what it pays and may do."""

from __future__ import annotations

from collections.abc import Mapping

from tidewright.servers.venue import errors, writers
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.general import find_listing, write_limit
from tidewright.servers.venue.rest.orders import SYMBOL, no_discount
from tidewright.servers.venue.rest.pages import chosen
from tidewright.servers.venue.signing import Permission
from tidewright.servers.venue.symbols import write_filter
from tidewright.servers.venue.venue import Amendment
from tidewright.servers.venue.writers import Json

_FIRST_USER = 1_000_001
_PPM_IN_BASIS_POINT = 100
_RANGE = (
    Field("startTime", read.moment),
    Field("endTime", read.moment),
    Field("limit", read.whole),
)


def user_number(account: int) -> int:
    """Return what clients know an account by."""
    return _FIRST_USER + account


def _account(call: Call) -> object:
    exchange, number = call.venue.exchange, call.account
    exchange.advance(call.now)
    account = exchange.accounts[number]
    omits = call.values.flag("omitZeroBalances")
    return {
        "makerCommission": account.maker_ppm // _PPM_IN_BASIS_POINT,
        "takerCommission": account.taker_ppm // _PPM_IN_BASIS_POINT,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(account.maker_ppm, account.taker_ppm),
        "canTrade": account.may_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.now // call.unit,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": writers.amount(free), "locked": writers.amount(locked)}
            for asset, (free, locked) in exchange.balances(number).items()
            if free or locked or not omits
        ],
        "permissions": list(account.permissions),
        "uid": user_number(number),
    }


def _rates(maker: int, taker: int) -> Json:
    return {
        "maker": writers.rate(maker),
        "taker": writers.rate(taker),
        "buyer": writers.rate(0),
        "seller": writers.rate(0),
    }


def _open_orders(call: Call) -> object:
    symbol = find_listing(call).symbol if "symbol" in call.values else None
    call.venue.exchange.advance(call.now)
    found = call.venue.exchange.open_orders(call.account, symbol)
    return [writers.order_queried(order, call.unit) for order in found]


def _all_orders(call: Call) -> object:
    listing = find_listing(call)
    call.venue.exchange.advance(call.now)
    found = call.venue.exchange.all_orders(call.account, listing.symbol)
    rows = chosen(
        call, found, "orderId", number=lambda order: order.id, time=lambda order: order.placed
    )
    return [writers.order_queried(order, call.unit) for order in rows]


def _trades(call: Call) -> object:
    listing, values = find_listing(call), call.values
    timed = "startTime" in values or "endTime" in values
    if timed and ("fromId" in values or "orderId" in values):
        raise errors.bad_combination()
    call.venue.exchange.advance(call.now)
    found = call.venue.exchange.fills(call.account, listing.symbol)
    if "orderId" in values:
        found = tuple(fill for fill in found if fill.order_id == values.number("orderId"))
    rows = chosen(
        call, found, "fromId", number=lambda fill: fill.trade_id, time=lambda fill: fill.time
    )
    return [writers.own_trade(fill, call.unit) for fill in rows]


def _preventions(call: Call) -> object:
    listing, values = find_listing(call), call.values
    one = "preventedMatchId" in values
    if one == ("orderId" in values) or (one and "fromPreventedMatchId" in values):
        raise errors.bad_combination()
    found = call.venue.exchange.preventions(call.account, listing.symbol)
    if one:
        wanted = values.number("preventedMatchId")
        found = tuple(match for match in found if match.id == wanted)
    else:
        order = values.number("orderId")
        found = tuple(match for match in found if order in (match.taker_order, match.maker_order))
    rows = chosen(call, found, "fromPreventedMatchId", number=lambda match: match.id)
    return [writers.prevention(match, user_number(call.account), call.unit) for match in rows]


def _commission(call: Call) -> object:
    listing = find_listing(call)
    account = call.venue.exchange.accounts[call.account]
    return {
        "symbol": listing.symbol,
        "standardCommission": _rates(account.maker_ppm, account.taker_ppm),
        "specialCommission": _rates(0, 0),
        "taxCommission": _rates(0, 0),
        "discount": no_discount(),
    }


def _order_counts(call: Call) -> object:
    counts = call.venue.orders.counts(call.account, call.now)
    return [write_limit(limit, count) for limit, count in counts]


def _filters(call: Call) -> object:
    listing = find_listing(call)
    return {
        "exchangeFilters": [write_filter(one) for one in call.venue.exchange.filters],
        "symbolFilters": [
            write_filter(one) for one in listing.filters if one.name.startswith("MAX_")
        ],
        "assetFilters": [],
    }


def _amendments(call: Call) -> object:
    listing = find_listing(call)
    found = call.venue.amendments(call.account, listing.symbol, call.values.number("orderId"))
    rows = chosen(call, found, "fromExecutionId", number=lambda one: one.id)
    return [_amendment(one, call.unit) for one in rows]


def _amendment(one: Amendment, unit: int) -> Json:
    return {
        "symbol": one.after.terms.symbol,
        "orderId": one.after.id,
        "executionId": one.id,
        "origClientOrderId": one.before.terms.client_id,
        "newClientOrderId": one.after.terms.client_id,
        "origQty": writers.amount(one.before.quantity),
        "newQty": writers.amount(one.after.quantity),
        "time": one.after.updated // unit,
    }


def _allocations(call: Call) -> object:
    find_listing(call)
    return []


def _open_weight(sent: Mapping[str, str]) -> int:
    return 6 if "symbol" in sent else 80


def _trades_weight(sent: Mapping[str, str]) -> int:
    return 5 if "orderId" in sent else 20


def _preventions_weight(sent: Mapping[str, str]) -> int:
    return 20 if "orderId" in sent else 2


_USER = Permission.USER_DATA
ACCOUNT = Endpoint(_account, Field("omitZeroBalances", read.flag), permission=_USER, weight=20)
OPEN_ORDERS = Endpoint(
    _open_orders, Field("symbol", read.symbol), permission=_USER, weight=_open_weight
)
ALL_ORDERS = Endpoint(
    _all_orders, SYMBOL, Field("orderId", read.whole), *_RANGE, permission=_USER, weight=20
)
TRADES = Endpoint(
    _trades,
    SYMBOL,
    Field("orderId", read.whole),
    Field("fromId", read.whole),
    *_RANGE,
    permission=_USER,
    weight=_trades_weight,
)
PREVENTIONS = Endpoint(
    _preventions,
    SYMBOL,
    Field("preventedMatchId", read.whole),
    Field("orderId", read.whole),
    Field("fromPreventedMatchId", read.whole),
    Field("limit", read.whole),
    permission=_USER,
    weight=_preventions_weight,
)
COMMISSION = Endpoint(_commission, SYMBOL, permission=_USER, weight=20)
ORDER_COUNTS = Endpoint(_order_counts, permission=_USER, weight=40)
FILTERS = Endpoint(_filters, SYMBOL, permission=_USER, weight=40)
AMENDMENTS = Endpoint(
    _amendments,
    SYMBOL,
    Field("orderId", read.whole, mandatory=True),
    Field("fromExecutionId", read.whole),
    Field("limit", read.whole),
    permission=_USER,
    weight=4,
)
ALLOCATIONS = Endpoint(
    _allocations,
    SYMBOL,
    *_RANGE,
    Field("fromAllocationId", read.whole),
    Field("orderId", read.whole),
    permission=_USER,
    weight=20,
)

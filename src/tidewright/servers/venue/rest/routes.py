"""Which endpoint answers which request, and which requests are answered no more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tidewright.servers.venue.endpoint import Endpoint
from tidewright.servers.venue.rest import account, general, lists, market, orders, replace, side

_V3 = "/api/v3/"

ROUTES: Mapping[tuple[str, str], Endpoint] = MappingProxyType(
    {
        ("GET", _V3 + "ping"): general.PING,
        ("GET", _V3 + "time"): general.TIME,
        ("GET", _V3 + "exchangeInfo"): general.EXCHANGE_INFO,
        ("GET", _V3 + "depth"): market.DEPTH,
        ("GET", _V3 + "trades"): market.TRADES,
        ("GET", _V3 + "historicalTrades"): market.HISTORICAL_TRADES,
        ("GET", _V3 + "aggTrades"): market.AGGREGATE_TRADES,
        ("GET", _V3 + "klines"): market.CANDLES,
        ("GET", _V3 + "uiKlines"): market.CANDLES,
        ("GET", _V3 + "avgPrice"): market.AVERAGE_PRICE,
        ("GET", _V3 + "ticker/24hr"): market.DAY_TICKER,
        ("GET", _V3 + "ticker/tradingDay"): market.TRADING_DAY_TICKER,
        ("GET", _V3 + "ticker/price"): market.PRICE_TICKER,
        ("GET", _V3 + "ticker/bookTicker"): market.BOOK_TICKER,
        ("GET", _V3 + "ticker"): market.ROLLING_TICKER,
        ("POST", _V3 + "order"): orders.PLACE,
        ("POST", _V3 + "order/test"): orders.TEST,
        ("GET", _V3 + "order"): orders.QUERY,
        ("DELETE", _V3 + "order"): orders.CANCEL,
        ("DELETE", _V3 + "openOrders"): orders.CANCEL_ALL,
        ("POST", _V3 + "order/cancelReplace"): replace.CANCEL_REPLACE,
        ("PUT", _V3 + "order/amend/keepPriority"): replace.AMEND,
        ("GET", _V3 + "order/amendments"): account.AMENDMENTS,
        ("POST", _V3 + "orderList/oco"): lists.OCO,
        ("POST", _V3 + "orderList/oto"): lists.OTO,
        ("POST", _V3 + "orderList/otoco"): lists.OTOCO,
        ("POST", _V3 + "order/oco"): lists.OLD_OCO,
        ("DELETE", _V3 + "orderList"): lists.CANCEL,
        ("GET", _V3 + "orderList"): lists.QUERY,
        ("GET", _V3 + "allOrderList"): lists.QUERY_ALL,
        ("GET", _V3 + "openOrderList"): lists.QUERY_OPEN,
        ("GET", _V3 + "openOrders"): account.OPEN_ORDERS,
        ("GET", _V3 + "allOrders"): account.ALL_ORDERS,
        ("GET", _V3 + "account"): account.ACCOUNT,
        ("GET", _V3 + "account/commission"): account.COMMISSION,
        ("GET", _V3 + "myTrades"): account.TRADES,
        ("GET", _V3 + "myPreventedMatches"): account.PREVENTIONS,
        ("GET", _V3 + "myAllocations"): account.ALLOCATIONS,
        ("GET", _V3 + "myFilters"): account.FILTERS,
        ("GET", _V3 + "rateLimit/order"): account.ORDER_COUNTS,
        ("GET", "/sapi/v1/capital/config/getall"): side.COINS,
        ("GET", "/sapi/v1/margin/allPairs"): side.MARGIN_PAIRS,
        ("GET", "/sapi/v1/margin/isolated/allPairs"): side.ISOLATED_PAIRS,
        ("GET", "/sapi/v1/system/status"): side.SYSTEM_STATUS,
        ("GET", "/sapi/v1/asset/tradeFee"): side.TRADE_FEE,
        ("GET", "/fapi/v1/exchangeInfo"): side.FUTURES_INFO,
        ("GET", "/dapi/v1/exchangeInfo"): side.FUTURES_INFO,
    }
)
"""Endpoints by verb and path."""
PATHS = frozenset(path for _, path in ROUTES)
"""Every path that is answered, whatever the verb."""
GONE_PATHS = frozenset(
    {
        _V3 + "userDataStream",
        "/sapi/v1/userDataStream",
        "/sapi/v1/userDataStream/isolated",
    }
)
"""Paths that ended with listen keys, in February 2026."""

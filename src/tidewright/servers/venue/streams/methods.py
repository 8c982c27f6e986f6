"""Which method of the WebSocket API is which request of the REST API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ROUTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ping": ("GET", "/api/v3/ping"),
        "time": ("GET", "/api/v3/time"),
        "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
        "depth": ("GET", "/api/v3/depth"),
        "trades.recent": ("GET", "/api/v3/trades"),
        "trades.historical": ("GET", "/api/v3/historicalTrades"),
        "trades.aggregate": ("GET", "/api/v3/aggTrades"),
        "klines": ("GET", "/api/v3/klines"),
        "uiKlines": ("GET", "/api/v3/uiKlines"),
        "avgPrice": ("GET", "/api/v3/avgPrice"),
        "ticker": ("GET", "/api/v3/ticker"),
        "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
        "ticker.tradingDay": ("GET", "/api/v3/ticker/tradingDay"),
        "ticker.price": ("GET", "/api/v3/ticker/price"),
        "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
        "order.place": ("POST", "/api/v3/order"),
        "order.test": ("POST", "/api/v3/order/test"),
        "order.status": ("GET", "/api/v3/order"),
        "order.cancel": ("DELETE", "/api/v3/order"),
        "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
        "order.amend.keepPriority": ("PUT", "/api/v3/order/amend/keepPriority"),
        "order.amendments": ("GET", "/api/v3/order/amendments"),
        "openOrders.status": ("GET", "/api/v3/openOrders"),
        "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
        "orderList.place": ("POST", "/api/v3/order/oco"),
        "orderList.place.oco": ("POST", "/api/v3/orderList/oco"),
        "orderList.place.oto": ("POST", "/api/v3/orderList/oto"),
        "orderList.place.otoco": ("POST", "/api/v3/orderList/otoco"),
        "orderList.status": ("GET", "/api/v3/orderList"),
        "orderList.cancel": ("DELETE", "/api/v3/orderList"),
        "openOrderLists.status": ("GET", "/api/v3/openOrderList"),
        "allOrders": ("GET", "/api/v3/allOrders"),
        "allOrderLists": ("GET", "/api/v3/allOrderList"),
        "myTrades": ("GET", "/api/v3/myTrades"),
        "myPreventedMatches": ("GET", "/api/v3/myPreventedMatches"),
        "myAllocations": ("GET", "/api/v3/myAllocations"),
        "myFilters": ("GET", "/api/v3/myFilters"),
        "account.status": ("GET", "/api/v3/account"),
        "account.commission": ("GET", "/api/v3/account/commission"),
        "account.rateLimits.orders": ("GET", "/api/v3/rateLimit/order"),
    }
)
"""Verb and path of the request that answers a method."""

RETIRED = frozenset({"userDataStream.start", "userDataStream.ping", "userDataStream.stop"})
"""Methods that the exchange answers no more."""
SESSION_WEIGHT = 2
"""Weight of methods that only concern the connection, and of connecting."""

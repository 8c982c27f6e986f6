"""Numbers, orders, trades and tickers as the protocol writes them.

Amounts are texts with eight decimal places. Times are divided by ``unit``: the nanoseconds in the
unit of time that the client asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidewright.domain.orders import Side
from tidewright.exchange.spot.market_data import AggregateTrade, BestPrices, Candle, Ticker
from tidewright.exchange.spot.values import (
    ListKind,
    OrderList,
    Prevention,
    PublicTrade,
    SpotFill,
    SpotOrder,
)

Json = dict[str, object]
MILLISECONDS, MICROSECONDS = 1_000_000, 1_000
_ONE = 10**8


def amount(units: int) -> str:
    """Write whole units of 1e-8."""
    if units < 0:
        return f"-{amount(-units)}"
    whole, part = divmod(units, _ONE)
    return f"{whole}.{part:08d}"


def rate(ppm: int) -> str:
    """Write millionths as a part of one."""
    return amount(ppm * 100)


def percent(change: int, base: int) -> str:
    """Write a relative change in percent, three decimal places, halves away from zero."""
    if base == 0:
        return "0.000"
    thousandths = (200_000 * abs(change) + base) // (2 * base)
    sign = "-" if change < 0 and thousandths else ""
    return f"{sign}{thousandths // 1_000}.{thousandths % 1_000:03d}"


def order_ack(order: SpotOrder, unit: int) -> Json:
    """Write that an order was taken."""
    return {
        "symbol": order.terms.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": order.terms.client_id,
        "transactTime": order.placed // unit,
    }


def order_result(order: SpotOrder, unit: int) -> Json:
    """Write an order that was taken and what became of it."""
    told = order_ack(order, unit)
    told |= _standing(order)
    told["workingTime"] = order.working_since // unit or -1
    told["selfTradePreventionMode"] = order.terms.self_trade.value
    return told | _conditional(order, unit)


def order_full(
    order: SpotOrder, fills: Iterable[SpotFill], preventions: Sequence[Prevention], unit: int
) -> Json:
    """Write an order that was taken, and its trades."""
    told = order_result(order, unit)
    told["fills"] = [_own_fill(fill) for fill in fills]
    if preventions:
        told["preventedMatches"] = [_own_prevention(match) for match in preventions]
    return told


def order_queried(order: SpotOrder, unit: int) -> Json:
    """Write an order that somebody asked for."""
    terms = order.terms
    told: Json = {
        "symbol": terms.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": terms.client_id,
    }
    told |= _standing(order)
    told |= {
        "stopPrice": amount(order.stop_price or terms.stop_price),
        "icebergQty": amount(terms.iceberg_quantity),
        "time": order.placed // unit,
        "updateTime": order.updated // unit,
        "isWorking": order.working,
        "workingTime": order.working_since // unit or -1,
        "selfTradePreventionMode": terms.self_trade.value,
    }
    return told | _conditional(order, unit)


def order_canceled(order: SpotOrder, request_id: str, unit: int) -> Json:
    """Write an order that was taken back, and the id of the request that did it."""
    told: Json = {
        "symbol": order.terms.symbol,
        "origClientOrderId": order.terms.client_id,
        "orderId": order.id,
        "orderListId": order.list_id,
        "clientOrderId": request_id,
        "transactTime": order.updated // unit,
    }
    told |= _standing(order)
    told["selfTradePreventionMode"] = order.terms.self_trade.value
    return told | _conditional(order, unit)


def order_amended(order: SpotOrder, before: str, unit: int) -> Json:
    """Write an order whose quantity was lowered, and its client id before."""
    terms = order.terms
    return {
        "symbol": terms.symbol,
        "orderId": order.id,
        "orderListId": order.list_id,
        "origClientOrderId": before,
        "clientOrderId": terms.client_id,
        "price": amount(terms.price),
        "qty": amount(order.quantity),
        "executedQty": amount(order.executed),
        "preventedQty": amount(order.prevented),
        "quoteOrderQty": amount(terms.money),
        "cumulativeQuoteQty": amount(order.spent),
        "status": order.status.value,
        "timeInForce": terms.time_in_force.value,
        "type": terms.kind.value,
        "side": side(terms.side),
        "workingTime": order.working_since // unit or -1,
        "selfTradePreventionMode": terms.self_trade.value,
    } | _conditional(order, unit)


def order_list(found: OrderList, orders: Iterable[SpotOrder], unit: int) -> Json:
    """Write an order list."""
    return {
        "orderListId": found.id,
        "contingencyType": "OCO" if found.kind is ListKind.OCO else "OTO",
        "listStatusType": "ALL_DONE" if found.done else "EXEC_STARTED",
        "listOrderStatus": "ALL_DONE" if found.done else "EXECUTING",
        "listClientOrderId": found.client_id,
        "transactionTime": found.placed // unit,
        "symbol": found.symbol,
        "orders": [
            {
                "symbol": order.terms.symbol,
                "orderId": order.id,
                "clientOrderId": order.terms.client_id,
            }
            for order in orders
        ],
    }


def side(value: Side) -> str:
    """Write a side."""
    return "BUY" if value is Side.BUY else "SELL"


def own_trade(fill: SpotFill, unit: int) -> Json:
    """Write one account's side of a trade."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": fill.list_id,
        "price": amount(fill.price),
        "qty": amount(fill.quantity),
        "quoteQty": amount(fill.money),
        "commission": amount(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time // unit,
        "isBuyer": fill.buys,
        "isMaker": fill.makes,
        "isBestMatch": True,
    }


def prevention(match: Prevention, group: int, unit: int) -> Json:
    """Write a match that self-trade prevention stopped."""
    return {
        "symbol": match.symbol,
        "preventedMatchId": match.id,
        "takerOrderId": match.taker_order,
        "makerSymbol": match.symbol,
        "makerOrderId": match.maker_order,
        "tradeGroupId": group,
        "selfTradePreventionMode": match.choice.value,
        "price": amount(match.price),
        **_prevented(match),
        "transactTime": match.time // unit,
    }


def public_trade(trade: PublicTrade, unit: int) -> Json:
    """Write a trade as everybody sees it."""
    return {
        "id": trade.id,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.price * trade.quantity // _ONE),
        "time": trade.time // unit,
        "isBuyerMaker": trade.buyer_makes,
        "isBestMatch": True,
    }


def aggregate_trade(trade: AggregateTrade, unit: int) -> Json:
    """Write trades of one taking order at one price."""
    return {
        "a": trade.id,
        "p": amount(trade.price),
        "q": amount(trade.quantity),
        "f": trade.first_trade,
        "l": trade.last_trade,
        "T": trade.time // unit,
        "m": trade.buyer_makes,
        "M": True,
    }


def candle(row: Candle, unit: int) -> list[object]:
    """Write a candle; it ends one unit of time before the next begins."""
    return [
        row.opened // unit,
        amount(row.open),
        amount(row.high),
        amount(row.low),
        amount(row.close),
        amount(row.volume),
        (row.closed + MILLISECONDS) // unit - 1,
        amount(row.money),
        row.trades,
        amount(row.bought),
        amount(row.bought_money),
        "0",
    ]


def levels(rows: Iterable[tuple[int, int]]) -> list[tuple[str, str]]:
    """Write price levels."""
    return [(amount(price), amount(quantity)) for price, quantity in rows]


def best(symbol: str, prices: BestPrices) -> Json:
    """Write the best level of each side."""
    return {
        "symbol": symbol,
        "bidPrice": amount(prices.bid),
        "bidQty": amount(prices.bid_quantity),
        "askPrice": amount(prices.ask),
        "askQty": amount(prices.ask_quantity),
    }


def ticker(found: Ticker, unit: int, *, full: bool, book: bool) -> Json:
    """Write how a market moved.

    Parameters
    ----------
    found : Ticker
        What is told.
    unit : int
        Nanoseconds in a unit of time.
    full : bool
        Whether changes and averages are told too.
    book : bool
        Whether the last trade and the book are told too, as in the ticker of a day.
    """
    told: Json = {"symbol": found.symbol}
    if full:
        told["priceChange"] = amount(found.change)
        told["priceChangePercent"] = percent(found.change, found.open)
        told["weightedAvgPrice"] = amount(found.average)
    if full and book:
        told["prevClosePrice"] = amount(found.before)
        told["lastPrice"] = amount(found.last)
        told["lastQty"] = amount(found.last_quantity)
        told |= best(found.symbol, found.best)
    told |= {
        "openPrice": amount(found.open),
        "highPrice": amount(found.high),
        "lowPrice": amount(found.low),
        "lastPrice": amount(found.last),
        "volume": amount(found.volume),
        "quoteVolume": amount(found.money),
        "openTime": found.opened // unit,
        "closeTime": found.closed // unit,
        "firstId": found.first_trade,
        "lastId": found.last_trade,
        "count": found.trades,
    }
    return told


def _standing(order: SpotOrder) -> Json:
    terms = order.terms
    return {
        "price": amount(terms.price),
        "origQty": amount(order.quantity),
        "executedQty": amount(order.executed),
        "origQuoteOrderQty": amount(terms.money),
        "cummulativeQuoteQty": amount(order.spent),
        "status": order.status.value,
        "timeInForce": terms.time_in_force.value,
        "type": terms.kind.value,
        "side": side(terms.side),
    }


def _conditional(order: SpotOrder, unit: int) -> Json:
    """Return what only some orders have."""
    terms = order.terms
    told: Json = {}
    if terms.kind.waits:
        told["stopPrice"] = amount(order.stop_price or terms.stop_price)
        if terms.trailing_delta:
            told["trailingDelta"] = terms.trailing_delta
            told["trailingTime"] = order.trailing_since // unit or -1
    if terms.iceberg_quantity:
        told["icebergQty"] = amount(terms.iceberg_quantity)
    if order.prevented_match:
        told["preventedMatchId"] = order.prevented_match
        told["preventedQuantity"] = amount(order.prevented)
    if terms.strategy_id:
        told["strategyId"] = terms.strategy_id
    if terms.strategy_type:
        told["strategyType"] = terms.strategy_type
    return told


def _own_fill(fill: SpotFill) -> Json:
    return {
        "price": amount(fill.price),
        "qty": amount(fill.quantity),
        "commission": amount(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }


def _own_prevention(match: Prevention) -> Json:
    return {
        "preventedMatchId": match.id,
        "makerOrderId": match.maker_order,
        "price": amount(match.price),
        **_prevented(match),
    }


def _prevented(match: Prevention) -> Json:
    told: Json = {}
    if match.taker_quantity:
        told["takerPreventedQuantity"] = amount(match.taker_quantity)
    if match.maker_quantity:
        told["makerPreventedQuantity"] = amount(match.maker_quantity)
    return told

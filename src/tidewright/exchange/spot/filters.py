"""Filters: what a symbol asks of an order's numbers, and of how much an account has open."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.orders import Side
from tidewright.exchange.spot.desk import rises
from tidewright.exchange.spot.listing import (
    CountFilter,
    Filter,
    Listing,
    LotSize,
    MarketLotSize,
    MaxPosition,
    MinNotional,
    Notional,
    PercentPrice,
    PercentPriceBySide,
    PriceFilter,
    TrailingDelta,
)
from tidewright.exchange.spot.orders import Shelf
from tidewright.exchange.spot.values import Kind, NewOrder, Reason, Refusal

PARTS_PER_MILLION = 1_000_000
MOST = 2**62
"""Numbers of an order are not above this."""
_MARKET = (Kind.MARKET,)
_PRICELESS = (Kind.MARKET, Kind.STOP_LOSS, Kind.TAKE_PROFIT)


@dataclass(frozen=True, slots=True)
class Standing:
    """What filters must know beside the order.

    Parameters
    ----------
    shelf : Shelf
        What the account has in the order's symbol.
    shelves : callable
        Returns what it has in every symbol.
    held : callable
        Returns the account's free and locked units of the base asset.
    average : callable
        Returns the average price of so many minutes; of 0 minutes, the last price.
    more : int
        Orders that come together with this one and were checked before it.
    """

    shelf: Shelf
    shelves: Callable[[], Sequence[Shelf]]
    held: Callable[[], int]
    average: Callable[[int], int]
    more: int = 0


def check_filters(
    listing: Listing,
    order: NewOrder,
    standing: Standing,
    exchange_filters: Sequence[CountFilter] = (),
    *,
    counts: bool = True,
) -> None:
    """Refuse an order that a filter does not let pass.

    Parameters
    ----------
    listing : Listing
        With the filters of its symbol.
    order : NewOrder
        What is asked for.
    standing : Standing
        What the account has.
    exchange_filters : sequence of CountFilter
        Filters of the whole exchange.
    counts : bool
        Whether filters that count orders are asked; not of an order that is there already.

    Raises
    ------
    Refusal
        With `Reason.FILTER` and the filter's name.
    """
    if not _fits_book(order.price, order.stop_price, listing.tick):
        raise Refusal(Reason.FILTER, PriceFilter.name)
    if not _fits_book(order.quantity, order.iceberg_quantity, listing.step):
        raise Refusal(Reason.FILTER, LotSize.name)
    if order.money > MOST:
        raise Refusal(Reason.FILTER, Notional.name)
    for one in listing.filters:
        if isinstance(one, CountFilter | MaxPosition) and not counts:
            continue
        if not _CHECKS[type(one)](one, order, standing):
            raise Refusal(Reason.FILTER, one.name)
    for one in exchange_filters:
        shelves = standing.shelves()
        if _count(one.name.removeprefix("EXCHANGE_"), order, shelves, standing.more) > one.most:
            raise Refusal(Reason.FILTER, one.name)


def _fits_book(first: int, second: int, step: int) -> bool:
    """Return whether two numbers are whole steps that fit the book's integers."""
    return first % step == 0 and second % step == 0 and first <= MOST and second <= MOST


def _prices_fit(one: PriceFilter, order: NewOrder, _: Standing) -> bool:
    return _price_fits(one, order.price) and _price_fits(one, order.stop_price)


def _price_fits(one: PriceFilter, price: int) -> bool:
    if price == 0:
        return True
    if one.lowest and price < one.lowest:
        return False
    if one.highest and price > one.highest:
        return False
    return one.tick == 0 or price % one.tick == 0


def _near_average(
    one: PercentPrice | PercentPriceBySide, order: NewOrder, standing: Standing
) -> bool:
    if order.price == 0:
        return True
    if isinstance(one, PercentPrice):
        up, down = one.up_ppm, one.down_ppm
    elif order.side is Side.BUY:
        up, down = one.bid_up_ppm, one.bid_down_ppm
    else:
        up, down = one.ask_up_ppm, one.ask_down_ppm
    average = standing.average(one.minutes)
    return average * down <= order.price * PARTS_PER_MILLION <= average * up


def _quantity_fits(one: LotSize | MarketLotSize, order: NewOrder, _: Standing) -> bool:
    if order.quantity == 0 or (isinstance(one, MarketLotSize) and order.kind not in _MARKET):
        return True
    if order.iceberg_quantity and not _in_steps(one, order.iceberg_quantity):
        return False
    return _in_steps(one, order.quantity)


def _in_steps(one: LotSize | MarketLotSize, quantity: int) -> bool:
    if quantity < one.lowest or (one.highest and quantity > one.highest):
        return False
    return one.step == 0 or quantity % one.step == 0


def _worth_fits(one: MinNotional | Notional, order: NewOrder, standing: Standing) -> bool:
    least = most = True
    if order.kind is Kind.MARKET:
        least = one.for_market if isinstance(one, MinNotional) else one.lowest_for_market
        most = isinstance(one, Notional) and one.highest_for_market
    if not least and not most:
        return True
    worth = _worth(order, one.minutes, standing)
    if least and worth < one.lowest:
        return False
    return not (isinstance(one, Notional) and most and one.highest and worth > one.highest)


def _worth(order: NewOrder, minutes: int, standing: Standing) -> int:
    """Return what an order is worth in the quote asset."""
    if order.money:
        return order.money
    price = order.price or (order.stop_price if order.kind.waits else 0)
    return int(order.quantity * (price or standing.average(minutes)) // UNITS_PER_CURRENCY)


def _trail_fits(one: TrailingDelta, order: NewOrder, _: Standing) -> bool:
    if order.trailing_delta == 0:
        return True
    if rises(order) > 0:
        return one.lowest_above <= order.trailing_delta <= one.highest_above
    return one.lowest_below <= order.trailing_delta <= one.highest_below


def _position_fits(one: MaxPosition, order: NewOrder, standing: Standing) -> bool:
    if order.side is not Side.BUY:
        return True
    buying = sum(
        other.left for other in standing.shelf.open.values() if other.terms.side is Side.BUY
    )
    wanted = order.quantity
    if order.money:
        wanted = order.money * UNITS_PER_CURRENCY // standing.average(0)
    return standing.held() + buying + wanted <= one.most


def _count_fits(one: CountFilter, order: NewOrder, standing: Standing) -> bool:
    return _count(one.name, order, (standing.shelf,), standing.more) <= one.most


def _count(name: str, order: NewOrder, shelves: Sequence[Shelf], more: int) -> int:
    """Return how many there would be of what a filter counts; 0 where it does not count this."""
    if name == "MAX_NUM_ORDERS":
        return sum(len(shelf.open) for shelf in shelves) + more + 1
    if name == "MAX_NUM_ALGO_ORDERS" and order.kind.waits:
        return sum(shelf.algos for shelf in shelves) + 1
    if not order.iceberg_quantity:
        return 0
    if name == "MAX_NUM_ICEBERG_ORDERS":
        return sum(shelf.icebergs for shelf in shelves) + 1
    return -(-order.quantity // order.iceberg_quantity) if name == "ICEBERG_PARTS" else 0


_Check = Callable[[Any, NewOrder, Standing], bool]
_CHECKS: Mapping[type[Filter], _Check] = MappingProxyType(
    {
        PriceFilter: _prices_fit,
        PercentPrice: _near_average,
        PercentPriceBySide: _near_average,
        LotSize: _quantity_fits,
        MarketLotSize: _quantity_fits,
        MinNotional: _worth_fits,
        Notional: _worth_fits,
        TrailingDelta: _trail_fits,
        MaxPosition: _position_fits,
        CountFilter: _count_fits,
    }
)


def check_lists(
    listing: Listing, standing: Standing, exchange_filters: Sequence[CountFilter] = ()
) -> None:
    """Refuse an order list where an account has as many as it may.

    Raises
    ------
    Refusal
        With `Reason.FILTER` and the filter's name.
    """
    own = listing.filter("MAX_NUM_ORDER_LISTS")
    if isinstance(own, CountFilter) and standing.shelf.lists >= own.most:
        raise Refusal(Reason.FILTER, own.name)
    for one in exchange_filters:
        if one.name != "EXCHANGE_MAX_NUM_ORDER_LISTS":
            continue
        if sum(shelf.lists for shelf in standing.shelves()) >= one.most:
            raise Refusal(Reason.FILTER, one.name)

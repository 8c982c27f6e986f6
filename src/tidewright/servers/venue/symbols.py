"""Symbols and their filters as the protocol writes them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
from tidewright.exchange.spot.values import Kind
from tidewright.servers.venue.writers import Json, amount

_COUNT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ICEBERG_PARTS": "limit",
        "MAX_NUM_ORDERS": "maxNumOrders",
        "MAX_NUM_ALGO_ORDERS": "maxNumAlgoOrders",
        "MAX_NUM_ICEBERG_ORDERS": "maxNumIcebergOrders",
        "MAX_NUM_ORDER_AMENDS": "maxNumOrderAmends",
        "MAX_NUM_ORDER_LISTS": "maxNumOrderLists",
    }
)
_OF_EXCHANGE = "EXCHANGE_"
_LEAST_PLACES = 4


def write_symbol(listing: Listing, *, sets: bool = True) -> Json:
    """Write what a symbol is and which orders it takes.

    Parameters
    ----------
    listing : Listing
        The symbol.
    sets : bool
        Whether its permissions are told.
    """
    return {
        "symbol": listing.symbol,
        "status": listing.status.value,
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [kind.value for kind in Kind if kind in listing.kinds],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [write_filter(one) for one in listing.filters],
        "permissions": [],
        "permissionSets": [["SPOT"]] if sets else [],
        "defaultSelfTradePreventionMode": listing.default_self_trade.value,
        "allowedSelfTradePreventionModes": [mode.value for mode in listing.self_trades],
    }


def write_filter(one: Filter) -> Json:
    """Write a filter."""
    told: Json = {"filterType": one.name}
    if isinstance(one, CountFilter):
        return told | {_COUNT_NAMES[one.name.removeprefix(_OF_EXCHANGE)]: one.most}
    if isinstance(one, PriceFilter | PercentPrice | PercentPriceBySide | TrailingDelta):
        return told | _price_terms(one)
    return told | _amount_terms(one)


def _price_terms(one: PriceFilter | PercentPrice | PercentPriceBySide | TrailingDelta) -> Json:
    match one:
        case PriceFilter():
            return {
                "minPrice": amount(one.lowest),
                "maxPrice": amount(one.highest),
                "tickSize": amount(one.tick),
            }
        case PercentPrice():
            return {
                "multiplierUp": _multiplier(one.up_ppm),
                "multiplierDown": _multiplier(one.down_ppm),
                "avgPriceMins": one.minutes,
            }
        case PercentPriceBySide():
            return {
                "bidMultiplierUp": _multiplier(one.bid_up_ppm),
                "bidMultiplierDown": _multiplier(one.bid_down_ppm),
                "askMultiplierUp": _multiplier(one.ask_up_ppm),
                "askMultiplierDown": _multiplier(one.ask_down_ppm),
                "avgPriceMins": one.minutes,
            }
    return {
        "minTrailingAboveDelta": one.lowest_above,
        "maxTrailingAboveDelta": one.highest_above,
        "minTrailingBelowDelta": one.lowest_below,
        "maxTrailingBelowDelta": one.highest_below,
    }


def _amount_terms(one: LotSize | MarketLotSize | MinNotional | Notional | MaxPosition) -> Json:
    match one:
        case LotSize() | MarketLotSize():
            return {
                "minQty": amount(one.lowest),
                "maxQty": amount(one.highest),
                "stepSize": amount(one.step),
            }
        case MinNotional():
            return {
                "minNotional": amount(one.lowest),
                "applyToMarket": one.for_market,
                "avgPriceMins": one.minutes,
            }
        case Notional():
            return {
                "minNotional": amount(one.lowest),
                "applyMinToMarket": one.lowest_for_market,
                "maxNotional": amount(one.highest),
                "applyMaxToMarket": one.highest_for_market,
                "avgPriceMins": one.minutes,
            }
    return {"maxPosition": amount(one.most)}


def _multiplier(ppm: int) -> str:
    whole, part = divmod(ppm, 1_000_000)
    places = f"{part:06d}".rstrip("0").ljust(_LEAST_PLACES, "0")
    return f"{whole}.{places}"

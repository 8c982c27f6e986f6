"""Whether the venue is there, what time it is, and what trades."""

from __future__ import annotations

import orjson

from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import SymbolStatus
from tidewright.servers.venue import errors
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.limits import Limit
from tidewright.servers.venue.parameters import Field, Value
from tidewright.servers.venue.symbols import write_filter, write_symbol
from tidewright.servers.venue.writers import Json

_PERMISSIONS = frozenset({"SPOT", "MARGIN", "LEVERAGED"})
_SHOWN_STATUS = (SymbolStatus.TRADING, SymbolStatus.HALT, SymbolStatus.BREAK)


def find_listing(call: Call) -> Listing:
    """Return the listing of a request's symbol.

    Raises
    ------
    errors.ApiError
        -1121 when it is not listed.
    """
    listing = call.venue.exchange.listings.get(call.values.text("symbol"))
    if listing is None:
        raise errors.bad_symbol()
    return listing


def write_limit(limit: Limit, count: int | None = None) -> Json:
    """Write a limit, and how much of it is used."""
    told: Json = {
        "rateLimitType": limit.kind,
        "interval": limit.interval,
        "intervalNum": limit.count,
        "limit": limit.most,
    }
    if count is not None:
        told["count"] = count
    return told


def _permissions(name: str, text: str) -> Value:
    """Read one permission, or a list of them."""
    if not text.startswith("["):
        return (text,)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise errors.bad_value(name) from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise errors.bad_value(name)
    return tuple(found)


def _ping(call: Call) -> object:
    return {}


def _time(call: Call) -> object:
    return {"serverTime": call.venue.told.now() // call.unit}


def _exchange_info(call: Call) -> object:
    return {
        "timezone": "UTC",
        "serverTime": call.venue.told.now() // call.unit,
        "rateLimits": [write_limit(limit) for limit in call.venue.limits.all],
        "exchangeFilters": [write_filter(one) for one in call.venue.exchange.filters],
        "symbols": [
            write_symbol(listing, sets=call.values.flag("showPermissionSets", default=True))
            for listing in _chosen(call)
        ],
    }


def _chosen(call: Call) -> list[Listing]:
    values, listings = call.values, call.venue.exchange.listings
    wanted = "symbol" in values, "symbols" in values
    if all(wanted) or (any(wanted) and ("permissions" in values or "symbolStatus" in values)):
        raise errors.bad_combination()
    if any(wanted):
        names = values.texts("symbols") or (values.text("symbol"),)
        if not all(name in listings for name in names):
            raise errors.bad_symbol()
        return [listings[name] for name in names]
    permissions = set(values.texts("permissions")) or _PERMISSIONS
    status = values.text("symbolStatus")
    return [
        listing
        for listing in listings.values()
        if "SPOT" in permissions and status in ("", listing.status)
    ]


PING = Endpoint(_ping)
TIME = Endpoint(_time)
EXCHANGE_INFO = Endpoint(
    _exchange_info,
    Field("symbol", read.symbol),
    Field("symbols", read.symbols),
    Field("permissions", _permissions),
    Field("showPermissionSets", read.flag),
    Field(
        "symbolStatus",
        read.one_of(_SHOWN_STATUS, errors.ApiError(-1122, "Invalid symbolStatus.")),
    ),
    weight=20,
)

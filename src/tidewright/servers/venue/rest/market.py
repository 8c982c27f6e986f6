"""Market data: book, trades, candles, averages and tickers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tidewright.domain.time import DAY, HOUR, MINUTE
from tidewright.exchange.spot.candles import INTERVALS
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import SymbolStatus
from tidewright.servers.venue import errors, writers
from tidewright.servers.venue import parameters as read
from tidewright.servers.venue.endpoint import Call, Endpoint
from tidewright.servers.venue.parameters import Field, Value
from tidewright.servers.venue.rest.general import find_listing
from tidewright.servers.venue.rest.pages import rows_wanted

MOST_LEVELS, USUAL_LEVELS = 5_000, 100
_DEPTH_WEIGHTS = ((100, 5), (500, 25), (1_000, 50))
_DEEPEST_WEIGHT = 250
_MOST_SYMBOLS = 100
_AVERAGE_MINUTES = 5
_ZONE = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d))?")
_EARLIEST_ZONE, _LATEST_ZONE = -12 * HOUR, 14 * HOUR
_WINDOW = re.compile(r"([1-9]\d?)([mhd])")
_WINDOW_UNITS = {"m": (MINUTE, 59), "h": (HOUR, 23), "d": (DAY, 7)}
_STATUS = Field(
    "symbolStatus",
    read.one_of(
        (SymbolStatus.TRADING, SymbolStatus.HALT, SymbolStatus.BREAK),
        errors.ApiError(-1122, "Invalid symbolStatus."),
    ),
)
_SYMBOL = Field("symbol", read.symbol, mandatory=True)
_LIMIT = Field("limit", read.whole)
_TYPE = Field("type", read.one_of(("FULL", "MINI"), errors.ApiError(-1139, "Invalid ticker type.")))
_SOME_SYMBOLS = (Field("symbol", read.symbol), Field("symbols", read.symbols))


def _interval(name: str, text: str) -> Value:
    if text not in INTERVALS:
        raise errors.ApiError(-1120, "Invalid interval.")
    return text


def _zone(name: str, text: str) -> Value:
    """Read hours, or hours and minutes, ahead of UTC into nanoseconds."""
    found = _ZONE.fullmatch(text)
    if found is None:
        raise errors.bad_value(name)
    ahead = int(found[2]) * HOUR + int(found[3] or 0) * MINUTE
    ahead = -ahead if found[1] == "-" else ahead
    if not _EARLIEST_ZONE <= ahead <= _LATEST_ZONE:
        raise errors.bad_value(name)
    return ahead


def _window(name: str, text: str) -> Value:
    """Read the length of a window into nanoseconds."""
    found = _WINDOW.fullmatch(text)
    if found is None or int(found[1]) > _WINDOW_UNITS[found[2]][1]:
        raise errors.bad_value(name)
    return int(found[1]) * _WINDOW_UNITS[found[2]][0]


def _fresh(call: Call) -> Call:
    """Let the market act until now, and return the request."""
    call.venue.exchange.advance(call.now)
    return call


def _checked(call: Call) -> Listing:
    listing = find_listing(call)
    if call.values.text("symbolStatus", listing.status) != listing.status:
        raise errors.ApiError(-1220, "The symbol does not match the status sent.")
    return listing


def _depth(call: Call) -> object:
    listing, limit = _checked(call), rows_wanted(call, MOST_LEVELS, USUAL_LEVELS)
    depth = _fresh(call).venue.exchange.tape.depth(listing.symbol, limit)
    return {
        "lastUpdateId": depth.last_update,
        "bids": writers.levels(depth.bids),
        "asks": writers.levels(depth.asks),
    }


def _trades(call: Call) -> object:
    listing, limit = find_listing(call), rows_wanted(call)
    tape = _fresh(call).venue.exchange.tape
    found = tape.trades(listing.symbol, from_id=call.values.maybe("fromId"), limit=limit)
    return [writers.public_trade(trade, call.unit) for trade in found]


def _aggregate_trades(call: Call) -> object:
    listing, limit, values = find_listing(call), rows_wanted(call), call.values
    if "fromId" in values and ("startTime" in values or "endTime" in values):
        raise errors.bad_combination()
    found = _fresh(call).venue.exchange.tape.aggregate_trades(
        listing.symbol,
        from_id=values.maybe("fromId"),
        start=values.maybe("startTime"),
        end=values.maybe("endTime"),
        limit=limit,
    )
    return [writers.aggregate_trade(trade, call.unit) for trade in found]


def _candles(call: Call) -> object:
    listing, limit, values = find_listing(call), rows_wanted(call), call.values
    found = _fresh(call).venue.exchange.tape.candles(
        listing.symbol,
        values.text("interval"),
        values.maybe("startTime"),
        values.maybe("endTime"),
        limit,
        zone=values.number("timeZone"),
    )
    return [writers.candle(row, call.unit) for row in found]


def _average(call: Call) -> object:
    symbol = find_listing(call).symbol
    tape = _fresh(call).venue.exchange.tape
    last = tape.last(symbol)
    return {
        "mins": _AVERAGE_MINUTES,
        "price": writers.amount(tape.average(symbol, _AVERAGE_MINUTES, call.now)),
        "closeTime": (last.time if last else call.now) // call.unit,
    }


def _of_symbols(call: Call, write: Callable[[str], object], *, all_allowed: bool = True) -> object:
    """Answer for one symbol with a value, for several or all with a list."""
    values, listings = call.values, call.venue.exchange.listings
    if "symbol" in values and "symbols" in values:
        raise errors.bad_combination()
    if "symbol" in values:
        listing = _checked(call)
        _fresh(call)
        return write(listing.symbol)
    if "symbols" not in values and not all_allowed:
        raise errors.missing_both("symbol", "symbols")
    names = values.texts("symbols") if "symbols" in values else tuple(listings)
    if len(names) > _MOST_SYMBOLS and not all_allowed:
        raise errors.bad_value("symbols")
    if not all(name in listings for name in names):
        raise errors.bad_symbol()
    _fresh(call)
    status = values.text("symbolStatus")
    return [write(name) for name in names if status in ("", listings[name].status)]


def _day(call: Call) -> object:
    tape, full = call.venue.exchange.tape, call.values.text("type", "FULL") == "FULL"

    def write(symbol: str) -> object:
        return writers.ticker(tape.day(symbol, call.now), call.unit, full=full, book=True)

    return _of_symbols(call, write)


def _rolling(call: Call) -> object:
    tape, full = call.venue.exchange.tape, call.values.text("type", "FULL") == "FULL"
    length = call.values.number("windowSize", DAY)

    def write(symbol: str) -> object:
        found = tape.window(symbol, call.now, length)
        return writers.ticker(found, call.unit, full=full, book=False)

    return _of_symbols(call, write, all_allowed=False)


def _trading_day(call: Call) -> object:
    tape, full = call.venue.exchange.tape, call.values.text("type", "FULL") == "FULL"
    zone = call.values.number("timeZone")
    passed = (call.now + zone) % DAY

    def write(symbol: str) -> object:
        found = tape.window(symbol, call.now, passed)
        return writers.ticker(found, call.unit, full=full, book=False)

    return _of_symbols(call, write, all_allowed=False)


def _price(call: Call) -> object:
    tape = call.venue.exchange.tape

    def write(symbol: str) -> object:
        return {"symbol": symbol, "price": writers.amount(tape.last_price(symbol))}

    return _of_symbols(call, write)


def _book(call: Call) -> object:
    tape = call.venue.exchange.tape
    return _of_symbols(call, lambda symbol: writers.best(symbol, tape.best(symbol)))


def _depth_weight(sent: Mapping[str, str]) -> int:
    text = sent.get("limit", "")
    limit = int(text) if text.isdecimal() else USUAL_LEVELS
    return next((weight for most, weight in _DEPTH_WEIGHTS if limit <= most), _DEEPEST_WEIGHT)


def _day_weight(sent: Mapping[str, str]) -> int:
    if "symbol" in sent:
        return 2
    if "symbols" not in sent:
        return 80
    count = sent["symbols"].count(",") + 1
    return 2 if count <= 20 else 40 if count <= 100 else 80


def _window_weight(sent: Mapping[str, str]) -> int:
    return min(4 * (sent.get("symbols", "").count(",") + 1), 200)


def _one_weight(sent: Mapping[str, str]) -> int:
    return 2 if "symbol" in sent else 4


_CANDLE_FIELDS = (
    _SYMBOL,
    Field("interval", _interval, mandatory=True),
    Field("startTime", read.moment),
    Field("endTime", read.moment),
    Field("timeZone", _zone),
    _LIMIT,
)
DEPTH = Endpoint(_depth, _SYMBOL, _LIMIT, _STATUS, weight=_depth_weight)
TRADES = Endpoint(_trades, _SYMBOL, _LIMIT, weight=25)
HISTORICAL_TRADES = Endpoint(_trades, _SYMBOL, _LIMIT, Field("fromId", read.whole), weight=25)
AGGREGATE_TRADES = Endpoint(
    _aggregate_trades,
    _SYMBOL,
    Field("fromId", read.whole),
    Field("startTime", read.moment),
    Field("endTime", read.moment),
    _LIMIT,
    weight=4,
)
CANDLES = Endpoint(_candles, *_CANDLE_FIELDS, weight=2)
AVERAGE_PRICE = Endpoint(_average, _SYMBOL, weight=2)
DAY_TICKER = Endpoint(_day, *_SOME_SYMBOLS, _TYPE, _STATUS, weight=_day_weight)
TRADING_DAY_TICKER = Endpoint(
    _trading_day,
    *_SOME_SYMBOLS,
    Field("timeZone", _zone),
    _TYPE,
    _STATUS,
    weight=_window_weight,
)
ROLLING_TICKER = Endpoint(
    _rolling,
    *_SOME_SYMBOLS,
    Field("windowSize", _window),
    _TYPE,
    _STATUS,
    weight=_window_weight,
)
PRICE_TICKER = Endpoint(_price, *_SOME_SYMBOLS, _STATUS, weight=_one_weight)
BOOK_TICKER = Endpoint(_book, *_SOME_SYMBOLS, _STATUS, weight=_one_weight)

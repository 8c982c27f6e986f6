"""Reading what market streams say: exact numbers, times in nanoseconds, nothing guessed.

Reading is not judging: whether a price makes sense is for the checks of `market.validation`.

A message that cannot be read is a loss like a broken connection, so it raises `Transient`: whoever
reads opens a new connection and asks for what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import orjson

from tidewright.adapters.binance.streams.messages import (
    AggregateTrade,
    Answer,
    BookTicker,
    DepthUpdate,
    Kline,
    Message,
    MiniTicker,
    Shutdown,
    Trade,
    Unknown,
)
from tidewright.domain.errors import Transient
from tidewright.domain.money import MONEY_SCALE
from tidewright.domain.time import MILLISECOND
from tidewright.market.local_book import BookChange, BookSnapshot, Level

_MICROSECOND = 1_000
_FIRST_MILLISECOND = 10**11
_FIRST_MICROSECOND = 10**14
_PAST_MICROSECONDS = 10**17
_SHOWN = 160


class _Wrong(Exception):
    """A field that was not as expected; the message says how."""


class _Fields:
    """The fields of a JSON object, each read as what it must be."""

    __slots__ = ("_data",)

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise _Wrong(f"expected an object, was {type(data).__name__}")
        self._data: dict[str, object] = data

    def raw(self, name: str) -> object:
        return self._data.get(name)

    def has(self, name: str) -> bool:
        return name in self._data

    def text(self, name: str) -> str:
        value = self._data.get(name)
        if not isinstance(value, str) or not value:
            raise _Wrong(f"{name} was {value!r}; expected a text")
        return value

    def number(self, name: str) -> int:
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise _Wrong(f"{name} was {value!r}; expected a whole number")
        return value

    def flag(self, name: str) -> bool:
        value = self._data.get(name)
        if not isinstance(value, bool):
            raise _Wrong(f"{name} was {value!r}; expected true or false")
        return value

    def amount(self, name: str) -> int:
        return _units(self._data.get(name), name)

    def time(self, name: str) -> int:
        return _nanoseconds(self.number(name), name)

    def levels(self, name: str) -> tuple[Level, ...]:
        value = self._data.get(name)
        if not isinstance(value, list):
            raise _Wrong(f"{name} was {value!r}; expected a list of levels")
        return tuple(_level(one, name) for one in value)


def read_message(body: str | bytes) -> Message:
    """Return what a message of a market stream says.

    Parameters
    ----------
    body : str or bytes
        One message, with or without the wrapping of combined streams.

    Raises
    ------
    Transient
        If it is no JSON, or a field of a known event was not as expected.
    """
    try:
        fields = _Fields(_loads(body))
        if fields.has("stream") and fields.has("data"):
            fields = _Fields(fields.raw("data"))
        return _read(fields)
    except _Wrong as error:
        shown = body[:_SHOWN]
        raise Transient(f"stream message was {shown!r}: {error}") from error


def read_depth(body: bytes) -> BookSnapshot:
    """Return the snapshot that the REST endpoint ``depth`` answers.

    Raises
    ------
    Transient
        If the answer is no such snapshot.
    """
    try:
        fields = _Fields(_loads(body))
        return BookSnapshot(
            fields.number("lastUpdateId"), fields.levels("bids"), fields.levels("asks")
        )
    except _Wrong as error:
        raise Transient(f"depth answer was {body[:_SHOWN]!r}: {error}") from error


def _loads(body: str | bytes) -> object:
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _Wrong(f"expected JSON, {error}") from error
    return found


def _read(fields: _Fields) -> Message:
    kind = fields.raw("e")
    if isinstance(kind, str):
        reader = _READERS.get(kind)
        return Unknown(kind) if reader is None else reader(fields)
    if fields.has("id") or fields.has("error"):
        return _answer(fields)
    return _book_ticker(fields)


def _answer(fields: _Fields) -> Answer:
    number = fields.raw("id")
    found = number if isinstance(number, int) else -1
    if not fields.has("error"):
        return Answer(found)
    error = _Fields(fields.raw("error"))
    return Answer(found, f"{error.raw('code')}: {error.raw('msg')}")


def _trade(fields: _Fields) -> Trade:
    return Trade(
        fields.text("s"),
        fields.number("t"),
        fields.amount("p"),
        fields.amount("q"),
        fields.time("T"),
        fields.flag("m"),
    )


def _aggregate_trade(fields: _Fields) -> AggregateTrade:
    return AggregateTrade(
        fields.text("s"),
        fields.number("a"),
        fields.amount("p"),
        fields.amount("q"),
        fields.number("f"),
        fields.number("l"),
        fields.time("T"),
        fields.flag("m"),
    )


def _kline(fields: _Fields) -> Kline:
    candle = _Fields(fields.raw("k"))
    ts_open, last = candle.time("t"), candle.number("T")
    # The venue names the last moment inside, in the unit of all its times.
    unit = MILLISECOND if last < _FIRST_MICROSECOND else _MICROSECOND
    return Kline(
        fields.text("s"),
        candle.text("i"),
        ts_open,
        _nanoseconds(last, "T") + unit,
        candle.amount("o"),
        candle.amount("h"),
        candle.amount("l"),
        candle.amount("c"),
        candle.amount("v"),
        candle.amount("q"),
        candle.number("n"),
        candle.flag("x"),
        fields.time("E"),
    )


def _book_ticker(fields: _Fields) -> BookTicker:
    return BookTicker(
        fields.text("s"),
        fields.number("u"),
        fields.amount("b"),
        fields.amount("B"),
        fields.amount("a"),
        fields.amount("A"),
    )


def _mini_ticker(fields: _Fields) -> MiniTicker:
    return MiniTicker(
        fields.text("s"),
        fields.time("E"),
        fields.amount("o"),
        fields.amount("h"),
        fields.amount("l"),
        fields.amount("c"),
        fields.amount("v"),
        fields.amount("q"),
    )


def _depth_update(fields: _Fields) -> DepthUpdate:
    first, last = fields.number("U"), fields.number("u")
    if first > last:
        raise _Wrong(f"U was {first} and u {last}; expected them in order")
    change = BookChange(first, last, fields.levels("b"), fields.levels("a"))
    return DepthUpdate(fields.text("s"), fields.time("E"), change)


def _shutdown(fields: _Fields) -> Shutdown:
    return Shutdown()


_READERS: Mapping[str, Callable[[_Fields], Message]] = MappingProxyType(
    {
        "trade": _trade,
        "aggTrade": _aggregate_trade,
        "kline": _kline,
        "24hrMiniTicker": _mini_ticker,
        "depthUpdate": _depth_update,
        "serverShutdown": _shutdown,
    }
)
"""The reader of each kind of event. Best prices have no kind."""


def _level(value: object, name: str) -> Level:
    if not isinstance(value, list) or len(value) < 2:
        raise _Wrong(f"level in {name} was {value!r}; expected a price and a quantity")
    return _units(value[0], name), _units(value[1], name)


def _units(value: object, name: str) -> int:
    """Return a decimal text as whole units of 1e-8."""
    if isinstance(value, str):
        whole, point, part = value.partition(".")
        digits = whole + part
        if digits.isascii() and digits.isdigit() and whole and bool(point) == bool(part):
            kept = part.rstrip("0") if len(part) > MONEY_SCALE else part
            if len(kept) <= MONEY_SCALE:
                return int(whole + kept.ljust(MONEY_SCALE, "0"))
    raise _Wrong(f"{name} was {value!r}; expected a decimal with at most {MONEY_SCALE} places")


def _nanoseconds(value: int, name: str) -> int:
    """Return a time, which the venue gives in milliseconds or, if asked to, in microseconds."""
    if _FIRST_MILLISECOND <= value < _FIRST_MICROSECOND:
        return value * MILLISECOND
    if _FIRST_MICROSECOND <= value < _PAST_MICROSECONDS:
        return value * _MICROSECOND
    raise _Wrong(f"{name} was {value}; expected milliseconds or microseconds since 1970")

"""What a client may say on a market stream, and the answers.

Five methods: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, SET_PROPERTY and GET_PROPERTY. A good
request is answered with ``{"result": ..., "id": ...}``, a bad one with
``{"error": {"code": ..., "msg": ...}, "id": ...}``. A stream that is spelled as none can be also
closes the connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from tidewright.servers.venue.streams.names import is_spelled

MOST_STREAMS = 1024
"""Streams that one connection may listen to."""

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ID = re.compile(r"[A-Za-z0-9\-]{1,36}", re.ASCII)
_WRONG_ID = "Invalid request: request ID must be an unsigned integer"
_WRONG_NAME = "Invalid request: property name must be a string"
_WRONG_STREAM = "Invalid request: invalid stream"
_TOO_MANY = "Invalid request: too many parameters"


@dataclass(frozen=True, slots=True)
class Answer:
    """What follows from one message.

    Parameters
    ----------
    text : bytes
        JSON to send back.
    added, removed : tuple of str
        Streams whose subscription began or ended.
    closes : bool
        Whether the connection ends after it.
    """

    text: bytes
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    closes: bool = False


class _Wrong(Exception):
    """A request that cannot be followed: code, message, and whether the connection ends."""

    def __init__(self, code: int, message: str, *, closes: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.closes = closes


class Subscriptions:
    """The streams of one connection.

    Parameters
    ----------
    names : iterable of str
        Streams that the address of the connection named.
    combined : bool
        Whether events come wrapped with the name of their stream.
    """

    def __init__(self, names: Iterable[str] = (), *, combined: bool = False) -> None:
        self._names = dict.fromkeys(names)
        self.combined = combined

    @property
    def names(self) -> tuple[str, ...]:
        """Subscribed streams, oldest first."""
        return tuple(self._names)

    def answer(self, text: str) -> Answer:
        """Follow one message and say what follows from it."""
        number: object = None
        try:
            request = _read(text)
            number = _id(request)
            return self._follow(text, request, number)
        except _Wrong as wrong:
            error = {"code": wrong.code, "msg": wrong.message}
            return Answer(orjson.dumps({"error": error, "id": number}), closes=wrong.closes)

    def _follow(self, text: str, request: dict[str, object], number: object) -> Answer:
        follow = {
            "SUBSCRIBE": self._subscribe,
            "UNSUBSCRIBE": self._unsubscribe,
            "LIST_SUBSCRIPTIONS": self._list,
            "SET_PROPERTY": self._set,
            "GET_PROPERTY": self._get,
        }[_method(text, request)]
        return follow(_parameters(request), lambda result: _result(result, number))

    def _subscribe(self, names: list[object], say: Callable[[object], bytes]) -> Answer:
        wanted = _streams(names)
        added = tuple(name for name in dict.fromkeys(wanted) if name not in self._names)
        if len(self._names) + len(added) > MOST_STREAMS:
            raise _Wrong(2, _TOO_MANY)
        self._names.update(dict.fromkeys(added))
        return Answer(say(None), added=added)

    def _unsubscribe(self, names: list[object], say: Callable[[object], bytes]) -> Answer:
        gone = tuple(name for name in dict.fromkeys(_streams(names)) if name in self._names)
        for name in gone:
            del self._names[name]
        return Answer(say(None), removed=gone)

    def _list(self, parameters: list[object], say: Callable[[object], bytes]) -> Answer:
        if parameters:
            raise _Wrong(2, _TOO_MANY)
        return Answer(say(list(self._names)))

    def _set(self, parameters: list[object], say: Callable[[object], bytes]) -> Answer:
        _property(parameters, 2)
        value = parameters[1] if len(parameters) > 1 else None
        if not isinstance(value, bool):
            raise _Wrong(1, "Invalid value type: expected Boolean")
        self.combined = value
        return Answer(say(None))

    def _get(self, parameters: list[object], say: Callable[[object], bytes]) -> Answer:
        _property(parameters, 1)
        return Answer(say(self.combined))


def _result(result: object, number: object) -> bytes:
    return orjson.dumps({"result": result, "id": number})


def _read(text: str) -> dict[str, object]:
    try:
        request = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise _Wrong(3, f"Invalid JSON: expected value at {place}") from None
    if not isinstance(request, dict):
        raise _Wrong(3, "Invalid JSON: expected value at line 1 column 1")
    return request


def _id(request: dict[str, object]) -> object:
    number = request.get("id", "")
    whole = isinstance(number, int) and not isinstance(number, bool)
    # UUIDs, hyphens included, are what clients send.
    if number is None or whole or (isinstance(number, str) and _ID.fullmatch(number)):
        return number
    raise _Wrong(2, _WRONG_ID)


def _method(text: str, request: dict[str, object]) -> str:
    method = request.get("method")
    if method is None:
        raise _Wrong(2, f"Invalid request: missing field `method` at {_place(text, len(text))}")
    if method in _METHODS:
        return str(method)
    known = ", ".join(f"`{one}`" for one in _METHODS)
    said = f"`{method}`" if isinstance(method, str) else str(method)
    end = text.find(str(method)) + len(str(method)) + 1
    raise _Wrong(
        2,
        f"Invalid request: unknown variant {said}, expected one of {known} at {_place(text, end)}",
    )


def _place(text: str, end: int) -> str:
    before = text[:end]
    line = before.count("\n") + 1
    return f"line {line} column {end - (before.rfind(chr(10)) + 1)}"


def _parameters(request: dict[str, object]) -> list[object]:
    parameters = request.get("params", [])
    return parameters if isinstance(parameters, list) else [parameters]


def _streams(names: list[object]) -> list[str]:
    spelled = [name for name in names if isinstance(name, str) and is_spelled(name)]
    if not names or len(spelled) < len(names):
        raise _Wrong(2, _WRONG_STREAM, closes=True)
    return spelled


def _property(parameters: list[object], most: int) -> None:
    if not parameters or not isinstance(parameters[0], str):
        raise _Wrong(2, _WRONG_NAME)
    if len(parameters) > most:
        raise _Wrong(2, _TOO_MANY)
    if parameters[0] != "combined":
        raise _Wrong(0, "Unknown property")

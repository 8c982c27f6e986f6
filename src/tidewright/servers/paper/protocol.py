"""One line of JSON in, one line of JSON out: the paper venue's side of the wire.

A request is ``{"id": 1, "do": NAME, ...}`` with NAME one of ``observe`` (``bars``: lists of
instrument, timeframe, open time, close time, open, high, low, close, volume), ``place``
(``intent``), ``cancel`` and ``query`` (``client_id``), ``since`` (``sequence``) and ``account``.
The answer is ``{"id": 1, "events": [[NAME, FIELDS], ...], "last": SEQUENCE}``, or
``{"id": 1, "error": TEXT}`` for a request that was not understood and changed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson

from tidewright.domain.codec import plain, tag, untag
from tidewright.domain.errors import DataIntegrityError, nearest
from tidewright.domain.events import VenueEvent
from tidewright.domain.market import Bar
from tidewright.domain.orders import OrderIntent
from tidewright.exchange.paper import PaperVenue

_REQUESTS = ("observe", "place", "cancel", "query", "since", "account")
_BAR_TYPES = (str, str, int, int, int, int, int, int, int)


class BadRequest(Exception):
    """A request that cannot be understood; it changed nothing."""


def answer(venue: PaperVenue, line: bytes) -> bytes:
    """Carry out one request and return its answer, newline included.

    Parameters
    ----------
    venue : PaperVenue
        The venue.
    line : bytes
        One request.

    Raises
    ------
    TidewrightError
        If the venue cannot write its log; nothing may be answered then.
    """
    number: object = None
    try:
        request = _request(line)
        number = request.get("id")
        call = _understand(request)
    except BadRequest as error:
        return _line({"id": number, "error": str(error)})
    events = call(venue)
    written = [tag(event) for event in events]
    return _line({"id": number, "events": written, "last": venue.last_sequence})


def _line(data: object) -> bytes:
    return orjson.dumps(data, default=plain, option=orjson.OPT_APPEND_NEWLINE)


def _request(line: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"request was {line[:80]!r}; expected JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadRequest(f"request was {line[:80]!r}; expected an object")
    return data


class _Call:
    """A request that was understood and can be carried out."""

    def __init__(self, name: str, argument: object) -> None:
        self._name = name
        self._argument = argument

    def __call__(self, venue: PaperVenue) -> Sequence[VenueEvent]:
        argument = self._argument
        match self._name:
            case "observe":
                return venue.observe(cast("list[Bar]", argument))
            case "place":
                return venue.place(cast("OrderIntent", argument))
            case "cancel":
                return venue.cancel(cast("str", argument))
            case "query":
                return venue.query(cast("str", argument))
            case "since":
                return venue.events_since(cast("int", argument))
        return (venue.account(),)


def _understand(request: dict[str, Any]) -> _Call:
    name = request.get("do")
    if name not in _REQUESTS:
        raise BadRequest(
            f"'do' was {name!r}; expected one of {', '.join(_REQUESTS)}"
            + nearest(str(name), _REQUESTS)
        )
    if name == "observe":
        return _Call(name, [_bar(item) for item in _typed(request, "bars", list)])
    if name == "place":
        try:
            return _Call(name, untag("OrderIntent", _typed(request, "intent", dict)))
        except DataIntegrityError as error:
            raise BadRequest(str(error)) from error
    if name in ("cancel", "query"):
        return _Call(name, _typed(request, "client_id", str))
    if name == "since":
        return _Call(name, _typed(request, "sequence", int))
    return _Call("account", None)


def _typed(request: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401
    value = request.get(name)
    if type(value) is not kind:
        raise BadRequest(f"{name!r} was {value!r}; expected {kind.__name__}")
    return value


def _bar(item: object) -> Bar:
    if not isinstance(item, list) or [type(value) for value in item] != list(_BAR_TYPES):
        raise BadRequest(f"bar was {item!r}; expected two texts and seven whole numbers")
    return Bar(*item)

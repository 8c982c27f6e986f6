"""The trader's side of the paper venue's wire: its own writer and its own reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tidewright.domain.events import (
    AccountReported,
    BorrowCharged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    StopMoved,
    VenueEvent,
)
from tidewright.domain.market import Bar
from tidewright.domain.orders import Fill, OrderIntent, Side


class WireError(Exception):
    """The venue's answer is no answer to the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue answered.

    Parameters
    ----------
    events : tuple of VenueEvent
        In order.
    last : int
        Sequence of the venue's latest event.
    """

    events: tuple[VenueEvent, ...]
    last: int


def write_request(number: int, name: str, **arguments: object) -> bytes:
    """Return the line of a request."""
    request = {"id": number, "do": name, **arguments}
    return orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE)


def write_bar(bar: Bar) -> list[object]:
    """Return the written form of a bar."""
    times = [bar.ts_event, bar.ts_known]
    prices = [bar.open, bar.high, bar.low, bar.close, bar.volume]
    return [bar.instrument, bar.timeframe, *times, *prices]


def write_intent(intent: OrderIntent) -> dict[str, object]:
    """Return the written form of an order."""
    bracket = intent.bracket
    return {
        "client_id": intent.client_id,
        "strategy": intent.strategy,
        "instrument": intent.instrument,
        "side": intent.side.value,
        "leg": intent.leg.value,
        "order_type": intent.order_type.value,
        "lots": intent.lots,
        "reference_ticks": intent.reference_ticks,
        "ts_decided": intent.ts_decided,
        "confidence": intent.confidence,
        "reason": intent.reason,
        "limit_ticks": intent.limit_ticks,
        "expire_after_bars": intent.expire_after_bars,
        "bracket": None
        if bracket is None
        else {
            "stop_ticks": bracket.stop_ticks,
            "target_ticks": bracket.target_ticks,
            "trail_ticks": bracket.trail_ticks,
            "parts": [
                {"lots": one.lots, "stop_ticks": one.stop_ticks, "target_ticks": one.target_ticks}
                for one in bracket.parts
            ],
        },
        "reduce_only": intent.reduce_only,
    }


def read_answer(line: bytes, number: int) -> Answer:
    """Return the answer to a request.

    Raises
    ------
    WireError
        If the line is no answer to this request, or says that it was not understood.
    """
    try:
        data = orjson.loads(line)
        if data["id"] != number:
            raise WireError(f"answer was to request {data['id']}; expected {number}")
        if "error" in data:
            raise WireError(f"the venue did not understand: {data['error']}")
        events = tuple(_READERS[name](fields) for name, fields in data["events"])
        return Answer(events, _integer(data, "last"))
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"answer was {line[:200]!r}: {error!r}") from error


def _integer(data: Mapping[str, Any], name: str) -> int:
    value = data[name]
    if type(value) is not int:
        raise ValueError(f"{name} was {value!r}; expected a whole number")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data[name]
    if type(value) is not str:
        raise ValueError(f"{name} was {value!r}; expected text")
    return value


def _accepted(data: Mapping[str, Any]) -> OrderAccepted:
    return OrderAccepted(_text(data, "client_id"), _text(data, "venue_order_id"), *_place(data))


def _rejected(data: Mapping[str, Any]) -> OrderRejected:
    identity = _text(data, "client_id"), _text(data, "code"), _text(data, "reason")
    return OrderRejected(*identity, *_place(data))


def _filled(data: Mapping[str, Any]) -> OrderFilled:
    fill = data["fill"]
    if type(fill["maker"]) is not bool:
        raise ValueError(f"maker was {fill['maker']!r}; expected true or false")
    return OrderFilled(
        Fill(
            _text(fill, "trade_id"),
            _text(fill, "client_id"),
            _text(fill, "instrument"),
            Side(_text(fill, "side")),
            _integer(fill, "lots"),
            _integer(fill, "ticks"),
            _integer(fill, "fee"),
            fill["maker"],
            _integer(fill, "ts_event"),
        ),
        _integer(data, "venue_sequence"),
    )


def _canceled(data: Mapping[str, Any]) -> OrderCanceled:
    return OrderCanceled(_text(data, "client_id"), _text(data, "reason"), *_place(data))


def _expired(data: Mapping[str, Any]) -> OrderExpired:
    return OrderExpired(_text(data, "client_id"), _text(data, "reason"), *_place(data))


def _moved(data: Mapping[str, Any]) -> StopMoved:
    return StopMoved(_text(data, "client_id"), _integer(data, "stop_ticks"), *_place(data))


def _borrow(data: Mapping[str, Any]) -> BorrowCharged:
    return BorrowCharged(
        _text(data, "instrument"),
        _integer(data, "lots"),
        _integer(data, "ticks"),
        _integer(data, "days"),
        _integer(data, "rate_ppm"),
        _integer(data, "amount"),
        *_place(data),
    )


def _not_found(data: Mapping[str, Any]) -> OrderNotFound:
    return OrderNotFound(_text(data, "client_id"), _integer(data, "ts_event"))


def _account(data: Mapping[str, Any]) -> AccountReported:
    positions: Sequence[tuple[str, int]] = data["positions"]
    held = tuple((str(name), int(lots)) for name, lots in positions)
    return AccountReported(_integer(data, "cash"), held, *_place(data))


def _place(data: Mapping[str, Any]) -> tuple[int, int]:
    return _integer(data, "ts_event"), _integer(data, "venue_sequence")


_READERS: Mapping[str, Callable[[Mapping[str, Any]], VenueEvent]] = {
    "OrderAccepted": _accepted,
    "OrderRejected": _rejected,
    "OrderFilled": _filled,
    "OrderCanceled": _canceled,
    "OrderExpired": _expired,
    "StopMoved": _moved,
    "BorrowCharged": _borrow,
    "OrderNotFound": _not_found,
    "AccountReported": _account,
}

"""What the paper venue writes before it answers; folding the records gives its state.

One record is one fact: the account opened, an instrument's rules, an order taken, a trade moved by
a bar or a command, an id given up, or an event that the trader is told. The written form is plain
JSON with a ``kind``, so that anybody can audit a log without this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from tidewright.domain.codec import Json, untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import (
    BorrowCharged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    StopMoved,
)
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import OrderIntent
from tidewright.kernels.fills import TradeState

LOG_VERSION = 1
"""Version of the written form."""

SequencedEvent = (
    OrderAccepted
    | OrderRejected
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | StopMoved
    | BorrowCharged
)
"""Events that the venue numbers and delivers again on demand."""


@dataclass(frozen=True, slots=True)
class AccountOpened:
    """The first record: seed of the draws, opening cash in money units, currency."""

    seed: int
    cash: int
    currency: str


@dataclass(frozen=True, slots=True)
class InstrumentListed:
    """An instrument as it is traded from here on."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class OrderTaken:
    """An order was taken; ``trade`` is the client id of the entry that it belongs to."""

    intent: OrderIntent
    trade: str


@dataclass(frozen=True, slots=True)
class TradeMoved:
    """A trade changed; ``met`` is the close time of the latest bar that it met, 0 for none.

    ``parts`` holds the parts of a trade that has some, and ``state`` all of them together.
    """

    trade: str
    state: TradeState
    met: int
    parts: tuple[TradeState, ...] = ()


@dataclass(frozen=True, slots=True)
class IdGivenUp:
    """The venue told that it does not hold this id; it will not take it any more."""

    client_id: str


Record = AccountOpened | InstrumentListed | OrderTaken | TradeMoved | IdGivenUp | SequencedEvent
"""Anything that a venue log holds."""


def write_record(record: Record) -> Mapping[str, object]:
    """Return the written form of a record, a mapping that any JSON writer of values takes."""
    if isinstance(record, TradeMoved):
        written: dict[str, object] = {
            "kind": "trade",
            "trade": record.trade,
            "state": list(record.state),
            "met": record.met,
        }
        if record.parts:
            written["parts"] = [list(part) for part in record.parts]
        return written
    if isinstance(record, OrderTaken):
        return {"kind": "order", "trade": record.trade, "intent": record.intent}
    if isinstance(record, IdGivenUp):
        return {"kind": "given_up", "client_id": record.client_id}
    if isinstance(record, AccountOpened):
        return {
            "kind": "account",
            "version": LOG_VERSION,
            "seed": record.seed,
            "cash": record.cash,
            "currency": record.currency,
        }
    if isinstance(record, InstrumentListed):
        numerator, denominator = record.instrument.value_ratio
        return {
            "kind": "instrument",
            "instrument": record.instrument,
            "value_numerator": numerator,
            "value_denominator": denominator,
        }
    return {"kind": "event", "name": type(record).__name__, "event": record}


def read_record(data: Mapping[str, object]) -> Record:
    """Return the record of its written form.

    Raises
    ------
    DataIntegrityError
        If it is of an unknown kind or a newer version, or a field is missing or of a wrong type.
    """
    try:
        return _read(cast("Mapping[str, Json]", data))
    except (KeyError, TypeError, ValueError) as error:
        raise DataIntegrityError(f"venue log record was {data!r}: {error!r}") from error


def _read(data: Mapping[str, Json]) -> Record:
    kind = data["kind"]
    if kind == "event":
        return cast("SequencedEvent", untag(cast("str", data["name"]), data["event"]))
    if kind == "trade":
        state = TradeState(*cast("list[int]", data["state"]))
        parts = tuple(TradeState(*part) for part in cast("list[list[int]]", data.get("parts", ())))
        return TradeMoved(cast("str", data["trade"]), state, cast("int", data["met"]), parts)
    if kind == "order":
        intent = cast("OrderIntent", untag("OrderIntent", data["intent"]))
        return OrderTaken(intent, cast("str", data["trade"]))
    if kind == "given_up":
        return IdGivenUp(cast("str", data["client_id"]))
    if kind == "instrument":
        return InstrumentListed(cast("Instrument", untag("Instrument", data["instrument"])))
    if kind != "account":
        raise DataIntegrityError(f"venue log record was of unknown kind {kind!r}")
    if data["version"] != LOG_VERSION:
        raise DataIntegrityError(
            f"venue log was written in version {data['version']}; expected {LOG_VERSION}"
        )
    return AccountOpened(
        cast("int", data["seed"]), cast("int", data["cash"]), cast("str", data["currency"])
    )

"""The bytes of a slice and of an outcome; equal values give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from tidewright.domain.codec import SCHEMA_VERSION, Json, plain, tag, untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import Slice
from tidewright.domain.facts import Outcome


def encode_slice(slice_: Slice) -> bytes:
    """Return the written form of a slice."""
    return orjson.dumps(
        (SCHEMA_VERSION, slice_.ts_known, tuple(map(tag, slice_.events))), default=plain
    )


def decode_slice(payload: bytes) -> Slice:
    """Return the slice of its written form.

    Raises
    ------
    DataIntegrityError
        If the bytes are not a slice.
    """
    version, ts_known, events = _load(payload, 3)
    return Slice(ts_known, _values(events, version))


def encode_outcome(outcome: Outcome) -> bytes:
    """Return the written form of an outcome, its sequence left out; approved orders as records."""
    return orjson.dumps(
        (
            SCHEMA_VERSION,
            outcome.ts_known,
            outcome.equity,
            # Nearly every outcome is empty, and mapping nothing is not free.
            tuple(map(tag, outcome.facts)) if outcome.facts else (),
            tuple(map(tag, outcome.commands)) if outcome.commands else (),
            outcome.next_timer,
        ),
        default=plain,
    )


def decode_outcome(sequence: int, payload: bytes) -> Outcome:
    """Return the outcome of its written form; commands to submit come back as records.

    Raises
    ------
    DataIntegrityError
        If the bytes are not an outcome.
    """
    version, ts_known, equity, facts, commands, next_timer = _load(payload, 6)
    return Outcome(
        sequence,
        ts_known,
        equity,
        _values(facts, version),
        _values(commands, version),
        next_timer,
    )


def _load(payload: bytes, length: int) -> list[Any]:
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise DataIntegrityError(f"record was {payload[:80]!r}; expected JSON: {error}") from error
    if not isinstance(data, list) or len(data) != length:
        raise DataIntegrityError(f"record was {payload[:80]!r}; expected {length} values")
    return data


def _values(pairs: Sequence[tuple[str, Json]], version: int) -> tuple[Any, ...]:
    return tuple(untag(name, data, version) for name, data in pairs)

"""Lengths of time and parts of a whole, as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

from tidewright.domain.time import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from tidewright.strategy.document import Value

_UNITS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_LENGTH = re.compile(r"([+-]?)(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_MILLION = 1_000_000


def length_of_time(value: Value, *, signed: bool = False) -> int:
    """Return nanoseconds, of ``250ms``, ``1.5s``, ``2m``, ``1h`` or ``1d``.

    Parameters
    ----------
    value : Value
        What was written.
    signed : bool
        Whether it may be below 0.

    Raises
    ------
    DocumentError
        If it is no length of time.
    """
    text = value.text()
    match = _LENGTH.fullmatch(text)
    if match is None or (match[1] and not signed):
        example = "like 250ms, 1.5s, 2m or -70s" if signed else "like 250ms, 1.5s, 2m or 1h"
        raise value.error(f"was {text[:80]!r}; expected a length of time {example}")
    length = int(Decimal(match[2]) * _UNITS[match[3]])
    return -length if match[1] == "-" else length


def share(value: Value) -> int:
    """Return a part of a whole in millionths, of ``0.25`` or ``25%``.

    Raises
    ------
    DocumentError
        If it is none, or outside 0 to 1.
    """
    text = value.text()
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)(%?)", text)
    part = Decimal(match[1]) / (100 if match[2] else 1) if match else Decimal(2)
    if part > 1:
        raise value.error(f"was {text[:80]!r}; expected a part from 0 to 1, or 0% to 100%")
    return int(part * _MILLION)

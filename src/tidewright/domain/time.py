"""Time as integer nanoseconds UTC, and the timeframes that bars come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tidewright.domain.errors import ConfigError

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
"""Nanoseconds in a second."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timeframe_nanoseconds(timeframe: str) -> int:
    """Return the length of a timeframe.

    Parameters
    ----------
    timeframe : str
        A positive whole number followed by one of ``s m h d w``, such as ``"1m"`` or ``"4h"``.

    Returns
    -------
    int
        Length in nanoseconds.

    Raises
    ------
    ConfigError
        If the text is not such a timeframe.
    """
    count, unit = timeframe[:-1], timeframe[-1:]
    if unit not in _UNITS or not (count.isascii() and count.isdigit()) or int(count) == 0:
        raise ConfigError(
            f"timeframe was {timeframe!r}; expected a whole number and one of s m h d w, like '1m'"
        )
    return int(count) * _UNITS[unit]


def timeframe_label(nanoseconds: int) -> str:
    """Return the shortest label of a timeframe given in nanoseconds, the inverse of parsing."""
    for unit in ("w", "d", "h", "m", "s"):
        count, rest = divmod(nanoseconds, _UNITS[unit])
        if count and not rest:
            return f"{count}{unit}"
    raise ConfigError(f"timeframe was {nanoseconds} ns; expected a whole number of seconds")


def iso(ts: int) -> str:
    """Return a time as ISO 8601 text in UTC with the fewest digits that keep it exact."""
    seconds, fraction = divmod(ts, SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:09d}".rstrip("0")
    return f"{text}.{digits}Z" if digits else f"{text}Z"


def parse_iso(text: str) -> int:
    """Return nanoseconds for an ISO 8601 date or time; a text without a zone is read as UTC.

    Raises
    ------
    ConfigError
        If the text is not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"time was {text!r}; expected ISO 8601 such as 2023-01-31 or 2023-01-31T10:00:00Z"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 1_000

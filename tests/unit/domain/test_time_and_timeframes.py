from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    iso,
    parse_iso,
    timeframe_label,
    timeframe_nanoseconds,
)

MOMENT = 1_700_049_600 * SECOND


@pytest.mark.parametrize(
    ("text", "length"),
    [("1s", SECOND), ("1m", MINUTE), ("15m", 15 * MINUTE), ("4h", 4 * HOUR), ("1w", 7 * DAY)],
)
def test_timeframe_is_read(text: str, length: int) -> None:
    assert timeframe_nanoseconds(text) == length


@pytest.mark.parametrize(
    "text", ["", "m", "0m", "-1m", "1", "1M", "1.5h", " 1m", "1m ", "1y", "any", "²m", "٣m", "+1m"]
)
def test_what_is_no_timeframe_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="timeframe was"):
        timeframe_nanoseconds(text)


@given(st.integers(1, 10**9))
def test_label_of_a_timeframe_reads_back(seconds: int) -> None:
    assert timeframe_nanoseconds(timeframe_label(seconds * SECOND)) == seconds * SECOND


@pytest.mark.parametrize(
    ("length", "label"), [(60 * MINUTE, "1h"), (90 * MINUTE, "90m"), (7 * DAY, "1w"), (DAY, "1d")]
)
def test_label_is_the_shortest(length: int, label: str) -> None:
    assert timeframe_label(length) == label


@pytest.mark.parametrize("length", [0, 1, SECOND + 1])
def test_part_of_a_second_has_no_label(length: int) -> None:
    with pytest.raises(ConfigError, match="whole number of seconds"):
        timeframe_label(length)


@given(st.integers(-(2**62) // 1000, 2**62 // 1000))
def test_written_time_reads_back(microseconds: int) -> None:
    assert parse_iso(iso(microseconds * 1_000)) == microseconds * 1_000


@given(st.integers(0, 2**62))
def test_written_time_keeps_every_nanosecond(ts: int) -> None:
    text = iso(ts)
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    assert seconds * SECOND + int(fraction.ljust(9, "0") or 0) == ts
    assert not fraction.endswith("0")


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("2023-11-15", MOMENT - 12 * HOUR),
        ("2023-11-15T12:00:00", MOMENT),
        ("2023-11-15T12:00:00Z", MOMENT),
        ("2023-11-15T14:00:00+02:00", MOMENT),
        ("2023-11-15 12:00:00.25", MOMENT + SECOND // 4),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
    ],
)
def test_time_is_read_in_its_zone_and_as_utc_without_one(text: str, ts: int) -> None:
    assert parse_iso(text) == ts


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13-01", "15.11.2023", "1700049600"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="ISO 8601"):
        parse_iso(text)

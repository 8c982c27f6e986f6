"""Absent bars are found and counted, closures are not."""

from __future__ import annotations

import numpy as np

from fakes.market_rows import START
from tidewright.domain.instrument import AssetClass
from tidewright.domain.time import DAY, HOUR, MINUTE, parse_iso
from tidewright.market.gaps import Gap, find_gaps, trades_in_sessions


def test_run_of_absent_bars_is_one_gap():
    minutes = np.array([0, 1, 4, 5, 6, 16], np.int64) * MINUTE + START
    report = find_gaps("AAA", "1m", minutes)
    assert report.gaps == (
        Gap(START + 2 * MINUTE, START + 4 * MINUTE, 2),
        Gap(START + 7 * MINUTE, START + 16 * MINUTE, 9),
    )
    assert report.missing == 11
    assert report.longest == report.gaps[1]
    assert "11 bars absent in 2 gaps" in report.summary()


def test_complete_or_empty_series_has_no_gap():
    minutes = np.arange(10, dtype=np.int64) * MINUTE + START
    assert find_gaps("AAA", "1m", minutes).gaps == ()
    assert find_gaps("AAA", "1m", minutes[:0]).gaps == ()
    assert find_gaps("AAA", "1m", minutes).summary() == "AAA 1m: no gap"


def test_night_is_no_gap_for_a_market_with_sessions():
    day = [START + 14 * HOUR, START + 15 * HOUR, START + 17 * HOUR]
    times = np.array([*day, *(time + DAY for time in day)], np.int64)
    report = find_gaps("SPY", "1h", times, sessions=True)
    assert [gap.missing for gap in report.gaps] == [1, 1]
    assert find_gaps("SPY", "1h", times).missing == 22


def test_weekend_is_no_gap_in_daily_bars_of_a_market_with_sessions():
    days = ["2023-06-30", "2023-07-03", "2023-07-05", "2023-07-17"]
    times = np.array([parse_iso(day) for day in days], np.int64)
    assert [gap.missing for gap in find_gaps("SPY", "1d", times, sessions=True).gaps] == [11]


def test_only_crypto_trades_round_the_clock():
    assert [kind for kind in AssetClass if not trades_in_sessions(kind)] == [AssetClass.CRYPTO]

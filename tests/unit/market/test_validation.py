"""Each rule for bars keeps out what it names and nothing else."""

from __future__ import annotations

import math

import pytest

from fakes.market_rows import START, a_raw_bar, an_instrument
from tidewright.domain.errors import ConfigError
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.time import DAY, MINUTE
from tidewright.market.validation import (
    BarRules,
    BarValidator,
    RawBar,
    check_bars,
    raw_bars,
)


def validator(**rules: float) -> BarValidator:
    return BarValidator(an_instrument(), "1m", BarRules(**rules))


def rules_of(bars: list[RawBar], now: int = 0, **rules: float) -> list[str]:
    checks = validator(**rules)
    found = [checks.check(bar, now) for bar in bars]
    return [one.rule if isinstance(one, DataDefect) else "accepted" for one in found]


def test_sound_bar_comes_back_in_ticks_and_lots():
    bar = validator().check(
        a_raw_bar(open=100.01, high=100.5, low=99.99, close=100.1, volume=2.345)
    )
    assert bar == Bar("AAA", "1m", START, START + MINUTE, 10001, 10050, 9999, 10010, 2345)


@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_value_that_is_not_finite_is_kept_out(field: str, value: float):
    assert rules_of([a_raw_bar(**{field: value})]) == ["not_finite"]


@pytest.mark.parametrize("field", ["open", "high", "low", "close"])
@pytest.mark.parametrize("value", [0.0, -0.01, -100.0])
def test_price_that_is_zero_or_negative_is_kept_out(field: str, value: float):
    assert rules_of([a_raw_bar(**{field: value})]) == ["price_not_positive"]


def test_volume_below_zero_is_kept_out_and_zero_volume_is_not():
    assert rules_of([a_raw_bar(volume=-1.0), a_raw_bar(volume=0.0)]) == [
        "volume_negative",
        "accepted",
    ]


def test_number_too_large_to_count_exactly_is_kept_out():
    assert rules_of([a_raw_bar(volume=1e300), a_raw_bar(price=1e15)]) == [
        "out_of_range",
        "out_of_range",
    ]


def test_price_between_ticks_is_kept_out_and_not_rounded():
    assert rules_of([a_raw_bar(price=100.005)]) == ["off_grid"]


def test_price_with_float_noise_lies_on_its_tick():
    noisy = 0.1 + 0.2
    assert noisy != 0.3
    found = validator().check(a_raw_bar(price=noisy))
    assert isinstance(found, Bar)
    assert found.close == 30


def test_volume_between_lots_is_rounded_because_it_is_no_order():
    found = validator().check(a_raw_bar(volume=1.2346))
    assert isinstance(found, Bar)
    assert found.volume == 1235


@pytest.mark.parametrize(
    "changes",
    [{"high": 99.0}, {"low": 101.0}, {"open": 102.0, "high": 101.0}, {"close": 98.0, "low": 99.0}],
)
def test_high_or_low_that_does_not_enclose_the_bar_is_kept_out(changes: dict[str, float]):
    assert rules_of([a_raw_bar(**changes)]) == ["high_low_inconsistent"]


def test_second_bar_of_one_time_is_a_duplicate_even_when_it_differs():
    assert rules_of([a_raw_bar(0), a_raw_bar(0), a_raw_bar(0, 100.5)]) == [
        "accepted",
        "duplicate",
        "duplicate",
    ]


def test_good_copy_after_a_bad_one_is_accepted():
    assert rules_of([a_raw_bar(0, math.nan), a_raw_bar(0)]) == ["not_finite", "accepted"]


def test_bar_before_the_last_one_is_out_of_order():
    assert rules_of([a_raw_bar(2), a_raw_bar(1), a_raw_bar(3)]) == [
        "accepted",
        "out_of_order",
        "accepted",
    ]


def test_bar_not_yet_closed_is_kept_out_until_it_is():
    bar = a_raw_bar(0)
    assert rules_of([bar], now=START + MINUTE - 1) == ["open_candle"]
    assert rules_of([bar], now=START + MINUTE) == ["accepted"]


def test_bar_older_than_the_largest_age_is_stale():
    bar = a_raw_bar(0)
    assert rules_of([bar], now=START + 16 * MINUTE) == ["accepted"]
    assert rules_of([bar], now=START + 16 * MINUTE + 1) == ["stale"]
    assert rules_of([bar], now=START + DAY, max_data_age_minutes=0) == ["accepted"]


def test_single_close_far_from_the_day_before_is_kept_out():
    bars = [a_raw_bar(0), a_raw_bar(1, 150.01), a_raw_bar(2, 100.5), a_raw_bar(3, 49.99)]
    assert rules_of(bars) == ["accepted", "daily_change", "accepted", "daily_change"]


def test_change_of_exactly_the_limit_is_accepted():
    assert rules_of([a_raw_bar(0), a_raw_bar(1, 150.0), a_raw_bar(2, 50.0)]) == ["accepted"] * 3


def test_new_level_is_believed_when_three_bars_agree():
    bars = [a_raw_bar(minute, 100.0 if minute == 0 else 20.0) for minute in range(5)]
    assert rules_of(bars) == ["accepted", "daily_change", "daily_change", "accepted", "accepted"]


def test_bar_at_the_old_level_starts_the_count_of_a_new_one_again():
    prices = [100.0, 20.0, 20.0, 100.0, 20.0, 20.0, 20.0]
    found = rules_of([a_raw_bar(minute, price) for minute, price in enumerate(prices)])
    kept_out = ["daily_change"] * 2
    assert found == ["accepted", *kept_out, "accepted", *kept_out, "accepted"]


def test_levels_that_disagree_are_never_believed():
    prices = [100.0, 1.0, 900.0, 1.0, 900.0, 1.0]
    found = rules_of([a_raw_bar(minute, price) for minute, price in enumerate(prices)])
    assert found == ["accepted"] + ["daily_change"] * 5


def test_wick_far_from_the_level_is_a_spike():
    bars = [a_raw_bar(0), a_raw_bar(1, high=151.0), a_raw_bar(2, low=49.0), a_raw_bar(3)]
    assert rules_of(bars) == ["accepted", "spike", "spike", "accepted"]


def test_wick_next_to_a_price_that_moved_there_step_by_step_is_no_spike():
    bars = [a_raw_bar(0), a_raw_bar(1, 149.0), a_raw_bar(2, 149.0, high=160.0)]
    assert rules_of(bars) == ["accepted"] * 3


def test_reference_is_the_last_close_of_the_day_before():
    day = 1440
    bars = [a_raw_bar(0), a_raw_bar(1, 140.0), a_raw_bar(day, 200.0), a_raw_bar(day + 1, 215.0)]
    assert rules_of(bars) == ["accepted", "accepted", "accepted", "daily_change"]


def test_limit_of_bars_longer_than_a_day_grows_with_their_days():
    weekly = BarValidator(an_instrument(), "1w", BarRules())
    assert isinstance(weekly.check(a_raw_bar(0)), Bar)
    assert isinstance(weekly.check(a_raw_bar(7 * 1440, 300.0)), Bar)


def test_defect_says_what_was_expected_and_what_came():
    checks = validator()
    checks.check(a_raw_bar(0))
    found = checks.check(a_raw_bar(1, 300.0))
    assert found == DataDefect(
        "AAA",
        START + MINUTE,
        "daily_change",
        "close was 300.0; expected within 50 % a day around 100.00",
    )
    late = checks.check(a_raw_bar(-1))
    assert isinstance(late, DataDefect)
    assert late.detail == (
        "was of 2023-02-28T23:59:00Z; expected a time after 2023-03-01T00:00:00Z"
    )


def test_restored_validator_goes_on_as_before():
    first = validator()
    first.check(a_raw_bar(5))
    second = validator()
    second.restore(first.snapshot())
    for bar in (a_raw_bar(5), a_raw_bar(4), a_raw_bar(6, 300.0), a_raw_bar(6)):
        assert second.check(bar) == first.check(bar)


def test_bulk_check_counts_rounded_volumes_and_names_rows():
    bars = raw_bars([a_raw_bar(0, volume=0.0005), a_raw_bar(1, -1.0), a_raw_bar(2)])
    found = check_bars(bars, an_instrument(), "1m")
    assert found.volumes_rounded == 1
    assert [(row, defect.rule) for row, defect in found.defects] == [(1, "price_not_positive")]
    assert found.bars.ts_event.tolist() == [START, START + 2 * MINUTE]


def test_empty_series_is_checked_without_a_fault():
    found = check_bars(raw_bars([]), an_instrument(), "1m")
    assert len(found.bars) == 0
    assert found.defects == ()


@pytest.mark.parametrize(
    "changes",
    [{"max_daily_change_percent": 0}, {"max_data_age_minutes": -1}, {"confirm_after_bars": 0}],
)
def test_rules_that_make_no_sense_are_refused(changes: dict[str, float]):
    with pytest.raises(ConfigError, match="bar rules"):
        BarRules(**changes)

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.orders import instrument
from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.events import (
    AccountReported,
    ClockTick,
    FeedStatus,
    Started,
    slice_rank,
)
from tidewright.domain.money import UNITS_PER_CURRENCY, from_decimal, to_decimal

int64 = st.integers(-(2**63), 2**63 - 1)
sizes = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.integers(1, 10**6), st.integers(0, 9)
)


@given(int64)
def test_money_reads_back_to_the_last_unit(units: int) -> None:
    assert from_decimal(to_decimal(units)) == units
    assert Fraction(to_decimal(units)) == Fraction(units, UNITS_PER_CURRENCY)


@pytest.mark.parametrize(
    "amount", ["0.000000001", "1.123456789", "NaN", "Infinity", "-Infinity", f"1.{'0' * 28}1"]
)
def test_amount_that_is_no_money_is_refused(amount: str) -> None:
    with pytest.raises(ConfigError, match="amount was"):
        from_decimal(Decimal(amount))


def test_trailing_zeros_are_no_places() -> None:
    assert from_decimal(Decimal("1.0000000000")) == UNITS_PER_CURRENCY
    assert from_decimal(Decimal("1E+3")) == 1_000 * UNITS_PER_CURRENCY


@given(sizes, sizes, st.integers(0, 10**9), st.integers(0, 10**9))
def test_ratios_are_exact_and_in_lowest_terms(tick, lot, ticks: int, lots: int) -> None:
    one = instrument(tick_size=tick, lot_size=lot)
    assert Fraction(ticks) * Fraction(*one.price_ratio) == Fraction(one.price(ticks))
    assert Fraction(lots) * Fraction(*one.quantity_ratio) == Fraction(one.quantity(lots))
    numerator, denominator = one.value_ratio
    exact = Fraction(tick) * Fraction(lot) * UNITS_PER_CURRENCY
    assert (exact.numerator, exact.denominator) == (numerator, denominator)


@given(sizes, st.integers(0, 10**9))
def test_ticks_and_lots_read_back(step: Decimal, count: int) -> None:
    one = instrument(tick_size=step, lot_size=step)
    assert one.ticks(one.price(count)) == count
    assert one.lots(one.quantity(count)) == count


def test_exact_views_have_the_places_of_their_steps() -> None:
    one = instrument(tick_size=Decimal("0.010"), lot_size=Decimal("0.5"))
    assert (str(one.price(150)), str(one.quantity(3))) == ("1.500", "1.5")


@pytest.mark.parametrize("price", ["0.015", "NaN", "Infinity", f"1.{'0' * 30}1"])
def test_price_off_the_grid_is_refused(price: str) -> None:
    one = instrument()
    with pytest.raises(ConfigError, match="BTCUSDT: price was"):
        one.ticks(Decimal(price))


def test_quantity_off_the_grid_is_refused() -> None:
    with pytest.raises(ConfigError, match="BTCUSDT: quantity was 0.0001; expected .* lots of"):
        instrument().lots(Decimal("0.0001"))


@pytest.mark.parametrize("name", ["tick_size", "lot_size"])
@pytest.mark.parametrize("size", ["0", "-0.01", "NaN", "Infinity"])
def test_step_that_is_none_is_refused(name: str, size: str) -> None:
    with pytest.raises(ConfigError, match="expected both above 0"):
        instrument(**{name: Decimal(size)})


@pytest.mark.parametrize("name", ["maker_fee_rate", "taker_fee_rate"])
@pytest.mark.parametrize("rate", ["-0.001", "1", "0.0000005", "NaN", "Infinity"])
def test_fee_rate_that_is_none_is_refused(name: str, rate: str) -> None:
    with pytest.raises(ConfigError, match="fee rate was"):
        instrument(**{name: Decimal(rate)})


def test_hint_names_the_nearest_word() -> None:
    assert nearest("sma_cros", ["sma_cross", "momentum"]) == " (did you mean 'sma_cross'?)"
    assert nearest("zzz", ["sma_cross"]) == ""


def test_ranks_put_control_before_venue_before_timers() -> None:
    events = [ClockTick(), AccountReported(0, (), 0, 0), FeedStatus(True, ""), Started(0, "")]
    assert sorted(events, key=slice_rank) == events[::-1]

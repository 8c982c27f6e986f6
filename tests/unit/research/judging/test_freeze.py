from dataclasses import replace

import numpy as np
import pytest

from fakes.trial_store import MemoryTrialStore
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.time import DAY
from tidewright.research.judging.freeze import (
    FREEZE,
    PATHS,
    Frozen,
    daily_units,
    days_since,
    forecast,
    forward_result,
    freezes,
    frozen_of,
    latest_forward,
    percentile_of,
    record_forward,
    record_freeze,
)
from tidewright.research.judging.trials import Record

PARTS = {"specification": "a", "costs": "b", "settings": "c"}
PAST = np.random.default_rng(3).normal(0.0005, 0.01, 400)
FROZEN = Frozen("mine", "f", PARTS, 1_000 * DAY, daily_units(PAST))


def test_digest_is_of_every_part_and_edits_are_named():
    assert FROZEN.digest == replace(FROZEN, parts=dict(reversed(PARTS.items()))).digest
    for name in PARTS:
        edited = {**PARTS, name: "other"}
        assert FROZEN.edited(edited) == [name]
        assert replace(FROZEN, parts=edited).digest != FROZEN.digest
    assert FROZEN.edited({**PARTS, "models": "d"}) == ["models"]
    assert FROZEN.edited(PARTS) == []


def test_forecast_has_the_mean_and_the_spread_of_a_prediction():
    days = 100
    totals = forecast(PAST, days)
    assert len(totals) == PATHS
    assert (np.diff(totals) >= 0).all()
    spread = PAST.std() * np.sqrt(days * (1 + days / len(PAST)))
    assert totals.std() == pytest.approx(spread, rel=0.12)
    assert totals.mean() == pytest.approx(days * PAST.mean(), abs=4 * spread / np.sqrt(PATHS))


def test_forecast_reaches_further_than_the_past():
    totals = forecast(PAST[:50], 170)
    spread = PAST[:50].std() * np.sqrt(170 * (1 + 170 / 50))
    assert totals.std() == pytest.approx(spread, rel=0.25)


def test_equal_seeds_give_equal_forecasts():
    assert (forecast(PAST, 30) == forecast(PAST, 30)).all()
    assert (forecast(PAST, 30, seed=1) != forecast(PAST, 30)).any()


def test_nine_of_ten_futures_like_the_past_lie_inside():
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(150):
        days = generator.normal(0.001, 0.01, 160)
        place = percentile_of(forecast(days[:120], 40), float(days[120:].sum()))
        inside += 0.05 <= place <= 0.95
    # Binomial(150, 0.9): 99.9 % of the mass lies in 122 to 146.
    assert 122 <= inside <= 146


def test_flat_strategy_lies_in_the_middle_of_its_forecast():
    totals = forecast(np.zeros(60), 30)
    assert percentile_of(totals, 0.0) == 0.5
    assert percentile_of(totals, -0.1) == 0.0
    assert percentile_of(totals, 0.1) == 1.0


def test_forward_result_counts_days_and_finds_its_place():
    good = forward_result(FROZEN, np.full(40, 0.02), 1_050 * DAY)
    bad = forward_result(FROZEN, np.full(40, -0.02), 1_050 * DAY)
    assert (good.days, good.percentile, bad.percentile) == (40, 1.0, 0.0)
    assert good.profit == pytest.approx(0.8)
    assert bad.low < bad.middle < bad.high
    assert good.evidence.days == 40
    assert forward_result(FROZEN, np.empty(0), 1_050 * DAY) is None


def test_days_before_the_freeze_are_no_forward_evidence():
    with pytest.raises(ConfigError, match="before the freeze"):
        forward_result(FROZEN, np.zeros(5), FROZEN.ts)


@pytest.mark.parametrize("daily", [np.zeros(29), np.array([np.nan] * 60)])
def test_too_little_past_makes_no_freeze(daily):
    with pytest.raises(ConfigError, match="at least 30"):
        daily_units(daily)


def test_freezes_and_results_come_back_and_the_last_one_holds():
    store = MemoryTrialStore()
    later = replace(FROZEN, parts={**PARTS, "costs": "x"}, ts=1_010 * DAY)
    record_freeze(store, FROZEN)
    record_freeze(store, later)
    assert freezes(store, "mine") == [FROZEN, later]
    assert freezes(store, "other") == []
    assert np.allclose(freezes(store)[0].daily_profit, PAST, atol=1e-9)
    result = forward_result(FROZEN, np.full(40, 0.001), 1_050 * DAY)
    assert latest_forward(store, FROZEN.digest) is None
    record_forward(store, result, 1)
    assert latest_forward(store, FROZEN.digest) == result
    assert latest_forward(store, later.digest) is None
    assert days_since(FROZEN, 1_003 * DAY + 5) == 3
    assert days_since(FROZEN, 0) == 0


def test_entry_of_another_form_is_named():
    with pytest.raises(DataIntegrityError, match="entry 4"):
        frozen_of(Record(4, 0, FREEZE, "mine", {"name": "mine"}))

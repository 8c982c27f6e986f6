from dataclasses import replace

import numpy as np
import pytest

from fakes.trial_store import MemoryTrialStore, walk
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.market.aggregation import aggregate
from tidewright.research.judging.trials import (
    SKETCH_SIZE,
    TRIALS,
    DataIdentity,
    Record,
    TrialRun,
    configurations_digest,
    corrected_for_tries,
    count_tries,
    family_key,
    identify,
    record_run,
    run_of,
    seen_until,
)

DOCUMENT = """\
schema: 1
name: mine
description: Buys when the fast
  average crosses 5 bars.
timeframe: 5m
entry:
  long: crosses_above(sma(10), sma(50))
stops:
  stop_loss:
    atr: 2.5
"""


def a_run(data: DataIdentity, digest: str = "x", **changes) -> TrialRun:
    run = TrialRun(data.fingerprint, "f", "mine", "backtest", 1, digest, data.last)
    return replace(run, **changes)


def test_fingerprint_is_of_content_not_of_memory_or_order():
    one, two = walk("AAA"), walk("BBB", seed=1)
    strided = replace(one, close=np.repeat(one.close, 2)[::2])
    assert identify([one, two]) == identify([two, strided])


@pytest.mark.parametrize("column", ["ts_event", "open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("row", [0, 1_234, -1])
def test_fingerprint_changes_with_any_value(column, row):
    bars = walk(days=100)
    values = getattr(bars, column).copy()
    values[row] += 1
    assert identify([replace(bars, **{column: values})]).fingerprint != identify([bars]).fingerprint


def test_fingerprint_changes_when_rows_swap_their_prices_or_the_name_changes():
    bars = walk()
    swapped = bars.close.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    found = {
        identify([one]).fingerprint
        for one in (
            bars,
            replace(bars, close=swapped),
            replace(bars, instrument="BBB"),
            replace(bars, timeframe="2h"),
            bars.slice(0, len(bars) - 1),
        )
    }
    assert len(found) == 5


def test_longer_renamed_or_coarser_data_is_the_same_market_and_other_prices_are_not():
    whole = walk(days=100)
    data = identify([whole])
    assert identify([whole.slice(0, 24 * 70)]).shares(data)
    assert identify([replace(whole, instrument="other")]).shares(data)
    assert identify([aggregate(whole, "4h").bars]).shares(data)
    assert identify([walk("BBB", seed=9), whole]).shares(data)
    assert not identify([walk(seed=1)]).shares(data)
    assert not identify([walk(seed=0, start_day=900)]).shares(data)


def test_sketch_is_bounded_and_still_meets_a_part():
    many = [walk(f"S{n}", seed=n, days=400, timeframe="1d") for n in range(400)]
    data = identify(many)
    assert len(data.periods) == SKETCH_SIZE
    assert identify(many[:40]).shares(data)


def test_data_without_bars_has_an_identity():
    empty = walk().slice(0, 0)
    assert identify([empty]).periods == frozenset()
    assert identify([]).symbols == ()


def test_numbers_and_names_stay_in_the_family_rules_do_not():
    family = family_key(DOCUMENT)
    for old, new in (
        ("sma(10)", "sma(12)"),
        ("2.5", "3"),
        ("name: mine", "name: yours"),
        ("crosses 5 bars", "does something"),
        ("timeframe: 5m", "timeframe: 15m"),
    ):
        assert family_key(DOCUMENT.replace(old, new)) == family, new
    assert family_key(DOCUMENT.replace("sma(10)", "ema(10)")) != family
    assert family_key(DOCUMENT.replace("crosses_above", "crosses_below")) != family


def test_edited_python_strategy_stays_in_its_family():
    one, two = (f"mine.py:Mine {digit * 32}" for digit in "ab")
    assert family_key(one) == family_key(two) != family_key(f"other.py:Mine {'a' * 32}")


def test_digest_of_configurations_ignores_order_and_repeats():
    assert configurations_digest(["a", "b", "a"]) == configurations_digest(["b", "a"])
    assert configurations_digest(["ab"]) != configurations_digest(["a", "b"])


def test_every_different_configuration_counts_once():
    store, data = MemoryTrialStore(), identify([walk()])
    other = identify([walk(seed=5)])
    assert record_run(store, data, a_run(data), 1)
    assert not record_run(store, data, a_run(data), 2)
    record_run(store, data, a_run(data, "y", configurations=1_000, command="sweep"), 3)
    record_run(store, data, a_run(data, "z", family="g"), 4)
    record_run(store, other, a_run(other, "w"), 5)
    count = count_tries(store, data, "f")
    assert (count.in_family, count.on_data, count.families) == (1_001, 1_002, 2)


def test_tries_on_a_part_of_the_market_count_on_the_whole_without_counting_twice():
    bars = walk(days=100)
    store, part, whole = MemoryTrialStore(), identify([bars.slice(0, 24 * 70)]), identify([bars])
    record_run(store, part, a_run(part), 1)
    assert seen_until(store, whole, "f") == part.last
    record_run(store, whole, a_run(whole), 2)
    assert count_tries(store, whole, "f").in_family == 1
    assert seen_until(store, whole, "f") == whole.last
    assert seen_until(store, whole, "g") == 0


def test_run_comes_back_as_it_was_written():
    run = a_run(identify([walk()]), parameters={"fast": (5.0, 50.0, 10)})
    assert run_of(Record(1, 0, TRIALS, run.key, run.to_body())) == run


@pytest.mark.parametrize(
    "body", [{}, {"data": 1}, {**a_run(identify([])).to_body(), "parameters": {"a": [1]}}]
)
def test_entry_of_another_form_is_named(body):
    with pytest.raises(DataIntegrityError, match="entry 7"):
        run_of(Record(7, 0, TRIALS, "", body))


def test_luck_of_everything_tried_is_that_of_independent_draws():
    assert corrected_for_tries(0.01, 1, 1) == pytest.approx(0.01)
    assert corrected_for_tries(0.01, 1, 20) == pytest.approx(1 - 0.99**20)
    assert corrected_for_tries(0.01, 10, 20) == pytest.approx(1 - 0.99**2)
    assert corrected_for_tries(0.3, 10, 5) == pytest.approx(0.3)
    assert corrected_for_tries(1e-12, 1, 1_000) == pytest.approx(1e-9)
    assert (corrected_for_tries(1.0, 1, 9), corrected_for_tries(0.0, 1, 9)) == (1.0, 0.0)
    for wrong in ((1.1, 1, 1), (-0.1, 1, 1), (0.5, 0, 1), (float("nan"), 1, 1)):
        with pytest.raises(ConfigError):
            corrected_for_tries(*wrong)


def test_best_of_independent_nulls_is_corrected_to_a_uniform_p_value():
    smallest = np.random.default_rng(0).random((4_000, 25)).min(axis=1)
    corrected = np.array([corrected_for_tries(p, 1, 25) for p in smallest])
    # Standard error of a share of 0.05 among 4,000 is 0.0034.
    assert abs((corrected <= 0.05).mean() - 0.05) < 0.0104
    assert (smallest <= 0.05).mean() > 0.7


def test_correlated_settings_count_as_the_independent_tries_they_act_like():
    store, data = MemoryTrialStore(), identify([walk()])
    record_run(store, data, a_run(data, "x", configurations=1_000, effective=12.5), 1)
    record_run(store, data, a_run(data, "y"), 2)
    assert count_tries(store, data, "f").independent == 13.5

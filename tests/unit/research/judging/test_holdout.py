import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.trial_store import MemoryTrialStore, walk
from tidewright.domain.time import DAY, HOUR
from tidewright.research.judging.holdout import (
    border_of,
    closed_from,
    open_part,
    openings,
    record_opening,
    request_opening,
)
from tidewright.research.judging.trials import TrialRun, identify, record_run


@given(st.integers(0, 10**18), st.integers(0, 3_000 * DAY))
def test_closed_part_begins_at_a_day_and_is_at_most_a_fifth(first, span):
    last = first + span
    border = closed_from(first, last)
    assert first <= border <= last
    assert (last - border) * 5 <= span
    if border < last:
        assert border % DAY == 0
        assert border > first
    if span >= 20 * DAY:
        assert (last - border) * 5 > span - 5 * DAY


def test_one_border_for_all_series_and_nothing_known_after_it():
    long, short = walk("AAA", days=100), walk("BBB", seed=1, days=60, start_day=40)
    border = border_of([long, short])
    assert border == int(long.ts_known[0] - HOUR) + 81 * DAY
    first, second = open_part([long, short])
    assert first.ts_known[-1] == second.ts_known[-1] == border
    assert len(long) - len(first) == len(short) - len(second) == 19 * 24
    assert np.shares_memory(first.close, long.close)


def test_data_without_bars_has_no_closed_part():
    empty = walk().slice(0, 0)
    assert border_of([empty]) == 0
    assert len(open_part([empty])[0]) == 0


def test_first_opening_of_a_family_is_clean_and_every_later_one_is_an_override():
    store, data = MemoryTrialStore(), identify([walk()])
    first = request_opening(store, data, "f")
    assert first.override == ""
    assert first.begins == border_of([walk()])
    record_opening(store, data, first, 5 * DAY)
    assert "opened before, on 1970-01-06" in request_opening(store, data, "f").override
    assert request_opening(store, data, "g").override == ""
    assert openings(store, data, "f") == [(5 * DAY, first)]


def test_opening_counts_for_data_that_has_grown():
    bars = walk(days=100)
    store, before = MemoryTrialStore(), identify([bars.slice(0, 24 * 80)])
    record_opening(store, before, request_opening(store, before, "f"), 1)
    assert request_opening(store, identify([bars]), "f").override
    assert not request_opening(store, identify([walk(seed=3)]), "f").override


@pytest.mark.parametrize(("seen", "clean"), [(0, True), (1, False)])
def test_run_over_closed_data_spends_the_look(seen, clean):
    store, data = MemoryTrialStore(), identify([walk()])
    border = closed_from(data.first, data.last)
    run = TrialRun(data.fingerprint, "f", "mine", "backtest", 1, "x", border + seen)
    record_run(store, data, run, 1)
    assert (request_opening(store, data, "f").override == "") is clean

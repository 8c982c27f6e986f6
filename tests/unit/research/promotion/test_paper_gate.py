import math
from dataclasses import replace

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import Outcome
from tidewright.research.judging.freeze import ForwardResult
from tidewright.research.promotion.gates import DocumentGates
from tidewright.research.promotion.paper_gate import (
    PaperFill,
    PaperRecord,
    document_checks,
    examine_paper,
)

BUY = PaperFill(1, 100.05, low=99.0, high=101.0, bid=99.95, ask=100.05)
SELL = PaperFill(-1, 99.95, low=99.0, high=101.0, bid=99.95, ask=100.05)
GOOD = PaperRecord(
    feed="live binance",
    real_feed=True,
    real_time=True,
    days=30,
    fills=[BUY, SELL] * 50,
    orders=200,
    rejects=2,
    lost=0,
    latency_ms=np.full(200, 150.0),
    chain_ok=True,
    decided_again=43_200,
    differences=0,
    expected_signals=100,
    missed_signals=5,
    daily_profit=np.full(30, -0.01),
)


def outcomes(record: PaperRecord) -> dict[str, Outcome]:
    return {one.name: one.check.outcome for one in examine_paper(record).checks}


def test_run_that_loses_money_passes_when_everything_works():
    assert examine_paper(GOOD).passed
    assert examine_paper(replace(GOOD, daily_profit=np.full(30, 0.05))).passed


@pytest.mark.parametrize(
    ("name", "changes", "outcome"),
    [
        ("A real market", {"real_feed": False}, Outcome.FAILED),
        ("At the market's own speed", {"real_time": False}, Outcome.FAILED),
        ("At the market's own speed", {"real_time": None}, Outcome.NOT_RUN),
        ("30 days", {"days": 29}, Outcome.FAILED),
        ("100 fills", {"fills": [BUY] * 99}, Outcome.FAILED),
        (
            "Fills as the quotes were",
            {"fills": [replace(BUY, bid=math.nan, ask=math.nan)] * 100},
            Outcome.NOT_RUN,
        ),
        ("Fills as the quotes were", {"fills": [replace(BUY, price=100.07)] * 100}, Outcome.FAILED),
        ("Fills as the quotes were", {"fills": [replace(BUY, price=100.03)] * 100}, Outcome.FAILED),
        (
            "No fill better than every trade",
            {"fills": [*GOOD.fills, replace(BUY, price=98.9)]},
            Outcome.FAILED,
        ),
        (
            "No fill better than every trade",
            {"fills": [*GOOD.fills, replace(SELL, price=101.1)]},
            Outcome.FAILED,
        ),
        ("Orders are taken", {"rejects": 3}, Outcome.FAILED),
        ("Orders are taken", {"lost": 1}, Outcome.FAILED),
        ("Orders are taken", {"orders": 0}, Outcome.NOT_RUN),
        ("Answers come in time", {"latency_ms": np.full(20, 2_001.0)}, Outcome.FAILED),
        ("Answers come in time", {"latency_ms": np.empty(0)}, Outcome.NOT_RUN),
        ("No signal missed", {"missed_signals": 6}, Outcome.FAILED),
        ("No signal missed", {"expected_signals": None}, Outcome.NOT_RUN),
        ("No signal missed", {"expected_signals": 0, "missed_signals": 0}, Outcome.NOT_RUN),
        ("Decided again, the same comes out", {"differences": 1}, Outcome.FAILED),
        ("Decided again, the same comes out", {"chain_ok": False}, Outcome.FAILED),
        ("Decided again, the same comes out", {"decided_again": 0}, Outcome.NOT_RUN),
    ],
)
def test_each_fault_fails_its_check_and_the_gate(name, changes, outcome):
    record = replace(GOOD, **changes)
    found = outcomes(record)
    assert found[name] is outcome
    assert not examine_paper(record).passed
    if "fills" not in changes:
        assert {other for other, one in found.items() if one is not Outcome.PASSED} == {name}


def test_fills_within_a_fifth_of_the_quoted_cost_pass():
    # Half the spread is 5 basis points; 5.9 and 4.1 are within 20 % of it.
    for price in (100.059, 100.041):
        fills = [replace(BUY, price=price)] * 100
        assert outcomes(replace(GOOD, fills=fills))["Fills as the quotes were"] is Outcome.PASSED


def test_worse_fill_than_every_trade_is_caution_not_a_fault():
    fills = [replace(BUY, price=101.5, bid=math.nan, ask=math.nan)] * 100
    assert outcomes(replace(GOOD, fills=fills))["No fill better than every trade"] is Outcome.PASSED


def test_profit_is_only_told_as_a_percentile():
    forward = ForwardResult("mine", "d", 30, -0.3, -0.1, 0.0, 0.1, 0.02, 1)
    report = examine_paper(GOOD, forward)
    assert report.passed
    assert "better than 2 % of the forecast over 30 days" in report.profit
    assert "freeze" in examine_paper(GOOD).profit


def gates(**changes) -> dict[str, Outcome]:
    noisy = np.random.default_rng(0).normal(0.0, 0.01, 365)
    noisy += 0.0013 - noisy.mean()
    words = {
        "backtest_profit": noisy,
        "walkforward_win_percent": 56.0,
        "paper_profit": np.full(30, 0.001),
    } | changes
    found = document_checks(DocumentGates(document_gates=True), **words, days_per_year=365)
    return {one.name.split()[0]: one.check.outcome for one in found}


def test_handbook_gates_are_off_unless_switched_on():
    assert document_checks(DocumentGates(), np.empty(0), None, np.empty(0), 365) == ()


def test_handbook_gates_ask_what_handbooks_ask():
    assert set(gates().values()) == {Outcome.PASSED}
    assert gates(walkforward_win_percent=55.0)["Walk-forward"] is Outcome.FAILED
    assert gates(walkforward_win_percent=None)["Walk-forward"] is Outcome.NOT_RUN
    assert gates(paper_profit=np.full(29, 0.001))["Paper"] is Outcome.FAILED
    assert gates(paper_profit=np.zeros(30))["Paper"] is Outcome.FAILED
    weak = np.random.default_rng(0).normal(0.0, 0.01, 365)
    assert gates(backtest_profit=weak - weak.mean() + 0.0005)["Backtest"] is Outcome.FAILED
    assert gates(backtest_profit=np.empty(0))["Backtest"] is Outcome.FAILED


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_walkforward_win_percent": 101.0},
        {"min_paper_profit_days": 0},
        {"min_backtest_sharpe": math.inf},
    ],
)
def test_gates_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        DocumentGates(**wrong)

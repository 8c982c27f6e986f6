"""The bulk loop: what it refuses to run, how it goes on, where its window ends."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fakes.homes import plain_settings
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.market.arrays import bar_arrays
from tidewright.research.bulk import prepare
from tidewright.research.bulk.request import BulkRequest, Unsupported
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.bulk.settings import smallest_at_least

BARS = 1_200


@pytest.fixture(scope="module")
def request_() -> BulkRequest:
    """Some hours of three simulated instruments."""
    feed = SimulatedFeed(3)
    slices = [slice_ for slice_, _ in zip(feed.slices(0), range(BARS), strict=False)]
    names = [one.id for one in feed.instruments][:3]
    series = [
        bar_arrays(
            name, "1m", [bar for one in slices for bar in one.events if bar.instrument == name]
        )
        for name in names
    ]
    bars = BarFeed(series, [one for one in feed.instruments if one.id in names], "test")
    wide = plain_settings("risk.max_drawdown_percent=100", "risk.max_daily_loss_percent=100")
    return bulk_request(bars, load_strategies(["ta_confidence"]), wide, TradingWindow(0))


def result_of(request: BulkRequest) -> BulkResult:
    result = run_bulk(request)
    assert isinstance(result, BulkResult)
    return result


def test_logs_that_fill_up_are_made_longer(request_, monkeypatch) -> None:
    whole = result_of(request_)
    assert len(whole.fill_rows) > 100
    calls = []

    def short(prepared):
        state = new_state(prepared)
        return state._replace(fills=state.fills[:20].copy())

    def longer(state):
        calls.append(len(state.fills))
        return longer_logs(state)

    new_state, longer_logs = prepare.new_state, prepare.longer_logs
    monkeypatch.setattr("tidewright.research.bulk.run.new_state", short)
    monkeypatch.setattr("tidewright.research.bulk.run.longer_logs", longer)
    parts = result_of(request_)
    assert calls[:2] == [20, 40]
    for name in ("orders", "fills", "trades"):
        assert getattr(parts, name)() == getattr(whole, name)()
    assert np.array_equal(parts.equity, whole.equity)
    assert parts.refusals == whole.refusals


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda r: replace(r, config=replace(r.config, strategies=r.config.strategies * 2)),
            "2 str",
        ),
        (
            lambda r: replace(
                r,
                instruments=tuple(
                    replace(one, min_notional=Decimal("1e-9")) for one in r.instruments
                ),
            ),
            "finer than money",
        ),
        (
            lambda r: replace(
                r, series=tuple(replace(one, high=one.high + 2**42) for one in r.series)
            ),
            "prices outside",
        ),
        (
            lambda r: replace(
                r,
                config=replace(r.config, feed_timeframe="5m"),
            ),
            "bars of 1m",
        ),
        (lambda r: replace(r, paper=replace(r.paper, initial_balance=Decimal(10**12))), "64-bit"),
        (
            lambda r: replace(
                r,
                config=replace(
                    r.config, risk=replace(r.config.risk, pilot_loss_budget=Decimal(100))
                ),
            ),
            "pilot",
        ),
    ],
)
def test_what_it_would_not_do_exactly_it_does_not_do(request_, change, said: str) -> None:
    refused = run_bulk(change(request_))
    assert isinstance(refused, Unsupported)
    assert said in refused.reason
    assert "the event path runs it" in refused.reason


@pytest.mark.parametrize("text", ["0.6", "0.65", "1", "0.1", "0.600000000000000012", "0.3333333"])
def test_smallest_confidence_is_where_the_comparison_of_texts_turns(text: str) -> None:
    limit = Decimal(text)
    found = smallest_at_least(limit)
    assert Decimal(repr(found)) >= limit
    assert Decimal(repr(float(np.nextafter(found, -1)))) < limit

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from fakes.fake_trader import INDICATORS, STRATEGY, FakeTrader
from tidewright.app.backtest import engine_config
from tidewright.app.page import past, queries
from tidewright.app.page.read_models import Mode, Snapshot
from tidewright.app.page.view import Heading, LiveView
from tidewright.app.settings import load_settings
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import Slice
from tidewright.domain.facts import Outcome
from tidewright.engine.config import EngineConfig
from tidewright.storage.journal import SqliteJournal

STEPS = 240


@pytest.fixture
def config() -> EngineConfig:
    return engine_config(
        load_settings(None), load_strategies((STRATEGY,)), "1m", home="home", keep_history=True
    )


@pytest.fixture
def traded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FakeTrader, Path]:
    """A trader whose every step is in a journal."""
    trader = FakeTrader()
    publish = trader.view.publish
    with SqliteJournal(tmp_path / "journal.sqlite3") as journal:

        def kept(slice_: Slice, outcome: Outcome) -> None:
            numbered = outcome._replace(sequence=journal.append(slice_))
            journal.record(numbered)
            publish(slice_, numbered)

        monkeypatch.setattr(trader.view, "publish", kept)
        for _ in range(STEPS):
            trader.step()
        journal.commit(durable=True)
    return trader, tmp_path / "journal.sqlite3"


def restarted(trader: FakeTrader, journal: Path, config: EngineConfig) -> LiveView:
    view = LiveView(
        trader.instruments, Heading(Mode.SIMULATED, STRATEGY, "1m", indicators=INDICATORS)
    )
    view.recall(past.past_of(journal, config, trader.instruments, 0))
    return view


def snapshots(first: LiveView, second: LiveView) -> tuple[Snapshot, Snapshot]:
    return queries.snapshot(first)[0], queries.snapshot(second)[0]


def test_page_after_a_restart_shows_what_it_showed_before(
    traded: tuple[FakeTrader, Path], config: EngineConfig
) -> None:
    trader, journal = traded
    view = restarted(trader, journal, config)
    before, after = snapshots(trader.view, view)
    assert len(before.trades) > 2
    assert before.refusals
    assert after.trades == before.trades
    assert after.signals == before.signals
    assert after.refusals == before.refusals
    assert after.alerts == before.alerts
    assert after.fills == before.fills
    assert after.positions == before.positions
    assert after.equity == before.equity
    assert after.quotes == before.quotes
    assert after.status.equity == before.status.equity
    assert after.status.max_drawdown_percent == before.status.max_drawdown_percent
    assert after.status.benchmark_percent == pytest.approx(before.status.benchmark_percent)


def test_chart_after_a_restart_has_its_bars_with_their_columns(
    traded: tuple[FakeTrader, Path], config: EngineConfig
) -> None:
    trader, journal = traded
    view = restarted(trader, journal, config)
    rows, known = view.bars("BTCUSDT", 1000), trader.view.bars("BTCUSDT", 1000)
    assert rows is not None
    assert known is not None
    assert [row.bar for row in rows] == [row.bar for row in known]
    assert rows[-1].columns["sma(10)"] == pytest.approx(known[-1].columns["sma(10)"])
    assert rows[-1].columns["sma(50)"] == pytest.approx(known[-1].columns["sma(50)"])


def test_long_past_is_thinned_evenly_and_keeps_its_ends(
    traded: tuple[FakeTrader, Path], config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "CURVE_POINTS", 12)
    trader, journal = traded
    view = restarted(trader, journal, config)
    before, after = snapshots(trader.view, view)
    points = after.equity.points
    assert 10 <= len(points) <= 14
    assert points[0] == before.equity.points[0]
    assert points[-1].equity == before.equity.points[-1].equity
    assert after.status.total_pnl == before.status.total_pnl
    assert after.status.benchmark_percent == pytest.approx(before.status.benchmark_percent)
    steps = [b.time_ms - a.time_ms for a, b in pairwise(points[:-1])]
    assert max(steps) <= 2 * min(steps)


def test_day_change_is_unknown_when_the_first_bar_of_the_day_is_not_held(
    traded: tuple[FakeTrader, Path], config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "BAR_STEPS", 10)
    trader, journal = traded
    quote = queries.snapshot(restarted(trader, journal, config))[0].quotes[0]
    assert quote.last is not None
    assert quote.day_change_percent is None


def test_past_comes_too_late_once_a_step_was_published(
    traded: tuple[FakeTrader, Path], config: EngineConfig
) -> None:
    trader, journal = traded
    before = queries.snapshot(trader.view)[0]
    trader.view.recall(past.past_of(journal, config, trader.instruments, 0))
    after = queries.snapshot(trader.view)[0]
    assert (after.trades, after.signals, after.equity) == (
        before.trades,
        before.signals,
        before.equity,
    )

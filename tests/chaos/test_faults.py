"""Faults of the machine around a running trader, each with the outcome that is promised for it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.homes import FAST, CountedFeed, Kept, advance, plain_settings, request
from tidewright.app.feeds.files import FileFeed
from tidewright.app.feeds.simulated import TRADING_START, SimulatedFeed
from tidewright.app.session import Session, SessionRequest
from tidewright.app.strategies import load_strategies
from tidewright.app.supervisor import Supervisor
from tidewright.app.trader import Pace
from tidewright.domain.errors import ConfigError, Transient
from tidewright.domain.events import Slice, TradingState, TradingWindow
from tidewright.domain.facts import AlertLogged, OrderPlaced, SignalRejected
from tidewright.domain.market import Bar
from tidewright.domain.time import MINUTE

MINUTES = 240


def supervised(wanted: SessionRequest, kept: Kept, faults: list[str], on_open=None) -> Supervisor:
    def sinks(home, state, stack: ExitStack):
        return [kept]

    return Supervisor(
        replace(wanted, sinks=sinks),
        time.monotonic(),
        on_open or (lambda session: None),
        lambda fault, delay: faults.append(str(fault)),
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, int]:
    kept = Kept()
    supervisor = supervised(request(tmp_path_factory.mktemp("calm") / "h", MINUTES), kept, [])
    supervisor.run()
    assert supervisor.finished
    assert len(kept.recorder.fills) > 10
    return kept.recorder.fills_digest(), kept.recorder.last_equity


def test_disk_full_stops_trading_and_heals_without_repair(
    tmp_path: Path, undisturbed: tuple[str, int]
) -> None:
    kept, faults = Kept(), []

    def first_disk_is_small(session: Session) -> None:
        if not faults:
            connection = session.journal._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count={pages + 60}")

    supervisor = supervised(
        request(tmp_path / "h", MINUTES), kept, faults, on_open=first_disk_is_small
    )
    supervisor.run()
    assert supervisor.finished
    assert len(faults) == 1
    assert "full" in faults[0]
    assert (kept.recorder.fills_digest(), kept.recorder.last_equity) == undisturbed


def test_database_locked_by_another_process_is_waited_for(
    tmp_path: Path, undisturbed: tuple[str, int]
) -> None:
    home, kept, faults = tmp_path / "h", Kept(), []
    holder: list[sqlite3.Connection] = []

    def lock_once(session: Session) -> None:
        if not faults:
            session.journal._connection.execute("PRAGMA busy_timeout=100")
            other = sqlite3.connect(home / "journal.sqlite3", check_same_thread=False)
            other.execute("BEGIN IMMEDIATE")
            holder.append(other)

    def release(fault: Transient, delay: float) -> None:
        faults.append(str(fault))
        holder.pop().close()

    supervisor = supervised(request(home, MINUTES), kept, faults, on_open=lock_once)
    supervisor._on_fault = release
    supervisor.run()
    assert supervisor.finished
    assert len(faults) == 1
    assert "lock" in faults[0]
    assert (kept.recorder.fills_digest(), kept.recorder.last_equity) == undisturbed


def test_second_process_on_one_home_is_refused_by_name(tmp_path: Path) -> None:
    home = tmp_path / "h"
    with Session(request(home, MINUTES)):
        words = ["up", "--home", str(home), "--for", "5", "--port", "0", "--headless"]
        second = subprocess.run(
            [sys.executable, "-m", "tidewright.cli.main", *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert second.returncode == 2
    assert "in use by process" in second.stderr


def test_home_keeps_to_one_feed(tmp_path: Path) -> None:
    with Session(request(tmp_path / "h", 1)):
        pass
    with pytest.raises(ConfigError, match="seed 7.*seed 8"):
        Session(request(tmp_path / "h", 1, seed=8))


def test_clock_jump_is_reported_and_changes_nothing_else(
    tmp_path: Path, undisturbed: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, faults = Kept(), []
    real = time.time_ns
    supervisor = supervised(
        request(tmp_path / "h", MINUTES, pace=replace(FAST, poll_seconds=0.0)), kept, faults
    )

    def jump(session: Session) -> None:
        monkeypatch.setattr("tidewright.app.trader.time.time_ns", lambda: real() + 3600 * 10**9)

    supervisor._on_open = jump
    supervisor.run()
    alerts = [fact for one in kept.outcomes for fact in one.facts if isinstance(fact, AlertLogged)]
    assert [alert.code for alert in alerts if alert.code == "CLOCK_JUMPED"] == ["CLOCK_JUMPED"]
    assert "+3600" in next(a.message for a in alerts if a.code == "CLOCK_JUMPED")
    assert (kept.recorder.fills_digest(), kept.recorder.last_equity) == undisturbed


class FreezingFeed(CountedFeed):
    """A feed that falls silent in the middle until it is told to go on."""

    def __init__(self, minutes: int, silent_from: int) -> None:
        super().__init__(SimulatedFeed(7), minutes)
        object.__setattr__(self, "silent_from", silent_from)
        object.__setattr__(self, "thaw", threading.Event())

    def slices(self, after: int) -> Iterator[Slice]:
        for slice_ in super().slices(after):
            if slice_.ts_known == self.silent_from:
                assert self.thaw.wait(60)
            yield slice_


def test_frozen_feed_blocks_entries_until_it_lives_again(tmp_path: Path) -> None:
    feed = FreezingFeed(120, TRADING_START + 60 * MINUTE)
    pace = Pace(speed=1e9, poll_seconds=0.02, stale_after_seconds=0.2)
    kept = Kept()

    class Watch:
        def publish(self, slice_: Slice, outcome) -> None:
            if any(getattr(fact, "code", "") == "FEED_STALE" for fact in outcome.facts):
                feed.thaw.set()

    wanted = replace(
        request(tmp_path / "h", 120, pace=pace),
        feed=feed,
        sinks=lambda home, state, stack: [kept, Watch()],
    )
    with Session(wanted) as session:
        session.run()
        assert session.engine.state.feed_live
    codes = [
        fact.code
        for one in kept.outcomes
        for fact in one.facts
        if isinstance(fact, AlertLogged) and fact.code.startswith("FEED")
    ]
    assert codes == ["FEED_STALE", "FEED_LIVE"]


def test_stale_feed_refuses_every_entry(tmp_path: Path) -> None:
    from tidewright.domain.events import FeedStatus

    kept = Kept()
    with Session(request(tmp_path / "h", MINUTES)) as session:
        session.driver.sinks = (kept,)
        advance(session, 365)
        session.driver.control(session.engine.state.ts_known, [FeedStatus(False, "test")])
        session.driver.flush(durable=False)
        before = sum(isinstance(f, OrderPlaced) for one in kept.outcomes for f in one.facts)
        advance(session, 200)
        session.driver.flush(durable=False)
    placed = [f.order for one in kept.outcomes for f in one.facts if isinstance(f, OrderPlaced)]
    assert all(order.intent.reduce_only for order in placed[before:])
    refused = [f for one in kept.outcomes for f in one.facts if isinstance(f, SignalRejected)]
    assert refused
    assert {fact.rule for fact in refused} == {"feed_live"}


def test_halt_is_latched_over_restarts_and_cancels_entries_only(tmp_path: Path) -> None:
    home, kept = tmp_path / "h", Kept()
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
        session.inbox.post(TradingState.HALTED, "test", "drill", time.time_ns())
        session.trader._attend()
        assert session.engine.state.gate.trading_state is TradingState.HALTED
    with Session(request(home, 600)) as session:
        session.driver.sinks = (kept,)
        state = session.engine.state
        assert state.gate.trading_state is TradingState.HALTED
        assert state.portfolio.holdings
        assert all(order.intent.leg.value in "stx" for order in state.orders.working())
        advance(session, 10**6)
        session.driver.flush(durable=False)
    placed = [f.order for one in kept.outcomes for f in one.facts if isinstance(f, OrderPlaced)]
    assert all(order.intent.reduce_only for order in placed)
    assert not state.portfolio.holdings


BAD_ROWS = {
    "nan": ("nan,nan,nan,nan", "not_finite"),
    "zero": ("0,0,0,0", "price_not_positive"),
    "negative": ("-5,-4,-6,-5", "price_not_positive"),
}


def _csv(path: Path, middle: list[str]) -> Path:
    stamp = "2024-01-01T00:{:02d}:00Z"
    rows = [f"{stamp.format(i)},100.0,101.0,99.5,100.{i % 10},10" for i in range(20)]
    lines = ["timestamp,open,high,low,close,volume", *rows[:10], *middle, *rows[10:]]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("kind", sorted(BAD_ROWS))
def test_bad_prices_are_quarantined_and_never_traded_on(tmp_path: Path, kind: str) -> None:
    prices, rule = BAD_ROWS[kind]
    path = _csv(tmp_path / "BTCUSDT.csv", [f"2024-01-01T00:09:30Z,{prices},10"])
    _check_quarantine(tmp_path, path, rule)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("2024-01-01T00:09:00Z,100.0,101.0,99.5,100.9,10", "duplicate"),
        ("2024-01-01T00:03:00Z,100.0,101.0,99.5,100.1,10", "out_of_order"),
    ],
)
def test_repeated_and_late_bars_are_quarantined(tmp_path: Path, row: str, rule: str) -> None:
    path = _csv(tmp_path / "BTCUSDT.csv", [row])
    _check_quarantine(tmp_path, path, rule)


def _check_quarantine(folder: Path, path: Path, rule: str) -> None:
    feed = FileFeed(path)
    kept = Kept()
    wanted = SessionRequest(
        home=folder / "h",
        feed=feed,
        feed_identity="test",
        strategies=load_strategies(["sma_cross"]),
        settings=plain_settings(),
        window=TradingWindow(0),
        pace=FAST,
        sinks=lambda home, state, stack: [kept],
    )
    with Session(wanted) as session:
        session.run()
        assert session.engine.state.tracks["BTCUSDT"].bars == 20
    alerts = [
        fact.message
        for one in kept.outcomes
        for fact in one.facts
        if isinstance(fact, AlertLogged) and fact.code == "DATUM_QUARANTINED"
    ]
    assert len(alerts) == 1
    assert alerts[0].startswith(rule), alerts


def test_engine_itself_leaves_out_a_bar_that_comes_twice(tmp_path: Path) -> None:
    kept = Kept()
    with Session(request(tmp_path / "h", 10)) as session:
        session.driver.sinks = (kept,)
        advance(session, 5)
        state = session.engine.state
        bar = Bar(
            "BTCUSDT", "1m", state.tracks["BTCUSDT"].last_event, state.ts_known, 1, 1, 1, 1, 1
        )
        before = state.tracks["BTCUSDT"].mark
        session.driver.handle(Slice(state.ts_known, (bar,)))
        session.driver.flush(durable=False)
        assert state.tracks["BTCUSDT"].mark == before
    assert [f.code for f in kept.outcomes[-1].facts if isinstance(f, AlertLogged)] == ["LATE_BAR"]

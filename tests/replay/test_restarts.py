"""Restarts at awkward moments: what was ordered, recorded and latched stays so."""

from __future__ import annotations

import sqlite3
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.homes import Kept, advance, copy_as_killed, request
from tidewright.app import recovery
from tidewright.app.session import Session, SessionRequest
from tidewright.app.trader import Pace
from tidewright.domain.errors import Transient
from tidewright.domain.events import OperatorCommand, Slice, TradingState
from tidewright.domain.facts import AlertLogged, OrderPlaced, SignalRejected
from tidewright.storage.home import Home
from tidewright.storage.operator import OperatorInbox


def codes(kept: Kept) -> list[str]:
    return [f.code for one in kept.outcomes for f in one.facts if isinstance(f, AlertLogged)]


def placed(kept: Kept) -> list[OrderPlaced]:
    return [f for one in kept.outcomes for f in one.facts if isinstance(f, OrderPlaced)]


def watched(wanted: SessionRequest, kept: Kept) -> SessionRequest:
    return replace(wanted, sinks=lambda home, state, stack: [kept])


def test_upgrade_killed_before_its_first_snapshot_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "h"
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
        home = copy_as_killed(home, tmp_path / "killed")
        ledger = session.engine.state.portfolio.snapshot()
    changed = request(home, 600, "risk.max_position_size_percent=7", strategies=("momentum",))
    with monkeypatch.context() as patch:
        patch.setattr(recovery, "save_snapshot", lambda engine, journal: None)
        with Session(changed) as session:
            assert session.recovery.adopted > 0
            again = copy_as_killed(home, tmp_path / "again")
    with Session(replace(changed, home=again)) as session:
        assert session.engine.state.portfolio.snapshot() == ledger
        assert session.recovery.adopted > 0


def test_a_resume_in_the_past_is_taken_over_with_its_fresh_limits(tmp_path: Path) -> None:
    home = tmp_path / "h"
    halt = OperatorCommand(TradingState.HALTED, "test", "drill")
    go_on = OperatorCommand(TradingState.ACTIVE, "test", "over")
    with Session(request(home, 600)) as session:
        advance(session, 380)
        state = session.engine.state
        state.gate._breakers.peak *= 2
        session.driver.control(state.ts_known, [halt])
        session.driver.control(state.ts_known, [go_on])
        advance(session, 1)
        session.driver.flush(durable=True)
        peak = state.gate._breakers.peak
        home = copy_as_killed(home, tmp_path / "killed")
    with Session(request(home, 600, strategies=("momentum",))) as session:
        breakers = session.engine.state.gate._breakers
        assert not session.recovery.same_build
        assert breakers.peak == peak
        assert breakers.state is TradingState.ACTIVE


def test_a_halt_given_before_the_start_holds_from_the_first_bar(tmp_path: Path) -> None:
    home, kept = tmp_path / "h", Kept()
    Home.open(home, lambda: "ab" * 16)
    with Session(request(home, 1)):
        pass
    inbox = OperatorInbox(Home.existing(home).operator)
    inbox.post(TradingState.HALTED, "cli", "not today", 1)
    inbox.close()
    with Session(watched(request(home, 240), kept)) as session:
        first = session.engine.state.sequence + 1
        session.run()
        rows = list(session.journal.entries(first - 1))
    assert b"OperatorCommand" in rows[0].payload
    assert placed(kept) == []
    assert {
        f.rule for one in kept.outcomes for f in one.facts if isinstance(f, SignalRejected)
    } == {"trading_state"}


def test_a_halt_survives_a_disk_that_fails_as_it_is_taken(tmp_path: Path) -> None:
    home = tmp_path / "h"
    with Session(request(home, 600)) as session:
        advance(session, 3)
        session.inbox.post(TradingState.HALTED, "cli", "now", 1)
        session.trader._next_poll = 0.0
        session.journal._flush_rows = 1
        real = session.journal._store

        def fail(**_: object) -> None:
            raise Transient("disk full")

        session.journal._store = fail  # type: ignore[method-assign]
        with pytest.raises(Transient):
            session.trader._attend()
        session.journal._store = real  # type: ignore[method-assign]
    with Session(request(home, 600)) as session:
        session.run()
        assert session.engine.state.gate.trading_state is TradingState.HALTED


def test_a_venue_that_forgot_the_account_blocks_new_exposure(tmp_path: Path) -> None:
    home, kept = tmp_path / "h", Kept()
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
    for file in home.glob("venue.sqlite3*"):
        file.unlink()
    with Session(watched(request(home, 600), kept)) as session:
        session.driver.flush(durable=False)
        assert "LEDGER_MISMATCH" in codes(kept)
        assert session.engine.state.gate.trading_state is TradingState.REDUCING


def test_a_new_home_at_a_venue_that_holds_positions_blocks_new_exposure(tmp_path: Path) -> None:
    home, kept = tmp_path / "h", Kept()
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
    for file in home.glob("journal.sqlite3*"):
        file.unlink()
    with Session(watched(request(home, 600), kept)) as session:
        session.driver.flush(durable=False)
        found = codes(kept)
        assert "LEDGER_MISMATCH" in found
        assert "UNKNOWN_ORDER" not in found
        assert session.engine.state.gate.trading_state is TradingState.REDUCING


def test_a_position_whose_strategy_is_gone_is_reported(tmp_path: Path) -> None:
    home, kept = tmp_path / "h", Kept()
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
    with Session(watched(request(home, 600, strategies=("momentum",)), kept)) as session:
        session.driver.flush(durable=False)
    assert "POSITION_WITHOUT_STRATEGY" in codes(kept)


def test_a_fault_ends_the_thread_that_read_the_feed(tmp_path: Path) -> None:
    pace = Pace(speed=1e9, poll_seconds=0.02)
    before = {one for one in threading.enumerate() if one.name == "feed"}
    with Session(request(tmp_path / "h", 10**6, pace=pace)) as session:

        def fail(slice_: Slice) -> None:
            raise Transient("venue gone")

        session.driver.market = fail  # type: ignore[method-assign,assignment]
        with pytest.raises(Transient):
            session.run()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        left = {one for one in threading.enumerate() if one.name == "feed"} - before
        if not left:
            break
        for one in left:
            one.join(0.1)
    assert not left


def test_changed_lots_are_refused_like_changed_ticks(tmp_path: Path) -> None:
    from decimal import Decimal

    from tidewright.domain.errors import DataIntegrityError

    with Session(request(tmp_path / "h", 10)) as session:
        known = session.instruments["BTCUSDT"]
        changed = replace(known, lot_size=known.lot_size * Decimal(10))
        with pytest.raises(DataIntegrityError, match="lot size changed"):
            session.engine.state.define(changed)


def test_history_of_a_slow_trader_is_kept_in_few_pieces(tmp_path: Path) -> None:
    home = tmp_path / "h"
    with Session(request(home, 600)) as session:
        for _ in range(40):
            advance(session, 2)
            session.driver.flush(durable=False)
            recovery.save_snapshot(session.engine, session.journal)
        values = session.engine.state.column_values("BTCUSDT")
    with sqlite3.connect(home / "journal.sqlite3") as journal:
        (pieces,) = journal.execute(
            "SELECT count(*) FROM history WHERE series = 'BTCUSDT'"
        ).fetchone()
    assert pieces == 1
    with Session(request(home, 600)) as session:
        assert repr(session.engine.state.column_values("BTCUSDT")) == repr(values)
        assert session.engine.state.tracks["BTCUSDT"].bars == 80


def test_a_slice_without_bars_is_not_handled_a_second_time(tmp_path: Path) -> None:
    from tidewright.domain.events import DatumQuarantined
    from tidewright.domain.market import DataDefect

    with Session(request(tmp_path / "h", 10)) as session:
        advance(session, 2)
        ts = session.engine.state.ts_known + 1
        defect = DataDefect("BTCUSDT", ts, "test", "odd")
        session.driver.market(Slice(ts, (DatumQuarantined(defect),)))
        assert session.handled_until() == ts

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fakes.homes import Kept, advance, copy_as_killed, request
from tidewright.app.recovery import save_snapshot
from tidewright.app.replay_home import verify_home
from tidewright.app.session import Session
from tidewright.domain.facts import OrderPlaced, TradeClosed


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("recorded") / "home"
    with Session(request(home, 180)) as session:
        session.run()
    return home


def test_an_hour_of_trading_is_decided_identically_again(recorded: Path) -> None:
    report = verify_home(recorded)
    assert report.ok
    assert report.decisions is not None
    assert report.decisions.inputs == report.journal.rows > 500
    assert report.other_builds == 0


def test_the_recorded_run_traded(recorded: Path) -> None:
    with sqlite3.connect(recorded / "journal.sqlite3") as journal:
        (orders,) = journal.execute(
            "SELECT count(*) FROM journal WHERE CAST(outcome AS TEXT) LIKE '%RecordedSubmission%'"
        ).fetchone()
    assert orders > 5


def _edited(recorded: Path, to: Path, *statements: str) -> Path:
    home = copy_as_killed(recorded, to)
    connection = sqlite3.connect(home / "journal.sqlite3")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return home


@pytest.mark.parametrize(
    ("statements", "row"),
    [
        (
            (
                "UPDATE journal SET payload = CAST(replace(CAST(payload AS TEXT), '1m', '2m')"
                " AS BLOB) WHERE sequence = 100",
            ),
            100,
        ),
        (("DELETE FROM journal WHERE sequence = 200",), 200),
        (
            (
                "UPDATE journal SET sequence = -1 WHERE sequence = 300",
                "UPDATE journal SET sequence = 300 WHERE sequence = 301",
                "UPDATE journal SET sequence = 301 WHERE sequence = -1",
            ),
            300,
        ),
    ],
    ids=["altered", "dropped", "reordered"],
)
def test_damage_is_found_and_named(
    recorded: Path, tmp_path: Path, statements: tuple[str, ...], row: int
) -> None:
    home = _edited(recorded, tmp_path / "home", *statements)
    report = verify_home(home)
    assert not report.ok
    assert report.journal.first_bad == row


def test_a_forged_outcome_with_a_mended_chain_is_found_by_deciding_again(
    recorded: Path, tmp_path: Path
) -> None:
    from tidewright.storage.chain import GENESIS, link

    home = copy_as_killed(recorded, tmp_path / "home")
    connection = sqlite3.connect(home / "journal.sqlite3")
    rows = connection.execute(
        "SELECT sequence, ts_known, payload, outcome FROM journal ORDER BY sequence"
    ).fetchall()
    head, forged = GENESIS, 0
    for sequence, ts_known, payload, outcome in rows:
        if not forged and b"RecordedSubmission" in outcome:
            outcome = outcome.replace(b'"lots":', b'"lots":9', 1)
            forged = sequence
        head = link(head, sequence, ts_known, payload, outcome)
        connection.execute(
            "UPDATE journal SET outcome = ?, hash = ? WHERE sequence = ?", (outcome, head, sequence)
        )
    connection.execute("DELETE FROM snapshot")
    connection.commit()
    connection.close()
    report = verify_home(home)
    assert report.journal.ok
    assert report.decisions is not None
    assert [item.sequence for item in report.decisions.differences] == [forged]


def test_a_hundred_kills_leave_every_later_column_and_the_ledger_the_same(tmp_path: Path) -> None:
    minutes, kept = 240, Kept()
    with Session(request(tmp_path / "whole", minutes)) as session:
        session.driver.sinks = (kept,)
        advance(session, 10**6)
        session.driver.flush(durable=False)
        expected = {name: session.engine.state.column_values(name) for name in session.instruments}
        cash = session.engine.state.portfolio.cash
    assert sum(type(fact) is OrderPlaced for one in kept.outcomes for fact in one.facts) > 5
    home = tmp_path / "0"
    with Session(request(home, minutes)) as session:
        advance(session, 400)
        home = copy_as_killed(home, tmp_path / "1")
    for kill in range(2, 102):
        with Session(request(home, minutes)) as session:
            advance(session, kill % 4)
            if kill % 9 == 0:
                session.driver.flush(durable=False)
                save_snapshot(session.engine, session.journal)
            home = copy_as_killed(home, tmp_path / str(kill))
    with Session(request(home, minutes)) as session:
        advance(session, 10**6)
        state = session.engine.state
        values = {name: state.column_values(name) for name in session.instruments}
        state.portfolio.check()
    assert repr(values) == repr(expected)
    assert state.portfolio.cash == cash


def test_an_upgrade_with_a_position_open_decides_nothing_of_the_past(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Session(request(home, 600)) as session:
        while not session.engine.state.portfolio.holdings:
            assert advance(session, 1)
        advance(session, 2)
        before = session.engine.state
        ledger = before.portfolio.snapshot()
        working = {order.intent.client_id for order in before.orders.working()}
        venue_events = session.broker.events_since(0)
    changed = request(home, 600, "risk.max_position_size_percent=7", strategies=("momentum",))
    kept = Kept()
    with Session(changed) as session:
        state = session.engine.state
        assert not session.recovery.same_build
        assert session.recovery.adopted > 0
        assert state.portfolio.snapshot() == ledger
        assert {order.intent.client_id for order in state.orders.working()} == working
        assert session.broker.events_since(0) == venue_events
        state.portfolio.check()
        session.driver.sinks = (kept,)
        advance(session, 400)
        session.driver.flush(durable=False)
    closed = [
        fact.trade for one in kept.outcomes for fact in one.facts if type(fact) is TradeClosed
    ]
    assert closed
    assert verify_home(home).journal.ok

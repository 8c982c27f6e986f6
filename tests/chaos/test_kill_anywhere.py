"""SIGKILL at random moments, with a venue that survives: nothing twice, nothing lost."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.independent_ledger import audit
from fakes.processes import (
    SEED,
    journal_facts,
    paper_venue,
    start,
    wait_for_trader,
)
from tidewright.app.replay_home import verify_home

SPEED = "6000"


@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    "kills", [pytest.param(5, id="sample"), pytest.param(50, id="all", marks=pytest.mark.full)]
)
def test_killed_traders_order_nothing_twice_and_lose_no_fill(
    tmp_path: Path, kills: int, record_property: Callable[[str, object], None]
) -> None:
    home, log = tmp_path / "home", tmp_path / "up.log"
    draw = random.Random(20240101)
    restarts: list[float] = []
    with paper_venue(tmp_path / "venue") as address:
        words = ("up", "--feed", "simulated", "--seed", SEED, "--speed", SPEED, "--headless")
        words += ("--port", "0", "--home", str(home), "--venue", address)
        for kill in range(kills):
            trader = start(*words, log=log)
            restarts.append(wait_for_trader(trader, home, log))
            with pytest.raises(TimeoutError):
                _wait(trader, draw.uniform(0.0, 1.2 if kill else 4.0))
            trader.send_signal(signal.SIGKILL)
            trader.wait(10)
        last = start(*words, "--for", "8", log=log)
        assert last.wait(90) == 0, log.read_text()
    _compare(home, tmp_path / "venue" / "venue.sqlite3")
    report = verify_home(home)
    assert report.ok
    assert report.other_builds == 0
    record_property("worst_restart_seconds", round(max(restarts[1:]), 2))


def _wait(process: object, seconds: float) -> None:
    import subprocess

    try:
        process.wait(seconds)  # type: ignore[attr-defined]
    except subprocess.TimeoutExpired as error:
        raise TimeoutError from error


def _compare(home: Path, venue: Path) -> None:
    found = audit(str(venue))
    assert found.problems == []
    assert found.fills > 0
    placed = Counter(
        str(fact["order"]["intent"]["client_id"])  # type: ignore[index]
        for fact in journal_facts(home, "OrderPlaced")
    )
    assert max(placed.values()) == 1
    executed = journal_facts(home, "OrderExecuted")
    ids = Counter(fact["fill"]["trade_id"] for fact in executed)  # type: ignore[index]
    assert max(ids.values()) == 1
    assert len(ids) == found.fills
    assert executed[-1]["cash"] == found.cash
    held: dict[str, int] = {}
    for fact in journal_facts(home, "PositionUpdated"):
        position = fact["position"]
        held[position["instrument"]] = position["lots"]  # type: ignore[index]
    assert {name: lots for name, lots in held.items() if lots} == found.positions

"""`status`, `halt` and `resume` from another process beside a real, running `up`."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.processes import COMMAND, journal_facts, start, status, wait_for_trader

WORDS = ("up", "--headless", "--port", "0", "--seed", "7", "--speed", "3000")


def tell(*words: str) -> tuple[int, str]:
    done = subprocess.run((*COMMAND, *words), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def wait_until(what: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


@pytest.fixture
def trader(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    home, log = tmp_path / "home", tmp_path / "up.log"
    process = start(*WORDS, "--home", str(home), "--json", str(tmp_path / "up.json"), log=log)
    try:
        wait_for_trader(process, home, log)
        yield process, home, log
    finally:
        process.kill()
        process.wait(20)


def working_stops(home: Path) -> set[str]:
    """Return the protective orders that work, as the record says."""
    latest: dict[str, str] = {}
    for name in ("OrderPlaced", "OrderUpdated"):
        for fact in journal_facts(home, name):
            order = fact["order"]
            if order["intent"]["leg"] == "s":  # type: ignore[index]
                latest[order["intent"]["client_id"]] = order["state"]  # type: ignore[index]
    return {name for name, state in latest.items() if state in {"open", "partially_filled"}}


def test_halt_status_resume_and_an_orderly_end_from_other_processes(
    trader: tuple[subprocess.Popen[bytes], Path, Path], tmp_path: Path
) -> None:
    process, home, log = trader
    wait_until(lambda: bool(status(home).get("positions")), process, log)
    code, said = tell("halt", "--home", str(home), "--reason", "drill", "--json")
    assert (code, json.loads(said)["running"]) == (0, True)
    wait_until(lambda: status(home)["trading_state"] == "halted", process, log)
    code, said = tell("status", "--home", str(home), "--json")
    assert (code, json.loads(said)["trading_state"]) == (0, "halted")
    assert tell("resume", "--home", str(home))[0] == 0
    wait_until(lambda: status(home)["trading_state"] == "active", process, log)
    changes = journal_facts(home, "TradingStateChanged")
    assert [(c["after"], c["actor"], c["reason"]) for c in changes][:2] == [
        ("halted", "cli", "drill"),
        ("active", "cli", "resumed from the command line"),
    ]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0, log.read_text()
    code, said = tell("status", "--home", str(home), "--json")
    assert json.loads(said)["running"] is False
    report = json.loads((tmp_path / "up.json").read_text())
    assert report["fills"] > 0
    assert report["seconds_to_first_fill"] > 0
    assert {"refusals", "equity", "trading_state", "fills_digest"} <= report.keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_in_order_and_leaves_protection_in_place(
    trader: tuple[subprocess.Popen[bytes], Path, Path], number: signal.Signals
) -> None:
    process, home, log = trader
    wait_until(lambda: bool(status(home).get("positions")), process, log)
    process.send_signal(number)
    assert process.wait(30) == 0, log.read_text()
    held = {
        fact["position"]["instrument"]: fact["position"]["lots"]  # type: ignore[index]
        for fact in journal_facts(home, "PositionUpdated")
    }
    open_positions = [name for name, lots in held.items() if lots]
    assert len(working_stops(home)) == len(open_positions)
    orders = journal_facts(home, "OrderPlaced")
    sequence = _rows(home)
    log.write_text("")
    again = start(*WORDS, "--home", str(home), "--for", "4", log=log)
    assert again.wait(60) == 0, log.read_text()
    assert _rows(home) > sequence
    assert journal_facts(home, "OrderPlaced")[: len(orders)] == orders
    assert tell("replay", str(home))[0] == 0


def _rows(home: Path) -> int:
    with sqlite3.connect(f"file:{home / 'journal.sqlite3'}?mode=ro", uri=True) as journal:
        (rows,) = journal.execute("SELECT max(sequence) FROM journal").fetchone()
    return int(rows)

"""The real commands as processes, for tests that kill them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COMMAND = (sys.executable, "-m", "tidewright.cli.main")
SEED = "7"


def start(*words: str, log: Path) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; what it says goes to a file."""
    with log.open("ab") as output:
        return subprocess.Popen(
            (*COMMAND, *words),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def wait_for_text(process: subprocess.Popen[bytes], log: Path, text: str, seconds: float) -> str:
    """Return the first line that begins with a text."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if line.startswith(text):
                return line
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"{text!r} was not said within {seconds} s:\n{log.read_text()}")


@contextmanager
def paper_venue(folder: Path) -> Iterator[str]:
    """Run a paper venue in a process of its own and give its address."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "venue.log"
    process = start(
        "paper-venue", "--home", str(folder), "--feed", "simulated", "--seed", SEED, log=log
    )
    try:
        yield wait_for_text(process, log, "Venue: ", 60.0).removeprefix("Venue: ")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, log.read_text()


def status(home: Path) -> dict[str, object]:
    """Return what the trader last said of itself."""
    try:
        return dict(json.loads((home / "status.json").read_text()))
    except FileNotFoundError:
        return {}


def wait_for_trader(process: subprocess.Popen[bytes], home: Path, log: Path) -> float:
    """Wait until a started trader attends to its home; return the seconds it took."""
    began = time.monotonic()
    while status(home).get("process") != process.pid:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() - began < 60.0, log.read_text()
        time.sleep(0.02)
    return time.monotonic() - began


def journal_facts(home: Path, name: str) -> list[dict[str, object]]:
    """Return every fact of one class that the journal holds, in order."""
    connection = sqlite3.connect(f"file:{home / 'journal.sqlite3'}?mode=ro", uri=True)
    try:
        rows = connection.execute("SELECT outcome FROM journal ORDER BY sequence").fetchall()
    finally:
        connection.close()
    found = []
    for (outcome,) in rows:
        if outcome is not None and name.encode() in outcome:
            found += [data for kind, data in json.loads(outcome)[3] if kind == name]
    return found

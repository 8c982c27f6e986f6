"""`venue serve` and `venue ledger`: a process that answers, and what it wrote."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from fakes.venue_desk import VenueDesk
from tidewright.cli.main import main
from tidewright.servers.venue.ledger_file import LedgerFile


@pytest.fixture
def written(tmp_path):
    desk = VenueDesk()
    path = tmp_path / "ledger.jsonl"
    file = LedgerFile(path, desk.exchange.ledger, ("alice", "bob", "carol"))
    desk.order("bob", side="SELL", newClientOrderId="offer")
    desk.order("alice", newClientOrderId="bid")
    file.close()
    return path


def test_ledger_is_printed_for_people_and_for_programs(written, capsys):
    assert main(["venue", "ledger", str(written)]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:3] == ["when", "account", "what"]
    assert len(table) == 2 + 6
    assert any("trade 1, taker, fee 0.00002000 BTC" in line for line in table)
    assert main(["venue", "ledger", str(written), "--json", "--account", "bob", "--last", "2"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["account"] for row in rows] == ["bob", "bob"]


def test_ledger_that_is_not_there_or_damaged(written, tmp_path, capsys):
    assert main(["venue", "ledger"]) == 2
    assert main(["venue", "ledger", str(tmp_path / "nothing")]) == 2
    assert main(["venue", "ledger", "--url", "ftp://x"]) == 2
    assert main(["venue", "ledger", "--url", "http://127.0.0.1:1"]) == 3
    written.write_bytes(written.read_bytes() + b"damage\n")
    assert main(["venue", "ledger", str(written)]) == 4
    assert "line 7" in capsys.readouterr().err


@contextlib.contextmanager
def _process(*words: str):
    """Serve a venue with empty books; yield its process and what it told."""
    command = [sys.executable, "-m", "tidewright.cli.main", "venue", "serve", "--port", "0"]
    process = subprocess.Popen([*command, "--empty", *words], stdout=subprocess.PIPE, text=True)
    told = {}
    for line in iter(process.stdout.readline, ""):
        name, _, value = line.partition(":")
        told[name] = value.strip()
        if name == "Secret":
            break
    try:
        yield process, told
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_venue_serves_until_it_is_told_to_stop(tmp_path, capsys):
    ledger = tmp_path / "ledger.jsonl"
    with _process("--seed", "3", "--ledger", str(ledger)) as (process, told):
        address = told["REST"].removesuffix("/api/v3")
        with urllib.request.urlopen(f"{told['REST']}/ping", timeout=10) as answer:
            assert answer.read() == b"{}"
        assert main(["venue", "ledger", "--url", address]) == 0
        assert "nothing happened yet" in capsys.readouterr().out
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert ledger.read_bytes() == b""
    assert (len(told["API key"]), len(told["Secret"])) == (64, 64)


@pytest.mark.full
def test_ledger_holds_what_was_answered_when_the_venue_is_killed(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with _process("--ledger", str(ledger)) as (process, told):
        for number in range(5):
            text = (
                "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
                f"&newClientOrderId=o{number}&timestamp={time.time_ns() // 1_000_000}"
            )
            signature = hmac.new(told["Secret"].encode(), text.encode(), hashlib.sha256)
            request = urllib.request.Request(
                f"{told['REST']}/order",
                f"{text}&signature={signature.hexdigest()}".encode(),
                {"X-MBX-APIKEY": told["API key"]},
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert json.loads(answer.read())["status"] == "NEW"
        process.kill()
        process.wait(10)
    rows = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [row["client_id"] for row in rows] == [f"o{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--speed", "0"], "speed was 0"),
        (["--host", "0.0.0.0"], "other machines reach"),
        (["--accounts", "nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["--faults", "nowhere.yaml"], "nowhere.yaml cannot be read"),
    ],
)
def test_venue_that_cannot_be_served_says_why(words, complaint, capsys):
    assert main(["venue", "serve", "--empty", "--port", "0", *words]) == 2
    assert complaint in capsys.readouterr().err


def test_venue_says_at_the_end_how_often_each_fault_fired(tmp_path):
    script, ledger = tmp_path / "faults.yaml", tmp_path / "ledger.jsonl"
    script.write_text("rules:\n  - {name: busy, when: {request: , nth: 2}, do: {error: -1008}}\n")
    words = ["venue", "serve", "--port", "0", "--empty", "--faults", str(script)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tidewright.cli.main", *words, "--ledger", str(ledger)],
        stdout=subprocess.PIPE,
        text=True,
    )
    address = process.stdout.readline().split()[-1]
    with urllib.request.urlopen(f"{address}/ping", timeout=10) as answer:
        assert answer.read() == b"{}"
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{address}/ping", timeout=10)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=10)
    assert told.endswith("Fault fired 1 times: busy\n")
    (row,) = map(json.loads, ledger.read_text().splitlines())
    assert (row["entry"], row["rule"], row["did"]) == ("fault", "busy", ["error"])

"""The ledger as lines: what is written, when, and that a cut line is left out."""

from __future__ import annotations

import json

import pytest

from fakes.venue_desk import VenueDesk
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.servers.venue.ledger_file import LEDGER_PATH, LedgerFile, read_lines

NAMES = ("alice", "bob", "carol")


@pytest.fixture
def kept(tmp_path):
    desk = VenueDesk()
    file = LedgerFile(tmp_path / "ledger.jsonl", desk.exchange.ledger, NAMES)
    desk.venue.record = file.record
    return desk, file, tmp_path / "ledger.jsonl"


def _rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_order_is_in_the_file_before_its_owner_is_answered(kept):
    desk, _, path = kept
    seen: list[int] = []
    answer = desk.application.answer

    def watched(request):
        reply = answer(request)
        seen.append(len(_rows(path)))
        return reply

    desk.application.answer = watched
    desk.order(newClientOrderId="mine")
    assert seen == [1]
    (row,) = _rows(path)
    assert row == {
        "number": 1,
        "entry": "taken",
        "time": desk.clock.now(),
        "account": "alice",
        "symbol": "BTCUSDT",
        "order": 1,
        "client_id": "mine",
        "list": -1,
        "side": "BUY",
        "type": "LIMIT",
        "time_in_force": "GTC",
        "price": "50000.00000000",
        "stop_price": "0.00000000",
        "quantity": "0.01000000",
        "executed": "0.00000000",
        "spent": "0.00000000",
        "status": "NEW",
    }


def test_fills_ends_and_deposits_follow_and_nothing_comes_twice(kept):
    desk, file, path = kept
    desk.order("bob", side="SELL")
    desk.order("alice")
    desk.exchange.deposit(2, "USDT", 5 * 10**8, desk.clock.now())
    file.close()
    rows = _rows(path)
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert [(row["account"], row["entry"]) for row in rows] == [
        ("bob", "taken"),
        ("alice", "taken"),
        ("alice", "filled"),
        ("alice", "ended"),
        ("bob", "filled"),
        ("bob", "ended"),
        ("carol", "deposited"),
    ]
    fill = next(row for row in rows if row["entry"] == "filled" and row["account"] == "alice")
    assert (fill["price"], fill["money"], fill["fee"], fill["fee_asset"], fill["maker"]) == (
        "50000.00000000",
        "500.00000000",
        "0.00002000",
        "BTC",
        False,
    )
    assert rows[-1] | {"time": 0} == {
        "number": 7,
        "entry": "deposited",
        "time": 0,
        "account": "carol",
        "asset": "USDT",
        "quantity": "5.00000000",
    }
    shown = desk.ask("GET", LEDGER_PATH)
    assert list(read_lines(shown.body, "venue")) == rows


def test_file_that_holds_a_ledger_is_not_written_over(kept, tmp_path):
    desk, file, path = kept
    desk.order()
    with pytest.raises(ConfigError, match="was there before"):
        LedgerFile(path, desk.exchange.ledger, NAMES)
    with pytest.raises(ConfigError, match="cannot be written"):
        LedgerFile(tmp_path / "nowhere" / "ledger", desk.exchange.ledger, NAMES)
    file.close()


def test_unfinished_line_is_left_out_and_a_damaged_one_is_named():
    good = b'{"entry": "taken"}\n'
    assert len(list(read_lines(good + b'{"entry": "fil', "f"))) == 1
    for bad in (b"nonsense\n", b"[]\n"):
        with pytest.raises(DataIntegrityError, match="f, line 2"):
            list(read_lines(good + bad, "f"))

"""What a run leaves behind: counts, exposure, trades, and the keys that programs read."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from fakes.homes import request
from fakes.orders import START, bar, instrument
from tidewright.app.recorder import RunRecorder, average_price, number, trade_row
from tidewright.app.report import up_report, write_json
from tidewright.app.supervisor import Supervisor
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import ClockTick, Slice, TradingState
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderExecuted,
    Outcome,
    Severity,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.orders import Fill, Side
from tidewright.domain.portfolio import Trade
from tidewright.domain.signals import Direction, Signal, TriggerType

TRADE = Trade(
    strategy="s",
    instrument="BTCUSDT",
    side=Side.BUY,
    lots=300,
    ts_entry=START,
    ts_exit=START + 60 * 10**9,
    entry_value=100 * 10_000 + 200 * 10_001,
    exit_value=300 * 10_100,
    entry_lots=300,
    exit_lots=300,
    fees=123_456_789,
    pnl=-5,
    entry_client_id="h-1-e",
    exit_reason="target",
)
SIGNAL = Signal("s", "BTCUSDT", Direction.LONG, 0.8, 0, "r", TriggerType.RULE, START)


def executed(number_: int, name: str = "BTCUSDT", lots: int = 1) -> OrderExecuted:
    fill = Fill(f"t{number_}", "h-1-e", name, Side.BUY, lots, 10, 0, False, START)
    return OrderExecuted(fill, "s", 0, 0)


def tell(recorder: RunRecorder, equity: int, *facts: Fact, market: bool = True) -> None:
    number_ = recorder.slices + 1
    event = bar(number_, 1, 2, 1, 2) if market else ClockTick()
    ts = START + number_
    recorder.publish(Slice(ts, (event,)), Outcome(number_, ts, equity, facts))


def test_counts_by_kind() -> None:
    recorder = RunRecorder()
    refused = SignalRejected(SIGNAL, "cooldown_minutes", "a", "b", "c")
    alert = AlertLogged(Severity.INFO, "CODE", "m")
    halted = TradingStateChanged(TradingState.ACTIVE, TradingState.HALTED, "risk", "r")
    tell(recorder, 100, executed(1), refused, refused, alert, halted, TradeClosed(TRADE))
    assert len(recorder.fills) == 1
    assert recorder.trades == [TRADE]
    assert dict(recorder.refusals) == {"cooldown_minutes": 2}
    assert dict(recorder.alerts) == {"CODE": 1}
    assert recorder.state_changes == [halted]


def test_exposure_counts_market_slices_with_a_position() -> None:
    recorder = RunRecorder()
    assert recorder.exposure == 0.0
    tell(recorder, 100)
    tell(recorder, 100, executed(1))
    tell(recorder, 100, market=False)
    tell(recorder, 100)
    tell(recorder, 100, executed(2), TradeClosed(TRADE))
    tell(recorder, 100)
    assert (recorder.slices, recorder.slices_in_market) == (5, 2)
    assert recorder.exposure == pytest.approx(0.4)


def test_equity_is_that_of_market_slices() -> None:
    recorder = RunRecorder()
    tell(recorder, 7, market=False)
    tell(recorder, 100)
    tell(recorder, 90)
    times, equity = recorder.equity_series()
    assert (times.tolist(), equity.tolist()) == ([START + 1, START + 2], [100, 90])
    assert (recorder.first_equity, recorder.last_equity) == (100, 90)


def test_digest_tells_fills_apart_and_does_not_need_them_kept() -> None:
    kept, counted, other = RunRecorder(), RunRecorder(keep_all=False), RunRecorder()
    for recorder in (kept, counted):
        tell(recorder, 1, executed(1), executed(2, lots=5))
    tell(other, 1, executed(2, lots=5), executed(1))
    assert kept.fills_digest() == counted.fills_digest() != other.fills_digest()
    assert counted.fills == []
    assert counted.fill_count == kept.fill_count == 2


@pytest.mark.parametrize(
    ("value", "lots", "price"),
    [(30_000, 3, "100"), (1, 3, "0.0033333333"), (10**15, 10**9, "10000"), (0, 1, "0")],
)
def test_average_price_has_eight_places_beyond_the_tick(value: int, lots: int, price: str) -> None:
    found = average_price(instrument(), value, lots)
    assert format(found, "f") == price


def test_numbers_are_written_exactly() -> None:
    written = orjson.dumps([number(Decimal("0.10000000")), number(Decimal("1E+4"))])
    assert written == b"[0.10000000,10000]"


def test_trade_becomes_a_row_with_the_keys_that_programs_read() -> None:
    row = json.loads(orjson.dumps(trade_row(TRADE, {"BTCUSDT": instrument()})), parse_float=Decimal)
    expected = {
        "entry_time": "2023-11-14T22:14:00Z",
        "exit_time": "2023-11-14T22:15:00Z",
        "symbol": "BTCUSDT",
        "side": "long",
        "quantity": Decimal("0.300"),
        "entry_price": Decimal("100.0066666667"),
        "exit_price": 101,
        "fees": Decimal("1.23456789"),
        "pnl": Decimal("-0.00000005"),
        "exit_reason": "target",
        "strategy": "s",
    }
    assert row == expected


def supervisor(home: Path) -> Supervisor:
    return Supervisor(
        request(home, 60), time.monotonic(), lambda session: None, lambda fault, delay: None
    )


def test_report_of_a_run_holds_what_programs_read(tmp_path: Path) -> None:
    made = supervisor(tmp_path / "h")
    made.run()
    report = up_report(made, tmp_path / "h", "USDT")
    path = tmp_path / "up.json"
    write_json(path, report.values)
    data = json.loads(path.read_text())
    assert {"fills", "refusals", "equity", "seconds_to_first_fill"} <= set(data)
    assert data["fills"] == made.recorder.fill_count > 0
    assert data["refusals"] == sum(data["refusals_by_rule"].values())
    assert data["equity"] == pytest.approx(made.recorder.last_equity / 1e8)
    assert 0 < data["seconds_to_first_fill"] < 600
    assert (data["trading_state"], data["finished"], data["faults"]) == ("active", True, [])
    assert data["market_time"].startswith("2024-01-01T07:00:00")
    text = report.text()
    assert f"Fills {data['fills']}," in text
    assert "USDT" in text


def test_report_of_a_run_that_never_began_is_a_report(tmp_path: Path) -> None:
    report = up_report(supervisor(tmp_path / "h"), tmp_path / "h", "EUR")
    data = report.values
    assert (data["fills"], data["refusals"], data["seconds_to_first_fill"]) == (0, 0, None)
    assert data["trading_state"] == "unknown"
    assert "First fill after -" in report.text()


def test_report_that_cannot_be_written_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent/x\.json cannot be written: No such file"):
        write_json(tmp_path / "absent" / "x.json", {})

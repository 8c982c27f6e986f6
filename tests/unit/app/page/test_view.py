from __future__ import annotations

import asyncio
import contextlib
import json
import math
import threading
from decimal import Decimal

import pytest

from fakes.fake_trader import CASH, START, FakeTrader, universe
from tidewright.app.page import queries
from tidewright.app.page.curve import EQUITY_LIMIT, Ring
from tidewright.app.page.performance import performance
from tidewright.app.page.read_models import Delta, Mode, SignalStatus, Snapshot
from tidewright.app.page.stream import QUEUE_LIMIT, Stream
from tidewright.app.page.view import BAR_LIMIT, ITEM_LIMIT, Heading, LiveView
from tidewright.domain.events import (
    ClockTick,
    DatumQuarantined,
    FeedStatus,
    InstrumentDefined,
    Slice,
    TradingState,
    TradingWindow,
)
from tidewright.domain.facts import AlertLogged, Outcome, PositionUpdated, Severity
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.portfolio import Position
from tidewright.domain.time import DAY, MINUTE

BTC = next(instrument for instrument in universe() if instrument.id == "BTCUSDT")
ETH = next(instrument for instrument in universe() if instrument.id == "ETHUSDT")


def bar(name: str, step: int, close: int, opened: int | None = None) -> Bar:
    ts = START + step * MINUTE
    first = close if opened is None else opened
    return Bar(name, "1m", ts, ts + MINUTE, first, max(first, close), min(first, close), close, 10)


def fresh(**settings: object) -> LiveView:
    heading = Heading(Mode.PAPER, "sma_cross", "1m", indicators=("close", "sma(10)", "rsi(14)"))
    return LiveView((BTC, ETH), heading, clock=lambda: 77_000_000, **settings)


def tell(view: LiveView, step: int, equity: int, *bars: Bar, facts: tuple = ()) -> None:
    ts = START + (step + 1) * MINUTE
    view.publish(Slice(ts, bars), Outcome(step, ts, equity, facts))


def test_ring_that_overflowed_gives_what_it_still_holds_with_its_numbers() -> None:
    ring: Ring[str] = Ring(3)
    for item in "abcde":
        ring.append(item)
    assert ring.since(0) == ((2, "c"), (3, "d"), (4, "e"))
    assert ring.since(4) == ((4, "e"),)
    assert ring.since(5) == ()


def test_benchmark_holds_the_universe_in_equal_parts_from_the_first_close() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000), bar("ETHUSDT", 0, 500))
    tell(view, 1, CASH, bar("BTCUSDT", 1, 1100), bar("ETHUSDT", 1, 450))
    assert queries.status(view).benchmark_percent == pytest.approx(0.0)
    tell(view, 2, CASH, bar("BTCUSDT", 2, 1200), bar("ETHUSDT", 2, 450))
    assert queries.status(view).benchmark_percent == pytest.approx(5.0)


def test_instrument_that_reports_late_stands_as_cash_until_then() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000))
    tell(view, 1, CASH, bar("BTCUSDT", 1, 1000), bar("ETHUSDT", 1, 500))
    tell(view, 2, CASH, bar("BTCUSDT", 2, 1000), bar("ETHUSDT", 2, 550))
    assert queries.status(view).benchmark_percent == pytest.approx(5.0)


def test_steps_of_one_moment_make_one_equity_point_with_the_last_word() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000), bar("ETHUSDT", 0, 500))
    tell(view, 0, CASH - 7)
    _, cursor = queries.snapshot(view)
    tell(view, 0, CASH - 9)
    tell(view, 1, CASH, bar("BTCUSDT", 1, 2000), bar("ETHUSDT", 1, 500))
    points = queries.equity(view).points
    assert [point.time_ms // 60_000 - START // MINUTE for point in points] == [1, 2]
    assert [round(point.equity * 10**8) for point in points] == [CASH - 9, CASH]
    assert [point.benchmark for point in points] == pytest.approx([10_000.0, 15_000.0])
    change, _ = queries.delta(view, cursor)
    assert isinstance(change, Delta)
    assert change.equity == points


def test_equity_before_the_trading_window_is_left_out() -> None:
    view = fresh()
    window = TradingWindow(START + 3 * MINUTE)
    view.publish(Slice(START, (window,)), Outcome(0, START, CASH))
    tell(view, 1, CASH, bar("BTCUSDT", 1, 1000))
    assert queries.status(view).equity is None
    tell(view, 3, CASH + 5, bar("BTCUSDT", 3, 2000))
    found = queries.equity(view)
    assert found.initial == Decimal("10000.00000005")
    assert [point.benchmark for point in found.points] == [pytest.approx(10_000)]


def test_drawdown_survives_thinning_and_series_stays_bounded() -> None:
    view = fresh()
    for step in range(3 * EQUITY_LIMIT):
        equity = CASH // 2 if step == 1001 else CASH
        tell(view, step, equity, bar("BTCUSDT", step, 1000))
    points = queries.equity(view).points
    assert len(points) <= EQUITY_LIMIT
    assert min(point.drawdown_percent for point in points) == pytest.approx(-50.0)
    assert queries.status(view).max_drawdown_percent == pytest.approx(-50.0)
    assert queries.status(view).drawdown_percent == 0.0


def test_day_pnl_starts_anew_at_midnight_utc() -> None:
    view = fresh()
    last_minute = (START // DAY + 1) * DAY - START
    step = last_minute // MINUTE - 2
    tell(view, step - 5, CASH, bar("BTCUSDT", step - 5, 1000))
    tell(view, step, CASH + 3 * 10**8, bar("BTCUSDT", step, 1000))
    tell(view, step + 1, CASH + 7 * 10**8, bar("BTCUSDT", step + 1, 1000))
    tell(view, step + 2, CASH + 9 * 10**8, bar("BTCUSDT", step + 2, 1000))
    found = queries.status(view)
    assert found.day_pnl == Decimal(6)
    tell(view, step + 5, CASH + 10 * 10**8, bar("BTCUSDT", step + 5, 1000))
    assert queries.status(view).total_pnl == Decimal(10)
    days = performance(view.snapshot()).daily
    assert [row.pnl for row in days] == [Decimal(3), Decimal(7)]


def test_position_is_valued_at_the_latest_close_exactly() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 3_000_000))
    cost = 30_000 * 10**8 // 100_000 * 7
    position = Position(
        "s", "BTCUSDT", 7, cost, 21, START, "id-1-e", stop_ticks=2_900_000, target_ticks=None
    )
    facts = (PositionUpdated(position),)
    tell(view, 1, CASH, bar("BTCUSDT", 1, 3_000_001), facts=facts)
    (found,) = queries.positions(view)
    assert found.quantity == Decimal("0.00007")
    assert found.unrealised == Decimal("0.0000007")
    assert found.risk == Decimal("0.0700007")
    assert found.target_price is None
    assert queries.status(view).open_risk == Decimal("0.0700007")
    tell(view, 2, CASH, facts=(PositionUpdated(Position("s", "BTCUSDT", 0, 0, 42, START, "")),))
    assert queries.positions(view) == []


def test_position_without_stop_is_counted_as_unprotected() -> None:
    view = fresh()
    position = Position("s", "BTCUSDT", -7, -(10**8), 0, START, "id-1-e")
    tell(view, 0, CASH, bar("BTCUSDT", 0, 3_000_000), facts=(PositionUpdated(position),))
    found = queries.status(view)
    assert (found.unprotected, found.open_risk) == (1, 0)


def test_unknown_values_are_none_and_never_zero() -> None:
    found = queries.status(fresh())
    assert found.equity is None
    assert found.day_pnl is None
    assert found.feed_received_ms is None
    quotes = queries.snapshot(fresh())[0].quotes
    assert [quote.last for quote in quotes] == [None, None]


def test_candles_carry_exact_prices_and_unknown_columns_as_none() -> None:
    view = fresh(columns=lambda _: {"sma(10)": math.nan, "rsi(14)": 55.5})
    tell(view, 0, CASH, bar("BTCUSDT", 0, 3_741_250))
    found = queries.candles(view, "BTCUSDT", 10)
    assert found is not None
    (row,) = found.rows
    assert row.close == 37412.5
    assert row.columns == {"sma(10)": None, "rsi(14)": 55.5}
    assert queries.candles(view, "DOGE", 10) is None


def test_indicators_know_their_pane_and_bar_columns_are_left_out() -> None:
    found = queries.status(fresh()).indicators
    assert [(indicator.label, indicator.pane) for indicator in found] == [
        ("sma(10)", "price"),
        ("rsi(14)", "own"),
    ]


def test_bars_and_items_are_bounded() -> None:
    view = fresh()
    alert = AlertLogged(Severity.INFO, "x", "y")
    for step in range(BAR_LIMIT + 10):
        tell(view, step, CASH, bar("BTCUSDT", step, 1000 + step), facts=(alert,))
    rows = view.bars("BTCUSDT", 10_000)
    assert rows is not None
    assert len(rows) == BAR_LIMIT
    assert len(queries.alerts(view)) == ITEM_LIMIT
    assert queries.alerts(view)[-1].id == BAR_LIMIT + 9


def test_control_events_show_and_unknown_ones_change_nothing() -> None:
    view = fresh()
    defect = DatumQuarantined(DataDefect("BTCUSDT", START, "price_not_positive", "was 0"))
    extra = next(instrument for instrument in universe() if instrument.id == "SOLUSDT")
    events = (FeedStatus(False, "silent"), InstrumentDefined(extra), defect, ClockTick())
    view.publish(Slice(START, events), Outcome(1, START, CASH))
    found = queries.status(view)
    assert (found.feed_live, found.feed_detail, found.defects) == (False, "silent", 1)
    assert [one.id for one in queries.instruments(view)] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def test_forming_candle_shows_until_its_bar_closes() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000))
    _, cursor = queries.snapshot(view)
    view.forming("BTCUSDT", bar("BTCUSDT", 1, 1010))
    change, cursor = queries.delta(view, cursor)
    assert isinstance(change, Delta)
    assert change.forming["BTCUSDT"].close == 10.1
    tell(view, 1, CASH, bar("BTCUSDT", 1, 1020))
    change, cursor = queries.delta(view, cursor)
    assert isinstance(change, Delta)
    assert change.forming == {}
    assert [row.close for row in change.bars["BTCUSDT"]] == [10.2]


def test_deltas_after_a_snapshot_add_up_to_a_later_snapshot() -> None:
    trader = FakeTrader()
    for _ in range(90):
        trader.step()
    first, cursor = queries.snapshot(trader.view)
    signals, trades = list(first.signals), list(first.trades)
    orders = {order.client_id: order for order in first.orders}
    points = {point.time_ms: point for point in first.equity.points}
    for _ in range(60):
        for _ in range(3):
            trader.step()
        change, cursor = queries.delta(trader.view, cursor)
        assert isinstance(change, Delta)
        signals += change.signals
        trades += change.trades
        points.update({point.time_ms: point for point in change.equity})
        orders.update({order.client_id: order for order in change.orders})
    last, _ = queries.snapshot(trader.view)
    assert signals == last.signals
    assert trades == last.trades
    assert list(points.values()) == last.equity.points
    assert list(orders.values()) == last.orders
    assert {SignalStatus.APPROVED, SignalStatus.REFUSED} <= {signal.status for signal in signals}


def test_reader_that_missed_items_gets_a_snapshot() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000))
    _, cursor = queries.snapshot(view)
    for step in range(1, ITEM_LIMIT + 2):
        tell(view, step, CASH, facts=(AlertLogged(Severity.INFO, "x", "y"),))
    change, _ = queries.delta(view, cursor)
    assert isinstance(change, Snapshot)


def test_more_bars_than_fit_in_a_delta_name_the_instrument_as_stale() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000))
    _, cursor = queries.snapshot(view)
    for step in range(1, 300):
        tell(view, step, CASH, bar("BTCUSDT", step, 1000))
    change, _ = queries.delta(view, cursor)
    assert isinstance(change, Delta)
    assert change.stale_candles == ["BTCUSDT"]
    assert len(change.bars["BTCUSDT"]) == queries.DELTA_BARS


def test_restored_state_shows_before_the_first_step() -> None:
    view = fresh()
    position = Position("s", "BTCUSDT", 7, 10**8, 0, START, "id-1-e")
    view.restore(state=TradingState.HALTED, positions=[position])
    assert queries.status(view).state is TradingState.HALTED
    assert len(queries.positions(view)) == 1


def test_watcher_is_called_once_until_it_asks_again() -> None:
    view = fresh()
    calls: list[int] = []
    view.watch(lambda: calls.append(1))
    tell(view, 0, CASH)
    tell(view, 1, CASH)
    assert calls == [1]


def test_publishing_while_reading_is_consistent() -> None:
    trader = FakeTrader()
    trader.step()
    done = threading.Event()

    def publish() -> None:
        for _ in range(400):
            trader.step()
        done.set()

    thread = threading.Thread(target=publish)
    thread.start()
    while not done.is_set():
        found, _ = queries.snapshot(trader.view)
        assert found.status.equity is not None
        assert found.equity.points[-1].equity == pytest.approx(float(found.status.equity))
    thread.join()


def test_stream_gives_snapshot_then_deltas_and_stops_without_readers() -> None:
    trader = FakeTrader()
    trader.step()

    async def scene() -> list[dict]:
        stream = Stream(trader.view, interval=0.001)
        found = []
        async with stream.subscribe() as messages:
            found.append(json.loads(await anext(messages)))
            await asyncio.to_thread(trader.step)
            while len(found) < 2 or not found[-1]["bars"]:
                found.append(json.loads(await asyncio.wait_for(anext(messages), 10)))
        assert stream._task is None
        return found

    found = asyncio.run(scene())
    assert found[0]["type"] == "snapshot"
    assert found[-1]["type"] == "delta"
    assert found[-1]["status"]["sequence"] == 2


def test_reader_of_a_stream_that_skipped_items_begins_again() -> None:
    view = fresh()
    tell(view, 0, CASH, bar("BTCUSDT", 0, 1000))

    async def scene() -> list[str]:
        stream = Stream(view, interval=60.0)
        async with stream.subscribe() as messages:
            for step in range(1, ITEM_LIMIT + 2):
                tell(view, step, CASH, facts=(AlertLogged(Severity.INFO, "x", "y"),))
            stream._deliver()
            first = json.loads(await asyncio.wait_for(anext(messages), 10))
            return [first["type"], str(first["status"]["sequence"])]

    assert asyncio.run(scene()) == ["snapshot", str(ITEM_LIMIT + 1)]


def test_slow_reader_gets_a_fresh_snapshot_instead_of_a_growing_queue() -> None:
    trader = FakeTrader()
    trader.step()

    async def scene() -> dict:
        stream = Stream(trader.view, interval=0.0)
        async with stream.subscribe() as messages:
            for _ in range(QUEUE_LIMIT + 5):
                trader.step()
                stream._deliver()
            with contextlib.suppress(TimeoutError):
                return json.loads(await asyncio.wait_for(anext(messages), 10))
        raise AssertionError("nothing came")

    found = asyncio.run(scene())
    assert found["type"] == "snapshot"
    assert found["status"]["sequence"] > 2


def test_signal_tells_the_events_of_its_own_step() -> None:
    trader = FakeTrader()
    for _ in range(120):
        trader.step()
    flows = {signal.status: signal.flow for signal in queries.signals(trader.view)}
    assert flows[SignalStatus.APPROVED] == ["SIGNAL_GENERATED", "RISK_CHECK", "ORDER_PLACED"]
    assert flows[SignalStatus.REFUSED] == ["SIGNAL_GENERATED", "SIGNAL_REJECTED", "ALERT_LOGGED"]

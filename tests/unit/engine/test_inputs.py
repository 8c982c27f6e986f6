"""What the engine makes of each kind of input, the unwelcome ones included."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fakes.engines import BUY, CASH, SELL, Bench, Scripted, facts_of, only_order, orders_of, setup
from fakes.orders import START, bar, instrument
from tidewright.domain import events as ev
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import (
    AlertLogged,
    CancelOrder,
    OrderUpdated,
    PositionUpdated,
    QueryOrder,
    Severity,
    SignalRejected,
    TradingStateChanged,
)
from tidewright.domain.market import DataDefect
from tidewright.domain.orders import Leg, OrderState, Side, leg_client_id
from tidewright.domain.time import MINUTE
from tidewright.strategy.outputs import Output

FLAT = bar(0, 10_000, 10_010, 9_990, 10_005)
UP = bar(1, 10_005, 10_020, 10_000, 10_010)
OVER = bar(2, 10_010, 10_030, 10_000, 10_020)
SCRIPT = {10_010: {**BUY, Output.STOP_DISTANCE: 1.0}, 10_020: SELL}
HALT = ev.OperatorCommand(ev.TradingState.HALTED, "cli", "enough")
RESUME = ev.OperatorCommand(ev.TradingState.ACTIVE, "cli", "again")


def trader(**risk: object) -> Bench:
    return Bench(setup(Scripted("buyer", SCRIPT)), **risk)


def alerts(outcome) -> list[str]:
    return [alert.code for alert in facts_of(outcome, AlertLogged)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (UP._replace(instrument="DOGEUSDT"), "UNKNOWN_INSTRUMENT"),
        (UP, "LATE_BAR"),
        (UP._replace(ts_event=UP.ts_event - 1), "LATE_BAR"),
        (OVER._replace(timeframe="5m"), "TIMEFRAME"),
    ],
)
def test_unfit_bar_is_left_out_with_an_alert(wrong, code: str) -> None:
    bench = trader()
    bench.bars(FLAT)
    bench.bars(UP._replace(close=10_001))
    state = bench.engine.state
    marks, values = dict(state.marks), state.column_values("BTCUSDT")
    outcome = bench.tell(wrong, ts=OVER.ts_known)
    (alert,) = facts_of(outcome, AlertLogged)
    assert (alert.code, alert.severity, alert.instrument) == (
        code,
        Severity.WARNING,
        wrong.instrument,
    )
    assert str(wrong.ts_event) in alert.message
    assert outcome.commands == ()
    assert (state.marks, state.column_values("BTCUSDT")) == (marks, values)


def test_halt_cancels_working_entries_and_keeps_exits() -> None:
    other = instrument("ETHUSDT")
    bench = Bench(setup(Scripted("buyer", SCRIPT)), instruments=[instrument(), other])
    held = bench.enter(UP)
    leaving = only_order(bench.bars(OVER))
    entry = only_order(bench.bars(bar(3, 10_000, 10_020, 9_990, 10_010, name="ETHUSDT")))
    bench.tell(bench.accepted(leaving.client_id), bench.accepted(entry.client_id))
    outcome = bench.tell(HALT)
    assert outcome.commands == (CancelOrder(entry.client_id, "ETHUSDT"),)
    assert facts_of(outcome, OrderUpdated)[0].order.state is OrderState.CANCEL_SENT
    stop = leg_client_id(held.client_id, Leg.STOP)
    working = {order.intent.client_id: order.state for order in bench.engine.state.orders.working()}
    assert working == {
        stop: OrderState.OPEN,
        leaving.client_id: OrderState.OPEN,
        entry.client_id: OrderState.CANCEL_SENT,
    }


def test_halt_still_lets_a_position_be_left() -> None:
    bench = trader()
    bench.enter(UP)
    bench.tell(HALT)
    assert only_order(bench.bars(OVER)).leg is Leg.EXIT


def test_halted_entry_is_cancelled_once_however_much_happens() -> None:
    bench = trader()
    order = only_order(bench.bars(UP))
    outcome = bench.tell(HALT)
    assert [type(command) for command in outcome.commands] == [CancelOrder]
    outcome = bench.tell(bench.accepted(order.client_id))
    assert outcome.commands == ()
    outcome = bench.bars(bar(2, 10_010, 10_020, 10_000, 10_005))
    assert [command for command in outcome.commands if isinstance(command, CancelOrder)] == []


def test_order_of_unknown_outcome_is_cancelled_as_soon_as_it_is_known_to_work() -> None:
    bench = trader()
    order = only_order(bench.bars(UP))
    bench.tell(ev.AnswerLost(order.client_id, "cut", bench.ts))
    assert bench.tell(HALT).commands == ()
    outcome = bench.tell(bench.accepted(order.client_id))
    assert outcome.commands == (CancelOrder(order.client_id, "BTCUSDT"),)


def test_halt_refuses_entries_until_an_operator_resumes() -> None:
    bench = trader()
    bench.tell(HALT)
    outcome = bench.bars(UP)
    assert facts_of(outcome, SignalRejected)[0].rule == "trading_state"
    bench.tell(RESUME)
    assert orders_of(bench.bars(bar(2, 10_005, 10_020, 10_000, 10_010))) != []


def test_moved_stop_is_seen_in_the_position() -> None:
    bench = trader()
    entry = bench.enter(UP)
    stop = leg_client_id(entry.client_id, Leg.STOP)
    outcome = bench.tell(ev.StopMoved(stop, 9_950, bench.ts, 90))
    (updated,) = facts_of(outcome, PositionUpdated)
    assert updated.position.stop_ticks == 9_950
    assert bench.engine.state.portfolio.holdings["BTCUSDT"].stop_ticks == 9_950


def test_moved_stop_of_a_position_that_is_gone_changes_no_position() -> None:
    bench = trader()
    entry = bench.enter(UP)
    leaving = only_order(bench.bars(OVER))
    bench.tell(bench.accepted(leaving.client_id), bench.filled(leaving, 10_020))
    stop = leg_client_id(entry.client_id, Leg.STOP)
    outcome = bench.tell(ev.StopMoved(stop, 9_950, bench.ts, 90))
    assert facts_of(outcome, PositionUpdated) == []


@pytest.mark.parametrize(
    ("cash", "positions"), [(CASH - 1, ()), (CASH, (("BTCUSDT", 1),)), (CASH + 1, (("X", 2),))]
)
def test_ledger_that_differs_blocks_new_exposure_and_alarms(cash: int, positions) -> None:
    bench = trader()
    report = ev.AccountReported(cash, positions, bench.ts, bench.engine.state.venue_sequence)
    outcome = bench.tell(report)
    (alert,) = facts_of(outcome, AlertLogged)
    assert (alert.code, alert.severity) == ("LEDGER_MISMATCH", Severity.CRITICAL)
    (change,) = facts_of(outcome, TradingStateChanged)
    assert (change.after, change.actor) == (ev.TradingState.REDUCING, "reconciliation")
    assert facts_of(bench.bars(UP), SignalRejected)[0].rule == "trading_state"


def test_ledger_that_agrees_says_nothing() -> None:
    bench = trader()
    entry = bench.enter(UP)
    cash = CASH - entry.lots * entry.reference_ticks * 1_000
    sequence = bench.engine.state.venue_sequence
    report = ev.AccountReported(cash, (("BTCUSDT", entry.lots),), bench.ts, sequence)
    assert bench.tell(report).facts == ()


def test_report_that_knows_more_events_than_were_told_is_not_compared() -> None:
    bench = trader()
    ahead = bench.engine.state.venue_sequence + 1
    assert bench.tell(ev.AccountReported(CASH - 5, (), bench.ts, ahead)).facts == ()


def test_mismatch_does_not_loosen_a_halt() -> None:
    bench = trader()
    bench.tell(HALT)
    bench.tell(ev.AccountReported(1, (), bench.ts, 0))
    assert bench.engine.state.gate.trading_state is ev.TradingState.HALTED


def test_bars_outside_the_window_warm_up_and_never_trade() -> None:
    start = OVER.ts_known
    inside, outside = trader(), trader(window=ev.TradingWindow(start, start + 2 * MINUTE))
    for number in range(8):
        close = 10_010 if number % 2 else 10_005
        one = bar(number, 10_005, 10_020, 10_000, close)
        traded = orders_of(outside.bars(one)) != []
        inside.bars(one)
        assert not traded or start <= one.ts_known < start + 2 * MINUTE
        values = [bench.engine.state.column_values("BTCUSDT") for bench in (inside, outside)]
        assert values[0] == values[1]
    assert len(outside.engine.state.orders.working()) == 1


def test_end_of_the_window_is_outside_it() -> None:
    bench = trader(window=ev.TradingWindow(0, UP.ts_known))
    assert orders_of(bench.bars(UP)) == []
    bench = trader(window=ev.TradingWindow(UP.ts_known, 0))
    assert orders_of(bench.bars(UP)) != []


def test_stale_feed_refuses_entries_until_it_lives_again() -> None:
    bench = trader()
    assert alerts(bench.tell(ev.FeedStatus(False, "silent"))) == ["FEED_STALE"]
    assert facts_of(bench.bars(UP), SignalRejected)[0].rule == "feed_live"
    assert alerts(bench.tell(ev.FeedStatus(True, "back"))) == ["FEED_LIVE"]
    assert orders_of(bench.bars(bar(2, 10_005, 10_020, 10_000, 10_010))) != []


def test_start_takes_the_feed_for_live_and_asks_for_what_has_no_answer() -> None:
    bench = trader()
    order = only_order(bench.bars(UP))
    bench.tell(ev.FeedStatus(False, "silent"))
    outcome = bench.tell(ev.Started(START, "f"))
    assert outcome.commands == (QueryOrder(order.client_id, "BTCUSDT"),)
    assert facts_of(outcome, OrderUpdated)[0].order.state is OrderState.UNKNOWN
    assert bench.engine.state.feed_live


def test_order_of_unknown_outcome_keeps_the_instrument_from_new_exposure() -> None:
    other = instrument("ETHUSDT")
    bench = Bench(setup(Scripted("buyer", SCRIPT)), instruments=[instrument(), other])
    order = only_order(bench.bars(UP))
    bench.tell(ev.AnswerLost(order.client_id, "cut", bench.ts))
    assert bench.engine.state.orders.unknown_instruments() == {"BTCUSDT"}
    assert orders_of(bench.bars(bar(2, 10_005, 10_020, 10_000, 10_010))) == []
    free = bench.bars(bar(3, 10_000, 10_020, 9_990, 10_010, name="ETHUSDT"))
    assert [item.instrument for item in orders_of(free)] == ["ETHUSDT"]


def test_clock_jump_and_quarantine_are_told() -> None:
    bench = trader()
    jumped = bench.tell(ev.ClockJumped(-1_500_000_000))
    assert "-1.500 s" in facts_of(jumped, AlertLogged)[0].message
    defect = DataDefect("BTCUSDT", START, "price_not_positive", "close was 0")
    found = facts_of(bench.tell(ev.DatumQuarantined(defect)), AlertLogged)[0]
    assert (found.code, found.instrument) == ("DATUM_QUARANTINED", "BTCUSDT")
    assert "price_not_positive: close was 0" in found.message


def test_event_of_an_unknown_order_is_told_and_books_nothing() -> None:
    bench = trader()
    order = only_order(bench.bars(UP))
    outcome = bench.tell(bench.filled(order, 10_010, client_id="stranger-1-e"))
    assert alerts(outcome) == ["UNKNOWN_ORDER"]
    assert bench.engine.state.portfolio.cash == CASH


def test_fill_that_comes_twice_is_booked_once() -> None:
    bench = trader()
    order = only_order(bench.bars(UP))
    fill = bench.filled(order, 10_010, fee=5)
    bench.tell(bench.accepted(order.client_id), fill)
    cash = bench.engine.state.portfolio.cash
    assert bench.tell(fill).facts == ()
    assert bench.engine.state.portfolio.cash == cash


def test_changed_rules_of_an_instrument_hold_from_then_on() -> None:
    bench = trader()
    bench.tell(ev.InstrumentDefined(instrument(max_quantity=Decimal("0.5"))))
    assert only_order(bench.bars(UP)).lots == 500


def test_changed_tick_size_is_an_error() -> None:
    bench = trader()
    with pytest.raises(DataIntegrityError, match=r"tick size changed from 0\.01 to 0\.1"):
        bench.tell(ev.InstrumentDefined(instrument(tick_size=Decimal("0.1"))))


def test_score_from_outside_is_kept() -> None:
    bench = trader()
    bench.tell(ev.ScoreObserved("mood", "BTCUSDT", 0.25))
    assert bench.engine.state.scores == {("mood", "BTCUSDT"): 0.25}


def test_refused_exit_is_a_critical_alert() -> None:
    bench = trader()
    entry = bench.enter(UP)
    holding = bench.engine.state.portfolio.holdings["BTCUSDT"]
    assert holding.lots == entry.lots
    # The account that risk sees holds nothing, which must never happen.
    bench.engine.state.portfolio.positions = lambda: iter(())  # type: ignore[method-assign]
    outcome = bench.bars(OVER)
    assert "EXIT_REFUSED" in alerts(outcome)
    assert orders_of(outcome) == []


def test_short_position_is_bought_back() -> None:
    answers = {10_010: {Output.ENTRY_SHORT: 1.0}, 10_020: {Output.EXIT_SHORT: 1.0}}
    bench = Bench(setup(Scripted("seller", answers)))
    entry = bench.enter(UP)
    assert bench.engine.state.portfolio.holdings["BTCUSDT"].lots == -entry.lots
    leaving = only_order(bench.bars(OVER))
    assert (leaving.side, leaving.lots, leaving.reduce_only) == (Side.BUY, entry.lots, True)

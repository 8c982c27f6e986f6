from __future__ import annotations

from fakes.engines import BUY, SELL, Bench, Scripted, facts_of, only_order, orders_of, setup
from fakes.orders import bar
from tidewright.domain import events as ev
from tidewright.domain.facts import AlertLogged, CancelOrder, QueryOrder, SubmitOrder
from tidewright.domain.orders import Leg
from tidewright.domain.time import MINUTE
from tidewright.strategy.outputs import Output

FLAT = bar(0, 10_000, 10_010, 9_990, 10_005)
UP = bar(1, 10_005, 10_020, 10_000, 10_010)
DOWN = bar(2, 10_010, 10_010, 9_900, 9_950)


def trader(window: ev.TradingWindow) -> Bench:
    return Bench(setup(Scripted("trader", {10_010: BUY, 9_950: SELL})), window=window)


def test_a_position_is_left_by_its_rule_after_the_window_has_ended() -> None:
    bench = trader(ev.TradingWindow(0, UP.ts_known + MINUTE))
    bench.bars(FLAT)
    bench.enter(UP)
    assert DOWN.ts_known >= bench.engine.state.window.end
    assert only_order(bench.bars(DOWN)).leg is Leg.EXIT


def test_a_holder_enters_nothing_else_outside_the_window() -> None:
    from fakes.orders import instrument

    both = [instrument(), instrument("ETHUSDT")]
    bench = Bench(
        setup(Scripted("trader", {10_010: BUY})),
        instruments=both,
        window=ev.TradingWindow(0, UP.ts_known + 1),
    )
    bench.bars(FLAT)
    bench.enter(UP)
    other = bar(2, 10_005, 10_020, 10_000, 10_010, name="ETHUSDT")
    assert orders_of(bench.bars(other)) == []


def test_a_fill_far_from_its_reference_raises_an_alert_once() -> None:
    bench = trader(ev.TradingWindow(0))
    bench.bars(FLAT)
    order = only_order(bench.bars(UP))
    lots = order.lots // 2
    worse = order.reference_ticks + 100
    first = bench.tell(bench.accepted(order.client_id), bench.filled(order, worse, lots))
    again = bench.tell(bench.filled(order, worse, order.lots - lots))
    assert [alert.code for alert in facts_of(first, AlertLogged)] == ["MAX_SLIPPAGE_PERCENT"]
    assert facts_of(again, AlertLogged) == []


def test_a_cancellation_whose_answer_is_lost_is_asked_for_and_repeated_until_it_holds() -> None:
    limit = Scripted("trader", {10_010: {**BUY, Output.LIMIT_OFFSET: 1.0}})
    bench = Bench(setup(limit, expire_after_bars=5))
    bench.bars(FLAT)
    order = only_order(bench.bars(UP))
    bench.tell(bench.accepted(order.client_id))
    halted = bench.tell(ev.OperatorCommand(ev.TradingState.HALTED, "cli", "enough"))
    assert halted.commands == (CancelOrder(order.client_id, "BTCUSDT"),)
    lost = bench.tell(ev.AnswerLost(order.client_id, "cable", bench.ts))
    assert lost.commands == ()
    asked = bench.tell(ev.ClockTick(), ts=lost.next_timer)
    assert asked.commands == (QueryOrder(order.client_id, "BTCUSDT"),)
    works = bench.tell(bench.accepted(order.client_id))
    again = works if works.commands else bench.tell(ev.ClockTick(), ts=works.next_timer)
    assert again.commands == (CancelOrder(order.client_id, "BTCUSDT"),)
    bench.venue_sequence += 1
    bench.tell(ev.OrderCanceled(order.client_id, "asked", bench.ts, bench.venue_sequence))
    assert bench.engine.state.orders.working() == ()
    assert orders_of(bench.bars(DOWN)) == []


def test_leaving_cancels_what_is_left_of_the_entry_first() -> None:
    script = {10_010: {**BUY, Output.LIMIT_OFFSET: 1.0}, 9_950: SELL}
    bench = Bench(setup(Scripted("trader", script), expire_after_bars=9))
    bench.bars(FLAT)
    order = only_order(bench.bars(UP))
    half = order.lots // 2
    bench.tell(bench.accepted(order.client_id), bench.filled(order, 9_910, half))
    outcome = bench.bars(DOWN)
    cancel, submit = outcome.commands
    assert cancel == CancelOrder(order.client_id, "BTCUSDT")
    assert isinstance(submit, SubmitOrder)
    assert (submit.order.intent.leg, submit.order.intent.lots) == (Leg.EXIT, half)

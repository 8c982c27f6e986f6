"""In which order the events of one slice are handled, and what one evaluation sees."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fakes.engines import (
    BUY,
    CASH,
    SELL,
    Bench,
    Scripted,
    facts_of,
    only_order,
    orders_of,
    setup,
)
from fakes.orders import START, bar, instrument
from tidewright.domain import events as ev
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import (
    OrderExecuted,
    OrderUpdated,
    PositionCharged,
    PositionUpdated,
    QueryOrder,
    RiskChecked,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.orders import Leg, OrderState, Side
from tidewright.domain.time import MINUTE
from tidewright.strategy.outputs import Output

BTC, ETH, XRP = instrument(), instrument("ETHUSDT"), instrument("XRPUSDT")
FLAT = bar(0, 10_000, 10_010, 9_990, 10_005)
UP = bar(1, 10_005, 10_020, 10_000, 10_010)
HALT = ev.OperatorCommand(ev.TradingState.HALTED, "cli", "enough")


def buyer(**more: float) -> Scripted:
    return Scripted("buyer", {10_010: {**BUY, **{Output[k]: v for k, v in more.items()}}})


def kinds(outcome) -> list[type]:
    return [type(fact) for fact in outcome.facts]


def test_control_is_heard_before_the_bars_of_its_slice_are_judged() -> None:
    bench = Bench(setup(buyer()))
    bench.bars(FLAT)
    outcome = bench.bars(UP, before=[HALT])
    assert facts_of(outcome, TradingStateChanged)[0].after is ev.TradingState.HALTED
    assert orders_of(outcome) == []
    assert facts_of(outcome, SignalRejected)[0].rule == "trading_state"


def test_fill_is_booked_before_the_bars_of_its_slice_are_judged() -> None:
    bench = Bench(setup(Scripted("buyer", {10_010: BUY, 10_020: SELL})))
    order = only_order(bench.bars(UP))
    bench.tell(bench.accepted(order.client_id))
    down = bar(2, 10_010, 10_030, 10_000, 10_020)
    outcome = bench.bars(down, before=[bench.filled(order, 10_011)])
    found = kinds(outcome)
    assert found.index(OrderExecuted) < found.index(SignalGenerated)
    leaving = only_order(outcome)
    assert (leaving.leg, leaving.side, leaving.lots) == (Leg.EXIT, Side.SELL, order.lots)


def test_due_timer_fires_after_the_venue_spoke_and_before_the_bars() -> None:
    bench = Bench(setup(buyer()), instruments=[BTC, ETH])
    order = only_order(bench.bars(UP))
    late = bar(3, 10_010, 10_020, 10_000, 10_010, name="ETHUSDT")
    outcome = bench.bars(late)
    assert outcome.commands[0] == QueryOrder(order.client_id, "BTCUSDT")
    assert facts_of(outcome, OrderUpdated)[0].order.state is OrderState.UNKNOWN
    found = kinds(outcome)
    assert found.index(OrderUpdated) < found.index(SignalGenerated)


def test_answer_in_the_slice_of_a_due_timer_needs_no_question() -> None:
    bench = Bench(setup(buyer()))
    order = only_order(bench.bars(UP))
    later = bar(3, 10_010, 10_020, 10_000, 10_005)
    assert bench.bars(later, before=[bench.accepted(order.client_id)]).commands == ()


def test_timer_fires_on_a_tick_without_bars_and_not_before_it_is_due() -> None:
    bench = Bench(setup(buyer()))
    order = only_order(bench.bars(UP))
    sent = bench.ts
    due = bench.engine.state.orders.next_due
    assert due == sent + MINUTE
    assert bench.tell(ev.ClockTick(), ts=due - 1).commands == ()
    outcome = bench.tell(ev.ClockTick(), ts=due)
    assert outcome.commands == (QueryOrder(order.client_id, "BTCUSDT"),)


def test_outcome_names_the_next_timer() -> None:
    bench = Bench(setup(buyer()))
    assert bench.bars(FLAT).next_timer == 0
    outcome = bench.bars(UP)
    assert outcome.next_timer == UP.ts_known + MINUTE


def test_bars_are_all_known_before_any_is_judged() -> None:
    bench = Bench(setup(buyer()), instruments=[BTC, ETH])
    bench.enter(UP)
    other = bar(2, 10_010, 10_020, 10_000, 10_010, name="ETHUSDT")
    own = bar(2, 10_010, 20_030, 10_000, 20_020)
    outcome = bench.bars(own, other)
    held = bench.engine.state.portfolio.holdings["BTCUSDT"].lots
    gain = held * (20_020 - 10_010) * 1_000
    assert outcome.equity == CASH + gain
    # Ten percent of equity that has nearly half again: the other bar's entry sees the new mark.
    lots = only_order(outcome).lots
    assert lots == (CASH + gain) // 10 // (10_010 * 1_000)


def test_entries_are_ranked_by_confidence_and_then_by_instrument() -> None:
    answers = {
        10_010: {**BUY, Output.CONFIDENCE: 0.7},
        10_020: {**BUY, Output.CONFIDENCE: 0.9},
    }
    bench = Bench(setup(Scripted("buyer", answers)), instruments=[XRP, ETH, BTC])
    outcome = bench.bars(
        bar(1, 10_000, 10_030, 9_990, 10_010, name="BTCUSDT"),
        bar(1, 10_000, 10_030, 9_990, 10_020, name="ETHUSDT"),
        bar(1, 10_000, 10_030, 9_990, 10_010, name="XRPUSDT"),
    )
    assert [order.instrument for order in orders_of(outcome)] == ["ETHUSDT", "BTCUSDT", "XRPUSDT"]


def test_equal_confidence_is_ranked_by_instrument_whatever_the_order_of_the_bars() -> None:
    bench = Bench(setup(buyer()), instruments=[XRP, ETH, BTC])
    names = ("XRPUSDT", "BTCUSDT", "ETHUSDT")
    outcome = bench.bars(*[bar(1, 10_000, 10_030, 9_990, 10_010, name=name) for name in names])
    assert [order.instrument for order in orders_of(outcome)] == sorted(names)


def test_second_entry_sees_the_exposure_of_the_first() -> None:
    bench = Bench(setup(buyer()), instruments=[BTC, ETH], max_total_exposure_percent=Decimal(15))
    outcome = bench.bars(
        bar(1, 10_000, 10_030, 9_990, 10_010, name="BTCUSDT"),
        bar(1, 10_000, 10_030, 9_990, 10_010, name="ETHUSDT"),
    )
    first, second = orders_of(outcome)
    assert first.instrument == "BTCUSDT"
    assert first.lots == CASH // 10 // (10_010 * 1_000)
    # Five percent are left of the fifteen.
    assert 0 < second.lots <= CASH * 15 // 100 // (10_010 * 1_000) - first.lots
    assert first.lots + second.lots == pytest.approx(CASH * 0.15 / 10_010 / 1_000, abs=2)


def test_exits_come_before_entries() -> None:
    script = Scripted("both", {10_010: BUY, 10_020: SELL})
    bench = Bench(setup(script), instruments=[BTC, ETH])
    bench.enter(bar(1, 10_000, 10_030, 9_990, 10_010, name="ETHUSDT"))
    outcome = bench.bars(
        bar(2, 10_000, 10_030, 9_990, 10_010, name="BTCUSDT"),
        bar(2, 10_000, 10_030, 9_990, 10_020, name="ETHUSDT"),
    )
    assert [order.leg for order in orders_of(outcome)] == [Leg.EXIT, Leg.ENTRY]


def test_commands_and_their_facts_come_in_one_order() -> None:
    bench = Bench(setup(buyer()))
    outcome = bench.bars(UP)
    names = [fact.EVENT for fact in outcome.facts]
    assert names == ["SIGNAL_GENERATED", "RISK_CHECK", "ORDER_PLACED"]
    assert facts_of(outcome, RiskChecked)[0].approved
    assert outcome.commands[0].order.intent == facts_of(outcome, RiskChecked)[0].intent


def test_instrument_taken_by_another_strategy_is_refused_with_its_reason() -> None:
    first, second = buyer(), replace_name(buyer(), "second")
    outcome = Bench(setup(first), setup(second)).bars(UP)
    assert [order.strategy for order in orders_of(outcome)] == ["buyer"]
    (refused,) = facts_of(outcome, SignalRejected)
    assert (refused.rule, refused.signal.strategy) == ("instrument_taken", "second")


def replace_name(script: Scripted, name: str) -> Scripted:
    return Scripted(name, script.answers)


def test_position_is_left_by_the_strategy_that_holds_it_alone() -> None:
    holder = Scripted("holder", {10_010: BUY, 10_030: SELL})
    other = Scripted("other", {10_020: SELL})
    bench = Bench(setup(holder), setup(other))
    bench.enter(UP)
    assert orders_of(bench.bars(bar(2, 10_010, 10_030, 10_000, 10_020))) == []
    outcome = bench.bars(bar(3, 10_020, 10_040, 10_000, 10_030))
    assert only_order(outcome).strategy == "holder"


def test_strategy_is_asked_for_its_own_symbols_only() -> None:
    script = buyer()
    bench = Bench(setup(script, symbols=frozenset({"ETHUSDT"})), instruments=[BTC, ETH])
    outcome = bench.bars(UP, bar(1, 10_000, 10_030, 9_990, 10_010, name="ETHUSDT"))
    assert [order.instrument for order in orders_of(outcome)] == ["ETHUSDT"]
    assert len(script.asked) == 1


def test_bracket_and_limit_stand_at_the_distances_that_the_strategy_gave() -> None:
    script = buyer(STOP_DISTANCE=1.5, TARGET_DISTANCE=3.0, TRAIL_DISTANCE=2.0, LIMIT_OFFSET=0.5)
    order = only_order(Bench(setup(script, expire_after_bars=4)).bars(UP))
    assert order.bracket is not None
    assert order.bracket.stop_ticks == 10_010 - 150
    assert order.bracket.target_ticks == 10_010 + 300
    assert order.bracket.trail_ticks == 200
    assert (order.limit_ticks, order.expire_after_bars) == (10_010 - 50, 4)
    assert order.reference_ticks == 10_010
    assert order.reason == "script says buy"


def test_short_entry_stands_on_the_other_side() -> None:
    answers = {
        10_010: {
            Output.ENTRY_SHORT: 1.0,
            Output.STOP_DISTANCE: 1.5,
            Output.TARGET_DISTANCE: 3.0,
            Output.LIMIT_OFFSET: 0.5,
        }
    }
    bench = Bench(setup(Scripted("seller", answers)))
    order = only_order(bench.bars(UP))
    assert order.side is Side.SELL
    assert order.bracket is not None
    assert (order.bracket.stop_ticks, order.bracket.target_ticks) == (10_160, 9_710)
    assert order.limit_ticks == 10_060


def test_short_entry_where_none_may_be_opened_is_refused() -> None:
    script = Scripted("seller", {10_010: {Output.ENTRY_SHORT: 1.0}})
    outcome = Bench(setup(script), instruments=[instrument(shortable=False)]).bars(UP)
    assert orders_of(outcome) == []
    assert facts_of(outcome, SignalRejected)[0].rule == "shortable"


def test_borrow_fee_changes_cash_and_position_and_is_told() -> None:
    script = Scripted("seller", {10_010: {Output.ENTRY_SHORT: 1.0}})
    bench = Bench(setup(script))
    order = bench.enter(UP)
    bench.venue_sequence += 1
    event = ev.BorrowCharged(
        "BTCUSDT", order.lots, 10_010, 1, 50_000, 137, bench.ts, bench.venue_sequence
    )
    before = bench.engine.state.portfolio.cash
    charged, updated = bench.tell(event).facts
    assert charged == PositionCharged("seller", "BTCUSDT", 137, 1, before - 137)
    assert isinstance(updated, PositionUpdated)
    assert updated.position.fees == 137
    assert bench.engine.state.venue_sequence == bench.venue_sequence
    assert bench.tell(event).facts == ()


def test_unknown_answer_never_trades() -> None:
    script = Scripted("unsure", {10_010: {Output.ENTRY_LONG: float("nan")}})
    outcome = Bench(setup(script)).bars(UP)
    assert (outcome.facts, outcome.commands) == ((), ())


def test_working_entry_keeps_a_strategy_from_another() -> None:
    bench = Bench(setup(buyer()))
    order = only_order(bench.bars(UP))
    bench.tell(bench.accepted(order.client_id))
    outcome = bench.bars(bar(2, 10_005, 10_020, 10_000, 10_010))
    assert (outcome.facts, outcome.commands) == ((), ())


def test_working_exit_is_not_repeated() -> None:
    bench = Bench(setup(Scripted("both", {10_010: BUY, 10_020: SELL})))
    bench.enter(UP)
    leaving = only_order(bench.bars(bar(2, 10_010, 10_030, 10_000, 10_020)))
    bench.tell(bench.accepted(leaving.client_id))
    assert orders_of(bench.bars(bar(3, 10_020, 10_030, 10_000, 10_020))) == []


def test_round_trip_is_told_with_its_profit_and_reason() -> None:
    bench = Bench(setup(Scripted("both", {10_010: BUY, 10_020: SELL})))
    entry = bench.enter(UP)
    leaving = only_order(bench.bars(bar(2, 10_010, 10_030, 10_000, 10_020)))
    outcome = bench.tell(bench.accepted(leaving.client_id), bench.filled(leaving, 10_018, fee=77))
    (closed,) = facts_of(outcome, TradeClosed)
    assert closed.trade.pnl == entry.lots * 8 * 1_000 - 77
    assert closed.trade.exit_reason == "signal"
    assert facts_of(outcome, PositionUpdated)[-1].position.lots == 0
    assert facts_of(outcome, OrderExecuted)[0].slippage_ticks == 2
    assert outcome.equity == CASH + closed.trade.pnl


def test_client_id_follows_from_home_strategy_instrument_and_input() -> None:
    first, second = Bench(setup(buyer())), Bench(setup(buyer()))
    assert only_order(first.bars(UP)).client_id == only_order(second.bars(UP)).client_id
    third = Bench(setup(buyer()))
    third.bars(FLAT)
    assert (
        only_order(third.bars(UP)).client_id != only_order(Bench(setup(buyer())).bars(UP)).client_id
    )


def test_time_that_goes_back_is_an_error_and_changes_nothing() -> None:
    bench = Bench(setup(buyer()))
    bench.bars(UP)
    before = bench.engine.state.sequence, bench.engine.state.ts_known
    with pytest.raises(DataIntegrityError, match="expected no earlier than"):
        bench.tell(ev.ClockTick(), ts=START)
    assert (bench.engine.state.sequence, bench.engine.state.ts_known) == before
    assert bench.tell(ev.ClockTick(), ts=UP.ts_known).ts_known == UP.ts_known


def test_bar_is_judged_once_though_its_slice_came_in_two_parts() -> None:
    script = buyer()
    bench = Bench(setup(script), instruments=[BTC, ETH])
    bench.bars(FLAT)
    bench.tell(bar(0, 1, 9_000, 1, 8_000, name="ETHUSDT"))
    bench.tell(replace(HALT, state=ev.TradingState.REDUCING))
    assert script.asked == [10_005, 8_000]

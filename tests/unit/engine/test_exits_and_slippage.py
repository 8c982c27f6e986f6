from __future__ import annotations

from fakes.engines import BUY, SELL, Bench, Scripted, facts_of, only_order, orders_of, setup
from fakes.orders import bar
from tidewright.domain import events as ev
from tidewright.domain.facts import AlertLogged
from tidewright.domain.orders import Leg
from tidewright.domain.time import MINUTE

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

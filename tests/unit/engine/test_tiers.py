"""Positions in parts, from the size that risk allows to the stop that people are shown."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from fakes.engines import BUY, Bench, Scripted, facts_of, only_order, setup
from fakes.orders import bar, instrument
from tidewright.domain import events as ev
from tidewright.domain.facts import PositionUpdated, SignalRejected, TradeClosed
from tidewright.domain.orders import (
    Bracket,
    BracketPart,
    Fill,
    Leg,
    OrderIntent,
    Side,
    leg_client_id,
)
from tidewright.engine.portfolio import Portfolio
from tidewright.strategy.outputs import Output
from tidewright.strategy.spec import PercentDistance, SizingMethod, SizingSpec, Tier

UP = bar(1, 10_005, 10_020, 10_000, 10_010)
STOPS = (Output.STOP_DISTANCE, Output.STOP_2, Output.STOP_3)
TARGETS = (Output.TARGET_DISTANCE, Output.TARGET_2, Output.TARGET_3)
RISK = SizingSpec(SizingMethod.RISK_PERCENT, Decimal(1))
CAREFUL, MIDDLE, BOLD = (
    Tier(Decimal(share), PercentDistance(stop), PercentDistance(target))
    for share, stop, target in ((25, 5.0, 5.0), (50, 7.0, 10.0), (25, 10.0, 20.0))
)


def tiered(confidence: float = 0.8, side: Output = Output.ENTRY_LONG) -> Scripted:
    answer = {side: 1.0, Output.CONFIDENCE: confidence}
    answer |= dict(zip(STOPS, (5.0, 7.0, 10.0), strict=True))
    answer |= dict(zip(TARGETS, (5.0, 10.0, 20.0), strict=True))
    return Scripted("tiered", {10_010: answer})


def bench(script: Scripted, **changes: object) -> Bench:
    fields = {"tiers": (CAREFUL, MIDDLE, BOLD), "sizing": RISK, **changes}
    return Bench(setup(script, **fields), risk_per_trade_percent=Decimal(1))


def ordered(script: Scripted, **changes: object) -> OrderIntent:
    return only_order(bench(script, **changes).bars(UP))


def test_position_is_what_all_stops_together_may_lose() -> None:
    order = ordered(tiered())
    # A quarter risks 500 ticks, a half 700, a quarter 1,000: 725 on average. 1 % of 10000.00 over
    # 7.25 a unit is 13.793 units of 0.001.
    assert order.lots == 13_793
    assert order.bracket == Bracket(
        9_510,
        10_510,
        None,
        (
            BracketPart(3_449, 9_510, 10_510),
            BracketPart(6_896, 9_310, 11_010),
            BracketPart(3_448, 9_010, 12_010),
        ),
    )
    at_stake = sum(p.lots * (10_010 - p.stop_ticks) for p in order.bracket.parts)
    assert at_stake <= 13_794 * 725


def test_short_position_has_its_parts_on_the_other_side() -> None:
    order = ordered(tiered(side=Output.ENTRY_SHORT))
    assert order.side is Side.SELL
    assert order.bracket is not None
    assert (order.bracket.stop_ticks, order.bracket.target_ticks) == (10_510, 9_510)
    assert [part.stop_ticks for part in order.bracket.parts] == [10_510, 10_710, 11_010]


@pytest.mark.parametrize(
    ("confidence", "lots", "stop", "target"),
    [
        # A quarter of 20 units at a stop of 5.00; a half of 14.285; a quarter of 10.
        (0.65, 5_000, 9_510, 10_510),
        (0.7, 7_142, 9_310, 11_010),
        (0.95, 2_500, 9_010, 12_010),
    ],
)
def test_confidence_chooses_one_tier(confidence: float, lots: int, stop: int, target: int) -> None:
    tiers = tuple(
        Tier(tier.share, tier.stop_loss, tier.take_profit, step)
        for tier, step in zip((CAREFUL, MIDDLE, BOLD), (0.0, 0.7, 0.9), strict=True)
    )
    order = ordered(tiered(confidence), tiers=tiers)
    assert (order.lots, order.bracket) == (lots, Bracket(stop, target))


def test_part_without_a_lot_is_left_out() -> None:
    one = SizingSpec(SizingMethod.FIXED_QUANTITY, Decimal("0.002"))
    big = instrument(min_notional=Decimal(0))
    told = Bench(setup(tiered(), tiers=(CAREFUL, MIDDLE, BOLD), sizing=one), instruments=[big])
    order = only_order(told.bars(UP))
    assert order.lots == 2
    assert order.bracket == Bracket(
        9_510, 10_510, None, (BracketPart(1, 9_510, 10_510), BracketPart(1, 9_310, 11_010))
    )


def test_risk_counts_the_stops_of_all_parts() -> None:
    # Sized by quantity, the third stop alone would be within 1 %, all three are not.
    script = tiered()
    wide = SizingSpec(SizingMethod.FIXED_QUANTITY, Decimal(14))
    outcome = bench(script, sizing=wide).bars(UP)
    assert only_order(outcome).lots == 13_793
    assert facts_of(outcome, SignalRejected) == []


def fill_of(told: Bench, order: OrderIntent, leg: Leg, lots: int, ticks: int) -> ev.OrderFilled:
    told.venue_sequence += 1
    side = order.side.opposite
    client_id = leg_client_id(order.client_id, leg)
    number = told.venue_sequence
    fill = Fill(f"t{number}", client_id, order.instrument, side, lots, ticks, 0, False, told.ts)
    return ev.OrderFilled(fill, number)


def canceled(told: Bench, order: OrderIntent, leg: Leg) -> ev.OrderCanceled:
    told.venue_sequence += 1
    client_id = leg_client_id(order.client_id, leg)
    return ev.OrderCanceled(client_id, "the position closed", told.ts, told.venue_sequence)


def test_nearest_stop_and_target_of_what_is_left_are_shown() -> None:
    told = bench(tiered())
    order = told.enter(UP)
    state = told.engine.state
    legs = {one.intent.leg: one.intent.lots for one in state.orders.working()}
    assert legs == {
        Leg.STOP: 3_449,
        Leg.TARGET: 3_449,
        Leg.STOP_2: 6_896,
        Leg.TARGET_2: 6_896,
        Leg.STOP_3: 3_448,
        Leg.TARGET_3: 3_448,
    }
    outcome = told.tell(
        fill_of(told, order, Leg.TARGET, 3_449, 10_510), canceled(told, order, Leg.STOP)
    )
    shown = facts_of(outcome, PositionUpdated)[-1].position
    assert (shown.lots, shown.stop_ticks, shown.target_ticks) == (10_344, 9_310, 11_010)
    stem = leg_client_id(order.client_id, Leg.STOP_3)
    told.venue_sequence += 1
    outcome = told.tell(ev.StopMoved(stem, 9_500, told.ts, told.venue_sequence))
    (fact,) = facts_of(outcome, PositionUpdated)
    assert fact.position.stop_ticks == 9_500
    told.tell(fill_of(told, order, Leg.STOP_2, 6_896, 9_300), canceled(told, order, Leg.TARGET_2))
    outcome = told.tell(fill_of(told, order, Leg.STOP_3, 3_448, 9_490))
    (closed,) = facts_of(outcome, TradeClosed)
    assert closed.trade.exit_reason == "stop"
    assert (closed.trade.entry_lots, closed.trade.exit_lots) == (13_793, 13_793)


def test_snapshot_keeps_that_a_position_is_in_parts() -> None:
    told = bench(tiered())
    told.enter(UP)
    data = json.loads(json.dumps(told.engine.state.portfolio.snapshot()))
    portfolio = Portfolio()
    portfolio.restore(data)
    assert portfolio.holdings["BTCUSDT"].in_parts


def test_strategy_in_one_piece_is_untouched() -> None:
    order = only_order(Bench(setup(Scripted("plain", {10_010: BUY}))).bars(UP))
    assert order.bracket is None

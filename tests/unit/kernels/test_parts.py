"""A trade in parts: each part as a trade of its own, one entry and one exit for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.kernels.fills import BarStep, FillRules, LegFill, TradeState, quiet_range, step
from tidewright.kernels.parts import (
    aggregate,
    part_lots,
    quiet_range_of_parts,
    read_parts,
    risked_ticks,
    step_parts,
    step_parts_flat,
)

FREE = FillRules(0, 1, 0, 0, 1_000_000, 0, 0, 0, 1)
EMPTY = TradeState(*[0] * 15)
# 25 % at +-5, 50 % at +10 and -7, 25 % at +20 and -10 of an entry at 100.
TIERS = ((25, 95, 105), (50, 93, 110), (25, 90, 120))
PRICES = st.integers(80, 130)


def parts_of(*tiers: tuple[int, int, int], **changes: int) -> tuple[TradeState, ...]:
    found = [
        EMPTY._replace(direction=1, key=7, entry_lots=lots, stop=stop, target=target)._replace(
            **changes
        )
        for lots, stop, target in tiers
    ]
    return (*found, *[EMPTY._replace(direction=1)] * (3 - len(found)))


def bar(open_: int, high: int, low: int, close: int, number: int = 0, volume: int = 10**6):
    return BarStep(number * 60, number * 60 + 60, open_, high, low, close, volume)


def held(*tiers: tuple[int, int, int], **changes: int) -> tuple[TradeState, ...]:
    return tuple(
        part._replace(held=part.entry_lots, entry_lots=0, best=100 if part.entry_lots else 0)
        for part in parts_of(*tiers, **changes)
    )


def legs(result):
    return [
        (name, leg.lots, leg.ticks)
        for name, leg in (
            ("entry", result.entry),
            ("exit", result.exit),
            *(("stop", part.stop) for part in (result.first, result.second, result.third)),
            *(("target", part.target) for part in (result.first, result.second, result.third)),
        )
        if leg.lots
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # Touches the first stop alone.
        (bar(100, 101, 95, 100), [("stop", 25, 95)]),
        # The first two stops.
        (bar(100, 101, 93, 100), [("stop", 25, 95), ("stop", 50, 93)]),
        # Down to the first stop and up to the second target: the first part was stopped.
        (bar(100, 111, 95, 100), [("stop", 25, 95), ("target", 50, 110)]),
        # The first target; the second is touched but not traded through.
        (bar(100, 110, 96, 100), [("target", 25, 105)]),
        # A gap through every stop.
        (bar(85, 86, 84, 85), [("stop", 25, 85), ("stop", 50, 85), ("stop", 25, 85)]),
        (bar(100, 104, 96, 100), []),
    ],
)
def test_bar_that_touches_several_levels(row, expected):
    assert legs(step_parts(held(*TIERS), row, FREE)) == expected


def test_entry_is_one_order_and_every_part_is_protected_at_once():
    result = step_parts(parts_of(*TIERS), bar(100, 101, 94, 100), FREE)
    assert legs(result) == [("entry", 100, 100), ("stop", 25, 95)]
    assert [part.state.held for part in (result.first, result.second, result.third)] == [0, 50, 25]
    assert not result.closed


def test_exit_leaves_all_parts_at_one_price():
    leaving = tuple(part._replace(exit_lots=part.held) for part in held(*TIERS))
    result = step_parts(leaving, bar(101, 102, 100, 101), FREE)
    assert legs(result) == [("exit", 100, 101)]
    assert result.closed == 1


def test_entry_and_exit_pay_impact_for_all_their_lots_and_stops_for_their_own():
    rules = FREE._replace(impact_ppm=1_000_000)
    row = bar(10_000, 10_100, 9_900, 10_000, volume=10_000)
    whole = EMPTY._replace(direction=1, key=7, entry_lots=100)
    alone = step(whole, row, rules).entry.ticks
    assert step_parts(parts_of(*TIERS), row, rules).entry.ticks == alone > 10_000


def test_capacity_is_shared_first_part_first_and_a_closed_part_ends_the_entry():
    rules = FREE._replace(most_ppm=10_000)
    first = step_parts(parts_of(*TIERS), bar(100, 101, 96, 100, volume=4_000), rules)
    assert first.entry.lots == 40
    states = [first.first.state, first.second.state, first.third.state]
    assert [part.held for part in states] == [25, 15, 0]
    assert [part.entry_lots for part in states] == [0, 35, 25]
    # The next bar opens beyond the first target: that part leaves, and nobody enters any more.
    second = step_parts(tuple(states), bar(106, 107, 105, 106, 1, volume=4_000), rules)
    assert legs(second) == [("target", 25, 106)]
    assert [p.state.entry_lots for p in (second.first, second.second, second.third)] == [0, 0, 0]
    assert [p.state.held for p in (second.first, second.second, second.third)] == [0, 15, 0]


def test_bar_without_volume_changes_no_part():
    result = step_parts(held(*TIERS), bar(85, 130, 80, 100, volume=0), FREE)
    assert legs(result) == []
    assert (result.first.state, result.third.state) == (held(*TIERS)[0], held(*TIERS)[2])


@given(
    st.lists(st.tuples(st.integers(1, 40), PRICES, PRICES), min_size=1, max_size=3),
    st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES), min_size=1, max_size=6),
    st.sampled_from([1, -1]),
    st.sampled_from([0, 0, 4]),
    st.integers(0, 6),
)
def test_parts_with_room_for_all_are_trades_of_their_own(tiers, rows, direction, trail, leave_at):
    together = parts_of(*tiers, direction=direction, trail=trail)
    alone = list(together)
    over = False
    for number, points in enumerate(rows):
        row = bar(points[0], max(points), min(points), points[1], number)
        if number == leave_at:
            together = tuple(part._replace(exit_lots=part.held) for part in together)
            alone = [part._replace(exit_lots=part.held) for part in alone]
        low, high = quiet_range_of_parts(together)
        result = step_parts(together, row, FREE)
        apart = [step(part, row, FREE) for part in alone]
        stepped = (result.first, result.second, result.third)
        assert [part.state for part in stepped] == [part.state for part in apart]
        assert [(p.stop, p.target) for p in stepped] == [(p.stop, p.target) for p in apart]
        assert result.entry.lots == sum(part.entry.lots for part in apart)
        assert result.exit.lots == sum(part.exit.lots for part in apart)
        flat = read_parts(
            step_parts_flat(*(tuple(part) for part in together), tuple(row), tuple(FREE))
        )
        assert [part.state for part in flat.parts] == [part.state for part in stepped]
        assert (flat.entry.lots, flat.exit.lots) == (result.entry.lots, result.exit.lots)
        assert (flat.closed, flat.expired) == (result.closed, result.expired)
        if low < row.low and row.high < high:
            assert stepped == tuple(
                apart_one._replace(state=part)
                for apart_one, part in zip(apart, together, strict=True)
            )
        over = over or bool(result.closed)
        together = tuple(part.state for part in stepped)
        alone = [part.state for part in apart]
        if over:
            assert sum(part.held for part in together) == 0
            return


@given(
    st.integers(0, 10**9),
    st.tuples(st.integers(1, 998_999), st.integers(1, 1_000)),
    st.tuples(*[st.integers(1, 10**6)] * 3),
)
def test_lots_of_the_parts_are_all_lots_and_risk_no_more(lots, cut, stops):
    shares = (cut[0], cut[1], 1_000_000 - sum(cut))
    found = part_lots(lots, shares, stops)
    assert sum(found) == lots
    assert min(found) >= 0
    at_stake = sum(one * stop for one, stop in zip(found, stops, strict=True))
    assert at_stake <= lots * risked_ticks(shares, stops)


def test_nearest_levels_are_those_of_what_is_still_there():
    three = held(*TIERS)
    assert (aggregate(three).stop, aggregate(three).target, aggregate(three).held) == (95, 105, 100)
    left = (EMPTY._replace(direction=1, best=100), *three[1:])
    assert (aggregate(left).stop, aggregate(left).target, aggregate(left).held) == (93, 110, 75)
    short = tuple(part._replace(direction=-1) for part in held((5, 105, 95), (5, 107, 90)))
    assert (aggregate(short[:2]).stop, aggregate(short[:2]).target) == (105, 95)
    assert quiet_range_of_parts(three) == (95, 105)
    assert quiet_range(three[2]) == (90, 120)
    assert LegFill(0, 0, 0, 0) == step_parts(three, bar(100, 101, 96, 100), FREE).entry

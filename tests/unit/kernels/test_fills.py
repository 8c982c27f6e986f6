"""Where an order fills against one bar, situation by situation."""

from __future__ import annotations

import pytest

from tidewright.kernels.fills import (
    FAR,
    BarStep,
    FillRules,
    LegFill,
    Taking,
    TradeState,
    capacity,
    draw_ppm,
    impact_ticks,
    quiet_range,
    step,
    takes_part,
    worsen,
)

FREE = FillRules(
    0,
    through_ticks=1,
    latency=0,
    partial_ppm=0,
    share_ppm=1_000_000,
    seed=0,
    most_ppm=0,
    impact_ppm=0,
    quiet_bars=0,
)
NOTHING = LegFill(0, 0, 0, 0)
MINUTE = 60


def bar(open_: int, high: int, low: int, close: int, *, volume: int = 1_000) -> BarStep:
    return BarStep(MINUTE, 2 * MINUTE, open_, high, low, close, volume)


def trade(**changes: int) -> TradeState:
    empty = dict.fromkeys(TradeState._fields, 0)
    return TradeState(**{**empty, "direction": 1, "key": 7, **changes})


def long_position(**changes: int) -> TradeState:
    return trade(**{"held": 10, "best": 100, **changes})


def mirrored(state: TradeState) -> TradeState:
    return state._replace(direction=-1)


def test_market_entry_fills_at_the_open_as_taker():
    result = step(trade(entry_lots=10), bar(100, 110, 90, 105), FREE)
    assert result.entry == LegFill(10, 100, 0, 1)
    assert result.state.held == 10
    assert result.state.entry_lots == 0


@pytest.mark.parametrize(
    ("direction", "cost_ppm", "expected"),
    [(1, 1_750, 10_018), (-1, 1_750, 9_982), (1, 0, 10_000), (1, 100, 10_001), (-1, 1, 9_999)],
)
def test_market_entry_with_costs_is_rounded_against_the_trader(direction, cost_ppm, expected):
    rules = FREE._replace(cost_ppm=cost_ppm)
    state = trade(direction=direction, entry_lots=10)
    assert step(state, bar(10_000, 10_000, 10_000, 10_000), rules).entry.ticks == expected


def test_worsened_price_of_a_sell_stays_above_zero():
    assert worsen(1, -1, 499_999) == 1


def test_limit_entry_that_the_open_passed_fills_at_the_open_but_never_beyond_its_limit():
    state = trade(entry_lots=10, entry_limit=102)
    assert step(state, bar(100, 110, 90, 105), FREE).entry == LegFill(10, 100, 0, 1)
    costly = FREE._replace(cost_ppm=500_000)
    assert step(state, bar(100, 110, 90, 105), costly).entry.ticks == 102


def test_limit_entry_that_the_bar_trades_through_fills_at_its_limit_as_maker_without_costs():
    state = trade(entry_lots=10, entry_limit=95)
    result = step(state, bar(100, 110, 94, 105), FREE._replace(cost_ppm=1_750))
    assert result.entry == LegFill(10, 95, 1, 0)


def test_limit_entry_that_the_bar_only_touches_does_not_fill():
    state = trade(entry_lots=10, entry_limit=95)
    assert step(state, bar(100, 110, 95, 105), FREE).entry == NOTHING
    assert step(state, bar(100, 110, 95, 105), FREE._replace(through_ticks=0)).entry.lots == 10


def test_stop_inside_the_bar_fills_at_the_stop():
    result = step(long_position(stop=95), bar(100, 101, 94, 100), FREE)
    assert result.stop == LegFill(10, 95, 0, 0)
    assert result.closed == 1


def test_stop_touched_to_the_tick_triggers():
    assert step(long_position(stop=95), bar(100, 101, 95, 100), FREE).stop.lots == 10


def test_stop_that_the_open_gapped_through_fills_at_the_open():
    assert step(long_position(stop=95), bar(90, 101, 89, 100), FREE).stop == LegFill(10, 90, 0, 1)


def test_target_that_the_open_gapped_through_fills_at_the_open():
    result = step(long_position(target=110), bar(115, 120, 114, 116), FREE)
    assert result.target == LegFill(10, 115, 0, 1)


def test_bar_that_touches_stop_and_target_is_taken_as_the_stop():
    result = step(long_position(stop=95, target=105), bar(100, 120, 90, 110), FREE)
    assert (result.stop.lots, result.target.lots) == (10, 0)


def test_entry_and_stop_may_fill_within_one_bar():
    result = step(trade(entry_lots=10, stop=95, target=105), bar(100, 120, 90, 110), FREE)
    assert result.entry == LegFill(10, 100, 0, 1)
    assert result.stop == LegFill(10, 95, 0, 0)
    assert result.closed == 1


def test_entry_at_the_open_may_reach_its_target_in_the_same_bar():
    result = step(trade(entry_lots=10, stop=95, target=105), bar(100, 120, 96, 110), FREE)
    assert result.target == LegFill(10, 105, 1, 0)


def test_entry_inside_the_bar_cannot_reach_its_target_in_the_same_bar():
    state = trade(entry_lots=10, entry_limit=98, target=105)
    result = step(state, bar(100, 120, 96, 110), FREE)
    assert (result.entry.lots, result.target.lots, result.state.held) == (10, 0, 10)


def test_entry_that_opens_beyond_its_stop_leaves_at_the_entry_price():
    result = step(trade(entry_lots=10, stop=95), bar(90, 100, 89, 99), FREE)
    assert (result.entry.ticks, result.stop.ticks) == (90, 90)


def test_trailing_stop_follows_the_high_and_counts_from_the_next_bar():
    first = step(long_position(stop=95, trail=5), bar(100, 120, 99, 101), FREE)
    assert first.stop == NOTHING
    assert (first.state.stop, first.state.best) == (115, 120)
    second = step(first.state, bar(101, 102, 100, 101), FREE)
    assert second.stop == LegFill(10, 101, 0, 1)


def test_trailing_stop_never_moves_back():
    result = step(long_position(stop=98, trail=5, best=100), bar(99, 101, 99, 100), FREE)
    assert result.state.stop == 98


def test_trail_without_a_stop_protects_from_the_entry_on():
    result = step(trade(entry_lots=10, trail=5), bar(100, 101, 95, 96), FREE)
    assert result.stop == LegFill(10, 95, 0, 0)


def test_exit_at_market_goes_before_a_stop_that_the_open_gapped_through():
    result = step(long_position(stop=95, exit_lots=10), bar(90, 101, 89, 100), FREE)
    assert (result.exit.lots, result.exit.ticks, result.stop.lots) == (10, 90, 0)
    assert result.closed == 1


def test_exit_for_more_than_is_held_closes_and_never_turns_the_position():
    result = step(long_position(exit_lots=15), bar(100, 101, 99, 100), FREE)
    assert (result.exit.lots, result.state.held, result.state.exit_lots) == (10, 0, 0)


def test_exit_of_a_part_leaves_the_rest_protected():
    result = step(long_position(stop=95, exit_lots=4), bar(100, 101, 94, 100), FREE)
    assert (result.exit.lots, result.stop.lots) == (4, 6)


def test_exit_limit_nearer_than_the_target_fills_first():
    state = long_position(target=110, exit_lots=4, exit_limit=105)
    result = step(state, bar(100, 120, 99, 118), FREE)
    assert (result.exit.lots, result.exit.ticks) == (4, 105)
    assert (result.target.lots, result.target.ticks) == (6, 110)


def test_target_nearer_than_the_exit_limit_leaves_nothing_to_exit():
    state = long_position(target=105, exit_lots=4, exit_limit=110)
    result = step(state, bar(100, 120, 99, 118), FREE)
    assert (result.exit.lots, result.target.lots) == (0, 10)


def test_working_entry_expires_after_its_bars():
    state = trade(entry_lots=10, entry_limit=50, entry_bars=2)
    first = step(state, bar(100, 101, 99, 100), FREE)
    assert (first.expired, first.state.entry_bars) == (0, 1)
    assert step(first.state, bar(100, 101, 99, 100), FREE).expired == 1


def test_closing_cancels_what_is_left_of_the_entry():
    result = step(long_position(stop=95, entry_lots=5, entry_limit=80), bar(90, 91, 70, 90), FREE)
    assert (result.closed, result.entry.lots, result.state.entry_lots) == (1, 0, 0)


def test_order_decided_after_the_open_waits_for_the_next_bar():
    state = trade(entry_lots=10, entry_since=MINUTE + 1)
    assert step(state, bar(100, 110, 90, 105), FREE).entry == NOTHING


@pytest.mark.parametrize(
    ("decided", "latency", "expected"),
    [(60, 0, True), (60, 59, True), (61, 0, False), (60, 60, False), (0, 60, True), (1, 60, False)],
)
def test_latency_below_a_bar_means_the_next_open(decided, latency, expected):
    assert takes_part(decided, latency, 60, 120) is expected


@pytest.mark.parametrize("direction", [1, -1])
def test_partial_fill_takes_a_share_and_carries_the_rest(direction):
    rules = FREE._replace(partial_ppm=1_000_000, share_ppm=100_000)
    state = trade(direction=direction, entry_lots=10)
    first = step(state, bar(100, 110, 90, 105, volume=69), rules)
    assert (first.entry.lots, first.state.entry_lots, first.state.held) == (6, 4, 6)
    second = step(first.state, bar(101, 110, 90, 105, volume=69), rules)
    assert (second.entry.lots, second.state.held) == (4, 10)


def test_stop_that_could_not_leave_in_full_leaves_at_the_next_open():
    rules = FREE._replace(partial_ppm=1_000_000, share_ppm=100_000)
    first = step(long_position(stop=95, target=200), bar(100, 101, 90, 91, volume=60), rules)
    assert (first.stop.lots, first.stop.ticks, first.closed) == (6, 95, 0)
    second = step(first.state, bar(150, 250, 149, 160, volume=60), rules)
    assert second.stop == LegFill(4, 150, 0, 1)
    assert second.closed == 1


def test_capacity_without_partial_fills_has_no_limit():
    assert capacity(FREE, 1, 2, 0) == FAR


def test_draws_match_a_plain_reading_of_the_formula():
    def plain(seed: int, key: int, moment: int) -> int:
        size = 2**64
        mixed = (seed * 0x9E3779B97F4A7C15 + key * 0xD1342543DE82EF95 + moment) % size
        for _ in range(2):
            mixed ^= mixed >> 30
            mixed = mixed * 0xBF58476D1CE4E5B9 % size
            mixed ^= mixed >> 27
            mixed = mixed * 0x94D049BB133111EB % size
            mixed ^= mixed >> 31
        return mixed % 1_000_000

    for arguments in [(0, 0, 0), (7, 2**62 - 1, 1_700_000_000_000_000_000), (2**63 - 1, 1, 3)]:
        assert draw_ppm(*arguments) == plain(*arguments)


def test_draws_are_spread_evenly():
    draws = [draw_ppm(11, 5, moment) for moment in range(20_000)]
    assert abs(sum(draws) / len(draws) - 500_000) < 7_000
    assert sum(draw < 100_000 for draw in draws) == pytest.approx(2_000, abs=150)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (trade(entry_lots=1), (FAR, -FAR)),
        (trade(entry_lots=1, entry_limit=90, entry_bars=3), (FAR, -FAR)),
        (trade(entry_lots=1, entry_limit=90), (90, FAR)),
        (long_position(stop=95, target=110), (95, 110)),
        (long_position(stop=95, trail=5, best=104), (95, 105)),
        (long_position(exit_lots=1), (FAR, -FAR)),
        (long_position(exit_lots=1, exit_limit=103, target=110), (-FAR, 103)),
        (long_position(triggered=1, stop=95), (FAR, -FAR)),
        (mirrored(long_position(stop=110, target=90)), (90, 110)),
        (mirrored(long_position(stop=110, trail=5, best=96)), (95, 110)),
        (long_position(), (-FAR, FAR)),
    ],
)
def test_quiet_range_of_each_kind_of_trade(state, expected):
    assert quiet_range(state) == expected


@pytest.mark.parametrize(
    ("volume", "share_ppm", "expected"),
    [(1_000, 10_000, 10), (1_099, 10_000, 10), (99, 10_000, 1), (1, 10_000, 1), (1_000, 0, FAR)],
)
def test_an_order_trades_a_share_of_the_volume_and_a_lot_where_anything_traded(
    volume, share_ppm, expected
):
    rules = FREE._replace(most_ppm=share_ppm)
    assert capacity(rules, 7, MINUTE, volume) == expected


def test_smaller_of_the_two_shares_of_the_volume_counts():
    rules = FREE._replace(most_ppm=10_000, partial_ppm=1_000_000, share_ppm=4_000)
    assert capacity(rules, 7, MINUTE, 1_000) == 4
    assert capacity(rules._replace(share_ppm=100_000), 7, MINUTE, 1_000) == 10


@pytest.mark.parametrize(
    ("lots", "volume", "coefficient_ppm", "expected"),
    [
        # A hundredth of the volume costs a tenth of the deviation, 0.600561 * 20,000 ticks.
        (10, 1_000, 1_000_000, 1_202),
        (10, 1_000, 2_000_000, 2_403),
        (40, 1_000, 1_000_000, 2_403),
        # Rounded against the trader.
        (1, 10**12, 1_000_000, 1),
        # All of the volume and more: no end at one deviation.
        (1_000, 1_000, 1_000_000, 12_012),
        (4_000, 1_000, 1_000_000, 24_023),
        (10, 0, 1_000_000, 0),
        (10, 1_000, 0, 0),
    ],
)
def test_impact_grows_with_the_root_of_the_share(lots, volume, coefficient_ppm, expected):
    taking = Taking(0, coefficient_ppm, span=20_000, volume=volume)
    assert impact_ticks(lots, taking) == expected


@pytest.mark.parametrize(("direction", "paid"), [(1, 101_203), (-1, 98_797)])
def test_taker_pays_impact_beside_costs_and_a_resting_limit_pays_neither(direction, paid):
    rules = FREE._replace(cost_ppm=1, impact_ppm=1_000_000)
    row = bar(100_000, 110_000, 90_000, 105_000)
    market = trade(direction=direction, entry_lots=10)
    assert step(market, row, rules).entry.ticks == paid
    limit = 95_000 if direction > 0 else 105_000
    resting = market._replace(entry_limit=limit)
    assert step(resting, row, rules).entry == LegFill(10, limit, 1, 0)


def test_impact_never_takes_a_limit_beyond_its_price():
    rules = FREE._replace(impact_ppm=1_000_000)
    state = trade(entry_lots=10, entry_limit=100_500)
    assert step(state, bar(100_000, 110_000, 90_000, 105_000), rules).entry.ticks == 100_500


@pytest.mark.parametrize(
    "state",
    [
        trade(entry_lots=10),
        trade(entry_lots=10, entry_limit=95, entry_bars=1),
        long_position(stop=99),
        long_position(target=101),
        long_position(trail=5, stop=95),
        long_position(exit_lots=10),
    ],
)
def test_bar_without_volume_is_as_good_as_absent(state):
    row = bar(100, 120, 80, 105, volume=0)
    rules = FREE._replace(quiet_bars=1)
    result = step(state, row, rules)
    assert result.state == state
    assert result[1:5] == (NOTHING,) * 4
    assert (result.closed, result.expired) == (0, 0)
    assert step(state, row, FREE).state != state

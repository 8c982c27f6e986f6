"""The fill kernel against a second reading of the rules, and what must hold of every fill."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.fill_oracle import OracleBar, OracleOrder, OracleRules, OracleTrade
from tidewright.kernels.fills import (
    BarStep,
    FillRules,
    LegFill,
    StepResult,
    TradeState,
    quiet_range,
    step,
)

PRICES = st.integers(60, 140)
MAYBE_PRICES = st.one_of(st.just(0), PRICES)
LENGTH = 60


@st.composite
def bars(draw: st.DrawFn, count: int = 8) -> list[BarStep]:
    rows = []
    for index in range(draw(st.integers(1, count))):
        points = [draw(PRICES) for _ in range(4)]
        rows.append(
            BarStep(
                index * LENGTH,
                (index + 1) * LENGTH,
                points[0],
                max(points),
                min(points),
                points[1],
                draw(st.integers(0, 40)),
            )
        )
    return rows


@st.composite
def rules(draw: st.DrawFn) -> FillRules:
    return FillRules(
        cost_ppm=draw(st.sampled_from([0, 1, 1_750, 40_000, 400_000])),
        through_ticks=draw(st.integers(0, 2)),
        latency=draw(st.sampled_from([0, 1, 59, 60, 90])),
        partial_ppm=draw(st.sampled_from([0, 0, 500_000, 1_000_000])),
        share_ppm=draw(st.sampled_from([100_000, 333_333, 1_000_000])),
        seed=draw(st.integers(0, 2**63 - 1)),
        most_ppm=draw(st.sampled_from([0, 0, 10_000, 150_000])),
        impact_ppm=draw(st.sampled_from([0, 0, 1_000_000, 2_500_000])),
        quiet_bars=draw(st.integers(0, 1)),
        spread_ppm=draw(st.sampled_from([0, 0, 400_000, 2_000_000])),
        spike_ppm=draw(st.sampled_from([0, 0, 300_000, 1_000_000])),
        spike=draw(st.sampled_from([1, 45, 130])),
    )


@dataclass
class Case:
    state: TradeState
    exit_at: int
    exit_lots: int
    exit_limit: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    state = TradeState(
        direction=draw(st.sampled_from([1, -1])),
        key=draw(st.integers(0, 2**62 - 1)),
        entry_lots=draw(st.integers(1, 12)),
        entry_limit=draw(MAYBE_PRICES),
        entry_since=draw(st.sampled_from([0, 0, 1, 60, 61])),
        entry_bars=draw(st.integers(0, 4)),
        held=0,
        stop=draw(MAYBE_PRICES),
        target=draw(MAYBE_PRICES),
        trail=draw(st.sampled_from([0, 0, 3, 20])),
        best=0,
        triggered=0,
        exit_lots=0,
        exit_limit=0,
        exit_since=0,
    )
    return Case(state, draw(st.integers(0, 7)), draw(st.integers(1, 15)), draw(MAYBE_PRICES))


def with_exit(state: TradeState, case: Case, moment: int) -> TradeState:
    return state._replace(exit_lots=case.exit_lots, exit_limit=case.exit_limit, exit_since=moment)


def kernel_fills(result: StepResult) -> list[tuple[str, int, int, bool]]:
    legs = ("entry", "exit", "stop", "target")
    return [
        (name, leg.lots, leg.ticks, bool(leg.maker))
        for name, leg in zip(legs, result[1:5], strict=True)
        if isinstance(leg, LegFill) and leg.lots
    ]


def oracle_of(state: TradeState) -> OracleTrade:
    return OracleTrade(
        long=state.direction > 0,
        key=state.key,
        entry=OracleOrder(state.entry_lots, state.entry_limit or None, state.entry_since),
        bars_left=state.entry_bars or None,
        stop=state.stop or None,
        target=state.target or None,
        trail=state.trail or None,
    )


@settings(max_examples=600)
@given(cases(), bars(), rules())
def test_kernel_and_oracle_give_the_same_fills(case, rows, rule):
    state, oracle = case.state, oracle_of(case.state)
    plain = OracleRules(*rule)
    for index, row in enumerate(rows):
        if index == case.exit_at and state.held:
            state = with_exit(state, case, row.opened)
            oracle.leaving = OracleOrder(case.exit_lots, case.exit_limit or None, row.opened)
        result = step(state, row, rule)
        assert kernel_fills(result) == oracle.meet(OracleBar(*row), plain)
        state = result.state
        assert (state.held, bool(result.closed)) == (oracle.held, oracle.over)
        if state.held:
            assert (state.stop, state.triggered) == (oracle.stop or 0, oracle.stopping)
        if state.held == 0 and state.entry_lots == 0:
            return


@given(cases(), bars(), rules())
def test_no_fill_is_better_than_the_bar_allows(case, rows, rule):
    state = case.state
    free = rule._replace(cost_ppm=0, impact_ppm=0)
    for row in rows:
        if state.held and not state.exit_lots:
            state = with_exit(state, case, row.opened)
        result, costless = step(state, row, rule), step(state, row, free)
        for number, (fill, base) in enumerate(zip(result[1:5], costless[1:5], strict=True)):
            if not fill.lots:
                continue
            buying = (state.direction > 0) == (number == 0)
            assert row.low <= base.ticks <= row.high
            assert fill.ticks >= base.ticks if buying else fill.ticks <= base.ticks
            assert fill.lots == base.lots
        state = result.state


@given(cases(), bars(), rules())
def test_lots_are_conserved_and_never_turn_the_position(case, rows, rule):
    state = case.state
    for row in rows:
        if state.held and not state.exit_lots:
            state = with_exit(state, case, row.opened)
        result = step(state, row, rule)
        gone = result.exit.lots + result.stop.lots + result.target.lots
        assert result.state.held == state.held + result.entry.lots - gone >= 0
        assert result.entry.lots <= state.entry_lots
        assert result.exit.lots <= state.exit_lots
        if result.closed:
            assert (result.state.entry_lots, result.state.exit_lots) == (0, 0)
        state = result.state


@given(cases(), bars(), rules())
def test_bar_inside_the_quiet_range_changes_nothing(case, rows, rule):
    state = case.state
    for row in rows:
        if state.held and not state.exit_lots and case.exit_at % 2:
            state = with_exit(state, case, row.opened)
        result = step(state, row, rule)
        low, high = quiet_range(state)
        if low < row.low and row.high < high:
            assert result.state == state
            assert kernel_fills(result) == []
        state = result.state


@given(st.integers(70, 99), st.integers(101, 130), bars(count=1), st.sampled_from([1, -1]))
def test_bar_that_touches_stop_and_target_gives_the_stop(near, far, rows, direction):
    row = rows[0]._replace(open=100, high=140, low=60)
    stop, target = (near, far) if direction > 0 else (far, near)
    state = TradeState(direction, 1, 0, 0, 0, 0, 5, stop, target, 0, 100, 0, 0, 0, 0)
    result = step(state, row, FillRules(0, 1, 0, 0, 0, 0, 0, 0, 0))
    assert (result.stop.ticks, result.stop.lots, result.target.lots) == (stop, 5, 0)


@given(PRICES, PRICES, st.sampled_from([1, -1]))
def test_gap_fills_at_the_open_whatever_the_level(open_, level, direction):
    row = BarStep(0, 60, open_, open_, open_, open_, 10)
    free = FillRules(0, 1, 0, 0, 0, 0, 0, 0, 0)
    stopped = TradeState(direction, 1, 0, 0, 0, 0, 5, level, 0, 0, 100, 0, 0, 0, 0)
    aimed = stopped._replace(stop=0, target=level)
    beyond = direction * open_ <= direction * level
    assert step(stopped, row, free).stop.ticks == (open_ if beyond else 0)
    reached = direction * open_ >= direction * level
    assert step(aimed, row, free).target.ticks == (open_ if reached else 0)

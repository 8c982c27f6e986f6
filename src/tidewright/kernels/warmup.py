"""Call every step that other rooms use once, so that nothing waits for a compiler later.

Argument types are those of real callers; numba compiles once per combination of types. A cached
step is only loaded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tidewright.kernels import (
    accounting,
    bars,
    brackets,
    correlation,
    cross_section,
    derived,
    edge,
    expressions,
    fills,
    integer,
    latency,
    limits,
    parts,
    rolling,
    sizing,
    synthetic,
    windows,
)
from tidewright.kernels.agents import layout as traders
from tidewright.kernels.agents.run import simulate
from tidewright.kernels.bulk import bits, layout
from tidewright.kernels.bulk.run import run
from tidewright.kernels.bulk.signals import number_rows
from tidewright.kernels.environment.run import begin_episodes, step_markets
from tidewright.kernels.matching import layout as book
from tidewright.kernels.matching.run import process
from tidewright.kernels.tape import levels
from tidewright.kernels.tape import trades as prints

Call = tuple[Callable[..., object], tuple[object, ...]]
"""A step and arguments for it."""


def warm_up() -> int:
    """Call every compiled step that other rooms use, on tiny inputs.

    Returns
    -------
    int
        How many steps were called.
    """
    calls = (
        *_money_calls(),
        *_bar_calls(),
        *_column_calls(),
        *_fill_calls(),
        *_synthetic_calls(),
    )
    for step, arguments in calls:
        step(*arguments)
    return len(calls)


def warm_up_market() -> int:
    """Call the order book, its traders and what everybody sees; returns how many there are."""
    nothing = np.zeros((0, book.N_MESSAGE), np.int64)
    process(_ints(256), _ints(2, 6), _ints(1, book.N_LOG), nothing, np.zeros(0, np.int64), 0)
    heap = np.zeros(1, np.int64)
    simulate(
        (_ints(256), _ints(1)),
        _ints(2, 6),
        np.zeros((1, 1, book.N_LOG), np.int64),
        _ints(1, traders.N_TRADER),
        _floats(1, traders.N_HABIT),
        _floats(1, traders.N_VALUE),
        (heap, heap.copy()),
        np.zeros(traders.N_CLOCK + book.N_MESSAGE, np.int64),
        0,
    )
    seen = _tape_calls()
    for step, arguments in seen:
        step(*arguments)
    return 2 + len(seen)


def _tape_calls() -> tuple[Call, ...]:
    one, none = _ints(1, 2), np.zeros((0, 2), np.int64)
    trades, candles = _ints(1, prints.N_TRADE), _ints(1, prints.N_CANDLE)
    return (
        (levels.list_levels, (_ints(256), 1, none)),
        (levels.changed_levels, (none, none, 1, one)),
        (levels.doubt_levels, (none, none, 1, one)),
        (
            prints.collect,
            (np.zeros((0, book.N_LOG), np.int64), 0, trades, 0, _ints(1, prints.N_AGGREGATE), 0),
        ),
        (prints.fold, (trades[:0], 1, candles, 0)),
    )


def warm_up_environment() -> int:
    """Call the steps of markets to learn on; returns how many there are."""
    none = np.zeros(0, np.int64)
    fresh, rules = (_ints(1), _floats(1)), _ints(1)
    log, mail = np.zeros((1, book.N_LOG), np.int64), np.zeros(book.N_MESSAGE, np.int64)
    markets, reals = np.zeros((0, 1), np.int64), _floats(0, 1)
    seen, outcomes = np.zeros((0, 1), np.float32), _floats(0, 1)
    begin_episodes(none, markets, reals, fresh, rules, log, mail, seen, outcomes)
    wishes, rewards = np.zeros((0, 3), np.int64), _floats(0)
    step_markets(
        wishes, markets, reals, fresh, rules, 0.0, log, mail, seen, rewards, none.copy(), outcomes
    )
    return 2


def warm_up_research() -> int:
    """Call the loops that only research uses; returns how many there are."""
    rows = _ints(1)
    none = np.zeros(0, np.int64)
    table, one, worth = _ints(1, 32), _floats(1), _floats(1, 1)
    market = layout.Market(
        *(rows,) * 7, *(none,) * 6, worth, *(none,) * 3, table, none, worth, table, worth
    )
    flags = np.zeros(1, np.uint8)
    script = layout.Script(none, _floats(1), _floats(1), _floats(1), _floats(1, 1), flags)
    for step, arguments in _rule_calls():
        step(*arguments)
    limits_ = layout.Limits(*(1,) * 17, 1.0, 1.0, 1)
    state = layout.State(
        *(_ints(64),) * 2,
        *(table,) * 3,
        rows,
        table,
        one,
        rows,
        *(table,) * 4,
        one,
        rows,
        one,
        np.zeros((1, 3, layout.N_TRADE), np.int64),
        table,
    )
    run(
        market,
        script,
        layout.Plan(1, -1, 1, 1, 1, 1, 0, 1, 0, 0, (0, 0, 0), (0.0, 0.0, 0.0)),
        limits_,
        fills.FillRules(*(0,) * 12),
        table,
        state,
        0,
        0,
    )
    return 1 + len(_rule_calls())


def _rule_calls() -> tuple[Call, ...]:
    words = tuple(np.zeros(1, np.uint64) for _ in range(3))
    firsts = np.array([0, 1], np.int64)
    return (
        (number_rows, (_ints(1), _floats(1), _floats(1, 1), firsts, _floats(1, 1), _floats(1))),
        (bits.make_finite, (_floats(1),)),
        (bits.compare_columns, (_floats(1), _floats(1), *words)),
        (bits.compare_number, (_floats(1), 1.0, *words)),
        (bits.delay, (words[0], firsts, words[1])),
        (bits.mark_rows, (words[0], 1, np.zeros(1, np.uint8))),
    )


def _ints(*shape: int) -> windows.Int64:
    return np.ones(shape, np.int64)


def _floats(*shape: int) -> windows.Float64:
    return np.ones(shape, np.float64)


def _money_calls() -> tuple[Call, ...]:
    terms = sizing.Terms(1, 1, 1_000, 0)
    rooms = sizing.Rooms(1_000, 1_000, 1_000, 1_000)
    return (
        (integer.mul_div, (1, 1, 1)),
        (accounting.notional, (1, 1, 1, 1)),
        (accounting.fee, (1, 1_000)),
        (accounting.borrow_fee, (1, 1, 1)),
        (accounting.apply_fill, (0, 0, 1, 1)),
        (limits.ceiling_ratio, (1, 1, 1)),
        (limits.within_share, (1, 1, 1)),
        (limits.share_of, (1, 1)),
        (limits.trip_level, (1, 1)),
        (limits.value_ceiling, (1, 1, 1, 1)),
        (limits.worst_lots, (0, 1, 1)),
        (limits.order_cost, (1, 1)),
        (limits.claimed_cash, (0, 1, 1, 1, 1, 1_000)),
        (limits.committed_direction, (0, 1, 1)),
        (limits.daily_allowance, (1, 1, -1)),
        (sizing.wanted_lots, (sizing.PERCENT_OF_EQUITY, 10_000, 1_000, 1, 0, terms)),
        (sizing.capped_lots, (1, 1, 0, rooms, terms)),
        (sizing.yearly_ticks, (1.0, 1_000_000, 1, 1)),
        (edge.trade_return, (1, 1)),
        (edge.with_trade_flat, (tuple(edge.NO_TRADES), 1)),
        (edge.kelly_ppm_flat, (tuple(edge.NO_TRADES), 1)),
    )


def _bar_calls() -> tuple[Call, ...]:
    state = np.zeros(bars.CHECK_STATE_SIZE, np.int64)
    checked = _ints(bars.CHECK_OUT_SIZE)
    checks = _ints(1, bars.CHECK_OUT_SIZE)
    bucket = np.zeros(bars.FOLD_STATE_SIZE, np.int64)
    folded = _ints(2, bars.FOLD_OUT_SIZE)
    grid = _ints(4)
    rules = _ints(3)
    return (
        (bars.check_step, (state, _floats(4), 1.0, 0, 1, grid, rules, 0, checked)),
        (
            bars.check_loop,
            (_floats(1, 4), _floats(1), _ints(1), 1, grid, rules, 0, _ints(1), checks),
        ),
        (bars.fold_step, (bucket, 1, _ints(5), 1, 1, 0, folded)),
        (bars.fold_loop, (_ints(1), _ints(1, 5), 1, 1, 0, _ints(2), folded)),
    )


def _column_calls() -> tuple[Call, ...]:
    program = np.array([(windows.MEAN, windows.CLOSE, 1, 0, 0)], np.int64)
    series = (_ints(1),) * 5
    operation = np.zeros((1, derived.FIELDS), np.int64)
    one = _floats(1)
    memory = windows.window_memory(program, _ints(4))
    code = np.array([0], np.int64)
    return (
        (windows.prices, (_ints(1), 1, 1)),
        (windows.window_step, (memory, _floats(1), 1, 1, 1, 1, 1)),
        (rolling.window_rows, (program, _ints(4), series, _floats(0), _floats(1, 1))),
        (derived.derived_step, (operation, _floats(1), one)),
        (derived.derived_series, (operation[0], one, one, one, _floats(1))),
        (
            expressions.evaluate_row,
            (code, _floats(1), _floats(1), _floats(1), _floats(1), _floats(1)),
        ),
        (
            expressions.evaluate_rows,
            (code, _floats(1), _floats(1, 1), _floats(1), _floats(1, 1)),
        ),
        (cross_section.cross_section, (cross_section.RANK, one, _ints(1), _floats(1))),
        (
            cross_section.cross_section_rows,
            (cross_section.RANK, one, _ints(1), np.array([0, 1], np.int64), _floats(1)),
        ),
        (correlation.returns_correlation, (_ints(3), _ints(3))),
        (brackets.distance_ticks, (1.0, 1, 1)),
    )


def _fill_calls() -> tuple[Call, ...]:
    state = fills.TradeState(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    bar = fills.BarStep(1, 2, 1, 1, 1, 1, 1)
    rules = fills.FillRules(*(0,) * 12)
    return (
        (fills.step_flat, (tuple(state), tuple(bar), tuple(rules))),
        (fills.quiet_range_flat, (tuple(state),)),
        (parts.step_parts_flat, (*(tuple(state),) * 3, tuple(bar), tuple(rules))),
        (parts.risked_ticks, ((1, 0, 0), (1, 0, 0))),
        (parts.part_lots, (1, (1, 0, 0), (1, 0, 0))),
        (fills.charged, (1, 1, (1, 1, 1_000))),
        (fills.impact_flat, (1, (0, 1, 1, 1))),
        (latency.travel_time_flat, ((1, 1, 1, 1), 1, 1, 1)),
        (fills.entry_need, (0, 1, 1, 1, 0, (1, 1, 1_000))),
    )


def _synthetic_calls() -> tuple[Call, ...]:
    regimes = _floats(synthetic.REGIMES)
    volumes = _ints(1, synthetic.BLOCK_MINUTES)
    paths = _ints(1, synthetic.BLOCK_MINUTES, synthetic.PATH_POINTS)
    one = _floats(1)
    return (
        (synthetic.uniform, (1, 1, 0, 0)),
        (synthetic.next_regime, (1, 0, 0)),
        (synthetic.advance, (1, 0, 0, _floats(1), one, one, regimes, regimes)),
        (
            synthetic.make_block,
            (1, 0, one, one, one, one, 1.0, _ints(1), _ints(1), paths, volumes),
        ),
    )

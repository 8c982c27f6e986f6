"""Sweeps: each set equal to its own backtest, stopped, told of, and run again on other prices."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from fakes.homes import plain_settings
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.strategies import load_strategies
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass
from tidewright.kernels.bulk import layout as at
from tidewright.market.arrays import BarArrays, bar_arrays
from tidewright.research.bulk.daily import daily_results
from tidewright.research.bulk.grid import grid_points, grid_setups, parse_grid
from tidewright.research.bulk.request import BulkRequest, Unsupported
from tidewright.research.bulk.result import BulkResult
from tidewright.research.bulk.run import run_bulk
from tidewright.research.bulk.sweep import SweepFamily, SweepRequest, run_sweep
from tidewright.research.results import DailyResults
from tidewright.strategy.library import library, template_named

MINUTES = 4_000
DAY = 86_400_000_000_000
_LEAVING = (at.EXIT, at.STOPPED, at.TARGETED)


@pytest.fixture(scope="module")
def base() -> BulkRequest:
    """Nearly three days of two simulated instruments."""
    feed = SimulatedFeed(5)
    slices = [slice_ for slice_, _ in zip(feed.slices(0), range(MINUTES), strict=False)]
    names = [one.id for one in feed.instruments][:2]
    series = [
        bar_arrays(
            name, "1m", [bar for one in slices for bar in one.events if bar.instrument == name]
        )
        for name in names
    ]
    bars = BarFeed(series, [one for one in feed.instruments if one.id in names], "test")
    return bulk_request(bars, load_strategies(["sma_cross"]), plain_settings(), TradingWindow(0))


def sweep_of(base: BulkRequest, grid: str, where: str = "") -> SweepRequest:
    points = grid_points(parse_grid(grid), where)
    return SweepRequest(base, grid_setups(template_named("sma_cross"), points))


def alone(request: SweepRequest, place: int) -> BulkResult:
    result = run_bulk(request.single(place))
    assert isinstance(result, BulkResult)
    return result


@pytest.mark.parametrize("instruments", [1, 2])
def test_every_set_equals_its_own_backtest(base: BulkRequest, instruments: int) -> None:
    base = replace(
        base, series=base.series[:instruments], instruments=base.instruments[:instruments]
    )
    request = sweep_of(base, "fast=4,9 slow=12,30 stop=1,3 rsi_limit=60,75")
    found = run_sweep(request)
    assert len(found) == len(request.setups) == 16
    days = (found.days + 1) * DAY
    for place in range(len(found)):
        result = alone(request, place)
        assert len(result.trade_rows) > 5
        last = np.searchsorted(result.times, days, side="right") - 1
        assert found.equity[place].tolist() == result.equity[last].tolist()
        assert found.trades[place] == len(result.trades())
        assert found.fees[place] == sum(fill.fee for fill in result.fills())
        flat = result.fill_rows[np.isin(result.fill_rows[:, at.FILL_LEG], _LEAVING)]
        closed = {(ts - 1) // DAY for ts in flat[:, at.FILL_KNOWN].tolist()}
        assert found.trade_days[place] == len(closed)
    assert len({tuple(row) for row in found.equity.tolist()}) == 16


@pytest.mark.parametrize("timeframe", ["", "5m"])
@pytest.mark.parametrize("name", list(library()))
def test_every_library_strategy_gives_in_a_sweep_what_it_gives_alone(
    base: BulkRequest, name: str, timeframe: str
) -> None:
    template = template_named(name)
    (number, value), *_ = template.parameters.items()
    points = ({}, {number: value + 1})
    only = base.instruments[0].id
    setups = grid_setups(
        template, points, lambda spec: replace(spec, timeframe=spec.timeframe or timeframe)
    )
    request = SweepRequest(base, (*setups, replace(setups[0], symbols=frozenset({only}))))
    if isinstance(run_bulk(request.single(0)), Unsupported):
        with pytest.raises(ConfigError, match="set 1 of the sweep"):
            run_sweep(request)
        return
    found = run_sweep(request)
    for place in range(3):
        one = daily_results(alone(request, place), request.single(place))
        assert found.days.tolist() == one.days.tolist()
        for figure in ("equity", "trades", "trade_days", "fees"):
            assert getattr(found, figure)[place].tolist() == getattr(one, figure)[0].tolist(), (
                figure
            )
        for figure in ("exposure", "turnover"):
            assert getattr(found, figure)[place] == pytest.approx(getattr(one, figure)[0], 1e-9)


def test_exposure_and_turnover_are_those_of_a_ledger_kept_by_hand(base: BulkRequest) -> None:
    request = sweep_of(base, "fast=9 slow=30")
    found, result = run_sweep(request), alone(request, 0)
    names = [one.id for one in result.instruments]
    closes = {
        one.instrument: dict(zip(one.ts_known, one.close, strict=True)) for one in base.series
    }
    worth = {one.id: float(one.tick_size * one.lot_size) * 1e8 for one in result.instruments}
    held = dict.fromkeys(names, 0)
    fills = [row for row in result.fill_rows.tolist()]
    total = traded = 0.0
    for ts in result.times.tolist():
        while fills and fills[0][at.FILL_KNOWN] <= ts:
            row = fills.pop(0)
            name = names[row[at.FILL_INSTRUMENT]]
            held[name] += row[at.FILL_SIGN] * row[at.FILL_LOTS]
            traded += row[at.FILL_LOTS] * row[at.FILL_TICKS] * worth[name]
        total += sum(held[name] * closes[name][ts] * worth[name] for name in names)
    assert found.exposure[0] == pytest.approx(total / len(result.times) / found.initial, rel=1e-9)
    assert found.turnover[0] == pytest.approx(traded / found.initial, rel=1e-9)


def test_days_are_those_of_the_market(base: BulkRequest) -> None:
    request = sweep_of(base, "fast=9 slow=30")
    around_the_clock = run_sweep(request)
    assert np.diff(around_the_clock.days).tolist() == [1] * (len(around_the_clock.days) - 1)

    def without_second_day(one: BarArrays) -> BarArrays:
        keep = np.flatnonzero((one.ts_known - 1) // DAY != around_the_clock.days[1])
        names = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
        return replace(one, **{name: getattr(one, name)[keep] for name in names})

    gap = replace(base, series=tuple(without_second_day(one) for one in base.series))
    same = run_sweep(replace(request, base=gap))
    assert same.days.tolist() == around_the_clock.days.tolist()
    assert same.equity[0, 1] == same.equity[0, 0]
    stocks = tuple(replace(one, asset_class=AssetClass.STOCK) for one in base.instruments)
    closed = run_sweep(replace(request, base=replace(gap, instruments=stocks)))
    assert closed.days.tolist() == np.delete(around_the_clock.days, 1).tolist()


def test_days_before_the_window_do_not_count(base: BulkRequest) -> None:
    start = int(base.series[0].ts_known[0]) + DAY
    request = sweep_of(replace(base, window=TradingWindow(start, start + DAY)), "fast=9 slow=30")
    found, result = run_sweep(request), alone(request, 0)
    assert found.days[0] == (start - 1) // DAY
    assert found.days[-1] == (start + DAY - 1) // DAY
    assert found.equity[0, -1] == result.equity[-1]


def test_progress_is_told_and_a_stop_keeps_what_is_done(base: BulkRequest) -> None:
    request = sweep_of(base, "fast=4:9 slow=30")
    told: list[tuple[int, int]] = []
    whole = run_sweep(request, progress=lambda done, count: told.append((done, count)))
    assert told[-1] == (6, 6)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 1

    part = run_sweep(request, stop=stop)
    assert 0 < len(part) <= len(whole)
    assert part.equity.tolist() == whole.equity[: len(part)].tolist()
    assert len(run_sweep(request, stop=lambda: True)) == 0


def test_a_family_runs_again_on_other_prices_and_in_other_processes(base: BulkRequest) -> None:
    family = SweepFamily("sma_cross", sweep_of(base, "fast=4,9 slow=30"))
    again = pickle.loads(pickle.dumps(family)).evaluate(base.series)
    assert again.equity.tolist() == run_sweep(family.request).equity.tolist()
    half = tuple(one.slice(0, len(one) // 2) for one in base.series)
    assert len(family.evaluate(half).days) < len(again.days)


def test_a_set_that_the_loop_cannot_run_is_named(base: BulkRequest) -> None:
    rich = replace(base, paper=replace(base.paper, initial_balance=Decimal(10**12)))
    with pytest.raises(ConfigError, match=r"set 1 of the sweep: an amount left the 64-bit range"):
        run_sweep(sweep_of(rich, "fast=4,9 slow=30"))


def test_what_the_loop_cannot_run_is_run_otherwise_set_by_set(base: BulkRequest) -> None:
    request = sweep_of(base, "fast=4,9 slow=30")
    asked: list[str] = []

    class Unwritten:
        name, references = "unwritten", ()

    other = replace(request.setups[0], strategy=Unwritten())
    mixed = replace(request, setups=(other, request.setups[1]))

    def otherwise(single: BulkRequest) -> DailyResults:
        asked.append(single.config.strategies[0].strategy.name)
        return daily_results(alone(request, 0), request.single(0))

    with pytest.raises(ConfigError, match=r"set 1 of the sweep: strategy 'unwritten' is written"):
        run_sweep(mixed)
    family = SweepFamily("mixed", mixed, otherwise)
    found, whole = family.evaluate(base.series), run_sweep(request)
    assert asked == ["unwritten"]
    assert found.days.tolist() == whole.days.tolist()
    for figure in ("equity", "trades", "trade_days", "fees"):
        assert getattr(found, figure).tolist() == getattr(whole, figure).tolist(), figure
    rich = replace(base, paper=replace(base.paper, initial_balance=Decimal(10**12)))
    with pytest.raises(ConfigError, match="left the 64-bit range"):
        run_sweep(replace(request, base=rich))
    run_sweep(replace(request, base=rich), otherwise=otherwise)
    assert asked[1:] == ["sma_cross", "sma_cross"]

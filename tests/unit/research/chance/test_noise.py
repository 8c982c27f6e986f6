"""Search on noise: what is compared, when it stops, and that it finds what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pytest

from fakes.market_rows import an_instrument
from fakes.toy_family import ToyFamily, results_of
from tidewright.domain.errors import ConfigError
from tidewright.market.arrays import BarArrays
from tidewright.research.chance.noise import (
    ENOUGH,
    BestOf,
    best_of_family,
    search_on_noise,
    statistic,
)
from tidewright.research.chance.null_markets import NullMarket, null_market
from tidewright.research.results import DailyResults
from tidewright.research.statistics.inference import t_statistic

INSTRUMENTS = (an_instrument("A"), an_instrument("B"))


def market(seed: int = 0, bars: int = 500) -> tuple[BarArrays, ...]:
    return null_market(NullMarket.RANDOM_WALK, seed, "AB", bars)


@dataclass(frozen=True)
class Scripted:
    """A family whose results are given: those of the market itself, and those of any copy."""

    close: np.ndarray
    real: DailyResults
    copy: DailyResults
    name: str = "scripted"

    def evaluate(self, series: tuple[BarArrays, ...]) -> DailyResults:
        return self.real if np.array_equal(series[0].close, self.close) else self.copy


def results(*means: float, days: int = 500, seed: int = 0, idle: bool = False) -> DailyResults:
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal((len(means), days))
    noise -= noise.mean(axis=1, keepdims=True)
    profit = 0.01 * noise + np.array(means)[:, None]
    first = market(bars=days)[0]
    traded = np.zeros_like(profit)
    if idle:
        profit[:] = 0.0
    else:
        traded[:, 0] = 1.0
    return results_of((first.ts_known - 1) // 86_400_000_000_000, profit, 0 * traded, traded, 0.0)


def scripted(real: DailyResults, copy: DailyResults) -> Scripted:
    return Scripted(market()[0].close, real, copy)


def test_statistic_is_the_best_t_of_the_excess() -> None:
    given = replace(results(0.0, 0.001, -0.001), exposure=np.array([0.0, 1.0, 0.5]))
    universe = np.random.Generator(np.random.PCG64(9)).standard_normal(500) * 0.01
    found = statistic(given, universe)
    expected = [t_statistic(given.daily_profit()[row] - given.exposure[row] * universe)
                for row in range(3)]  # fmt: skip
    assert found.place == int(np.argmax(expected))
    assert found.t == pytest.approx(max(expected))
    assert found.path[-1] == pytest.approx(
        (given.daily_profit()[found.place] - given.exposure[found.place] * universe).sum()
    )


def test_what_never_traded_cannot_win_and_losing_scores_as_trading_nothing() -> None:
    idle = results(0.0, 0.0, idle=True)
    found = statistic(idle, np.zeros(500))
    assert (found.place, found.t, found.score) == (-1, -np.inf, 0.0)
    losing = statistic(results(-0.002, -0.001), np.zeros(500))
    assert losing.place == 1
    assert losing.t < 0
    assert losing.score == 0.0


@pytest.mark.parametrize("real", [results(-0.001), results(0.0, idle=True)])
def test_nothing_gained_is_never_better_than_luck(real: DailyResults) -> None:
    copy = results(0.0, idle=True)
    found = search_on_noise(scripted(real, copy), market(), INSTRUMENTS)
    assert found.p_value == 1.0
    assert found.surrogates == ENOUGH
    assert found.stopped_early


def test_p_counts_reality_as_one_of_the_copies() -> None:
    found = search_on_noise(
        scripted(results(0.005), results(0.0, 0.001)), market(), INSTRUMENTS, surrogates=39
    )
    assert found.p_value == 1 / 40
    assert (found.exceedances, found.surrogates, found.stopped_early) == (0, 39, False)
    assert found.null.shape == (39,)
    assert found.median == found.critical(0.2) == found.null[0] > 0
    assert found.observed == statistic(results(0.005), np.zeros(500)).t


def test_copies_as_good_as_reality_count_and_enough_of_them_stop_it() -> None:
    told: list[tuple[int, int]] = []
    same = results(0.001)
    found = search_on_noise(
        scripted(same, same),
        market(),
        INSTRUMENTS,
        enough=3,
        progress=lambda done, as_good: told.append((done, as_good)),
    )
    # Without exposure the copies have exactly the t-statistic of reality.
    assert told == [(1, 1), (2, 2), (3, 3)]
    assert found.p_value == 1.0
    partly = search_on_noise(ToyFamily(), market(3), INSTRUMENTS, enough=5)
    assert partly.exceedances == 5
    assert partly.p_value == 5 / partly.surrogates
    assert partly.null[-1] >= partly.observed


def test_paths_of_the_best_on_copies_are_those_of_the_copies() -> None:
    found = search_on_noise(ToyFamily(), market(), INSTRUMENTS, surrogates=15, enough=99)
    assert found.fan.shape == (5, 500)
    assert (np.diff(found.fan, axis=0) >= 0).all()
    assert found.path.shape == found.days.shape == (500,)
    assert found.path[-1] == pytest.approx(
        best_of_family(ToyFamily(), market(), INSTRUMENTS).path[-1]
    )


@pytest.mark.parametrize("numbers", [{"surrogates": 0}, {"enough": 0}])
def test_numbers_out_of_range_are_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        search_on_noise(ToyFamily(), market(), INSTRUMENTS, **numbers)


def test_a_family_without_configurations_is_refused() -> None:
    empty = results()
    with pytest.raises(ConfigError, match="no configuration"):
        statistic(empty, np.zeros(500))


class TwoProcesses:
    def map(self, work: Callable[[int], BestOf], items: Iterable[int]) -> Iterator[BestOf]:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            yield from pool.map(work, items)


def test_result_is_the_same_on_two_processes_and_depends_on_the_seed() -> None:
    def run(seed: int, executor: TwoProcesses | None = None) -> np.ndarray:
        return search_on_noise(
            ToyFamily(), market(), INSTRUMENTS,
            surrogates=6, enough=99, seed=seed, executor=executor,
        ).null  # fmt: skip

    assert np.array_equal(run(1), run(1, TwoProcesses()))
    assert not np.array_equal(run(1), run(2))

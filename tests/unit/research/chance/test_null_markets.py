"""The whole pipeline where there is nothing to find, and where there is something.

Seeds are 0 to n - 1. A search is supported at 1 % where at most one of 200 copies is as good. A
fair test says so on a share 2 / 201 of null markets, and on more than 3 of 40 with probability
0.0007. Three copies as good already decide against it, so that is where a search stops.
"""

from __future__ import annotations

import numpy as np
import pytest

from fakes.market_rows import an_instrument
from fakes.null_studies import BARS, hunches, library_family, two_stocks
from fakes.toy_family import SteadyRisk, ToyFamily
from tidewright.market.arrays import BarArrays
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.chance.noise import search_on_noise
from tidewright.research.chance.null_markets import NullMarket, null_market

SEEDS = 40
MOST_SUPPORTED = 3
COST = 0.002
INSTRUMENTS = (an_instrument("A"), an_instrument("B"))
CASES = [
    pytest.param(kind, cost, marks=[pytest.mark.realdata] if real else [])
    for kind, real in (
        (NullMarket.RANDOM_WALK, False),
        (NullMarket.GARCH_T, False),
        (NullMarket.SIGN_FLIPPED, True),
        (NullMarket.PERMUTED, True),
        (NullMarket.RESAMPLED, True),
    )
    for cost in (0.0, COST)
]


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> tuple[BarArrays, ...]:
    return two_stocks(request.getfixturevalue("realdata"))


def markets(kind: NullMarket, request: pytest.FixtureRequest) -> list[tuple[BarArrays, ...]]:
    changed = kind not in (NullMarket.RANDOM_WALK, NullMarket.GARCH_T)
    given = request.getfixturevalue("real") if changed else ()
    return [null_market(kind, seed, "AB", BARS, given) for seed in range(SEEDS)]


@pytest.mark.parametrize(("kind", "cost"), CASES)
def test_searches_of_null_markets_are_not_supported(
    kind: NullMarket, cost: float, request: pytest.FixtureRequest
) -> None:
    family = ToyFamily(cost)
    p_values = [
        search_on_noise(family, one, INSTRUMENTS, enough=3).p_value
        for one in markets(kind, request)
    ]
    assert sum(p <= 0.01 for p in p_values) <= MOST_SUPPORTED


@pytest.mark.parametrize("kind", [case.values[0] for case in CASES[::2]])
def test_rules_earn_nothing_on_null_markets_before_costs(
    kind: NullMarket, request: pytest.FixtureRequest
) -> None:
    sharpes = np.array([mean_sharpe(one) for one in markets(kind, request)])
    assert abs(sharpes.mean()) < 3 * sharpes.std(ddof=1) / np.sqrt(SEEDS)


def mean_sharpe(series: tuple[BarArrays, ...]) -> float:
    results = ToyFamily().evaluate(series)
    beyond = excess(results, universe_returns(series, INSTRUMENTS, results.days))
    return float((beyond.mean(axis=1) / beyond.std(axis=1, ddof=1)).mean() * np.sqrt(365))


def test_costs_are_lost_where_nothing_can_be_found() -> None:
    series = null_market(NullMarket.RANDOM_WALK, 0, "AB", BARS)
    free, paid = ToyFamily().evaluate(series), ToyFamily(COST).evaluate(series)
    lost = (free.equity[:, -1] - paid.equity[:, -1]) / free.initial
    assert lost == pytest.approx(COST * free.turnover, rel=1e-6)


@pytest.mark.parametrize(("sharpe", "least"), [(2.4, 0.75), (3.2, 0.95)])
def test_the_one_true_candidate_of_a_hundred_is_found(sharpe: float, least: float) -> None:
    found = 0
    worlds = 12
    for seed in range(worlds):
        series = null_market(NullMarket.RANDOM_WALK, seed, "A", BARS)
        family = hunches(seed, series, sharpe)
        result = search_on_noise(family, series, INSTRUMENTS[:1], surrogates=99, enough=5)
        found += result.p_value <= 0.05 and result.best == 99
    # Two standard errors of 12 worlds below what 200 worlds have to show.
    assert found >= worlds * least - 2 * np.sqrt(worlds * least * (1 - least))


def test_a_pattern_in_prices_is_found_by_the_rules_that_follow_it() -> None:
    supported = 0
    for seed in range(8):
        draw = np.random.Generator(np.random.PCG64(seed))
        drift = 0.005 * np.repeat(draw.choice((-1.0, 1.0), BARS // 25), 25)
        plain = null_market(NullMarket.GARCH_T, seed, "AB", BARS)
        trending = tuple(trended(one, drift) for one in plain)
        supported += (
            search_on_noise(ToyFamily(COST), trending, INSTRUMENTS, enough=3).p_value <= 0.05
        )
    assert supported >= 7


def trended(bars: BarArrays, drift: np.ndarray) -> BarArrays:
    growth = np.exp(np.cumsum(drift))
    before = growth / np.exp(drift)
    opened, close = np.rint(bars.open * before), np.rint(bars.close * growth)
    high = np.maximum(np.rint(bars.high * before), np.maximum(opened, close))
    low = np.minimum(np.rint(bars.low * before), np.minimum(opened, close))
    prices = (one.astype(np.int64) for one in (opened, high, low, close))
    return BarArrays(bars.instrument, "1d", bars.ts_event, bars.ts_known, *prices, bars.volume)


def test_luck_with_the_times_at_which_prices_were_wild_is_on_the_copies_too() -> None:
    # Held more where it was calm, a falling market that fell in wild times looks like skill.
    p_values = [
        search_on_noise(
            SteadyRisk(),
            null_market(NullMarket.GARCH_T, seed, "AB", BARS),
            INSTRUMENTS,
            enough=6,
        ).p_value
        for seed in range(100)
    ]
    # 5 are expected; more than 12 come with probability 0.0015.
    assert sum(p <= 0.05 for p in p_values) <= 12


@pytest.mark.parametrize("costs", [False, True])
def test_the_library_itself_is_not_supported_on_null_markets(costs: bool) -> None:
    family = library_family(costs=costs)
    supported = 0
    for seed in range(4):
        series = null_market(NullMarket.GARCH_T, seed, "AB", BARS)
        instruments = family.request.base.instruments
        supported += search_on_noise(family, series, instruments, enough=3).p_value <= 0.01
    assert supported <= 1


def test_the_library_plays_fair_bets_and_pays_for_them() -> None:
    free, paid = (
        np.array(
            [
                family.evaluate(null_market(NullMarket.GARCH_T, seed, "AB", BARS))
                .daily_profit()
                .sum(axis=1)
                .mean()
                for seed in range(16)
            ]
        )
        for family in (library_family(costs=False), library_family(costs=True))
    )
    assert abs(free.mean()) < 3 * free.std(ddof=1) / 4
    assert (paid < free - 0.01).all()

"""A market that traders make: the same for a seed, conserving, and alike to real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fakes.agent_bars import minutes_of
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import SECOND
from tidewright.exchange.agents.facts import stylised_facts
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import ZERO_INTELLIGENCE, Population
from tidewright.kernels.matching import layout as at

SMALL = Population(makers=3, noise=40, momentum=5, value=10, arbitrage=1)
SHAPES = [MarketShape(30_000), MarketShape(5_000)]


def market(seed: int = 7, population: Population = SMALL) -> AgentMarket:
    return AgentMarket(SHAPES, population, seed)


def test_a_seed_gives_one_market_however_it_is_cut_into_runs() -> None:
    whole, parts = market(), market()
    assert whole.run(120 * SECOND)
    for moment in (1, 1_500_000_000, 7 * SECOND, 61 * SECOND, 120 * SECOND):
        assert parts.run(moment)
    assert np.array_equal(whole.words, parts.words)
    assert np.array_equal(whole.accounts, parts.accounts)
    for number in range(len(SHAPES)):
        rows = whole.take_trades(number)
        assert len(rows) > 100
        assert np.array_equal(rows, parts.take_trades(number))


def test_another_seed_gives_another_market() -> None:
    one, other = market(1), market(2)
    one.run(60 * SECOND)
    other.run(60 * SECOND)
    assert not np.array_equal(one.take_trades(0), other.take_trades(0))


def test_goods_and_money_are_conserved() -> None:
    living = market()
    before = living.accounts[:, at.N_RATES :].reshape(len(living.accounts), -1, 2).sum(axis=(0, 2))
    living.run(120 * SECOND)
    after = living.accounts[:, at.N_RATES :].reshape(len(living.accounts), -1, 2).sum(axis=(0, 2))
    assert after.tolist() == before.tolist()
    assert (living.accounts[:, at.N_RATES :] >= 0).all()
    assert living.messages > 1_000


def test_times_of_trades_rise_and_stay_within_the_run() -> None:
    living = market()
    living.run(60 * SECOND)
    times = living.take_trades(1)[:, at.WHEN]
    assert (np.diff(times) >= 0).all()
    assert 0 < times[0] <= times[-1] < 60 * SECOND == living.now


def test_makers_narrow_the_spread() -> None:
    def spread(population: Population) -> float:
        living = AgentMarket([MarketShape(60_000)], population, 3)
        seen = []
        for second in range(60, 600, 5):
            living.run(second * SECOND)
            living.take_trades(0)
            seen.append(int(living.books[0][at.ASK] - living.books[0][at.BID]))
        return float(np.mean(seen))

    assert spread(replace(Population(), makers=0)) > 1.5 * spread(Population())


def test_prices_look_like_prices_and_those_of_traders_without_a_mind_do_not() -> None:
    alive = stylised_facts(*minutes_of(Population(), 0, 2_500))
    mindless = stylised_facts(*minutes_of(ZERO_INTELLIGENCE, 0, 2_500))
    assert sum(alive.holds.values()) >= 6
    assert alive.holds["volatility clusters"]
    assert alive.holds["clusters last"]
    assert not mindless.holds["volatility clusters"]
    assert not mindless.holds["heavy tails"]


@pytest.mark.full
@pytest.mark.timeout(900)
def test_facts_hold_over_twenty_seeds() -> None:
    for seed in range(20):
        alive = stylised_facts(*minutes_of(Population(), seed, 20_000))
        assert sum(alive.holds.values()) >= 6, (seed, alive)


def test_facts_say_what_they_need() -> None:
    with pytest.raises(ConfigError, match="at least 300"):
        stylised_facts(np.ones(11), np.ones(10), np.ones(10))
    with pytest.raises(ConfigError, match="one price more"):
        stylised_facts(np.ones(10), np.ones(10), np.ones(10))


def test_an_empty_market_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        AgentMarket([], SMALL, 1)


def test_tied_markets_move_together_and_others_do_not() -> None:
    def correlation(tied: float) -> float:
        seen = []
        for seed in (11, 12):
            shape = MarketShape(60_000, tied=tied)
            living = AgentMarket([shape], Population(arbitrage=0), seed, common_seed=5)
            worth = []
            for minute in range(1, 301):
                living.run(minute * 60 * SECOND)
                living.take_trades(0)
                worth.append(0.5 * float(living.books[0][at.BID] + living.books[0][at.ASK]))
            seen.append(np.diff(np.log(worth)))
        return float(np.corrcoef(seen)[0, 1])

    assert correlation(0.8) > 0.4
    assert abs(correlation(0.0)) < 0.2

"""A market's state as bytes: what goes on from it is the market that never stopped."""

from __future__ import annotations

import zlib
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.kernels.matching import layout as at

SMALL = Population(makers=3, noise=40, momentum=5, value=10, arbitrage=1)
SHAPES = [MarketShape(30_000), MarketShape(5_000)]


def market(seed: int = 7, shapes: list[MarketShape] | None = None) -> AgentMarket:
    return AgentMarket(shapes or SHAPES, SMALL, seed)


def run(living: AgentMarket, until: int) -> list[np.ndarray]:
    assert living.run(until)
    return [living.take_trades(number) for number in range(len(living.markets))]


def assert_equal(one: AgentMarket, other: AgentMarket) -> None:
    assert one.save() == other.save()
    for book, twin in zip(one.books, other.books, strict=True):
        assert np.array_equal(book, twin)


@settings(max_examples=8, deadline=None)
@given(
    saved=st.integers(0, 20_000),
    elsewhere=st.integers(0, 20_000),
    further=st.integers(1, 20_000),
    seed=st.integers(0, 3),
)
def test_restored_market_goes_on_as_the_one_that_never_stopped(
    saved: int, elsewhere: int, further: int, seed: int
) -> None:
    living, other = market(seed), market(seed + 1)
    run(living, saved * MILLISECOND)
    run(other, elsewhere * MILLISECOND)
    state = living.save()
    other.restore(state)
    assert_equal(living, other)
    until = (saved + further) * MILLISECOND
    for rows, twins in zip(run(living, until), run(other, until), strict=True):
        assert np.array_equal(rows, twins)
    assert_equal(living, other)


def test_a_book_is_saved_by_its_occupied_levels_alone() -> None:
    living = market()
    run(living, 20 * SECOND)
    assert len(living.save()) < 100_000 < living.books[0].nbytes


def test_a_log_that_nobody_took_is_not_lost_silently() -> None:
    living = market()
    living.run(20 * SECOND)
    with pytest.raises(ConfigError, match="taken first"):
        living.save()


def test_every_damaged_byte_is_noticed_and_changes_nothing() -> None:
    living = market()
    run(living, 5 * SECOND)
    state, before = living.save(), living.books[0].copy()
    draw = np.random.default_rng(3)
    for place in draw.integers(0, len(state), 200).tolist():
        damaged = bytearray(state)
        damaged[place] ^= 1 << int(draw.integers(8))
        with pytest.raises(DataIntegrityError, match="damaged"):
            living.restore(bytes(damaged))
    for cut in (0, 1, 15, 16, 17, len(state) - 1):
        with pytest.raises(DataIntegrityError, match="damaged"):
            living.restore(state[:cut])
    assert np.array_equal(living.books[0], before)


def test_state_of_another_shape_is_refused() -> None:
    state = market().save()
    with pytest.raises(DataIntegrityError, match="another shape"):
        market(shapes=[MarketShape(3_000, 64**2), MarketShape(500, 64**2)]).restore(state)
    words = zlib.compress(np.zeros(3, np.int64).tobytes())
    with pytest.raises(DataIntegrityError, match="another shape"):
        market().restore(blake2b(words, digest_size=16).digest() + words)


def test_levels_without_orders_are_all_zeros() -> None:
    living = market()
    run(living, 40 * SECOND)
    for book in living.books:
        levels = book[book[at.LEVELS] : book[at.WAITING_LEVELS]].reshape(-1, at.N_LEVEL)
        occupied = levels[:, at.FIRST] > 0
        assert 0 < occupied.sum() <= book[at.LIVE]
        assert not levels[~occupied].any()

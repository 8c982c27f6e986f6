"""The compiled order book does what an exchange written in plain Python does."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from fakes.matching_rivals import Mix, Rivals

MIXES = {
    "narrow": Mix(),
    "wide": Mix(prices=4_000, accounts=9, spread=40),
    "poor": Mix(accounts=6, most_lots=60, money=9_000),
    "free of fees": Mix(maker_ppm=0, taker_ppm=0, spread=3),
}
EVERY_EVENT = {"trade", "end", "triggered", "pair", "kept apart", "trails"}


@pytest.mark.parametrize("name", MIXES)
def test_same_trades_books_and_balances(name: str) -> None:
    rivals = Rivals(MIXES[name])
    draw = random.Random(name)
    for _ in range(20):
        rivals.play(draw, 250)
        rivals.compare_state()
    assert {event[0] for event in rivals.plain.events} == EVERY_EVENT


@pytest.mark.full
@pytest.mark.timeout(1_200)
def test_a_million_messages() -> None:
    ended: Counter[object] = Counter()
    for seed in range(50):
        rivals = Rivals(list(MIXES.values())[seed % len(MIXES)])
        draw = random.Random(seed)
        for _ in range(20):
            rivals.play(draw, 1_000)
            rivals.compare_state()
        ended.update(event[3] for event in rivals.plain.events if event[0] == "end")
    assert len(ended) == 4, "every reason to end was met"

"""Pauses, budgets, sequences and backfill: each held to its rule by arbitrary histories."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.turned_time import TurnedTime
from tidewright.adapters.binance.streams.backfill import ATTEMPTS, Backfilled, Hole, place_of
from tidewright.adapters.binance.streams.messages import BookTicker, Kline, MiniTicker, Trade
from tidewright.adapters.binance.streams.pacing import Backoff, MessageBudget
from tidewright.adapters.binance.streams.sequences import Line, Newest
from tidewright.domain.errors import ConfigError, RateLimited, Rejected, Transient

MINUTE = 60_000_000_000


def test_pauses_double_up_to_the_longest_and_begin_again():
    backoff = Backoff(0.5, 3.0, lambda: 0.0)
    assert [backoff.pause() for _ in range(5)] == [0.25, 0.5, 1.0, 1.5, 1.5]
    backoff.reset()
    assert backoff.pause() == 0.25
    assert Backoff(1.0, 1.0, lambda: 0.5).pause() == 0.75
    for first, longest in ((0.0, 1.0), (2.0, 1.0)):
        with pytest.raises(ConfigError, match="pauses were"):
            Backoff(first, longest, random.random)


@given(
    most=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 2, allow_nan=False), min_size=1, max_size=40),
)
def test_a_budget_is_never_overdrawn_in_any_second(most: int, gaps: list[float]) -> None:
    budget, now, sent = MessageBudget(most), 0.0, []
    for gap in gaps:
        now += gap
        # Waiting as long as was said is enough, but for the rounding of the clock.
        now += budget.wait(now)
        assert budget.wait(now) < 1e-9
        budget.spend(now)
        sent.append(now)
    for number in range(most, len(sent)):
        assert sent[number] - sent[number - most] > 1.0 - 1e-9


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="budget was 0"):
        MessageBudget(0)


def candle(minute: int, *, closed: bool = True, told: int = 0) -> Kline:
    start = minute * MINUTE
    return Kline("AB", "1m", start, start + MINUTE, 1, 1, 1, 1, 1, 1, 1, closed, told)


def test_each_event_passes_once_and_never_after_a_later_one():
    newest = Newest()
    trade = Trade("AB", 5, 1, 1, 0, True)
    assert newest.accepts(trade)
    assert not newest.accepts(trade)
    assert not newest.accepts(Trade("AB", 4, 1, 1, 0, True))
    assert newest.accepts(Trade("CD", 4, 1, 1, 0, True))
    assert newest.accepts(BookTicker("AB", 1, 1, 1, 2, 1))
    assert newest.accepts(MiniTicker("AB", 1, 1, 1, 1, 1, 1, 1))
    assert newest.accepts(candle(1, closed=False, told=1))
    assert not newest.accepts(candle(1, closed=False, told=1))
    assert newest.accepts(candle(1, told=2))
    # Another connection tells of the same end at another time.
    assert not newest.accepts(candle(1, told=3))
    assert not newest.accepts(candle(1, closed=False, told=4))
    newest.forget()
    assert newest.accepts(trade)


@given(
    numbers=st.lists(st.integers(0, 30), max_size=60),
    start=st.one_of(st.none(), st.integers(-1, 10)),
    has=st.sets(st.integers(0, 40)),
)
@settings(max_examples=150)
def test_a_line_gives_each_number_once_in_order_and_skips_only_what_was_given_up(
    numbers: list[int], start: int | None, has: set[int]
) -> None:
    line: Line[int] = Line(start)
    found: list[int] = []
    for number in numbers:
        found += line.take(number, number)
        if number % 7 == 3:
            line.owe(number)
    before = list(found)
    assert before == list(range(before[0], before[0] + len(before))) if before else True
    nowhere: set[int] = set()
    while (gap := line.missing) is not None:
        first, past = gap
        nowhere |= set(range(first, past)) - has
        found += line.fill(past, {number: number for number in has})
    assert found == sorted(set(found))
    if found:
        skipped = set(range(found[0], found[-1] + 1)) - set(found)
        assert skipped <= nowhere
        late = set(numbers) - set(found)
        assert all(number <= (line.last or 0) for number in late)


class Source:
    """Answers what it has, or fails as the test says."""

    def __init__(self, has: Mapping[int, str], *faults: Exception) -> None:
        self.has = dict(has)
        self.faults = list(faults)
        self.asked: list[tuple[int, int]] = []

    async def fetch(self, first: int, past: int) -> Mapping[int, str]:
        self.asked.append((first, past))
        if self.faults:
            raise self.faults.pop(0)
        return {number: text for number, text in self.has.items() if first <= number < past}


class Filled:
    """What a backfilled line handed on and reported."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.time = TurnedTime()
        self.things: list[str] = []
        self.holes: list[Hole] = []
        self.line = Backfilled(
            source.fetch, self.things.append, self.holes.append, timing=self.time.timing
        )


def filled(source: Source) -> Callable[[Callable[[Filled], Coroutine[None, None, None]]], None]:
    """Run a test against a backfilled line."""

    def run(look: Callable[[Filled], Coroutine[None, None, None]]) -> None:
        async def whole() -> None:
            rig = Filled(source)
            task = asyncio.create_task(rig.line.run())
            async with asyncio.timeout(20):
                await look(rig)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(whole())

    return run


def test_what_was_missed_is_fetched_and_handed_on_in_its_place():
    @filled(Source({2: "b", 3: "c", 4: "d", 6: "f"}))
    async def look(rig: Filled) -> None:
        rig.line.take(1, "a")
        rig.line.take(4, "d")
        rig.line.take(4, "again")
        assert rig.things == ["a"]
        await rig.time.turn(0)
        assert rig.things == ["a", "b", "c", "d"]
        rig.line.take(5, "e")
        rig.line.owe(7)
        await rig.time.turn(0)
        assert rig.things == ["a", "b", "c", "d", "e", "f"]
        assert rig.source.asked == [(2, 4), (6, 7)]
        assert rig.holes == []


def test_a_fetch_that_fails_in_passing_is_repeated_after_pauses():
    @filled(Source({2: "b"}, Transient("no"), RateLimited("slow", 7.0)))
    async def look(rig: Filled) -> None:
        rig.line.take(1, "a")
        rig.line.take(3, "c")
        await rig.time.turn(0.3)
        assert len(rig.source.asked) == 2
        await rig.time.turn(6.9)
        assert rig.things == ["a"]
        await rig.time.turn(0.2)
        assert rig.things == ["a", "b", "c"]


def test_an_answer_that_lags_is_asked_for_again_before_it_is_given_up():
    @filled(Source({2: "b"}))
    async def look(rig: Filled) -> None:
        rig.line.take(1, "a")
        rig.line.owe(4)
        await rig.time.turn(0.2)
        assert rig.things == ["a", "b"]
        rig.source.has[3] = "c"
        await rig.time.turn(1)
        assert rig.things == ["a", "b", "c"]
        assert rig.holes == []
        rig.line.take(6, "f")
        await rig.time.turn(60)
        assert rig.things == ["a", "b", "c", "f"]
        assert rig.holes == [Hole(4, 6, 2)]
        assert rig.source.asked[-ATTEMPTS:] == [(4, 6)] * ATTEMPTS


def test_a_refusal_of_a_fetch_is_raised():
    async def whole() -> None:
        rig = Filled(Source({}, Rejected("never")))
        rig.line.take(1, "a")
        rig.line.take(3, "c")
        with pytest.raises(Rejected, match="never"):
            await asyncio.wait_for(rig.line.run(), 5)

    asyncio.run(whole())


def test_candles_are_numbered_by_their_place_in_time():
    assert [place_of(candle(number)) for number in (7, 8)] == [7, 8]

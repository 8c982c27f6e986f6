"""Timed streams keep the clock's beat, however late they are called, and are the same each time."""

from __future__ import annotations

import asyncio

import pytest

from fakes.driven_market import Listening
from fakes.open_venue import OTHER, OpenVenue, open_venue
from fakes.venue_wire import Alarm, TurnedClock
from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.exchange.agents.population import Population

START = 1_700_000_000 * SECOND
NAMES = (
    *("btcusdt@trade", "btcusdt@aggTrade", "btcusdt@bookTicker", "btcusdt@depth@100ms"),
    *("ethusdt@depth5", "btcusdt@kline_1s", "ethusdt@ticker", "!miniTicker@arr"),
)


class LateClock(TurnedClock):
    """Calls back later than it was asked to, each time by another while."""

    def call_later(self, delay, call) -> Alarm:
        late = (37 * len(self._alarms) + self.now() // MILLISECOND) % 53 / 1_000
        return super().call_later(delay + late, call)


def listening(venue: OpenVenue, *names: str) -> Listening:
    listener = Listening()
    for name in names:
        venue.streams.markets.listen(name, listener, venue.venue.clock.now())
    return listener


def run(talk, clock, **options):
    async def whole():
        async with open_venue(clock=clock, **options) as venue:
            await talk(venue)

    asyncio.run(whole())


@pytest.mark.parametrize("clock", [TurnedClock(START), LateClock(START)])
def test_late_calls_do_not_add_up(clock):
    async def talk(venue):
        hears = listening(venue, "btcusdt@depth@100ms", "btcusdt@depth")
        for number in range(180):
            clock.turn(0.033)
            venue.place(Side.BUY, 50_000 + number, 0.01)
        beats = [event["E"] // 100 for event in hears.take()]
        fast, slow = 180 * 33 // 100, 180 * 33 // 1000
        distinct = sorted(set(beats))
        # No beat is missing, and the slow stream speaks in the same moments as the fast one.
        assert distinct == list(range(distinct[0], distinct[0] + len(distinct)))
        assert fast - 1 <= len(distinct) <= fast
        assert slow - 1 <= len(beats) - len(distinct) <= slow

    run(talk, clock)


def test_missed_beats_are_made_up_for_once():
    clock = TurnedClock(START)

    async def talk(venue):
        hears = listening(venue, "btcusdt@miniTicker", "btcusdt@depth@100ms")
        venue.place(Side.BUY, 50_000, 0.01)
        venue.streams.pump.stop()
        clock.turn(5.25)
        venue.streams.pump.beat()
        assert [event["e"] for event in hears.take()] == ["depthUpdate", "24hrMiniTicker"]
        venue.streams.pump.start()
        clock.turn(1.0)
        assert [event["e"] for event in hears.take()] == ["24hrMiniTicker"]

    run(talk, clock)


def test_clock_that_is_set_back_does_not_stop_the_streams():
    clock = TurnedClock(START)

    async def talk(venue):
        hears = listening(venue, "btcusdt@miniTicker")
        clock.turn(2.0)
        assert len(hears.take()) == 2
        clock._now -= 10 * SECOND
        venue.streams.pump.beat()
        venue.streams.pump.stop()
        venue.streams.pump.start()
        clock.turn(2.0)
        assert len(hears.take()) == 2

    run(talk, clock)


def test_nobody_is_told_when_the_pump_stands():
    clock = TurnedClock(START)

    async def talk(venue):
        hears = listening(venue, "btcusdt@miniTicker")
        venue.streams.pump.stop()
        venue.streams.pump.stop()
        clock.turn(3.0)
        assert hears.take() == []

    run(talk, clock)


def messages(steps: int) -> list[bytes]:
    clock, texts = TurnedClock(START), []

    async def talk(venue):
        hears = listening(venue, *NAMES)
        for number in range(steps):
            clock.turn(0.07)
            if number % 5 == 0:
                venue.place(Side.BUY, 60_000 + number, 0.002, account=OTHER)
        texts.extend(hears.texts)

    run(talk, clock, population=Population(noise=60, momentum=6, value=12))
    return texts


def test_same_seed_and_orders_give_the_same_bytes():
    first = messages(60)
    assert first == messages(60)
    assert len(first) > 100

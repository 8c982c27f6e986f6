"""A trade in parts at the paper venue: one entry, a stop and a target for each part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.orders import bar, cancel, intent, leaving, submit
from fakes.venue_harness import FREE_OF_COST, INSTRUMENTS
from tidewright.domain.events import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    StopMoved,
    VenueEvent,
)
from tidewright.domain.orders import Bracket, BracketPart
from tidewright.exchange.paper import MemoryVenueLog, PaperSettings, PaperVenue

# The tiers of 25, 50 and 25 %: +5/-5, +10/-7 and +20/-10 % of 100.00.
PARTS = (
    BracketPart(25, 9_500, 10_500),
    BracketPart(50, 9_300, 11_000),
    BracketPart(25, 9_000, 12_000),
)
TIERED = Bracket(9_500, 10_500, None, PARTS)
STILL = (10_000, 10_010, 9_990, 10_000)


def venue(settings: PaperSettings = FREE_OF_COST, log: MemoryVenueLog | None = None) -> PaperVenue:
    return PaperVenue(INSTRUMENTS, settings, log or MemoryVenueLog(), 7)


def told(events: list[VenueEvent]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for event in events:
        if isinstance(event, OrderFilled):
            fill = event.fill
            found.append(("fill", fill.client_id[-1], fill.lots, fill.ticks))
        elif isinstance(event, OrderAccepted | OrderCanceled | OrderRejected):
            found.append((type(event).__name__[5:].lower(), event.client_id[-1]))
        elif isinstance(event, StopMoved):
            found.append(("moved", event.client_id[-1], event.stop_ticks))
    return found


def opened(settings: PaperSettings = FREE_OF_COST, bracket: Bracket = TIERED) -> PaperVenue:
    broker = venue(settings)
    broker.execute(submit(intent("a-1-e", 0, bracket=bracket)))
    broker.observe([bar(0, *STILL)])
    return broker


def test_entry_opens_a_stop_and_a_target_for_each_part() -> None:
    broker = venue()
    assert told(broker.execute(submit(intent("a-1-e", 0, bracket=TIERED)))) == [("accepted", "e")]
    assert told(broker.observe([bar(0, *STILL)])) == [
        ("fill", "e", 100, 10_000),
        *(("accepted", leg) for leg in "stuwvy"),
    ]


def test_each_part_leaves_by_its_own_levels() -> None:
    broker = opened()
    # Down to the first stop, then up to the second and third target.
    assert told(broker.observe([bar(1, 10_000, 10_100, 9_450, 10_000)])) == [
        ("fill", "s", 25, 9_500),
        ("canceled", "t"),
    ]
    assert told(broker.observe([bar(2, 10_000, 11_001, 9_950, 11_000)])) == [
        ("fill", "w", 50, 11_000),
        ("canceled", "u"),
    ]
    assert told(broker.observe([bar(3, 12_300, 12_400, 12_200, 12_300)])) == [
        ("fill", "y", 25, 12_300),
        ("canceled", "v"),
    ]
    assert broker.account().positions == ()
    assert told(broker.observe([bar(4, 5_000, 20_000, 4_000, 10_000)])) == []


def test_bar_that_touches_everything_stops_every_part() -> None:
    broker = opened()
    assert told(broker.observe([bar(1, 10_000, 13_000, 8_000, 10_000)])) == [
        ("fill", "s", 25, 9_500),
        ("canceled", "t"),
        ("fill", "u", 50, 9_300),
        ("canceled", "w"),
        ("fill", "v", 25, 9_000),
        ("canceled", "y"),
    ]


def test_exit_closes_all_parts_at_once() -> None:
    broker = opened()
    broker.execute(submit(leaving("a-2-x", 1)))
    assert told(broker.observe([bar(1, 10_020, 10_030, 10_010, 10_020)])) == [
        ("fill", "x", 100, 10_020),
        *(("canceled", leg) for leg in "stuwvy"),
    ]


def test_trailing_stop_moves_for_every_part() -> None:
    bracket = replace(TIERED, trail_ticks=400)
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, bracket=bracket)))
    moved = told(broker.observe([bar(0, *STILL)]))[7:]
    assert moved == [("moved", leg, 9_610) for leg in "suv"]
    assert told(broker.observe([bar(1, 10_000, 10_000, 9_600, 9_700)])) == [
        ("fill", "s", 25, 9_610),
        ("canceled", "t"),
        ("fill", "u", 50, 9_610),
        ("canceled", "w"),
        ("fill", "v", 25, 9_610),
        ("canceled", "y"),
    ]


def test_part_that_closes_ends_what_is_left_of_the_entry() -> None:
    broker = venue(replace(FREE_OF_COST, simulate_volume_limit=True))
    broker.execute(submit(intent("a-1-e", 0, bracket=TIERED)))
    assert told(broker.observe([bar(0, *STILL, volume=4_000)])) == [
        ("fill", "e", 40, 10_000),
        *(("accepted", leg) for leg in "stuw"),
    ]
    assert told(broker.observe([bar(1, 10_510, 10_520, 10_505, 10_510, volume=4_000)])) == [
        ("fill", "t", 25, 10_510),
        ("canceled", "s"),
        ("canceled", "e"),
    ]
    assert broker.account().positions == (("BTCUSDT", 15),)
    assert told(broker.observe([bar(2, 9_200, 9_210, 9_190, 9_200)])) == [
        ("fill", "u", 15, 9_200),
        ("canceled", "u"),
        ("canceled", "w"),
    ]


def test_leg_of_one_part_is_cancelled_alone() -> None:
    broker = opened()
    assert told(broker.execute(cancel("a-1-u"))) == [("canceled", "u")]
    assert told(broker.observe([bar(1, 8_900, 8_910, 8_890, 8_900)])) == [
        ("fill", "s", 25, 8_900),
        ("canceled", "t"),
        ("fill", "v", 25, 8_900),
        ("canceled", "y"),
    ]
    assert broker.account().positions == (("BTCUSDT", 50),)


@pytest.mark.parametrize(
    "parts",
    [
        PARTS[:1],
        PARTS[:2],
        (*PARTS, BracketPart(25, 9_000, 12_000)),
        (replace(PARTS[0], lots=0), replace(PARTS[1], lots=100)),
    ],
)
def test_parts_that_are_not_the_entry_are_refused(parts: tuple[BracketPart, ...]) -> None:
    broker = venue()
    (refused,) = broker.execute(submit(intent("a-1-e", 0, bracket=replace(TIERED, parts=parts))))
    assert isinstance(refused, OrderRejected)
    assert refused.code == "INVALID_PARTS"


def test_restarted_venue_goes_on_with_every_part() -> None:
    bars = [
        bar(0, *STILL, volume=5_000),
        bar(1, 10_000, 10_020, 9_980, 10_000, volume=8_000),
        bar(2, 10_000, 10_600, 9_990, 10_500),
        bar(3, 10_500, 10_510, 9_290, 9_300, volume=3_000),
        bar(4, 9_300, 9_310, 8_900, 9_000),
    ]
    settings = replace(
        FREE_OF_COST,
        simulate_volume_limit=True,
    )
    whole = venue(settings)
    log = MemoryVenueLog()
    order = submit(intent("a-1-e", 0, bracket=TIERED))
    whole.execute(order)
    venue(settings, log).execute(order)
    for one in bars:
        assert venue(settings, log).observe([one]) == whole.observe([one])
    assert venue(settings, log).events_since(0) == whole.events_since(0)
    assert venue(settings, log).account() == whole.account()

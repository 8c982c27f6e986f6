"""The order in which the driver writes, decides, commits, tells and carries out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fakes.engines import BUY, CASH, Bench, Scripted, setup
from fakes.orders import START, bar
from tidewright.app.driver import Driver
from tidewright.domain import events as ev
from tidewright.domain.facts import Command, Outcome, SubmitOrder
from tidewright.domain.market import Bar, DataDefect
from tidewright.domain.orders import Fill
from tidewright.engine.core import Engine

FLAT = [bar(number, 10_000, 10_010, 9_990, 10_005) for number in range(8)]
UP = bar(8, 10_005, 10_020, 10_000, 10_010)
Note = tuple[object, ...]


class Story:
    """Journal, broker and sink in one; writes down who was called in which order."""

    def __init__(self) -> None:
        self.notes: list[Note] = []
        self.slices: list[ev.Slice] = []
        self.pending: list[ev.VenueEvent] = []
        self.fails = ""

    def _note(self, *note: object) -> None:
        self.notes.append(note)
        if note[0] == self.fails:
            raise OSError(f"{note[0]} failed")

    def append(self, slice_: ev.Slice) -> int:
        self.slices.append(slice_)
        self._note("append", len(self.slices))
        return len(self.slices)

    def record(self, outcome: Outcome) -> None:
        self._note("record", outcome.sequence)

    def commit(self, *, durable: bool) -> None:
        self._note("commit", durable)

    def publish(self, slice_: ev.Slice, outcome: Outcome) -> None:
        self._note("publish", outcome.sequence)

    def observe(self, bars: Sequence[Bar]) -> Sequence[ev.VenueEvent]:
        self._note("observe", len(bars))
        found, self.pending = self.pending, []
        return found

    def execute(self, command: Command) -> Sequence[ev.VenueEvent]:
        self._note("execute", type(command).__name__)
        assert isinstance(command, SubmitOrder)
        order = command.order.intent
        return [ev.OrderAccepted(order.client_id, "v1", order.ts_decided, 1)]

    def close(self) -> None:
        self._note("close")

    def events_since(self, venue_sequence: int) -> Sequence[ev.VenueEvent]:
        return ()

    def account(self) -> ev.AccountReported:
        return ev.AccountReported(CASH, (), START, 0)


def driven(batch: int = 1) -> tuple[Driver, Story]:
    story = Story()
    bench = Bench(setup(Scripted("buyer", {10_010: BUY})))
    driver = Driver(Engine(bench.engine.config), story, story, [story], batch=batch)
    driver.control(START, [*_opening(bench), story.account()])
    story.notes.clear()
    return driver, story


def _opening(bench: Bench) -> list[ev.Event]:
    instrument = bench.engine.state.tracks["BTCUSDT"].instrument
    return [ev.InstrumentDefined(instrument), ev.Started(START, "f")]


def market(driver: Driver, *bars: Bar) -> Outcome:
    return driver.market(ev.Slice(bars[0].ts_known, bars))


def test_quiet_slice_is_written_decided_committed_and_told() -> None:
    driver, story = driven()
    market(driver, FLAT[0])
    expected = [("observe", 1), ("append", 2), ("record", 2), ("commit", False), ("publish", 2)]
    assert story.notes == expected


def test_command_leaves_after_the_durable_commit_that_holds_it_and_nothing_is_told_before() -> None:
    driver, story = driven()
    market(driver, UP)
    assert story.notes == [
        ("observe", 1),
        ("append", 2),
        ("record", 2),
        ("commit", True),
        ("publish", 2),
        ("execute", "SubmitOrder"),
        ("append", 3),
        ("record", 3),
        ("commit", False),
        ("publish", 3),
    ]


def test_answers_form_a_slice_of_their_own_at_the_same_moment() -> None:
    driver, story = driven()
    outcome = market(driver, UP)
    answers = story.slices[-1]
    assert [type(event) for event in answers.events] == [ev.OrderAccepted]
    assert answers.ts_known == outcome.ts_known == UP.ts_known


def test_slices_without_commands_share_a_commit_and_are_told_after_it() -> None:
    driver, story = driven(batch=3)
    story.notes.clear()
    for one in FLAT[:5]:
        market(driver, one)
    names = [note[0] for note in story.notes if note[0] in ("commit", "publish")]
    # The opening slice is the first of the three.
    assert names == ["commit", "publish", "publish", "publish"] + ["commit"] + ["publish"] * 3
    told = [note[1] for note in story.notes if note[0] == "publish"]
    assert told == [1, 2, 3, 4, 5, 6]


def test_command_takes_the_waiting_slices_with_it_in_order() -> None:
    driver, story = driven(batch=100)
    market(driver, FLAT[0])
    market(driver, FLAT[1])
    assert not [note for note in story.notes if note[0] == "commit"]
    market(driver, UP)
    names = [note for note in story.notes if note[0] in ("commit", "publish", "execute")]
    assert names == [
        ("commit", True),
        *[("publish", sequence) for sequence in (1, 2, 3, 4)],
        ("execute", "SubmitOrder"),
    ]


def test_flush_tells_what_waits_and_nothing_twice() -> None:
    driver, story = driven(batch=100)
    market(driver, FLAT[0])
    driver.flush(durable=True)
    driver.flush(durable=True)
    assert [note for note in story.notes if note[0] == "publish"] == [
        ("publish", 1),
        ("publish", 2),
    ]


@pytest.mark.parametrize("step", ["append", "record", "commit"])
def test_what_could_not_be_stored_is_neither_told_nor_carried_out(step: str) -> None:
    driver, story = driven()
    story.fails = step
    with pytest.raises(OSError, match=f"{step} failed"):
        market(driver, UP)
    assert not [note for note in story.notes if note[0] in ("publish", "execute")]


def test_venue_meets_the_bars_before_the_strategy_and_its_fills_come_first() -> None:
    driver, story = driven()
    market(driver, UP)
    order = driver.engine.state.orders.working()[0].intent
    later = bar(9, 10_010, 10_020, 10_000, 10_005)
    fill = Fill("t1", order.client_id, "BTCUSDT", order.side, order.lots, 10_011, 0, False, START)
    story.pending = [ev.OrderFilled(fill, 2)]
    story.notes.clear()
    market(driver, later)
    assert story.notes[0] == ("observe", 1)
    assert [type(event) for event in story.slices[-1].events] == [ev.OrderFilled, Bar]
    assert driver.engine.state.portfolio.holdings["BTCUSDT"].lots == order.lots


def test_defects_of_a_slice_come_before_fills_and_bars_and_the_venue_sees_bars_alone() -> None:
    driver, story = driven()
    defect = ev.DatumQuarantined(DataDefect("BTCUSDT", START, "rule", "detail"))
    story.pending = [ev.AccountReported(CASH, (), START, 0)]
    driver.market(ev.Slice(UP.ts_known, (defect, FLAT[0]._replace(ts_known=UP.ts_known))))
    assert story.notes[0] == ("observe", 1)
    kinds = [type(event) for event in story.slices[-1].events]
    assert kinds == [ev.DatumQuarantined, ev.AccountReported, Bar]


def test_control_events_are_put_in_the_order_of_a_slice() -> None:
    driver, story = driven()
    report, live = ev.AccountReported(CASH, (), START, 0), ev.FeedStatus(True, "")
    driver.control(START, [ev.ClockTick(), report, live, ev.Started(START, "f")])
    kinds = [type(event) for event in story.slices[-1].events]
    assert kinds == [ev.Started, ev.FeedStatus, ev.AccountReported, ev.ClockTick]

"""A kept book is the venue's whenever it says that it is good, whatever was lost on the way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tidewright.domain.errors import ConfigError
from tidewright.market.local_book import (
    BookChange,
    BookSnapshot,
    BookStatus,
    Level,
    LocalBook,
    Taken,
)

MIDDLE, WIDTH = 1_000, 6


@dataclass
class Venue:
    """The true book of a venue, never crossed, and what it says of it."""

    draw: random.Random
    update: int = 100
    bids: dict[int, int] = field(default_factory=lambda: {MIDDLE - 1: 5, MIDDLE - 3: 2})
    asks: dict[int, int] = field(default_factory=lambda: {MIDDLE + 1: 4})
    history: dict[int, BookSnapshot] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._remember()

    def move(self) -> BookChange:
        """Let a few updates happen; return the change that tells of them."""
        first = self.update + 1
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        for _ in range(self.draw.randint(1, 4)):
            self.update += 1
            self._one(bids, asks)
            self._remember()
        return BookChange(first, self.update, tuple(bids.items()), tuple(asks.items()))

    def snapshot(self) -> BookSnapshot:
        return self.history[self.update]

    def _one(self, bids: dict[int, int], asks: dict[int, int]) -> None:
        price = MIDDLE + self.draw.randint(-WIDTH, WIDTH)
        buys = price < MIDDLE or (price == MIDDLE and self.draw.random() < 0.5)
        side, told = (self.bids, bids) if buys else (self.asks, asks)
        other, other_told = (self.asks, asks) if buys else (self.bids, bids)
        quantity = self.draw.randint(0, 3)
        if quantity and other.pop(price, 0):
            other_told[price] = 0
        told[price] = quantity
        if quantity:
            side[price] = quantity
        else:
            side.pop(price, None)

    def _remember(self) -> None:
        self.history[self.update] = BookSnapshot(
            self.update, levels(self.bids, best_is_highest=True), levels(self.asks)
        )


def levels(side: dict[int, int], *, best_is_highest: bool = False) -> tuple[Level, ...]:
    return tuple(sorted(side.items(), reverse=best_is_highest))


class KeptBook(RuleBasedStateMachine):
    """A venue, a connection that loses, repeats and swaps, and a book at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue(random.Random(0))
        self.book = LocalBook(0)
        self.on_their_way: list[BookSnapshot] = []
        self.now = 0

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.venue.draw.seed(seed)

    def take(self, change: BookChange) -> None:
        self.now += 1
        self.book.change(change, self.now)

    @rule()
    def tell(self) -> None:
        self.take(self.venue.move())

    @rule()
    def lose_a_change(self) -> None:
        self.venue.move()

    @rule()
    def repeat_a_change(self) -> None:
        change = self.venue.move()
        self.take(change)
        self.take(change)

    @rule()
    def swap_changes(self) -> None:
        first, second = self.venue.move(), self.venue.move()
        self.take(second)
        self.take(first)

    @rule()
    def break_the_connection(self) -> None:
        self.book.lose("connection lost", self.now)
        assert self.book.depth(1) is None

    @rule()
    def ask(self) -> None:
        self.on_their_way.append(self.venue.snapshot())

    @rule(back=st.integers(0, 3))
    def ask_a_slow_server(self, back: int) -> None:
        known = sorted(self.venue.history)
        self.on_their_way.append(self.venue.history[known[-1 - min(back, len(known) - 1)]])

    @rule()
    def answer(self) -> None:
        if self.on_their_way and self.book.needs_snapshot:
            self.now += 1
            good = self.book.snapshot(self.on_their_way.pop(0), self.now)
            assert good is not self.book.needs_snapshot

    @rule()
    def heal(self) -> None:
        """Whatever happened before, a fresh snapshot behind all changes ends it."""
        self.on_their_way.clear()
        self.now += 1
        self.book.snapshot(self.venue.snapshot(), self.now)
        assert self.book.status is BookStatus.GOOD

    @invariant()
    def a_good_book_is_the_true_one(self) -> None:
        shown = self.book.depth(100)
        assert (shown is None) is self.book.needs_snapshot
        assert (self.book.reason == "") is (shown is not None)
        if shown is not None:
            assert shown == self.venue.history[shown.last_update]

    @invariant()
    def it_says_since_when(self) -> None:
        assert 0 <= self.book.since <= self.now


TestKeptBook = KeptBook.TestCase
TestKeptBook.settings = settings(max_examples=60, stateful_step_count=40)


def told(venue: Venue, count: int) -> list[BookChange]:
    return [venue.move() for _ in range(count)]


def synced(venue: Venue) -> LocalBook:
    book = LocalBook(0)
    assert book.change(venue.move(), 1) is Taken.WAITING
    assert book.snapshot(venue.snapshot(), 2)
    return book


@given(seed=st.integers(0, 2**32), place=st.integers(0, 8), lost=st.integers(1, 3))
@settings(max_examples=60)
def test_a_planted_gap_is_found_at_once_and_healed_by_a_snapshot(
    seed: int, place: int, lost: int
) -> None:
    venue = Venue(random.Random(seed))
    book = synced(venue)
    for change in told(venue, place):
        assert book.change(change, 3) is Taken.APPLIED
    told(venue, lost)
    assert book.change(venue.move(), 4) is Taken.GAP
    assert (book.status, book.since, book.gaps) == (BookStatus.STALE, 4, 1)
    assert book.depth(5) is None
    assert "expected" in book.reason
    assert book.change(venue.move(), 5) is Taken.WAITING
    assert book.snapshot(venue.snapshot(), 6)
    assert (book.status, book.since) == (BookStatus.GOOD, 6)
    assert book.change(venue.move(), 7) is Taken.APPLIED
    assert book.depth(100) == venue.snapshot()


@given(
    seed=st.integers(0, 2**32),
    fate=st.lists(st.sampled_from(("told", "lost", "twice", "late")), max_size=40),
)
@settings(max_examples=60)
def test_losses_repeats_and_swaps_never_show_a_wrong_book(seed: int, fate: Sequence[str]) -> None:
    venue = Venue(random.Random(seed))
    book = synced(venue)
    late: list[BookChange] = []
    for what in fate:
        change = venue.move()
        arriving = {"told": [change], "lost": [], "twice": [change, change], "late": []}[what]
        for one in (*arriving, *late):
            book.change(one, 3)
        late = [change] if what == "late" else []
        shown = book.depth(100)
        assert shown is None or shown == venue.history[shown.last_update]
        if book.needs_snapshot:
            assert book.snapshot(venue.snapshot(), 4)


def test_a_snapshot_older_than_the_changes_is_refused_and_the_changes_kept() -> None:
    venue = Venue(random.Random(3))
    book, old = LocalBook(0), venue.snapshot()
    venue.move()
    book.change(venue.move(), 1)
    assert not book.snapshot(old, 2)
    assert book.status is BookStatus.SYNCING
    assert "expected at least" in book.reason
    assert book.snapshot(venue.snapshot(), 4)


def test_a_hole_among_the_waiting_changes_is_not_bridged() -> None:
    venue = Venue(random.Random(4))
    book, before = LocalBook(0), venue.snapshot()
    book.change(venue.move(), 1)
    venue.move()
    book.change(venue.move(), 2)
    assert not book.snapshot(before, 3)
    assert book.depth(1) is None
    assert book.snapshot(venue.snapshot(), 4)
    assert book.depth(100) == venue.snapshot()


def test_a_crossed_book_is_never_shown() -> None:
    book = LocalBook(0)
    assert book.snapshot(BookSnapshot(10, ((99, 1),), ((101, 1),)), 1)
    assert book.change(BookChange(11, 11, ((101, 2),), ()), 2) is Taken.GAP
    assert book.depth(1) is None
    assert "best bid was 101" in book.reason
    assert not book.snapshot(BookSnapshot(12, ((101, 1),), ((101, 1),)), 3)
    assert book.status is BookStatus.STALE


def test_a_change_of_a_second_connection_may_overlap() -> None:
    book = LocalBook(0)
    assert book.snapshot(BookSnapshot(10, ((99, 1),), ((101, 1),)), 1)
    assert book.change(BookChange(8, 12, ((98, 3),), ()), 2) is Taken.APPLIED
    assert book.depth(5) == BookSnapshot(12, ((99, 1), (98, 3)), ((101, 1),))


def test_changes_that_nobody_fetches_a_snapshot_for_are_bounded() -> None:
    venue = Venue(random.Random(5))
    book, start = LocalBook(0, most_waiting=3), venue.snapshot()
    for change in told(venue, 10):
        book.change(change, 1)
    assert not book.snapshot(start, 2)
    assert book.snapshot(venue.snapshot(), 3)


def test_a_book_without_room_for_changes_is_refused() -> None:
    with pytest.raises(ConfigError, match="most_waiting was 0"):
        LocalBook(0, most_waiting=0)

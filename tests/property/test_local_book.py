"""A client that follows the documented procedure has the true book, whenever it looked."""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fakes.matching_rivals import Mix, Rivals
from fakes.plain_tape import LocalBook
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Tape
from tidewright.exchange.spot.values import Depth
from tidewright.kernels.matching import layout as at

LISTING = Listing("AB", "A", "B", tick=1_000_000, step=10_000, start_price=32_000_000)
MIX = Mix(prices=64, most_lots=8, spread=4)
READERS = ("fast", "slow")


class Market:
    """Random orders, the tape that watches them, and the book as the plain exchange has it."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.rivals = Rivals(MIX)
        self.tape = Tape([LISTING], [self.rivals.book])

    def trade(self, messages: int) -> None:
        self.rivals.play(self.draw, messages)

    def side(self, side: int) -> dict[int, int]:
        queues = self.rivals.plain.sides[side]
        shown = {price: sum(order.shown for order in queue) for price, queue in queues.items()}
        return {price * LISTING.tick: lots * LISTING.step for price, lots in shown.items()}

    def snapshot(self, limit: int = 5_000) -> Depth:
        return self.tape.depth("AB", limit)

    def assert_true(self, client: LocalBook) -> None:
        assert client.bids == self.side(1)
        assert client.asks == self.side(-1)


class LocalBooks(RuleBasedStateMachine):
    """Clients that join and ask for snapshots while others trade."""

    def __init__(self) -> None:
        super().__init__()
        self.market = Market(0)
        self.clients: list[tuple[str, LocalBook]] = []
        self.on_their_way: dict[int, Depth] = {}
        for reader in READERS:
            assert self.market.tape.depth_change("AB", reader) is None

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.market.draw.seed(seed)
        self.market.trade(60)

    @rule(messages=st.integers(1, 20))
    def trade(self, messages: int) -> None:
        self.market.trade(messages)

    @rule(reader=st.sampled_from(READERS))
    def join(self, reader: str) -> None:
        self.clients.append((reader, LocalBook(self.market.snapshot)))

    @precondition(lambda self: self.clients)
    @rule(number=st.integers(0, 9))
    def ask(self, number: int) -> None:
        number %= len(self.clients)
        client = self.clients[number][1]
        if not client.synchronised:
            self.on_their_way[number] = client.ask()

    @precondition(lambda self: self.on_their_way)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.on_their_way)))
        self.clients[number][1].begin(self.on_their_way.pop(number))

    @rule(reader=st.sampled_from(READERS))
    def look(self, reader: str) -> None:
        change = self.market.tape.depth_change("AB", reader)
        for where, client in self.clients:
            if where == reader:
                if change is not None:
                    client.hear(change)
                if client.synchronised:
                    self.market.assert_true(client)


TestLocalBooks = LocalBooks.TestCase
TestLocalBooks.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


def test_a_level_that_came_back_is_told_to_whoever_saw_it_gone() -> None:
    market = Market(1)
    market.trade(400)
    market.tape.depth_change("AB", "fast")
    price, _ = market.snapshot().bids[0]
    place = int(market.rivals.book[at.LEVELS]) + price // LISTING.tick * at.N_LEVEL + at.SHOWN_LOTS
    market.rivals.book[place] += 5
    told = market.snapshot().bids[0]
    market.rivals.book[place] -= 5
    market.rivals.book[at.MESSAGES] += 2
    change = market.tape.depth_change("AB", "fast")
    assert change is not None
    assert change.bids == ((price, told[1] - 5 * LISTING.step),)
    assert change.asks == ()


def test_ids_of_changes_follow_each_other() -> None:
    market = Market(2)
    market.tape.depth_change("AB", "fast")
    last = int(market.rivals.book[at.MESSAGES])
    for _ in range(100):
        market.trade(2)
        change = market.tape.depth_change("AB", "fast")
        if change is not None:
            assert change.first_update == last + 1
            last = change.last_update
    assert last > 100


def test_snapshots_are_sorted_cut_and_without_what_icebergs_hide() -> None:
    market = Market(3)
    market.trade(600)
    bids, asks = market.side(1), market.side(-1)
    whole = market.snapshot()
    assert whole.bids == tuple(sorted(bids.items(), reverse=True))
    assert whole.asks == tuple(sorted(asks.items()))
    assert whole.first_update == whole.last_update == 600
    assert market.snapshot(2).bids == whole.bids[:2]
    best = market.tape.best("AB")
    assert (best.bid, best.bid_quantity) == whole.bids[0]
    assert (best.ask, best.ask_quantity) == whole.asks[0]
    assert best.update == 600
    hidden = sum(
        order.lots - order.shown
        for queues in market.rivals.plain.sides.values()
        for queue in queues.values()
        for order in queue
    )
    assert hidden > 0, "no iceberg order rested"


def test_an_empty_side_is_zeros() -> None:
    market = Market(4)
    assert market.tape.best("AB") == (0, 0, 0, 0, 0)
    assert market.snapshot().bids == market.snapshot().asks == ()


def test_a_forgotten_reader_begins_anew() -> None:
    market = Market(5)
    market.tape.depth_change("AB", "fast")
    market.trade(50)
    market.tape.forget_reader("AB", "fast")
    assert market.tape.depth_change("AB", "fast") is None

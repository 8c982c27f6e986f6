"""Whatever accounts ask for, money is conserved, orders live legal lives and books agree."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fakes.spot_cases import LISTING, ONE, START
from tidewright.domain.orders import Side
from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.exchange import SpotExchange
from tidewright.exchange.spot.ledger import Entry
from tidewright.exchange.spot.values import (
    BalanceEvent,
    Kind,
    ListKind,
    NewOrder,
    OrderEvent,
    Refusal,
    ReplaceMode,
    SelfTrade,
    SpotFill,
    SpotOrder,
    Status,
    TimeInForce,
)

NAMES = ("ann", "bob", "cat")
OPENING = {"BTC": 5 * ONE, "USDT": 5_000 * ONE}
NEXT = {
    None: {Status.NEW, Status.PENDING_NEW},
    Status.PENDING_NEW: {Status.PENDING_NEW, Status.NEW, Status.REJECTED, Status.EXPIRED}
    | {Status.CANCELED},
    Status.NEW: set(Status) - {Status.PENDING_NEW, Status.REJECTED},
    Status.PARTIALLY_FILLED: set(Status) - {Status.PENDING_NEW, Status.NEW, Status.REJECTED},
}
accounts = st.integers(0, len(NAMES) - 1)
prices = st.integers(95, 105).map(lambda ten: ten * 10 * ONE)
quantities = st.integers(1, 20).map(lambda tenths: tenths * ONE // 10)
sides = st.sampled_from(Side)


@st.composite
def orders(draw: st.DrawFn, kinds: tuple[Kind, ...] = tuple(Kind)) -> NewOrder:
    kind = draw(st.sampled_from(kinds))
    quantity, money, shown = draw(quantities), 0, 0
    if kind is Kind.MARKET and draw(st.booleans()):
        quantity, money = 0, draw(st.integers(1, 3_000)) * ONE
    if kind is Kind.LIMIT_MAKER and draw(st.booleans()):
        shown = max(quantity // 3 // 1_000 * 1_000, 1_000)
    life = draw(st.sampled_from(TimeInForce)) if "LIMIT" in kind and not shown else TimeInForce.GTC
    trail = draw(st.sampled_from((0, 0, 50, 300))) if kind.waits else 0
    return NewOrder(
        "BTCUSDT",
        draw(sides),
        kind,
        quantity=quantity,
        money=money,
        price=draw(prices) if "LIMIT" in kind else 0,
        stop_price=draw(prices) if kind.waits and (not trail or draw(st.booleans())) else 0,
        trailing_delta=trail,
        iceberg_quantity=shown,
        time_in_force=life,
        self_trade=draw(st.sampled_from(SelfTrade)),
        client_id=draw(st.sampled_from(("", "", "one", "two", "three"))),
    )


class SpotExchangeMachine(RuleBasedStateMachine):
    """Sends requests and checks everything after each."""

    @initialize()
    def open(self) -> None:
        people = [SpotAccount(name, OPENING, 700, 1_300) for name in NAMES]
        self.exchange = SpotExchange([LISTING], people, seed=1, now=START)
        self.now = START
        self.life: dict[tuple[int, int], Status] = {}
        self.told: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)

    def later(self) -> int:
        self.now += 1_000
        return self.now

    @rule(account=accounts, order=orders())
    def place(self, account: int, order: NewOrder) -> None:
        try:
            placed = self.exchange.place(account, order, self.later())
        except Refusal:
            return
        assert sum(fill.quantity for fill in placed.fills) <= placed.order.executed

    @rule(account=accounts, number=st.integers(0, 30))
    def cancel(self, account: int, number: int) -> None:
        found = self.exchange.open_orders(account)
        if found:
            order = found[number % len(found)]
            self.exchange.cancel(account, "BTCUSDT", order_id=order.id, now=self.later())

    @rule(account=accounts)
    def cancel_all(self, account: int) -> None:
        if self.exchange.open_orders(account):
            self.exchange.cancel_all(account, "BTCUSDT", self.later())
        assert all(locked == 0 for _, locked in self.exchange.balances(account).values())

    @rule(account=accounts, number=st.integers(0, 30), share=st.integers(1, 9))
    def amend(self, account: int, number: int, share: int) -> None:
        found = self.exchange.open_orders(account)
        if not found:
            return
        order = found[number % len(found)]
        quantity = order.quantity * share // 10 // LISTING.step * LISTING.step
        try:
            self.exchange.amend(
                account, "BTCUSDT", order_id=order.id, quantity=quantity, now=self.later()
            )
        except Refusal:
            return
        assert self.exchange.order(account, "BTCUSDT", order_id=order.id).quantity == quantity

    @rule(account=accounts, order=orders(), number=st.integers(0, 60))
    def replace(self, account: int, order: NewOrder, number: int) -> None:
        try:
            self.exchange.replace(
                account, order, self.later(), mode=ReplaceMode.ALLOW_FAILURE, order_id=number
            )
        except Refusal:
            return

    @rule(
        account=accounts,
        kind=st.sampled_from(ListKind),
        first=orders((Kind.LIMIT, Kind.LIMIT_MAKER)),
        second=orders((Kind.LIMIT, Kind.LIMIT_MAKER, Kind.STOP_LOSS)),
        away=st.integers(1, 4),
        limited=st.booleans(),
    )
    def place_list(
        self,
        account: int,
        kind: ListKind,
        first: NewOrder,
        second: NewOrder,
        away: int,
        limited: bool,
    ) -> None:
        side, last = second.side, self.exchange.tape.last_price("BTCUSDT")
        limit = NewOrder(
            "BTCUSDT",
            side,
            Kind.LIMIT_MAKER,
            quantity=second.quantity,
            price=last - side.sign * away * 10 * ONE,
        )
        stop = NewOrder(
            "BTCUSDT",
            side,
            Kind.STOP_LOSS_LIMIT if limited else Kind.STOP_LOSS,
            quantity=second.quantity,
            price=last + side.sign * 50 * ONE if limited else 0,
            stop_price=last + side.sign * away * 10 * ONE,
        )
        asked = {
            ListKind.OCO: (limit, stop),
            ListKind.OTO: (first, second),
            ListKind.OTOCO: (first, limit, stop),
        }[kind]
        try:
            self.exchange.place_list(account, kind, asked, now=self.later())
        except Refusal:
            return

    @rule(account=accounts, asset=st.sampled_from(("BTC", "USDT")), amount=st.integers(-9, 9))
    def deposit(self, account: int, asset: str, amount: int) -> None:
        try:
            self.exchange.deposit(account, asset, amount * ONE, self.later())
        except Refusal:
            assert amount < 0

    @invariant()
    def the_ledger_explains_every_balance(self) -> None:
        totals = self.exchange.ledger.totals()
        paid: Counter[str] = Counter()
        brought: Counter[str] = Counter()
        for row in self.exchange.ledger:
            if isinstance(row.value, SpotFill):
                paid[row.value.fee_asset] += row.value.fee
            elif row.entry is Entry.DEPOSITED:
                brought[row.value.asset] += row.value.amount
        for asset, opening in OPENING.items():
            held = [sum(self.exchange.balances(one)[asset]) for one in range(len(NAMES))]
            assert held == [totals[one, asset] for one in range(len(NAMES))]
            assert sum(held) + paid[asset] == opening * len(NAMES) + brought[asset]
            assert min(min(self.exchange.balances(one)[asset]) for one in range(len(NAMES))) >= 0

    @invariant()
    def orders_are_what_their_fills_say(self) -> None:
        for account in range(len(NAMES)):
            fills: Counter[int] = Counter()
            money: Counter[int] = Counter()
            for fill in self.exchange.fills(account, "BTCUSDT"):
                fills[fill.order_id] += fill.quantity
                money[fill.order_id] += fill.money
            for order in self.exchange.all_orders(account, "BTCUSDT"):
                assert (order.executed, order.spent) == (fills[order.id], money[order.id])
                assert order.executed + order.prevented <= order.quantity
                if order.status is Status.FILLED:
                    assert order.executed + order.prevented == order.quantity
                if order.status is Status.NEW:
                    assert order.executed == 0

    @invariant()
    def open_orders_are_those_of_the_book(self) -> None:
        bids: Counter[int] = Counter()
        asks: Counter[int] = Counter()
        icebergs = set()
        for account in range(len(NAMES)):
            for order in self.exchange.open_orders(account):
                assert not order.status.is_final
                if order.working:
                    left = order.quantity - order.executed - order.prevented
                    assert left > 0
                    side = bids if order.terms.side is Side.BUY else asks
                    side[order.terms.price] += left
                    if order.terms.iceberg_quantity:
                        icebergs.add(order.terms.price)
        depth = self.exchange.tape.depth("BTCUSDT", 5_000)
        for side, levels in ((bids, depth.bids), (asks, depth.asks)):
            shown = dict(levels)
            assert set(shown) == set(side)
            for price, quantity in side.items():
                hides = price in icebergs and shown[price] < quantity
                assert hides or shown[price] == quantity

    @invariant()
    def enough_is_locked_and_no_more_than_must_be(self) -> None:
        for account in range(len(NAMES)):
            need: Counter[str] = Counter()
            exact = True
            for order in self.exchange.open_orders(account):
                exact = exact and order.list_id < 0 and not order.terms.trailing_delta
                if order.status is not Status.PENDING_NEW and exact:
                    need.update(needed(order))
            for asset in OPENING:
                if exact:
                    assert self.exchange.balances(account)[asset][1] == need[asset]

    @invariant()
    def events_tell_legal_lives_and_true_balances(self) -> None:
        for event in self.exchange.take_events():
            if isinstance(event, OrderEvent):
                key = event.order.account, event.order.id
                before = self.life.get(key)
                assert event.order.status in NEXT[before], (before, event)
                self.life[key] = event.order.status
            elif isinstance(event, BalanceEvent):
                for asset, free, locked in event.balances:
                    self.told[event.account][asset] = (free, locked)
        for account, balances in self.told.items():
            for asset, told in balances.items():
                free, locked = self.exchange.balances(account)[asset]
                assert told[1] == locked
        for (account, number), status in self.life.items():
            found = self.exchange.order(account, "BTCUSDT", order_id=number)
            assert found.status is status


def needed(order: SpotOrder) -> dict[str, int]:
    """What an order that stands alone must have locked."""
    left = order.quantity - order.executed - order.prevented
    if order.terms.side is Side.SELL:
        return {"BTC": left}
    return {"USDT": left * (order.terms.price or order.terms.stop_price) // ONE}


TestSpotExchange = SpotExchangeMachine.TestCase
TestSpotExchange.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)

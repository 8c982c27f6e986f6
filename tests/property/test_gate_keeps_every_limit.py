"""Whatever the account and the intent, an approved order breaks no limit.

The oracle below computes every limit anew, slowly, in exact decimals, from the written rules alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.risk_cases import (
    NOON,
    make_account,
    make_gate,
    make_instrument,
    make_intent,
    make_signal,
)
from tidewright.domain.orders import (
    ApprovedOrder,
    Bracket,
    Leg,
    OrderIntent,
    OrderRecord,
    OrderState,
    OrderType,
    Side,
)
from tidewright.domain.signals import Direction, Target
from tidewright.domain.time import MINUTE
from tidewright.risk.account import AccountView
from tidewright.risk.gate import RiskGate, SizingRequest
from tidewright.risk.settings import RiskSettings

NAMES = ("AAA", "BBB", "CCC", "DDD")
UNIT = Decimal("0.00000001")
ROUNDING = 20 * UNIT
"""What the gate's roundings may add up to: every value is rounded up to a unit."""

states = st.sampled_from([state for state in OrderState if not state.is_final])


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """Draw the usual value five times out of six: entries must often have a chance."""
    return st.integers(0, 5).flatmap(lambda n: st.just(usual) if n else st.sampled_from(others))


@st.composite
def limits(draw: st.DrawFn) -> RiskSettings:
    return RiskSettings(
        risk_per_trade_percent=Decimal(draw(mostly("10", "0.01", "0.5", "1.23"))),
        max_position_size_percent=Decimal(draw(mostly("25.5", "0.01", "1", "7.77", "100"))),
        max_total_exposure_percent=Decimal(draw(mostly("80", "0.5", "33.3333", "100"))),
        min_free_cash_percent=Decimal(draw(mostly("1", "0.01", "12.34", "50"))),
        price_collar_percent=Decimal(draw(mostly("10", "0.01", "1"))),
        max_correlated_positions=draw(mostly(3, 1, 2, 4)),
        max_open_orders=draw(mostly(6, 1, 2, 3)),
    )


@st.composite
def terms(draw: st.DrawFn) -> dict[str, Any]:
    steps = st.sampled_from(["0.01", "0.001", "0.25", "1", "0.00000001", "3"]).map(Decimal)
    return {
        name: make_instrument(
            name,
            tick_size=draw(steps),
            lot_size=draw(steps),
            min_quantity=Decimal(0),
            min_notional=Decimal(draw(mostly("0", "0.000000001", "5"))),
            taker_fee_rate=Decimal(draw(mostly("0.001", "0", "0.000123"))),
            shortable=draw(mostly(True, False)),
        )
        for name in NAMES
    }


@dataclass(frozen=True)
class Situation:
    settings: RiskSettings
    known: dict[str, Any]
    account: AccountView
    order: OrderIntent


class Drawing:
    """Draws orders of plausible size and price for one account."""

    def __init__(self, draw: st.DrawFn, known: dict[str, Any]) -> None:
        self.draw = draw
        self.known = known
        self.equity = draw(mostly(10**14, -5, 10**9, 10**12, 10**17))
        self.marks = {name: draw(st.integers(1, 1_000_000)) for name in NAMES}

    def lots(self, name: str) -> int:
        """Draw lots worth up to a tenth of equity."""
        numerator, denominator = self.known[name].value_ratio
        share = max(self.equity, 10**9) * self.draw(st.integers(1, 100)) // 1_000
        return min(max(share * denominator // (self.marks[name] * numerator), 1), 2**38)

    def price(self, name: str) -> int:
        """Draw a price up to a twelfth away from the mark."""
        mark = self.marks[name]
        return max(mark + self.draw(mostly(0, -mark // 12, -1, 1, mark // 99, mark // 12)), 1)

    def order(self, name: str, number: int) -> OrderIntent:
        draw = self.draw
        entry = number == 0 or draw(st.booleans())
        side = draw(mostly(Side.BUY, Side.SELL))
        reference = self.price(name)
        limit = self.price(name) if draw(st.booleans()) else None
        distance = draw(st.integers(1, self.marks[name] // 9 + 2))
        stop = max((limit or reference) - side.sign * distance, 1)
        return make_intent(
            number,
            client_id=f"{'new' if number == 0 else 'old'}-{number}-{'e' if entry else 'x'}",
            instrument=name,
            side=side,
            leg=Leg.ENTRY if entry else Leg.EXIT,
            reduce_only=not entry,
            lots=self.lots(name),
            reference_ticks=reference,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_ticks=limit,
            confidence=draw(mostly(0.7, 0.1, 0.5999999999999999, 0.6, 1.0)),
            bracket=Bracket(stop_ticks=stop) if draw(st.booleans()) else None,
        )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    known = draw(terms())
    drawing = Drawing(draw, known)
    related = mostly(0.0, -0.9, 0.7999999, 0.8, 0.95)
    correlations = {frozenset({a, b}): draw(related) for a in NAMES for b in NAMES if a < b}
    working = []
    for number in range(1, draw(st.integers(0, 3)) + 1):
        intent = drawing.order(draw(st.sampled_from(NAMES[1:] * 3 + NAMES)), number)
        filled = draw(st.integers(0, intent.lots - 1))
        working.append(OrderRecord(intent, draw(states), filled_lots=filled))
    held = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    equity = drawing.equity
    account = make_account(
        equity=equity,
        cash=equity * draw(mostly(10, 0, 1, 5, 12)) // 10,
        positions={name: drawing.lots(name) * draw(mostly(1, 0, -1)) for name in held},
        marks=drawing.marks,
        mark_times=dict.fromkeys(NAMES, NOON - draw(mostly(0, 1, 15, 16)) * MINUTE),
        working=tuple(working),
        unknown=frozenset(o.intent.instrument for o in working if o.state is OrderState.UNKNOWN),
        feed_live=draw(mostly(True, False)),
        correlation=lambda a, b: correlations[frozenset({a, b})],
    )
    return Situation(draw(limits()), known, account, drawing.order("AAA", 0))


class Oracle:
    """The rules in decimals."""

    def __init__(
        self,
        settings: RiskSettings,
        account: AccountView,
        known: dict[str, Any],
        slack: Decimal = Decimal(0),
    ) -> None:
        self.settings = settings
        self.slack = slack
        self.account = account
        self.known = known
        self.equity = account.equity * UNIT

    def share(self, percent: Decimal) -> Decimal:
        return self.equity * percent / 100 - self.slack

    def value(self, name: str, quantity: int, ticks: int) -> Decimal:
        instrument = self.known[name]
        return quantity * instrument.lot_size * ticks * instrument.tick_size

    def entries(self, name: str, side: Side) -> list[tuple[int, int]]:
        return [
            (
                o.intent.lots - o.filled_lots,
                max(o.intent.reference_ticks, o.intent.limit_ticks or 0),
            )
            for o in self.account.working
            if o.intent.instrument == name
            and o.intent.side is side
            and not o.intent.reduce_only
            and o.intent.lots > o.filled_lots
        ]

    def worst(self, name: str, order: OrderIntent | None) -> tuple[Decimal, int, int]:
        """Return worst-case value, lots bought at most and lots sold at most."""
        held = self.account.positions.get(name, 0)
        buys, sells = (self.entries(name, side) for side in Side)
        if order is not None:
            price = max(order.reference_ticks, order.limit_ticks or 0)
            (buys if order.side is Side.BUY else sells).append((order.lots, price))
        price = max([self.account.marks[name], *(p for _, p in buys + sells)])
        long, short = held + sum(q for q, _ in buys), sum(q for q, _ in sells) - held
        return self.value(name, max(long, short, abs(held)), price), long, short

    def broken(self, order: OrderIntent) -> set[str]:
        """Return the names of all rules that an order breaks."""
        verdicts = {**self.money(order), **self.other(order)}
        return {name for name, broken in verdicts.items() if broken}

    def money(self, order: OrderIntent) -> dict[str, bool]:
        """Return the verdicts that depend on the size of an order."""
        settings, own = self.settings, order.instrument
        price = order.limit_ticks or order.reference_ticks
        value = {name: self.worst(name, order if name == own else None)[0] for name in NAMES}
        lost, wrong_side = Decimal(0), False
        if order.bracket is not None and order.bracket.stop_ticks is not None:
            distance = order.side.sign * (price - order.bracket.stop_ticks)
            lost, wrong_side = self.value(own, order.lots, abs(distance)), distance <= 0
        lowest = self.value(own, order.lots, min(price, self.account.marks[own]))
        return {
            "equity": self.equity <= 0,
            "position": value[own] > self.share(settings.max_position_size_percent),
            "exposure": sum(value.values()) > self.share(settings.max_total_exposure_percent),
            "risk": wrong_side or lost > self.share(settings.risk_per_trade_percent),
            "cash": self.free(order) - 2 * self.slack < self.share(settings.min_free_cash_percent),
            "notional": lowest < self.known[own].min_notional + self.slack,
        }

    def other(self, order: OrderIntent) -> dict[str, bool]:
        """Return the verdicts that do not depend on the size of an order."""
        account, settings, own = self.account, self.settings, order.instrument
        mark, held = account.marks[own], account.positions.get(own, 0)
        farthest = max(
            abs(ticks - mark) for ticks in (order.reference_ticks, order.limit_ticks or mark)
        )
        most = settings.max_correlated_positions
        return {
            "collar": farthest > mark * settings.price_collar_percent / 100,
            "shortable": order.side is Side.SELL and not self.known[own].shortable,
            "flip": held * order.side.sign < 0 or bool(self.entries(own, order.side.opposite)),
            "open orders": len(account.working) + 1 > settings.max_open_orders,
            "correlated": most != "off" and self.group(order) > int(most),
            "age": NOON - account.mark_times[own] > settings.max_data_age_minutes * MINUTE,
            "feed": not account.feed_live,
            "unknown": own in account.unknown,
            "confidence": Decimal(repr(order.confidence)) < settings.min_confidence,
        }

    def free(self, order: OrderIntent) -> Decimal:
        left = self.account.cash * UNIT
        for name in NAMES:
            held = self.account.positions.get(name, 0)
            entries = self.entries(name, Side.BUY) + self.entries(name, Side.SELL)
            price = max([self.account.marks[name], *(p for _, p in entries)])
            claimed = sum((self.value(name, q, price) for q, _ in entries), Decimal(0))
            left -= claimed * (1 + 2 * self.known[name].taker_fee_rate)
            left -= 2 * self.value(name, max(-held, 0), price)
        price = max(
            self.account.marks[order.instrument], order.reference_ticks, order.limit_ticks or 0
        )
        cost = self.value(order.instrument, order.lots, price)
        return left - cost * (1 + 2 * self.known[order.instrument].taker_fee_rate)

    def group(self, order: OrderIntent) -> int:
        count = 1
        for name in NAMES:
            _, long, short = self.worst(name, None)
            if name == order.instrument or long == short == 0:
                continue
            direction = 1 if long >= short else -1
            moves = self.account.correlation(order.instrument, name)
            if moves * direction * order.side.sign >= float(self.settings.correlation_threshold):
                count += 1
        return count


def test_approved_entry_breaks_no_limit_and_refused_entry_breaks_one() -> None:
    approved: list[OrderIntent] = []

    @settings(max_examples=400)
    @given(situations())
    def hold(case: Situation) -> None:
        decision = RiskGate(case.settings, case.known).check(case.order, case.account)
        with localcontext(prec=80):
            if isinstance(decision, ApprovedOrder):
                approved.append(decision.intent)
                oracle = Oracle(case.settings, case.account, case.known)
                assert oracle.broken(case.order) == set()
            else:
                oracle = Oracle(case.settings, case.account, case.known, ROUNDING)
                assert oracle.broken(case.order), decision

    hold()
    assert len(approved) > 50


def test_sized_position_breaks_no_limit_that_depends_on_size() -> None:
    sized_lots: list[int] = []

    @settings(max_examples=200)
    @given(
        situations(),
        st.sampled_from(["risk_percent", "percent_of_equity", "fixed_notional", "fixed_quantity"]),
        st.decimals(Decimal("0.0001"), 100, places=4),
        st.sampled_from([Direction.LONG, Direction.SHORT]),
    )
    def hold(case: Situation, method: str, value: Decimal, direction: Direction) -> None:
        account, chosen, known = case.account, case.settings, case.known
        mark = account.marks["AAA"]
        stop = max(mark // 20, 1)
        request = SizingRequest(make_signal(direction), method, value, mark, stop)
        sized = RiskGate(chosen, known).size(request, account)
        if not isinstance(sized, Target):
            return
        side = Side.BUY if direction is Direction.LONG else Side.SELL
        order = make_intent(
            side=side,
            lots=abs(sized.lots),
            reference_ticks=mark,
            bracket=Bracket(stop_ticks=mark - side.sign * stop),
        )
        sized_lots.append(sized.lots)
        with localcontext(prec=80):
            oracle = Oracle(chosen, account, known)
            flips = "flip" in oracle.broken(order)
            broken = {name for name, wrong in oracle.money(order).items() if wrong}
        assert flips or not broken, broken

    hold()
    assert len(sized_lots) > 30


@given(st.lists(st.integers(1, 20_000), min_size=1, max_size=12), st.data())
def test_intents_of_one_moment_together_break_no_limit(
    wanted: list[int], data: st.DataObject
) -> None:
    known = {name: make_instrument(name, shortable=True) for name in NAMES}
    chosen = RiskSettings(max_correlated_positions="off")
    account = make_account()
    gate = make_gate(known, max_correlated_positions="off")
    placed: list[OrderRecord] = []
    for number, size in enumerate(wanted):
        name = data.draw(st.sampled_from(NAMES))
        side = data.draw(st.sampled_from(Side))
        decision = gate.check(make_intent(number, instrument=name, side=side, lots=size), account)
        if isinstance(decision, ApprovedOrder):
            oracle = Oracle(chosen, replace(account, working=tuple(placed)), known)
            assert oracle.broken(decision.intent) == set()
            placed.append(OrderRecord(decision.intent, OrderState.SENT))

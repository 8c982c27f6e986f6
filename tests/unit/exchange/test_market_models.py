"""Latency, slippage and a place in a queue, each alone."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.matching_rivals import Mix, Rivals
from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND
from tidewright.exchange.models.latency import LatencyModel, Leg
from tidewright.exchange.models.queue import QueueModel, QueuePosition
from tidewright.exchange.models.slippage import RecentTrading, slippage
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.kernels.fills import Taking, impact_ticks, latency_of
from tidewright.kernels.matching import layout as at

# latency


def test_times_depend_on_seed_leg_and_message_alone() -> None:
    leg = Leg(10 * MILLISECOND, spread=0.5, spike_chance=0.1, spike=80 * MILLISECOND)
    one, other = LatencyModel(1, leg, leg, leg), LatencyModel(2, leg, leg, leg)
    times = [one.order_time(key) for key in range(100)]
    assert [one.order_time(key) for key in reversed(range(100))] == times[::-1]
    assert times != [other.order_time(key) for key in range(100)]
    assert times != [one.answer_time(key) for key in range(100)]
    assert times != [one.feed_time(key) for key in range(100)]


def test_times_have_the_median_the_spread_and_the_spikes_asked_for() -> None:
    spike = 1_000 * MILLISECOND
    leg = Leg(10 * MILLISECOND, spread=0.5, spike_chance=0.02, spike=spike)
    times = np.array([LatencyModel(3, order=leg).order_time(key) for key in range(20_000)])
    late = times > spike
    assert late.mean() == pytest.approx(0.02, abs=0.005)
    assert np.median(times) == pytest.approx(10 * MILLISECOND, rel=0.03)
    assert np.log(times[~late]).std() == pytest.approx(0.5, rel=0.03)


def test_a_leg_without_spread_always_takes_its_median() -> None:
    model = LatencyModel(order=Leg(7))
    assert {model.order_time(key) for key in range(50)} == {7}


def test_updates_of_a_feed_do_not_overtake_each_other() -> None:
    model = LatencyModel(5, feed=Leg(10 * MILLISECOND, spread=1.0))
    sent = np.arange(500) * MILLISECOND
    arrivals = model.feed_arrivals(sent)
    assert (np.diff(arrivals) >= 0).all()
    assert (arrivals >= sent).all()
    assert (arrivals == sent + [model.feed_time(number) for number in range(500)]).any()


def test_paper_orders_take_the_times_of_the_order_leg() -> None:
    settings = PaperSettings(
        simulate_latency_ms=20,
        latency_spread=Decimal("0.4"),
        latency_spike_probability=Decimal("0.25"),
        latency_spike_ms=300,
    )
    rules = settings.rules(9)
    leg = Leg(20 * MILLISECOND, spread=0.4, spike_chance=0.25, spike=300 * MILLISECOND)
    model = LatencyModel(9, order=leg)
    assert [latency_of(rules, key, 0) for key in range(200)] == [
        model.order_time(key) for key in range(200)
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"median": -1}, "median was -1"),
        ({"spread": 2.1}, "spread was 2.1; expected 0 to 2"),
        ({"spread": math.nan}, "spread was nan"),
        ({"spike_chance": 1.5}, "spike_chance was 1.5; expected 0 to 1"),
        ({"spike": -3}, "spike was -3"),
    ],
)
def test_a_leg_that_cannot_be_is_refused(changed: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Leg(**{"median": 1, **changed})  # type: ignore[arg-type]


def test_a_seed_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError, match="seed was -1"):
        LatencyModel(-1)


# slippage

LEVELS = st.lists(
    st.tuples(st.integers(1, 10_000), st.integers(1, 50)),
    min_size=1,
    max_size=12,
    unique_by=lambda level: level[0],
)


@given(LEVELS, st.booleans(), st.integers(1, 400))
def test_a_walk_takes_the_best_units_one_by_one(
    levels: list[tuple[int, int]], buys: bool, quantity: int
) -> None:
    levels = sorted(levels, reverse=not buys)
    units = [price for price, offered in levels for _ in range(offered)][:quantity]
    found = slippage(levels, quantity)
    assert (found.quantity, found.money) == (len(units), sum(units))
    assert (found.best, found.worst, found.impact) == (units[0], units[-1], 0)
    assert found.cost_ppm == found.walked_ppm >= 0
    more = slippage(levels, quantity + 1)
    assert more.walked_ppm >= found.walked_ppm - 1e-6


def test_the_impact_is_that_of_the_paper_venue() -> None:
    levels = [(1_000, 5), (1_001, 100)]
    recent = RecentTrading(volume=4_000, span=60, coefficient=1.5)
    found = slippage(levels, 40, recent)
    assert found.impact == impact_ticks(40, Taking(0, 1_500_000, 60, 4_000))
    assert found.impact == math.ceil(1.5 * 60 * 0.600_561 * math.sqrt(40 / 4_000))
    assert found.cost_ppm == found.walked_ppm + found.impact / 1_000 * 1_000_000


def test_an_empty_side_offers_nothing() -> None:
    found = slippage([], 5)
    assert (found.quantity, found.average, found.cost_ppm) == (0, 0.0, 0.0)


def test_levels_out_of_order_and_no_quantity_are_refused() -> None:
    with pytest.raises(ConfigError, match="best first"):
        slippage([(3, 1), (5, 1), (4, 1)], 1)
    with pytest.raises(ConfigError, match="quantity was 0"):
        slippage([(3, 1)], 0)


# a place in a queue


def order(model: QueueModel, ahead: int = 10, side: Side = Side.BUY) -> QueuePosition:
    return QueuePosition(model, side, 100, 4, ahead)


@pytest.mark.parametrize("model", QueueModel)
def test_trades_take_from_the_front(model: QueueModel) -> None:
    place = order(model).after_trade(100, 7, Side.SELL)
    assert (place.ahead, place.filled) == (3, 0)
    place = place.after_trade(100, 5, Side.SELL)
    assert (place.ahead, place.filled, place.left) == (0, 2, 2)
    assert place.after_trade(100, 9, Side.SELL).filled == 4


@pytest.mark.parametrize("model", QueueModel)
def test_a_trade_beyond_the_price_would_have_met_the_order(model: QueueModel) -> None:
    assert order(model).after_trade(99, 3, Side.SELL).filled == 3
    assert order(model).after_trade(101, 3, Side.SELL) == order(model)
    assert order(model).after_trade(99, 3, Side.BUY) == order(model)
    sells = order(model, side=Side.SELL)
    assert sells.after_trade(101, 9, Side.BUY).filled == 4
    assert sells.after_trade(99, 9, Side.BUY) == sells


def test_models_differ_in_who_cancelled() -> None:
    ahead = {model: order(model).after_change(30).after_change(18).ahead for model in QueueModel}
    assert ahead == {
        QueueModel.OPTIMISTIC: 0,
        QueueModel.PESSIMISTIC: 10,
        QueueModel.PROPORTIONAL: 6,
    }
    assert order(QueueModel.PESSIMISTIC).after_change(30).after_change(8).ahead == 8


def test_a_position_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="ahead was -1; expected 0 or more"):
        QueuePosition(QueueModel.OPTIMISTIC, Side.BUY, 100, 4, -1)
    with pytest.raises(ConfigError, match="quantity was 0; expected 1 or more"):
        QueuePosition(QueueModel.OPTIMISTIC, Side.BUY, 100, 0, 1)


OURS = 5
HORIZON = 80


@dataclass
class Watched:
    """Random trading, one real order in it, and what the models say of it."""

    rivals: Rivals
    draw: random.Random
    rates: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("REAL", *QueueModel), 0))

    def message(self) -> dict[str, int]:
        """An order or a cancel of somebody else, drawn without any view."""
        draw, plain = self.draw, self.rivals.plain
        others = [one for one in plain.alive.values() if one.account != OURS]
        side, account = draw.choice((1, -1)), draw.randrange(1, OURS)
        words = {"account": account, "side": side, "lots": draw.randint(1, 8), "guard": 0}
        if len(others) > 60 and draw.random() < 0.5:
            one = draw.choice(others)
            return {**words, "what": at.CANCEL, "account": one.account, "number": one.number}
        kind = draw.choices((at.LIMIT, at.IMMEDIATE), (4, 1))[0]
        middle = plain.last or 2_000
        away = draw.randint(-1, 3) if kind == at.LIMIT else -3
        return {**words, "what": at.PLACE, "kind": kind, "price": middle - side * away}

    def play(self) -> list[tuple[int, int, Side]]:
        """Carry out a message and return its trades."""
        asked = self.message()
        before = len(self.rivals.plain.events)
        self.rivals.compare_one(asked)
        side = Side.BUY if asked["side"] > 0 else Side.SELL
        events = self.rivals.plain.events[before:]
        return [(int(str(e[3])), int(str(e[4])), side) for e in events if e[0] == "trade"]

    def one_order(self) -> None:
        """Rest one order at the best price and hold every model against what it meets."""
        plain = self.rivals.plain
        sign = self.draw.choice((1, -1))
        prices = plain.sides[sign]
        if not prices:
            return
        price, lots = (max(prices) if sign > 0 else min(prices)), 3
        ahead = sum(other.shown for other in prices[price])
        known = set(plain.alive)
        self.rivals.compare_one(
            {"what": at.PLACE, "account": OURS, "side": sign, "kind": at.POST_ONLY}
            | {"price": price, "lots": lots, "guard": 0}
        )
        (number,) = set(plain.alive) - known
        side = Side.BUY if sign > 0 else Side.SELL
        places = {model: QueuePosition(model, side, price, lots, ahead) for model in QueueModel}
        for _ in range(HORIZON):
            if number not in plain.alive:
                break
            places = self._after(self.play(), places, number, sign, price)
            left = plain.alive[number].lots if number in plain.alive else 0
            self._assert_between(places, lots - left)
        self._count(places, number, lots)

    def _after(
        self,
        trades: list[tuple[int, int, Side]],
        places: dict[QueueModel, QueuePosition],
        number: int,
        sign: int,
        price: int,
    ) -> dict[QueueModel, QueuePosition]:
        queue = self.rivals.plain.sides[sign].get(price, [])
        others = sum(other.shown for other in queue if other.number != number)
        for model, place in places.items():
            for traded in trades:
                place = place.after_trade(*traded)
            places[model] = place.after_change(others)
        true = 0
        for other in queue:
            if other.number == number:
                assert places[QueueModel.OPTIMISTIC].ahead <= true
                assert true <= places[QueueModel.PESSIMISTIC].ahead
            true += other.shown
        return places

    def _assert_between(self, places: dict[QueueModel, QueuePosition], filled: int) -> None:
        low, high = places[QueueModel.PESSIMISTIC], places[QueueModel.OPTIMISTIC]
        assert low.filled <= filled <= high.filled
        assert low.filled <= places[QueueModel.PROPORTIONAL].filled <= high.filled

    def _count(self, places: dict[QueueModel, QueuePosition], number: int, lots: int) -> None:
        """Count what is filled, and take the real order out again."""
        order = self.rivals.plain.alive.get(number)
        self.rates["REAL"] += lots - (order.lots if order else 0)
        for model, place in places.items():
            self.rates[model] += place.filled
        if order:
            cancel = {"what": at.CANCEL, "account": OURS, "side": 1, "number": number}
            self.rivals.compare_one(cancel | {"lots": 1, "guard": 0})


def test_the_real_queue_lies_between_the_optimistic_and_the_pessimistic_model() -> None:
    """Orders at random moments on random sides: no edge, so only the queue decides what fills."""
    watched = Watched(
        Rivals(Mix(prices=4_000, accounts=OURS, most_lots=8, spread=4)), random.Random(4)
    )
    for _ in range(300):
        watched.play()
    for _ in range(120):
        watched.one_order()
    rates = watched.rates
    assert rates[QueueModel.PESSIMISTIC] < rates["REAL"] < rates[QueueModel.OPTIMISTIC], rates
    assert (
        rates[QueueModel.PESSIMISTIC]
        <= rates[QueueModel.PROPORTIONAL]
        <= rates[QueueModel.OPTIMISTIC]
    )

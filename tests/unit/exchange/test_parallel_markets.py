"""Many small markets: each conserves, is the same for its seed, and tells what a recount finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import SECOND
from tidewright.exchange.environment.markets import ParallelMarkets
from tidewright.exchange.environment.rules import CROWD, LOG_ROWS, MarketRules
from tidewright.kernels.environment import layout as at
from tidewright.kernels.matching import layout as book_at

RULES = MarketRules(steps=150, maker_ppm=300, taker_ppm=900)


def wishes(count: int, steps: int, seed: int = 3) -> np.ndarray:
    draw = np.random.default_rng(seed)
    shape = (steps, count)
    return np.stack(
        [
            draw.integers(0, at.N_ACTS, shape),
            draw.integers(0, 8, shape),
            draw.integers(0, 4, shape),
        ],
        axis=2,
    )


def opened(count: int = 1, rules: MarketRules = RULES, seed: int = 11) -> ParallelMarkets:
    markets = ParallelMarkets(count, rules, seed)
    markets.reset()
    return markets


def queue(book: np.ndarray, price: int) -> list[np.ndarray]:
    """Orders at a price, oldest first."""
    found, slot = [], book[book[book_at.LEVELS] + price * book_at.N_LEVEL]
    while slot:
        found.append(book[book_at.HEADER + slot * book_at.N_ORDER :][: book_at.N_ORDER])
        slot = found[-1][book_at.NEXT]
    return found


def played(markets: ParallelMarkets, actions: np.ndarray) -> list[np.ndarray]:
    """Everything that was told, step by step."""
    told = []
    for wish in actions:
        markets.step(wish)
        numbers = (markets.observations.astype(float), markets.outcomes)
        flags = (markets.rewards, markets.over, markets.answers >= 0)
        told.append(np.column_stack((*numbers, *flags)))
    return told


def test_books_and_accounts_keep_their_invariants() -> None:
    markets = opened(3)
    total = markets.accounts(0)[:, 2:].reshape(-1, 2, 2).sum(axis=(0, 2)).tolist()
    for number, wish in enumerate(wishes(3, 120)):
        markets.step(wish)
        if number % 10:
            continue
        for market in range(3):
            book, accounts = markets.book(market), markets.accounts(market)
            assert accounts[:, 2:].reshape(-1, 2, 2).sum(axis=(0, 2)).tolist() == total
            assert (accounts[:, 2:] >= 0).all()
            assert 0 < book[book_at.BID] < book[book_at.ASK] < book[book_at.PRICES]
            orders = [order for price in range(1, 4_096) for order in queue(book, price)]
            assert len(orders) == book[book_at.LIVE]
            locked = np.zeros((len(accounts), 2), np.int64)
            for order in orders:
                side = 1 if order[book_at.SIDE] > 0 else 0
                locked[order[book_at.ACCOUNT], side] += order[book_at.LOCKED]
            assert np.array_equal(locked, accounts[:, [3, 5]])


def test_a_seed_gives_one_market_whoever_stands_beside_it() -> None:
    actions = wishes(4, 320)
    together = played(opened(4), actions)
    for market in range(4):
        alone = played(opened(1, seed=11 + market), actions[:, market : market + 1])
        for one, all_ in zip(alone, together, strict=True):
            assert np.array_equal(one[0], all_[market])


def test_episodes_and_seeds_differ_and_come_again() -> None:
    markets = opened()
    first = markets.observations.copy()
    played(markets, wishes(1, 40))
    markets.reset()
    assert not np.array_equal(markets.observations, first)
    markets.seed(11)
    markets.reset()
    assert np.array_equal(markets.observations, first)
    actions = wishes(1, 60, 8)
    again, fresh = played(markets, actions), played(opened(), actions)
    assert all(np.array_equal(one, other) for one, other in zip(again, fresh, strict=True))
    assert not np.array_equal(opened(seed=12).observations, first)


def test_an_episode_ends_after_its_steps_and_the_next_step_begins_another() -> None:
    markets = opened(2, replace(RULES, steps=20))
    actions = wishes(2, 22)
    for number, wish in enumerate(actions[:20], 1):
        markets.step(wish)
        assert markets.over.tolist() == [at.TRUNCATED if number == 20 else 0] * 2
    assert markets.observations[:, at.SEEN_TIME].tolist() == [0.0, 0.0]
    markets.step(actions[20])
    assert markets.over.tolist() == [0, 0]
    assert markets.rewards.tolist() == [0.0, 0.0]
    assert markets.observations[:, at.SEEN_TIME].tolist() == [1.0, 1.0]
    assert markets.outcomes.tolist() == [[0.0] * at.N_OUTCOME] * 2


def test_profit_and_holdings_are_those_of_a_recount_of_trades() -> None:
    markets = opened(1, replace(RULES, aversion=0.01))
    money = units = 0
    rewards = penalties = 0.0
    bought = sold = 0
    for wish in wishes(1, 150):
        markets.step(wish)
        for row in markets.last_rows().tolist():
            if row[book_at.EVENT] != book_at.TRADED:
                continue
            takes = row[book_at.TAKER_ACCOUNT] == markets.learner
            if not takes and row[book_at.MAKER_ACCOUNT] != markets.learner:
                continue
            side = row[book_at.TAKER_SIDE] * (1 if takes else -1)
            lots, rate = row[book_at.TRADE_LOTS], 900 if takes else 300
            amount, cost = lots * at.UNIT, lots * at.UNIT * row[book_at.TRADE_PRICE]
            got = amount if side > 0 else cost
            fee = got * rate // 1_000_000
            money += -cost if side > 0 else cost - fee
            units += amount - fee if side > 0 else -amount
            bought, sold = bought + lots * (side > 0), sold + lots * (side < 0)
        book = markets.book(0)
        doubled = int(book[book_at.BID] + book[book_at.ASK])
        profit, held, *_ = markets.outcomes[0].tolist()
        assert held == units / at.UNIT
        assert profit == (2 * money + units * doubled) / (2 * at.UNIT)
        rewards += float(markets.rewards[0])
        penalties += 0.01 * held * held
    assert bought > 50
    assert sold > 50
    assert rewards == pytest.approx(profit - penalties, rel=1e-9)


def test_what_is_seen_is_what_the_book_holds() -> None:
    markets = opened(1)
    seen_own = 0
    middles = [float(markets.observations[0, :2].mean())]
    for wish in wishes(1, 150, 5):
        markets.step(wish)
        seen, book = markets.observations[0].tolist(), markets.book(0)
        bid, ask = int(book[book_at.BID]), int(book[book_at.ASK])
        lots = [
            [sum(int(o[book_at.LOTS]) for o in queue(book, price)) for price in prices]
            for prices in (range(bid, bid - 5, -1), range(ask, ask + 5))
        ]
        assert seen[2:5] == [ask - bid, lots[0][0], lots[1][0]]
        for place, depth in enumerate((1, 3, 5)):
            bids, asks = sum(lots[0][:depth]), sum(lots[1][:depth])
            assert seen[5 + place] == pytest.approx((bids - asks) / (bids + asks), abs=1e-6)
        middles.append((seen[0] + seen[1]) / 2)
        for place, lag in enumerate((1, 4, 15)):
            assert seen[8 + place] == middles[-1] - middles[max(len(middles) - 1 - lag, 0)]
        for place, side in ((12, 1), (15, -1)):
            own = [
                (price, number, orders)
                for price in range(max(bid - 40, 1), ask + 40)
                for orders in [queue(book, price)]
                for number, order in enumerate(orders)
                if order[book_at.ACCOUNT] == markets.learner and order[book_at.SIDE] == side
            ]
            if not own:
                assert seen[place : place + 3] == [0.0, 0.0, 0.0]
                continue
            seen_own += 1
            ((price, number, orders),) = own
            ahead = sum(int(order[book_at.LOTS]) for order in orders[:number])
            distance = side * ((bid + ask) / 2 - price)
            assert seen[place : place + 3] == [distance, orders[number][book_at.LOTS], ahead]
    assert seen_own > 40


@pytest.mark.parametrize("act", [at.BUY, at.SELL])
def test_holdings_stay_within_their_limit(act: int) -> None:
    markets = opened(50, replace(RULES, most_lots=37))
    limit, largest = at.BID if act == at.BUY else at.ASK, 0.0
    # A limit order that rests while market orders fill the room would trade beyond it later.
    for number in range(90):
        wish = [[limit, 1, 2] if number % 10 == 0 else [act if number % 10 == 1 else 0, 0, 3]]
        markets.step(np.array(wish * 50))
        largest = max(largest, float(np.abs(markets.outcomes[:, at.HELD]).max()))
    assert 36.0 < largest <= 37.0
    markets.step(np.array([[act, 0, 3]] * 50))
    assert (markets.answers == at.REFUSED).any()


def test_a_large_loss_terminates() -> None:
    markets = opened(1, replace(RULES, most_loss=150))
    for number in range(150):
        markets.step(np.array([[at.BUY if number % 2 else at.SELL, 0, 3]]))
        if markets.over[0]:
            break
    assert markets.over[0] == at.TERMINATED
    assert markets.outcomes[0, at.PROFIT] <= -150


def test_actions_that_mean_nothing_do_nothing() -> None:
    markets, quiet = opened(1), opened(1)
    far = 2**62
    for wish in ([7, 0, 0], [-1, 0, 0], [1, far, 0], [1, -far, 0], [3, 0, -far], [2, 0, -5]):
        markets.step(np.array([wish]))
        quiet.step(np.zeros((1, 3), np.int64))
        assert markets.answers[0] <= 0
        assert markets.outcomes[0].tolist() == [0.0, 0.0, 0.0, 0.0]
        assert np.array_equal(markets.observations, quiet.observations)
    with pytest.raises(ConfigError, match="shape"):
        markets.step(np.zeros((2, 3), np.int64))


def test_a_step_of_hours_counts_every_trade_although_the_log_is_full() -> None:
    rules = replace(RULES, step_time=6 * 3_600 * SECOND, maker_ppm=0)
    markets = opened(1, rules)
    before = markets.accounts(0)[:, 2:].sum()
    markets.step(np.array([[at.BID, 0, 3]]))
    assert markets.book(0)[book_at.TRADES] > LOG_ROWS
    assert markets.accounts(0)[:, 2:].sum() == before
    held, bought, sold = markets.outcomes[0, at.HELD :].tolist()
    assert held == bought - sold == 20.0


def test_at_least_four_messages_come_between_two_actions() -> None:
    markets = opened(50)
    before = markets.messages.sum()
    for _ in range(100):
        markets.step(np.zeros((50, 3), np.int64))
    assert (markets.messages.sum() - before) / 5_000 > 4.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"steps": 0}, "steps was 0"),
        ({"taker_ppm": 1_000_000}, "taker_ppm was 1000000"),
        ({"price": 4_095}, "price was 4095"),
        ({"most_loss": 0}, "most_loss was 0"),
        ({"crowd": replace(CROWD, arbitrage=1)}, "1 arbitrageurs"),
        ({"crowd": replace(CROWD, makers=0, noise=0)}, "no makers"),
    ],
)
def test_rules_say_what_they_need(change: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        replace(RULES, **change)
    with pytest.raises(ConfigError, match="count was 0"):
        ParallelMarkets(0, RULES)
    with pytest.raises(ConfigError, match="expected 0 to 1"):
        ParallelMarkets(2, RULES).reset([2])

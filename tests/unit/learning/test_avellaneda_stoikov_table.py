"""The table of Avellaneda & Stoikov (2008), simulated again with the formulas that quote here."""

from __future__ import annotations

import numpy as np
import pytest

from tidewright.learning.rl.avellaneda_stoikov import optimal_spread, reservation_price

PATHS, STEPS = 1_000, 200
PRICE, DEVIATION, DECAY, RATE = 100.0, 2.0, 1.5, 140.0


def simulated(aversion: float, *, leans: bool, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Profits and final holdings of makers who quote 200 times in one unit of time."""
    draw = np.random.default_rng(seed)
    price, cash, held = np.full(PATHS, PRICE), np.zeros(PATHS), np.zeros(PATHS)
    for step in range(STEPS):
        risk = aversion * DEVIATION**2 * (1.0 - step / STEPS)
        half = 0.5 * optimal_spread(aversion, risk, DECAY)
        centre = reservation_price(price, held, risk) if leans else price
        bid, ask = centre - half, centre + half
        buys = draw.random(PATHS) < RATE / STEPS * np.exp(-DECAY * (price - bid))
        sells = draw.random(PATHS) < RATE / STEPS * np.exp(-DECAY * (ask - price))
        cash += np.where(sells, ask, 0.0) - np.where(buys, bid, 0.0)
        held += buys.astype(float) - sells
        price = price + DEVIATION * np.sqrt(1.0 / STEPS) * draw.choice((-1.0, 1.0), PATHS)
    return cash + held * price, held


@pytest.mark.parametrize(
    ("aversion", "leans", "profit", "deviation", "held"),
    [
        (0.1, True, 65.0, 6.6, 3.0),
        (0.1, False, 68.4, 12.9, 8.4),
        (0.01, True, 68.7, 8.7, 5.4),
        (0.01, False, 68.8, 13.6, 8.7),
        (0.5, True, 48.5, 5.8, 2.0),
        (0.5, False, 58.3, 11.6, 7.0),
    ],
)
def test_profits_and_holdings_are_those_of_the_table(
    aversion: float, leans: bool, profit: float, deviation: float, held: float
) -> None:
    profits, final = simulated(aversion, leans=leans, seed=4)
    # Both means come from 1,000 paths.
    error = np.sqrt(2.0 / PATHS) * deviation
    assert abs(profits.mean() - profit) < 3.0 * error
    assert profits.std() == pytest.approx(deviation, rel=0.1)
    assert final.std() == pytest.approx(held, rel=0.1)


def test_leaning_carries_less_risk_for_little_less_profit() -> None:
    leaning, held = simulated(0.1, leans=True, seed=9)
    straight, carried = simulated(0.1, leans=False, seed=9)
    assert leaning.std() < 0.65 * straight.std()
    assert held.std() < 0.5 * carried.std()
    assert leaning.mean() > 0.9 * straight.mean()

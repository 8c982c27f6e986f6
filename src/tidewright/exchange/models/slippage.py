"""What it costs to take quantity from a market at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidewright.domain.errors import ConfigError
from tidewright.kernels.fills import impact_flat

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class RecentTrading:
    """What a market did lately, by which the square-root law measures an order.

    Parameters
    ----------
    volume : int
        Quantity traded in a span of time, in the unit of the order's.
    span : int
        Distance between the highest and the lowest price in it, in the unit of the levels'.
    coefficient : float
        What the root is multiplied with beside the volatility; measured values are near 1.
    """

    volume: int
    span: int
    coefficient: float = 1.0


@dataclass(frozen=True, slots=True)
class Slippage:
    """What an order that takes liquidity would trade at.

    Parameters
    ----------
    quantity : int
        What the levels offer of it.
    best, worst : int
        Prices of the first and the last level that it reaches, 0 without one.
    money : int
        Sum of price times quantity.
    impact : int
        How far the square-root law says that the market answers, in the unit of price.
    """

    quantity: int
    best: int
    worst: int
    money: int
    impact: int

    @property
    def average(self) -> float:
        """Average price of what the levels offer, 0 without any."""
        return self.money / self.quantity if self.quantity else 0.0

    @property
    def walked_ppm(self) -> float:
        """What the walk through the levels costs against the best price, in millionths."""
        return abs(self.average - self.best) / self.best * _MILLION if self.best else 0.0

    @property
    def cost_ppm(self) -> float:
        """Walk and impact together, in millionths of the best price."""
        answer = self.impact / self.best * _MILLION if self.best else 0.0
        return self.walked_ppm + answer


def slippage(
    levels: Sequence[tuple[int, int]], quantity: int, recent: RecentTrading | None = None
) -> Slippage:
    """Return what an order costs that takes a quantity from one side of a book.

    Parameters
    ----------
    levels : sequence of (price, quantity)
        The side that the order meets, best first: asks for a buy. Whole numbers of any one unit,
        such as those of `exchange.spot.values.Depth`.
    quantity : int
        What the order is for, > 0.
    recent : RecentTrading or None
        Adds the square-root impact that the paper venue charges; without it there is none.

    Raises
    ------
    ConfigError
        If the quantity is not above 0 or the levels are not in order.
    """
    if quantity < 1:
        raise ConfigError(f"quantity was {quantity}; expected above 0")
    _check_order([price for price, _ in levels])
    left, money, worst = quantity, 0, 0
    for price, offered in levels:
        if left == 0:
            break
        part = min(left, offered)
        left, money, worst = left - part, money + part * price, price
    impact = 0
    if recent is not None:
        ppm = round(recent.coefficient * _MILLION)
        impact = impact_flat(quantity, (0, ppm, recent.span, recent.volume))
    return Slippage(quantity - left, levels[0][0] if levels else 0, worst, money, impact)


def _check_order(prices: list[int]) -> None:
    if prices != sorted(set(prices)) and prices != sorted(set(prices), reverse=True):
        raise ConfigError(f"prices were {prices[:5]}...; expected each level once, best first")

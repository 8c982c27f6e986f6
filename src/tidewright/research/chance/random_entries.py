"""Would random entries do it? The same trades, at times that know nothing.

Each draw keeps every round trip of the strategy: its instrument, its direction, its size, how many
bars it was held and what it cost. Only the times are drawn, without overlap within an instrument:
the trades come in another order with other pauses between them. Exposure, holding times, turnover
and costs are therefore those of the strategy, and what is left is when it entered.

Drawn trades are entered and left at opening prices, and run their time: a strategy whose merit is
in its stops, and not in its entries, shows here as one whose entries have merit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import Side
from tidewright.domain.portfolio import Trade
from tidewright.market.arrays import BarArrays
from tidewright.research.results import Float64, Int64

DRAWS = 1_000
_TOGETHER = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class HeldTrades:
    """Round trips as what random ones are made from, n_trades of each.

    Parameters
    ----------
    instrument : int64 array
        Which of the series.
    direction : float64 array
        1 long, -1 short.
    held : int64 array
        Bars from the one of the first fill to the one of the last, at least 1.
    value, cost, profit : float64 array
        Value entered, costs of both sides, and profit after them, shares of the initial equity.
    """

    instrument: Int64
    direction: Float64
    held: Int64
    value: Float64
    cost: Float64
    profit: Float64

    def __len__(self) -> int:
        return len(self.profit)


@dataclass(frozen=True, slots=True, eq=False)
class RandomEntries:
    """A strategy's profit against that of the same trades at random times.

    Parameters
    ----------
    seen : float
        Profit of the strategy's round trips, as a share of the initial equity.
    profits : float64 array of shape (draws,)
        Profit of each draw.
    """

    seen: float
    profits: Float64

    @property
    def percentile(self) -> float:
        """Share of draws that earned less, 0 to 1."""
        return float((self.profits < self.seen).mean())

    @property
    def p_value(self) -> float:
        """Chance of so high a profit or a higher one if times did not matter."""
        return float((1 + (self.profits >= self.seen).sum()) / (1 + len(self.profits)))

    @property
    def median(self) -> float:
        """Median profit of the draws."""
        return float(np.median(self.profits))


def held_trades(
    trades: Sequence[Trade],
    series: Sequence[BarArrays],
    instruments: Sequence[Instrument],
    initial: int,
    taking: float,
) -> HeldTrades:
    """Return round trips as what random ones are made from.

    Parameters
    ----------
    trades : sequence of Trade
        Finished round trips.
    series : sequence of BarArrays
        Bars over which they were made.
    instruments : sequence of Instrument
        What was traded.
    initial : int
        Equity before the first trade, money units above 0.
    taking : float
        What taking liquidity cost beside fees, half the spread and the slippage, as a share of
        the value of each side.

    Raises
    ------
    ConfigError
        If a trade is of an instrument without series or definition.
    """
    places = {one.instrument: place for place, one in enumerate(series)}
    by_id = {one.id: one for one in instruments}
    if missing := sorted({one.instrument for one in trades} - (places.keys() & by_id.keys())):
        raise ConfigError(f"there were trades of {missing}; expected bars and definitions of them")
    instrument = np.array([places[one.instrument] for one in trades], np.int64)
    direction = np.array([1.0 if one.side is Side.BUY else -1.0 for one in trades])
    worth = {name: one.value_ratio[0] / one.value_ratio[1] / initial for name, one in by_id.items()}
    value = np.array([one.entry_value * worth[one.instrument] for one in trades])
    turned = np.array(
        [(one.entry_value + one.exit_value) * worth[one.instrument] for one in trades]
    )
    fees = np.array([one.fees for one in trades], np.float64) / initial
    profit = np.array([one.pnl for one in trades], np.float64) / initial
    held = np.ones(len(trades), np.int64)
    entered = np.array([one.ts_entry for one in trades], np.int64)
    left = np.array([one.ts_exit for one in trades], np.int64)
    for place, bars in enumerate(series):
        own = instrument == place
        rows = np.searchsorted(bars.ts_event, np.stack((entered[own], left[own])), side="right")
        held[own] = np.maximum(rows[1] - rows[0], 1)
    return HeldTrades(instrument, direction, held, value, fees + taking * turned, profit)


def random_entries(
    trades: HeldTrades,
    series: Sequence[BarArrays],
    *,
    window: TradingWindow | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> RandomEntries:
    """Value the same trades at random times, many times over.

    Parameters
    ----------
    trades : HeldTrades
        Of the strategy, at least one.
    series : sequence of BarArrays
        The bars.
    window : TradingWindow or None
        Trades lie inside; None allows all bars.
    draws, seed : int
        How often, at least 1, and where the draws come from.

    Raises
    ------
    ConfigError
        If there is no trade, or more of them than bars to place them in.
    """
    if not len(trades) or draws < 1:
        raise ConfigError(f"there were {len(trades)} trades and {draws} draws; expected 1 of each")
    profits = np.full(draws, -float(trades.cost.sum()))
    for place, bars in enumerate(series):
        own = np.flatnonzero(trades.instrument == place)
        if not len(own):
            continue
        prices = _inside(bars, window).astype(np.float64)
        free = len(prices) - 1 - int(trades.held[own].sum())
        if free < 0:
            raise ConfigError(
                f"{len(own)} trades of {bars.instrument} lasted {trades.held[own].sum()} bars; "
                f"expected at most {len(prices) - 1} bars to place them in"
            )
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, place])))
        step = max(1, _TOGETHER // len(own))
        stake = trades.value[own] * trades.direction[own]
        for begin in range(0, draws, step):
            count = min(step, draws - begin)
            order, start = _times(trades.held[own], free, count, generator)
            moves = prices[start + trades.held[own][order]] / prices[start] - 1.0
            profits[begin : begin + count] += (stake[order] * moves).sum(axis=1)
    return RandomEntries(float(trades.profit.sum()), profits)


def _times(
    held: Int64, free: int, draws: int, generator: np.random.Generator
) -> tuple[Int64, Int64]:
    """Return an order of the trades and the bars at which they begin, each (draws, n_trades)."""
    order = np.argsort(generator.random((draws, len(held))), axis=1)
    pauses = np.sort(generator.integers(0, free + 1, (draws, len(held))), axis=1)
    lengths = held[order]
    return order, pauses + np.cumsum(lengths, axis=1) - lengths


def _inside(bars: BarArrays, window: TradingWindow | None) -> Int64:
    """Return opening prices at which a trade could be entered or left."""
    if window is None:
        return bars.open
    first = int(np.searchsorted(bars.ts_event, window.start))
    last = int(np.searchsorted(bars.ts_known, window.end, side="right")) if window.end else None
    return bars.open[first:last]

"""Patternless copies keep what is no skill to know, and destroy the order of moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewright.domain.time import DAY, HOUR
from tidewright.market.arrays import BarArrays
from tidewright.research.chance.surrogates import surrogate_market

START = 18_262 * DAY


def walk(
    bars: int,
    seed: int = 0,
    *,
    memory: float = 0.0,
    size: np.ndarray | float = 0.01,
    drift: float = 0.0,
    price: float = 50_000.0,
    name: str = "A",
) -> BarArrays:
    """Hourly bars whose moves remember ``memory`` of the move before."""
    draw = np.random.Generator(np.random.PCG64(seed))
    shocks = draw.standard_normal((bars, 4)) * np.asarray(size)[..., None]
    moves = np.zeros(bars)
    for row in range(bars):
        moves[row] = drift + shocks[row, 0] + memory * moves[row - 1]
    close = price * np.exp(np.cumsum(moves))
    opened = close / np.exp(moves - 0.2 * shocks[:, 1])
    opened[0] = price
    high = np.maximum(opened, close) * np.exp(np.abs(shocks[:, 2]))
    low = np.minimum(opened, close) / np.exp(np.abs(shocks[:, 3]))
    prices = [np.maximum(np.rint(one), 1).astype(np.int64) for one in (opened, high, low, close)]
    volume = draw.integers(0, 1_000, bars)
    ts = START + HOUR * np.arange(bars)
    return BarArrays(name, "1h", ts, ts + HOUR, *prices, volume)


def thinned(bars: BarArrays, rows: np.ndarray) -> BarArrays:
    return BarArrays(
        bars.instrument,
        bars.timeframe,
        *(
            getattr(bars, name)[rows]
            for name in ("ts_event", "ts_known", "open", "high", "low", "close", "volume")
        ),
    )


def moves(bars: BarArrays) -> np.ndarray:
    return np.diff(np.log(bars.close))


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one, other)[0, 1])


@settings(max_examples=40, deadline=None)
@given(
    bars=st.integers(1, 400),
    seed=st.integers(0, 10_000),
    price=st.sampled_from([2.0, 40.0, 50_000.0]),
    block=st.sampled_from([1, 7]),
    kept=st.floats(0.2, 1.0),
)
def test_bars_of_copies_are_sound_and_stand_where_the_bars_stood(
    bars: int, seed: int, price: float, block: int, kept: float
) -> None:
    one, other = walk(bars, seed, price=price), walk(bars, seed + 1, price=price, name="B")
    chosen = np.random.Generator(np.random.PCG64(seed)).random(bars) < kept
    series = (one, thinned(other, np.flatnonzero(chosen)))
    copies = surrogate_market(series, block=block).draw(seed, 3)
    for copy, real in zip(copies, series, strict=True):
        assert np.array_equal(copy.ts_event, real.ts_event)
        assert np.array_equal(copy.ts_known, real.ts_known)
        assert copy.instrument == real.instrument
        assert (copy.low >= 1).all()
        assert (copy.low <= np.minimum(copy.open, copy.close)).all()
        assert (copy.high >= np.maximum(copy.open, copy.close)).all()
        assert (copy.volume >= 0).all()
        assert all(
            getattr(copy, column).dtype == np.int64
            for column in ("open", "high", "low", "close", "volume")
        )
        if len(real):
            assert copy.open[0] == real.open[0]
            # The total drift stays, up to the rounding of the last close to a tick.
            assert abs(int(copy.close[-1]) - int(real.close[-1])) <= 1


def test_order_of_moves_is_gone() -> None:
    real = walk(4_000, memory=0.5)
    assert correlation(moves(real)[1:], moves(real)[:-1]) > 0.4
    market = surrogate_market([real])
    found = [moves(market.draw(0, number)[0]) for number in range(20)]
    lags = [np.mean([correlation(one[lag:], one[:-lag]) for one in found]) for lag in (1, 2, 5)]
    # 20 copies of 4,000 moves: the standard error of a mean is 0.0035.
    assert np.abs(lags).max() < 0.015


def test_blocks_keep_patterns_shorter_than_themselves() -> None:
    real = walk(4_000, memory=0.5)
    copy = moves(surrogate_market([real], block=50).draw(0, 0)[0])
    assert correlation(copy[1:], copy[:-1]) > 0.4


def test_volatility_path_stays() -> None:
    size = 0.002 * np.exp(1.2 * np.sin(np.arange(4_000) / 200.0))
    real = walk(4_000, size=size)
    copy = surrogate_market([real]).draw(0, 0)[0]
    assert correlation(np.log(size[1:]), np.abs(moves(copy))) == pytest.approx(
        correlation(np.log(size[1:]), np.abs(moves(real))), abs=0.06
    )
    assert moves(copy).std() == pytest.approx(moves(real).std(), rel=0.05)


def test_times_of_day_keep_their_volatility_and_volume() -> None:
    hour = np.arange(4_800) % 24
    size = np.where(hour < 8, 0.01, 0.002)
    real = walk(4_800, size=size)
    busy = np.where(hour < 8, real.volume * 20, real.volume)
    real = BarArrays("A", "1h", real.ts_event, real.ts_known, real.open, real.high, real.low,
                     real.close, busy)  # fmt: skip
    copy = surrogate_market([real]).draw(0, 0)[0]
    for column in (np.abs(moves(copy)), copy.volume[1:]):
        assert column[hour[1:] < 8].mean() > 4 * column[hour[1:] >= 8].mean()


def test_usual_move_of_a_kind_of_time_is_gone() -> None:
    # Every night prices rise by 1 %, and every day they fall by about as much.
    rows = np.flatnonzero(np.arange(4_800) % 24 < 8)
    jump = np.where(np.arange(len(rows)) % 8 == 0, 0.01, -0.01 / 7)
    path = np.exp(np.cumsum(jump))
    noise = walk(len(rows), size=0.001)
    bars = thinned(walk(4_800), rows)
    real = BarArrays(
        "A", "1h", bars.ts_event, bars.ts_known,
        *(np.rint(one * path).astype(np.int64) for one in
          (noise.open / np.exp(jump * (jump < 0)), noise.high, noise.low, noise.close)),
        bars.volume,
    )  # fmt: skip
    market = surrogate_market([real])
    night = np.flatnonzero(np.arange(len(rows)) % 8 == 0)[1:] - 1
    assert moves(real)[night].mean() > 0.008
    found = [moves(market.draw(0, number)[0])[night].mean() for number in range(20)]
    assert abs(np.mean(found)) < 0.001


def test_instruments_are_permuted_together() -> None:
    one = walk(2_000, size=0.003, price=1e7)
    twice = BarArrays("B", "1h", one.ts_event, one.ts_known, *(
        2 * getattr(one, name) for name in ("open", "high", "low", "close")
    ), one.volume)  # fmt: skip
    copies = surrogate_market([one, twice]).draw(0, 0)
    assert np.abs(copies[1].close - 2 * copies[0].close).max() <= 2
    late = thinned(twice, np.arange(800, 2_000))
    copies = surrogate_market([one, late]).draw(0, 0)
    assert correlation(moves(copies[0])[800:], moves(copies[1])) > 0.99


def test_bars_absent_in_one_instrument_leave_the_others_together() -> None:
    one = walk(2_000, size=0.003, price=1e7)
    holes = np.delete(np.arange(2_000), np.arange(5, 2_000, 40))
    copies = surrogate_market([one, thinned(one, holes)]).draw(0, 0)
    both = np.flatnonzero(np.diff(holes) == 1)
    assert correlation(moves(copies[0])[holes[both]], moves(copies[1])[both]) > 0.9


def test_times_without_trade_are_never_given_prices_that_move() -> None:
    real = walk(1_000)
    still = np.arange(1_000) >= 600
    level = int(real.close[599])
    flat = [
        np.where(still, level, getattr(real, name)) for name in ("open", "high", "low", "close")
    ]
    real = BarArrays(
        "A", "1h", real.ts_event, real.ts_known, *flat, np.where(still, 0, real.volume + 1)
    )
    copy = surrogate_market([real]).draw(0, 0)[0]
    # Within half a window of the last trade there is still some volatility.
    quiet = copy.close[620:]
    assert np.abs(np.diff(np.log(quiet))).max() < 1e-3
    assert (copy.volume[620:] == 0).all()


def test_copies_depend_on_seed_and_number_alone() -> None:
    real = walk(500)
    one, same = surrogate_market([real]), surrogate_market([real])
    assert np.array_equal(one.draw(1, 2)[0].close, same.draw(1, 2)[0].close)
    assert not np.array_equal(one.draw(1, 2)[0].close, one.draw(1, 3)[0].close)
    assert not np.array_equal(one.draw(1, 2)[0].close, one.draw(2, 2)[0].close)

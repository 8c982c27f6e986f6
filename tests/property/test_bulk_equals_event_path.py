"""The bulk loop and the event path: the same orders, fills, refusals, states and money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from fakes.expressions import bulk_specs
from fakes.homes import plain_settings
from fakes.parity import assert_equal_runs
from tidewright.app.feeds.files import FileFeed
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.strategies import load_strategies, loaded_spec
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import MINUTE
from tidewright.market.arrays import BarArrays, bar_arrays
from tidewright.strategy.library import library
from tidewright.strategy.spec import SizingMethod, SizingSpec, load_spec

# Wide enough to keep trading, so that there is something to compare.
WIDE = ("risk.max_drawdown_percent=100", "risk.max_daily_loss_percent=100")
# Tight enough that every limit of money, pace and loss is met.
TIGHT = (
    "risk.max_drawdown_percent=40",
    "risk.max_daily_loss_percent=0.4",
    "risk.max_total_exposure_percent=15",
    "risk.max_consecutive_losses=2",
    "risk.duplicate_window_seconds=7200",
    "risk.max_open_orders=5",
    "risk.max_correlated_positions=1",
    "risk.correlation_threshold=0.3",
    "signals.min_confidence=0.65",
)


@cache
def simulated(minutes: int, seed: int = 5) -> tuple[tuple[BarArrays, ...], tuple[Instrument, ...]]:
    """Return the first minutes of the simulated market."""
    feed = SimulatedFeed(seed)
    bars: dict[str, list[Bar]] = {one.id: [] for one in feed.instruments}
    for slice_ in islice(feed.slices(0), minutes):
        for bar in slice_.events:
            if isinstance(bar, Bar):
                bars[bar.instrument].append(bar)
    series = tuple(bar_arrays(name, feed.timeframe, rows) for name, rows in bars.items())
    return series, tuple(feed.instruments)


@pytest.mark.parametrize("overrides", [WIDE, (), TIGHT], ids=["wide", "default", "tight"])
@pytest.mark.parametrize("strategy", sorted(library()))
def test_library_on_the_simulated_market(strategy: str, overrides: tuple[str, ...]) -> None:
    series, instruments = simulated(2_000)
    found = assert_equal_runs(
        series, instruments, load_strategies([strategy])[0], plain_settings(*overrides)
    )
    assert found["orders"] + sum(found.values()) > 0


def test_every_limit_bites_somewhere() -> None:
    """What the parity of a limit is worth depends on its being met."""
    series, instruments = simulated(4_000)
    found: Counter[str] = Counter()
    cases = [
        ("ta_confidence", TIGHT),
        ("sma_cross", ("risk.max_drawdown_percent=1",)),
        ("sma_cross", (*WIDE, "risk.max_orders_per_minute=1")),
        ("sma_cross", (*WIDE, "risk.loss_type=realized", "risk.max_daily_loss=20")),
        ("sma_cross", ("risk.max_position_size_percent=0.05",)),
        ("sma_cross", (*WIDE, "risk.max_total_exposure_percent=10")),
        ("sma_cross", (*WIDE, "risk.min_free_cash_percent=95")),
        ("sma_cross_plain", (*WIDE, "risk.risk_per_trade_percent=0.0001")),
        ("sma_cross", (*WIDE, "account.initial_balance=2")),
        ("sma_cross", (*WIDE, "risk.max_open_orders=3")),
    ]
    for strategy, overrides in cases:
        found += assert_equal_runs(
            series, instruments, load_strategies([strategy])[0], plain_settings(*overrides)
        )
    for method, value in (("fixed_quantity", "0.01"), ("fixed_notional", "0.5")):
        sizing = SizingSpec(SizingMethod(method), Decimal(value))
        spec = replace(library()["ta_confidence"], sizing=sizing)
        pace = (*WIDE, "risk.duplicate_window_seconds=86400")
        found += assert_equal_runs(
            series, instruments, loaded_spec(spec, "test"), plain_settings(*pace)
        )
    expected = {
        "trading_state",
        "cooldown_minutes",
        "min_confidence",
        "duplicate_window_seconds",
        "max_open_orders",
        "max_correlated_positions",
        "max_total_exposure_percent",
        "min_free_cash_percent",
        "max_orders_per_minute",
        "instrument_limits",
        "alert MAX_DRAWDOWN_PERCENT",
        "alert MAX_DAILY_LOSS_PERCENT",
        "alert CONSECUTIVE_LOSSES",
    }
    assert expected - set(found) == set()


def drifting(bars: int, drift: float) -> tuple[tuple[BarArrays, ...], tuple[Instrument, ...]]:
    """Return a market that rises more often than it falls, or the other way round."""
    (one, *_), (item, *_) = simulated(bars)
    rng = np.random.default_rng(1)
    close = np.round(100_000 * np.exp(np.cumsum(rng.normal(drift, 0.002, len(one))))).astype(int)
    open_ = np.concatenate(([100_000], close[:-1]))
    high, low = np.maximum(open_, close) + 20, np.minimum(open_, close) - 20
    made = replace(one, open=open_, high=high, low=low, close=close, volume=one.volume * 0 + 10**9)
    return (made,), (replace(item, shortable=True, borrow_rate=Decimal("0.9")),)


@pytest.mark.parametrize("side", ["long", "short"])
def test_kelly_bets_once_a_hundred_trades_have_shown_an_edge(side: str) -> None:
    series, instruments = drifting(2_200, 0.002 if side == "long" else -0.002)
    text = f"""
        schema: 1
        name: bettor
        entry: {{{side}: close > 0}}
        time_stop_bars: 3
        sizing: {{method: kelly, value: 0.5, fallback: {{method: fixed_notional, value: 500}}}}
    """
    cheap = (*WIDE, "paper.simulate_slippage=false", "paper.simulate_spread=false")
    found = assert_equal_runs(
        series,
        instruments,
        loaded_spec(load_spec(text), "test"),
        plain_settings(*cheap, "risk.max_consecutive_losses=off"),
    )
    assert found["trades"] > 200
    assert found["charges"] == (1 if side == "short" else 0)


@pytest.mark.realdata
@pytest.mark.parametrize("overrides", [WIDE, ()], ids=["wide", "default"])
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_library_on_two_months_of_minutes(
    realdata: Path, symbol: str, overrides: tuple[str, ...]
) -> None:
    series, instruments = minutes_of(realdata, symbol, 60_000)
    for strategy in sorted(library()):
        found = assert_equal_runs(
            series, instruments, load_strategies([strategy])[0], plain_settings(*overrides)
        )
        assert found["trades"] > 50


@pytest.mark.realdata
@pytest.mark.parametrize("overrides", [WIDE, TIGHT], ids=["wide", "tight"])
def test_three_coins_share_one_account(realdata: Path, overrides: tuple[str, ...]) -> None:
    series, instruments = [], []
    for symbol in ("BTC", "ETH", "SOL"):
        one, item = minutes_of(realdata, symbol, 20_000)
        series += one
        instruments += item
    for strategy in sorted(library()):
        found = assert_equal_runs(
            series, instruments, load_strategies([strategy])[0], plain_settings(*overrides)
        )
        # One strategy is less sure of every entry than the tight limits ask for.
        assert found["trades"] > 10 or found["min_confidence"] > 1_000


@pytest.mark.realdata
def test_library_on_nine_stocks(realdata: Path) -> None:
    feed = FileFeed(realdata / "stocks_intraday" / "us_9sym_5m_2022-02_2023-06.parquet")
    series = tuple(one.slice(0, 4_000) for one in feed.series)
    for strategy in sorted(library()):
        found = assert_equal_runs(
            series, feed.instruments, load_strategies([strategy])[0], plain_settings(*WIDE)
        )
        assert found["trades"] > 10


@pytest.mark.realdata
@pytest.mark.full
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
@pytest.mark.parametrize("strategy", sorted(library()))
def test_library_on_whole_files(realdata: Path, symbol: str, strategy: str) -> None:
    series, instruments = minutes_of(realdata, symbol, 10**9)
    for overrides in (WIDE, ()):
        assert_equal_runs(
            series, instruments, load_strategies([strategy])[0], plain_settings(*overrides)
        )


@pytest.mark.realdata
@pytest.mark.full
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("strategy", sorted(library()))
def test_library_on_whole_stock_file(realdata: Path, strategy: str) -> None:
    feed = FileFeed(realdata / "stocks_intraday" / "us_9sym_5m_2022-02_2023-06.parquet")
    for overrides in (WIDE, (), TIGHT):
        assert_equal_runs(
            feed.series,
            feed.instruments,
            load_strategies([strategy])[0],
            plain_settings(*overrides),
        )


def minutes_of(
    realdata: Path, symbol: str, rows: int
) -> tuple[tuple[BarArrays, ...], Sequence[Instrument]]:
    """Return the first minutes of one coin."""
    path = realdata / "crypto" / f"binance_spot_{symbol}USDT_1m_2022-01_2023-06.parquet"
    feed = FileFeed(path)
    return tuple(one.slice(0, rows) for one in feed.series), feed.instruments


@st.composite
def markets(draw: st.DrawFn) -> tuple[tuple[BarArrays, ...], tuple[Instrument, ...]]:
    """Draw a stretch of one to three simulated instruments, with gaps, some shortable."""
    series, instruments = simulated(1_500, draw(st.sampled_from([5, 6])))
    count = draw(st.integers(1, 3))
    first = draw(st.integers(0, len(series) - count))
    chosen, items = [], []
    for one, item in zip(series[first : first + count], instruments[first:], strict=False):
        keep = np.random.default_rng(draw(st.integers(0, 99))).random(len(one)) > draw(
            st.sampled_from([0.0, 0.0, 0.05])
        )
        columns = [getattr(one, name)[keep] for name in _COLUMNS]
        if draw(st.booleans()):
            columns[-1] = np.where(columns[-1] % 23 == 0, 0, columns[-1])
        chosen.append(BarArrays(one.instrument, one.timeframe, *columns))
        items.append(
            replace(
                item,
                shortable=draw(st.booleans()),
                max_quantity=draw(st.sampled_from([Decimal(0), item.lot_size * 500])),
                maker_fee_rate=Decimal("0.0002"),
            )
        )
    return tuple(chosen), tuple(items)


_COLUMNS = ("ts_event", "ts_known", "open", "high", "low", "close", "volume")

_CHOICES = {
    "paper.simulate_partial_fills": ["true"],
    "risk.max_drawdown_percent": ["0.5", "2", "100"],
    "risk.max_daily_loss_percent": ["0.2", "1", "100"],
    "risk.max_daily_loss": ["5", "50"],
    "risk.loss_type": ["realized", "unrealized", "both"],
    "risk.max_consecutive_losses": ["1", "2", "off"],
    "risk.cooldown_minutes": ["1", "45"],
    "risk.max_position_size_percent": ["1", "40", "100"],
    "risk.max_total_exposure_percent": ["5", "100"],
    "risk.risk_per_trade_percent": ["0.05", "10"],
    "risk.min_free_cash_percent": ["0.0001", "60"],
    "risk.max_orders_per_minute": ["1", "2"],
    "risk.max_open_orders": ["1", "3"],
    "risk.duplicate_window_seconds": ["1", "3600"],
    "risk.max_correlated_positions": ["1", "off"],
    "risk.correlation_threshold": ["0.05", "0.5"],
    "risk.price_collar_percent": ["0.05", "50"],
    "risk.api_error_threshold": ["1", "2"],
    "risk.max_slippage_percent": ["0.01", "off"],
    "signals.min_confidence": ["0.3", "0.62"],
    "account.initial_balance": ["15", "1000", "5000000"],
    "paper.simulate_latency_ms": ["0", "60000", "150000"],
    "paper.latency_spread": ["0.5", "2"],
    "paper.latency_spike_probability": ["0.3", "1"],
    "paper.latency_spike_ms": ["70000", "200000"],
    "paper.limit_through_ticks": ["0", "3"],
    "paper.slippage_percent": ["0", "2"],
    "paper.borrow_percent_year": ["0", "400"],
    "paper.max_volume_percent": ["0.01", "20"],
    "paper.simulate_volume_limit": ["false"],
    "paper.impact_coefficient": ["7.5"],
    "paper.simulate_impact": ["false"],
    "paper.fill_without_volume": ["true"],
}
_OVERRIDES = st.lists(
    st.sampled_from(sorted(_CHOICES)).flatmap(
        lambda name: st.sampled_from(_CHOICES[name]).map(lambda value: f"{name}={value}")
    ),
    max_size=4,
    unique_by=lambda text: text.partition("=")[0],
).map(tuple)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(markets(), bulk_specs, _OVERRIDES, st.sampled_from(["0.5", "1"]), st.integers(0, 9))
def test_random_specs_with_partial_fills(market, spec, overrides, chance, seed) -> None:
    series, instruments = market
    thin = tuple(replace(one, volume=one.volume // 2_000) for one in series)
    chosen = {text.partition("=")[0]: text for text in overrides}
    chosen |= {
        "paper.simulate_partial_fills": "paper.simulate_partial_fills=true",
        "paper.partial_fill_probability": f"paper.partial_fill_probability={chance}",
        "seed": f"seed={seed}",
    }
    strategy = loaded_spec(spec, "test")
    wanted = plain_settings(*chosen.values())
    found = assert_equal_runs(thin, instruments, strategy, wanted)
    if found["fills"] > found["orders"]:
        event("more fills than orders")


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(markets(), bulk_specs, _OVERRIDES, st.booleans())
def test_random_specs_within_random_limits(market, spec, overrides, windowed) -> None:
    compare_within_limits(market, spec, overrides, windowed=windowed)


@pytest.mark.full
@pytest.mark.timeout(1_800)
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(markets(), bulk_specs, _OVERRIDES, st.booleans())
def test_three_hundred_more_random_specs(market, spec, overrides, windowed) -> None:
    compare_within_limits(market, spec, overrides, windowed=windowed)


def compare_within_limits(market, spec, overrides, *, windowed: bool) -> None:
    """Run a made-up strategy through both engines, and count what happened."""
    series, instruments = market
    start = int(series[0].ts_known[0])
    window = TradingWindow(start + 90 * MINUTE, start + 1_200 * MINUTE)
    found = assert_equal_runs(
        series,
        instruments,
        loaded_spec(spec, "test"),
        plain_settings(*overrides),
        window if windowed else TradingWindow(0),
    )
    for name, count in found.items():
        if count:
            event(name)

"""Settings of the rooms in the whole numbers of the bulk loop."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np

from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import UNITS_PER_CURRENCY, from_decimal
from tidewright.domain.orders import client_order_id
from tidewright.domain.time import MINUTE, SECOND
from tidewright.engine.config import EngineConfig, StrategySetup
from tidewright.engine.series import CORRELATION_BARS
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.limits import PPM
from tidewright.market.arrays import Int64
from tidewright.risk.settings import LossType, RiskSettings, ppm
from tidewright.risk.sizing import method_step, sizing_amount, year_root_ppm
from tidewright.risk.terms import terms_of
from tidewright.strategy.model import MAX_TIERS, SizingMethod

_LOSS_TYPES = {
    LossType.REALIZED: at.REALIZED,
    LossType.UNREALIZED: at.UNREALIZED,
    LossType.BOTH: at.BOTH,
}


def limits_of(settings: RiskSettings) -> at.Limits:
    """Return risk settings as the loop takes them."""
    amount, losses = settings.max_daily_loss, settings.max_consecutive_losses
    together, slippage = settings.max_correlated_positions, settings.max_slippage_percent
    return at.Limits(
        drawdown_ppm=ppm(settings.max_drawdown_percent),
        daily_ppm=ppm(settings.max_daily_loss_percent),
        daily_amount=-1 if isinstance(amount, str) else from_decimal(amount),
        loss_type=_LOSS_TYPES[settings.loss_type],
        max_losses=0 if isinstance(losses, str) else losses,
        cooldown=settings.cooldown_minutes * MINUTE,
        max_errors=settings.api_error_threshold,
        risk_ppm=ppm(settings.risk_per_trade_percent),
        position_ppm=ppm(settings.max_position_size_percent),
        exposure_ppm=ppm(settings.max_total_exposure_percent),
        cash_ppm=ppm(settings.min_free_cash_percent),
        collar_ppm=ppm(settings.price_collar_percent),
        max_correlated=0 if isinstance(together, str) else together,
        max_per_minute=settings.max_orders_per_minute,
        max_open=settings.max_open_orders,
        duplicate_window=settings.duplicate_window_seconds * SECOND,
        slippage_ppm=-1 if isinstance(slippage, str) else ppm(slippage),
        confidence=smallest_at_least(settings.min_confidence),
        correlation=float(settings.correlation_threshold),
        correlation_bars=CORRELATION_BARS,
    )


def smallest_at_least(limit: Decimal) -> float:
    """Return the smallest float whose shortest text is at least an exact number.

    Live, confidences are compared as the decimals that people read; texts of floats are in the
    order of the floats, so one float stands for that comparison.
    """
    found = float(limit)
    while Decimal(repr(found)) >= limit:
        found = math.nextafter(found, -math.inf)
    while Decimal(repr(found)) < limit:
        found = math.nextafter(found, math.inf)
    return found


def terms_row(
    instrument: Instrument,
    setup: StrategySetup,
    settings: RiskSettings,
    owner: int,
    timeframe: str,
) -> Int64:
    """Return an instrument's row of terms.

    Parameters
    ----------
    instrument, setup, settings
        What is traded, how and within which limits.
    owner : int
        What its client ids begin with.
    timeframe : str
        Of the feed.
    """
    terms = terms_of(instrument)
    row = np.zeros(at.N_TERMS, np.int64)
    row[at.NUMERATOR], row[at.DENOMINATOR] = terms.numerator, terms.denominator
    row[at.MAKER_PPM] = int(instrument.maker_fee_rate * PPM)
    row[at.TAKER_PPM] = terms.fee_ppm
    row[at.MIN_LOTS], row[at.MAX_LOTS] = terms.min_lots, terms.max_lots
    row[at.MIN_NOTIONAL] = terms.min_notional
    row[at.PRICE_NUMERATOR], row[at.PRICE_DENOMINATOR] = instrument.price_ratio
    row[at.SHORTABLE] = instrument.shortable
    row[at.AMOUNT] = sizing_amount(setup.sizing.method, setup.sizing.value, terms, settings)
    sizing, fallback = setup.sizing, setup.sizing.fallback
    row[at.COUNTS_TRADES] = sizing.method is SizingMethod.KELLY
    if fallback is not None:
        row[at.FALLBACK_AMOUNT] = sizing_amount(fallback.method, fallback.value, terms, settings)
    if SizingMethod.VOLATILITY_TARGET in sizing.methods:
        row[at.YEAR_ROOT] = year_root_ppm(instrument.asset_class, setup.timeframe or timeframe)
    row[at.OWNER] = owner
    row[at.WATCHED] = setup.symbols is None or instrument.id in setup.symbols
    return row


def whole_minimum(instrument: Instrument) -> bool:
    """Return whether the smallest value of an order is a whole number of money units."""
    return bool(instrument.min_notional * UNITS_PER_CURRENCY % 1 == 0)


def plan_of(setup: StrategySetup, bars_per_row: int, window: TradingWindow, keyed: bool) -> at.Plan:
    """Return how a strategy trades as the loop takes it."""
    tiers, fallback = setup.tiers, setup.sizing.fallback
    rest = (0,) * (MAX_TIERS - len(tiers))
    shares = (*(tier.share_ppm for tier in tiers), *rest)
    steps = (*(tier.from_confidence or 0.0 for tier in tiers), *rest)
    return at.Plan(
        method=method_step(setup.sizing.method),
        fallback=-1 if fallback is None else method_step(fallback.method),
        time_stop_bars=setup.time_stop_bars * bars_per_row,
        expire_after_bars=setup.expire_after_bars,
        start=window.start,
        end=window.end,
        keyed=int(keyed),
        logged=1,
        chosen=int(bool(tiers) and tiers[0].from_confidence is not None),
        parts=int(bool(tiers) and tiers[0].from_confidence is None),
        shares=(shares[0], shares[1], shares[2]),
        steps=(float(steps[0]), float(steps[1]), float(steps[2])),
    )


def owner_of(config: EngineConfig, instrument: str) -> int:
    """Return the 64 bits that client ids of an instrument begin with, as int64."""
    name = config.strategies[0].strategy.name
    stem = client_order_id(config.home, config.account, name, instrument, 0)
    return int(np.uint64(int(stem.partition("-")[0], 16)).astype(np.int64))

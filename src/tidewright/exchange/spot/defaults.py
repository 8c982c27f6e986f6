"""What a spot exchange trades where nobody says otherwise: five symbols with usual filters."""

from __future__ import annotations

from tidewright.exchange.spot.listing import (
    CountFilter,
    Filter,
    Listing,
    LotSize,
    MarketLotSize,
    Notional,
    PercentPriceBySide,
    PriceFilter,
    TrailingDelta,
)

ONE = 100_000_000
"""Units of 1e-8 in one."""
PPM = 1_000_000
"""Millionths in one."""
_MINUTES = 5


def default_listings() -> tuple[Listing, ...]:
    """Return BTCUSDT, ETHUSDT, SOLUSDT, BNBUSDT and ETHBTC."""
    cent, dollars = ONE // 100, 5 * ONE
    return (
        _listing(("BTC", "USDT"), 60_000 * ONE, (cent, 160_000 * ONE), ONE // 100_000, dollars),
        _listing(("ETH", "USDT"), 3_000 * ONE, (cent, 20_000 * ONE), ONE // 10_000, dollars),
        _listing(("SOL", "USDT"), 150 * ONE, (cent, 2_000 * ONE), ONE // 1_000, dollars),
        _listing(("BNB", "USDT"), 600 * ONE, (cent, 5_000 * ONE), ONE // 1_000, dollars),
        _listing(("ETH", "BTC"), ONE // 20, (ONE // 100_000, ONE), ONE // 1_000, ONE // 10_000),
    )


def default_exchange_filters() -> tuple[CountFilter, ...]:
    """Return the filters of the whole exchange."""
    return (CountFilter("EXCHANGE_MAX_NUM_ORDERS", 1_000),)


def _listing(
    assets: tuple[str, str], start: int, prices: tuple[int, int], step: int, least: int
) -> Listing:
    """Return a listing of (tick, highest price), a step of quantity and a least worth."""
    tick, highest = prices
    base, quote = assets
    filters: tuple[Filter, ...] = (
        PriceFilter(tick, highest, tick),
        LotSize(step, 9_000 * ONE, step),
        CountFilter("ICEBERG_PARTS", 10),
        MarketLotSize(0, 500 * ONE, 0),
        TrailingDelta(10, 2_000, 10, 2_000),
        PercentPriceBySide(5 * PPM, PPM // 5, 5 * PPM, PPM // 5, _MINUTES),
        Notional(least, True, 9_000_000 * ONE, False, _MINUTES),
        CountFilter("MAX_NUM_ORDERS", 200),
        CountFilter("MAX_NUM_ORDER_LISTS", 20),
        CountFilter("MAX_NUM_ALGO_ORDERS", 5),
        CountFilter("MAX_NUM_ORDER_AMENDS", 10),
    )
    return Listing(base + quote, base, quote, tick, step, start, filters)

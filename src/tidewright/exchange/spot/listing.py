"""What a spot exchange trades, and the filters that an order must pass.

Names, fields and meanings of the filters are those that Binance documents for spot symbols. Prices,
quantities and money are whole numbers of 1e-8; a bound of 0 is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tidewright.domain.errors import ConfigError
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.exchange.spot.values import Kind, SelfTrade, SymbolStatus


@dataclass(frozen=True, slots=True)
class PriceFilter:
    """Bounds and step of a price."""

    name: ClassVar[str] = "PRICE_FILTER"
    lowest: int
    highest: int
    tick: int


@dataclass(frozen=True, slots=True)
class PercentPrice:
    """Bounds of a price as parts of the average price, in millionths."""

    name: ClassVar[str] = "PERCENT_PRICE"
    up_ppm: int
    down_ppm: int
    minutes: int


@dataclass(frozen=True, slots=True)
class PercentPriceBySide:
    """Bounds of a price as parts of the average price, in millionths, by side."""

    name: ClassVar[str] = "PERCENT_PRICE_BY_SIDE"
    bid_up_ppm: int
    bid_down_ppm: int
    ask_up_ppm: int
    ask_down_ppm: int
    minutes: int


@dataclass(frozen=True, slots=True)
class LotSize:
    """Bounds and step of a quantity."""

    name: ClassVar[str] = "LOT_SIZE"
    lowest: int
    highest: int
    step: int


@dataclass(frozen=True, slots=True)
class MarketLotSize:
    """Bounds and step of a market order's quantity."""

    name: ClassVar[str] = "MARKET_LOT_SIZE"
    lowest: int
    highest: int
    step: int


@dataclass(frozen=True, slots=True)
class MinNotional:
    """Least worth of an order in the quote asset."""

    name: ClassVar[str] = "MIN_NOTIONAL"
    lowest: int
    for_market: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class Notional:
    """Bounds of an order's worth in the quote asset."""

    name: ClassVar[str] = "NOTIONAL"
    lowest: int
    lowest_for_market: bool
    highest: int
    highest_for_market: bool
    minutes: int


@dataclass(frozen=True, slots=True)
class CountFilter:
    """Most of something that one account may have; what, is in the name.

    Names are ICEBERG_PARTS, MAX_NUM_ORDERS, MAX_NUM_ALGO_ORDERS, MAX_NUM_ICEBERG_ORDERS,
    MAX_NUM_ORDER_AMENDS, MAX_NUM_ORDER_LISTS and the EXCHANGE_MAX_NUM_ ones of a whole exchange.
    """

    name: str
    most: int


@dataclass(frozen=True, slots=True)
class MaxPosition:
    """Most of the base asset that an account may hold, open buys included."""

    name: ClassVar[str] = "MAX_POSITION"
    most: int


@dataclass(frozen=True, slots=True)
class TrailingDelta:
    """Bounds of a trailing stop's distance, in hundredths of a percent."""

    name: ClassVar[str] = "TRAILING_DELTA"
    lowest_above: int
    highest_above: int
    lowest_below: int
    highest_below: int


Filter = (
    PriceFilter
    | PercentPrice
    | PercentPriceBySide
    | LotSize
    | MarketLotSize
    | MinNotional
    | Notional
    | CountFilter
    | MaxPosition
    | TrailingDelta
)
"""A filter of a symbol."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One symbol that trades.

    Parameters
    ----------
    symbol, base, quote : str
        Names, such as BTCUSDT, BTC and USDT.
    tick, step : int
        Smallest steps of price and quantity; one step at one tick is a whole number of 1e-8 of the
        quote asset.
    start_price : int
        The last price before the first trade.
    filters : tuple of Filter
        At most one of each name.
    kinds : tuple of Kind
        Orders that it takes.
    self_trades : tuple of SelfTrade
        What an order may choose against trading with its own account.
    status : SymbolStatus
        Whether it trades.

    Raises
    ------
    ConfigError
        If steps or the start price do not fit.
    """

    symbol: str
    base: str
    quote: str
    tick: int
    step: int
    start_price: int
    filters: tuple[Filter, ...] = ()
    kinds: tuple[Kind, ...] = tuple(Kind)
    self_trades: tuple[SelfTrade, ...] = tuple(SelfTrade)
    default_self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    status: SymbolStatus = SymbolStatus.TRADING

    def __post_init__(self) -> None:
        for name in ("tick", "step", "start_price"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{self.symbol}: {name} was {getattr(self, name)}; expected 1 up")
        if self.tick * self.step % UNITS_PER_CURRENCY:
            raise ConfigError(
                f"{self.symbol}: a step at one tick was {self.tick * self.step}e-16 {self.quote}; "
                "expected a whole number of 1e-8"
            )
        if self.start_price % self.tick:
            raise ConfigError(
                f"{self.symbol}: start_price was {self.start_price}; expected whole ticks"
            )

    @property
    def quote_unit(self) -> int:
        """Units of the quote asset in one step at one tick."""
        return int(self.tick * self.step // UNITS_PER_CURRENCY)

    def filter(self, name: str) -> Filter | None:
        """Return the filter of a name."""
        return next((one for one in self.filters if one.name == name), None)

"""Named sets of columns: the names that a model or a report uses, and the columns behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tidewright.domain.errors import ConfigError, nearest
from tidewright.features.declarations import (
    ColumnReference,
    Family,
    RecursiveRecipe,
    declarations,
    resolve,
)


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """A list of features in a fixed order.

    Parameters
    ----------
    name : str
        What a command calls it.
    description : str
        One line for a person.
    columns : tuple of (str, ColumnReference)
        Name and column of every feature that bars determine.
    supplied : tuple of str
        Features that no bar determines: whoever makes a row supplies them, after the columns.
    """

    name: str
    description: str
    columns: tuple[tuple[str, ColumnReference], ...]
    supplied: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[ColumnReference, ...]:
        """Columns, in order."""
        return tuple(reference for _, reference in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of every feature, those supplied last."""
        return (*(name for name, _ in self.columns), *self.supplied)


def _set(
    name: str,
    description: str,
    columns: Mapping[str, tuple[str, tuple[float, ...]]],
    supplied: tuple[str, ...] = (),
) -> FeatureSet:
    found = tuple((feature, resolve(*column)) for feature, column in columns.items())
    return FeatureSet(name, description, found, supplied)


def features_22(bars_per_day: int = 1) -> FeatureSet:
    """Return the 22 features of the technical strategy's success model.

    Parameters
    ----------
    bars_per_day : int
        How many bars the price changes over 1, 5 and 20 days count as a day; 1 for daily bars.

    Returns
    -------
    FeatureSet
        21 columns, and ``base_confidence``, which the strategy says and the caller supplies.
    """
    pair = (10.0, 30.0)
    macd = (12.0, 26.0, 9.0)
    columns = {
        "price_change_1d": ("change", (1.0 * bars_per_day,)),
        "price_change_5d": ("change", (5.0 * bars_per_day,)),
        "price_change_20d": ("change", (20.0 * bars_per_day,)),
        "sma_ratio": ("sma_ratio", pair),
        "price_to_sma_short": ("price_to_sma", pair[:1]),
        "price_to_sma_long": ("price_to_sma", pair[1:]),
        "sma_trend": ("sma_trend", pair),
        "macd": ("macd", macd),
        "macd_signal": ("macd_signal", macd),
        "macd_histogram": ("macd_histogram", macd),
        "macd_hist_change": ("macd_histogram_change", macd),
        "macd_trend": ("macd_trend", macd),
        "rsi": ("rsi", (14.0,)),
        "rsi_zone": ("rsi_zone", (14.0, 30.0, 70.0)),
        "rsi_change": ("rsi_change", (14.0,)),
        "atr_percent": ("atr_percent", (14.0,)),
        "volatility": ("volatility", (20.0,)),
        "volatility_change": ("volatility_change", (20.0,)),
        "volume_ratio": ("volume_ratio", (20.0,)),
        "day_of_week": ("day_of_week", ()),
        "hour_of_day": ("hour_of_day", ()),
    }
    return _set("22", "Trend, momentum, volatility, volume and time", columns, ("base_confidence",))


FEATURES_22 = features_22()
"""The 22-feature set of daily bars."""

FEATURES_10 = _set(
    "10",
    "Ten indicators",
    {
        "RSI_14": ("rsi", (14,)),
        "MACD_signal": ("macd_signal", (12, 26, 9)),
        "BB_position": ("bollinger_position", (20, 2)),
        "Volume_MA_ratio": ("volume_ratio", (20,)),
        "Support_strength": ("support_strength", (50, 0.5)),
        "Resistance_break": ("resistance_break", (20,)),
        "Price_MA_50": ("price_to_sma", (50,)),
        "ADX_14": ("adx", (14,)),
        "Stoch_K": ("stochastic_k", (14, 3, 3)),
        "Williams_R": ("williams_r", (14,)),
    },
)
"""The 10-indicator set."""

_COMMON_PATTERNS = (
    "abandoned_baby",
    "dark_cloud_cover",
    "doji",
    "engulfing",
    "evening_star",
    "hammer",
    "hanging_man",
    "harami",
    "inverted_hammer",
    "marubozu",
    "morning_star",
    "piercing",
    "shooting_star",
    "spinning_top",
    "three_black_crows",
    "three_inside",
    "three_outside",
    "three_white_soldiers",
)


def _all() -> FeatureSet:
    """Return every column at its defaults, of the patterns the common ones."""
    patterns = {f"candle_{name}" for name in _COMMON_PATTERNS}
    chosen = [
        item
        for item in declarations().values()
        if item.family is not Family.CANDLESTICK or item.name in patterns
    ]
    return FeatureSet(
        "all",
        "Every column at its default parameters; of the candlestick patterns the common ones",
        tuple((item.name, item.default()) for item in chosen),
    )


FEATURES_ALL = _all()
"""More than a hundred features."""

FEATURE_SETS: Mapping[str, FeatureSet] = MappingProxyType(
    {item.name: item for item in (FEATURES_10, FEATURES_22, FEATURES_ALL)}
)
"""Sets by name."""


def feature_set(name: str) -> FeatureSet:
    """Return a set by name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    found = FEATURE_SETS.get(name)
    if found is None:
        raise ConfigError(
            f"set of columns was {name!r}; expected one of {', '.join(FEATURE_SETS)}"
            f"{nearest(name, FEATURE_SETS)}"
        )
    return found


def is_talib(reference: ColumnReference) -> bool:
    """Return whether a TA-Lib function computes a column."""
    return isinstance(declarations()[reference.name].recipe, RecursiveRecipe)

"""Columns that follow the level and the direction of the price."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from tidewright.features.declarations.builders import (
    HL,
    HLC,
    HLCV,
    C,
    Declare,
    chained,
    factor,
    full_window,
    later,
    number,
    one_bar,
    one_more,
    second_window,
    times,
    window,
)
from tidewright.features.declarations.model import (
    ColumnDeclaration,
    DerivedRecipe,
    Family,
    Operand,
    RecursiveRecipe,
    WindowRecipe,
)

_trend = Declare(Family.TREND)

_PAIR = (number("short", 10), number("long", 30, 2))
_SHORT_LONG = ("short", "long")
_MACD = (number("fast", 12, 2), number("slow", 26, 2), number("signal", 9))
_MACD_OPTIONS = ("fastperiod", "slowperiod", "signalperiod")
_FAST_SLOW = ("fast", "slow")


def _twice(parameters: Sequence[int]) -> int:
    return 2 * parameters[0] - 1


def _three_times(parameters: Sequence[int]) -> int:
    return 3 * parameters[0] - 2


def _hull(parameters: Sequence[int]) -> int:
    return parameters[0] + isqrt(parameters[0]) - 2


def _zero_lag(parameters: Sequence[int]) -> int:
    return parameters[0] - 1 + (parameters[0] - 1) // 2


_macd_rows = chained(1, 2)


def _macd(name: str, output: int, description: str) -> ColumnDeclaration:
    recipe = RecursiveRecipe("MACD", C, _MACD_OPTIONS, output)
    return _trend.talib(name, description, "price", recipe, _macd_rows, _MACD, ascending=_FAST_SLOW)


def _mean(name: str, description: str) -> ColumnDeclaration:
    return _trend.window(name, description, "price", WindowRecipe("mean"), full_window, window(20))


_MEANS = (
    _mean("sma", "Simple mean of the closes"),
    _trend.window(
        "vwap",
        "Mean of (high + low + close) / 3 weighted by volume",
        "price",
        WindowRecipe("vwap", (HLCV[2], HLCV[0], HLCV[1], HLCV[3])),
        full_window,
        window(20),
        or_nan="nothing was traded in the window",
    ),
    _trend.period(
        "ema",
        "Exponential mean of the closes, seeded by the first window's mean",
        "price",
        "EMA",
        C,
        20,
    ),
    _trend.period("wma", "Mean of the closes with linear weights", "price", "WMA", C, 20),
    _trend.period("dema", "Double exponential mean", "price", "DEMA", C, 20, rows=times(2)),
    _trend.period("tema", "Triple exponential mean", "price", "TEMA", C, 20, rows=times(3)),
    _trend.period("trima", "Mean of the closes with triangular weights", "price", "TRIMA", C, 20),
    _trend.period("kama", "Kaufman's adaptive mean", "price", "KAMA", C, 20, rows=one_more),
    _trend.period("hma", "Hull's mean", "price", "HMA", C, 20, rows=_hull),
    _trend.period("zlema", "Exponential mean without lag", "price", "ZLEMA", C, 20, rows=_zero_lag),
    _trend.period("wilder_mean", "Wilder's smoothed mean of the closes", "price", "RMA", C, 20),
)

_RATIOS = (
    _trend.window(
        "sma_ratio",
        "Short mean of the closes over the long one",
        "ratio",
        WindowRecipe("mean_ratio", argument=0),
        second_window,
        _PAIR,
        or_nan="the closes were 0",
        ascending=_SHORT_LONG,
    ),
    _trend.window(
        "sma_trend",
        "1 where the short mean is above the long one, -1 below, 0 equal",
        "sign",
        WindowRecipe("mean_sign", argument=0),
        second_window,
        _PAIR,
        ascending=_SHORT_LONG,
    ),
    _trend.window(
        "price_to_sma",
        "Distance of the close from its mean, as a share of the mean",
        "ratio",
        WindowRecipe("to_mean"),
        full_window,
        window(20),
        or_nan="the closes were 0",
    ),
    _trend.derived(
        "price_to_ema",
        "Distance of the close from its exponential mean, as a share of the mean",
        "ratio",
        DerivedRecipe("relative", (Operand("close"), Operand("ema", (0,)))),
        full_window,
        window(20, 2),
        or_nan="the mean was 0",
    ),
)

_MACDS = (
    _macd("macd", 0, "Fast minus slow exponential mean of the closes"),
    _macd("macd_signal", 1, "Exponential mean of macd"),
    _macd("macd_histogram", 2, "macd minus macd_signal"),
    _trend.derived(
        "macd_histogram_change",
        "Change of macd_histogram since the bar before",
        "price",
        DerivedRecipe("step", (Operand("macd_histogram", (0, 1, 2)),)),
        later(_macd_rows),
        _MACD,
        ascending=_FAST_SLOW,
    ),
    _trend.derived(
        "macd_trend",
        "1 where macd is above macd_signal, -1 below, 0 equal",
        "sign",
        DerivedRecipe("sign", (Operand("macd", (0, 1, 2)), Operand("macd_signal", (0, 1, 2)))),
        _macd_rows,
        _MACD,
        ascending=_FAST_SLOW,
    ),
    _trend.talib(
        "ppo",
        "Fast minus slow mean of the closes, in percent of the slow one",
        "percent",
        RecursiveRecipe("PPO", C, ("fastperiod", "slowperiod")),
        second_window,
        _MACD[:2],
        ascending=_FAST_SLOW,
    ),
    _trend.period(
        "trix",
        "Change of a triple exponential mean in percent",
        "percent",
        "TRIX",
        C,
        15,
        rows=times(3, 1),
    ),
)

_DIRECTIONS = (
    _trend.period(
        "adx", "Average directional index, Wilder", "percent", "ADX", HLC, 14, rows=_twice
    ),
    _trend.period(
        "adxr", "Mean of adx and its past", "percent", "ADXR", HLC, 14, rows=_three_times
    ),
    _trend.period("dx", "Directional index", "percent", "DX", HLC, 14, rows=one_more),
    _trend.period(
        "plus_di", "Upward directional movement", "percent", "PLUS_DI", HLC, 14, rows=one_more
    ),
    _trend.period(
        "minus_di", "Downward directional movement", "percent", "MINUS_DI", HLC, 14, rows=one_more
    ),
    _trend.derived(
        "di_difference",
        "plus_di minus minus_di",
        "percent",
        DerivedRecipe("difference", (Operand("plus_di", (0,)), Operand("minus_di", (0,)))),
        one_more,
        window(14, 2),
    ),
    _trend.period(
        "aroon_down", "Bars since the lowest low", "percent", "AROON", HL, 14, rows=one_more
    ),
    _trend.period(
        "aroon_up",
        "Bars since the highest high",
        "percent",
        "AROON",
        HL,
        14,
        rows=one_more,
        output=1,
    ),
    _trend.period(
        "aroon_oscillator",
        "aroon_up minus aroon_down",
        "percent",
        "AROONOSC",
        HL,
        14,
        rows=one_more,
    ),
    _trend.period(
        "vortex_plus", "Upward vortex indicator", "ratio", "VORTEX", HLC, 14, rows=one_more
    ),
    _trend.period(
        "vortex_minus",
        "Downward vortex indicator",
        "ratio",
        "VORTEX",
        HLC,
        14,
        rows=one_more,
        output=1,
    ),
    _trend.period(
        "vertical_filter", "Vertical horizontal filter", "ratio", "VHF", C, 28, rows=one_more
    ),
)

_LINES = (
    _trend.period(
        "linear_regression", "End of the line through the closes", "price", "LINEARREG", C, 14
    ),
    _trend.period(
        "linear_slope",
        "Slope of the line through the closes, per bar",
        "price",
        "LINEARREG_SLOPE",
        C,
        14,
    ),
    _trend.period(
        "linear_forecast", "Line through the closes, one bar ahead", "price", "TSF", C, 14
    ),
    _trend.derived(
        "slope_share",
        "Slope of the line through the closes, per bar, as a share of the close",
        "ratio",
        DerivedRecipe("ratio", (Operand("linear_slope", (0,)), Operand("close"))),
        full_window,
        window(14, 2),
        or_nan="the close was 0",
    ),
    _trend.talib(
        "parabolic_sar",
        "Parabolic stop and reverse, Wilder",
        "price",
        RecursiveRecipe("SAR", HL, ("acceleration", "maximum")),
        one_bar,
        (factor("acceleration", 0.02, 0, 1), factor("maximum", 0.2, 0, 1)),
    ),
    _trend.talib(
        "supertrend",
        "Trailing line at a multiple of the average true range",
        "price",
        RecursiveRecipe("SUPERTREND", HLC, ("timeperiod", "multiplier")),
        one_more,
        (number("window", 10, 2), factor("multiple", 3, 0.1, 100)),
    ),
    _trend.talib(
        "supertrend_direction",
        "1 while the close is above supertrend, -1 below",
        "sign",
        RecursiveRecipe("SUPERTREND", HLC, ("timeperiod", "multiplier"), 1),
        one_more,
        (number("window", 10, 2), factor("multiple", 3, 0.1, 100)),
    ),
)

TREND_COLUMNS = (*_MEANS, *_RATIOS, *_MACDS, *_DIRECTIONS, *_LINES)

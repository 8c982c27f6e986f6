"""Columns that measure how much the price moves, and bands of that width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidewright.features.declarations.builders import (
    HL,
    HLC,
    C,
    Declare,
    chained,
    factor,
    full_window,
    later,
    number,
    one_bar,
    one_more,
    window,
)
from tidewright.features.declarations.model import (
    ColumnDeclaration,
    ColumnKind,
    DerivedRecipe,
    Family,
    Operand,
    ParameterDeclaration,
    RecursiveRecipe,
    WindowRecipe,
)

_volatility = Declare(Family.VOLATILITY)

_BAND = (*window(20), factor("deviations", 2, 0, 100))
_MOVING = (*window(20, 2), ParameterDeclaration("deviations", 2, 0.1, 100, whole=False))
_KELTNER = (number("window", 20, 2), number("range", 10, 2), factor("multiple", 2, 0.1, 100))
_KELTNER_PARTS = (0, 1, 2)


def _widest(parameters: Sequence[int]) -> int:
    return max(parameters[0] - 1, parameters[1])


def _bollinger(name: str, width: float, description: str) -> ColumnDeclaration:
    recipe = WindowRecipe("band", argument=1, factor=width)
    return _volatility.window(name, description, "price", recipe, full_window, _BAND)


def _keltner(name: str, output: int, description: str) -> ColumnDeclaration:
    recipe = RecursiveRecipe("KC", HLC, ("timeperiod", "atrperiod", "nbdev"), output)
    return _volatility.talib(name, description, "price", recipe, _widest, _KELTNER)


_RANGES = (
    _volatility.period("atr", "Average true range, Wilder", "price", "ATR", HLC, 14, rows=one_more),
    _volatility.period(
        "atr_percent",
        "Average true range in percent of the close",
        "percent",
        "NATR",
        HLC,
        14,
        rows=one_more,
    ),
    _volatility.talib(
        "true_range",
        "Range of the bar, the close before it included",
        "price",
        RecursiveRecipe("TRANGE", HLC),
        one_bar,
    ),
    _volatility.period("average_range", "Mean of high - low", "price", "ADR", HL, 14),
    _volatility.talib(
        "chaikin_volatility",
        "Change of the exponential mean of high - low in percent",
        "percent",
        RecursiveRecipe("CVI", HL, ("timeperiod", "rocperiod")),
        chained(0, 1, extra=1),
        (number("window", 10, 2), number("change", 10)),
    ),
    _volatility.talib(
        "mass_index",
        "Sum of ratios of smoothed ranges, Dorsey",
        "number",
        RecursiveRecipe("MASSI", HL, ("fastperiod", "slowperiod")),
        chained(0, 0, 1),
        (number("smooth", 9, 2), number("sum", 25, 2)),
    ),
    _volatility.talib(
        "relative_volatility",
        "Relative volatility index, Dorsey",
        "percent",
        RecursiveRecipe("RVI", C, ("timeperiod", "stddevperiod")),
        chained(0, 1, extra=0),
        (number("window", 14, 2), number("deviation", 10, 2)),
    ),
)

_DEVIATIONS = (
    replace(
        _volatility.window(
            "volatility",
            "Sample standard deviation of that many log returns of the close, per bar",
            "ratio",
            WindowRecipe("volatility"),
            one_more,
            window(20, 2),
            or_nan="a close was 0",
        ),
        version=2,
    ),
    replace(
        _volatility.derived(
            "volatility_change",
            "Change of volatility since the bar before, as a share of it",
            "ratio",
            DerivedRecipe("relative_step", (Operand("volatility", (0,)),)),
            later(one_more),
            window(20, 2),
            or_nan="a close was 0 or nothing had moved",
        ),
        kind=ColumnKind.WINDOW,
    ),
    _volatility.window(
        "deviation",
        "Population standard deviation of the closes",
        "price",
        WindowRecipe("deviation"),
        full_window,
        window(20, 2),
    ),
    _volatility.period(
        "mean_deviation", "Mean absolute deviation of the closes", "price", "AVGDEV", C, 14
    ),
)

_BANDS = (
    _bollinger("bollinger_upper", 1.0, "Mean of the closes plus population standard deviations"),
    _bollinger("bollinger_middle", 0.0, "Mean of the closes"),
    _bollinger("bollinger_lower", -1.0, "Mean of the closes minus population standard deviations"),
    _volatility.window(
        "bollinger_position",
        "Place of the close from the lower band, 0, to the upper, 1; 0.5 without a width",
        "ratio",
        WindowRecipe("band_position", argument=1),
        full_window,
        _MOVING,
    ),
    _volatility.window(
        "bollinger_width",
        "Distance of the bands as a share of the mean",
        "ratio",
        WindowRecipe("band_width", argument=1),
        full_window,
        _MOVING,
        or_nan="the closes were 0",
    ),
    _keltner("keltner_upper", 0, "Exponential mean plus average true ranges"),
    _keltner("keltner_middle", 1, "Exponential mean of the Keltner channel"),
    _keltner("keltner_lower", 2, "Exponential mean minus average true ranges"),
    _volatility.derived(
        "keltner_position",
        "Place of the close from the lower Keltner line, 0, to the upper, 1; 0.5 without a width",
        "ratio",
        DerivedRecipe(
            "position",
            (
                Operand("close"),
                Operand("keltner_lower", _KELTNER_PARTS),
                Operand("keltner_upper", _KELTNER_PARTS),
            ),
        ),
        _widest,
        _KELTNER,
    ),
    _volatility.window(
        "donchian_position",
        "Place of the close from the lowest low, 0, to the highest high, 1; 0.5 without a width",
        "ratio",
        WindowRecipe("range_position", HLC),
        full_window,
        window(20),
    ),
    _volatility.window(
        "donchian_width",
        "Highest high minus lowest low, as a share of the close",
        "ratio",
        WindowRecipe("range_width", HLC),
        full_window,
        window(20),
        or_nan="the close was 0",
    ),
)

VOLATILITY_COLUMNS = (*_RANGES, *_DEVIATIONS, *_BANDS)

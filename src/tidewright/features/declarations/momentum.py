"""Columns that measure how fast and how far the price has moved."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.features.declarations.builders import (
    HL,
    HLC,
    OHLC,
    C,
    Declare,
    chained,
    factor,
    later,
    number,
    one_more,
    own_row,
    second_window,
    window,
)
from tidewright.features.declarations.model import (
    Channel,
    ColumnDeclaration,
    DerivedRecipe,
    Family,
    Operand,
    RecursiveRecipe,
    WindowRecipe,
)

_momentum = Declare(Family.MOMENTUM)

_STOCHASTIC = (number("window", 14), number("slow", 3), number("signal", 3))
_FAST_STOCHASTIC = (number("window", 14), number("signal", 3))
_OF_RSI = (number("window", 14, 2), number("range", 14), number("signal", 3))
_FAST_SLOW = (number("fast", 5, 2), number("slow", 34, 2))


def _rsi_range(parameters: Sequence[int]) -> int:
    return parameters[0] + parameters[1] - 1 + parameters[2] - 1


def _longest(parameters: Sequence[int]) -> int:
    return max(parameters)


def _coppock(parameters: Sequence[int]) -> int:
    return parameters[0] - 1 + max(parameters[1:])


def _stochastic(name: str, output: int, description: str) -> ColumnDeclaration:
    options = ("fastk_period", "slowk_period", "slowd_period")
    recipe = RecursiveRecipe("STOCH", HLC, options, output)
    return _momentum.talib(name, description, "percent", recipe, chained(0, 1, 2), _STOCHASTIC)


def _fast_stochastic(name: str, output: int, description: str) -> ColumnDeclaration:
    recipe = RecursiveRecipe("STOCHF", HLC, ("fastk_period", "fastd_period"), output)
    return _momentum.talib(name, description, "percent", recipe, chained(0, 1), _FAST_STOCHASTIC)


def _stochastic_of_rsi(name: str, output: int, description: str) -> ColumnDeclaration:
    options = ("timeperiod", "fastk_period", "fastd_period")
    recipe = RecursiveRecipe("STOCHRSI", C, options, output)
    return _momentum.talib(name, description, "percent", recipe, _rsi_range, _OF_RSI)


_RELATIVE = (
    _momentum.window(
        "change",
        "Change of the close over that many bars, as a share of the earlier close",
        "ratio",
        WindowRecipe("change"),
        one_more,
        window(1),
        or_nan="the earlier close was 0",
    ),
    _momentum.period("momentum", "Change of the close", "price", "MOM", C, 10, rows=one_more),
    _momentum.period(
        "rate_of_change", "Change of the close in percent", "percent", "ROC", C, 10, rows=one_more
    ),
    _momentum.period(
        "rsi", "Relative strength index, Wilder", "percent", "RSI", C, 14, rows=one_more
    ),
    _momentum.derived(
        "rsi_change",
        "Change of rsi since the bar before",
        "percent",
        DerivedRecipe("step", (Operand("rsi", (0,)),)),
        later(one_more),
        window(14, 2),
    ),
    _momentum.derived(
        "rsi_zone",
        "-1 where rsi is below the low bound, 1 above the high one, else 0",
        "sign",
        DerivedRecipe("zone", (Operand("rsi", (0,)),), (1, 2)),
        one_more,
        (number("window", 14, 2), factor("low", 30, 0, 100), factor("high", 70, 0, 100)),
        ascending=("low", "high"),
    ),
    _momentum.period(
        "chande_momentum", "Chande's oscillator", "percent", "CMO", C, 14, rows=one_more
    ),
    _momentum.period(
        "efficiency_ratio", "Net over summed changes, Kaufman", "ratio", "ER", C, 10, rows=one_more
    ),
    _momentum.period(
        "intraday_momentum",
        "Rises from open to close, in percent of all of them",
        "percent",
        "IMI",
        (Channel.OPEN, Channel.CLOSE),
        14,
    ),
    _momentum.talib(
        "true_strength",
        "True strength index",
        "percent",
        RecursiveRecipe("TSI", C, ("firstperiod", "secondperiod")),
        chained(0, 1, extra=1),
        (number("first", 25, 2), number("second", 13, 2)),
    ),
)

_OSCILLATORS = (
    _stochastic("stochastic_k", 0, "Slow stochastic: place of the close in the range, smoothed"),
    _stochastic("stochastic_d", 1, "Mean of stochastic_k"),
    _fast_stochastic("fast_stochastic_k", 0, "Place of the close in the range of the window"),
    _fast_stochastic("fast_stochastic_d", 1, "Mean of fast_stochastic_k"),
    _stochastic_of_rsi("rsi_stochastic_k", 0, "Place of rsi in its own range"),
    _stochastic_of_rsi("rsi_stochastic_d", 1, "Mean of rsi_stochastic_k"),
    _momentum.period(
        "williams_r", "Distance below the highest high, -100 to 0", "percent", "WILLR", HLC, 14
    ),
    _momentum.period("cci", "Commodity channel index", "number", "CCI", HLC, 20),
    _momentum.talib(
        "ultimate_oscillator",
        "Buying pressure over three windows",
        "percent",
        RecursiveRecipe("ULTOSC", HLC, ("timeperiod1", "timeperiod2", "timeperiod3")),
        _longest,
        (number("first", 7), number("second", 14), number("third", 28)),
    ),
    _momentum.talib(
        "coppock",
        "Coppock's curve",
        "percent",
        RecursiveRecipe("COPPOCK", C, ("wmaperiod", "roc1period", "roc2period")),
        _coppock,
        (number("smooth", 10, 2), number("first", 11), number("second", 14)),
    ),
    _momentum.talib(
        "awesome_oscillator",
        "Fast minus slow mean of the bars' middles",
        "price",
        RecursiveRecipe("AO", HL, ("fastperiod", "slowperiod")),
        second_window,
        _FAST_SLOW,
        ascending=("fast", "slow"),
    ),
    _momentum.talib(
        "accelerator",
        "awesome_oscillator minus its mean",
        "price",
        RecursiveRecipe("AC", HL, ("fastperiod", "slowperiod", "signalperiod")),
        chained(1, 2),
        (*_FAST_SLOW, number("signal", 5, 2)),
        ascending=("fast", "slow"),
    ),
    _momentum.talib(
        "balance_of_power",
        "close - open over high - low",
        "ratio",
        RecursiveRecipe("BOP", OHLC),
        own_row,
    ),
    _momentum.period("bull_power", "High minus exponential mean, Elder", "price", "ERI", HLC, 13),
    _momentum.period(
        "bear_power",
        "Low minus exponential mean, Elder",
        "price",
        "ERI",
        HLC,
        13,
        output=1,
    ),
)

MOMENTUM_COLUMNS = (*_RELATIVE, *_OSCILLATORS)

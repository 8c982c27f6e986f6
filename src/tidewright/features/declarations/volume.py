"""Columns of the traded quantity."""

from __future__ import annotations

from tidewright.features.declarations.builders import (
    CV,
    HLCV,
    Declare,
    V,
    full_window,
    number,
    one_more,
    own_row,
    second_window,
    window,
)
from tidewright.features.declarations.model import (
    Channel,
    ColumnDeclaration,
    Family,
    ParameterDeclaration,
    RecursiveRecipe,
    WindowRecipe,
)

_volume = Declare(Family.VOLUME)

_SILENT = "nothing was traded in the window"


def _running(
    name: str, description: str, function: str, channels: tuple[Channel, ...], unit: str = "mixed"
) -> ColumnDeclaration:
    """Return a sum that runs from the anchor on."""
    return _volume.talib(name, description, unit, RecursiveRecipe(function, channels), own_row)


def _fast_slow(fast: int, slow: int) -> tuple[ParameterDeclaration, ...]:
    return (number("fast", fast, 2), number("slow", slow, 2))


VOLUME_COLUMNS = (
    _volume.window(
        "volume_average",
        "Simple mean of the volumes",
        "quantity",
        WindowRecipe("mean", V),
        full_window,
        window(20),
    ),
    _volume.window(
        "volume_ratio",
        "Volume over the mean of the volumes, this bar included",
        "ratio",
        WindowRecipe("to_mean_ratio", V),
        full_window,
        window(20),
        or_nan=_SILENT,
    ),
    _volume.window(
        "volume_change",
        "Change of the volume over that many bars, as a share of the earlier one",
        "ratio",
        WindowRecipe("change", V),
        one_more,
        window(10),
        or_nan="nothing was traded in the earlier bar",
    ),
    _volume.window(
        "volume_zscore",
        "Distance of the volume from its mean in standard deviations; 0 without a deviation",
        "number",
        WindowRecipe("zscore", V),
        full_window,
        window(20, 2),
    ),
    _volume.talib(
        "volume_oscillator",
        "Fast minus slow mean of the volumes, in percent of the slow one",
        "percent",
        RecursiveRecipe("PVO", V, ("fastperiod", "slowperiod")),
        second_window,
        _fast_slow(12, 26),
        ascending=("fast", "slow"),
        or_nan=_SILENT,
    ),
    _volume.period("mfi", "Money flow index", "percent", "MFI", HLCV, 14, rows=one_more),
    _running("obv", "On-balance volume, from the first bar on", "OBV", CV, "quantity"),
    _running(
        "accumulation", "Accumulation and distribution line, from the first bar on", "AD", HLCV
    ),
    _volume.talib(
        "chaikin_oscillator",
        "Fast minus slow exponential mean of accumulation",
        "mixed",
        RecursiveRecipe("ADOSC", HLCV, ("fastperiod", "slowperiod")),
        second_window,
        _fast_slow(3, 10),
        ascending=("fast", "slow"),
    ),
    _volume.period("chaikin_flow", "Chaikin's money flow", "ratio", "CMF", HLCV, 20),
    _volume.period(
        "force_index",
        "Exponential mean of change times volume",
        "mixed",
        "EFI",
        CV,
        13,
        rows=one_more,
    ),
    _running("price_volume_trend", "Price volume trend, from the first bar on", "PVT", CV),
    _running(
        "negative_volume", "Negative volume index, from the first bar on", "NVI", CV, "number"
    ),
    _running(
        "positive_volume", "Positive volume index, from the first bar on", "PVI", CV, "number"
    ),
    _volume.talib(
        "vwma",
        "Mean of the closes weighted by volume",
        "price",
        RecursiveRecipe("VWMA", CV, ("timeperiod",)),
        full_window,
        window(20, 2),
        or_nan=_SILENT,
    ),
    _volume.period(
        "price_volume_correlation",
        "Pearson's correlation of close and volume",
        "ratio",
        "CORREL",
        CV,
        30,
    ),
)

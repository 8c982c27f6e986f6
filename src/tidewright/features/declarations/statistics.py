"""Columns of the distribution of returns and of the close's place among its past."""

from __future__ import annotations

from tidewright.features.declarations.builders import (
    Declare,
    full_window,
    number,
    one_more,
    window,
)
from tidewright.features.declarations.model import (
    ColumnDeclaration,
    Family,
    ParameterDeclaration,
    WindowRecipe,
)

_statistics = Declare(Family.STATISTICS)

_ZERO = "a close was 0"


def _of_returns(
    name: str,
    description: str,
    parameters: tuple[ParameterDeclaration, ...],
    argument: int = -1,
) -> ColumnDeclaration:
    recipe = WindowRecipe(name, argument=argument)
    unit = "ratio" if name == "return_mean" else "number"
    return _statistics.window(name, description, unit, recipe, one_more, parameters, or_nan=_ZERO)


STATISTICS_COLUMNS = (
    _of_returns("return_mean", "Mean of that many log returns of the close", window(20)),
    _of_returns(
        "return_skewness",
        "Skewness of that many log returns (third moment, population); 0 when all are equal",
        window(20, 3),
    ),
    _of_returns(
        "return_kurtosis",
        "Excess kurtosis of that many log returns (population); 0 when all are equal",
        window(20, 4),
    ),
    _of_returns(
        "return_autocorrelation",
        "Correlation of log returns with themselves a lag earlier; 0 when all are equal",
        (number("window", 20, 12), ParameterDeclaration("lag", 1, 1, 10)),
        1,
    ),
    _of_returns(
        "return_fourier",
        "Share of the variation of log returns in one harmonic of the window (discrete Fourier "
        "transform; 0 when all are equal)",
        (number("window", 16, 16), ParameterDeclaration("harmonic", 1, 1, 8)),
        1,
    ),
    _statistics.window(
        "zscore",
        "Distance of the close from its mean in standard deviations; 0 without a deviation",
        "number",
        WindowRecipe("zscore"),
        full_window,
        window(20, 2),
    ),
    _statistics.window(
        "percentile_rank",
        "Share of the other closes of the window below this one, half of equal ones",
        "ratio",
        WindowRecipe("rank"),
        full_window,
        window(20, 2),
    ),
)

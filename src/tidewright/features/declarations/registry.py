"""Every declaration by name, and references checked against them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

from tidewright.domain.errors import ConfigError, nearest
from tidewright.features.declarations.candlesticks import CANDLESTICK_COLUMNS
from tidewright.features.declarations.model import (
    ColumnDeclaration,
    ColumnReference,
    ParameterDeclaration,
    number_text,
)
from tidewright.features.declarations.momentum import MOMENTUM_COLUMNS
from tidewright.features.declarations.simple import BAR_COLUMNS
from tidewright.features.declarations.statistics import STATISTICS_COLUMNS
from tidewright.features.declarations.structure import STRUCTURE_COLUMNS
from tidewright.features.declarations.trend import TREND_COLUMNS
from tidewright.features.declarations.volatility import VOLATILITY_COLUMNS
from tidewright.features.declarations.volume import VOLUME_COLUMNS

_COLUMNS = (
    *BAR_COLUMNS,
    *TREND_COLUMNS,
    *MOMENTUM_COLUMNS,
    *VOLATILITY_COLUMNS,
    *VOLUME_COLUMNS,
    *STATISTICS_COLUMNS,
    *STRUCTURE_COLUMNS,
    *CANDLESTICK_COLUMNS,
)


@cache
def declarations() -> Mapping[str, ColumnDeclaration]:
    """Return every declared column by name."""
    return MappingProxyType({column.name: column for column in _COLUMNS})


def resolve(name: str, arguments: Sequence[float]) -> ColumnReference:
    """Return a column reference with defaults filled in.

    Parameters
    ----------
    name : str
        Name of a declared column.
    arguments : sequence of float
        Leading parameters; those left out take their defaults.

    Raises
    ------
    ConfigError
        If the column is unknown, or an argument is too many, out of range or not whole.
    """
    declaration = declarations().get(name)
    if declaration is None:
        raise ConfigError(
            f"column was {name!r}; expected a declared one{nearest(name, declarations())}"
        )
    wanted = declaration.parameters
    if len(arguments) > len(wanted):
        names = ", ".join(parameter.name for parameter in wanted) or "none"
        raise ConfigError(
            f"{name}: {len(arguments)} arguments were given; "
            f"expected at most {len(wanted)} ({names})"
        )
    given = [float(value) for value in arguments]
    given += [float(parameter.default) for parameter in wanted[len(given) :]]
    for parameter, value in zip(wanted, given, strict=True):
        _check(name, parameter, value)
    by_name = {parameter.name: value for parameter, value in zip(wanted, given, strict=True)}
    for low, high in zip(declaration.ascending, declaration.ascending[1:], strict=False):
        if by_name[low] >= by_name[high]:
            raise ConfigError(
                f"{name}: {low} was {number_text(by_name[low])}; "
                f"expected it below {high}, which was {number_text(by_name[high])}"
            )
    return ColumnReference(name, tuple(given))


def _check(name: str, parameter: ParameterDeclaration, value: float) -> None:
    inside = math.isfinite(value) and parameter.minimum <= value <= parameter.maximum
    if not inside or (parameter.whole and value != int(value)):
        number = "a whole number" if parameter.whole else "a number"
        raise ConfigError(
            f"{name}: {parameter.name} was {value:g}; expected {number} from "
            f"{number_text(parameter.minimum)} to {number_text(parameter.maximum)}"
        )

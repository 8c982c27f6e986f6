"""Short forms for declarations that many columns share."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.features.declarations.model import (
    NOT_YET,
    Channel,
    ColumnDeclaration,
    ColumnKind,
    DerivedRecipe,
    Family,
    ParameterDeclaration,
    RecursiveRecipe,
    Rows,
    WindowRecipe,
)

OHLC = (Channel.OPEN, Channel.HIGH, Channel.LOW, Channel.CLOSE)
HLC = (Channel.HIGH, Channel.LOW, Channel.CLOSE)
HL = (Channel.HIGH, Channel.LOW)
C = (Channel.CLOSE,)
CV = (Channel.CLOSE, Channel.VOLUME)
V = (Channel.VOLUME,)
HLCV = (Channel.HIGH, Channel.LOW, Channel.CLOSE, Channel.VOLUME)


def own_row(_: Sequence[int]) -> int:
    """Need the newest bar alone."""
    return 0


def one_bar(_: Sequence[int]) -> int:
    """Need the bar before."""
    return 1


def full_window(parameters: Sequence[int]) -> int:
    """Need as many bars as the first parameter says."""
    return parameters[0] - 1


def one_more(parameters: Sequence[int]) -> int:
    """Need one bar more than the first parameter says."""
    return parameters[0]


def second_window(parameters: Sequence[int]) -> int:
    """Need as many bars as the second parameter says."""
    return parameters[1] - 1


def times(factor: int, extra: int = 0) -> Rows:
    """Return the look-back of a window of bars smoothed several times over."""

    def rows(parameters: Sequence[int]) -> int:
        return factor * (parameters[0] - 1) + extra

    return rows


def chained(*places: int, extra: int = 0) -> Rows:
    """Return the look-back of windows that follow each other, given by their parameters."""

    def rows(parameters: Sequence[int]) -> int:
        return sum(parameters[place] - 1 for place in places) + extra

    return rows


def later(rows: Rows) -> Rows:
    """Return a look-back one bar longer."""

    def longer(parameters: Sequence[int]) -> int:
        return rows(parameters) + 1

    return longer


def number(name: str, default: float, minimum: float = 1) -> ParameterDeclaration:
    """Return a parameter that counts bars."""
    return ParameterDeclaration(name, default, minimum)


def window(default: float, minimum: float = 1) -> tuple[ParameterDeclaration, ...]:
    """Return the parameters of a column that takes a window and nothing else."""
    return (number("window", default, minimum),)


def factor(name: str, default: float, minimum: float, maximum: float) -> ParameterDeclaration:
    """Return a parameter that may be broken."""
    return ParameterDeclaration(name, default, minimum, maximum, whole=False)


class Declare:
    """Declarations of one family.

    Parameters
    ----------
    family : Family
        Family of everything that it declares.
    """

    def __init__(self, family: Family) -> None:
        self._family = family

    def window(
        self,
        name: str,
        description: str,
        unit: str,
        recipe: WindowRecipe,
        rows: Rows,
        parameters: tuple[ParameterDeclaration, ...] = (),
        *,
        or_nan: str = "",
        ascending: tuple[str, ...] = (),
    ) -> ColumnDeclaration:
        """Return a column of its window; without parameters and look-back, of its bar."""
        return ColumnDeclaration(
            name,
            description,
            unit,
            recipe,
            rows,
            self._family,
            parameters,
            ascending,
            ColumnKind.WINDOW if parameters or rows is not own_row else ColumnKind.BASE,
            nan_means=_nan(rows, or_nan),
        )

    def talib(
        self,
        name: str,
        description: str,
        unit: str,
        recipe: RecursiveRecipe,
        rows: Rows,
        parameters: tuple[ParameterDeclaration, ...] = (),
        *,
        or_nan: str = "",
        ascending: tuple[str, ...] = (),
    ) -> ColumnDeclaration:
        """Return a column that a TA-Lib function computes."""
        return ColumnDeclaration(
            name,
            f"{description} (TA-Lib {recipe.function})",
            unit,
            recipe,
            rows,
            self._family,
            parameters,
            ascending,
            ColumnKind.RECURSIVE,
            nan_means=_nan(rows, or_nan),
        )

    def period(
        self,
        name: str,
        description: str,
        unit: str,
        function: str,
        channels: tuple[Channel, ...],
        default: int,
        *,
        rows: Rows = full_window,
        output: int = 0,
    ) -> ColumnDeclaration:
        """Return a column that a TA-Lib function of one period computes."""
        recipe = RecursiveRecipe(function, channels, ("timeperiod",), output)
        return self.talib(name, description, unit, recipe, rows, window(default, 2))

    def derived(
        self,
        name: str,
        description: str,
        unit: str,
        recipe: DerivedRecipe,
        rows: Rows,
        parameters: tuple[ParameterDeclaration, ...] = (),
        *,
        or_nan: str = "",
        ascending: tuple[str, ...] = (),
    ) -> ColumnDeclaration:
        """Return a column that is computed from others."""
        return ColumnDeclaration(
            name,
            description,
            unit,
            recipe,
            rows,
            self._family,
            parameters,
            ascending,
            ColumnKind.RECURSIVE,
            nan_means=_nan(rows, or_nan),
        )


def _nan(rows: Rows, or_nan: str) -> str:
    if rows is not own_row:
        return f"{NOT_YET}, or {or_nan}" if or_nan else NOT_YET
    return or_nan or "never"

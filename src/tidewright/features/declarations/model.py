"""What a declaration of a column consists of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_WINDOW = 10_000
"""Longest window of a column, in bars."""

NOT_YET = "fewer bars than the look-back since the first bar"


class ColumnKind(StrEnum):
    """How a column depends on the past."""

    BASE = "base"
    """Of the newest bar alone."""
    WINDOW = "window"
    """Of a fixed number of bars; the same wherever history began."""
    RECURSIVE = "recursive"
    """Of every bar since the anchor."""


class Family(StrEnum):
    """What a column is about."""

    BAR = "bar"
    TREND = "trend"
    MOMENTUM = "momentum"
    VOLATILITY = "volatility"
    VOLUME = "volume"
    STATISTICS = "statistics"
    STRUCTURE = "structure"
    CANDLESTICK = "candlestick"


class Channel(StrEnum):
    """Part of a bar; the first five are the rows that window steps read."""

    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"
    TIME = "ts_known"


@dataclass(frozen=True, slots=True)
class ParameterDeclaration:
    """One parameter of a column.

    Parameters
    ----------
    name : str
        What it is called in messages.
    default : float
        Used when the argument is left out.
    minimum, maximum : float
        Closed range of accepted values.
    whole : bool
        Whether only whole numbers are accepted.
    """

    name: str
    default: float
    minimum: float = 1
    maximum: float = MAX_WINDOW
    whole: bool = True


GROUPINGS = ("sector", "asset_class", "quote", "venue")
"""Properties of instruments by which a cross-section can be taken apart."""


@dataclass(frozen=True, slots=True)
class ColumnReference:
    """A column with its parameters filled in; `resolve` makes valid ones.

    Parameters
    ----------
    name : str
        Name of a declared column.
    parameters : tuple of float
        One value for each declared parameter.
    timeframe : str
        Timeframe of the bars that it is of; empty means that of the row. The value is that of the
        latest such bar whose ``ts_known`` is not after the row's.
    across : str
        Function of `kernels.cross_section.CROSS_FUNCTIONS` that places the value among those of
        all instruments that gained a row at the same moment; empty means the value itself.
    by : str
        One of `GROUPINGS`: compares with instruments of the same group only; empty with all.
    """

    name: str
    parameters: tuple[float, ...] = ()
    timeframe: str = ""
    across: str = ""
    by: str = ""

    @property
    def label(self) -> str:
        """How a person writes it, such as ``"sma(10)"``, ``"sma(10)@1h"`` or ``"rank(close)"``."""
        text = self.name
        if self.parameters:
            text += f"({', '.join(number_text(value) for value in self.parameters)})"
        if self.timeframe:
            text += f"@{self.timeframe}"
        if not self.across:
            return text
        return f"{self.across}({text}, by={self.by})" if self.by else f"{self.across}({text})"

    @property
    def is_plain(self) -> bool:
        """Whether it is of the row's own bars and its own instrument."""
        return not self.timeframe and not self.across

    @property
    def own(self) -> ColumnReference:
        """The column of one instrument alone that a cross-section is taken of; itself if none."""
        if not self.across:
            return self
        return ColumnReference(self.name, self.parameters, self.timeframe)

    @property
    def plain(self) -> ColumnReference:
        """The column as the bars of its timeframe have it."""
        return self if self.is_plain else ColumnReference(self.name, self.parameters)


@dataclass(frozen=True, slots=True)
class WindowRecipe:
    """A column computed by a compiled step from its window alone.

    Parameters
    ----------
    step : str
        Name of the step in ``kernels.windows.STEPS``.
    channels : tuple of Channel
        What the step reads; the first is told to steps that can read any one channel.
    argument : int
        Which parameter the step takes beside its window; -1 for none.
    factor : float
        Multiplies that parameter; its sign is the side of a band.
    """

    step: str
    channels: tuple[Channel, ...] = (Channel.CLOSE,)
    argument: int = -1
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class RecursiveRecipe:
    """A column computed by a TA-Lib function from its anchor on.

    Parameters
    ----------
    function : str
        Name of the TA-Lib function.
    channels : tuple of Channel
        Its inputs, as prices and quantities.
    options : tuple of str
        TA-Lib's names of the column's parameters, in their order.
    output : int
        Which of its outputs the column is.
    """

    function: str
    channels: tuple[Channel, ...]
    options: tuple[str, ...] = ()
    output: int = 0


@dataclass(frozen=True, slots=True)
class Operand:
    """A column that another one is computed from.

    Parameters
    ----------
    name : str
        Name of a declared column that is not derived itself.
    parameters : tuple of int
        Which parameters of the derived column it takes, in its own order.
    """

    name: str
    parameters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedRecipe:
    """A column computed from other columns of the same row and, for a change, of the row before.

    Parameters
    ----------
    operation : str
        Name of the operation in ``kernels.derived.OPERATIONS``.
    operands : tuple of Operand
        One to three columns.
    constants : tuple of int
        Which parameters of the column are handed to the operation as they are; at most two.
    """

    operation: str
    operands: tuple[Operand, ...]
    constants: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarRecipe:
    """A column of the time at which the bar was known, in UTC.

    Parameters
    ----------
    unit : int
        Nanoseconds of one step.
    modulus : int
        Steps in a cycle.
    shift : int
        Step in which the year 1970 began.
    """

    unit: int
    modulus: int
    shift: int = 0


Recipe = WindowRecipe | RecursiveRecipe | DerivedRecipe | CalendarRecipe
Rows = Callable[[Sequence[int]], int]
"""Look-back of given parameters."""


@dataclass(frozen=True, slots=True)
class ColumnDeclaration:
    """What a column is.

    Parameters
    ----------
    name : str
        What an expression calls it.
    description : str
        One line for a person, with its source where a definition is not universal.
    unit : str
        ``"price"``, ``"quantity"``, ``"ratio"``, ``"percent"`` (0 to 100), ``"number"`` (without a
        unit), ``"sign"`` (-1, 0 or 1), ``"score"`` (-200 to 200) or ``"mixed"`` (products).
    recipe : WindowRecipe, RecursiveRecipe, DerivedRecipe or CalendarRecipe
        How it is computed.
    rows : callable
        Look-back of given parameters.
    family : Family
        What it is about.
    parameters : tuple of ParameterDeclaration
        What it takes, in order.
    ascending : tuple of str
        Parameters that must be strictly ascending in this order.
    kind : ColumnKind
        How it depends on the past.
    version : int
        Raised whenever a value could change.
    dtype : str
        Type of its values.
    nan_means : str
        What NaN says.
    """

    name: str
    description: str
    unit: str
    recipe: Recipe
    rows: Rows
    family: Family
    parameters: tuple[ParameterDeclaration, ...] = ()
    ascending: tuple[str, ...] = ()
    kind: ColumnKind = ColumnKind.WINDOW
    version: int = 1
    dtype: str = "float64"
    nan_means: str = NOT_YET

    @property
    def inputs(self) -> tuple[str, ...]:
        """Parts of the bar, or other columns, that it reads."""
        if isinstance(self.recipe, CalendarRecipe):
            return (Channel.TIME.value,)
        if isinstance(self.recipe, DerivedRecipe):
            return tuple(operand.name for operand in self.recipe.operands)
        return tuple(channel.value for channel in self.recipe.channels)

    def lookback(self, parameters: Sequence[float]) -> int:
        """Return how many leading rows are NaN; the first value is in the row of that index."""
        return self.rows([int(value) for value in parameters])

    def default(self) -> ColumnReference:
        """Return the column with every parameter at its default."""
        return ColumnReference(
            self.name, tuple(float(parameter.default) for parameter in self.parameters)
        )


def number_text(value: float) -> str:
    """Return a number as a person writes it, whole ones without a point."""
    return str(int(value)) if value == int(value) else repr(value)

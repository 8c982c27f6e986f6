"""Every column that a strategy may name, declared once.

A column states its name, version, parameters, look-back, dtype, unit and what NaN means, and how
it is computed: as a pure function of a window of bars (`WindowRecipe`) or by a TA-Lib function that
carries state from its anchor (`RecursiveRecipe`). Both the streaming and the bulk runner read these
declarations and nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from tidewright.domain.errors import ConfigError, nearest

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


class Channel(StrEnum):
    """Part of a bar."""

    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    VOLUME = "volume"


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


@dataclass(frozen=True, slots=True)
class ColumnReference:
    """A column with its parameters filled in; `resolve` makes valid ones.

    Parameters
    ----------
    name : str
        Name of a declared column.
    parameters : tuple of float
        One value for each declared parameter.
    """

    name: str
    parameters: tuple[float, ...] = ()

    @property
    def label(self) -> str:
        """How a person writes it, such as ``"sma(10)"`` or ``"close"``."""
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(_number(value) for value in self.parameters)})"


@dataclass(frozen=True, slots=True)
class WindowRecipe:
    """A column computed by a compiled step from its window alone.

    Parameters
    ----------
    step : str
        Name of the step in ``kernels.windows.STEPS``.
    channel : Channel
        What the step reads, where it reads one channel.
    width : float
        Multiplies the second parameter, where the step takes a factor; its sign is the side.
    """

    step: str
    channel: Channel = Channel.CLOSE
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class RecursiveRecipe:
    """A column computed by a TA-Lib function from its anchor on.

    Parameters
    ----------
    function : str
        Name of the TA-Lib function.
    channels : tuple of Channel
        Its inputs, as prices.
    options : tuple of str
        TA-Lib's names of the column's parameters, in their order.
    output : int
        Which of its outputs the column is.
    """

    function: str
    channels: tuple[Channel, ...]
    options: tuple[str, ...]
    output: int = 0


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
        ``"price"``, ``"quantity"``, ``"ratio"`` or ``"percent"`` (0 to 100).
    recipe : WindowRecipe or RecursiveRecipe
        How it is computed.
    rows : callable
        Look-back of given parameters.
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
    recipe: WindowRecipe | RecursiveRecipe
    rows: Callable[[Sequence[int]], int]
    parameters: tuple[ParameterDeclaration, ...] = ()
    ascending: tuple[str, ...] = ()
    kind: ColumnKind = ColumnKind.WINDOW
    version: int = 1
    dtype: str = "float64"
    nan_means: str = NOT_YET

    @property
    def inputs(self) -> tuple[Channel, ...]:
        """Parts of the bar that it reads."""
        if isinstance(self.recipe, RecursiveRecipe):
            return self.recipe.channels
        if self.recipe.step == "vwap":
            return (Channel.HIGH, Channel.LOW, Channel.CLOSE, Channel.VOLUME)
        return (self.recipe.channel,)

    def lookback(self, parameters: Sequence[float]) -> int:
        """Return how many leading rows are NaN; the first value is in the row of that index."""
        return self.rows([int(value) for value in parameters])


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _window(default: float, minimum: float = 1) -> tuple[ParameterDeclaration, ...]:
    return (ParameterDeclaration("window", default, minimum),)


def _own_row(_: Sequence[int]) -> int:
    return 0


def _full_window(parameters: Sequence[int]) -> int:
    return parameters[0] - 1


def _one_more(parameters: Sequence[int]) -> int:
    return parameters[0]


def _twice(parameters: Sequence[int]) -> int:
    return 2 * parameters[0] - 1


def _macd_rows(parameters: Sequence[int]) -> int:
    return parameters[1] + parameters[2] - 2


def _base(channel: Channel, unit: str, description: str) -> ColumnDeclaration:
    return ColumnDeclaration(
        channel.value,
        description,
        unit,
        WindowRecipe("last", channel),
        _own_row,
        kind=ColumnKind.BASE,
        nan_means="never",
    )


def _recursive(
    name: str, description: str, unit: str, channels: tuple[Channel, ...]
) -> ColumnDeclaration:
    """Return a declaration of a TA-Lib function with one period."""
    return ColumnDeclaration(
        name,
        description,
        unit,
        RecursiveRecipe(name.upper(), channels, ("timeperiod",)),
        {"ema": _full_window, "adx": _twice}.get(name, _one_more),
        _window(20 if name == "ema" else 14, 2),
        kind=ColumnKind.RECURSIVE,
    )


def _macd(name: str, output: int, description: str) -> ColumnDeclaration:
    return ColumnDeclaration(
        name,
        description,
        "price",
        RecursiveRecipe(
            "MACD", (Channel.CLOSE,), ("fastperiod", "slowperiod", "signalperiod"), output
        ),
        _macd_rows,
        (
            ParameterDeclaration("fast", 12, 2),
            ParameterDeclaration("slow", 26, 2),
            ParameterDeclaration("signal", 9, 1),
        ),
        ascending=("fast", "slow"),
        kind=ColumnKind.RECURSIVE,
    )


def _bollinger(name: str, width: float, description: str) -> ColumnDeclaration:
    return ColumnDeclaration(
        name,
        description,
        "price",
        WindowRecipe("band", Channel.CLOSE, width),
        _full_window,
        (*_window(20), ParameterDeclaration("deviations", 2, 0, 100, whole=False)),
    )


_HLC = (Channel.HIGH, Channel.LOW, Channel.CLOSE)

_COLUMNS = (
    _base(Channel.OPEN, "price", "Price of the bar's first trade"),
    _base(Channel.HIGH, "price", "Highest price of the bar"),
    _base(Channel.LOW, "price", "Lowest price of the bar"),
    _base(Channel.CLOSE, "price", "Price of the bar's last trade"),
    _base(Channel.VOLUME, "quantity", "Traded quantity of the bar"),
    ColumnDeclaration(
        "sma",
        "Simple mean of the closes",
        "price",
        WindowRecipe("mean"),
        _full_window,
        _window(20),
    ),
    ColumnDeclaration(
        "volume_average",
        "Simple mean of the volumes",
        "quantity",
        WindowRecipe("mean", Channel.VOLUME),
        _full_window,
        _window(20),
    ),
    ColumnDeclaration(
        "highest",
        "Highest high, this bar included",
        "price",
        WindowRecipe("highest", Channel.HIGH),
        _full_window,
        _window(20),
    ),
    ColumnDeclaration(
        "lowest",
        "Lowest low, this bar included",
        "price",
        WindowRecipe("lowest", Channel.LOW),
        _full_window,
        _window(20),
    ),
    ColumnDeclaration(
        "change",
        "Change of the close over that many bars, as a share of the earlier close",
        "ratio",
        WindowRecipe("change"),
        _one_more,
        _window(1),
        nan_means=f"{NOT_YET}, or the earlier close was 0",
    ),
    ColumnDeclaration(
        "volatility",
        "Sample standard deviation of that many log returns of the close, per bar",
        "ratio",
        WindowRecipe("volatility"),
        _one_more,
        _window(20, 2),
        nan_means=f"{NOT_YET}, or a close was 0",
    ),
    ColumnDeclaration(
        "vwap",
        "Mean of (high + low + close) / 3 weighted by volume",
        "price",
        WindowRecipe("vwap"),
        _full_window,
        _window(20),
        nan_means=f"{NOT_YET}, or nothing was traded in the window",
    ),
    _bollinger("bollinger_upper", 1.0, "Mean of the closes plus population standard deviations"),
    _bollinger("bollinger_middle", 0.0, "Mean of the closes"),
    _bollinger("bollinger_lower", -1.0, "Mean of the closes minus population standard deviations"),
    _recursive(
        "ema",
        "Exponential mean of the closes, seeded by the first window's mean (TA-Lib)",
        "price",
        (Channel.CLOSE,),
    ),
    _recursive("rsi", "Relative strength index (Wilder, TA-Lib)", "percent", (Channel.CLOSE,)),
    _recursive("atr", "Average true range (Wilder, TA-Lib)", "price", _HLC),
    _recursive("adx", "Average directional index (Wilder, TA-Lib)", "percent", _HLC),
    _macd("macd", 0, "Fast minus slow exponential mean of the closes (TA-Lib)"),
    _macd("macd_signal", 1, "Exponential mean of macd (TA-Lib)"),
    _macd("macd_histogram", 2, "macd minus macd_signal (TA-Lib)"),
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
                f"{name}: {low} was {_number(by_name[low])}; "
                f"expected it below {high}, which was {_number(by_name[high])}"
            )
    return ColumnReference(name, tuple(given))


def _check(name: str, parameter: ParameterDeclaration, value: float) -> None:
    inside = math.isfinite(value) and parameter.minimum <= value <= parameter.maximum
    if not inside or (parameter.whole and value != int(value)):
        number = "a whole number" if parameter.whole else "a number"
        raise ConfigError(
            f"{name}: {parameter.name} was {value:g}; expected {number} from "
            f"{_number(parameter.minimum)} to {_number(parameter.maximum)}"
        )

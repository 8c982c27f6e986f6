"""Grids over the named numbers of a strategy document."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.engine.config import StrategySetup, setup_of
from tidewright.features.declarations import ColumnReference
from tidewright.kernels.expressions import evaluate_rows
from tidewright.strategy.expressions import Column, Kind, parse
from tidewright.strategy.program import Assembler
from tidewright.strategy.spec import SpecTemplate, StrategySpec

MAX_SETS = 1_000_000
"""Most sets of a grid."""

Float64 = NDArray[np.float64]
"""Array of float64."""
Point = Mapping[str, float]
"""One choice of the numbers that vary, by name."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One named number and the values it takes.

    Parameters
    ----------
    name : str
        A parameter of the document.
    values : tuple of float
        Different, in the order in which they were asked for.
    """

    name: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.values or len(set(self.values)) != len(self.values):
            raise ConfigError(f"grid of {self.name} was {self.values}; expected different values")
        if not all(map(math.isfinite, self.values)):
            raise ConfigError(f"grid of {self.name} was {self.values}; expected finite numbers")


def parse_grid(text: str) -> tuple[Axis, ...]:
    """Return the axes that a text states.

    Parameters
    ----------
    text : str
        Axes with spaces between them, each ``name=FIRST:LAST``, ``name=FIRST:LAST:STEP`` (both ends
        are included, the step is 1 when left out) or ``name=A,B,C``; such as
        ``"fast=5:54 slow=60:193:7"``.

    Raises
    ------
    ConfigError
        If the text is no grid.
    """
    axes = [_axis(word) for word in text.split()]
    names = [axis.name for axis in axes]
    if not axes or len(set(names)) != len(names):
        raise ConfigError(f"grid was {text!r}; expected at least one name=VALUES, each name once")
    return tuple(axes)


def _axis(word: str) -> Axis:
    name, equals, written = word.partition("=")
    if not (name and equals and written):
        raise ConfigError(f"grid had {word!r}; expected name=FIRST:LAST:STEP or name=A,B,C")
    if ":" in written:
        return Axis(name, _range(word, written.split(":")))
    return Axis(name, tuple(float(_number(word, part)) for part in written.split(",")))


def _range(word: str, parts: Sequence[str]) -> tuple[float, ...]:
    if len(parts) not in (2, 3):
        raise ConfigError(f"grid had {word!r}; expected name=FIRST:LAST or name=FIRST:LAST:STEP")
    first, last, step = (_number(word, part) for part in (*parts, "1")[:3])
    if step <= 0 or last < first:
        raise ConfigError(f"grid had {word!r}; expected a last value >= the first and a step > 0")
    count = int((last - first) / step) + 1
    if count > MAX_SETS:
        raise ConfigError(f"grid had {word!r}, {count:,} values; expected at most {MAX_SETS:,}")
    return tuple(float(first + step * place) for place in range(count))


def _number(word: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise ConfigError(f"grid had {text!r} in {word!r}; expected a number")
    return number


def grid_points(
    axes: Sequence[Axis], where: str = "", defaults: Point | None = None
) -> tuple[Point, ...]:
    """Return every combination of the axes' values that a condition allows.

    Parameters
    ----------
    axes : sequence of Axis
        The last one varies fastest.
    where : str
        Condition of the expression language over names of axes, such as ``"fast < slow"``; empty
        allows all.
    defaults : mapping of str to float or None
        Numbers that do not vary and that the condition may name too.

    Raises
    ------
    ConfigError
        If the condition cannot be read, or nothing or more than `MAX_SETS` is left.
    """
    names = [axis.name for axis in axes]
    count = math.prod(len(axis.values) for axis in axes)
    if count > MAX_SETS:
        raise ConfigError(f"grid had {count:,} combinations; expected at most {MAX_SETS:,}")
    combinations = list(itertools.product(*(axis.values for axis in axes)))
    if where:
        allowed = _allowed(names, np.array(combinations), where, defaults or {})
        combinations = list(itertools.compress(combinations, allowed.tolist()))
    if not combinations:
        raise ConfigError(f"condition {where!r} allowed none of the grid's {count:,} combinations")
    return tuple(dict(zip(names, one, strict=True)) for one in combinations)


def _allowed(names: Sequence[str], rows: Float64, where: str, defaults: Point) -> NDArray[np.bool_]:
    fixed = [name for name in defaults if name not in names]
    layout = [ColumnReference(name, ()) for name in (*names, *fixed)]
    tree = parse(where, Kind.CONDITION, {one.name: Column(one) for one in layout})
    assembler = Assembler(layout)
    assembler.store(0, tree, Kind.CONDITION)
    program = assembler.program()
    constants = np.tile([defaults[name] for name in fixed], (len(rows), 1))
    matrix = np.ascontiguousarray(np.hstack((rows, constants)), np.float64)
    outputs = np.empty((len(rows), 1))
    evaluate_rows(program.code, program.constants, matrix, np.zeros(program.stack_depth), outputs)
    allowed: NDArray[np.bool_] = outputs[:, 0] == 1.0
    return allowed


def as_given(spec: StrategySpec) -> StrategySpec:
    """Return a spec unchanged."""
    return spec


def grid_setups(
    template: SpecTemplate,
    points: Sequence[Point],
    finish: Callable[[StrategySpec], StrategySpec] = as_given,
) -> tuple[StrategySetup, ...]:
    """Return a document's strategy once for each choice of its numbers.

    Parameters
    ----------
    template : SpecTemplate
        The document.
    points : sequence of Point
        Choices; numbers that one leaves out have their defaults.
    finish : callable
        What is still done to each spec, such as giving it the stops that settings name.

    Raises
    ------
    ConfigError
        If a name is not one of the document's, or a choice gives no valid spec.
    """
    return tuple(setup_of(finish(template.spec(point))) for point in points)

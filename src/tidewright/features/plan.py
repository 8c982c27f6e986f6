"""How a list of columns is computed: a window program, TA-Lib functions, derived columns, times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.features.declarations import (
    CalendarRecipe,
    Channel,
    ColumnDeclaration,
    ColumnReference,
    DerivedRecipe,
    RecursiveRecipe,
    WindowRecipe,
    declarations,
    resolve,
)
from tidewright.kernels import derived, windows

_CHANNELS = tuple(Channel)

Options = tuple[tuple[str, int | float], ...]
"""TA-Lib's parameter names and their values."""


@dataclass(frozen=True, slots=True)
class RecursiveGroup:
    """One TA-Lib function with its options, and the columns that its outputs fill.

    Parameters
    ----------
    function : str
        Name of the TA-Lib function.
    channels : tuple of Channel
        Its inputs, as prices and quantities.
    options : tuple of (str, number)
        TA-Lib's parameter names and their values.
    lookback : int
        Row of its first value.
    targets : tuple of (int, int)
        Output of the function and the column that receives it.
    """

    function: str
    channels: tuple[Channel, ...]
    options: Options
    lookback: int
    targets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnPlan:
    """What the streaming and the bulk runner both follow.

    Parameters
    ----------
    references : tuple of ColumnReference
        Columns, in the order of a row.
    width : int
        Columns of a row with those that only derived ones read, which come last.
    program, ratios
        As `kernels.rolling.window_rows` takes them.
    groups : tuple of RecursiveGroup
        Recursive columns.
    derived : int64 array of shape (n_derived, 7)
        As `kernels.derived.derived_step` takes it.
    times : tuple of (CalendarRecipe, int)
        Calendar columns and their places.
    """

    references: tuple[ColumnReference, ...]
    width: int
    program: NDArray[np.int64]
    ratios: NDArray[np.int64]
    groups: tuple[RecursiveGroup, ...]
    derived: NDArray[np.int64]
    times: tuple[tuple[CalendarRecipe, int], ...]


def plan_columns(references: Sequence[ColumnReference], instrument: Instrument) -> ColumnPlan:
    """Return how to compute columns of an instrument.

    Raises
    ------
    ConfigError
        If a reference is not of a declared column with valid parameters.
    """
    return _plan_with(tuple(references), (*instrument.price_ratio, *instrument.quantity_ratio))


@lru_cache(maxsize=64)
def _plan_with(references: tuple[ColumnReference, ...], ratios: tuple[int, ...]) -> ColumnPlan:
    """Return a plan with ratios: most instruments of a universe have the same ones."""
    return replace(_plan_of(references), ratios=np.array(ratios, np.int64))


@lru_cache(maxsize=64)
def _plan_of(references: tuple[ColumnReference, ...]) -> ColumnPlan:
    """Return a plan without ratios: hundreds of instruments of a universe share it."""
    visible = tuple(_plain(item) for item in references)
    columns = _with_operands(visible)
    places = {column: place for place, column in reversed(list(enumerate(columns)))}
    entries: list[tuple[int, ...]] = []
    operations: list[tuple[int, ...]] = []
    times: list[tuple[CalendarRecipe, int]] = []
    groups: dict[tuple[object, ...], RecursiveGroup] = {}
    for index, column in enumerate(columns):
        declaration = declarations()[column.name]
        recipe = declaration.recipe
        if isinstance(recipe, WindowRecipe):
            entries.append(_window_entry(declaration, recipe, column, index))
        elif isinstance(recipe, CalendarRecipe):
            times.append((recipe, index))
        elif isinstance(recipe, DerivedRecipe):
            operations.append(_derived_entry(recipe, column, index, places))
        else:
            group = _group(declaration, recipe, column, index)
            # a repeated column has a handle of its own, so that each output fills one column
            key = group.function, group.channels, group.options, columns[:index].count(column)
            known = groups.get(key)
            joined = replace(known, targets=known.targets + group.targets) if known else group
            groups[key] = joined
    return ColumnPlan(
        visible,
        len(columns),
        np.array(entries, np.int64).reshape(-1, windows.FIELDS),
        np.zeros(0, np.int64),
        tuple(groups.values()),
        np.array(operations, np.int64).reshape(-1, derived.FIELDS),
        tuple(times),
    )


def _plain(item: ColumnReference) -> ColumnReference:
    if not item.is_plain:
        raise ConfigError(
            f"column was {item.label}; expected one of an instrument's own bars: other timeframes "
            "and cross-sections are joined to rows by features.timeframes and features.across"
        )
    return resolve(item.name, item.parameters)


def _with_operands(columns: Sequence[ColumnReference]) -> list[ColumnReference]:
    """Return columns followed by those that only the derived ones among them read."""
    found = list(columns)
    known = set(columns)
    for column in columns:
        recipe = declarations()[column.name].recipe
        if isinstance(recipe, DerivedRecipe):
            missing = [item for item in _operands(recipe, column) if item not in known]
            found += missing
            known.update(missing)
    return found


def _operands(recipe: DerivedRecipe, column: ColumnReference) -> list[ColumnReference]:
    return [
        resolve(operand.name, [column.parameters[place] for place in operand.parameters])
        for operand in recipe.operands
    ]


def _bits(value: float) -> int:
    return int(np.float64(value).view(np.int64))


def _window_entry(
    declaration: ColumnDeclaration, recipe: WindowRecipe, column: ColumnReference, index: int
) -> tuple[int, ...]:
    given = column.parameters[recipe.argument] if recipe.argument >= 0 else 0.0
    return (
        windows.STEPS[recipe.step],
        _CHANNELS.index(recipe.channels[0]),
        declaration.lookback(column.parameters) + 1,
        index,
        _bits(recipe.factor * given),
    )


def _derived_entry(
    recipe: DerivedRecipe,
    column: ColumnReference,
    index: int,
    places: dict[ColumnReference, int],
) -> tuple[int, ...]:
    operands = [places[operand] for operand in _operands(recipe, column)]
    constants = [column.parameters[place] for place in recipe.constants]
    first, second, third = (operands + operands[:1] * 2)[:3]
    low, high = (*constants, 0.0, 0.0)[:2]
    operation = derived.OPERATIONS[recipe.operation]
    return (operation, index, first, second, third, _bits(low), _bits(high))


def _group(
    declaration: ColumnDeclaration, recipe: RecursiveRecipe, column: ColumnReference, index: int
) -> RecursiveGroup:
    values = (
        int(value) if parameter.whole else value
        for parameter, value in zip(declaration.parameters, column.parameters, strict=True)
    )
    return RecursiveGroup(
        recipe.function,
        recipe.channels,
        tuple(zip(recipe.options, values, strict=True)),
        declaration.lookback(column.parameters),
        ((recipe.output, index),),
    )

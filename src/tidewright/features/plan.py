"""How a list of columns is computed: one window program and a few TA-Lib functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.instrument import Instrument
from tidewright.features.declarations import (
    Channel,
    ColumnDeclaration,
    ColumnReference,
    RecursiveRecipe,
    WindowRecipe,
    declarations,
    resolve,
)
from tidewright.kernels import windows

_CHANNELS = tuple(Channel)


@dataclass(frozen=True, slots=True)
class RecursiveGroup:
    """One TA-Lib function with its options, and the columns that its outputs fill.

    Parameters
    ----------
    function : str
        Name of the TA-Lib function.
    channels : tuple of Channel
        Its inputs, as prices.
    options : tuple of (str, int)
        TA-Lib's parameter names and their values.
    lookback : int
        Row of its first value.
    targets : tuple of (int, int)
        Output of the function and the column that receives it.
    """

    function: str
    channels: tuple[Channel, ...]
    options: tuple[tuple[str, int], ...]
    lookback: int
    targets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnPlan:
    """What the streaming and the bulk runner both follow.

    Parameters
    ----------
    references : tuple of ColumnReference
        Columns, in the order of a row.
    program, ratios
        As `kernels.windows.window_rows` takes them.
    groups : tuple of RecursiveGroup
        Recursive columns.
    price_ratio : tuple of int
        Tick size as an exact fraction.
    """

    references: tuple[ColumnReference, ...]
    program: NDArray[np.int64]
    ratios: NDArray[np.int64]
    groups: tuple[RecursiveGroup, ...]
    price_ratio: tuple[int, int]


def plan_columns(references: Sequence[ColumnReference], instrument: Instrument) -> ColumnPlan:
    """Return how to compute columns of an instrument.

    Raises
    ------
    ConfigError
        If a reference is not of a declared column with valid parameters.
    """
    columns = tuple(resolve(item.name, item.parameters) for item in references)
    entries: list[tuple[int, int, int, int, int]] = []
    groups: dict[tuple[str, tuple[tuple[str, int], ...], int], RecursiveGroup] = {}
    for index, column in enumerate(columns):
        declaration = declarations()[column.name]
        recipe = declaration.recipe
        if isinstance(recipe, WindowRecipe):
            channel = _CHANNELS.index(recipe.channel)
            length = declaration.lookback(column.parameters) + 1
            width = recipe.width * column.parameters[1] if recipe.width else 0.0
            bits = int(np.float64(width).view(np.int64))
            entries.append((windows.STEPS[recipe.step], channel, length, index, bits))
        else:
            group = _group(declaration, recipe, column, index)
            # a repeated column has a handle of its own, so that each output fills one column
            key = group.function, group.options, columns[:index].count(column)
            known = groups.get(key)
            groups[key] = _joined(known, group) if known else group
    return ColumnPlan(
        columns,
        np.array(entries, np.int64).reshape(-1, windows.FIELDS),
        np.array((*instrument.price_ratio, *instrument.quantity_ratio), np.int64),
        tuple(groups.values()),
        instrument.price_ratio,
    )


def _group(
    declaration: ColumnDeclaration, recipe: RecursiveRecipe, column: ColumnReference, index: int
) -> RecursiveGroup:
    values = (int(value) for value in column.parameters)
    return RecursiveGroup(
        recipe.function,
        recipe.channels,
        tuple(zip(recipe.options, values, strict=True)),
        declaration.lookback(column.parameters),
        ((recipe.output, index),),
    )


def _joined(first: RecursiveGroup, second: RecursiveGroup) -> RecursiveGroup:
    return RecursiveGroup(
        first.function,
        first.channels,
        first.options,
        first.lookback,
        (*first.targets, *second.targets),
    )

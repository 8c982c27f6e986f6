"""Every column that a strategy may name, declared once.

A column states its name, version, parameters, look-back, dtype, unit and what NaN means, and how
it is computed: as a pure function of a window of bars (`WindowRecipe`), by a TA-Lib function that
carries state from its anchor (`RecursiveRecipe`), from other columns (`DerivedRecipe`) or from the
time when the bar was known (`CalendarRecipe`). Both the streaming and the bulk runner read these
declarations and nothing else.
"""

from tidewright.features.declarations.model import (
    GROUPINGS,
    MAX_WINDOW,
    NOT_YET,
    CalendarRecipe,
    Channel,
    ColumnDeclaration,
    ColumnKind,
    ColumnReference,
    DerivedRecipe,
    Family,
    Operand,
    ParameterDeclaration,
    RecursiveRecipe,
    WindowRecipe,
)
from tidewright.features.declarations.registry import declarations, resolve

__all__ = [
    "GROUPINGS",
    "MAX_WINDOW",
    "NOT_YET",
    "CalendarRecipe",
    "Channel",
    "ColumnDeclaration",
    "ColumnKind",
    "ColumnReference",
    "DerivedRecipe",
    "Family",
    "Operand",
    "ParameterDeclaration",
    "RecursiveRecipe",
    "WindowRecipe",
    "declarations",
    "resolve",
]

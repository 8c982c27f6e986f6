"""The expression language: a typed tree, its parser and its printer."""

from tidewright.strategy.expressions.parser import (
    MAX_LENGTH,
    is_free,
    parse,
    parse_condition,
    parse_number,
)
from tidewright.strategy.expressions.printer import print_number, print_tree
from tidewright.strategy.expressions.tokens import ExpressionError
from tidewright.strategy.expressions.tree import (
    FUNCTIONS,
    MAX_DEPTH,
    Arithmetic,
    Call,
    Column,
    Comparison,
    Function,
    Kind,
    Logic,
    Negate,
    Node,
    Not,
    Number,
    check,
    children,
    columns_of,
    kind_of,
)

__all__ = [
    "FUNCTIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Arithmetic",
    "Call",
    "Column",
    "Comparison",
    "ExpressionError",
    "Function",
    "Kind",
    "Logic",
    "Negate",
    "Node",
    "Not",
    "Number",
    "check",
    "children",
    "columns_of",
    "is_free",
    "kind_of",
    "parse",
    "parse_condition",
    "parse_number",
    "print_number",
    "print_tree",
]

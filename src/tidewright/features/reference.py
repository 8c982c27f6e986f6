"""The reference of columns for people, made from the declarations."""

from __future__ import annotations

from tidewright.features.declarations import ColumnDeclaration, Family, declarations

_HEAD = """\
# Columns

Everything that an expression of the [strategy language](strategy-language.md) can read, with the \
parameters that it takes when they are left out. `tidewright columns list` prints the same, and \
`tidewright columns export` writes values of any of them to a file.

A column has no value for its first bars, as many as its *look-back* says (given here for the \
default parameters). A *window* column depends on its window alone, wherever the history begins; a \
*recursive* one on every bar since the first. Each gives the same bits bar by bar and over a whole \
history.
"""


def reference_text() -> str:
    """Return the reference as Markdown, one table for each family."""
    parts = [_HEAD]
    for family in Family:
        columns = [item for item in declarations().values() if item.family is family]
        parts.append(f"\n## {family.value.capitalize()}\n\n{_table(columns)}")
    return "".join(parts)


def listing_text() -> str:
    """Return every name, one line for each family, as Markdown."""
    return "\n".join(
        f"- {family.value}: "
        + " ".join(f"`{item.name}`" for item in declarations().values() if item.family is family)
        for family in Family
    )


def _table(columns: list[ColumnDeclaration]) -> str:
    rows = ["| column | meaning | unit | kind | look-back |", "|---|---|---|---|---|"]
    for column in columns:
        reference = column.default()
        rows.append(
            f"| `{reference.label}` | {column.description} | {column.unit} | {column.kind.value} "
            f"| {column.lookback(reference.parameters)} |"
        )
    return "\n".join(rows) + "\n"

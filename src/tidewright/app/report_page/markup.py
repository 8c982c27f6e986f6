"""Elements of HTML and SVG, escaped by construction and well-formed as XML."""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is markup already; every other text is escaped where it is used."""

    __slots__ = ()


Content = Markup | str
"""What an element may hold."""

_VOID = frozenset({"br", "meta", "link", "line", "path", "rect", "circle", "polyline", "polygon"})


def tag(name: str, /, *children: Content | None, **attributes: str | float | None) -> Markup:
    """Return an element.

    Parameters
    ----------
    name : str
        Of the element; trusted.
    *children : Markup or str or None
        What it holds; plain text is escaped, None is left out.
    **attributes : str or float or None
        An underscore at the end is dropped and others become hyphens (``class_``, ``aria_label``);
        None leaves the attribute out; numbers are written with two decimals at most.
    """
    words = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = join(*children)
    if not inside and name in _VOID:
        return Markup(f"<{name}{words}/>")
    return Markup(f"<{name}{words}>{inside}</{name}>")


def join(*children: Content | None) -> Markup:
    """Return pieces one after the other; plain text is escaped, None is left out."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(child, quote=False)
            for child in children
            if child is not None
        )
    )


def _written(value: str | float) -> str:
    if isinstance(value, str):
        return value
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

"""Columns of the newest bar alone: its parts, its shape and the time when it was known."""

from __future__ import annotations

from tidewright.features.declarations.builders import OHLC, Declare, own_row
from tidewright.features.declarations.model import (
    CalendarRecipe,
    Channel,
    ColumnDeclaration,
    ColumnKind,
    Family,
    WindowRecipe,
)

_HOUR = 3_600 * 10**9
_THURSDAY = 3

_bar = Declare(Family.BAR)


def _part(channel: Channel, unit: str, description: str) -> ColumnDeclaration:
    return _bar.window(channel.value, description, unit, WindowRecipe("last", (channel,)), own_row)


def _shape(name: str, description: str, or_nan: str = "") -> ColumnDeclaration:
    recipe = WindowRecipe(name, OHLC)
    return _bar.window(name, description, "ratio", recipe, own_row, or_nan=or_nan)


def _calendar(name: str, description: str, recipe: CalendarRecipe) -> ColumnDeclaration:
    return ColumnDeclaration(
        name,
        description,
        "number",
        recipe,
        own_row,
        Family.BAR,
        kind=ColumnKind.BASE,
        nan_means="never",
    )


BAR_COLUMNS = (
    _part(Channel.OPEN, "price", "Price of the bar's first trade"),
    _part(Channel.HIGH, "price", "Highest price of the bar"),
    _part(Channel.LOW, "price", "Lowest price of the bar"),
    _part(Channel.CLOSE, "price", "Price of the bar's last trade"),
    _part(Channel.VOLUME, "quantity", "Traded quantity of the bar"),
    _shape("body_share", "close - open over high - low; 0 for a bar without a range"),
    _shape("upper_shadow", "Part of the range above open and close; 0 without a range"),
    _shape("lower_shadow", "Part of the range below open and close; 0 without a range"),
    _shape("range_share", "high - low over close", "the close was 0"),
    _calendar(
        "day_of_week",
        "Day on which the bar was known in UTC, 0 Monday to 6 Sunday",
        CalendarRecipe(24 * _HOUR, 7, _THURSDAY),
    ),
    _calendar(
        "hour_of_day",
        "Hour in which the bar was known in UTC, 0 to 23",
        CalendarRecipe(_HOUR, 24),
    ),
)

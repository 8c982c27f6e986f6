"""Columns of levels and lines that earlier extremes draw."""

from __future__ import annotations

from tidewright.features.declarations.builders import (
    HL,
    OHLC,
    Declare,
    factor,
    full_window,
    number,
    one_bar,
    one_more,
    window,
)
from tidewright.features.declarations.model import (
    Channel,
    ColumnDeclaration,
    Family,
    WindowRecipe,
)

_structure = Declare(Family.STRUCTURE)

_HIGH = (Channel.HIGH,)
_LOW = (Channel.LOW,)
_LEVEL = (number("window", 50, 2), factor("tolerance", 0.5, 0, 100))


def _extreme(name: str, channels: tuple[Channel, ...], description: str) -> ColumnDeclaration:
    recipe = WindowRecipe(name, channels)
    return _structure.window(name, description, "price", recipe, full_window, window(20))


def _strength(name: str, channel: Channel, description: str) -> ColumnDeclaration:
    others = tuple(item for item in HL if item is not channel)
    recipe = WindowRecipe("level_strength", (channel, *others), argument=1)
    return _structure.window(name, description, "ratio", recipe, full_window, _LEVEL)


def _distance(name: str, channels: tuple[Channel, ...], description: str) -> ColumnDeclaration:
    recipe = WindowRecipe("level_distance", (*channels, Channel.CLOSE))
    return _structure.window(
        name, description, "ratio", recipe, full_window, window(20), or_nan="the close was 0"
    )


def _break(
    name: str, step: str, channel: Channel, description: str, minimum: int = 1
) -> ColumnDeclaration:
    recipe = WindowRecipe(step, (channel, Channel.CLOSE))
    return _structure.window(
        name,
        description,
        "ratio",
        recipe,
        one_more,
        window(20, minimum),
        or_nan="the close was 0",
    )


STRUCTURE_COLUMNS = (
    _extreme("highest", _HIGH, "Highest high, this bar included"),
    _extreme("lowest", _LOW, "Lowest low, this bar included"),
    _structure.period(
        "middle_of_range", "Middle of highest and lowest", "price", "MIDPRICE", HL, 20
    ),
    _strength(
        "support_strength",
        Channel.LOW,
        "Share of the window's lows within a multiple of the mean bar range of the lowest",
    ),
    _strength(
        "resistance_strength",
        Channel.HIGH,
        "Share of the window's highs within a multiple of the mean bar range of the highest",
    ),
    _distance("support_distance", _LOW, "Close minus lowest low, as a share of the close"),
    _distance("resistance_distance", _HIGH, "Highest high minus close, as a share of the close"),
    _break(
        "resistance_break",
        "level_break",
        Channel.HIGH,
        "Close minus the highest high of that many earlier bars, as a share of the close; above 0 "
        "the resistance is broken",
    ),
    _break(
        "support_break",
        "level_break",
        Channel.LOW,
        "Close minus the lowest low of that many earlier bars, as a share of the close; below 0 "
        "the support is broken",
    ),
    _break(
        "upper_trendline_break",
        "line_break",
        Channel.HIGH,
        "Close minus the trend line over that many earlier highs (their least squares line, moved "
        "up until none is above it), as a share of the close; above 0 it is broken",
        2,
    ),
    _break(
        "lower_trendline_break",
        "line_break",
        Channel.LOW,
        "Close minus the trend line under that many earlier lows (their least squares line, moved "
        "down until none is below it), as a share of the close; below 0 it is broken",
        2,
    ),
    _structure.window(
        "gap",
        "Open minus the close before, as a share of that close",
        "ratio",
        WindowRecipe("gap", OHLC),
        one_bar,
        or_nan="the close before was 0",
    ),
)

"""Grids over named numbers: what is written, what is left, what is refused."""

from __future__ import annotations

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.research.bulk.grid import Axis, grid_points, grid_setups, parse_grid
from tidewright.strategy.library import template_named


def test_axes_hold_both_ends_and_exact_steps() -> None:
    fast, slow, stop, pick = parse_grid("fast=5:8 slow=60:81:7 stop=0.1:0.4:0.1 pick=3,1.5")
    assert fast == Axis("fast", (5, 6, 7, 8))
    assert slow == Axis("slow", (60, 67, 74, 81))
    assert stop == Axis("stop", (0.1, 0.2, 0.3, 0.4))
    assert pick == Axis("pick", (3, 1.5))


def test_every_allowed_combination_comes_once_the_last_axis_fastest() -> None:
    points = grid_points(parse_grid("a=1:3 b=2,1"), "a <= b + spare", {"spare": 1.0, "a": 9.0})
    assert points == (
        {"a": 1, "b": 2},
        {"a": 1, "b": 1},
        {"a": 2, "b": 2},
        {"a": 2, "b": 1},
        {"a": 3, "b": 2},
    )


def test_sets_are_the_document_with_other_numbers() -> None:
    template = template_named("sma_cross")
    points = grid_points(parse_grid("fast=9,10 slow=10:50:20"), "fast < slow")
    setups = grid_setups(template, points)
    assert [setup.reasons["exit.long"] for setup in setups] == [
        f"crosses_below(sma({point['fast']:g}), sma({point['slow']:g}))" for point in points
    ]
    assert len(setups) == 5
    assert len({setup.strategy.references for setup in setups}) == 5


@pytest.mark.parametrize(
    "text",
    [
        *("", "fast", "=1:2", "fast=", "a=1:2 a=3", "a=1,1", "a=2:1", "a=1:2:0", "a=1:2:3:4"),
        *("a=1,x", "a=nan", "a=1:inf", "a=0:1:0.0000001"),
    ],
)
def test_what_is_no_grid_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="grid"):
        parse_grid(text)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("a > 3", "allowed none"),
        ("c < 1", "'c' is no column"),
        ("a + 1", "has to be a condition"),
        ("sma(10) > a", "was not among the columns"),
    ],
)
def test_conditions_that_cannot_be_are_refused(where: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        grid_points(parse_grid("a=1:3"), where)


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(ConfigError, match="1,002,001 combinations"):
        grid_points(parse_grid("a=0:1000 b=0:1000"))

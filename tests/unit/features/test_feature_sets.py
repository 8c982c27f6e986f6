import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.features.calendar import calendar_series, calendar_value
from tidewright.features.declarations import declarations, resolve
from tidewright.features.sets import (
    FEATURE_SETS,
    FEATURES_10,
    FEATURES_22,
    FEATURES_ALL,
    feature_set,
    features_22,
)

SECOND = 10**9


@pytest.mark.parametrize("item", FEATURE_SETS.values(), ids=str)
def test_every_set_names_valid_columns_once(item):
    assert len(set(item.names)) == len(item.names)
    assert len(set(item.references)) == len(item.references)
    for reference in item.references:
        assert resolve(reference.name, reference.parameters) == reference


def test_sets_have_the_sizes_that_their_names_say():
    assert len(FEATURES_10.names) == 10
    assert len(FEATURES_22.names) == 22
    assert FEATURES_22.supplied == ("base_confidence",)
    assert len(FEATURES_ALL.names) > 100


def test_price_changes_of_days_count_bars_of_the_timeframe():
    labels = [reference.label for reference in features_22(bars_per_day=24).references[:3]]
    assert labels == ["change(24)", "change(120)", "change(480)"]


def test_unknown_set_names_the_sets():
    with pytest.raises(ConfigError, match="expected one of 10, 22, all"):
        feature_set("al")


@pytest.mark.parametrize(
    ("seconds", "day", "hour"),
    [(0, 3, 0), (-1, 2, 23), (4 * 86_400, 0, 0), (1_753_363_799, 3, 13), (1_753_363_800, 3, 13)],
)
def test_calendar_columns_of_known_times(seconds, day, hour):
    times = np.array([seconds * SECOND], np.int64)
    for name, expected in (("day_of_week", day), ("hour_of_day", hour)):
        recipe = declarations()[name].recipe
        assert calendar_value(recipe, seconds * SECOND) == expected
        assert calendar_series(recipe, times).tolist() == [expected]

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.strategy.aggregate import final_confidence, meets

shares = st.floats(0, 1)


def test_model_moves_the_confidence_by_its_weight() -> None:
    assert final_confidence(0.6, 0.8, 0.5) == pytest.approx(0.7)
    assert final_confidence(0.6, 0.8, 0.5, evidence=0.5) == pytest.approx(0.65)
    assert final_confidence(0.6, 0.8, 0.0) == 0.6


@pytest.mark.parametrize("probability", [None, math.nan])
def test_without_a_model_the_base_stands(probability: float | None) -> None:
    assert final_confidence(0.6, probability, 0.5) == 0.6


def test_unknown_base_stays_unknown_and_never_trades() -> None:
    assert math.isnan(final_confidence(math.nan, 0.9, 0.5))
    assert not meets(math.nan, 0.0)


def test_threshold_itself_is_enough() -> None:
    assert meets(0.6, 0.6)
    assert not meets(0.5999, 0.6)


@given(shares, shares, shares, shares)
def test_result_lies_between_base_and_model(
    base: float, probability: float, weight: float, evidence: float
) -> None:
    final = final_confidence(base, probability, weight, evidence)
    low, high = sorted((base, probability))
    assert low - 1e-12 <= final <= high + 1e-12
    assert 0 <= final <= 1


@pytest.mark.parametrize(
    ("base", "probability", "weight", "evidence"),
    [(0.5, 1.1, 0.5, 1), (0.5, 0.5, 1.5, 1), (0.5, 0.5, math.nan, 1), (0.5, 0.5, 0.5, -1)],
)
def test_share_outside_its_range_is_refused(
    base: float, probability: float, weight: float, evidence: float
) -> None:
    with pytest.raises(ConfigError, match="expected 0 to 1"):
        final_confidence(base, probability, weight, evidence)

"""How a strategy's own confidence and a model's probability become one number.

A model never overrides a strategy: it moves the confidence of an entry that the strategy wants,
by its weight, and everything works without any model.
"""

from __future__ import annotations

import math

from tidewright.domain.errors import ConfigError


def final_confidence(
    base: float, model_probability: float | None, ml_weight: float, evidence: float = 1.0
) -> float:
    """Return (1 - w) * base + w * P(success), where w = ``ml_weight * evidence``.

    Parameters
    ----------
    base : float
        The strategy's own confidence in [0, 1]; NaN = unknown.
    model_probability : float or None
        The model's probability of success in [0, 1]; None or NaN = no model speaks.
    ml_weight : float
        Weight of the model in [0, 1].
    evidence : float
        How much of that weight the model has earned, in [0, 1].

    Returns
    -------
    float
        In [0, 1]; NaN when ``base`` is unknown.

    Raises
    ------
    ConfigError
        If a weight or probability lies outside [0, 1].
    """
    for name, value in (("ml_weight", ml_weight), ("evidence", evidence)):
        if not 0.0 <= value <= 1.0:
            raise ConfigError(f"{name} was {value}; expected 0 to 1")
    if math.isnan(base):
        return math.nan
    base = min(max(base, 0.0), 1.0)
    if model_probability is None or math.isnan(model_probability):
        return base
    if not 0.0 <= model_probability <= 1.0:
        raise ConfigError(f"model probability was {model_probability}; expected 0 to 1")
    weight = ml_weight * evidence
    return min(max((1.0 - weight) * base + weight * model_probability, 0.0), 1.0)


def meets(final: float, min_confidence: float) -> bool:
    """Return whether a confidence is enough to trade; an unknown one never is."""
    return final >= min_confidence

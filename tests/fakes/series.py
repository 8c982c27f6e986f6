"""Daily series whose truth is known."""

from __future__ import annotations

import numpy as np

_WARM_UP = 200


def autoregressive(seed: int, sets: int, days: int, carry: float) -> np.ndarray:
    """Series of which each day carries a share of the day before; long-run variance 1, mean 0."""
    noise = np.random.default_rng(seed).standard_normal((sets, days + _WARM_UP))
    for day in range(1, days + _WARM_UP):
        noise[:, day] += carry * noise[:, day - 1]
    return noise[:, _WARM_UP:] * (1.0 - carry)

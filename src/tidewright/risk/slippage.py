"""Fills that were worse than their orders expected, told once a day and instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import AlertLogged, Severity
from tidewright.domain.orders import Fill
from tidewright.domain.time import DAY
from tidewright.risk.settings import RiskSettings, ppm
from tidewright.risk.text import number


class SlippageWatch:
    """Compares each fill with its order's reference; the first breach of a day raises an alert.

    Further breaches of the instrument within that UTC day are counted and told with the next
    alert, so that a bad day cannot bury other alerts.

    Parameters
    ----------
    settings : RiskSettings
        ``max_slippage_percent`` is the limit.
    """

    def __init__(self, settings: RiskSettings) -> None:
        limit = settings.max_slippage_percent
        self._words = limit if isinstance(limit, str) else number(limit)
        self._ppm = None if isinstance(limit, str) else ppm(limit)
        self._told: dict[str, tuple[int, int]] = {}

    def take(self, fill: Fill, reference_ticks: int, ts: int) -> list[AlertLogged]:
        """Take note of a fill.

        Parameters
        ----------
        fill : Fill
            What traded.
        reference_ticks : int
            Price that its order expected, in ticks, > 0.
        ts : int
            When it became known, nanoseconds UTC.
        """
        slipped = fill.side.sign * (fill.ticks - reference_ticks)
        if self._ppm is None or slipped * 1_000_000 <= self._ppm * reference_ticks:
            return []
        day = ts // DAY
        before, unsaid = self._told.get(fill.instrument, (-1, 0))
        if day == before:
            self._told[fill.instrument] = (day, unsaid + 1)
            return []
        self._told[fill.instrument] = (day, 0)
        percent = 100.0 * slipped / reference_ticks
        more = f" {unsaid} further fills were over it since the last alert." if unsaid else ""
        message = (
            f"Fill {fill.trade_id} was {percent:.3f} % worse than its order expected; the limit is "
            f"{self._words} %.{more}"
        )
        return [AlertLogged(Severity.WARNING, "MAX_SLIPPAGE_PERCENT", message, fill.instrument)]

    def snapshot(self) -> dict[str, list[int]]:
        """Return what was told, as JSON-able values."""
        return {name: list(told) for name, told in self._told.items()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises
        ------
        DataIntegrityError
            If it is not one.
        """
        try:
            self._told = {name: (int(day), int(unsaid)) for name, (day, unsaid) in data.items()}
        except (TypeError, ValueError, AttributeError) as error:
            raise DataIntegrityError(f"slippage snapshot cannot be read: {error!r}") from error

"""Freezing a strategy: from then on nothing is chosen any more, so what comes is evidence.

A freeze fixes specification, models, costs and settings by hash and keeps the daily results of the
backtest. Any edit is another freeze with a clock of its own. What is earned on bars known after the
freeze is held against a forecast made of the backtest's own days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY
from tidewright.research.judging.evidence import ForwardEvidence
from tidewright.research.judging.trials import (
    Record,
    TrialStore,
    list_of,
    readable,
    text_of,
    whole_of,
)
from tidewright.research.results import Float64
from tidewright.research.statistics.bootstrap import block_length, resampled_days

FREEZE = "freeze"
FORWARD = "forward"
PATHS = 2_000
"""Paths that a forecast is made of."""
SHORTEST_HISTORY = 30
"""Days of results that a forecast needs at least."""

_UNIT = 1e9


@dataclass(frozen=True, slots=True)
class Frozen:
    """A strategy at the moment from which on it is not changed any more.

    Parameters
    ----------
    name : str
        Of the strategy.
    family : str
        Family of ideas.
    parts : mapping of str to str
        Digest of each part that is fixed: specification, models, costs, settings, market.
    ts : int
        When the forward clock began, nanoseconds UTC.
    daily : tuple of int
        Net profit of each day of the backtest, in billionths of the initial equity.
    build : str
        Fingerprint of the build; an upgrade is shown, and does not stop the clock.
    """

    name: str
    family: str
    parts: Mapping[str, str]
    ts: int
    daily: tuple[int, ...]
    build: str = ""

    @property
    def digest(self) -> str:
        """Digest of all parts, 32 hexadecimal digits."""
        return digest_of(self.parts)

    @property
    def daily_profit(self) -> Float64:
        """Net profit of each day of the backtest as a share of the initial equity."""
        return np.array(self.daily, np.float64) / _UNIT

    def edited(self, parts: Mapping[str, str]) -> list[str]:
        """Return the names of the parts that differ from those given."""
        return sorted(
            name
            for name in {*self.parts, *parts}
            if self.parts.get(name, "") != parts.get(name, "")
        )


@dataclass(frozen=True, slots=True)
class ForwardResult:
    """What a frozen strategy earned since, beside what its backtest led to expect.

    Parameters
    ----------
    name, digest : str
        Of the freeze.
    days : int
        Days of results known after the freeze.
    profit : float
        Net profit over them as a share of the initial equity.
    low, middle, high : float
        5 %, 50 % and 95 % of the forecast of the same number of days.
    percentile : float
        Place of the profit in the forecast, 0 to 1.
    last : int
        Known time of the last bar, nanoseconds UTC.
    """

    name: str
    digest: str
    days: int
    profit: float
    low: float
    middle: float
    high: float
    percentile: float
    last: int

    @property
    def evidence(self) -> ForwardEvidence:
        """The result as a verdict takes it."""
        return ForwardEvidence(self.days, self.percentile)


def part_digest(text: str) -> str:
    """Return the digest of one part in its written form, 32 hexadecimal digits."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def digest_of(parts: Mapping[str, str]) -> str:
    """Return one digest of named parts, whatever their order."""
    return part_digest("\0".join(f"{name}\0{parts[name]}" for name in sorted(parts)))


def daily_units(daily_profit: Float64) -> tuple[int, ...]:
    """Return daily profits in billionths, as a freeze keeps them.

    Raises
    ------
    ConfigError
        If there are too few days for a forecast, or one is not finite.
    """
    if len(daily_profit) < SHORTEST_HISTORY or not np.isfinite(daily_profit).all():
        raise ConfigError(
            f"the backtest has {len(daily_profit)} days; expected at least {SHORTEST_HISTORY} "
            "finite ones to make a forecast from"
        )
    return tuple(np.rint(daily_profit * _UNIT).astype(np.int64).tolist())


def forecast(daily_profit: Float64, days: int, seed: int = 0) -> Float64:
    """Return what so many days may bring, sorted, shape (`PATHS`,).

    Each path is a stationary block bootstrap of the past days (Politis and Romano, 1994), and adds
    how far the mean of the past may itself be off: that of another resampled past. The spread is
    thus that of a prediction, wider than that of the past by sqrt(1 + days / past days).

    Parameters
    ----------
    daily_profit : float64 array of shape (n_days,)
        Net profit of past days as shares of the initial equity.
    days : int
        Days ahead, at least 1.
    seed : int
        Of the draws; equal seeds give equal forecasts.

    Raises
    ------
    ConfigError
        If there is no day ahead, or too little past.
    """
    past = len(daily_profit)
    if days < 1 or past < SHORTEST_HISTORY:
        raise ConfigError(
            f"forecast was for {days} days from {past}; expected at least 1 from {SHORTEST_HISTORY}"
        )
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, days, past])))
    block = float(block_length(daily_profit))
    totals = np.zeros(PATHS)
    for begin in range(0, days, past):
        drawn = resampled_days(past, block, PATHS, generator)[:, : min(past, days - begin)]
        totals += daily_profit[drawn].sum(axis=1)
    means = daily_profit[resampled_days(past, block, PATHS, generator)].mean(axis=1)
    totals += days * (means - daily_profit.mean())
    totals.sort()
    return totals


def percentile_of(totals: Float64, profit: float) -> float:
    """Return the place of a profit in a sorted forecast, 0 to 1; ties count half."""
    below = np.searchsorted(totals, profit, side="left")
    upto = np.searchsorted(totals, profit, side="right")
    return float(below + upto) / (2.0 * len(totals))


def forward_result(frozen: Frozen, daily_profit: Float64, last: int) -> ForwardResult | None:
    """Return what came after a freeze against its forecast; None before the first day.

    Parameters
    ----------
    frozen : Frozen
        The freeze.
    daily_profit : float64 array of shape (n_days,)
        Net profit of each day known after the freeze, as shares of the initial equity.
    last : int
        Known time of the last bar, nanoseconds UTC.

    Raises
    ------
    ConfigError
        If the last bar was known before the freeze.
    """
    if not len(daily_profit):
        return None
    if last <= frozen.ts:
        raise ConfigError("forward days end before the freeze; expected bars known after it")
    return placed_in_forecast(frozen, daily_profit, last)


def placed_in_forecast(frozen: Frozen, daily_profit: Float64, last: int) -> ForwardResult:
    """Return any days of results beside the forecast of a freeze, whenever they were earned.

    Parameters
    ----------
    frozen, daily_profit, last
        As `forward_result` takes them, with at least one day.
    """
    totals = forecast(frozen.daily_profit, len(daily_profit))
    profit = float(daily_profit.sum())
    low, middle, high = np.quantile(totals, [0.05, 0.5, 0.95]).tolist()
    return ForwardResult(
        frozen.name,
        frozen.digest,
        len(daily_profit),
        profit,
        low,
        middle,
        high,
        percentile_of(totals, profit),
        last,
    )


def record_freeze(store: TrialStore, frozen: Frozen) -> None:
    """Write a freeze down; its clock runs from `Frozen.ts`."""
    body = {
        "name": frozen.name,
        "family": frozen.family,
        "parts": dict(frozen.parts),
        "ts": frozen.ts,
        "daily": list(frozen.daily),
        "build": frozen.build,
    }
    store.append(FREEZE, frozen.name, body, frozen.ts)


def record_forward(store: TrialStore, result: ForwardResult, ts: int) -> None:
    """Write down how a frozen strategy does, so that later questions need no data."""
    body = {
        "name": result.name,
        "digest": result.digest,
        "days": result.days,
        "profit": result.profit,
        "forecast": [result.low, result.middle, result.high],
        "percentile": result.percentile,
        "last": result.last,
    }
    store.append(FORWARD, result.digest, body, ts)


def freezes(store: TrialStore, name: str | None = None) -> list[Frozen]:
    """Return all freezes, or those of one strategy, in order; the last one of a name holds."""
    return [frozen_of(record) for record in store.records(FREEZE, name)]


def latest_forward(store: TrialStore, digest: str) -> ForwardResult | None:
    """Return the newest recorded forward result of a freeze, None before the first."""
    records = store.records(FORWARD, digest)
    return forward_of(records[-1]) if records else None


def days_since(frozen: Frozen, now: int) -> int:
    """Return the whole days that the forward clock has run."""
    return max(0, (now - frozen.ts) // DAY)


def frozen_of(record: Record) -> Frozen:
    """Return the freeze that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        parts = body["parts"]
        if not isinstance(parts, Mapping):
            raise TypeError(f"parts were {parts!r}")
        return Frozen(
            text_of(body, "name"),
            text_of(body, "family"),
            {str(name): str(value) for name, value in parts.items()},
            whole_of(body, "ts"),
            tuple(int(str(one)) for one in list_of(body, "daily")),
            text_of(body, "build"),
        )


def forward_of(record: Record) -> ForwardResult:
    """Return the forward result that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        low, middle, high = (_real(one) for one in list_of(body, "forecast"))
        return ForwardResult(
            text_of(body, "name"),
            text_of(body, "digest"),
            whole_of(body, "days"),
            _real(body["profit"]),
            low,
            middle,
            high,
            _real(body["percentile"]),
            whole_of(body, "last"),
        )


def _real(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"it was {value!r}; expected a finite number")
    return float(value)

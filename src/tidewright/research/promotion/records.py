"""Promotions and verdicts as the trial registry keeps them."""

from __future__ import annotations

from collections.abc import Mapping

from tidewright.research.judging.evidence import Interval
from tidewright.research.judging.trials import (
    Record,
    TrialStore,
    list_of,
    readable,
    text_of,
    whole_of,
)
from tidewright.research.judging.verdict import VerdictLevel
from tidewright.research.promotion.ladder import Stage, Standing, Step, VerdictRecord

PROMOTION = "promotion"
VERDICT = "verdict"
WALK_FORWARD = "walk-forward"


def standing_of(store: TrialStore, name: str) -> Standing:
    """Return where a strategy stands by the record."""
    records = store.records(PROMOTION, name)
    steps = [step_of(record) for record in records]
    overrides = tuple(step.override for step in steps if step.override)
    if not steps:
        return Standing(name, Stage.PAPER, 0, None, ())
    return Standing(name, steps[-1].after, records[-1].ts, steps[-1], overrides)


def standings(store: TrialStore) -> list[Standing]:
    """Return where every strategy stands that was ever promoted, in the order of its first step."""
    names = dict.fromkeys(record.key for record in store.records(PROMOTION))
    return [standing_of(store, name) for name in names]


def stopped_for_good(store: TrialStore, family: str) -> bool:
    """Return whether a pilot of a family ever spent its budget."""
    steps = (step_of(record) for record in store.records(PROMOTION))
    return any(step.family == family and step.after is Stage.STOPPED for step in steps)


def record_step(store: TrialStore, step: Step, ts: int) -> None:
    """Write a change of stage down."""
    body: dict[str, object] = {
        "name": step.name,
        "family": step.family,
        "digest": step.digest,
        "before": step.before.value,
        "after": step.after.value,
        "actor": step.actor,
        "reason": step.reason,
        "verdict": step.verdict,
        "budget": step.budget,
        "share_ppm": step.share_ppm,
        "confirmation": step.confirmation,
        "override": step.override,
    }
    store.append(PROMOTION, step.name, body, ts)


def step_of(record: Record) -> Step:
    """Return the change of stage that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        return Step(
            text_of(body, "name"),
            text_of(body, "family"),
            text_of(body, "digest"),
            Stage(text_of(body, "before")),
            Stage(text_of(body, "after")),
            text_of(body, "actor"),
            text_of(body, "reason"),
            text_of(body, "verdict"),
            whole_of(body, "budget"),
            whole_of(body, "share_ppm"),
            text_of(body, "confirmation"),
            text_of(body, "override"),
        )


def record_verdict(store: TrialStore, record: VerdictRecord, ts: int) -> None:
    """Write a verdict down, so that promotion can read it."""
    excess = record.excess
    body: dict[str, object] = {
        "name": record.name,
        "digest": record.digest,
        "level": record.level.name,
        "p_value": record.p_value,
        "excess": None if excess is None else [excess.low, excess.estimate, excess.high],
        "reasons": list(record.reasons),
    }
    store.append(VERDICT, record.digest, body, ts)


def latest_verdict(store: TrialStore, digest: str) -> VerdictRecord | None:
    """Return the newest verdict on one version, None without one."""
    records = store.records(VERDICT, digest)
    return verdict_of(records[-1]) if records else None


def record_walk_forward(
    store: TrialStore, name: str, digest: str, won_percent: float, stretches: int, ts: int
) -> None:
    """Write down how many stretches of a walk-forward made a profit, in percent."""
    body: dict[str, object] = {"name": name, "won_percent": won_percent, "stretches": stretches}
    store.append(WALK_FORWARD, digest, body, ts)


def latest_walk_forward(store: TrialStore, digest: str) -> float | None:
    """Return the newest percentage of walk-forward stretches with a profit, None without one.

    Raises
    ------
    DataIntegrityError
        If the entry cannot be read.
    """
    records = store.records(WALK_FORWARD, digest)
    if not records:
        return None
    with readable(records[-1]):
        return _optional(records[-1].body, "won_percent")


def verdict_of(record: Record) -> VerdictRecord:
    """Return the verdict that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        return VerdictRecord(
            text_of(body, "name"),
            text_of(body, "digest"),
            VerdictLevel[text_of(body, "level")],
            _optional(body, "p_value"),
            _interval(body),
            tuple(str(one) for one in list_of(body, "reasons")),
        )


def _optional(body: Mapping[str, object], name: str) -> float | None:
    value = body[name]
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise TypeError(f"{name} was {value!r}; expected a number")
    return float(value)


def _interval(body: Mapping[str, object]) -> Interval | None:
    if body["excess"] is None:
        return None
    low, estimate, high = (float(str(one)) for one in list_of(body, "excess"))
    return Interval(low, estimate, high)

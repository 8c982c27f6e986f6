"""From evidence to a verdict that a beginner understands: one rule, looked at from the top.

1. BROKEN: the test is wrong, so its figures say nothing: a look at the future, invalid data.
2. LOSES: the whole 90 % interval of the annual excess over the matched benchmark lies below 0.
3. CANNOT TELL YET: under 90 days or 30 days with a closed trade, no p-value or one above 0.20, or
   a forward result below its forecast.
4. PROMISING: everything else that SUPPORTED still lacks something for.
5. SUPPORTED: p at most 0.05, every hard check passed, the forward result inside its forecast.

The first line that applies decides. A smaller p-value never worsens a verdict, and no failed check
improves one. A check that was not made does not count as passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from statistics import NormalDist

from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import Check, Evidence, HistoryKind, Outcome, PSource

DAYS_PER_MONTH = 365.25 / 12.0
LONGEST_MONTHS = 120.0
"""Waits above this are told as "more than 10 years"."""


class VerdictLevel(IntEnum):
    """What the evidence allows to say, from worst to best."""

    BROKEN = 0
    LOSES = 1
    CANNOT_TELL_YET = 2
    PROMISING = 3
    SUPPORTED = 4

    @property
    def label(self) -> str:
        """The words that a person reads."""
        return self.name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """Borders of the verdicts; the defaults are what Tidewright uses everywhere.

    Parameters
    ----------
    supported_p, promising_p : float
        Largest p-value of SUPPORTED and of PROMISING, 0 < supported <= promising < 0.5.
    min_days, min_trade_days : int
        Smallest sample that says anything.
    min_forward_days : int
        Days after a freeze from which on they are evidence.
    forecast_tail : float
        Share of the forecast outside its interval on either side, 0 < tail < 0.5.
    """

    supported_p: float = 0.05
    promising_p: float = 0.20
    min_days: int = 90
    min_trade_days: int = 30
    min_forward_days: int = 30
    forecast_tail: float = 0.05

    def __post_init__(self) -> None:
        if not 0.0 < self.supported_p <= self.promising_p < 0.5:
            raise ConfigError(
                f"p-value borders were {self.supported_p} and {self.promising_p}; expected "
                "0 < supported <= promising < 0.5"
            )
        if not 0.0 < self.forecast_tail < 0.5:
            raise ConfigError(
                f"forecast_tail was {self.forecast_tail}; expected above 0 and below 0.5"
            )


DEFAULT_RULE = VerdictRule()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be said, why, until when, and what may be done now.

    Parameters
    ----------
    level : VerdictLevel
        The verdict.
    reasons : tuple of str
        Sentences; the first decided.
    months_to_know : float or None
        Months of the same kind of days until a definite answer; 0 when it is there, None when more
        time of this kind would not bring one.
    time_to_know : str
        The same as a sentence.
    may_do_now : tuple of str
        What is allowed and sensible now, in plain words.
    """

    level: VerdictLevel
    reasons: tuple[str, ...]
    months_to_know: float | None
    time_to_know: str
    may_do_now: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as a JSON object."""
        return {
            "verdict": self.level.label,
            "reasons": list(self.reasons),
            "months_to_know": self.months_to_know,
            "time_to_know": self.time_to_know,
            "may_do_now": list(self.may_do_now),
        }


def judge(evidence: Evidence, rule: VerdictRule = DEFAULT_RULE) -> Verdict:
    """Return the verdict on evidence; every evidence has exactly one.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    rule : VerdictRule
        The borders.
    """
    level, reasons = VerdictLevel.SUPPORTED, _support(evidence)
    for candidate, find in _RULES:
        if found := find(evidence, rule):
            level, reasons = candidate, found
            break
    months = months_to_know(evidence, level, rule)
    return Verdict(
        level,
        (*reasons, *_notes(evidence)),
        months,
        _time_sentence(level, months),
        _MAY_DO[level],
    )


def months_to_know(
    evidence: Evidence, level: VerdictLevel, rule: VerdictRule = DEFAULT_RULE
) -> float | None:
    """Return how many more months like those seen a definite answer takes.

    A test statistic that has a cause grows with the square root of time, so z today reaches z* at
    ``days x (z* / z) ** 2``; an interval shrinks in the same way until it leaves 0 behind.
    Whichever comes first, but not before the smallest sample and the forward days are there.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    level : VerdictLevel
        The verdict on it.
    rule : VerdictRule
        The borders.

    Returns
    -------
    float or None
        Months, at least 0; None when time alone does not answer.
    """
    if level in (VerdictLevel.LOSES, VerdictLevel.SUPPORTED):
        return 0.0
    if level is VerdictLevel.BROKEN:
        return None
    sample = _days_to_sample(evidence, rule)
    answer = _days_to_answer(evidence, rule)
    if sample is None or answer is None:
        return None
    return max(sample, answer) / DAYS_PER_MONTH


def forward_side(evidence: Evidence, rule: VerdictRule) -> int | None:
    """Return -1, 0 or 1 for a forward result below, inside or above its forecast.

    None while there is none, or too little of it to count.
    """
    forward = evidence.forward
    if forward is None or forward.days < rule.min_forward_days:
        return None
    return int(forward.percentile > 1.0 - rule.forecast_tail) - int(
        forward.percentile < rule.forecast_tail
    )


def _broken(evidence: Evidence, rule: VerdictRule) -> list[str]:
    checks = (
        (evidence.look_ahead, "A decision used prices that were not known yet"),
        (evidence.valid_data, "The data is not valid"),
    )
    return [_with_detail(text, check) for check, text in checks if _failed(check)]


def _losing(evidence: Evidence, rule: VerdictRule) -> list[str]:
    excess = evidence.excess
    if excess is None or excess.high >= 0.0:
        return []
    return [
        f"After costs it earned {_percent(excess.estimate)} a year against holding the same thing; "
        f"even the upper end of what is plausible is {_percent(excess.high)}."
    ]


def _undecided(evidence: Evidence, rule: VerdictRule) -> list[str]:
    p, found = evidence.p_value, []
    if evidence.days < rule.min_days:
        found.append(f"{evidence.days} days of results; at least {rule.min_days} are needed.")
    if evidence.trade_days < rule.min_trade_days:
        found.append(
            f"Trades ended on {evidence.trade_days} different days; at least "
            f"{rule.min_trade_days} are needed."
        )
    if p is None:
        found.append("How often luck alone does as well could not be computed.")
    elif p > rule.promising_p:
        found.append(_luck(evidence))
    if forward_side(evidence, rule) == -1:
        found.append(f"The forward result is below its forecast ({_forward(evidence)}).")
    return found


def _lacking(evidence: Evidence, rule: VerdictRule) -> list[str]:
    p, found = evidence.p_value, []
    if p is not None and p > rule.supported_p:
        found.append(_luck(evidence))
    side = forward_side(evidence, rule)
    if side is None:
        found.append(
            f"Nothing has been seen since a freeze yet; {rule.min_forward_days} days are needed."
            if evidence.forward is None
            else f"{evidence.forward.days} days since the freeze; {rule.min_forward_days} are "
            "needed."
        )
    elif side == 1:
        found.append(f"The forward result is above its forecast ({_forward(evidence)}).")
    checks = (
        (evidence.look_ahead, "The check for a look at the future"),
        (evidence.valid_data, "The check of the data"),
        (evidence.double_costs, "The check at twice the costs"),
        (evidence.one_bar_later, "The check with every decision one bar later"),
    )
    for check, name in checks:
        if check.outcome is not Outcome.PASSED:
            verb = "failed" if _failed(check) else "was not made"
            found.append(_with_detail(f"{name} {verb}", check))
    if evidence.history.kind is HistoryKind.UNKNOWN:
        found.append("How much was tried before is unknown, so luck cannot be ruled out.")
    if evidence.excess is None:
        found.append("The excess over holding the same thing could not be computed.")
    return found


def _support(evidence: Evidence) -> list[str]:
    return [
        _luck(evidence),
        "Every check passed: no look at the future, twice the costs, one bar later.",
        f"The forward result is inside its forecast ({_forward(evidence)}).",
    ]


_RULES: tuple[tuple[VerdictLevel, Callable[[Evidence, VerdictRule], list[str]]], ...] = (
    (VerdictLevel.BROKEN, _broken),
    (VerdictLevel.LOSES, _losing),
    (VerdictLevel.CANNOT_TELL_YET, _undecided),
    (VerdictLevel.PROMISING, _lacking),
)

_FREEZE = "Freeze it now (tidewright freeze): only what comes after counts as new evidence."
_PILOT = (
    "A pilot with real money is possible after safety checks and a typed confirmation; it stops "
    "for good when 1 % of the account is lost."
)
_MAY_DO: Mapping[VerdictLevel, tuple[str, ...]] = {
    VerdictLevel.BROKEN: (
        "Repair what is named above and validate again.",
        "Simulation and paper trading; no real money.",
    ),
    VerdictLevel.LOSES: (
        "Change it or drop it; more tries on the same data need better evidence each time.",
        "Simulation and paper trading; no real money.",
    ),
    VerdictLevel.CANNOT_TELL_YET: (_FREEZE, "Run it on paper.", _PILOT),
    VerdictLevel.PROMISING: (_FREEZE, "Run it on paper.", _PILOT),
    VerdictLevel.SUPPORTED: (
        "Begin with a pilot, then scale: sized on the lower end of what is plausible.",
        "Keep watching: it is demoted by itself when results leave their forecast.",
    ),
}


def _notes(evidence: Evidence) -> list[str]:
    notes = []
    if evidence.survivors:
        notes.append(
            "The universe holds only what still exists today, which flatters every result before "
            "the freeze."
        )
    if evidence.history.kind is HistoryKind.DECLARED:
        notes.append(f"The number of tries ({evidence.history.tries:,}) is the user's own word.")
    return [*notes, *(f"Set aside on purpose: {text}" for text in evidence.overrides)]


def _days_to_sample(evidence: Evidence, rule: VerdictRule) -> float | None:
    days = max(rule.min_days - evidence.days, 0)
    missing = rule.min_trade_days - evidence.trade_days
    if missing <= 0:
        return float(days)
    if evidence.trade_days == 0:
        return None
    return max(days, missing * evidence.days / evidence.trade_days)


def _days_to_answer(evidence: Evidence, rule: VerdictRule) -> float | None:
    """Return days until p is small enough or the interval lies below 0, whichever is first."""
    p, excess, days = evidence.p_value, evidence.excess, float(evidence.days)
    ways = []
    if p is not None and p <= rule.supported_p:
        ways += [] if (wait := _forward_days(evidence, rule)) is None else [wait]
    elif p is not None and p < 0.5:
        normal = NormalDist()
        ratio = normal.inv_cdf(1.0 - rule.supported_p) / normal.inv_cdf(1.0 - p)
        ways.append(days * (ratio * ratio - 1.0))
    if excess is not None and excess.estimate < 0.0:
        ratio = (excess.high - excess.estimate) / -excess.estimate
        ways.append(days * max(ratio * ratio - 1.0, 0.0))
    return min(ways, default=None)


def _forward_days(evidence: Evidence, rule: VerdictRule) -> float | None:
    """Return missing forward days; None when something else than time is missing."""
    checks = (
        evidence.look_ahead,
        evidence.valid_data,
        evidence.double_costs,
        evidence.one_bar_later,
    )
    curable = (
        all(check.outcome is Outcome.PASSED for check in checks)
        and evidence.history.kind is not HistoryKind.UNKNOWN
        and evidence.excess is not None
    )
    missing = rule.min_forward_days - (evidence.forward.days if evidence.forward else 0)
    short = evidence.days < rule.min_days or evidence.trade_days < rule.min_trade_days
    return float(max(missing, 0)) if curable and (missing > 0 or short) else None


def _time_sentence(level: VerdictLevel, months: float | None) -> str:
    if level in (VerdictLevel.LOSES, VerdictLevel.SUPPORTED):
        return "Known now; more time changes it only if the market changes."
    if level is VerdictLevel.BROKEN:
        return "More time does not help: the test itself has to be repaired."
    if months is None:
        return "At this rate more time alone will not tell."
    if months > LONGEST_MONTHS:
        return "At this rate, more than 10 years to know."
    whole = max(1, math.ceil(months - 1e-9))
    return f"At this rate, about {whole} more month{'' if whole == 1 else 's'} to know."


def _luck(evidence: Evidence) -> str:
    if evidence.p_value is None:
        return ""
    share = f"{100.0 * evidence.p_value:.1f} %"
    if evidence.p_source is PSource.SEARCH_ON_NOISE:
        return f"The same search found something as good in {share} of patternless copies."
    return (
        f"By luck alone a result as good comes in {share} of cases, all tries counted "
        f"({evidence.p_source.value})."
    )


def _forward(evidence: Evidence) -> str:
    forward = evidence.forward
    if forward is None:
        return "none"
    return f"better than {100.0 * forward.percentile:.0f} % of it after {forward.days} days"


def _with_detail(text: str, check: Check) -> str:
    whole = f"{text}: {check.detail}" if check.detail else text
    return whole if whole.endswith(".") else f"{whole}."


def _failed(check: Check) -> bool:
    return check.outcome is Outcome.FAILED


def _percent(share: float) -> str:
    return f"{100.0 * share:+.1f} %"

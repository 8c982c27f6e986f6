"""From paper to a pilot to more: who may trade what with real money, decided from the record.

Simulation and paper trading are always allowed. A pilot is open to everything that is not BROKEN or
LOSES, after safety checks and a typed confirmation, and lives on a loss budget of one hundredth of
the account. Only SUPPORTED is scaled, by the lower end of what is plausible. Demotion needs nobody.

Every step is an entry that is never changed; an override is an entry with its reason.

Sources
-------
Size: J. L. Kelly, "A New Interpretation of Information Rate", 1956; E. O. Thorp, "The Kelly
Criterion in Blackjack, Sports Betting and the Stock Market", 2006: growth is largest at mean /
variance; half of it keeps three quarters of the growth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tidewright.domain.errors import ConfigError
from tidewright.research.judging.evidence import Interval
from tidewright.research.judging.verdict import VerdictLevel

BUDGET_PARTS = 100
"""A pilot may lose one part of so many of its account: 1 %."""
KELLY_FRACTION = 0.5
"""Share of the growth-optimal size that is used at most."""


class Stage(StrEnum):
    """How far a strategy has come."""

    PAPER = "paper"
    PILOT = "pilot"
    SCALED = "scaled"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Step:
    """One change of stage.

    Parameters
    ----------
    name, family, digest : str
        Strategy, its family of ideas, and the freeze that the change is about.
    before, after : Stage
        The stages.
    actor, reason : str
        Who did it and why.
    verdict : str
        The verdict at that time, in its words; empty without one.
    budget : int
        Loss budget of a pilot, money units.
    share_ppm : int
        Size of a scaled strategy as millionths of its own sizing.
    confirmation : str
        What was typed.
    override : str
        What was set aside, and why; empty for none.
    """

    name: str
    family: str
    digest: str
    before: Stage
    after: Stage
    actor: str
    reason: str
    verdict: str = ""
    budget: int = 0
    share_ppm: int = 0
    confirmation: str = ""
    override: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a strategy stands.

    Parameters
    ----------
    name : str
        The strategy.
    stage : Stage
        Paper when nothing is recorded.
    since : int
        Since when, nanoseconds UTC; 0 for always.
    last : Step or None
        The last change.
    overrides : tuple of str
        Everything that was ever set aside for it.
    """

    name: str
    stage: Stage
    since: int
    last: Step | None
    overrides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SafetyCheck:
    """One thing that must be in order before real money is at stake.

    Parameters
    ----------
    name : str
        What is looked at.
    passed : bool
        Whether it is in order.
    detail : str
        One sentence.
    may_override : bool
        Whether a person may set it aside, on the record.
    """

    name: str
    passed: bool
    detail: str
    may_override: bool = True


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a step may be taken.

    Parameters
    ----------
    refusals : tuple of str
        What forbids it and cannot be set aside.
    overridable : tuple of str
        What forbids it unless a person sets it aside with a reason.
    """

    refusals: tuple[str, ...] = ()
    overridable: tuple[str, ...] = ()

    def granted(self, override: str = "") -> bool:
        """Return whether it may be taken, given the reason of an override."""
        return not self.refusals and (not self.overridable or bool(override.strip()))


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """A verdict as the registry keeps it.

    Parameters
    ----------
    name, digest : str
        Strategy and the digest of everything that was judged; equal to that of its freeze.
    level : VerdictLevel
        The verdict.
    p_value : float or None
        As in the evidence.
    excess : Interval or None
        As in the evidence.
    reasons : tuple of str
        Why.
    """

    name: str
    digest: str
    level: VerdictLevel
    p_value: float | None
    excess: Interval | None
    reasons: tuple[str, ...]


def loss_budget(equity: int) -> int:
    """Return what a pilot may lose of an account, both in money units; rounded down.

    Raises
    ------
    ConfigError
        If the account is worth too little to lose anything of.
    """
    budget = equity // BUDGET_PARTS
    if budget <= 0:
        raise ConfigError(f"equity was {equity} money units; expected at least {BUDGET_PARTS}")
    return budget


def confirmation_text(name: str, amount: str) -> str:
    """Return what a person has to type before a pilot: the name and the amount at stake."""
    return f"pilot {name} may lose {amount}"


def scaled_share(excess: Interval | None, annual_volatility: float) -> float:
    """Return how much of its own sizing a supported strategy may use, 0 to 1.

    Half of mean / variance with the lower end of the excess as the mean, and never more than what
    was tested. An excess whose lower end is not above 0 has no size.

    Parameters
    ----------
    excess : Interval or None
        Annual excess, shares of the initial equity.
    annual_volatility : float
        Annual standard deviation of the daily profit, shares of the initial equity.
    """
    if excess is None or excess.low <= 0.0 or not annual_volatility > 0.0:
        return 0.0
    return min(1.0, KELLY_FRACTION * excess.low / annual_volatility**2)


def may_pilot(
    verdict: VerdictLevel | None,
    checks: Sequence[SafetyCheck],
    standing: Standing,
    *,
    stopped_before: bool,
) -> Permission:
    """Return whether a pilot with real money may begin.

    Parameters
    ----------
    verdict : VerdictLevel or None
        On exactly this version; None when it was never judged.
    checks : sequence of SafetyCheck
        The safety checks.
    standing : Standing
        Where the strategy stands.
    stopped_before : bool
        Whether a pilot of the same family ever spent its budget on this account.
    """
    refusals = []
    if verdict is None:
        refusals.append("This version was never judged; run tidewright validate first.")
    elif verdict in (VerdictLevel.BROKEN, VerdictLevel.LOSES):
        refusals.append(f"The verdict is {verdict.label}: no real money.")
    if stopped_before or standing.stage is Stage.STOPPED:
        refusals.append("A pilot of this idea has spent its loss budget and stopped for good.")
    if standing.stage in (Stage.PILOT, Stage.SCALED):
        refusals.append(f"It is at the stage {standing.stage.value} already.")
    refusals += [_told(check) for check in checks if not check.passed and not check.may_override]
    return Permission(
        tuple(refusals),
        tuple(_told(check) for check in checks if not check.passed and check.may_override),
    )


def may_scale(verdict: VerdictLevel | None, standing: Standing, share: float) -> Permission:
    """Return whether a pilot may be scaled.

    Parameters
    ----------
    verdict : VerdictLevel or None
        On exactly this version.
    standing : Standing
        Where the strategy stands.
    share : float
        As `scaled_share` gives it.
    """
    refusals, overridable = [], []
    if standing.stage not in (Stage.PILOT, Stage.SCALED):
        refusals.append(f"It is at the stage {standing.stage.value}; expected a pilot.")
    if verdict is None or verdict in (VerdictLevel.BROKEN, VerdictLevel.LOSES):
        refusals.append("Only what is SUPPORTED is scaled.")
    elif verdict is not VerdictLevel.SUPPORTED:
        overridable.append(f"The verdict is {verdict.label}; only what is SUPPORTED is scaled.")
    if share <= 0.0:
        refusals.append("The lower end of what is plausible is not above 0, so its size is 0.")
    return Permission(tuple(refusals), tuple(overridable))


def due_demotion(
    standing: Standing,
    verdict: VerdictLevel | None,
    *,
    digest: str,
    spent: bool = False,
) -> tuple[Stage, str] | None:
    """Return the stage to which a strategy falls by itself, and why; None when it stays.

    Parameters
    ----------
    standing : Standing
        Where it stands.
    verdict : VerdictLevel or None
        Newest verdict on its version; None leaves the verdict aside.
    digest : str
        Digest of what would run now; another one than was promoted is another strategy.
    spent : bool
        Whether the pilot has lost its budget.
    """
    last = standing.last
    if last is None or standing.stage not in (Stage.PILOT, Stage.SCALED):
        return None
    if spent:
        return Stage.STOPPED, "the loss budget is spent"
    if digest != last.digest:
        return Stage.PAPER, "it was edited since it was promoted"
    if verdict in (VerdictLevel.BROKEN, VerdictLevel.LOSES):
        return Stage.PAPER, f"the verdict is {verdict.label}"
    overridden = bool(last.override) and last.after is Stage.SCALED
    if standing.stage is Stage.SCALED and verdict is not VerdictLevel.SUPPORTED and not overridden:
        said = "there is no verdict" if verdict is None else f"the verdict is {verdict.label}"
        return Stage.PILOT, said
    return None


def _told(check: SafetyCheck) -> str:
    return f"{check.name}: {check.detail}"

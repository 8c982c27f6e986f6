"""Promote a strategy from paper to a pilot and further, and demote it when it is due."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tidewright.app.feeds.bars import BarFeed
from tidewright.app.freeze import frozen_parts
from tidewright.app.paper_gate import read_paper_run
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.app.trials import family_of, open_trials
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass
from tidewright.domain.money import from_decimal, to_decimal
from tidewright.research.judging.evidence import Evidence, Outcome
from tidewright.research.judging.freeze import Frozen, digest_of, freezes, latest_forward
from tidewright.research.judging.trials import TrialStore
from tidewright.research.judging.verdict import Verdict, VerdictLevel
from tidewright.research.promotion.ladder import (
    Permission,
    SafetyCheck,
    Stage,
    Standing,
    Step,
    VerdictRecord,
    confirmation_text,
    due_demotion,
    loss_budget,
    may_pilot,
    may_scale,
    scaled_share,
)
from tidewright.research.promotion.paper_gate import (
    NamedCheck,
    PaperRecord,
    document_checks,
    examine_paper,
)
from tidewright.research.promotion.records import (
    latest_verdict,
    latest_walk_forward,
    record_step,
    record_verdict,
    standing_of,
    standings,
    stopped_for_good,
)
from tidewright.research.results import Float64
from tidewright.risk.breakers import PILOT_ALERT
from tidewright.risk.settings import OFF
from tidewright.storage.home import Home
from tidewright.storage.journal import SqliteJournal


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is to be promoted, as it would run.

    Parameters
    ----------
    strategy : LoadedStrategy
        The strategy.
    feed : BarFeed
        Its data: names the symbols and the timeframe.
    settings : Settings
        Limits, costs, account.
    equity : int
        Equity of the account, money units.
    paper_home : Path or None
        Home of its paper run.
    pilot_home : Path or None
        Home of its pilot.
    """

    strategy: LoadedStrategy
    feed: BarFeed
    settings: Settings
    equity: int
    paper_home: Path | None = None
    pilot_home: Path | None = None

    @property
    def name(self) -> str:
        """Name of the strategy."""
        return self.strategy.setup.strategy.name

    @property
    def family(self) -> str:
        """Its family of ideas."""
        return family_of((self.strategy,))

    @property
    def digest(self) -> str:
        """Digest of everything that a freeze of it fixes."""
        symbols = [one.id for one in self.feed.instruments]
        return digest_of(frozen_parts(self.strategy, self.settings, symbols, self.feed.timeframe))

    @property
    def budget(self) -> int:
        """What a pilot may lose, money units."""
        return loss_budget(self.equity)

    @property
    def confirmation(self) -> str:
        """What a person has to type before a pilot."""
        currency = self.settings.account.currency
        return confirmation_text(self.name, f"{to_decimal(self.budget):.2f} {currency}")


@dataclass(frozen=True, slots=True)
class Examined:
    """A candidate's standing and whether the next step may be taken.

    Parameters
    ----------
    candidate : Candidate
        The candidate.
    standing : Standing
        Where it stands.
    verdict : VerdictLevel or None
        On exactly this version.
    checks : tuple of SafetyCheck
        The safety checks of a pilot.
    pilot, scale : Permission
        Whether these steps may be taken.
    share : float
        Size when scaled, as a share of its own sizing.
    """

    candidate: Candidate
    standing: Standing
    verdict: VerdictLevel | None
    checks: tuple[SafetyCheck, ...]
    pilot: Permission
    scale: Permission
    share: float


def keep_verdict(
    strategy: LoadedStrategy,
    feed: BarFeed,
    settings: Settings,
    evidence: Evidence,
    verdict: Verdict,
) -> None:
    """Write a verdict down under exactly what was judged, so that promotion can read it.

    Raises
    ------
    ConfigError
        If the registry cannot be written.
    """
    symbols = [one.id for one in feed.instruments]
    digest = digest_of(frozen_parts(strategy, settings, symbols, feed.timeframe))
    record = VerdictRecord(
        strategy.setup.strategy.name,
        digest,
        verdict.level,
        evidence.p_value,
        evidence.excess,
        verdict.reasons,
    )
    with open_trials() as store:
        record_verdict(store, record, time.time_ns())


def examine(candidate: Candidate) -> Examined:
    """Return what may be done with a candidate, demoting it first where that is due.

    Raises
    ------
    ConfigError
        If the registry or the paper home cannot be used.
    """
    digest = candidate.digest
    with open_trials() as store:
        record = latest_verdict(store, digest)
        level = record.level if record is not None else None
        spent = candidate.pilot_home is not None and budget_spent(candidate.pilot_home)
        standing = demote_if_due(store, candidate.name, level, digest, spent=spent)
        frozen = next((one for one in freezes(store, candidate.name)[-1:]), None)
        checks = _safety_checks(candidate, frozen, store)
        stopped = stopped_for_good(store, candidate.family)
    share = _share(candidate, frozen, record)
    return Examined(
        candidate,
        standing,
        level,
        checks,
        may_pilot(level, checks, standing, stopped_before=stopped),
        may_scale(level, standing, share),
        share,
    )


def begin_pilot(examined: Examined, typed: str, override: str, actor: str) -> Step:
    """Begin a pilot with real money, and write it down.

    Parameters
    ----------
    examined : Examined
        The candidate.
    typed : str
        What the person typed; must be `Candidate.confirmation`.
    override : str
        Why checks that failed are set aside; empty for none.
    actor : str
        Who does it.

    Raises
    ------
    ConfigError
        If it is not allowed, or something else was typed.
    """
    candidate = examined.candidate
    _require(examined.pilot, override)
    if typed.strip() != candidate.confirmation:
        raise ConfigError(f"confirmation was {typed!r}; expected {candidate.confirmation!r}")
    step = Step(
        candidate.name,
        candidate.family,
        candidate.digest,
        examined.standing.stage,
        Stage.PILOT,
        actor,
        "typed confirmation",
        examined.verdict.label if examined.verdict is not None else "",
        budget=candidate.budget,
        confirmation=typed.strip(),
        override=_override(examined.pilot, override),
    )
    return _write(step)


def scale(examined: Examined, override: str, actor: str) -> Step:
    """Scale a pilot to the size that the lower end of what is plausible allows.

    Raises
    ------
    ConfigError
        If it is not allowed.
    """
    _require(examined.scale, override)
    candidate = examined.candidate
    step = Step(
        candidate.name,
        candidate.family,
        candidate.digest,
        examined.standing.stage,
        Stage.SCALED,
        actor,
        f"{100.0 * examined.share:.1f} % of its own sizing",
        examined.verdict.label if examined.verdict is not None else "",
        share_ppm=int(examined.share * 1_000_000),
        override=_override(examined.scale, override),
    )
    return _write(step)


def demote(name: str, reason: str, actor: str, *, spent: bool = False) -> Step:
    """Take a strategy back to paper, or stop its pilot for good.

    Parameters
    ----------
    name : str
        The strategy.
    reason, actor : str
        Why and by whom.
    spent : bool
        Whether its loss budget is spent, which ends its pilots for good.

    Raises
    ------
    ConfigError
        If it trades no real money.
    """
    with open_trials() as store:
        standing = standing_of(store, name)
    last = standing.last
    if last is None or standing.stage not in (Stage.PILOT, Stage.SCALED):
        raise ConfigError(
            f"{name} is at the stage {standing.stage.value}; expected a pilot or a scaled strategy"
        )
    after = Stage.STOPPED if spent else Stage.PAPER
    return _write(
        Step(name, last.family, last.digest, standing.stage, after, actor, reason, last.verdict)
    )


def budget_spent(home: Path) -> bool:
    """Return whether the trader of a home has ever spent a pilot's loss budget.

    Raises
    ------
    ConfigError
        If the folder is no home, or has no journal.
    """
    folder = Home.existing(home)
    if not folder.journal.is_file():
        raise ConfigError(f"{home} holds no journal; expected the home of a trader")
    mark = f'"{PILOT_ALERT}"'.encode()
    with SqliteJournal(folder.journal, read_only=True) as journal:
        return any(mark in (entry.outcome or b"") for entry in journal.entries(0))


def demote_if_due(
    store: TrialStore,
    name: str,
    verdict: VerdictLevel | None,
    digest: str,
    *,
    spent: bool = False,
) -> Standing:
    """Demote a strategy by itself where that is due; return where it stands then."""
    standing = standing_of(store, name)
    due = due_demotion(standing, verdict, digest=digest, spent=spent)
    last = standing.last
    if due is None or last is None:
        return standing
    after, reason = due
    label = verdict.label if verdict is not None else ""
    budget = last.budget if after is Stage.PILOT else 0
    step = Step(
        name,
        last.family,
        last.digest,
        standing.stage,
        after,
        "tidewright",
        reason,
        label,
        budget=budget,
    )
    record_step(store, step, time.time_ns())
    return standing_of(store, name)


def every_standing() -> list[Standing]:
    """Return where every strategy stands that was ever promoted."""
    from tidewright.app.trials import trials_path

    if not trials_path().is_file():
        return []
    with open_trials(read_only=True) as store:
        return standings(store)


def _safety_checks(
    candidate: Candidate, frozen: Frozen | None, store: TrialStore
) -> tuple[SafetyCheck, ...]:
    held = frozen is not None and frozen.digest == candidate.digest
    budget = candidate.settings.risk.pilot_loss_budget
    capped = budget != OFF and from_decimal(budget) <= candidate.budget
    most = f"{to_decimal(candidate.budget):.2f}"
    checks = [
        SafetyCheck(
            "Frozen",
            held,
            "frozen and unchanged" if held else "run tidewright freeze; nothing may change after",
            may_override=False,
        ),
        SafetyCheck(
            "Loss budget",
            capped,
            f"risk.pilot_loss_budget is {budget}; expected at most {most}, 1 % of the account",
            may_override=False,
        ),
    ]
    record = _paper_record(candidate)
    checks += _paper_checks(candidate, frozen, record, store)
    return tuple(checks)


def _paper_record(candidate: Candidate) -> PaperRecord | None:
    if candidate.paper_home is None:
        return None
    return read_paper_run(candidate.paper_home, candidate.feed)


def _paper_checks(
    candidate: Candidate, frozen: Frozen | None, record: PaperRecord | None, store: TrialStore
) -> list[SafetyCheck]:
    """Return the paper gate and, where they are switched on, the handbook gates."""
    named: list[NamedCheck] = []
    checks: list[SafetyCheck] = []
    if record is None:
        checks.append(SafetyCheck("Paper gate", False, "no paper run was named (--paper-home)"))
    else:
        forward = latest_forward(store, frozen.digest) if frozen is not None else None
        named += examine_paper(record, forward).checks
    always = all(one.asset_class is AssetClass.CRYPTO for one in candidate.feed.instruments)
    named += document_checks(
        candidate.settings.promotion,
        frozen.daily_profit if frozen is not None else np.empty(0),
        latest_walk_forward(store, candidate.digest),
        record.daily_profit if record is not None else np.empty(0),
        365 if always else 252,
    )
    return checks + [
        SafetyCheck(
            f"{one.name}{' (not made)' if one.check.outcome is Outcome.NOT_RUN else ''}",
            one.check.outcome is Outcome.PASSED,
            one.check.detail,
        )
        for one in named
    ]


def _share(candidate: Candidate, frozen: Frozen | None, record: VerdictRecord | None) -> float:
    if frozen is None or record is None or frozen.digest != candidate.digest:
        return 0.0
    always = all(one.asset_class is AssetClass.CRYPTO for one in candidate.feed.instruments)
    daily: Float64 = frozen.daily_profit
    return scaled_share(record.excess, float(daily.std(ddof=1) * np.sqrt(365 if always else 252)))


def _require(permission: Permission, override: str) -> None:
    if permission.granted(override):
        return
    lines = [*permission.refusals, *permission.overridable]
    hint = "" if permission.refusals else "; --override REASON sets this aside, on the record"
    raise ConfigError("not allowed: " + " ".join(_sentence(line) for line in lines) + hint)


def _override(permission: Permission, override: str) -> str:
    if not permission.overridable:
        return ""
    return f"{override.strip()} ({'; '.join(permission.overridable)})"


def _word(permission: Permission) -> str:
    if permission.refusals:
        return "no"
    return "only with --override REASON, on the record" if permission.overridable else "yes"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", ")")) else f"{text}."


def _write(step: Step) -> Step:
    with open_trials() as store:
        record_step(store, step, time.time_ns())
    return step


def told(examined: Examined) -> Sequence[str]:
    """Return lines that say where a candidate stands and what is missing."""
    standing = examined.standing
    label = examined.verdict.label if examined.verdict is not None else "none on this version"
    lines = [
        f"{examined.candidate.name}: stage {standing.stage.value}, verdict {label}",
        *(
            f"  {'passed ' if check.passed else 'missing'}  {check.name}: {check.detail}"
            for check in examined.checks
        ),
    ]
    if standing.stage is Stage.PAPER:
        lines.append(f"  A pilot may begin: {_word(examined.pilot)}")
        lines += [f"    {text}" for text in examined.pilot.refusals]
    elif standing.stage is Stage.PILOT:
        lines.append(f"  It may be scaled: {_word(examined.scale)}")
        lines += [f"    {text}" for text in (*examined.scale.refusals, *examined.scale.overridable)]
    lines += [f"  set aside: {text}" for text in standing.overrides]
    return lines

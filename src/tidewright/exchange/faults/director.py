"""Counts what comes, tells which rules fire, and remembers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidewright.exchange.faults.conditions import WIDER, Occurrence, Subject
from tidewright.exchange.faults.script import FaultScript, Rule

MOST_FIRINGS = 100_000
"""Firings that are remembered one by one; the counts by rule go on."""
_MOMENT = Occurrence(Subject.TIME, {})


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule fired.

    Parameters
    ----------
    number : int
        From 1, over all rules.
    time : int
        Venue's true time, nanoseconds UTC.
    rule : str
        Name of the rule.
    verbs : tuple of str
        What it did.
    what : str
        The occurrence, as text.
    count : int
        Number of the occurrence among those that fitted the rule.
    account : str
        Name of the account that it is about, empty for none.
    """

    number: int
    time: int
    rule: str
    verbs: tuple[str, ...]
    what: str
    count: int
    account: str = ""


class FaultDirector:
    """The state of a script that runs.

    Which rules fire depends on the seed, the script, and the occurrences with their times alone.

    Parameters
    ----------
    script : FaultScript
        The rules.
    seed : int
        What draws depend on.
    start : int
        Time from which ``after`` and ``until`` count, nanoseconds UTC.
    """

    def __init__(self, script: FaultScript, seed: int, start: int) -> None:
        self._rules = script.rules
        self._seed = seed
        self._start = start
        self._seen = [0] * len(script.rules)
        self._fired = [0] * len(script.rules)
        self._firings: list[Firing] = []
        self._total = 0
        self._last = start
        self._by_subject: dict[Subject, tuple[int, ...]] = {
            subject: tuple(
                place
                for place, rule in enumerate(script.rules)
                if rule.when.subject in (subject, WIDER.get(subject))
            )
            for subject in Subject
        }

    @property
    def firings(self) -> Sequence[Firing]:
        """The first `MOST_FIRINGS` firings, in order."""
        return tuple(self._firings)

    def since(self, number: int) -> Sequence[Firing]:
        """Return the remembered firings after one of them, 0 for all."""
        return self._firings[number:]

    @property
    def counts(self) -> dict[str, int]:
        """How often each rule has fired, in the order of the script."""
        return {rule.name: fired for rule, fired in zip(self._rules, self._fired, strict=True)}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of the script."""
        return self._rules

    def watches(self, subject: Subject) -> bool:
        """Return whether any rule is about a subject; if none is, nobody need be asked."""
        return bool(self._by_subject[subject])

    def meet(self, what: Occurrence, now: int) -> tuple[Rule, ...]:
        """Return the rules that fire at an occurrence, in the order of the script.

        Parameters
        ----------
        what : Occurrence
            Anything but time.
        now : int
            Nanoseconds UTC; one before an earlier one counts as that.
        """
        now = self._move(now)
        found = []
        for place in self._by_subject[what.subject]:
            rule = self._rules[place]
            if not rule.when.fits(what, now - self._start):
                continue
            self._seen[place] += 1
            if rule.when.fires(self._seen[place], self._fired[place], self._seed, rule.name):
                self._record(place, what, now)
                found.append(rule)
        return tuple(found)

    def due(self, now: int) -> tuple[Rule, ...]:
        """Return the rules about time that became due until now, earliest first."""
        now = self._move(now)
        found = []
        while (moment := self.next_due()) is not None and moment <= now:
            for place in self._by_subject[Subject.TIME]:
                if self._moment(place) != moment:
                    continue
                self._seen[place] += 1
                rule = self._rules[place]
                if rule.when.fires(self._seen[place], self._fired[place], self._seed, rule.name):
                    self._record(place, _MOMENT, moment)
                    found.append(rule)
        return tuple(found)

    def next_due(self) -> int | None:
        """Return when the next rule about time is due, or None."""
        moments = [self._moment(place) for place in self._by_subject[Subject.TIME]]
        return min((moment for moment in moments if moment is not None), default=None)

    def _moment(self, place: int) -> int | None:
        when, seen = self._rules[place].when, self._seen[place]
        if seen and not when.again:
            return None
        elapsed = when.after + seen * when.again
        ended = (when.until and elapsed >= when.until) or (
            when.times and self._fired[place] >= when.times
        )
        return None if ended else self._start + elapsed

    def _move(self, now: int) -> int:
        self._last = max(self._last, now)
        return self._last

    def _record(self, place: int, what: Occurrence, now: int) -> None:
        rule = self._rules[place]
        self._fired[place] += 1
        self._total += 1
        if len(self._firings) < MOST_FIRINGS:
            verbs = tuple(action.verb for action in rule.actions)
            self._firings.append(
                Firing(
                    self._total,
                    now,
                    rule.name,
                    verbs,
                    str(what),
                    self._seen[place],
                    what.fields.get("account", ""),
                )
            )

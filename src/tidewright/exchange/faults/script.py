"""A fault script: rules with their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tidewright.domain.errors import ConfigError
from tidewright.exchange.faults import actions
from tidewright.exchange.faults.actions import Action
from tidewright.exchange.faults.conditions import Subject, When

_REQUESTS = frozenset({Subject.REQUEST, Subject.QUERY})
_EVENTS = frozenset({Subject.EVENT, Subject.FILL})
_SOCKETS = frozenset({Subject.SOCKET, Subject.MESSAGE})
_PUSHED = _EVENTS | {Subject.MESSAGE}

SUBJECTS: Mapping[type[Action], frozenset[Subject]] = MappingProxyType(
    {
        actions.Delay: _REQUESTS | _PUSHED,
        actions.Drop: _REQUESTS | _PUSHED,
        actions.Reset: _REQUESTS | _SOCKETS,
        actions.Truncate: _REQUESTS,
        actions.Empty: _REQUESTS,
        actions.Html: _REQUESTS,
        actions.Error: _REQUESTS,
        actions.Ban: _REQUESTS,
        actions.Execute: _REQUESTS,
        actions.Hide: _REQUESTS,
        actions.Stale: _REQUESTS | {Subject.MESSAGE},
        actions.Duplicate: _PUSHED,
        actions.Reorder: _PUSHED,
        actions.Skip: frozenset({Subject.MESSAGE}),
        actions.Mute: frozenset(Subject),
        actions.Close: frozenset(Subject),
        actions.Clock: frozenset(Subject),
        actions.Filters: frozenset(Subject),
        actions.SetStatus: frozenset(Subject),
        actions.Restart: frozenset(Subject),
    }
)
"""What each action can happen to."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When something goes wrong, and what.

    Parameters
    ----------
    name : str
        What a person calls it, unique in its script.
    when : When
        Which occurrences it fires at.
    actions : tuple of Action
        What happens then, at most one of each verb and one ending of an answer.

    Raises
    ------
    ConfigError
        If an action cannot happen to such occurrences, comes twice or contradicts another.
    """

    name: str
    when: When
    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        if not self.actions:
            raise ConfigError(f"rule {self.name!r} did nothing; expected an action")
        subject = self.when.subject
        for action in self.actions:
            if subject not in SUBJECTS[type(action)]:
                fitting = ", ".join(sorted(SUBJECTS[type(action)]))
                raise ConfigError(f"{action.verb} was for a {subject}; expected one of {fitting}")
            needs_kind = isinstance(action, actions.Mute | actions.Close) and not action.sockets
            if needs_kind and subject not in _SOCKETS:
                raise ConfigError(
                    f"{action.verb} did not say which sockets; expected market, user, api or all"
                )
        verbs = [action.verb for action in self.actions]
        twice = {verb for verb in verbs if verbs.count(verb) > 1}
        if twice:
            raise ConfigError(f"{', '.join(sorted(twice))} came twice; expected each verb once")
        endings = [one.verb for one in self.actions if isinstance(one, actions.Ending)]
        if len(endings) > 1:
            raise ConfigError(f"was {' and '.join(endings)}; expected one way to end an answer")
        if actions.Execute(False) in self.actions and not any(
            isinstance(one, actions.MadeUp | actions.Restart) for one in self.actions
        ):
            raise ConfigError(
                "execute was false and left nothing to answer; expected drop, reset, empty, html, "
                "error, ban or restart with it"
            )


@dataclass(frozen=True, slots=True)
class FaultScript:
    """Rules, in the order in which they are asked.

    Raises
    ------
    ConfigError
        If two rules have one name.
    """

    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"two rules were named {name!r}; expected names of their own")

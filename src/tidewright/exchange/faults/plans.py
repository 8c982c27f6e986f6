"""What the rules that fired mean together, for an answer and for something that is pushed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tidewright.exchange.faults.actions import (
    Action,
    Ban,
    Close,
    Delay,
    Drop,
    Duplicate,
    Ending,
    Error,
    Execute,
    Hide,
    Mute,
    Reorder,
    Reset,
    Skip,
    SocketAction,
    Stale,
    VenueAction,
)
from tidewright.exchange.faults.script import Rule


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """What happens to a request and its answer.

    Parameters
    ----------
    executes : bool
        Whether the venue does what was asked.
    delay : int
        Nanoseconds that the answer waits.
    hide : int
        Nanoseconds for which the orders made are not found.
    ending : Ending or None
        How the answer ends instead of going out.
    sockets : tuple of SocketAction
        What happens to sockets, after the request was executed.
    venue : tuple of VenueAction
        What happens to the venue, before the request is looked at.
    """

    executes: bool = True
    delay: int = 0
    hide: int = 0
    ending: Ending | None = None
    sockets: tuple[SocketAction, ...] = ()
    venue: tuple[VenueAction, ...] = ()


PLAIN_ANSWER = AnswerPlan()
"""Nothing goes wrong."""


def plan_answer(rules: Iterable[Rule]) -> AnswerPlan:
    """Return what the rules that fired at a request mean together.

    Delays add up. The first rule that ends the answer decides how, and with that whether the
    request is executed.
    """
    plan, said = PLAIN_ANSWER, None
    for rule in rules:
        ending = next((one for one in rule.actions if isinstance(one, Ending)), None)
        stands = ending is None or plan.ending is None
        plan = replace(plan, ending=plan.ending or ending)
        for action in rule.actions:
            if isinstance(action, Execute) and stands and said is None:
                said = action.yes
            plan = _with(plan, action)
    return replace(plan, executes=_executes(plan.ending) if said is None else said)


def _with(plan: AnswerPlan, action: Action) -> AnswerPlan:
    """Return a plan with one more action that ends nothing."""
    match action:
        case Delay():
            return replace(plan, delay=plan.delay + action.time)
        case Hide():
            return replace(plan, hide=max(plan.hide, action.time))
        case Mute() | Close():
            return replace(plan, sockets=(*plan.sockets, action))
        case _ if isinstance(action, VenueAction):
            return replace(plan, venue=(*plan.venue, action))
    return plan


def _executes(ending: Ending | None) -> bool:
    """Return whether a request is executed when nothing was said about it."""
    if isinstance(ending, Error):
        return ending.executes
    return not isinstance(ending, Ban)


@dataclass(frozen=True, slots=True)
class PushPlan:
    """What happens to an event or message before it goes out.

    Parameters
    ----------
    copies : int
        How often it goes out.
    delay : int
        Nanoseconds that it, and all behind it, wait.
    behind : int
        How many later ones overtake it.
    skip : int
        How many, it and those of its stream behind it, are lost.
    stale : Stale or None
        Whether an older message takes its place.
    sockets : tuple of SocketAction
        What happens to sockets in its place.
    venue : tuple of VenueAction
        What happens to the venue.
    """

    copies: int = 1
    delay: int = 0
    behind: int = 0
    skip: int = 0
    stale: Stale | None = None
    sockets: tuple[SocketAction, ...] = ()
    venue: tuple[VenueAction, ...] = ()


PLAIN_PUSH = PushPlan()
"""Nothing goes wrong."""


def plan_push(rules: Iterable[Rule]) -> PushPlan:
    """Return what the rules that fired at an event, message, socket or moment mean together.

    Delays add up, the largest of other numbers stands, and a drop wins over a duplicate.
    """
    plan, dropped = PLAIN_PUSH, False
    for action in _actions(rules):
        match action:
            case Delay():
                plan = replace(plan, delay=plan.delay + action.time)
            case Drop():
                dropped = True
            case Duplicate():
                plan = replace(plan, copies=max(plan.copies, action.times))
            case Reorder():
                plan = replace(plan, behind=max(plan.behind, action.behind))
            case Skip():
                plan = replace(plan, skip=max(plan.skip, action.count))
            case Stale():
                plan = replace(plan, stale=plan.stale or action)
            case Mute() | Close() | Reset():
                plan = replace(plan, sockets=(*plan.sockets, action))
            case _ if isinstance(action, VenueAction):
                plan = replace(plan, venue=(*plan.venue, action))
    return replace(plan, copies=0) if dropped else plan


def _actions(rules: Iterable[Rule]) -> Iterable[Action]:
    return (action for rule in rules for action in rule.actions)

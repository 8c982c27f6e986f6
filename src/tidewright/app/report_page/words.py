"""What a report says in plain words; page and terminal share them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tidewright.research.report.values import Deflation, LossForecast, Outcome, Report

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEGATIVE = re.compile(r"(?<![\w.\N{EN DASH}-])-(?=\d)")
_MINUS = "\N{MINUS SIGN}"
_THIN = "\N{NO-BREAK SPACE}"
_COPIES = "patternless copies"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

MEANINGS: Mapping[str, str] = {
    "BROKEN": "Do not use these figures: something in this test is wrong.",
    "LOSES": "It does worse than holding the same thing to the same extent.",
    "CANNOT TELL YET": "There is not enough here to tell skill from luck.",
    "PROMISING": "Luck alone is an unlikely explanation, but nothing has confirmed it yet.",
    "SUPPORTED": "Luck alone is an unlikely explanation, and new days have confirmed it.",
}
"""Verdict -> what it means, in one sentence."""

TONES: Mapping[str, str] = {
    "BROKEN": "danger",
    "LOSES": "down",
    "CANNOT TELL YET": "warning",
    "PROMISING": "accent",
    "SUPPORTED": "up",
}
"""Verdict -> colour."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of a newcomer.

    Parameters
    ----------
    key : str
        ``"luck"``, ``"result"``, ``"loss"``, ``"time"`` or ``"next"``.
    question, answer : str
        In plain words; the answer is short.
    evidence : tuple of str
        Sentences below it.
    """

    key: str
    question: str
    answer: str
    evidence: tuple[str, ...]


def percent(value: float | None, digits: int = 1, *, signed: bool = True) -> str:
    """Return a share as a percentage with a sign; a dash for what is unknown."""
    if value is None:
        return "\N{EN DASH}"
    text = f"{abs(100.0 * value):,.{digits}f}"
    sign = "" if not float(text.replace(",", "")) else _MINUS if value < 0 else "+" * signed
    return f"{sign}{text}{_THIN}%"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number; a dash for what is unknown."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.{digits}f}".replace("-", _MINUS)


def typeset(text: str) -> str:
    """Return a sentence with true minus signs before its numbers."""
    return _NEGATIVE.sub(_MINUS, text.replace("-+", "\N{PLUS-MINUS SIGN}"))


def date(day: int) -> str:
    """Return a day since 1970-01-01 as 3 Jan 2022."""
    found = _EPOCH + timedelta(days=day)
    return f"{found.day} {MONTHS[found.month - 1]} {found.year}"


def span(report: Report) -> str:
    """Return the examined time."""
    subject = report.subject
    return f"{date(subject.first_day)} to {date(subject.last_day)}"


def path_taken(report: Report) -> str:
    """Return a sentence on which engine ran it, where that was not the compiled loop."""
    reason = report.subject.bar_by_bar
    return f"Run bar by bar on the event path: {reason}." if reason else ""


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def first_screen(report: Report) -> tuple[Answer, ...]:
    """Return the questions that a newcomer has, answered without jargon."""
    return (
        _luck(report),
        _result(report.outcome, imported=report.noise is None and report.data is None),
        _loss(report.losses),
        _time(report),
        Answer(
            "next",
            "What can I do now?",
            report.ruling.allowed[0] if report.ruling.allowed else "Nothing",
            report.ruling.allowed[1:],
        ),
    )


def _luck(report: Report) -> Answer:
    question = "Is it luck?"
    outcome, noise, deflation = report.outcome, report.noise, report.deflation
    gain = outcome.excess_year if outcome.excess_year is not None else outcome.net
    if noise is not None:
        searched = "search" if report.subject.configurations > 1 else "rule"
        evidence = [
            f"The same {searched} on {plural(noise.copies, 'patternless copy', _COPIES)} of this "
            f"market found something as good in {noise.as_good} of them."
        ]
        if noise.stopped_early:
            evidence.append("Further copies could not have changed the answer.")
        return Answer("luck", question, _luck_word(noise.p_value, gain), tuple(evidence))
    if deflation is not None:
        tries = "one try" if deflation.tries == 1 else f"the best of {deflation.tries:,} tries"
        evidence = [
            f"Pure chance gives a result as good as this in {100 * deflation.p_value:.0f} of 100 "
            f"cases, counted as {tries}.",
            _why_counted(deflation),
        ]
        return Answer("luck", question, _luck_word(deflation.p_value, gain), tuple(evidence))
    return Answer("luck", question, "Not examined", ("There were too few days.",))


def _why_counted(deflation: Deflation) -> str:
    if deflation.reason:
        return f"No patternless copies were searched: {deflation.reason}."
    return "It cannot be run again here, so this rests on the number of tries that was declared."


def _luck_word(p_value: float, gain: float) -> str:
    if gain <= 0:
        return "There is no gain to explain"
    if p_value > 0.2:
        return "It may well be"
    return "Perhaps" if p_value > 0.05 else "Unlikely"


def _result(outcome: Outcome, *, imported: bool) -> Answer:
    about = f"over {number(outcome.years, 1)} years" if outcome.years >= 1 else "in that time"
    evidence = [f"What it made {about}, after all costs."]
    if outcome.matched is not None and outcome.exposure is not None:
        answer = f"{percent(outcome.net)} against {percent(outcome.matched)}"
        evidence = [
            f"After all costs, {about}, against holding the same thing to the same extent: on "
            f"average {percent(outcome.exposure, signed=False)} of the money was in the market."
        ]
    else:
        answer = percent(outcome.net)
        if imported:
            evidence.append("The file holds no market to compare with.")
    if outcome.held is not None:
        evidence.append(f"Holding it with all the money, all the time: {percent(outcome.held)}.")
    if outcome.stopped_day is not None:
        without = ""
        if outcome.unstopped is not None:
            without = f" Without that limit: {percent(outcome.unstopped)}."
        evidence.append(f"Its loss limit ended trading on {date(outcome.stopped_day)}.{without}")
    return Answer("result", "Did it beat holding?", answer, tuple(evidence))


def _loss(losses: LossForecast | None) -> Answer:
    question = "What can I lose?"
    if losses is None:
        return Answer("loss", question, "Not known", ("There were too few days to say.",))
    evidence = [
        "The fall from the highest point to expect within a year; one year in twenty is worse.",
        f"Seen so far: {percent(-losses.seen)}. A usual year: {percent(-losses.typical)}.",
    ]
    if losses.gap is not None:
        evidence.append(
            f"If prices fell by 20{_THIN}% overnight while it held most: {percent(-losses.gap)}."
        )
    return Answer("loss", question, percent(-losses.worst), tuple(evidence))


def _time(report: Report) -> Answer:
    question = "When will we know?"
    months, word = report.ruling.months_to_know, report.ruling.word
    if word == "BROKEN":
        return Answer("time", question, "Not before it is mended", ())
    if months is not None and months <= 0:
        return Answer("time", question, "Now", ("More days would hardly change the verdict.",))
    if months is None and word == "PROMISING":
        return Answer(
            "time",
            question,
            "Not by waiting alone",
            ("What is missing is named above: freeze it, and pass every check.",),
        )
    if months is None:
        return Answer(
            "time", question, "Not at this rate", ("The effect is too small to tell from chance.",)
        )
    if months > 240:
        years = f"More than {int(min(months / 12, 999))} years"
        return Answer("time", question, years, ("At this rate, that is: never.",))
    return Answer(
        "time",
        question,
        f"About {plural(max(1, round(months)), 'month')} more",
        ("At this rate, with as many trades a month as so far.",),
    )

"""Read a fault script from YAML; every error names the line, what came and what was expected."""

from __future__ import annotations

from pathlib import Path

from tidewright.domain.errors import ConfigError
from tidewright.exchange.faults import FaultScript, Rule, When
from tidewright.exchange.faults.conditions import FIELDS, SOCKETS, Subject
from tidewright.servers.venue.faults.lengths import length_of_time, share
from tidewright.servers.venue.faults.verbs import read_actions
from tidewright.strategy.document import Value, read_document

_COUNTS = ("nth", "every", "times")
_SPANS = ("after", "until")
_SUBJECTS = tuple(str(one) for one in Subject)
_MOST = 1_000_000_000
_CHOICES = {
    "over": ("rest", "api"),
    "method": ("GET", "POST", "PUT", "DELETE"),
    "side": ("BUY", "SELL"),
    "sockets": SOCKETS,
}


def read_script(path: Path) -> FaultScript:
    """Return the script of a file.

    Raises
    ------
    ConfigError
        If the file cannot be read, or is no fault script.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"fault script {path} cannot be read: {error}") from error
    return parse_script(text, path.name)


def parse_script(text: str, source: str = "fault script") -> FaultScript:
    """Return the script that a YAML text describes.

    Parameters
    ----------
    text : str
        A mapping with the one key ``rules``.
    source : str
        Name of the text, for messages.

    Raises
    ------
    ConfigError
        If it is no fault script; the message names the line.
    """
    root = read_document(text, source)
    rules = root.fields(("rules",), ("rules",))["rules"]
    found: list[Rule] = []
    for place, item in enumerate(rules.items(), 1):
        rule = _read_rule(item, f"rule {place}")
        if any(rule.name == earlier.name for earlier in found):
            raise item.error(f"name {rule.name!r} was used before; expected one of its own")
        found.append(rule)
    return FaultScript(tuple(found))


def _read_rule(value: Value, name: str) -> Rule:
    fields = value.fields(("name", "when", "do"), ("when", "do"))
    if "name" in fields:
        name = fields["name"].text()
    when = _read_when(fields["when"])
    actions = read_actions(fields["do"])
    try:
        return Rule(name, when, actions)
    except ConfigError as error:
        raise fields["do"].error(str(error)) from error


def _read_when(value: Value) -> When:
    known = (*_SUBJECTS, *_COUNTS, *_SPANS, "again", "probability")
    fields = value.fields(known)
    subjects = [name for name in fields if name in _SUBJECTS]
    if len(subjects) != 1:
        raise value.error(
            f"was about {' and '.join(subjects) or 'nothing'}; "
            f"expected one of {', '.join(_SUBJECTS)}"
        )
    subject = Subject(subjects[0])
    about = fields.pop(subject)
    spans = {name: length_of_time(fields[name]) for name in _SPANS if name in fields}
    if subject is Subject.TIME:
        if "after" in fields:
            raise fields["after"].error("was given with time; expected the moment there alone")
        spans["after"] = length_of_time(about)
    again = _again(fields, subject)
    if "until" in spans and spans["until"] <= spans.get("after", 0):
        raise fields["until"].error("ended before it began; expected a later time")
    return When(
        subject,
        () if subject is Subject.TIME else _read_patterns(about, subject),
        nth=_read_nth(fields["nth"]) if "nth" in fields else (),
        every=fields["every"].integer(1, _MOST) if "every" in fields else 0,
        times=fields["times"].integer(1, _MOST) if "times" in fields else 0,
        after=spans.get("after", 0),
        until=spans.get("until", 0),
        again=again,
        chance_ppm=share(fields["probability"]) if "probability" in fields else 1_000_000,
    )


def _again(fields: dict[str, Value], subject: Subject) -> int:
    if "again" not in fields:
        return 0
    again = length_of_time(fields["again"])
    if subject is not Subject.TIME or not again:
        raise fields["again"].error(f"was for {subject}; expected a length above 0, with time")
    return again


def _read_nth(value: Value) -> tuple[int, ...]:
    if value.is_list:
        return tuple(item.integer(1, _MOST) for item in value.items())
    return (value.integer(1, _MOST),)


def _read_patterns(value: Value, subject: Subject) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if value.is_empty:
        return ()
    found = []
    for name, field in value.fields(FIELDS[subject]).items():
        items = field.items() if field.is_list else [field]
        if not items:
            raise field.error("was an empty list; expected a pattern")
        found.append((name, tuple(_read_pattern(name, item) for item in items)))
    return tuple(found)


def _read_pattern(name: str, value: Value) -> str:
    text = value.text()
    known = _CHOICES.get(name)
    if known is None or any(mark in text for mark in "*?["):
        return text
    return value.choice(known)

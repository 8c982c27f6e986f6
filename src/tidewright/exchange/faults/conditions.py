"""What comes to a venue, and whether a rule is about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import blake2b
from types import MappingProxyType

_MILLION = 1_000_000


class Subject(StrEnum):
    """What a rule can be about."""

    REQUEST = "request"
    QUERY = "query"
    EVENT = "event"
    FILL = "fill"
    SOCKET = "socket"
    MESSAGE = "message"
    TIME = "time"


_REQUEST = ("over", "method", "path", "symbol", "side", "type", "account", "client_id")
_EVENT = ("event", "execution", "symbol", "side", "type", "account", "client_id")
_SOCKET = ("sockets", "account")
_MESSAGE = ("sockets", "stream", "symbol", "account")

FIELDS: Mapping[Subject, tuple[str, ...]] = MappingProxyType(
    {
        Subject.REQUEST: _REQUEST,
        Subject.QUERY: _REQUEST,
        Subject.EVENT: _EVENT,
        Subject.FILL: _EVENT[2:],
        Subject.SOCKET: _SOCKET,
        Subject.MESSAGE: _MESSAGE,
        Subject.TIME: (),
    }
)
"""Fields that conditions on a subject may name."""

SOCKETS = ("market", "user", "api")
"""Kinds of sockets: market streams, those with a user subscription, and other API connections."""

WIDER: Mapping[Subject, Subject] = MappingProxyType(
    {Subject.QUERY: Subject.REQUEST, Subject.FILL: Subject.EVENT}
)
"""A query is a request too, and a fill an event: rules about the wider subject see them."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that came, or is about to go out.

    Parameters
    ----------
    subject : Subject
        What it is; the narrower one where two fit.
    fields : mapping of str to str
        Its fields by the names in `FIELDS`; absent ones are empty.
    """

    subject: Subject
    fields: Mapping[str, str]

    def __str__(self) -> str:
        shown = " ".join(f"{name}={value}" for name, value in self.fields.items() if value)
        return f"{self.subject} {shown}".rstrip()


@dataclass(frozen=True, slots=True)
class When:
    """Which occurrences a rule fires at.

    An occurrence is counted when its subject, fields and time fit; the count begins at 1 and
    ``nth``, ``every`` and the draw look at it.

    Parameters
    ----------
    subject : Subject
        What it is about.
    patterns : tuple of (str, tuple of str)
        Field and the patterns of which one must fit, with ``*`` and ``?`` as in file names.
    nth : tuple of int
        Counts at which it fires; empty is all.
    every : int
        Fires at each count divisible by it; 0 is off.
    times : int
        Most firings; 0 is any number.
    after, until : int
        Nanoseconds since the venue's start, from and before which it counts; ``until`` 0 is for
        ever. About time itself, ``after`` is the moment.
    again : int
        About time: nanoseconds from one firing to the next; 0 is once.
    chance_ppm : int
        Probability in millionths, drawn by a hash of seed, rule and count.
    """

    subject: Subject
    patterns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    nth: tuple[int, ...] = ()
    every: int = 0
    times: int = 0
    after: int = 0
    until: int = 0
    again: int = 0
    chance_ppm: int = _MILLION

    def fits(self, what: Occurrence, elapsed: int) -> bool:
        """Return whether an occurrence counts, so long after the start."""
        if elapsed < self.after or (self.until and elapsed >= self.until):
            return False
        if self.subject not in (what.subject, WIDER.get(what.subject)):
            return False
        return all(
            any(fnmatchcase(what.fields.get(field, ""), pattern) for pattern in patterns)
            for field, patterns in self.patterns
        )

    def fires(self, count: int, fired: int, seed: int, rule: str) -> bool:
        """Return whether the count-th occurrence fires.

        Parameters
        ----------
        count : int
            Number of the occurrence among those that fitted, from 1.
        fired : int
            How often the rule has fired before.
        seed, rule : int and str
            What the draw depends on beside the count.
        """
        if self.times and fired >= self.times:
            return False
        if self.nth and count not in self.nth:
            return False
        if self.every and count % self.every:
            return False
        return self.chance_ppm >= _MILLION or draw(seed, rule, count) < self.chance_ppm


def draw(seed: int, rule: str, count: int) -> int:
    """Return a number in [0, 1000000) that depends on the arguments alone."""
    digest = blake2b(f"{seed} {count} {rule}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % _MILLION

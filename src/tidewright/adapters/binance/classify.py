"""What an answer of the venue means for the request that it came to.

Pure: from what was asked and what came back - an answer, or the failure to get one - to the value
that was asked for, or to an error of ``domain.errors``, named by what the caller must do.

A command (an order, a cancel) is only called refused when the venue documents that such an answer
comes before anything was executed. Everything else that is no readable success is `UnknownOutcome`:
the venue is asked for the client order id, and the command is never sent again. A question has no
effect, so whatever goes wrong with one is at worst `Transient`.

The table `RULES` is read from the top; the first row that fits a refusal decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

import orjson

from tidewright.adapters.binance.fields import UnreadableAnswer
from tidewright.domain.errors import (
    ConfigError,
    DataIntegrityError,
    RateLimited,
    Rejected,
    TidewrightError,
    Transient,
    UnknownOutcome,
)

T = TypeVar("T")

DEFAULT_PAUSES = {429: 60.0, 418: 120.0, 403: 60.0}
"""Seconds to wait where the answer names none: a window of weight, the shortest ban, a guess."""

_LONGEST_PAUSE = 4 * 86_400.0
_TOO_MANY_ORDERS = -1015


class Purpose(Enum):
    """What a request does at the venue."""

    QUESTION = auto()
    ORDER = auto()
    CANCEL = auto()

    @property
    def is_command(self) -> bool:
        """Whether it may change anything."""
        return self is not Purpose.QUESTION


@dataclass(frozen=True, slots=True)
class Asked(Generic[T]):
    """A request, as far as its answer's meaning depends on it.

    Parameters
    ----------
    name : str
        What it is called in messages, such as ``"POST /api/v3/order"``.
    purpose : Purpose
        What it does.
    read : callable
        Reads the JSON of a success; raises `UnreadableAnswer` or `DataIntegrityError`.
    """

    name: str
    purpose: Purpose
    read: Callable[[object], T]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that came whole as HTTP, whatever is in it.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        As sent, after transfer and content coding.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """No whole answer came.

    Parameters
    ----------
    detail : str
        What went wrong.
    may_have_left : bool
        Whether any byte of the request may have left; False only when no connection was made.
    """

    detail: str
    may_have_left: bool


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """A definite success.

    Parameters
    ----------
    value : object
        What was asked for.
    """

    value: T


class ClockRefused(Transient):
    """The venue refused a request unexecuted because of its time; measure its clock anew."""


class OrdersLimited(RateLimited):
    """The venue takes no new orders for a while; questions and cancels go on."""


class Meaning(Enum):
    """What a documented refusal says."""

    UNKNOWN = auto()
    LIMITED = auto()
    CLOCK = auto()
    KEY = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Parameters
    ----------
    meaning : Meaning
        What it says.
    code : int or None
        The venue's code; None fits every one, also an answer without a code.
    status : range or None
        HTTP status; None fits every one.
    text : str
        What the message contains; empty fits every one.
    """

    meaning: Meaning
    code: int | None = None
    status: range | None = None
    text: str = ""

    def fits(self, status: int, code: int | None, text: str) -> bool:
        """Return whether an answer is what this row is about."""
        return (
            (self.code is None or self.code == code)
            and (self.status is None or status in self.status)
            and self.text in text
        )


_SERVER = range(500, 600)
_SENDER = range(400, 500)

RULES = (
    # Limits count before anything is executed, whatever the body is.
    Rule(Meaning.LIMITED, status=range(429, 430)),
    Rule(Meaning.LIMITED, status=range(418, 419)),
    # "Do not treat this as a failure": any status from 500, with any code, -1008 included.
    Rule(Meaning.UNKNOWN, status=_SERVER),
    # Whatever the status, these say that nobody knows.
    Rule(Meaning.UNKNOWN, -1000),  # An unknown error occurred
    Rule(Meaning.UNKNOWN, -1001),  # Internal error; unable to process your request
    Rule(Meaning.UNKNOWN, -1006),  # An unexpected response ... Execution status unknown
    Rule(Meaning.UNKNOWN, -1007),  # Timeout ... Send status unknown; execution status unknown
    Rule(Meaning.UNKNOWN, -1008),  # Server is currently overloaded
    Rule(Meaning.UNKNOWN, -1016),  # This service is no longer available
    # One part of a cancel-replace came true.
    Rule(Meaning.UNKNOWN, -2021),
    Rule(Meaning.UNKNOWN, status=range(409, 410)),
    # The first one arrived.
    Rule(Meaning.UNKNOWN, -2010, text="Duplicate"),
    # Refused at the door.
    Rule(Meaning.LIMITED, -1003, _SENDER),
    Rule(Meaning.LIMITED, -1015, _SENDER),
    Rule(Meaning.CLOCK, -1021, _SENDER),
    Rule(Meaning.KEY, -1002, _SENDER),
    Rule(Meaning.KEY, -1022, _SENDER),
    Rule(Meaning.KEY, -2014, _SENDER),
    Rule(Meaning.KEY, -2015, _SENDER),
    # Checked and refused before or by the matching engine.
    Rule(Meaning.REFUSED, -1013, _SENDER),  # Filter failure: ...
    Rule(Meaning.REFUSED, -1014, _SENDER),  # Unsupported order combination
    *(Rule(Meaning.REFUSED, code, _SENDER) for code in range(-1151, -1099)),  # the form of it
    Rule(Meaning.REFUSED, -2010, _SENDER),  # no balance, market closed, would match at once ...
    Rule(Meaning.REFUSED, -2011, _SENDER),  # Unknown order sent
    Rule(Meaning.REFUSED, -2013, _SENDER),  # Order does not exist
    Rule(Meaning.REFUSED, -2016, _SENDER),  # No trading window could be found
    Rule(Meaning.REFUSED, -2022, _SENDER),  # Order cancel-replace failed, both parts
    Rule(Meaning.REFUSED, -2026, _SENDER),  # Order was canceled or expired long ago; archived
    Rule(Meaning.REFUSED, -2039, _SENDER),  # Client order ID is not correct for this order ID
    # No row: nobody documented what it means.
    Rule(Meaning.UNKNOWN),
)
"""Refusals and what they say, read from the top."""


def classify(asked: Asked[T], came: HttpAnswer | TransportFailure) -> Answered[T] | TidewrightError:
    """Return what came of a request.

    Parameters
    ----------
    asked : Asked
        The request.
    came : HttpAnswer or TransportFailure
        What came back.

    Returns
    -------
    Answered or TidewrightError
        The value, or an error to raise: `ConfigError` (keys or place are wrong), `Transient`
        (nothing happened), `RateLimited`, `Rejected` with the venue's code, `UnknownOutcome`
        (commands alone) or `DataIntegrityError` (questions alone: the answer contradicts itself).
    """
    if isinstance(came, TransportFailure):
        said = f"{asked.name} got no answer: {came.detail}"
        return _doubt(asked, said) if came.may_have_left else Transient(said)
    if came.status == 200:
        return _success(asked, came)
    return _refusal(asked, came)


def meaning_of(status: int, code: int | None, text: str) -> Meaning:
    """Return what a refusal says, by the first row of the table that fits."""
    return next(rule.meaning for rule in RULES if rule.fits(status, code, text))


def _success(asked: Asked[T], came: HttpAnswer) -> Answered[T] | TidewrightError:
    try:
        return Answered(asked.read(orjson.loads(came.body)))
    except (orjson.JSONDecodeError, UnreadableAnswer) as error:
        return _doubt(asked, f"{asked.name} answered 200 with {_shown(came.body)}: {error}")
    except DataIntegrityError as error:
        return _doubt(asked, str(error)) if asked.purpose.is_command else error


def _refusal(asked: Asked[T], came: HttpAnswer) -> TidewrightError:
    code, text = _code(came.body)
    said = f"{asked.name} answered {came.status}: {text if code else _shown(came.body)}"
    meaning = meaning_of(came.status, code, text)
    if meaning is Meaning.LIMITED:
        limited = OrdersLimited if code == _TOO_MANY_ORDERS else RateLimited
        return limited(said, _pause(came))
    if meaning is Meaning.CLOCK:
        return ClockRefused(said)
    if meaning is Meaning.KEY:
        return ConfigError(f"{said}; check the API key, its permissions and its addresses")
    if meaning is Meaning.REFUSED:
        return Rejected(said, str(code))
    if asked.purpose.is_command:
        return UnknownOutcome(said)
    return _unanswered(came, said)


def _unanswered(came: HttpAnswer, said: str) -> TidewrightError:
    """Return why a question was not answered, where no documented code says it."""
    if came.status == 403:
        return RateLimited(said, _pause(came))
    if came.status in (401, 451):
        return ConfigError(f"{said}; the venue does not serve this key or place")
    return Transient(said)


def _doubt(asked: Asked[T], said: str) -> TidewrightError:
    return UnknownOutcome(said) if asked.purpose.is_command else Transient(said)


def _code(body: bytes) -> tuple[int | None, str]:
    """Return code and message of a body in the form of the venue's errors."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None, ""
    if not isinstance(value, dict):
        return None, ""
    code, text = value.get("code"), value.get("msg")
    if type(code) is not int or code >= 0 or not isinstance(text, str):
        return None, ""
    return code, text


def _pause(came: HttpAnswer) -> float:
    told = came.headers.get("retry-after", "")
    if told.isascii() and told.isdigit():
        return min(float(told), _LONGEST_PAUSE)
    return DEFAULT_PAUSES.get(came.status, 60.0)


def _shown(body: bytes) -> str:
    return f"{len(body)} bytes {body[:60]!r}"

"""What becomes of an answer to a request over HTTP."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace

import orjson

from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.exchange.faults.actions import (
    Ban,
    Drop,
    Empty,
    Ending,
    Error,
    Html,
    Reset,
    Stale,
    Truncate,
)
from tidewright.exchange.faults.plans import AnswerPlan
from tidewright.servers.venue import errors
from tidewright.servers.venue.wire import Delivery, Reply

PAGE = (
    b"<html>\r\n<head><title>Request could not be satisfied</title></head>\r\n"
    b"<body>\r\n<center><h1>Request could not be satisfied</h1></center>\r\n</body>\r\n</html>\r\n"
)
"""A page as proxies send it."""

_MOST_REMEMBERED = 64
_MOST_QUESTIONS = 256


def deliver(delivery: Delivery, plan: AnswerPlan, now: int) -> Delivery:
    """Return what becomes of an answer.

    Parameters
    ----------
    delivery : Delivery
        The venue's own.
    plan : AnswerPlan
        What happens to it.
    now : int
        The time told to clients, nanoseconds UTC.
    """
    delayed = replace(delivery, delay=delivery.delay + plan.delay / SECOND)
    ending, reply = plan.ending, delivery.reply
    if ending is None or isinstance(ending, Stale):
        return delayed
    if isinstance(ending, Drop):
        return replace(delayed, reply=None)
    if isinstance(ending, Reset):
        return replace(delayed, reset=True)
    if isinstance(ending, Truncate):
        return _cut(delayed, ending)
    return replace(delayed, reply=made_up(ending, now, reply.headers if reply else ()))


def made_up(ending: Ending, now: int, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Return an answer that the venue did not give.

    Parameters
    ----------
    ending : Ending
        Empty, Html, Error or Ban.
    now : int
        The time told to clients, nanoseconds UTC.
    headers : tuple of (str, str)
        Headers of the venue's own answer; a made-up success keeps them.
    """
    if isinstance(ending, Empty):
        return Reply(200, b"", headers)
    if isinstance(ending, Html):
        return Reply(ending.status, PAGE, (), "text/html")
    if isinstance(ending, Ban):
        return banned(ending.status, now + ending.time, now)
    if isinstance(ending, Error) and ending.code:
        return Reply(ending.status, orjson.dumps(_body(ending)), headers)
    return Reply(ending.status if isinstance(ending, Error) else 200)


def _body(error: Error) -> dict[str, object]:
    return errors.ApiError(error.code, error.message, error.status).body


def banned(status: int, until: int, now: int) -> Reply:
    """Return the answer to an address that is banned until a time, both as told to clients."""
    refusal = ban_of(status, until, now)
    return Reply(
        refusal.status,
        orjson.dumps(refusal.body),
        (("Retry-After", str(refusal.retry_after)),),
    )


def ban_of(status: int, until: int, now: int) -> errors.ApiError:
    """Return a ban until a time, or with status 429 the warning before it."""
    seconds = max(1, -(-(until - now) // SECOND))
    if status == errors.TOO_MANY:
        return errors.too_much_weight(6_000, "1 MINUTE", seconds)
    return errors.banned(until // MILLISECOND, seconds)


def _cut(delivery: Delivery, ending: Truncate) -> Delivery:
    reply = delivery.reply
    if reply is None:
        return delivery
    if ending.body:
        body = reply.body[: ending.left(len(reply.body))]
        return replace(delivery, reply=replace(reply, body=body))
    return replace(delivery, cut=ending.left(len(reply.encode(keep=True))))


class Memory:
    """Answers and messages that went out before, by what they answered or belonged to."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], deque[tuple[int, bytes]]] = OrderedDict()

    def keep(self, about: tuple[str, ...], body: bytes, now: int) -> None:
        """Remember one."""
        found = self._kept.setdefault(about, deque(maxlen=_MOST_REMEMBERED))
        found.append((now, body))
        self._kept.move_to_end(about)
        if len(self._kept) > _MOST_QUESTIONS:
            self._kept.popitem(last=False)

    def older(self, about: tuple[str, ...], age: int, now: int) -> bytes | None:
        """Return the newest that is as old, else the oldest there is, else None."""
        found = self._kept.get(about)
        if not found:
            return None
        old = [body for time, body in found if now - time >= age]
        return old[-1] if old else found[0][1]

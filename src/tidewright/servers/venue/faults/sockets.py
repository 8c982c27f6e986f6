"""What becomes of the messages of one WebSocket, and of what is asked on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol
from urllib.parse import parse_qsl

import orjson

from tidewright.domain.time import MILLISECOND
from tidewright.exchange.faults import FaultDirector, Occurrence, Subject
from tidewright.exchange.faults.actions import (
    Ban,
    Close,
    Drop,
    Empty,
    Error,
    Html,
    Mute,
    Reset,
    Restart,
    SocketAction,
    Stale,
    Truncate,
)
from tidewright.exchange.faults.lines import Line
from tidewright.exchange.faults.plans import (
    PLAIN_ANSWER,
    PLAIN_PUSH,
    AnswerPlan,
    PushPlan,
    plan_answer,
    plan_push,
)
from tidewright.servers.venue import errors
from tidewright.servers.venue.clock import Alarm, Clock
from tidewright.servers.venue.faults.answers import PAGE, Memory, ban_of
from tidewright.servers.venue.faults.hidden import HiddenOrders
from tidewright.servers.venue.faults.pushed import message, stream_of, user_event
from tidewright.servers.venue.faults.questions import Question, as_id, read_call
from tidewright.servers.venue.wire import Request, Socket

_SECOND = 1e9
_GONE = 1006

Document = dict[str, object]
"""A JSON object."""


class Venue(Protocol):
    """What a socket needs of the venue that it belongs to."""

    director: FaultDirector
    hidden: HiddenOrders
    memory: Memory
    remembers: bool
    name_of: Callable[[str], str]

    @property
    def told_now(self) -> int:
        """The time that clients are told, nanoseconds UTC."""

    def look(self) -> int:
        """Do what has become due, and return the true time."""

    def ban_of(self, peer: str, now: int) -> tuple[int, int] | None:
        """Return until when an address is banned and with which status."""

    def before(self, plan: AnswerPlan, peer: str, now: int) -> None:
        """Do what a plan wants done before its request is looked at."""

    def after(self, plan: AnswerPlan) -> None:
        """Do what a plan wants done after its request was executed."""

    def act_by(self, plan: PushPlan) -> None:
        """Do what a plan about one socket wants done to everything else."""

    def forget(self, socket: FaultySocket) -> None:
        """Take that a socket is no more."""


def is_own(action: SocketAction) -> bool:
    """Return whether an action is about the socket of its occurrence."""
    return isinstance(action, Reset) or not action.sockets


class FaultySocket:
    """Stands at the gate of a socket.

    Parameters
    ----------
    socket : Socket
        The socket, whose callbacks its owner has set.
    venue : Venue
        Where its messages and calls meet the script.
    clock : Clock
        The true time.
    """

    def __init__(self, socket: Socket, venue: Venue, clock: Clock) -> None:
        self._socket = socket
        self._venue = venue
        self._clock = clock
        self._kind = "api" if socket.request.path.startswith("/ws-api") else "market"
        self._only = _only_stream(socket.request)
        self._account = ""
        self._muted_until: int | None = 0
        self._line: Line[bytes] = Line()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._alarm: Alarm | None = None
        self._asked: dict[str, deque[tuple[Question, AnswerPlan]]] = {}
        self._open, self._close = socket.on_open, socket.on_close
        self._text = socket.on_text
        socket.gate = self._pass
        socket.on_open = self._begin
        socket.on_close = self._end
        if self._kind == "api":
            socket.on_text = self._take

    def suffer(self, action: SocketAction) -> None:
        """Do what an action does to this socket, if it is about it."""
        if not is_own(action) and getattr(action, "sockets", "") not in (self._kind, "all"):
            return
        match action:
            case Mute(time=0):
                self._muted_until = None
            case Mute():
                if self._muted_until is not None:
                    self._muted_until = max(self._muted_until, self._clock.now() + action.time)
            case Close(code=code) if code == _GONE:
                self._socket.abort()
            case Close():
                self._socket.close(action.code)
            case Reset():
                self._socket.reset()

    def _begin(self) -> None:
        plan = self._meet_socket()
        self._open()
        self._venue.act_by(plan)

    def _meet_socket(self) -> PushPlan:
        """Let the script see that a socket of this kind stands."""
        fields = {"sockets": self._kind, "account": self._account}
        director = self._venue.director
        plan = plan_push(director.meet(Occurrence(Subject.SOCKET, fields), self._clock.now()))
        for action in plan.sockets:
            if is_own(action):
                self.suffer(action)
        return plan

    def _end(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._queue.clear()
        self._venue.forget(self)
        self._close()

    # What is asked.

    def _take(self, text: str) -> None:
        now = self._venue.look()
        call = read_call(text, self._account, self._venue.name_of)
        if call is None:
            self._text(text)
            return
        question, peer = call.question, self._socket.request.peer
        self._account = question.account
        if (ban := self._venue.ban_of(peer, now)) is not None:
            until = ban[0] - now + self._venue.told_now
            self._pass_on(_banned(call.id, ban[1], until, self._venue.told_now), PLAIN_PUSH)
            return
        plan = plan_answer(self._venue.director.meet(question.occurrence, now))
        self._venue.before(plan, peer, now)
        self._asked.setdefault(call.id, deque()).append((question, plan))
        if plan.executes:
            self._text(text)
        else:
            self._pass(orjson.dumps({"id": orjson.loads(call.id), "status": 200, "result": {}}))
        self._venue.after(plan)

    # What is sent.

    def _pass(self, text: bytes) -> None:
        now = self._clock.now()
        if self._muted_until is None or now < self._muted_until:
            return
        if self._kind == "market":
            self._pass_market(text, now)
            return
        document = orjson.loads(text)
        if isinstance(document, dict) and "status" in document and "id" in document:
            self._pass_answer(document, text, now)
        elif isinstance(document, dict):
            self._pass_event(document, text, now)
        else:
            self._pass_on(text, PLAIN_PUSH)

    def _pass_market(self, text: bytes, now: int) -> None:
        watches = self._venue.director.watches(Subject.MESSAGE)
        found = stream_of(text, self._only) if watches or self._venue.remembers else None
        if found is None:
            self._pass_on(text, PLAIN_PUSH)
            return
        stream, symbol = found
        what = message(self._kind, stream, symbol, self._account)
        self._push(text, plan_push(self._venue.director.meet(what, now)), stream)

    def _pass_event(self, document: Document, text: bytes, now: int) -> None:
        event = document.get("event", document)
        if not isinstance(event, dict):
            self._pass_on(text, PLAIN_PUSH)
            return
        director = self._venue.director
        what = user_event(event, self._account)
        rules = director.meet(what, now)
        pushed = message(self._kind, "", what.fields["symbol"], self._account)
        self._push(text, plan_push((*rules, *director.meet(pushed, now))), "")

    def _pass_answer(self, document: Document, text: bytes, now: int) -> None:
        waiting = self._asked.get(as_id(document["id"]))
        question, plan = waiting.popleft() if waiting else (None, PLAIN_ANSWER)
        if waiting is not None and not waiting:
            del self._asked[as_id(document["id"])]
        if question is not None and document["status"] == 200 and plan.executes:
            text = self._after_success(question, plan, document, text, now)
        ended = self._ended(document, text, plan)
        if ended is not None:
            self._pass_on(ended, replace(PLAIN_PUSH, delay=plan.delay))
        if self._kind == "api" and _subscribed(document):
            self._kind = "user"
            self._venue.act_by(self._meet_socket())

    def _after_success(
        self, question: Question, plan: AnswerPlan, document: Document, text: bytes, now: int
    ) -> bytes:
        """Hide, conceal and remember; return the answer to go on with."""
        venue, result = self._venue, document.get("result")
        if venue.remembers:
            about, body = question.sameness, orjson.dumps(result)
            if isinstance(plan.ending, Stale):
                older = venue.memory.older(about, plan.ending.age, now)
                result = result if older is None else orjson.loads(older)
                text = orjson.dumps({**document, "result": result})
            venue.memory.keep(about, body, now)
        if plan.hide:
            venue.hidden.hide(question, result, now + plan.hide)
        elif question.asks and venue.hidden.any(now):
            if venue.hidden.hides(question):
                gone = errors.no_such_order()
                return _error(as_id(document["id"]), gone.status, gone.code, gone.message)
            shown = venue.hidden.without(question, result)
            text = orjson.dumps({**document, "result": shown})
        return text

    def _ended(self, document: Document, text: bytes, plan: AnswerPlan) -> bytes | None:
        """Return what goes out instead of an answer, None for nothing."""
        number, ending = as_id(document["id"]), plan.ending
        if isinstance(ending, Reset):
            self._socket.reset()
            return None
        if isinstance(ending, Drop) or any(isinstance(one, Restart) for one in plan.venue):
            return None
        if isinstance(ending, Truncate):
            return text[: ending.left(len(text))]
        if isinstance(ending, Empty):
            return b""
        if isinstance(ending, Html):
            return PAGE
        if isinstance(ending, Error):
            return _error(number, ending.status, ending.code, ending.message)
        if isinstance(ending, Ban):
            told = self._venue.told_now
            return _banned(number, ending.status, told + ending.time, told)
        return text

    def _push(self, text: bytes, plan: PushPlan, stream: str) -> None:
        now, venue = self._clock.now(), self._venue
        about = ("message", self._kind, stream, self._account)
        pushed = text
        if plan.stale is not None:
            pushed = venue.memory.older(about, plan.stale.age, now) or text
        if venue.remembers:
            venue.memory.keep(about, text, now)
        own = [action for action in plan.sockets if is_own(action)]
        for action in own:
            self.suffer(action)
        if not own:
            self._pass_on(pushed, plan, stream)
        venue.act_by(plan)

    def _pass_on(self, text: bytes, plan: PushPlan, stream: str = "") -> None:
        now = self._clock.now()
        for time, item in self._line.push(text, plan, now, stream):
            if time > now or self._queue:
                self._queue.append((time, item))
            else:
                self._socket.transmit(item)
        self._set_alarm(now)

    def _set_alarm(self, now: int) -> None:
        if self._alarm is None and self._queue:
            wait = max(self._queue[0][0] - now, 0) / _SECOND
            self._alarm = self._clock.call_later(wait, self._release)

    def _release(self) -> None:
        """Send what was due at the alarm; a socket that was muted meanwhile says nothing."""
        self._alarm = None
        due = self._queue[0][0] if self._queue else 0
        now = self._clock.now()
        while self._queue and self._queue[0][0] <= max(due, now):
            _, item = self._queue.popleft()
            if self._muted_until is not None and now >= self._muted_until:
                self._socket.transmit(item)
        self._set_alarm(now)


def _only_stream(request: Request) -> str:
    """Return the stream that an address names, if it names one alone."""
    if request.path.startswith("/ws/"):
        named = request.path.removeprefix("/ws/")
    else:
        named = dict(parse_qsl(request.query)).get("streams", "")
    return named if "/" not in named and not named.isdigit() else ""


def _subscribed(document: Mapping[str, object]) -> bool:
    result = document.get("result")
    return isinstance(result, dict) and "subscriptionId" in result and document["status"] == 200


def _banned(number: str, status: int, until: int, now: int) -> bytes:
    refusal = ban_of(status, until, now)
    times = {"serverTime": now // MILLISECOND, "retryAfter": until // MILLISECOND}
    return _error(number, refusal.status, refusal.code, refusal.message, times)


def _error(
    number: str, status: int, code: int, text: str, data: Mapping[str, int] | None = None
) -> bytes:
    """Return an error of the WebSocket API; ``number`` is the request's id as JSON."""
    document: Document = {"id": orjson.loads(number), "status": status}
    if code:
        document["error"] = {"code": code, "msg": text, **({"data": data} if data else {})}
    return orjson.dumps(document)

"""A venue behind which things go wrong: stands between its wire and its own application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import orjson

from tidewright.exchange.faults import FaultDirector, FaultScript, Firing, Subject
from tidewright.exchange.faults.actions import Ban, Error, Restart, SocketAction, Stale, VenueAction
from tidewright.exchange.faults.plans import AnswerPlan, PushPlan, plan_answer, plan_push
from tidewright.servers.venue import errors
from tidewright.servers.venue.clock import Alarm, Clock
from tidewright.servers.venue.faults.answers import Memory, banned, deliver, made_up
from tidewright.servers.venue.faults.effects import Effects, Market, ShiftedClock, check_script
from tidewright.servers.venue.faults.hidden import HiddenOrders
from tidewright.servers.venue.faults.questions import Question, read_request
from tidewright.servers.venue.faults.sockets import FaultySocket, is_own
from tidewright.servers.venue.ledger_file import LEDGER_PATH, with_faults
from tidewright.servers.venue.wire import Application, Delivery, Reply, Request, Respond, Socket

_NO_SUCH_ORDER = Error(400, -2013, errors.no_such_order().message, False)
_OWN = "/tidewright/"
"""Paths that are no exchange's; whoever asks there is told the truth."""
_SECOND = 1e9


class FaultyApplication:
    """An application whose requests, answers and messages meet a fault script.

    Parameters
    ----------
    application : Application
        The venue's own.
    script : FaultScript
        What shall go wrong.
    seed : int
        What draws depend on.
    clock : Clock
        The true time, which the script and the wire measure.
    told : ShiftedClock
        The time that clients are told.
    market : Market
        The exchange, whose symbols faults change.
    name_of : callable
        Name of the account that an API key belongs to, empty for none.

    Raises
    ------
    ConfigError
        If the script names a symbol or filter that the exchange does not have.
    """

    def __init__(
        self,
        application: Application,
        script: FaultScript,
        seed: int,
        *,
        clock: Clock,
        told: ShiftedClock,
        market: Market,
        name_of: Callable[[str], str],
    ) -> None:
        check_script(script, market.listings)
        self._application = application
        self._clock = clock
        self._told = told
        self.name_of = name_of
        self.director = FaultDirector(script, seed, clock.now())
        self.hidden = HiddenOrders()
        self.memory = Memory()
        self.remembers = any(
            isinstance(action, Stale) for rule in script.rules for action in rule.actions
        )
        self._effects = Effects(told, market)
        self._bans: dict[str, tuple[int, int]] = {}
        self._sockets: dict[FaultySocket, None] = {}
        self._cut_all: Callable[[], None] = _nothing
        self._alarm: Alarm | None = None

    @property
    def firings(self) -> Sequence[Firing]:
        """What went wrong so far, in order."""
        return self.director.firings

    def start(self, cut_all: Callable[[], None]) -> None:
        """Begin to watch the time; ``cut_all`` resets every connection of the wire."""
        self._cut_all = cut_all
        self._set_alarm()

    def stop(self) -> None:
        """Watch the time no more."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    # The wire calls these.

    def connect(self, peer: str) -> bool:
        """Tell whether a new connection is taken; a venue that restarts takes none."""
        now = self.look()
        return not self._effects.is_away(now) and self._application.connect(peer)

    def handle(self, request: Request, respond: Respond) -> None:
        """Answer a request, as the script lets it."""
        now = self.look()
        if request.path.startswith(_OWN):
            self._application.handle(request, partial(self._tell, request.path, respond))
            return
        if (ban := self.ban_of(request.peer, now)) is not None:
            respond(Delivery(banned(ban[1], ban[0] + self._told.shift, self._told.now())))
            return
        if not self.must_look(now):
            self._application.handle(request, respond)
            return
        account = self.name_of(request.headers.get("x-mbx-apikey", ""))
        question = read_request(request, account)
        plan = plan_answer(self.director.meet(question.occurrence, now))
        self.before(plan, request.peer, now)
        finish = partial(self._finish, question, plan, respond)
        if plan.executes:
            self._application.handle(request, finish)
        else:
            finish(Delivery(Reply(200)))
        self.after(plan)

    def open_socket(self, socket: Socket) -> Reply | None:
        """Take a WebSocket and stand at its gate, or say why not."""
        now = self.look()
        if (ban := self.ban_of(socket.request.peer, now)) is not None:
            return banned(ban[1], ban[0] + self._told.shift, self._told.now())
        refusal = self._application.open_socket(socket)
        if refusal is None:
            self._sockets[FaultySocket(socket, self, self._clock)] = None
        return refusal

    # Its sockets call these.

    def look(self) -> int:
        """Do what has become due, and return the true time."""
        now = self._clock.now()
        rules = self.director.due(now) if self.director.watches(Subject.TIME) else ()
        if rules:
            plan = plan_push(rules)
            self.act(plan.venue, now)
            self._act_on_sockets(plan.sockets)
        return now

    def must_look(self, now: int) -> bool:
        """Return whether a request could meet a rule, or an answer could hide something."""
        watches = self.director.watches
        return (
            watches(Subject.REQUEST)
            or watches(Subject.QUERY)
            or self.remembers
            or self.hidden.any(now)
        )

    def ban_of(self, peer: str, now: int) -> tuple[int, int] | None:
        """Return until when, true time, an address is banned and with which status."""
        ban = self._bans.get(peer)
        if ban is not None and now >= ban[0]:
            del self._bans[peer]
            return None
        return ban

    def before(self, plan: AnswerPlan, peer: str, now: int) -> None:
        """Do what a plan wants done before its request is looked at."""
        self.act([one for one in plan.venue if not isinstance(one, Restart)], now)
        if isinstance(plan.ending, Ban):
            self._bans[peer] = (now + plan.ending.time, plan.ending.status)

    def after(self, plan: AnswerPlan) -> None:
        """Do what a plan wants done after its request was executed."""
        self._act_on_sockets(plan.sockets)
        self.act([one for one in plan.venue if isinstance(one, Restart)], self._clock.now())

    def act(self, actions: Sequence[VenueAction], now: int) -> None:
        """Change the venue."""
        cuts = [self._effects.apply(action, now) for action in actions]
        if any(cuts):
            self._cut_all()

    def act_by(self, plan: PushPlan) -> None:
        """Do what a plan about one socket wants done to the venue and to sockets by their kind."""
        self._act_on_sockets([one for one in plan.sockets if not is_own(one)])
        self.act(plan.venue, self._clock.now())

    def forget(self, socket: FaultySocket) -> None:
        """Take that a socket is no more."""
        self._sockets.pop(socket, None)

    @property
    def told_now(self) -> int:
        """The time that clients are told, nanoseconds UTC."""
        return self._told.now()

    def _act_on_sockets(self, actions: Sequence[SocketAction]) -> None:
        for action in actions:
            for socket in tuple(self._sockets):
                socket.suffer(action)

    def _tell(self, path: str, respond: Respond, delivery: Delivery) -> None:
        """Hand over what a venue says of itself; its ledger tells of faults too."""
        reply = delivery.reply
        if path == LEDGER_PATH and reply is not None and reply.status == 200:
            reply = replace(reply, body=with_faults(reply.body, self.firings))
        respond(replace(delivery, reply=reply))

    def _finish(
        self, question: Question, plan: AnswerPlan, respond: Respond, delivery: Delivery
    ) -> None:
        """Hand over an answer after what happens to it."""
        now = self._clock.now()
        reply = delivery.reply
        if reply is not None and reply.status < 300 and plan.executes:
            reply = self._after_success(question, plan, reply, now)
            delivery = replace(delivery, reply=reply)
        if any(isinstance(one, Restart) for one in plan.venue):
            delivery = Delivery(None)
        respond(deliver(delivery, plan, self._told.now()))

    def _after_success(self, question: Question, plan: AnswerPlan, reply: Reply, now: int) -> Reply:
        """Hide, conceal and remember; return the answer to go on with."""
        if self.remembers:
            about, body = question.sameness, reply.body
            if isinstance(plan.ending, Stale):
                older = self.memory.older(about, plan.ending.age, now)
                reply = replace(reply, body=body if older is None else older)
            self.memory.keep(about, body, now)
        if plan.hide:
            self.hidden.hide(question, orjson.loads(reply.body), now + plan.hide)
        elif question.asks and self.hidden.any(now):
            if self.hidden.hides(question):
                return made_up(_NO_SUCH_ORDER, self._told.now(), reply.headers)
            shown = self.hidden.without(question, orjson.loads(reply.body))
            reply = replace(reply, body=orjson.dumps(shown))
        return reply

    def _set_alarm(self) -> None:
        due = self.director.next_due()
        if due is not None:
            wait = max(due - self._clock.now(), 0) / _SECOND
            self._alarm = self._clock.call_later(wait, self._wake)

    def _wake(self) -> None:
        self.look()
        self._set_alarm()


def _nothing() -> None:
    """Stand in for a wire that has no connections yet."""

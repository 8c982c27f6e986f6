"""One connection to the WebSocket API: requests with answers, log-on, and accounts' events."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

import orjson
from websockets.frames import CloseCode

from tidewright.domain.time import SECOND
from tidewright.servers.venue import errors, parameters
from tidewright.servers.venue.endpoint import Call, Endpoint, Sent
from tidewright.servers.venue.errors import ApiError
from tidewright.servers.venue.parameters import Field
from tidewright.servers.venue.rest.general import write_limit
from tidewright.servers.venue.signing import ApiKey, Ed25519Key, Permission
from tidewright.servers.venue.streams.accounts import (
    AccountStreams,
    Subscription,
    say_terminated,
)
from tidewright.servers.venue.streams.methods import RETIRED, SESSION_WEIGHT
from tidewright.servers.venue.streams.requests import (
    ApiRequest,
    WrongRequest,
    read_request,
    write_answer,
)
from tidewright.servers.venue.venue import Venue
from tidewright.servers.venue.wire import Socket
from tidewright.servers.venue.writers import Json

MOST_SUBSCRIPTIONS = 1_000
"""Subscriptions to accounts that one connection may have at a time."""
MOST_IDS = 65_535
"""Subscriptions that one connection may make in its life."""

_OF_REQUEST = frozenset({"apiKey", "returnRateLimits"})
"""Parameters that say who asks and how to answer, not what for."""


class ApiSession:
    """Answers the requests of one connection, and tells it of accounts.

    Parameters
    ----------
    socket : Socket
        The connection; its callbacks are set here.
    venue : Venue
        What everything is answered from.
    endpoints : mapping of str to Endpoint
        What answers each method that concerns more than the connection.
    accounts : AccountStreams
        Where it subscribes to accounts.
    unit : int
        Nanoseconds in the unit of time of its answers and events.
    """

    def __init__(
        self,
        socket: Socket,
        venue: Venue,
        endpoints: Mapping[str, Endpoint],
        accounts: AccountStreams,
        unit: int,
    ) -> None:
        self._socket = socket
        self._venue = venue
        self._endpoints = endpoints
        self._accounts = accounts
        self.unit = unit
        self._peer = socket.request.peer
        shown = dict(parse_qsl(socket.request.query)).get("returnRateLimits", "true")
        self._shows_limits = shown.lower() != "false"
        self._connected = venue.clock.now()
        self._logged_on: ApiKey | None = None
        self._since = 0
        self._subscriptions: dict[int, Subscription] = {}
        self._ids = 0
        self._own: dict[str, Callable[[Sent], Endpoint]] = {
            "session.logon": self._log_on,
            "session.status": self._status,
            "session.logout": self._log_out,
            "session.subscriptions": self._list,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }
        socket.on_text = self._take
        socket.on_close = self._end
        socket.on_shutdown = self._say_shutdown

    @property
    def combined(self) -> bool:
        """Whether events come wrapped with the name of a stream: never."""
        return False

    def send(self, text: bytes) -> None:
        """Send one message."""
        self._socket.send(text)

    def _take(self, text: str) -> None:
        now = self._venue.clock.now()
        try:
            request = read_request(text)
        except WrongRequest as wrong:
            body = orjson.dumps({"code": wrong.code, "msg": wrong.message})
            self.send(write_answer(wrong.number, 400, body, self._limits(None, now)))
            return
        account, status, body = self._answer(request, now)
        shows = self._shows_limits if request.shows_limits is None else request.shows_limits
        limits = self._limits(account, now) if shows else None
        self.send(write_answer(request.number, status, body, limits))
        self._venue.publish()
        if status == errors.BANNED:
            self._socket.close(CloseCode.POLICY_VIOLATION, "IP banned")

    def _answer(self, request: ApiRequest, now: int) -> tuple[int | None, int, bytes]:
        """Return the account whose orders it concerns, the status and the answer."""
        try:
            endpoint, sent = self._understand(request)
            self._venue.requests.spend(self._peer, endpoint.weigh(sent.parameters), now)
            account, told = endpoint.perform(self._venue, sent)
            return (account if endpoint.counts_orders else None), 200, orjson.dumps(told)
        except ApiError as error:
            return None, error.status, orjson.dumps(_told(error, self._venue.told.now(), self.unit))
        except Exception:  # noqa: BLE001 - the boundary: a fault is told as -1000 and reported
            traceback.print_exc(file=sys.stderr)
            problem = errors.unknown()
            return None, problem.status, orjson.dumps(problem.body)

    def _understand(self, request: ApiRequest) -> tuple[Endpoint, Sent]:
        """Return what answers a request, and the request as endpoints take it."""
        if request.method in RETIRED:
            raise ApiError(-1016, "This service is no longer available.", 410)
        sent = Sent(
            {name: text for name, text in request.parameters.items() if name not in _OF_REQUEST},
            request.parameters.get("apiKey", ""),
            self._peer,
            tuple(text.encode() for text in request.signed_texts),
            unit=self.unit,
        )
        own = self._own.get(request.method)
        endpoint = self._endpoints.get(request.method) if own is None else own(sent)
        if endpoint is None:
            raise ApiError(-1020, "This operation is not supported.")
        key = self._logged_on
        if key is not None and not sent.key and endpoint.permission is not None:
            self._venue.keys.find(key.name, endpoint.permission, self._peer)
            sent = replace(sent, key=key.name, account=key.account)
        return endpoint, sent

    def _limits(self, account: int | None, now: int) -> bytes:
        venue = self._venue
        told = (
            []
            if account is None
            else [write_limit(*one) for one in venue.orders.counts(account, now)]
        )
        told.append(write_limit(venue.limits.weight, venue.requests.used(self._peer, now)))
        return orjson.dumps(told)

    # The session.

    def _log_on(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> Json:
            key = self._venue.keys.find(sent.key, Permission.USER_DATA, self._peer)
            if not isinstance(key.verifier, Ed25519Key):
                raise ApiError(-4056, "HMAC_SHA256 API key is not supported.")
            self._logged_on, self._since = key, call.now
            return self._state(call)

        return Endpoint(answer, permission=Permission.USER_DATA, weight=SESSION_WEIGHT)

    def _status(self, sent: Sent) -> Endpoint:
        return Endpoint(self._state, weight=SESSION_WEIGHT)

    def _log_out(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> Json:
            self._logged_on, self._since = None, 0
            for one in tuple(self._subscriptions.values()):
                if one.by_session:
                    self._terminate(one, call.now)
            return self._state(call)

        return Endpoint(answer, weight=SESSION_WEIGHT)

    def _state(self, call: Call) -> Json:
        key = self._logged_on
        return {
            "apiKey": key.name if key else None,
            "authorizedSince": self._since // call.unit if key else None,
            "connectedSince": self._connected // call.unit,
            "returnRateLimits": self._shows_limits,
            "serverTime": call.venue.told.now() // call.unit,
            "userDataStream": any(one.by_session for one in self._subscriptions.values()),
        }

    # Subscriptions to accounts.

    def _list(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> list[Json]:
            return [{"subscriptionId": number} for number in self._subscriptions]

        return Endpoint(answer, weight=SESSION_WEIGHT)

    def _subscribe(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> Json:
            key = self._logged_on
            if key is None:
                raise ApiError(-1002, "You are not authorized to execute this request.", 401)
            self._venue.keys.find(key.name, Permission.USER_STREAM, self._peer)
            return self._begin(key.account, by_session=True)

        return Endpoint(answer, weight=SESSION_WEIGHT)

    def _subscribe_signed(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> Json:
            return self._begin(call.account, by_session=False)

        return Endpoint(answer, permission=Permission.USER_DATA, weight=SESSION_WEIGHT)

    def _unsubscribe(self, sent: Sent) -> Endpoint:
        def answer(call: Call) -> Json:
            number = call.values.maybe("subscriptionId")
            if number is None:
                gone = tuple(self._subscriptions.values())
            else:
                gone = tuple(one for one in self._subscriptions.values() if one.number == number)
            if not gone:
                raise ApiError(-2036, "User Data Stream subscription not active.")
            for one in gone:
                self._terminate(one, call.now)
            return {}

        field = Field("subscriptionId", parameters.whole)
        return Endpoint(answer, field, weight=SESSION_WEIGHT)

    def _begin(self, account: int, *, by_session: bool) -> Json:
        if any(one.account == account for one in self._subscriptions.values()):
            raise ApiError(-2035, "User Data Stream subscription already active.")
        if self._ids >= MOST_IDS:
            raise ApiError(-2042, "Maximum subscription ID reached for this connection.")
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            text = f"Too many subscriptions. Connection may create up to '{MOST_SUBSCRIPTIONS}' "
            raise ApiError(-1191, text + "subscriptions at a time.")
        # What happened before is not told to it.
        self._venue.publish()
        one = Subscription(self._ids, account, self, by_session)
        self._ids += 1
        self._subscriptions[one.number] = one
        self._accounts.begin(one)
        return {"subscriptionId": one.number}

    def _terminate(self, one: Subscription, now: int) -> None:
        self._venue.publish()
        del self._subscriptions[one.number]
        self._accounts.end(one)
        say_terminated(one, now)

    def _say_shutdown(self) -> None:
        event = {"e": "serverShutdown", "E": self._venue.clock.now() // self.unit}
        self.send(orjson.dumps({"event": event}))

    def _end(self) -> None:
        for one in self._subscriptions.values():
            self._accounts.end(one)
        self._subscriptions.clear()


def _told(error: ApiError, now: int, unit: int) -> Json:
    """Write an error; one that asks for patience also says until when."""
    if not error.retry_after:
        return error.body
    until = now + error.retry_after * SECOND
    return error.body | {"data": {"serverTime": now // unit, "retryAfter": until // unit}}

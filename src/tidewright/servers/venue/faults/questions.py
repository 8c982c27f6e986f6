"""What a request asks, in the words of a fault script, whichever way it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import orjson

from tidewright.exchange.faults import Occurrence, Subject
from tidewright.servers.venue.wire import Request

_ASKING = frozenset(
    {
        *("order", "openOrders", "allOrders", "orderList", "allOrderList", "openOrderList"),
        *("myTrades", "myPreventedMatches", "myAllocations", "account", "order/amendments"),
    }
)
_ASKING_CALLS = frozenset(
    {
        *("order.status", "openOrders.status", "allOrders", "orderList.status", "allOrderLists"),
        *("openOrderLists.status", "myTrades", "myPreventedMatches", "account.status"),
    }
)
_REST = "/api/v3/"
_TIMES = frozenset({"timestamp", "signature", "recvWindow", "apiKey"})


@dataclass(frozen=True, slots=True)
class Question:
    """A request that came.

    Parameters
    ----------
    over : str
        ``rest`` or ``api``.
    method, path : str
        HTTP method, empty over the API; path, or the API's method name.
    parameters : mapping of str to str
        As they came; of a name in query and body, the query's.
    account : str
        Name of the account, empty where none is told.
    """

    over: str
    method: str
    path: str
    parameters: Mapping[str, str]
    account: str

    @property
    def asks(self) -> bool:
        """Whether it looks at the state of an account and changes nothing."""
        if self.over == "api":
            return self.path in _ASKING_CALLS
        return self.method == "GET" and self.path.removeprefix(_REST) in _ASKING

    @property
    def occurrence(self) -> Occurrence:
        """What a script sees of it."""
        given = self.parameters
        client_id = given.get("newClientOrderId") or given.get("origClientOrderId", "")
        return Occurrence(
            Subject.QUERY if self.asks else Subject.REQUEST,
            {
                "over": self.over,
                "method": self.method,
                "path": self.path,
                "symbol": given.get("symbol", ""),
                "side": given.get("side", ""),
                "type": given.get("type", ""),
                "account": self.account,
                "client_id": client_id,
            },
        )

    @property
    def sameness(self) -> tuple[str, ...]:
        """What two requests share that ask the same at different times."""
        asked = (f"{name}={value}" for name, value in self.parameters.items() if name not in _TIMES)
        return (self.over, self.method, self.path, self.account, *sorted(asked))


def read_request(request: Request, account: str) -> Question:
    """Return what an HTTP request asks."""
    given: dict[str, str] = {}
    for text in (request.body.decode("latin-1"), request.query):
        given.update(parse_qsl(text, keep_blank_values=True))
    return Question("rest", request.method, request.path, given, account)


@dataclass(frozen=True, slots=True)
class Call:
    """A request over the WebSocket API.

    Parameters
    ----------
    id : str
        The request's id as JSON, by which its answer is known.
    question : Question
        What it asks.
    """

    id: str
    question: Question


def read_call(text: str, account: str, name_of: Callable[[str], str]) -> Call | None:
    """Return what a text on the WebSocket API asks; None if it is no request.

    Parameters
    ----------
    text : str
        What came.
    account : str
        Account of the connection so far.
    name_of : callable
        Name of the account that an API key belongs to.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    method = document.get("method") if isinstance(document, dict) else None
    if not isinstance(method, str):
        return None
    raw = document.get("params")
    given = {name: _text(value) for name, value in raw.items()} if isinstance(raw, dict) else {}
    if "apiKey" in given:
        account = name_of(given["apiKey"])
    question = Question("api", "", method.removeprefix("v3/"), given, account)
    return Call(as_id(document.get("id")), question)


def as_id(value: object) -> str:
    """Return the id of a request or its answer as JSON."""
    return orjson.dumps(value).decode()


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()

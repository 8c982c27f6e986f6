"""One client of the REST interface: it signs, sends once, and says what the answer means.

It repeats nothing, follows no redirect and takes no proxy or password from the environment. A
request that the budget has no room for is not sent at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx

from tidewright.adapters.binance import calls
from tidewright.adapters.binance.budget import Budget
from tidewright.adapters.binance.calls import NewOrder, Request
from tidewright.adapters.binance.classify import (
    Answered,
    ClockRefused,
    HttpAnswer,
    OrdersLimited,
    TransportFailure,
    classify,
)
from tidewright.adapters.binance.clock import MILLISECOND, ClockEstimate
from tidewright.adapters.binance.hosts import Endpoint, NetworkT
from tidewright.adapters.binance.parse import VenueAccount, VenueFill, VenueOrder
from tidewright.adapters.binance.rules import SymbolRules
from tidewright.adapters.binance.signing import Credentials, percent_encoded, signed
from tidewright.domain.errors import ConfigError, RateLimited
from tidewright.domain.time import SECOND

T = TypeVar("T")

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures before a connection was there: no byte of the request has left."""


@dataclass(frozen=True, slots=True)
class RestSettings:
    """How to call.

    Parameters
    ----------
    timeout_seconds : float
        Longest wait for the next bytes of an answer, and twice that for all of it.
    receive_window : int
        Milliseconds that a request may be old when the venue takes it, at most 60,000. A wider
        window hides a wrong clock and lets late orders through.
    worst_clock_error : float
        Seconds that the venue's time may be off before it is measured again.
    connections : int
        Most connections at once.
    largest_answer : int
        Bytes after which an answer is given up.
    """

    timeout_seconds: float = 10.0
    receive_window: int = 5_000
    worst_clock_error: float = 0.5
    connections: int = 8
    largest_answer: int = 64 * 2**20


class RestClient(Generic[NetworkT]):
    """Calls one network's REST interface; for one thread.

    Parameters
    ----------
    endpoint : Endpoint
        Where it is.
    credentials : Credentials or None
        A key of the same network; None asks for public things only.
    settings : RestSettings, optional
        How to call.
    monotonic, wall : callable
        Clocks in nanoseconds; the wall clock is only the first guess of the venue's.

    Raises
    ------
    ConfigError
        If the key is of another network.
    """

    def __init__(
        self,
        endpoint: Endpoint[NetworkT],
        credentials: Credentials[NetworkT] | None = None,
        settings: RestSettings | None = None,
        *,
        monotonic: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], int] = time.time_ns,
    ) -> None:
        if credentials is not None and credentials.network is not endpoint.network:
            raise ConfigError(
                f"API key was of {credentials.network.name}; expected one of "
                f"{endpoint.network.name}, where it would be sent"
            )
        self.settings = settings or RestSettings()
        self.budget = Budget()
        guess = wall() - monotonic()
        self.clock = ClockEstimate(guess, guess)
        self._credentials: Credentials[NetworkT] | None = credentials
        self._monotonic = monotonic
        self._http = httpx.Client(
            base_url=endpoint.url,
            timeout=self.settings.timeout_seconds,
            limits=httpx.Limits(max_connections=self.settings.connections),
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> RestClient[NetworkT]:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    @property
    def now(self) -> int:
        """The venue's time as far as it is known, nanoseconds UTC."""
        return self._monotonic() + self.clock.offset

    def synchronise(self, trips: int = 1) -> None:
        """Measure the venue's clock by some round trips.

        Raises
        ------
        Transient
            If the venue does not answer.
        """
        for _ in range(trips):
            sent = self._monotonic()
            said = self.ask(calls.server_time())
            self.clock = self.clock.heard(sent, said, self._monotonic())

    def clock_is_due(self) -> bool:
        """Return whether the venue's clock should be measured again."""
        worst = round(self.settings.worst_clock_error * SECOND)
        return self.clock.is_due(self._monotonic(), worst)

    def symbols(self, names: Sequence[str]) -> dict[str, SymbolRules]:
        """Return the filters of symbols; the budget takes the venue's limits from the same answer.

        Raises
        ------
        Rejected
            If the venue does not list one of them.
        Transient
            If the venue does not answer.
        """
        told = self.ask(calls.exchange_info(names))
        self.budget = self.budget.limited(told.limits)
        return told.symbols

    def account(self) -> VenueAccount:
        """Return balances and fees."""
        return self.ask(calls.account())

    def order(self, symbol: str, client_id: str) -> VenueOrder:
        """Return one order.

        Raises
        ------
        Rejected
            With code ``-2013`` if the venue does not find it - which, soon after it was sent, does
            not mean that it is not there.
        Transient
            If the venue does not answer.
        DataIntegrityError
            If the answer contradicts itself.
        """
        return self.ask(calls.order(symbol, client_id))

    def open_orders(self, symbol: str = "") -> tuple[VenueOrder, ...]:
        """Return the open orders of a symbol, or of all."""
        return self.ask(calls.open_orders(symbol))

    def fills_of_order(self, symbol: str, order_id: int) -> tuple[VenueFill, ...]:
        """Return the executions of one order, by the venue's number."""
        return self.ask(calls.fills_of_order(symbol, order_id))

    def fills_from(self, symbol: str, trade_id: int) -> tuple[VenueFill, ...]:
        """Return executions from a trade id on, oldest first."""
        return self.ask(calls.fills_from(symbol, trade_id))

    def place(self, new: NewOrder) -> VenueOrder:
        """Place an order, once.

        Raises
        ------
        UnknownOutcome
            If it may have been placed: ask for its client id, and never place it again.
        Rejected, ConfigError, Transient
            If it was not placed.
        """
        return self.ask(calls.placement(new))

    def cancel(self, symbol: str, client_id: str) -> VenueOrder:
        """Cancel an order, once.

        Raises
        ------
        UnknownOutcome
            If it may have been cancelled.
        Rejected
            With code ``-2011`` if it does not work any more: it was filled, or is cancelled.
        ConfigError, Transient
            If it was not cancelled.
        """
        return self.ask(calls.cancellation(symbol, client_id))

    def ask(self, request: Request[T]) -> T:
        """Send a request, once, and return what its answer says.

        Raises
        ------
        TidewrightError
            As `classify` names it; `RateLimited` also where nothing was sent, because the budget
            has no room.
        """
        text = percent_encoded(request.parameters)
        headers: dict[str, str] = {}
        if request.signed:
            text, headers = self._sign(request)
        self._keep_budget(request)
        came = self._send(request, text, headers)
        if isinstance(came, HttpAnswer):
            self.budget = self.budget.heard(came.headers, self.now)
        outcome = classify(request.asked, came)
        if isinstance(outcome, Answered):
            return outcome.value
        self._take_note(outcome)
        raise outcome

    def _sign(self, request: Request[T]) -> tuple[str, dict[str, str]]:
        if self._credentials is None:
            raise ConfigError(f"{request.asked.name} was asked without an API key; expected one")
        if not self.clock.known:
            self.synchronise()
        given = (
            *request.parameters,
            ("recvWindow", str(self.settings.receive_window)),
            ("timestamp", str(self.now // MILLISECOND)),
        )
        return signed(given, self._credentials.signer), {"X-MBX-APIKEY": self._credentials.api_key}

    def _keep_budget(self, request: Request[T]) -> None:
        now = self.now
        wait = self.budget.wait(request.weight, request.orders, request.urgency, now)
        if wait:
            raise RateLimited(f"{request.asked.name} was not sent: no room", wait / SECOND)
        self.budget = self.budget.spent(request.weight, request.orders, now)

    def _take_note(self, error: Exception) -> None:
        if isinstance(error, ClockRefused):
            self.clock = self.clock.doubted()
        elif isinstance(error, OrdersLimited):
            self.budget = self.budget.orders_paused(error.retry_after, self.now)
        elif isinstance(error, RateLimited):
            self.budget = self.budget.paused(error.retry_after, self.now)

    def _send(
        self, request: Request[T], text: str, headers: dict[str, str]
    ) -> HttpAnswer | TransportFailure:
        """Send the very text that was signed; orders carry it as their body."""
        in_body = request.method == "POST"
        if in_body:
            headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        url = request.path if in_body or not text else f"{request.path}?{text}"
        content = text.encode() if in_body else None
        end = self._monotonic() + round(2 * self.settings.timeout_seconds * SECOND)
        try:
            with self._http.stream(request.method, url, headers=headers, content=content) as answer:
                body = self._body(answer, end)
                return HttpAnswer(answer.status_code, dict(answer.headers.items()), body)
        except httpx.RequestError as error:
            detail = f"{type(error).__name__} {error}".strip()
            return TransportFailure(detail, not isinstance(error, _NEVER_LEFT))

    def _body(self, answer: httpx.Response, end: int) -> bytes:
        parts: list[bytes] = []
        length = 0
        for part in answer.iter_bytes():
            parts.append(part)
            length += len(part)
            if self._monotonic() > end or length > self.settings.largest_answer:
                raise httpx.ReadTimeout(f"{length} bytes came, and no end")
        return b"".join(parts)

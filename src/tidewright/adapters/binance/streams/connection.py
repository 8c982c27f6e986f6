"""One connection to market streams: opened, subscribed, watched, and ended with a reason.

It never opens itself again; `market.MarketStreams` does that. The venue's pings are answered by
the WebSocket library with their payload, and since messages never wait to be read, they are
answered even while a reader is busy elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from tidewright.adapters.binance.streams.messages import Answer, MarketEvent, Shutdown, Unknown
from tidewright.adapters.binance.streams.pacing import MessageBudget, Timing
from tidewright.adapters.binance.streams.reading import read_message
from tidewright.domain.errors import ConfigError, Rejected, Transient

Method = Literal["SUBSCRIBE", "UNSUBSCRIBE"]

MOST_STREAMS = 1024
"""Streams that one connection may listen to."""

LONGEST_MESSAGE = 16 * 2**20


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """Where the streams are and how a connection is kept.

    Parameters
    ----------
    base_url : str
        Such as ``"wss://stream.binance.com:9443"``, without a path.
    open_seconds : float
        Longest wait for a connection, and for an answer on it.
    silence_seconds : float
        Without any message for this long, a connection is taken for dead, pings or not.
    life_seconds : float
        After this long another connection takes over; the venue closes after 24 hours.
    overlap_seconds : float
        How long both are listened to then.
    steady_seconds : float
        A connection that lasted so long lets the pauses begin small again.
    first_pause_seconds, longest_pause_seconds : float
        Pauses before a new connection.
    message_seconds : float
        Least time between two messages to the venue. It allows 5 in a second, answers to its pings
        included, and counts when they arrive, so bursts at the edges of seconds would be too many.
    streams_per_message : int
        Most streams named in one message.
    """

    base_url: str = "wss://stream.binance.com:9443"
    open_seconds: float = 10.0
    silence_seconds: float = 30.0
    life_seconds: float = 23 * 3600.0
    overlap_seconds: float = 2.0
    steady_seconds: float = 60.0
    first_pause_seconds: float = 0.5
    longest_pause_seconds: float = 60.0
    message_seconds: float = 0.3
    streams_per_message: int = 100


class StreamConnection:
    """One connection.

    Parameters
    ----------
    socket : ClientConnection
        The open WebSocket.
    settings : StreamSettings
        How it is kept.
    timing : Timing
        Time, for the pace of messages and the watchdog.
    on_event : callable
        Takes each event of a market.

    Attributes
    ----------
    opened : float
        When it was opened, seconds of the clock of ``timing``.
    ended : asyncio.Future of str
        Done with the reason once nothing comes from it any more.
    leaving : asyncio.Event
        Set when the venue says that it will close it.
    """

    def __init__(
        self,
        socket: ClientConnection,
        settings: StreamSettings,
        timing: Timing,
        on_event: Callable[[MarketEvent], None],
    ) -> None:
        self._socket = socket
        self._settings = settings
        self._timing = timing
        self._on_event = on_event
        self._budget = MessageBudget(1, settings.message_seconds)
        self._speaking = asyncio.Lock()
        self._asked = 0
        self._answers: dict[int, asyncio.Future[str]] = {}
        self.opened = self._heard = timing.now()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.leaving = asyncio.Event()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]

    @classmethod
    async def open(
        cls,
        settings: StreamSettings,
        timing: Timing,
        on_event: Callable[[MarketEvent], None],
    ) -> StreamConnection:
        """Open a connection without any subscription.

        Raises
        ------
        Transient
            If it cannot be opened now.
        ConfigError
            If the address can never be.
        """
        url = f"{settings.base_url}/stream"
        try:
            socket = await connect(
                url,
                open_timeout=settings.open_seconds,
                ping_interval=None,
                close_timeout=1.0,
                max_queue=None,
                max_size=LONGEST_MESSAGE,
                compression=None,
                proxy=None,
            )
        except InvalidURI as error:
            raise ConfigError(
                f"stream URL was {url!r}; expected ws:// or wss://: {error}"
            ) from error
        except (OSError, TimeoutError, InvalidHandshake) as error:
            raise Transient(f"{url} did not open: {error or 'no answer in time'}") from error
        return cls(socket, settings, timing, on_event)

    async def subscribe(self, names: Sequence[str]) -> None:
        """Listen to streams; return once the venue has said that it will tell.

        Raises
        ------
        Transient
            If the connection ends before, or no answer comes in time.
        Rejected
            If the venue refuses.
        """
        await self._tell("SUBSCRIBE", names)

    async def unsubscribe(self, names: Sequence[str]) -> None:
        """Listen to streams no longer; raises as `subscribe` does."""
        await self._tell("UNSUBSCRIBE", names)

    async def close(self) -> None:
        """End it. Nothing is told of afterwards."""
        self._end("closed by us")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()

    async def _tell(self, method: Method, names: Sequence[str]) -> None:
        for batch in _batches(names, self._settings.streams_per_message):
            await self._ask(method, batch)

    async def _ask(self, method: Method, names: Sequence[str]) -> None:
        self._asked += 1
        number = self._asked
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._say(
                orjson.dumps({"method": method, "params": names, "id": number}).decode()
            )
            error = await self._answered(answer, method)
        finally:
            del self._answers[number]
        if error:
            raise Rejected(f"venue refused {method} of {', '.join(names)[:200]}: {error}")

    async def _say(self, text: str) -> None:
        async with self._speaking:
            while (wait := self._budget.wait(self._timing.now())) > 0:
                await self._timing.sleep(wait)
            self._budget.spend(self._timing.now())
            try:
                await self._socket.send(text)
            except ConnectionClosed as error:
                raise Transient(f"connection closed while speaking: {error}") from error

    async def _answered(self, answer: asyncio.Future[str], method: Method) -> str:
        late = asyncio.ensure_future(self._timing.sleep(self._settings.open_seconds))
        try:
            await asyncio.wait((answer, self.ended, late), return_when=asyncio.FIRST_COMPLETED)
        finally:
            late.cancel()
        if answer.done():
            return answer.result()
        if self.ended.done():
            raise Transient(f"connection ended before {method} was answered: {_why(self.ended)}")
        raise Transient(f"no answer to {method} in {self._settings.open_seconds} s")

    async def _read(self) -> None:
        try:
            async for body in self._socket:
                self._heard = self._timing.now()
                self._take(body)
            self._end(f"closed by the venue: {self._socket.close_code} {self._socket.close_reason}")
        except ConnectionClosed as error:
            self._end(f"connection lost: {error}")
        except Transient as error:
            self._end(str(error))
        except Exception as error:  # noqa: BLE001 - a fault of our own, raised where it is awaited
            self._fail(error)

    def _take(self, body: str | bytes) -> None:
        message = read_message(body)
        if isinstance(message, Answer):
            self._take_answer(message)
        elif isinstance(message, Shutdown):
            self.leaving.set()
        elif not isinstance(message, Unknown):
            self._on_event(message)

    def _take_answer(self, message: Answer) -> None:
        waiting = self._answers.get(message.id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.error)
        elif message.error:
            raise Transient(f"venue refused a message: {message.error}")

    async def _watch(self) -> None:
        silence = self._settings.silence_seconds
        while (left := self._heard + silence - self._timing.now()) > 0:
            await self._timing.sleep(left)
        self._end(f"no message for {silence} s")

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    def _fail(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _batches(names: Sequence[str], most: int) -> Iterator[list[str]]:
    for start in range(0, len(names), most):
        yield list(names[start : start + most])


def _why(ended: asyncio.Future[str]) -> str:
    with contextlib.suppress(Exception):
        return ended.result()
    return str(ended.exception())

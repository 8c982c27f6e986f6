"""HTTP and WebSockets on one port: order, cuts, resets, lives and slow readers."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fakes.venue_wire import Told, TurnedClock, exchange_bytes, listening, until
from tidewright.domain.errors import ConfigError
from tidewright.servers.venue.clock import RunningClock
from tidewright.servers.venue.wire import Delivery, Listener, Reply, SocketSettings

CLOSE = b"GET /end HTTP/1.1\r\nConnection: close\r\n\r\n"


def _path(request, respond):
    respond(Delivery(Reply(200, request.path.encode())))


def _bodies(data: bytes) -> list[bytes]:
    """Split answers by their Content-Length, which must hold."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.startswith(b"Content-Length")
        )
        found.append(rest[:length])
        data = rest[length:]
    return found


def _talk(application: Told, sent: bytes, clock: TurnedClock | None = None, parts: int = 1):
    async def run() -> bytes:
        async with listening(application, clock or TurnedClock()) as port:
            return await exchange_bytes(port, sent, parts=parts)

    return asyncio.run(run())


@settings(max_examples=15, deadline=None)
@given(
    paths=st.lists(st.text("abc/", max_size=6), max_size=20),
    bodies=st.lists(st.binary(max_size=30), max_size=20),
    parts=st.integers(1, 40),
)
def test_pipelined_requests_are_answered_in_order_however_they_are_split(paths, bodies, parts):
    application = Told(
        lambda request, respond: respond(
            Delivery(Reply(200, request.path.encode() + b"?" + request.body))
        )
    )
    asked = list(zip(paths, bodies, strict=False))
    sent = b"".join(
        b"POST /%s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body)
        for path, body in asked
    )
    answered = _bodies(_talk(application, sent + CLOSE, parts=parts))
    assert answered == [b"/%s?%s" % (path.encode(), body) for path, body in asked] + [b"/end?"]


def test_request_says_what_its_bytes_said():
    application = Told()
    _talk(
        application,
        b"POST /api/v3/order?a=%20b&c HTTP/1.1\r\nX-MBX-APIKEY: Key\r\nContent-Length: 3\r\n"
        b"Connection: close\r\n\r\nx=1",
    )
    (request,) = application.requests
    assert (request.method, request.path, request.query) == ("POST", "/api/v3/order", "a=%20b&c")
    assert (request.body, request.headers["x-mbx-apikey"]) == (b"x=1", "Key")
    assert (request.peer, request.received) == ("127.0.0.1", TurnedClock().now())


def test_answer_that_is_ready_first_waits_for_the_one_asked_for_first():
    waiting = []

    def rule(request, respond):
        if request.path == "/slow":
            waiting.append(respond)
        else:
            respond(Delivery(Reply(200, b"quick")))
            waiting[0](Delivery(Reply(200, b"slow")))

    assert _bodies(_talk(Told(rule), b"GET /slow HTTP/1.1\r\n\r\n" + CLOSE)) == [b"slow", b"quick"]


def test_delay_is_venue_time_and_holds_back_what_follows():
    clock = TurnedClock()

    def rule(request, respond):
        delay = 6.0 if request.path == "/slow" else 0.0
        respond(Delivery(Reply(200, request.path.encode()), delay=delay))

    async def run() -> None:
        application = Told(rule)
        async with listening(application, clock) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /slow HTTP/1.1\r\n\r\n" + CLOSE)
            await until(lambda: len(application.requests) == 2)
            clock.turn(5.9)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)
            clock.turn(0.1)
            assert _bodies(await reader.read()) == [b"/slow", b"/end"]
            writer.close()

    asyncio.run(run())


@pytest.mark.parametrize("cut", [0, 1, 17, 120])
def test_cut_answer_ends_after_its_bytes(cut):
    whole = Reply(200, b"x" * 100).encode(keep=True)
    application = Told(lambda _, respond: respond(Delivery(Reply(200, b"x" * 100), cut=cut)))
    assert _talk(application, b"GET / HTTP/1.1\r\n\r\n") == whole[:cut]


def test_reset_is_seen_as_a_reset():
    application = Told(lambda _, respond: respond(Delivery(None, reset=True)))
    with pytest.raises(ConnectionResetError):
        _talk(application, b"GET / HTTP/1.1\r\n\r\n")


def test_refused_connection_is_reset():
    application = Told()
    application.takes = False
    with pytest.raises(ConnectionResetError):
        _talk(application, b"GET / HTTP/1.1\r\n\r\n")
    assert application.requests == []


def test_answer_that_never_comes_leaves_the_connection_open():
    async def run() -> None:
        application = Told(lambda _, respond: respond(Delivery(None)))
        async with listening(application, TurnedClock()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await until(lambda: application.requests)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.02)
            writer.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 2**21, b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + b"a" * 2**21, b"413"),
    ],
)
def test_request_that_cannot_be_read_is_refused_and_the_connection_closed(sent, status):
    async def run() -> bytes:
        async with listening(Told(), TurnedClock()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            answer = await reader.readline()
            writer.close()
            return answer

    assert asyncio.run(run()).split()[1] == status


def test_other_protocol_is_answered_as_if_it_had_not_been_offered():
    sent = b"GET /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    assert _bodies(_talk(Told(_path), sent)) == [b"/a"]


@pytest.mark.parametrize("compression", ["deflate", None])
def test_socket_echoes_and_closes_once(compression):
    async def run() -> None:
        application = Told()
        async with listening(application, TurnedClock()) as port:
            url = f"ws://127.0.0.1:{port}/ws/btcusdt@trade?x=1"
            async with connect(url, compression=compression) as client:
                for text in ("a", "b" * 40_000, "ü"):
                    await client.send(text)
                    assert await client.recv() == text
                await client.send(["in ", "three ", "parts"])
                assert await client.recv() == "in three parts"
                await (await client.ping())
            request = application.sockets[0].request
            assert (request.path, request.query) == ("/ws/btcusdt@trade", "x=1")
            await until(lambda: "close" in application.events)
        assert application.events == ["open", "heartbeat", "close"]
        assert not application.sockets[0].is_open

    asyncio.run(run())


def test_refused_socket_gets_its_answer():
    async def run() -> int:
        application = Told()
        application.refusal = Reply(429, b"{}")
        async with listening(application, TurnedClock()) as port:
            with pytest.raises(InvalidStatus) as caught:
                await connect(f"ws://127.0.0.1:{port}/ws")
            return caught.value.response.status_code

    assert asyncio.run(run()) == 429


def test_server_pings_and_closes_when_no_pong_came_for_a_minute():
    async def run() -> None:
        application, clock = Told(), TurnedClock()
        async with (
            listening(application, clock) as port,
            connect(f"ws://127.0.0.1:{port}/ws", ping_interval=None) as client,
        ):
            await until(lambda: "open" in application.events)
            for beat in range(1, 7):
                clock.turn(20)
                await until(lambda beat=beat: application.events.count("heartbeat") == beat)
            assert application.sockets[0].is_open
            client.transport.pause_reading()
            clock.turn(60)
            assert not application.sockets[0].is_open
            client.transport.resume_reading()
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "Pong timeout")

    asyncio.run(run())


def test_socket_lives_a_day_and_is_warned_before():
    async def run() -> None:
        application, clock = Told(), TurnedClock()
        life = SocketSettings(ping_every=1e9)
        async with (
            listening(application, clock, life) as port,
            connect(f"ws://127.0.0.1:{port}/ws", ping_interval=None) as client,
        ):
            await until(lambda: "open" in application.events)
            clock.turn(86_400 - 601)
            assert application.events == ["open"]
            clock.turn(1)
            assert application.events == ["open", "shutdown"]
            assert application.sockets[0].is_open
            clock.turn(600)
            with pytest.raises(ConnectionClosed) as caught:
                await client.recv()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1001

    asyncio.run(run())


def test_slow_reader_is_cut_off_and_the_others_go_on():
    async def run() -> None:
        application = Told()
        limit = SocketSettings(write_limit=2**16)
        async with (
            listening(application, TurnedClock(), limit) as port,
            connect(f"ws://127.0.0.1:{port}/slow", compression=None) as slow,
            connect(f"ws://127.0.0.1:{port}/quick", compression=None) as quick,
        ):
            await until(lambda: len(application.sockets) == 2)
            slow.transport.pause_reading()
            for _ in range(2_000):
                application.sockets[0].send(b"x" * 10_000)
                if not application.sockets[0].is_open:
                    break
                await asyncio.sleep(0)
            await until(lambda: "close" in application.events)
            application.sockets[1].send(json.dumps({"ok": 1}).encode())
            assert json.loads(await quick.recv()) == {"ok": 1}
            slow.transport.abort()

    asyncio.run(run())


def test_gate_decides_what_leaves():
    async def run() -> None:
        application = Told()
        async with (
            listening(application, TurnedClock()) as port,
            connect(f"ws://127.0.0.1:{port}/ws") as client,
        ):
            await until(lambda: application.sockets)
            socket = application.sockets[0]
            held: list[bytes] = []
            socket.gate = held.append
            socket.send(b"first")
            socket.send(b"second")
            for text in reversed(held):
                socket.transmit(text)
            assert [await client.recv(), await client.recv()] == ["second", "first"]

    asyncio.run(run())


def test_listener_keeps_to_loopback_unless_told_otherwise():
    with pytest.raises(ConfigError, match=r"0\.0\.0\.0"):
        Listener(Told(), TurnedClock(), host="0.0.0.0")
    Listener(Told(), TurnedClock(), host="0.0.0.0", public=True)


def test_taken_port_is_named():
    async def run() -> None:
        async with listening(Told(), TurnedClock()) as port:
            with pytest.raises(ConfigError, match=f"port {port}"):
                await Listener(Told(), TurnedClock(), port=port).start()

    asyncio.run(run())


def test_clock_runs_at_its_speed_and_can_be_shifted():
    clock = RunningClock(speed=1_000.0, start=5)
    first = clock.now()
    clock.shift(10**15)
    assert clock.now() - first >= 10**15
    with pytest.raises(ConfigError, match="speed was 0"):
        RunningClock(speed=0)

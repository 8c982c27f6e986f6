"""What the paper venue's server accepts, refuses and does when its log fails."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from fakes.orders import bar
from fakes.venue_harness import FREE_OF_COST, INSTRUMENTS
from tidewright.domain.errors import ConfigError, Transient
from tidewright.exchange.paper import MemoryVenueLog, PaperVenue
from tidewright.servers.paper import VenueServer
from tidewright.servers.paper.protocol import answer


class FullDisk(MemoryVenueLog):
    full = False

    def append(self, records) -> None:
        if self.full:
            raise Transient("disk full")
        super().append(records)


@pytest.fixture
def venue() -> PaperVenue:
    return PaperVenue(INSTRUMENTS, FREE_OF_COST, MemoryVenueLog(), 7)


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (b"nonsense", "expected JSON"),
        (b"[1]", "expected an object"),
        (b'{"id": 1, "do": "plaice"}', "did you mean 'place'"),
        (b'{"id": 1, "do": "place", "intent": {"lots": 5}}', "OrderIntent"),
        (b'{"id": 1, "do": "place", "intent": {"price": 5}}', "unknown fields"),
        (b'{"id": 1, "do": "cancel"}', "'client_id' was None; expected str"),
        (b'{"id": 1, "do": "since", "sequence": "1"}', "expected int"),
        (b'{"id": 1, "do": "observe", "bars": [["BTCUSDT", "1m", 1.5]]}', "bar was"),
    ],
)
def test_request_that_cannot_be_understood_is_told_and_changes_nothing(venue, request_, complaint):
    said = json.loads(answer(venue, request_))
    assert complaint in said["error"]
    assert venue.last_sequence == 0


def test_understood_request_is_answered_with_its_number(venue):
    said = json.loads(answer(venue, b'{"id": 41, "do": "account"}'))
    assert said["id"] == 41
    assert said["events"][0][0] == "AccountReported"


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "::", "192.168.0.1"])
def test_server_listens_on_loopback_only(venue, host):
    with pytest.raises(ConfigError, match="expected 127.0.0.1"):
        VenueServer(venue, host)


def test_server_whose_venue_cannot_write_answers_nothing_and_ends():
    log = FullDisk()
    venue = PaperVenue(INSTRUMENTS, FREE_OF_COST, log, 7)
    server = VenueServer(venue)
    ready = threading.Event()
    ports: list[int] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            server.run(lambda port: (ports.append(port), ready.set()))
        except Transient as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(10)
    log.full = True
    with socket.create_connection(("127.0.0.1", ports[0]), 10) as client:
        client.sendall(b'{"id": 1, "do": "query", "client_id": "a-1-e"}\n')
        assert client.recv(100) == b""
    thread.join(10)
    assert not thread.is_alive()
    assert "disk full" in str(failures[0])


def test_server_serves_two_connections(venue):
    server = VenueServer(venue)
    ready = threading.Event()
    ports: list[int] = []
    thread = threading.Thread(
        target=server.run, args=(lambda port: (ports.append(port), ready.set()),)
    )
    thread.start()
    assert ready.wait(10)
    shown = bar(0, 10, 11, 9, 10)
    row = [shown.instrument, shown.timeframe, shown.ts_event, shown.ts_known, 10, 11, 9, 10, 5]
    line = json.dumps({"id": 7, "do": "observe", "bars": [row]}).encode() + b"\n"
    with (
        socket.create_connection(("127.0.0.1", ports[0]), 10) as one,
        socket.create_connection(("127.0.0.1", ports[0]), 10) as two,
    ):
        for client in (one, two, one):
            client.sendall(line)
            assert json.loads(client.makefile("rb").readline())["id"] == 7
    server.stop()
    thread.join(10)
    assert not thread.is_alive()

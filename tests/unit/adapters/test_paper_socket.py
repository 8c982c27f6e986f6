"""The client of the paper venue when answers are late, broken or never come."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fakes.orders import bar, cancel, intent, query, submit
from fakes.venue_harness import SocketHarness, names
from tidewright.adapters.paper_socket import PaperSocketBroker
from tidewright.domain.errors import Transient
from tidewright.domain.events import AnswerLost, OrderFilled

STEADY = (10_000, 10_010, 9_990, 10_000)


class Relay:
    """Stands between client and venue; drops the request or the answer of chosen calls."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.fault: Callable[[str], str] = lambda _: ""
        self.calls: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self._target)) as venue:
                self._carry(client.makefile("rwb"), venue.makefile("rwb"))

    def _carry(self, client, venue) -> None:
        for line in client:
            name = json.loads(line)["do"]
            self.calls.append(name)
            fault = self.fault(name)
            if fault == "drop request":
                return
            venue.write(line)
            venue.flush()
            answer = venue.readline()
            if fault == "drop answer":
                return
            client.write(b"}{\n" if fault == "break answer" else answer)
            client.flush()

    def close(self) -> None:
        self._listener.close()


def once(call: str, fault: str) -> Callable[[str], str]:
    left = [1]

    def choose(name: str) -> str:
        if name == call and left[0]:
            left[0] -= 1
            return fault
        return ""

    return choose


@pytest.fixture
def harness(tmp_path: Path) -> Iterator[SocketHarness]:
    harness = SocketHarness(tmp_path / "venue.sqlite3")
    yield harness
    harness.close()


@pytest.fixture
def relay(harness: SocketHarness) -> Iterator[Relay]:
    relay = Relay(harness.port)
    yield relay
    relay.close()


@pytest.fixture
def broker(relay: Relay) -> Iterator[PaperSocketBroker]:
    broker = PaperSocketBroker("127.0.0.1", relay.port, timeout_seconds=5, patience_seconds=5)
    broker.events_since(0)
    yield broker
    broker.close()


@pytest.mark.parametrize("fault", ["drop answer", "break answer"])
def test_order_whose_answer_was_lost_is_unknown_and_was_sent_once(relay, broker, fault):
    relay.fault = once("place", fault)
    (lost,) = broker.execute(submit(intent("a-1-e", 0)))
    assert isinstance(lost, AnswerLost)
    assert lost.client_id == "a-1-e"
    assert relay.calls.count("place") == 1
    events = broker.execute(query("a-1-e"))
    assert names(events) == ["OrderAccepted"]
    assert sum(isinstance(e, OrderFilled) for e in broker.observe([bar(0, *STEADY)])) == 1


def test_order_that_never_arrived_is_unknown_until_a_query_denies_it(relay, broker):
    relay.fault = once("place", "drop request")
    assert names(broker.execute(submit(intent("a-1-e", 0)))) == ["AnswerLost"]
    assert names(broker.execute(query("a-1-e"))) == ["OrderNotFound"]
    assert relay.calls.count("place") == 1


def test_answer_that_was_lost_comes_with_the_next_call(relay, broker):
    relay.fault = once("place", "drop answer")
    broker.execute(submit(intent("a-1-e", 0)))
    assert names(broker.observe([bar(0, *STEADY)])) == ["OrderAccepted", "OrderFilled"]


def test_bars_whose_answer_was_lost_are_shown_again_and_change_nothing_twice(relay, broker):
    broker.execute(submit(intent("a-1-e", 0)))
    relay.fault = once("observe", "drop answer")
    assert names(broker.observe([bar(0, *STEADY)])) == ["OrderFilled"]
    assert relay.calls.count("observe") == 2
    assert dict(broker.account().positions) == {"BTCUSDT": 100}


@pytest.mark.parametrize("command", [cancel("a-1-e"), query("a-1-e")])
def test_lost_cancel_and_lost_query_are_told_by_client_id(relay, broker, command):
    broker.execute(submit(intent("a-1-e", 0)))
    name = "query" if command == query("a-1-e") else "cancel"
    relay.fault = once(name, "drop answer")
    (lost,) = broker.execute(command)
    assert isinstance(lost, AnswerLost)
    assert lost.client_id == "a-1-e"


def test_fresh_client_misses_nothing_that_happens_after_it_came(relay, harness):
    broker = PaperSocketBroker("127.0.0.1", relay.port)
    relay.fault = once("place", "drop answer")
    assert names(broker.execute(submit(intent("a-1-e", 0)))) == ["AnswerLost"]
    assert names(broker.observe([bar(0, *STEADY)])) == ["OrderAccepted", "OrderFilled"]
    broker.close()


def test_venue_that_restarts_is_found_again(harness):
    broker = harness.broker
    broker.execute(submit(intent("a-1-e", 0)))
    harness.restart()
    assert names(broker.observe([bar(0, *STEADY)])) == ["OrderFilled"]


def test_command_to_a_venue_that_is_down_is_unknown(harness):
    broker = harness.broker
    broker.events_since(0)
    harness.stop()
    assert names(broker.execute(submit(intent("a-1-e", 0)))) == ["AnswerLost"]
    harness._start()
    assert names(broker.execute(query("a-1-e"))) == ["OrderNotFound"]


def test_question_to_a_venue_that_stays_down_fails_when_patience_ends(harness):
    broker = PaperSocketBroker("127.0.0.1", harness.port, patience_seconds=0.1)
    harness.stop()
    for ask in (broker.account, lambda: broker.observe([bar(0, *STEADY)])):
        with pytest.raises(Transient, match="did not answer"):
            ask()
    harness._start()


def test_silent_venue_makes_a_command_unknown_when_its_time_is_over():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker = PaperSocketBroker("127.0.0.1", silent.getsockname()[1], timeout_seconds=0.1)
        assert names(broker.execute(submit(intent("a-1-e", 0)))) == ["AnswerLost"]
        broker.close()

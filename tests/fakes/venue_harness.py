"""Ways to run a venue for the conformance suite: each can be shown bars and be restarted."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from fakes.orders import instrument
from tidewright.adapters.paper_socket import PaperSocketBroker
from tidewright.domain.ports import Broker, VenueLog
from tidewright.exchange.paper import MemoryVenueLog, PaperSettings, PaperVenue
from tidewright.servers.paper import VenueServer
from tidewright.storage.venue_log import SqliteVenueLog

FREE_OF_COST = PaperSettings(
    simulate_slippage=False,
    simulate_spread=False,
    simulate_volume_limit=False,
    simulate_impact=False,
)
IN_PARTS = replace(
    FREE_OF_COST,
    simulate_partial_fills=True,
    partial_fill_probability=Decimal(1),
    partial_fill_volume_percent=Decimal(10),
)
INSTRUMENTS = (instrument("BTCUSDT"), instrument("ETHUSDT", shortable=False))


class VenueHarness(Protocol):
    """A venue that a test can reach, and stop and start."""

    @property
    def broker(self) -> Broker: ...

    def restart(self) -> None:
        """Let the venue die and come back."""

    def close(self) -> None: ...


class MemoryHarness:
    """The venue in this process; its log is the only thing that survives a restart."""

    def __init__(self, settings: PaperSettings = FREE_OF_COST, seed: int = 7) -> None:
        self._settings, self._seed = settings, seed
        self._log: VenueLog = MemoryVenueLog()
        self._venue = self._start()

    @property
    def broker(self) -> PaperVenue:
        return self._venue

    def restart(self) -> None:
        self._venue = self._start()

    def close(self) -> None:
        self._venue.close()

    def _start(self) -> PaperVenue:
        return PaperVenue(INSTRUMENTS, self._settings, self._log, self._seed)


class SqliteHarness:
    """The venue in this process over its durable log; a restart opens the file again."""

    def __init__(self, path: Path, settings: PaperSettings = FREE_OF_COST, seed: int = 7) -> None:
        self.path, self._settings, self._seed = path, settings, seed
        self._venue = self._start()

    @property
    def broker(self) -> PaperVenue:
        return self._venue

    def restart(self) -> None:
        self._venue.close()
        self._venue = self._start()

    def close(self) -> None:
        self._venue.close()

    def _start(self) -> PaperVenue:
        return PaperVenue(INSTRUMENTS, self._settings, SqliteVenueLog(self.path), self._seed)


class SocketHarness:
    """The venue behind its server on loopback; a restart drops the connection on the way."""

    def __init__(self, path: Path, settings: PaperSettings = FREE_OF_COST, seed: int = 7) -> None:
        self.path, self._settings, self._seed = path, settings, seed
        self.port = 0
        self._start()
        self._broker = PaperSocketBroker("127.0.0.1", self.port)

    @property
    def broker(self) -> PaperSocketBroker:
        return self._broker

    def restart(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def close(self) -> None:
        self._broker.close()
        self.stop()

    def _start(self) -> None:
        log = SqliteVenueLog(self.path)
        venue = PaperVenue(INSTRUMENTS, self._settings, log, self._seed)
        self._server = VenueServer(venue, port=self.port)
        ready = threading.Event()
        ports: list[int] = []

        def note(port: int) -> None:
            ports.append(port)
            ready.set()

        self._thread = threading.Thread(target=self._server.run, args=(note,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        self.port = ports[0]


def names(events: Sequence[object]) -> list[str]:
    """Class names of events, for short assertions."""
    return [type(event).__name__ for event in events]

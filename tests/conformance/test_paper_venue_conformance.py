"""The conformance suite over the paper venue: in memory, over its durable log, over its wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.venue_conformance import VenueConformance
from fakes.venue_harness import (
    FREE_OF_COST,
    IN_PARTS,
    MemoryHarness,
    SocketHarness,
    SqliteHarness,
)


class TestPaperVenueInMemory(VenueConformance):
    @pytest.fixture
    def harness(self) -> MemoryHarness:
        return MemoryHarness(FREE_OF_COST)

    @pytest.fixture
    def parts(self) -> MemoryHarness:
        return MemoryHarness(IN_PARTS)


class TestPaperVenueOverItsLog(VenueConformance):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[SqliteHarness]:
        harness = SqliteHarness(tmp_path / "venue.sqlite3", FREE_OF_COST)
        yield harness
        harness.close()

    @pytest.fixture
    def parts(self, tmp_path: Path) -> Iterator[SqliteHarness]:
        harness = SqliteHarness(tmp_path / "venue.sqlite3", IN_PARTS)
        yield harness
        harness.close()


class TestPaperVenueOverTheWire(VenueConformance):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Iterator[SocketHarness]:
        harness = SocketHarness(tmp_path / "venue.sqlite3", FREE_OF_COST)
        yield harness
        harness.close()

    @pytest.fixture
    def parts(self, tmp_path: Path) -> Iterator[SocketHarness]:
        harness = SocketHarness(tmp_path / "venue.sqlite3", IN_PARTS)
        yield harness
        harness.close()

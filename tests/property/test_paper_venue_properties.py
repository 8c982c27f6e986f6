"""What must hold of the paper venue over long stories: money, memory, repeatability."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from fakes.independent_ledger import audit
from fakes.venue_harness import INSTRUMENTS
from fakes.venue_scenario import Action, story
from tidewright.domain.events import BorrowCharged, OrderFilled, VenueEvent
from tidewright.exchange.paper import MemoryVenueLog, PaperSettings, PaperVenue
from tidewright.storage.venue_log import SqliteVenueLog

LIVELY = PaperSettings(
    simulate_partial_fills=True,
    partial_fill_probability=Decimal("0.5"),
    max_volume_percent=Decimal(30),
    limit_through_ticks=0,
)
ROOT = Path(__file__).parents[2]


class BatchedLog(MemoryVenueLog):
    """Remembers where each append ended: the moments at which a crash can find the log."""

    def __init__(self, records: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__()
        self.append(records)
        self.ends: list[int] = []

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        super().append(records)
        if hasattr(self, "ends"):
            self.ends.append(len(self.load()))


def venue_on(log, settings: PaperSettings = LIVELY, seed: int = 11) -> PaperVenue:
    return PaperVenue(INSTRUMENTS, settings, log, seed)


def play(venue: PaperVenue, bars: Sequence[Sequence[Action]]) -> list[VenueEvent]:
    return [event for actions in bars for action in actions for event in action(venue)]


def test_story_is_lively_enough_to_prove_anything():
    venue = venue_on(MemoryVenueLog())
    kinds = Counter(type(event).__name__ for event in play(venue, list(story(1, 400))))
    for name in ("OrderFilled", "OrderRejected", "OrderCanceled", "OrderExpired", "StopMoved"):
        assert kinds[name] > 5, kinds
    charged = {
        seed
        for seed in range(8)
        for event in play(venue_on(MemoryVenueLog()), list(story(seed, 150)))
        if isinstance(event, BorrowCharged)
    }
    assert {1, 5} <= charged


@pytest.mark.parametrize("seed", range(1, 6))
def test_cash_and_positions_are_conserved_to_the_last_unit(seed):
    venue = venue_on(MemoryVenueLog())
    play(venue, list(story(seed, 300)))
    cash = Fraction(10_000 * 10**8)
    lots: Counter[str] = Counter()
    for event in venue.events_since(0):
        if isinstance(event, OrderFilled):
            fill = event.fill
            cash -= fill.side.sign * fill.lots * fill.ticks * 1_000 + fill.fee
            lots[fill.instrument] += fill.side.sign * fill.lots
        elif isinstance(event, BorrowCharged):
            cash -= event.amount
    report = venue.account()
    assert report.cash == cash
    assert dict(report.positions) == {name: held for name, held in lots.items() if held}


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_independent_ledger_agrees_to_the_last_unit(tmp_path, seed):
    path = tmp_path / "venue.sqlite3"
    log = SqliteVenueLog(path)
    venue = venue_on(log)
    play(venue, list(story(seed, 200)))
    found = audit(str(path))
    assert found.problems == []
    assert found.fills > 20
    assert (found.cash, found.positions) == (venue.account().cash, dict(venue.account().positions))
    log.close()


def test_independent_ledger_finds_a_fill_that_was_written_twice(tmp_path):
    path = tmp_path / "venue.sqlite3"
    log = SqliteVenueLog(path)
    venue = venue_on(log)
    play(venue, list(story(1, 60)))
    fill = next(e.fill for e in venue.events_since(0) if isinstance(e, OrderFilled))
    again = {
        "kind": "event",
        "name": "OrderFilled",
        "event": {"fill": fill, "venue_sequence": venue.last_sequence + 1},
    }
    log.append([again])
    assert any("booked twice" in problem for problem in audit(str(path)).problems)
    log.close()


def test_trade_ids_are_unique_per_instrument():
    venue = venue_on(MemoryVenueLog())
    play(venue, list(story(3, 400)))
    fills = [event.fill for event in venue.events_since(0) if isinstance(event, OrderFilled)]
    ids = [(fill.instrument, fill.trade_id) for fill in fills]
    assert len(ids) == len(set(ids)) > 50


def test_crash_at_every_record_boundary_changes_nothing_that_follows():
    bars = list(story(5, 60))
    log = BatchedLog()
    whole = venue_on(log)
    # After each action: how much of the log was written, and where the story goes on.
    moments: list[tuple[int, int, int]] = []
    for index, actions in enumerate(bars):
        for number, action in enumerate(actions):
            action(whole)
            moments.append((log.ends[-1], index, number))
    records = log.load()
    assert len(set(log.ends)) > 60
    for end, index, number in moments:
        survivor_log = BatchedLog(records[:end])
        survivor = venue_on(survivor_log)
        assert bars[index][0](survivor) == []
        play(survivor, [bars[index][number + 1 :], *bars[index + 1 :]])
        assert survivor_log.load() == records
        assert survivor.account() == whole.account()


def test_rebuilt_venue_answers_like_the_one_that_never_stopped():
    log = MemoryVenueLog()
    whole = venue_on(log)
    bars = list(story(6, 150))
    play(whole, bars)
    rebuilt = venue_on(log)
    assert rebuilt.events_since(0) == whole.events_since(0)
    assert bars[-1][0](rebuilt) == []
    assert rebuilt.account() == whole.account()


def digest_of_story(seed: int) -> str:
    log = MemoryVenueLog()
    play(venue_on(log, seed=seed), list(story(8, 200)))
    return json.dumps(log.load())


def test_same_seed_gives_the_same_fills_and_another_seed_gives_others():
    assert digest_of_story(1) == digest_of_story(1)
    first, second = (
        [r for r in json.loads(digest_of_story(seed)) if r.get("name") == "OrderFilled"]
        for seed in (1, 2)
    )
    assert first != second


def test_hash_seed_of_the_process_changes_nothing():
    program = (
        "import hashlib, property.test_paper_venue_properties as p;"
        "print(hashlib.sha256(p.digest_of_story(4).encode()).hexdigest())"
    )
    digests = set()
    for hash_seed in ("1", "4242"):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": hash_seed,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")]),
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1

"""A restored engine decides as the one that never stopped; an adopted past leaves the same state.

The runs trade the simulated market with every strategy of the library, so the moments at which
they are cut have orders under way, positions open and limits tripped.
"""

from __future__ import annotations

import json
from functools import cache, partial

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.engines import RecordedRun, record
from tidewright.app.strategies import LoadedStrategy, load_strategies, reload_strategy
from tidewright.domain.codec import SCHEMA_VERSION
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.facts import OrderExecuted, SubmitOrder, TradingStateChanged
from tidewright.engine.adopt import adopt
from tidewright.engine.core import Engine
from tidewright.engine.encoding import decode_outcome, encode_outcome, encode_slice
from tidewright.engine.replay import verify_decisions
from tidewright.engine.snapshot import restore_snapshot, take_snapshot
from tidewright.strategy.library import library
from tidewright.strategy.spec import dump_spec

EAGER = ("risk.max_consecutive_losses=off", "risk.max_correlated_positions=off")
NAMES = sorted(library())
MINUTES = 150
LAST = st.integers(1, 360 + MINUTES)
"""Inputs: the start, six hours of warm-up, and the minutes of trading."""


def five_minutes() -> LoadedStrategy:
    text = dump_spec(library()["ta_confidence"])
    assert "timeframe: any" in text
    return reload_strategy(text.replace("timeframe: any", "timeframe: 5m"), "five minutes")


@cache
def run(name: str) -> RecordedRun:
    strategies = {
        "all": lambda: load_strategies(NAMES),
        "five minutes": lambda: [five_minutes(), *load_strategies(["sma_cross_plain"])],
        "limits": lambda: load_strategies(NAMES),
    }
    overrides = ("risk.max_daily_loss_percent=0.05",) if name == "limits" else EAGER
    made = strategies.get(name, lambda: load_strategies([name]))()
    return record(made, MINUTES, *overrides)


def restored(found: RecordedRun, inputs: int) -> Engine:
    engine = Engine(found.config)
    history = partial(found.history, inputs)
    restore_snapshot(engine.state, found.snapshots[inputs - 1], history)
    return engine


def assert_goes_on_alike(engine: Engine, found: RecordedRun, inputs: int) -> None:
    for number in range(inputs, len(found.slices)):
        outcome = engine.step(number + 1, found.slices[number])
        assert encode_outcome(outcome) == found.written[number], f"input {number + 1}"
    assert take_snapshot(engine.state) == found.snapshots[-1]


def test_tight_limits_were_tripped() -> None:
    changes = [fact for one in run("limits").outcomes for fact in one.facts]
    assert any(isinstance(fact, TradingStateChanged) for fact in changes)


@pytest.mark.parametrize("name", ["all", "five minutes"])
def test_runs_trade_enough_to_tell_a_difference(name: str) -> None:
    outcomes = run(name).outcomes
    orders = sum(type(command) is SubmitOrder for one in outcomes for command in one.commands)
    fills = sum(type(fact) is OrderExecuted for one in outcomes for fact in one.facts)
    assert orders > 5
    assert fills > 5


@pytest.mark.parametrize("name", ["all", "five minutes", "limits"])
@settings(max_examples=8)
@given(inputs=LAST)
def test_engine_restored_at_any_moment_decides_the_rest_alike(name: str, inputs: int) -> None:
    found = run(name)
    assert_goes_on_alike(restored(found, inputs), found, inputs)


@pytest.mark.parametrize("name", NAMES)
def test_engine_of_each_strategy_is_restored_with_an_order_under_way(name: str) -> None:
    found = run(name)
    inputs = next((number + 1 for number, one in enumerate(found.outcomes) if one.commands), 400)
    assert_goes_on_alike(restored(found, inputs), found, inputs)


@given(inputs=LAST)
@settings(max_examples=30)
def test_snapshot_of_a_restored_engine_is_the_same_bytes(inputs: int) -> None:
    found = run("all")
    assert take_snapshot(restored(found, inputs).state) == found.snapshots[inputs - 1]


@pytest.mark.parametrize("name", ["all", "five minutes", "limits"])
@settings(max_examples=4)
@given(inputs=LAST)
def test_adopted_past_leaves_ledger_orders_and_limits_as_deciding_it_does(
    name: str, inputs: int
) -> None:
    found = run(name)
    engine = Engine(found.config)
    for number in range(inputs):
        recorded = decode_outcome(number + 1, found.written[number])
        adopt(engine, number + 1, found.slices[number], recorded)
    adopted = json.loads(take_snapshot(engine.state))
    expected = json.loads(found.snapshots[inputs - 1])
    for part in ("portfolio", "instruments", "window", "venue_sequence", "account_open"):
        assert adopted[part] == expected[part], part
    for part in ("orders", "trades"):
        assert adopted["orders"][part] == expected["orders"][part], part
    assert adopted["risk"]["breakers"] == expected["risk"]["breakers"]


@settings(max_examples=6)
@given(inputs=LAST)
def test_engine_that_adopted_its_past_goes_on_alike(inputs: int) -> None:
    found = run("all")
    engine = Engine(found.config)
    for number in range(inputs):
        recorded = decode_outcome(number + 1, found.written[number])
        adopt(engine, number + 1, found.slices[number], recorded)
    for number in range(inputs, len(found.slices)):
        outcome = engine.step(number + 1, found.slices[number])
        assert encode_outcome(outcome) == found.written[number], f"input {number + 1}"


def test_input_that_was_never_decided_is_adopted_without_a_command() -> None:
    found = run("all")
    inputs = next(number for number, one in enumerate(found.outcomes) if one.commands) + 1
    engine = restored(found, inputs - 1)
    adopt(engine, inputs, found.slices[inputs - 1], None)
    assert engine.state.sequence == inputs
    assert engine.state.orders.working() == restored(found, inputs - 1).state.orders.working()


def rows(found: RecordedRun) -> list[tuple[int, bytes, bytes | None]]:
    return [
        (number + 1, encode_slice(slice_), written)
        for number, (slice_, written) in enumerate(zip(found.slices, found.written, strict=True))
    ]


def test_replay_finds_every_decision_identical() -> None:
    found = run("all")
    report = verify_decisions(Engine(found.config), rows(found))
    assert (report.inputs, report.differences, report.unrecorded) == (len(found.slices), (), ())


def test_replay_names_the_input_that_was_decided_differently_or_not_at_all() -> None:
    found = run("all")
    entries = rows(found)
    entries[379] = (380, entries[379][1], entries[379][2] + b" ")
    entries[380] = (381, entries[380][1], None)
    report = verify_decisions(Engine(found.config), entries)
    assert [item.sequence for item in report.differences] == [380]
    assert report.differences[0].decided == found.written[379]
    assert report.unrecorded == (381,)


def test_replay_keeps_a_hundred_differences_at_most() -> None:
    found = run("all")
    entries = [(number, payload, b"") for number, payload, _ in rows(found)]
    report = verify_decisions(Engine(found.config), entries)
    assert len(report.differences) == 100
    assert report.inputs == len(entries)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"{",
        lambda data: b"[]",
        lambda data: orjson.dumps({**data, "schema": SCHEMA_VERSION + 1}),
        lambda data: orjson.dumps({key: data[key] for key in data if key != "orders"}),
        lambda data: orjson.dumps({key: data[key] for key in data if key != "sequence"}),
        lambda data: orjson.dumps({**data, "portfolio": {**data["portfolio"], "cash": 1}}),
        lambda data: orjson.dumps({**data, "risk": {}}),
        lambda data: orjson.dumps({**data, "instruments": [{"id": "X"}]}),
        lambda data: orjson.dumps({**data, "schema": "one"}),
    ],
)
def test_damaged_snapshot_is_refused(damage) -> None:
    found = run("all")
    snapshot = damage(orjson.loads(found.snapshots[-1]))
    with pytest.raises(DataIntegrityError):
        restore_snapshot(Engine(found.config).state, snapshot, lambda name: None)

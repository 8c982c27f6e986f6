"""Strategies on bars longer than the feed's: judged at their own closes, restored mid-bucket."""

from __future__ import annotations

import pytest

from fakes.engines import BUY, Bench, Scripted, facts_of, only_order, orders_of, setup
from fakes.orders import START, bar
from tidewright.domain.facts import SignalGenerated
from tidewright.domain.market import Bar
from tidewright.domain.time import MINUTE
from tidewright.engine.core import Engine
from tidewright.engine.snapshot import restore_snapshot, take_snapshot
from tidewright.features.declarations import resolve
from tidewright.market.arrays import bar_arrays

FIVE = 5 * MINUTE
# Open time of the first bar of a five-minute bucket.
FIRST = -(-START // FIVE) * FIVE
OFFSET = (FIRST - START) // MINUTE


def minute(number: int, close: int) -> Bar:
    return bar(OFFSET + number, close, close + 5, close - 5, close)


class Anchored(Scripted):
    """Reads columns that depend on where history began, beside the close."""

    references = (
        *Scripted.references,
        resolve("ema", (3,)),
        resolve("rsi", (2,)),
        resolve("sma", (2,)),
    )


def five() -> Scripted:
    return Anchored("five", {10_010: BUY})


def test_longer_bars_are_judged_at_their_own_closes_alone() -> None:
    script = five()
    bench = Bench(setup(script, timeframe="5m"))
    entered = [number for number in range(15) if orders_of(bench.bars(minute(number, 10_010)))]
    assert script.asked == [10_010] * 3
    # The order of the close at minute 4 works from then on, so it stays the only one.
    assert entered == [4]


def test_close_of_the_longer_bar_is_that_of_its_last_minute() -> None:
    script = five()
    bench = Bench(setup(script, timeframe="5m"))
    for number in range(5):
        bench.bars(minute(number, 10_000 + number))
    assert script.asked == [10_004]


def test_bucket_whose_last_minute_never_came_is_judged_with_the_next_bar() -> None:
    script = five()
    bench = Bench(setup(script, timeframe="5m"))
    for number in range(4):
        bench.bars(minute(number, 10_000 + number))
    assert script.asked == []
    bench.bars(minute(6, 10_900))
    assert script.asked == [10_003]


def test_one_instrument_is_watched_in_two_timeframes() -> None:
    quick, slow = Scripted("quick", {}), Scripted("slow", {})
    bench = Bench(setup(quick), setup(slow, timeframe="5m"))
    for number in range(10):
        bench.bars(minute(number, 10_000 + number))
    assert len(quick.asked) == 10
    assert slow.asked == [10_004, 10_009]


@pytest.mark.parametrize(("timeframe", "per_row"), [("", 1), ("5m", 5)])
def test_time_stop_counts_the_bars_of_the_strategys_own_timeframe(
    timeframe: str, per_row: int
) -> None:
    bench = Bench(setup(five(), timeframe=timeframe, time_stop_bars=3))
    opened = left = None
    for number in range(40):
        outcome = bench.bars(minute(number, 10_010))
        orders = orders_of(outcome)
        if orders and opened is None:
            order = only_order(outcome)
            bench.tell(bench.accepted(order.client_id), bench.filled(order, 10_010))
            opened = number
        elif orders:
            assert facts_of(outcome, SignalGenerated)[0].signal.reason == "time stop"
            left = number
            break
    assert opened == per_row - 1
    assert left == opened + 3 * per_row


def columns(bench: Bench) -> str:
    """Return the newest row and the one before it of every timeframe, to the last bit."""
    series = bench.engine.state.tracks["BTCUSDT"].series
    return repr([(one.timeframe, one.columns.current, one.columns.previous) for one in series])


@pytest.mark.parametrize("cut", range(1, 17))
def test_engine_restored_within_a_bucket_goes_on_exactly(cut: int) -> None:
    bars = [minute(number, 10_000 + number * number % 37) for number in range(2, 24)]
    del bars[6], bars[11]
    setups = [setup(five(), timeframe="5m"), setup(Anchored("quick", {}))]
    whole, first, second = Bench(*setups), Bench(*setups), Bench(*setups)
    for one in bars[:cut]:
        whole.bars(one)
        first.bars(one)
    fresh = Engine(second.engine.config)
    known = bar_arrays("BTCUSDT", "1m", bars[:cut])
    restore_snapshot(fresh.state, take_snapshot(first.engine.state), lambda name: known)
    second.engine = fresh
    assert columns(second) == columns(whole)
    for one in bars[cut:]:
        assert second.bars(one) == whole.bars(one)
        assert columns(second) == columns(whole)
    assert take_snapshot(second.engine.state) == take_snapshot(whole.engine.state)

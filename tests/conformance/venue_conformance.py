"""What every venue must do, whatever is behind it.

A venue's test class inherits `VenueConformance` and gives two fixtures: ``harness``, a venue with
an account of 10,000 USDT trading BTCUSDT (tick 0.01, lot 0.001, shortable) and ETHUSDT (not
shortable) without spread and slippage, and ``parts``, the same one whose bars fill a tenth of
their volume at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from fakes.orders import bar, cancel, intent, leaving, query, submit
from fakes.venue_harness import VenueHarness, names
from tidewright.domain.events import (
    AnswerLost,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    StopMoved,
)
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.orders import Bracket, Fill, Side

CASH = 10_000 * UNITS_PER_CURRENCY
STEADY = (10_000, 10_010, 9_990, 10_000)
PROTECTED = Bracket(stop_ticks=9_900, target_ticks=10_200)


def fills(events: Sequence[object]) -> list[Fill]:
    return [event.fill for event in events if isinstance(event, OrderFilled)]


def of(kind: type, events: Sequence[object]) -> list[str]:
    return [event.client_id for event in events if isinstance(event, kind)]


class VenueConformance:
    """Place, cancel, partial fills, refusals, duplicates, queries, restarts, balances, brackets."""

    def test_market_order_is_accepted_and_fills_at_the_next_open(self, harness: VenueHarness):
        broker = harness.broker
        broker.observe([bar(0, *STEADY)])
        (accepted,) = broker.execute(submit(intent("a-1-e", 1)))
        assert isinstance(accepted, OrderAccepted)
        assert accepted.venue_order_id
        (filled,) = fills(broker.observe([bar(1, 10_005, 10_010, 9_990, 10_000)]))
        assert (filled.client_id, filled.lots, filled.ticks) == ("a-1-e", 100, 10_005)
        assert (filled.side, filled.maker) == (Side.BUY, False)

    def test_limit_order_works_until_the_market_trades_through_it(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, limit_ticks=9_950)))
        assert broker.observe([bar(0, *STEADY)]) == ()
        (filled,) = fills(broker.observe([bar(1, 10_000, 10_010, 9_940, 9_960)]))
        assert (filled.ticks, filled.maker) == (9_950, True)

    def test_cancelled_order_never_fills(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, limit_ticks=9_950)))
        (cancelled,) = broker.execute(cancel("a-1-e"))
        assert isinstance(cancelled, OrderCanceled)
        assert broker.observe([bar(0, 10_000, 10_010, 9_000, 9_100)]) == ()
        assert broker.account().cash == CASH

    def test_cancel_of_a_filled_order_answers_with_its_true_state(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0)))
        broker.observe([bar(0, *STEADY)])
        answer = broker.execute(cancel("a-1-e"))
        assert names(answer) == ["OrderAccepted", "OrderFilled"]

    def test_cancel_of_an_unknown_order_is_not_found(self, harness: VenueHarness):
        (answer,) = harness.broker.execute(cancel("a-9-e"))
        assert isinstance(answer, OrderNotFound)

    def test_partial_fill_carries_the_rest_to_the_next_bars(self, parts: VenueHarness):
        broker = parts.broker
        broker.execute(submit(intent("a-1-e", 0)))
        sizes = [
            [fill.lots for fill in fills(broker.observe([bar(index, *STEADY, volume=400)]))]
            for index in range(4)
        ]
        assert sizes == [[40], [40], [20], []]
        assert dict(broker.account().positions) == {"BTCUSDT": 100}

    def test_cancel_of_a_partly_filled_order_keeps_what_was_filled(self, parts: VenueHarness):
        broker = parts.broker
        broker.execute(submit(intent("a-1-e", 0)))
        broker.observe([bar(0, *STEADY, volume=400)])
        assert of(OrderCanceled, broker.execute(cancel("a-1-e"))) == ["a-1-e"]
        assert broker.observe([bar(1, *STEADY, volume=400)]) == ()
        assert dict(broker.account().positions) == {"BTCUSDT": 40}

    def test_trade_ids_of_partial_fills_differ(self, parts: VenueHarness):
        broker = parts.broker
        broker.execute(submit(intent("a-1-e", 0)))
        told = [e for index in range(3) for e in broker.observe([bar(index, *STEADY, volume=400)])]
        ids = [fill.trade_id for fill in fills(told)]
        assert len(ids) == len(set(ids)) == 3

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"instrument": "NOPE"}, "UNKNOWN_INSTRUMENT"),
            ({"lots": 0}, "INVALID_QUANTITY"),
            ({"lots": 100_001}, "MAX_QUANTITY"),
            ({"lots": 10, "reference_ticks": 100}, "MIN_NOTIONAL"),
            ({"lots": 99_999}, "INSUFFICIENT_CASH"),
            ({"instrument": "ETHUSDT", "side": Side.SELL}, "NOT_SHORTABLE"),
        ],
    )
    def test_order_against_the_rules_is_refused_with_a_code(self, harness, changes, code):
        (answer,) = harness.broker.execute(submit(intent("a-1-e", 0, **changes)))
        assert isinstance(answer, OrderRejected)
        assert (answer.client_id, answer.code) == ("a-1-e", code)
        assert answer.reason
        assert harness.broker.observe([bar(0, *STEADY)]) == ()

    def test_reserved_cash_cannot_be_spent_twice(self, harness: VenueHarness):
        broker = harness.broker
        dear = {"limit_ticks": 9_000, "lots": 60_000}
        assert names(broker.execute(submit(intent("a-1-e", 0, **dear)))) == ["OrderAccepted"]
        (refused,) = broker.execute(submit(intent("a-2-e", 0, **dear)))
        assert refused.code == "INSUFFICIENT_CASH"
        broker.execute(cancel("a-1-e"))
        assert names(broker.execute(submit(intent("a-3-e", 0, **dear)))) == ["OrderAccepted"]

    def test_exit_without_a_position_is_refused(self, harness: VenueHarness):
        (answer,) = harness.broker.execute(submit(leaving("a-1-x", 0)))
        assert isinstance(answer, OrderRejected)
        assert answer.code == "NOTHING_TO_REDUCE"

    def test_duplicate_client_id_is_refused_and_never_executed_twice(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0)))
        for _ in range(2):
            (again,) = broker.execute(submit(intent("a-1-e", 0)))
            assert isinstance(again, OrderRejected)
            assert again.code == "DUPLICATE"
        assert len(fills(broker.observe([bar(0, *STEADY)]))) == 1
        (after,) = broker.execute(submit(intent("a-1-e", 1)))
        assert after.code == "DUPLICATE"
        assert broker.observe([bar(1, *STEADY)]) == ()
        assert dict(broker.account().positions) == {"BTCUSDT": 100}

    def test_query_gives_the_state_again_and_changes_nothing(self, harness: VenueHarness):
        broker = harness.broker
        told = list(broker.execute(submit(intent("a-1-e", 0))))
        told += broker.observe([bar(0, *STEADY)])
        before = broker.account()
        assert list(broker.execute(query("a-1-e"))) == told
        assert list(broker.execute(query("a-1-e"))) == told
        assert broker.account() == before

    def test_query_of_an_order_that_never_came_is_not_found(self, harness: VenueHarness):
        (answer,) = harness.broker.execute(query("a-9-e"))
        assert isinstance(answer, OrderNotFound)
        assert answer.client_id == "a-9-e"

    def test_bars_already_met_change_nothing(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        broker.observe([bar(0, *STEADY)])
        broker.observe([bar(1, *STEADY)])
        before = broker.account()
        assert broker.observe([bar(0, 9_000, 9_001, 8_000, 8_500)]) == ()
        assert broker.observe([bar(1, 9_000, 9_001, 8_000, 8_500)]) == ()
        assert broker.account() == before

    def test_events_since_gives_every_later_event_once_in_order(self, harness: VenueHarness):
        broker = harness.broker
        told = list(broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED))))
        told += broker.observe([bar(0, *STEADY)])
        told += broker.observe([bar(1, 10_000, 10_300, 9_990, 10_250)])
        assert list(broker.events_since(0)) == told
        sequences = [event.venue_sequence for event in told]
        assert sequences == list(range(sequences[0], sequences[0] + len(told)))
        assert list(broker.events_since(sequences[2])) == told[3:]
        assert list(broker.events_since(sequences[-1])) == []

    def test_restart_forgets_nothing(self, harness: VenueHarness):
        broker = harness.broker
        told = list(broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED))))
        told += broker.observe([bar(0, *STEADY)])
        told += broker.execute(submit(intent("b-1-e", 1, limit_ticks=9_950)))
        before = broker.account()
        harness.restart()
        assert list(harness.broker.events_since(0)) == told
        assert harness.broker.account().cash == before.cash
        assert harness.broker.account().positions == before.positions
        (again,) = harness.broker.execute(submit(intent("a-1-e", 1)))
        assert again.code == "DUPLICATE"
        events = harness.broker.observe([bar(1, 10_000, 10_010, 9_890, 9_900)])
        assert [(f.client_id, f.ticks) for f in fills(events)] == [
            ("a-1-s", 9_900),
            ("b-1-e", 9_950),
        ]

    def test_restart_does_not_revive_a_cancelled_order(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        broker.observe([bar(0, *STEADY)])
        broker.execute(submit(intent("b-1-e", 1, limit_ticks=9_950)))
        for client_id in ("b-1-e", "a-1-s"):
            assert of(OrderCanceled, broker.execute(cancel(client_id))) == [client_id]
        harness.restart()
        assert harness.broker.observe([bar(1, 10_000, 10_010, 9_000, 9_100)]) == ()

    def test_restart_keeps_the_progress_of_a_trailing_stop(self, harness: VenueHarness):
        broker = harness.broker
        bracket = Bracket(stop_ticks=9_900, trail_ticks=100)
        broker.execute(submit(intent("a-1-e", 0, bracket=bracket)))
        broker.observe([bar(0, *STEADY)])
        (moved,) = broker.observe([bar(1, 10_000, 10_500, 9_990, 10_450)])
        assert isinstance(moved, StopMoved)
        assert (moved.client_id, moved.stop_ticks) == ("a-1-s", 10_400)
        harness.restart()
        (filled,) = fills(harness.broker.observe([bar(2, 10_450, 10_460, 10_390, 10_400)]))
        assert (filled.client_id, filled.ticks) == ("a-1-s", 10_400)

    def test_balances_are_what_the_fills_make_them(self, harness: VenueHarness):
        broker = harness.broker
        assert broker.account().cash == CASH
        broker.execute(submit(intent("a-1-e", 0)))
        (bought,) = fills(broker.observe([bar(0, *STEADY)]))
        value = 100 * 10_000 * 1_000
        assert bought.fee == value // 1_000
        assert broker.account().cash == CASH - value - bought.fee
        broker.execute(submit(leaving("a-2-x", 1)))
        (sold,) = fills(broker.observe([bar(1, 10_100, 10_110, 10_090, 10_100)]))
        assert broker.account().positions == ()
        gained = 100 * 100 * 1_000
        assert broker.account().cash == CASH + gained - bought.fee - sold.fee

    def test_short_position_is_the_mirror_of_a_long_one(self, harness: VenueHarness):
        broker = harness.broker
        bracket = Bracket(stop_ticks=10_100, target_ticks=9_800)
        broker.execute(submit(intent("a-1-e", 0, side=Side.SELL, bracket=bracket)))
        broker.observe([bar(0, *STEADY)])
        assert dict(broker.account().positions) == {"BTCUSDT": -100}
        events = broker.observe([bar(1, 10_000, 10_010, 9_700, 9_750)])
        assert [(f.client_id, f.side, f.ticks) for f in fills(events)] == [
            ("a-1-t", Side.BUY, 9_800)
        ]
        assert of(OrderCanceled, events) == ["a-1-s"]

    def test_entry_brings_its_bracket_to_life(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        events = broker.observe([bar(0, *STEADY)])
        assert names(events) == ["OrderFilled", "OrderAccepted", "OrderAccepted"]
        assert of(OrderAccepted, events) == ["a-1-s", "a-1-t"]

    @pytest.mark.parametrize(
        ("moves", "filled", "cancelled", "ticks"),
        [
            ((10_000, 10_010, 9_890, 9_900), "a-1-s", "a-1-t", 9_900),
            ((10_000, 10_210, 9_990, 10_200), "a-1-t", "a-1-s", 10_200),
            ((10_000, 10_300, 9_800, 10_000), "a-1-s", "a-1-t", 9_900),
            ((9_800, 9_810, 9_790, 9_800), "a-1-s", "a-1-t", 9_800),
            ((10_300, 10_310, 10_290, 10_300), "a-1-t", "a-1-s", 10_300),
        ],
    )
    def test_one_leg_fills_and_the_other_is_cancelled(
        self, harness, moves, filled, cancelled, ticks
    ):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        broker.observe([bar(0, *STEADY)])
        events = broker.observe([bar(1, *moves)])
        assert [(f.client_id, f.ticks, f.lots) for f in fills(events)] == [(filled, ticks, 100)]
        assert of(OrderCanceled, events) == [cancelled]
        assert broker.account().positions == ()

    def test_entry_and_stop_may_fill_within_one_bar(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        events = broker.observe([bar(0, 10_000, 10_300, 9_800, 10_000)])
        assert [f.client_id for f in fills(events)] == ["a-1-e", "a-1-s"]
        assert broker.account().positions == ()

    def test_exit_closes_and_cancels_the_bracket(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, bracket=PROTECTED)))
        broker.observe([bar(0, *STEADY)])
        broker.execute(submit(leaving("a-2-x", 1)))
        events = broker.observe([bar(1, *STEADY)])
        assert [f.client_id for f in fills(events)] == ["a-2-x"]
        assert sorted(of(OrderCanceled, events)) == ["a-1-s", "a-1-t"]
        assert broker.observe([bar(2, 9_000, 12_000, 8_000, 9_000)]) == ()

    def test_exit_never_turns_a_position_around(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0)))
        broker.observe([bar(0, *STEADY)])
        broker.execute(submit(leaving("a-2-x", 1, lots=150)))
        events = broker.observe([bar(1, *STEADY)])
        assert [f.lots for f in fills(events)] == [100]
        assert of(OrderCanceled, events) == ["a-2-x"]
        assert broker.account().positions == ()

    def test_working_entry_expires_after_its_bars(self, harness: VenueHarness):
        broker = harness.broker
        broker.execute(submit(intent("a-1-e", 0, limit_ticks=9_000, expire_after_bars=2)))
        assert broker.observe([bar(0, *STEADY)]) == ()
        harness.restart()
        broker = harness.broker
        assert of(OrderExpired, broker.observe([bar(1, *STEADY)])) == ["a-1-e"]
        assert broker.observe([bar(2, 9_000, 9_001, 8_000, 8_500)]) == ()

    def test_no_answer_is_lost_on_a_healthy_venue(self, harness: VenueHarness):
        broker = harness.broker
        answers = list(broker.execute(submit(intent("a-1-e", 0))))
        answers += broker.execute(query("a-1-e"))
        answers += broker.execute(cancel("a-1-e"))
        assert not any(isinstance(answer, AnswerLost) for answer in answers)

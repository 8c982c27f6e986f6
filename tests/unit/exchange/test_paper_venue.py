"""The paper venue's own rules, beyond what every venue must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from fakes.orders import START, bar, cancel, instrument, intent, leaving, query, submit
from fakes.venue_harness import FREE_OF_COST, INSTRUMENTS, names
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.events import (
    BorrowCharged,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    StopMoved,
)
from tidewright.domain.market import Bar
from tidewright.domain.orders import Bracket, Leg, OrderType, Side
from tidewright.domain.time import MINUTE
from tidewright.exchange.paper import MemoryVenueLog, PaperSettings, PaperVenue

STEADY = (10_000, 10_010, 9_990, 10_000)


def venue(settings: PaperSettings = FREE_OF_COST, log: MemoryVenueLog | None = None) -> PaperVenue:
    return PaperVenue(INSTRUMENTS, settings, log or MemoryVenueLog(), 7)


def rejection(broker: PaperVenue, order) -> str:
    (answer,) = broker.execute(submit(order))
    assert isinstance(answer, OrderRejected)
    return answer.code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"leg": Leg.STOP}, "INVALID_LEG"),
        ({"client_id": "x" * 40}, "INVALID_ID"),
        ({"lots": -1}, "INVALID_QUANTITY"),
        ({"lots": 2**62, "reference_ticks": 2**41}, "MAX_QUANTITY"),
        ({"limit_ticks": -5, "order_type": OrderType.LIMIT}, "INVALID_PRICE"),
        ({"order_type": OrderType.LIMIT}, "INVALID_PRICE"),
        ({"order_type": OrderType.MARKET, "limit_ticks": 9_000}, "INVALID_PRICE"),
        ({"reference_ticks": 2**42}, "INVALID_PRICE"),
        ({"bracket": Bracket(stop_ticks=0)}, "INVALID_PRICE"),
        ({"bracket": Bracket(trail_ticks=-3)}, "INVALID_PRICE"),
    ],
)
def test_malformed_order_is_refused(changes, code):
    client_id = changes.pop("client_id", "a-1-e")
    assert rejection(venue(), intent(client_id, 0, **changes)) == code


def test_order_too_large_to_be_counted_is_refused():
    boundless = instrument(max_quantity=Decimal(0))
    broker = PaperVenue([boundless], FREE_OF_COST, MemoryVenueLog(), 7)
    huge = intent("a-1-e", 0, lots=2**50, reference_ticks=2**40)
    assert rejection(broker, huge) == "INVALID_QUANTITY"


def test_entry_against_an_open_trade_is_refused():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0)))
    assert rejection(broker, intent("a-2-e", 0, side=Side.SELL)) == "OPPOSITE_TRADE"


def test_second_exit_of_a_trade_is_refused_while_the_first_works():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0)))
    broker.observe([bar(0, *STEADY)])
    broker.execute(submit(leaving("a-2-x", 1, limit_ticks=11_000)))
    assert rejection(broker, leaving("a-3-x", 1)) == "EXIT_WORKING"
    broker.execute(cancel("a-2-x"))
    assert names(broker.execute(submit(leaving("a-4-x", 1)))) == ["OrderAccepted"]


def test_exit_of_another_strategy_is_refused():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0)))
    broker.observe([bar(0, *STEADY)])
    assert rejection(broker, leaving("a-2-x", 1, strategy="other")) == "NOTHING_TO_REDUCE"


def test_id_that_the_venue_denied_is_refused_when_its_order_comes_late():
    broker = venue()
    assert names(broker.execute(query("a-1-e"))) == ["OrderNotFound"]
    assert rejection(broker, intent("a-1-e", 0)) == "GIVEN_UP"


def test_costs_make_buys_dearer_and_sells_cheaper():
    broker = venue(PaperSettings(simulate_volume_limit=False, simulate_impact=False))
    broker.execute(submit(intent("a-1-e", 0)))
    (bought, *_) = broker.observe([bar(0, *STEADY)])
    broker.execute(submit(leaving("a-2-x", 1)))
    (sold, *_) = broker.observe([bar(1, *STEADY)])
    # 0.15 % slippage and half of a 0.05 % spread: 17.5 ticks of 10,000, rounded against us.
    assert (bought.fill.ticks, sold.fill.ticks) == (10_018, 9_982)


def test_maker_fee_is_charged_on_resting_orders_only():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, limit_ticks=9_950)))
    (filled, *_) = broker.observe([bar(0, 10_000, 10_010, 9_900, 9_960)])
    assert filled.fill.maker
    assert filled.fill.fee == 100 * 9_950 * 1_000 * 5 // 10_000


def test_fill_at_the_open_happens_at_the_open_and_inside_at_the_close():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, bracket=Bracket(stop_ticks=9_900))))
    fills = [
        e.fill
        for e in broker.observe([bar(0, 10_000, 10_010, 9_890, 9_900)])
        if isinstance(e, OrderFilled)
    ]
    assert [fill.ts_event for fill in fills] == [START, START + MINUTE]


def test_entry_that_gapped_beyond_free_cash_is_cancelled_at_the_fill():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, lots=99_000, bracket=Bracket(stop_ticks=9_000))))
    (cancelled,) = broker.observe([bar(0, 11_000, 11_010, 10_990, 11_000)])
    assert isinstance(cancelled, OrderCanceled)
    assert cancelled.client_id == "a-1-e"
    assert broker.account().positions == ()


def test_short_sale_does_not_pay_for_more_exposure():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, side=Side.SELL, lots=80_000)))
    broker.observe([bar(0, *STEADY)])
    assert rejection(broker, intent("b-1-e", 1, instrument="ETHUSDT", lots=30_000)) == (
        "INSUFFICIENT_CASH"
    )


@pytest.mark.parametrize("milliseconds", [100, 59_999])
def test_latency_below_a_bar_fills_at_the_next_open(milliseconds):
    broker = venue(replace(FREE_OF_COST, simulate_latency_ms=milliseconds))
    broker.execute(submit(intent("a-1-e", 0)))
    assert names(broker.observe([bar(0, *STEADY)])) == ["OrderFilled"]


def test_latency_of_more_than_a_bar_waits_for_the_first_open_after_arrival():
    broker = venue(replace(FREE_OF_COST, simulate_latency_ms=90_000))
    broker.execute(submit(intent("a-1-e", 0)))
    assert [names(broker.observe([bar(index, *STEADY)])) for index in range(3)] == [
        [],
        [],
        ["OrderFilled"],
    ]


def test_trail_without_a_stop_tells_where_the_stop_begins():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0, bracket=Bracket(trail_ticks=100))))
    events = broker.observe([bar(0, *STEADY)])
    assert names(events) == ["OrderFilled", "OrderAccepted", "StopMoved"]
    moved = events[-1]
    assert isinstance(moved, StopMoved)
    assert (moved.client_id, moved.stop_ticks) == ("a-1-s", 9_910)


def test_cancelled_stop_leaves_the_position_unprotected():
    broker = venue()
    bracket = Bracket(stop_ticks=9_900, target_ticks=10_500, trail_ticks=50)
    broker.execute(submit(intent("a-1-e", 0, bracket=bracket)))
    broker.observe([bar(0, *STEADY)])
    assert names(broker.execute(cancel("a-1-s"))) == ["OrderCanceled"]
    assert broker.observe([bar(1, 10_000, 10_400, 5_000, 6_000)]) == ()
    assert names(broker.observe([bar(2, 10_400, 10_600, 10_000, 10_500)])) == ["OrderFilled"]


def test_stop_that_closes_a_partly_filled_entry_cancels_its_rest():
    parts = replace(
        FREE_OF_COST,
        simulate_partial_fills=True,
        partial_fill_probability=Decimal(1),
        partial_fill_volume_percent=Decimal(10),
    )
    broker = venue(parts)
    broker.execute(submit(intent("a-1-e", 0, bracket=Bracket(stop_ticks=9_900))))
    broker.observe([bar(0, *STEADY, volume=400)])
    events = broker.observe([bar(1, 9_800, 9_810, 9_790, 9_800, volume=400)])
    assert names(events) == ["OrderFilled", "OrderCanceled", "OrderCanceled"]
    assert [e.client_id for e in events if isinstance(e, OrderCanceled)] == ["a-1-e", "a-1-s"]
    assert broker.account().positions == ()


def test_bar_of_an_unknown_instrument_changes_nothing():
    assert venue().observe([bar(0, *STEADY, name="NOPE")]) == ()


def test_log_keeps_account_and_seed_of_its_first_start():
    log = MemoryVenueLog()
    first = venue(log=log)
    again = venue(replace(FREE_OF_COST, initial_balance=Decimal(5)), log)
    assert again.account().cash == first.account().cash


def test_log_of_another_currency_is_refused():
    log = MemoryVenueLog()
    venue(log=log)
    with pytest.raises(ConfigError, match=r"account is in USDT; the setting was KRW"):
        venue(replace(FREE_OF_COST, currency="KRW"), log)


def test_instrument_that_changed_its_steps_with_a_position_open_is_refused():
    log = MemoryVenueLog()
    broker = venue(log=log)
    broker.execute(submit(intent("a-1-e", 0)))
    changed = [instrument(tick_size=Decimal("0.1"))]
    with pytest.raises(DataIntegrityError, match="expected no change before flat"):
        PaperVenue(changed, FREE_OF_COST, log, 7)


def test_instrument_that_is_missing_at_a_restart_stays_traded_as_it_was():
    log = MemoryVenueLog()
    venue(log=log).execute(submit(intent("a-1-e", 0)))
    alone = PaperVenue([], FREE_OF_COST, log, 7)
    assert names(alone.observe([bar(0, *STEADY)])) == ["OrderFilled"]


class FullDisk(MemoryVenueLog):
    """Writes until it is full."""

    full = False

    def append(self, records: Sequence[Mapping[str, object]]) -> None:
        if self.full:
            raise Transient("disk full")
        super().append(records)


def test_venue_that_cannot_write_answers_nothing_until_it_is_rebuilt():
    log = FullDisk()
    broker = venue(log=log)
    log.full = True
    with pytest.raises(Transient, match="disk full"):
        broker.execute(submit(intent("a-1-e", 0)))
    log.full = False
    for ask in (broker.account, lambda: broker.events_since(0), lambda: broker.query("a-1-e")):
        with pytest.raises(DataIntegrityError, match="expected a restart"):
            ask()
    rebuilt = venue(log=log)
    assert names(rebuilt.query("a-1-e")) == ["OrderNotFound"]


@pytest.mark.parametrize(
    "changes",
    [
        {"initial_balance": Decimal(0)},
        {"initial_balance": Decimal("NaN")},
        {"slippage_percent": Decimal("-0.1")},
        {"slippage_percent": Decimal("0.00001")},
        {"spread_percent": Decimal(50)},
        {"partial_fill_probability": Decimal("1.1")},
        {"partial_fill_volume_percent": Decimal(0)},
        {"max_volume_percent": Decimal(0)},
        {"max_volume_percent": Decimal(101)},
        {"impact_coefficient": Decimal(0)},
        {"impact_coefficient": Decimal(101)},
        {"borrow_percent_year": Decimal(10_000)},
        {"borrow_percent_year": Decimal("0.00001")},
        {"simulate_latency_ms": -1},
        {"limit_through_ticks": -1},
    ],
)
def test_setting_outside_its_range_is_refused(changes):
    (name,) = changes
    with pytest.raises(ConfigError, match="expected") as raised:
        PaperSettings(**changes)
    assert name in str(raised.value) or name == "initial_balance"


def test_default_settings_are_those_of_the_documents():
    rules = PaperSettings().rules(3)
    assert (rules.cost_ppm, rules.latency, rules.partial_ppm) == (1_750, 100_000_000, 0)
    partial = PaperSettings(simulate_partial_fills=True).rules(3)
    assert (partial.partial_ppm, partial.share_ppm) == (100_000, 100_000)
    assert (rules.most_ppm, rules.impact_ppm, rules.quiet_bars) == (10_000, 1_000_000, 1)
    free = PaperSettings(simulate_slippage=False, simulate_spread=False).rules(3)
    assert free.cost_ppm == 0
    endless = PaperSettings(
        simulate_volume_limit=False, simulate_impact=False, fill_without_volume=True
    ).rules(3)
    assert (endless.most_ppm, endless.impact_ppm, endless.quiet_bars) == (0, 0, 0)


def test_order_larger_than_the_share_of_the_volume_is_carried_over_the_bars():
    broker = venue(replace(FREE_OF_COST, simulate_volume_limit=True))
    broker.execute(submit(intent("a-1-e", 0)))
    parts = [
        [event.fill.lots for event in broker.observe([bar(number, *STEADY, volume=volume)])]
        for number, volume in enumerate((4_000, 0, 40, 3_600, 9_000))
    ]
    assert parts == [[40], [], [1], [36], [23]]


# Bar 0 opens at 22:14 UTC: bar 106 is the first one of the next day.
MIDNIGHT = 106


def short_sale(broker: PaperVenue, index: int = 0) -> None:
    broker.execute(submit(intent("a-1-e", index, side=Side.SELL)))
    broker.observe([bar(index, *STEADY)])


def charges(broker: PaperVenue, *bars: Bar) -> list[BorrowCharged]:
    return [event for event in broker.observe(bars) if isinstance(event, BorrowCharged)]


def test_short_position_costs_a_fee_for_each_day_that_begins():
    broker = venue()
    short_sale(broker)
    before = broker.account().cash
    assert charges(broker, bar(MIDNIGHT - 1, *STEADY)) == []
    (charge,) = charges(broker, bar(MIDNIGHT, 10_005, 10_010, 9_990, 10_000))
    # 0.1 BTC at 100.05 is 10.005; 5 % of it over 365 days is 0.00137055 a day.
    expected = (100, 10_005, 1, 50_000, 137_055)
    assert (charge.lots, charge.ticks, charge.days, charge.rate_ppm, charge.amount) == expected
    assert charge.ts_event == bar(MIDNIGHT, *STEADY).ts_event
    assert broker.account().cash == before - 137_055
    assert charges(broker, bar(MIDNIGHT + 1, *STEADY)) == []
    # Three days without a bar, as over a weekend: one charge for all of them, rounded once.
    (charge,) = charges(broker, bar(MIDNIGHT + 3 * 1_440, *STEADY))
    assert (charge.days, charge.amount) == (3, 410_959)


def test_long_position_and_covered_short_cost_nothing():
    broker = venue()
    broker.execute(submit(intent("a-1-e", 0)))
    broker.observe([bar(0, *STEADY)])
    assert charges(broker, bar(MIDNIGHT, *STEADY)) == []
    broker = venue()
    short_sale(broker)
    broker.execute(submit(leaving("a-2-x", 1, side=Side.BUY)))
    broker.observe([bar(1, *STEADY)])
    assert broker.account().positions == ()
    assert charges(broker, bar(MIDNIGHT, *STEADY)) == []


def test_short_sold_at_the_first_open_of_a_day_owes_from_the_next_day_on():
    broker = venue()
    short_sale(broker, MIDNIGHT)
    assert charges(broker, bar(MIDNIGHT + 1, *STEADY)) == []
    assert len(charges(broker, bar(MIDNIGHT + 1_440, *STEADY))) == 1


def test_short_covered_at_the_first_open_of_a_day_was_held_over_night():
    broker = venue()
    short_sale(broker)
    broker.execute(submit(leaving("a-2-x", MIDNIGHT, side=Side.BUY)))
    first, second, *_ = broker.observe([bar(MIDNIGHT, *STEADY)])
    assert isinstance(first, BorrowCharged)
    assert isinstance(second, OrderFilled)
    assert second.venue_sequence == first.venue_sequence + 1


@pytest.mark.parametrize(
    ("rate", "settings", "amount"),
    [
        ("0.1", {}, 273_973),
        ("0", {}, None),
        (None, {"borrow_percent_year": Decimal(0)}, None),
        ("0.1", {"simulate_borrow": False}, None),
    ],
)
def test_instrument_states_its_own_rate_and_the_switch_turns_all_off(rate, settings, amount):
    stated = instrument("BTCUSDT", borrow_rate=None if rate is None else Decimal(rate))
    broker = PaperVenue([stated], replace(FREE_OF_COST, **settings), MemoryVenueLog(), 7)
    short_sale(broker)
    charged = [event.amount for event in charges(broker, bar(MIDNIGHT, *STEADY))]
    assert charged == ([] if amount is None else [amount])


def test_restarted_venue_charges_each_day_once():
    log = MemoryVenueLog()
    short_sale(venue(log=log))
    broker = venue(log=log)
    assert len(charges(broker, bar(MIDNIGHT, *STEADY))) == 1
    again = venue(log=log)
    assert charges(again, bar(MIDNIGHT, *STEADY), bar(MIDNIGHT + 1, *STEADY)) == []
    assert again.account() == replace(broker.account(), ts_event=again.account().ts_event)
    assert len(charges(again, bar(MIDNIGHT + 1_440, *STEADY))) == 1

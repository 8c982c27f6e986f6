"""Client order ids: deterministic, short, and each leg of a trade reachable from any other."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewright.domain.errors import ConfigError
from tidewright.domain.orders import Leg, OrderState, Side, client_order_id, leg_client_id

names = st.text(max_size=20)
sequences = st.integers(0, 2**63 - 1)
legs = st.sampled_from(list(Leg))
VENUE_FORM = re.compile(r"[A-Za-z0-9_-]{1,36}")


@given(names, names, names, names, sequences, legs)
def test_id_fits_every_venue(home, account, strategy, instrument, sequence, leg) -> None:
    stem = client_order_id(home, account, strategy, instrument, sequence)
    assert VENUE_FORM.fullmatch(stem)
    assert VENUE_FORM.fullmatch(leg_client_id(stem, leg))


@given(sequences, legs, legs)
@example(0xE, Leg.ENTRY, Leg.STOP)
@example(0x1E, Leg.ENTRY, Leg.TARGET)
@example(0xEE, Leg.EXIT, Leg.ENTRY)
@example(2**63 - 1, Leg.STOP, Leg.ENTRY)
def test_any_leg_leads_to_any_other(sequence: int, first: Leg, second: Leg) -> None:
    stem = client_order_id("home", "main", "s", "BTCUSDT", sequence)
    assert leg_client_id(leg_client_id(stem, first), second) == leg_client_id(stem, second)
    assert leg_client_id(stem, first) == f"{stem}-{first.value}"


@pytest.mark.parametrize("sequence", [0xE, 0x1E, 0xEE, 0xDEE, 0xFE])
def test_sequence_that_ends_in_a_leg_letter_is_not_taken_for_a_leg(sequence: int) -> None:
    stem = client_order_id("home", "main", "s", "BTCUSDT", sequence)
    assert stem.endswith("e")
    assert len({leg_client_id(stem, leg) for leg in Leg}) == len(Leg)
    assert leg_client_id(stem, Leg.ENTRY) == f"{stem}-e"


@given(sequences, sequences, legs, legs)
def test_orders_of_different_inputs_or_legs_differ(a: int, b: int, p: Leg, q: Leg) -> None:
    first = leg_client_id(client_order_id("h", "m", "s", "X", a), p)
    second = leg_client_id(client_order_id("h", "m", "s", "X", b), q)
    assert (first == second) == ((a, p) == (b, q))


words = st.tuples(*[st.text("ab", max_size=3)] * 4)


@given(words, words)
def test_owner_is_not_confused_by_where_its_names_are_cut(first, second) -> None:
    same = client_order_id(*first, 7) == client_order_id(*second, 7)
    assert same == (first == second)


def test_id_is_the_same_in_every_process() -> None:
    assert client_order_id("home", "main", "sma_cross", "BTCUSDT", 255) == "c4e9355603c1a558-ff"


@pytest.mark.parametrize("order", ["", "a b", "ä", "x" * 40, "a/b"])
def test_id_that_no_venue_takes_is_refused(order: str) -> None:
    if order == "":
        assert leg_client_id(order, Leg.ENTRY) == "-e"
        return
    with pytest.raises(ConfigError, match="client order id was"):
        leg_client_id(order, Leg.ENTRY)


def test_sides_are_opposites() -> None:
    assert [side.sign for side in Side] == [1, -1]
    assert all(side.opposite.opposite is side and side.opposite.sign == -side.sign for side in Side)


def test_final_states_are_those_where_nothing_can_happen() -> None:
    final = {state.value for state in OrderState if state.is_final}
    assert final == {"filled", "canceled", "rejected", "expired"}

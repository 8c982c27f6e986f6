"""Every domain value survives being written down, and nothing else is read back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.orders import bar, instrument, intent, submit
from tidewright.domain import codec, facts
from tidewright.domain.codec import SCHEMA_VERSION, plain, tag, untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import FeedStatus, OrderFilled, ScoreObserved
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import ApprovedOrder, Fill, Side

# A command to submit is written as a record; the others are envelopes, or proof that never leaves.
NOT_WRITTEN = {"SubmitOrder", "ApprovedOrder", "Outcome", "Slice"}
WRITTEN = sorted(set(codec._classes()) - NOT_WRITTEN)

int64 = st.integers(-(2**63), 2**63 - 1)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)
amounts = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=8)
steps = amounts.filter(lambda value: value > 0)
rates = st.integers(0, 999_999).map(lambda ppm: Decimal(ppm) / 1_000_000)

for kind, strategy in ((int, int64), (str, text), (float, finite)):
    st.register_type_strategy(kind, strategy)
st.register_type_strategy(
    Instrument,
    st.builds(
        Instrument,
        id=text,
        venue=text,
        base=text,
        quote=text,
        asset_class=st.sampled_from(AssetClass),
        tick_size=steps,
        lot_size=steps,
        min_quantity=amounts,
        max_quantity=amounts,
        min_notional=amounts,
        maker_fee_rate=rates,
        taker_fee_rate=rates,
        shortable=st.booleans(),
        source=text,
    ),
)


def values(name: str) -> st.SearchStrategy[Any]:
    cls = codec._classes()[name]
    if cls is Instrument:
        return st.from_type(Instrument)
    # Defaults are drawn too: a field that is left out would never be seen.
    hints = {
        key: hint for key, hint in get_type_hints(cls).items() if get_origin(hint) is not ClassVar
    }
    return st.builds(cls, **{key: st.from_type(hint) for key, hint in hints.items()})


def written(value: object) -> tuple[str, Any]:
    name, data = orjson.loads(orjson.dumps(tag(value), default=plain))
    return name, data


@pytest.mark.parametrize("name", WRITTEN)
@settings(max_examples=20)
@given(data=st.data())
def test_value_is_read_back_as_it_was_written(name: str, data: st.DataObject) -> None:
    value = data.draw(values(name))
    name_read, found = written(value)
    back = untag(name_read, found)
    assert back == value
    assert type(back) is type(value)
    # Equal is not enough: a Decimal must keep its places, a float must not become an int.
    assert repr(back) == repr(value)


def test_every_class_of_the_domain_is_tried() -> None:
    assert {"Bar", "Fill", "Started", "OrderFilled", "RecordedSubmission", "Trade"} <= set(WRITTEN)
    assert len(WRITTEN) > 40


def test_submission_reads_back_as_a_record_that_no_broker_accepts() -> None:
    command = submit(intent("h-1-e", 1))
    back = untag(*written(command))
    assert back == facts.RecordedSubmission(command.order.intent, ())


@pytest.mark.parametrize("name", ["SubmitOrder", "ApprovedOrder"])
def test_approval_cannot_be_read_from_storage(name: str) -> None:
    order = submit(intent("h-1-e", 1)).order
    data = orjson.loads(orjson.dumps(plain(order.intent), default=plain))
    approved = {"intent": data, "checks": [], "token": {}}
    with pytest.raises(DataIntegrityError):
        untag(name, {"order": approved} if name == "SubmitOrder" else approved)


def test_forged_token_makes_no_approval() -> None:
    with pytest.raises(TypeError, match="approval token"):
        ApprovedOrder(intent("h-1-e", 1), (), object())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Nonsense", "TradingState", "SCHEMA_VERSION", "dataclass", ""])
def test_unknown_class_is_refused(name: str) -> None:
    with pytest.raises(DataIntegrityError, match="unknown class"):
        untag(name, {})


def test_unknown_field_is_refused() -> None:
    with pytest.raises(DataIntegrityError, match=r"FeedStatus had unknown fields \['speed'\]"):
        untag("FeedStatus", {"live": True, "detail": "", "speed": 3})


def test_unknown_field_within_a_value_is_refused() -> None:
    fill = Fill("t", "h-1-e", "BTCUSDT", Side.BUY, 1, 2, 3, False, 4)
    name, data = written(OrderFilled(fill, 9))
    data["fill"]["note"] = "x"
    with pytest.raises(DataIntegrityError, match="Fill had unknown fields"):
        untag(name, data)


@pytest.mark.parametrize(
    "data",
    [
        {"live": True},
        {"live": "yes", "detail": ""},
        {"live": None, "detail": ""},
        {"live": True, "detail": 3},
        [],
        None,
        "live",
    ],
)
def test_missing_and_mistyped_fields_are_refused(data: Any) -> None:
    with pytest.raises(DataIntegrityError, match="FeedStatus"):
        untag("FeedStatus", data)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("OperatorCommand", {"state": "asleep", "actor": "a", "reason": "b"}),
        ("CancelOrder", {"client_id": 5, "instrument": "x"}),
        ("AccountReported", {"cash": 1, "positions": [["A"]], "ts_event": 0, "venue_sequence": 0}),
        ("AccountReported", {"cash": 1, "positions": "A1", "ts_event": 0, "venue_sequence": 0}),
        ("AccountReported", {"cash": 1.5, "positions": [], "ts_event": 0, "venue_sequence": 0}),
        ("Bar", ["BTCUSDT", "1m", 1, 2, 3, 4, 5, 6]),
        ("Bar", {"instrument": "BTCUSDT"}),
    ],
)
def test_value_of_a_wrong_form_is_refused(name: str, data: Any) -> None:
    with pytest.raises(DataIntegrityError):
        untag(name, data)


@pytest.mark.parametrize("size", ["NaN", "0", "-1", "one"])
def test_instrument_of_no_tick_size_is_refused(size: str) -> None:
    name, data = written(instrument())
    with pytest.raises(Exception, match="tick size|Instrument was"):
        untag(name, {**data, "tick_size": size})


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_score_that_could_not_be_read_back_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        ScoreObserved("mood", "BTCUSDT", score)


def test_newer_schema_is_refused_with_advice() -> None:
    name, data = written(bar(1, 1, 2, 1, 2))
    with pytest.raises(DataIntegrityError, match="use a newer build"):
        untag(name, data, SCHEMA_VERSION + 1)


def test_older_schema_is_lifted_one_version_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def rename(data: Any) -> Any:
        return {"live": data["alive"], "detail": data["detail"]}

    monkeypatch.setattr(codec, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(codec, "UPCASTERS", {("FeedStatus", 1): rename})
    assert codec.untag("FeedStatus", {"alive": True, "detail": "d"}, 1) == FeedStatus(True, "d")


def test_bar_is_written_as_a_plain_list() -> None:
    one = bar(3, 10, 12, 9, 11)
    name, data = written(one)
    assert name == "Bar"
    assert data == ["BTCUSDT", "1m", one.ts_event, one.ts_known, 10, 12, 9, 11, 1_000_000]


def test_what_is_no_value_is_not_written() -> None:
    for value in (object(), Bar, {1, 2}):
        with pytest.raises(TypeError, match="cannot write"):
            plain(value)


def test_enum_and_decimal_are_written_exactly() -> None:
    assert plain(Decimal("1.10")) == "1.10"
    assert plain(Side.BUY) == "buy"

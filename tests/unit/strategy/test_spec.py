from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tidewright.domain.errors import ConfigError
from tidewright.strategy.expressions import parse
from tidewright.strategy.spec import (
    AtrDistance,
    EntryOrder,
    Expression,
    OrderKind,
    PercentDistance,
    Sides,
    SizingMethod,
    SizingSpec,
    StrategySpec,
    dump_spec,
    load_spec,
)

MINIMAL = """\
schema: 1
name: plain
entry:
  long: close > open
exit:
  long: close < open
sizing: {method: percent_of_equity, value: 5}
"""


def test_minimal_document_takes_the_defaults() -> None:
    spec = load_spec(MINIMAL)
    assert spec.universe == ()
    assert spec.symbols is None
    assert spec.timeframe == ""
    assert spec.confidence.text == "0.6"
    assert spec.sizing == SizingSpec(SizingMethod.PERCENT_OF_EQUITY, Decimal(5))
    assert spec.entry_order == EntryOrder()
    assert spec.reasons == {"entry.long": "close > open", "exit.long": "close < open"}


def test_every_key_is_read() -> None:
    spec = load_spec(
        """
        schema: 1
        name: all_keys
        version: 7
        description: |
          Two lines,
          and "quotes": yes.
        universe: [BTCUSDT, NO, "123"]
        timeframe: 4h
        entry: {long: close > open, short: "close < open"}
        exit: {long: rsi > 70, short: rsi < 30}
        confidence: 0.5 + when(rsi < 30, 0.2, 0)
        sizing: {method: fixed_quantity, value: 0.00001}
        stops:
          stop_loss: {atr: 2.5}
          take_profit: {percent: 3}
          trailing: {atr: 1, period: 20}
        time_stop_bars: 12
        entry_order: {type: limit, offset: {percent: 0.1}, expire_after_bars: 3}
        """
    )
    assert spec.version == 7
    assert spec.description == 'Two lines,\nand "quotes": yes.'
    assert spec.universe == ("BTCUSDT", "NO", "123")
    assert spec.symbols == {"BTCUSDT", "NO", "123"}
    assert spec.timeframe == "4h"
    assert spec.entry.short == Expression(parse("close < open"))
    assert spec.exit.short == Expression(parse("rsi(14) < 30"))
    assert spec.sizing.value == Decimal("0.00001")
    assert spec.stops.stop_loss == AtrDistance(2.5, 14)
    assert spec.stops.take_profit == PercentDistance(3.0)
    assert spec.stops.trailing == AtrDistance(1.0, 20)
    assert spec.time_stop_bars == 12
    assert spec.entry_order == EntryOrder(OrderKind.LIMIT, PercentDistance(0.1), 3)
    assert load_spec(dump_spec(spec)) == spec


def test_json_is_read_too() -> None:
    document = {
        "schema": 1,
        "name": "plain",
        "entry": {"long": "close > open"},
        "exit": {"long": "close < open"},
        "sizing": {"method": "percent_of_equity", "value": 5},
    }
    assert load_spec(json.dumps(document)) == load_spec(MINIMAL)


def edited(old: str, new: str) -> str:
    assert old in MINIMAL
    return MINIMAL.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: document was empty"),
        ("- 1", "f.yaml, line 1: was a list; expected keys: schema"),
        ("a: [1,", "f.yaml, line 1, column 7:"),
        ("a: \x00", "f.yaml: expected YAML text"),
        ("name: x\nentry: {}", "key 'schema' is missing"),
        (edited("schema: 1", "schema: 2"), "line 1, schema: was 2; expected 1: use a newer build"),
        (edited("exit:", "exits:"), "line 5, exits: key 'exits' is unknown"),
        (edited("exit:", "exits:"), "(did you mean 'exit'?)"),
        (edited("  long: close < open", "  lnog: close < open"), "line 6, exit.lnog"),
        (edited("close > open", "close > opne"), "line 4, entry.long: in the expression, line 1, "),
        (edited("close > open", "close"), "has to be a condition, it was a number"),
        (MINIMAL + "confidence: close > open\n", "line 8, confidence: in the expression"),
        (MINIMAL + "confidence: []\n", "line 8, confidence: was a list; expected text"),
        (MINIMAL + "name: again\n", "line 8, name: key came twice, first in line 2"),
        (edited("name: plain", "name: Plain Name"), "name: was 'Plain Name'; expected a lower"),
        (edited("percent_of_equity", "percent_of_equty"), "(did you mean 'percent_of_equity'?)"),
        (edited("value: 5", "value: five"), "sizing.value: was 'five'; expected a number above 0"),
        (edited("value: 5", "value: -5"), "sizing.value: was -5; expected a number above 0"),
        (edited("value: 5", "value: .nan"), "sizing.value: was '.nan'"),
        (edited("value: 5", "value: NaN"), "sizing.value: was NaN"),
        (edited("value: 5", "value: 101"), "sizing value was 101; expected above 0 up to 100"),
        (edited("percent_of_equity", "risk_percent"), "risk_percent needs the distance of a stop"),
        (edited("exit:\n  long: close < open\n", ""), "long positions had no way out"),
        (edited("  long: close > open", "  {}"), "entry had no rule"),
        (MINIMAL + "timeframe: 1x\n", "line 8, timeframe: timeframe was '1x'"),
        (MINIMAL + "universe: some\n", "universe: was 'some'; expected 'all' or a list"),
        (MINIMAL + "universe: []\n", "had 0 symbols"),
        (MINIMAL + "universe: [A, B, A]\n", "universe[0]: symbol A came twice"),
        (MINIMAL + "universe: ['a b']\n", "universe[0]: was 'a b'; expected a symbol"),
        (MINIMAL + "time_stop_bars: 1.5\n", "was '1.5'; expected a whole number from 0"),
        (MINIMAL + "stops: {stop_loss: {}}\n", "had keys none; expected atr or percent"),
        (MINIMAL + "stops: {stop_loss: {atr: 1, percent: 1}}\n", "expected atr or percent"),
        (MINIMAL + "stops: {stop_loss: {percent: 1, period: 3}}\n", "belongs to atr"),
        (MINIMAL + "stops: {stop_loss: {atr: 0}}\n", "stops.stop_loss.atr: was 0"),
        (MINIMAL + "stops: {stop_loss: {atr: 1, period: 1}}\n", "stops.stop_loss.period: atr"),
        (MINIMAL + "entry_order: {type: limit}\n", "line 8, entry_order: entry order was limit"),
        (MINIMAL + "entry_order: {type: stop}\n", "was 'stop'; expected one of market, limit"),
        ("a: &x 1\nb: *x", "line 1: anchors and aliases are not accepted"),
        ("a: !!python/object/apply:os.system [ls]", "tags such as"),
        ("[" * 100, "at most 8 levels"),
        ("[" + "1," * 6_000 + "]", "at most 8 levels and 5000 entries"),
        ("a" * 70_000, "had 70000 characters"),
        ("schema: 1\n---\nschema: 1\n", "f.yaml, line 2"),
    ],
)
def test_fault_is_named_with_document_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_spec(text, "f.yaml")
    assert message in str(caught.value)
    assert "f.yaml" in str(caught.value)


def test_empty_values_take_the_defaults() -> None:
    assert load_spec(MINIMAL + "description:\nstops:\n") == load_spec(MINIMAL)


def test_spec_built_in_code_is_checked() -> None:
    number = Expression(parse("close"))
    with pytest.raises(ConfigError, match="expected a condition"):
        Sides(long=number)
    with pytest.raises(ConfigError, match="strategy name was 'Bad'"):
        StrategySpec("Bad")
    with pytest.raises(ConfigError, match="expected a number"):
        StrategySpec("good", confidence=Expression(parse("close > 1")))
    with pytest.raises(ConfigError, match="without spaces around"):
        StrategySpec("good", description=" x")
    with pytest.raises(ConfigError, match="atr was nan"):
        AtrDistance(float("nan"))
    with pytest.raises(ConfigError, match="sizing value was NaN"):
        SizingSpec(value=Decimal("NaN"))


def test_dumped_document_is_plain_to_read() -> None:
    text = dump_spec(load_spec(MINIMAL + "confidence: 0.65\n"))
    assert "long: close > open\n" in text
    assert "confidence: 0.65\n" in text
    assert "  value: 5\n" in text
    assert "!!" not in text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "{method: volatility_target, value: 20}",
            SizingSpec(SizingMethod.VOLATILITY_TARGET, Decimal(20), 100),
        ),
        (
            "{method: volatility_target, value: 20, period: 50}",
            SizingSpec(SizingMethod.VOLATILITY_TARGET, Decimal(20), 50),
        ),
        ("{method: kelly, value: 0.5}", SizingSpec(SizingMethod.KELLY, Decimal("0.5"))),
        (
            "{method: kelly, value: 0.25, fallback: {method: percent_of_equity, value: 2}}",
            SizingSpec(
                SizingMethod.KELLY,
                Decimal("0.25"),
                fallback=SizingSpec(SizingMethod.PERCENT_OF_EQUITY, Decimal(2)),
            ),
        ),
    ],
)
def test_sizing_with_more_than_a_value_is_read_and_written(
    written: str, expected: SizingSpec
) -> None:
    spec = load_spec(edited("{method: percent_of_equity, value: 5}", written))
    assert spec.sizing == expected
    assert load_spec(dump_spec(spec)) == spec


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{method: kelly, value: 1.5}", "expected above 0 up to 1"),
        ("{method: percent_of_equity, value: 5, period: 9}", "belongs to volatility_target"),
        (
            "{method: percent_of_equity, value: 5, fallback: {method: kelly, value: 1}}",
            "expected another method",
        ),
        (
            "{method: kelly, value: 1, fallback: {method: risk_percent, value: 1}}",
            "needs the distance of a stop",
        ),
    ],
)
def test_sizing_that_makes_no_sense_is_refused(written: str, said: str) -> None:
    text = edited("{method: percent_of_equity, value: 5}", written)
    with pytest.raises(ConfigError, match=said):
        load_spec(text)


TIERED = """\
schema: 1
name: tiered
entry: {long: close > open}
tiers:
- {share: 25, stop_loss: {percent: 5}, take_profit: {percent: 5}}
- {share: 50, stop_loss: {percent: 7}, take_profit: {percent: 10}}
- {share: 25, stop_loss: {percent: 10}, take_profit: {percent: 20}}
"""


def test_tiers_are_read_and_written() -> None:
    spec = load_spec(TIERED)
    assert [tier.share_ppm for tier in spec.tiers] == [250_000, 500_000, 250_000]
    assert spec.tiers[1].stop_loss == PercentDistance(7.0)
    assert spec.tiers[2].take_profit == PercentDistance(20.0)
    assert load_spec(dump_spec(spec)) == spec
    chosen = TIERED.replace(
        "share: 25, stop_loss: {percent: 5}",
        "share: 25, from_confidence: 0, stop_loss: {percent: 5}",
    )
    chosen = chosen.replace("share: 50,", "share: 50, from_confidence: 0.7,")
    chosen = chosen.replace(
        "share: 25, stop_loss: {percent: 10}",
        "share: 25, from_confidence: 0.9, stop_loss: {percent: 10}",
    )
    spec = load_spec(chosen)
    assert [tier.from_confidence for tier in spec.tiers] == [0, 0.7, 0.9]
    assert load_spec(dump_spec(spec)) == spec


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("share: 50", "share: 40", "shares of the tiers came to 90; expected 100"),
        ("share: 50", "share: 0", "share: was 0; expected a number above 0"),
        ("share: 50", "share: 50, from_confidence: 0.5", "expected it in each of them"),
        ("tiers:", "stops: {stop_loss: {percent: 1}}\ntiers:", "expected them in each tier alone"),
        ("take_profit: {percent: 20}", "take_profit: {percent: 0}", "percent: was 0"),
        (", take_profit: {percent: 20}", "", "take_profit"),
        (
            "tiers:",
            "tiers:\n- {share: 1, stop_loss: {atr: 1}, take_profit: {atr: 1}}",
            "had 4 tiers",
        ),
    ],
)
def test_tiers_that_make_no_sense_are_refused(old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_spec(TIERED.replace(old, new))

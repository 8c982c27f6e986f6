from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tidewright.domain.errors import ConfigError
from tidewright.features.declarations import declarations
from tidewright.features.reference import listing_text
from tidewright.strategy.compile import N_OUTPUTS, compile_spec
from tidewright.strategy.expressions import FUNCTIONS, parse_condition, parse_number, print_tree
from tidewright.strategy.library import library, library_texts, named
from tidewright.strategy.spec import dump_spec, load_spec

LANGUAGE = Path(__file__).parents[3] / "docs" / "reference" / "strategy-language.md"


def test_promised_strategies_ship() -> None:
    assert set(library()) >= {
        "sma_cross",
        "ta_confidence",
        "bollinger_reversion",
        "channel_tiers",
        "donchian_breakout",
        "momentum",
        "volatility_spike",
        "hour_trend",
        "strongest_few",
        "swing_both_ways",
    }


@pytest.mark.parametrize("name", sorted(library()))
def test_shipped_strategy_is_valid_described_and_runs(name: str) -> None:
    spec = library()[name]
    assert load_spec(library_texts()[f"{name}.yaml"], f"{name}.yaml") == spec
    assert load_spec(dump_spec(spec)) == spec
    assert len(spec.description) > 40
    assert spec.timeframe == ""
    assert spec.symbols is None
    strategy = compile_spec(spec)
    outputs = strategy.evaluate_bulk(np.ones((3, len(strategy.references))))
    assert outputs.shape == (3, N_OUTPUTS)


def test_unknown_strategy_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'sma_cross'"):
        named("sma_corss")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", LANGUAGE.read_text(), re.M | re.S)
    assert found
    return found


@pytest.mark.parametrize("text", blocks("condition"))
def test_documented_condition_parses(text: str) -> None:
    assert print_tree(parse_condition(text))


@pytest.mark.parametrize("text", blocks("number"))
def test_documented_number_parses(text: str) -> None:
    assert print_tree(parse_number(text))


@pytest.mark.parametrize("text", blocks("yaml"))
def test_documented_spec_loads(text: str) -> None:
    assert compile_spec(load_spec(text)).references


def test_documented_names_are_those_that_exist() -> None:
    text = LANGUAGE.read_text()
    listed = text.split("<!-- columns -->\n")[1].split("\n<!-- end of columns -->")[0]
    assert listed == listing_text()
    assert sorted(declarations()) == sorted(re.findall(r"`(\w+)`", listed))
    for name in FUNCTIONS:
        assert f"`{name}(" in text

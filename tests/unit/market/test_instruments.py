"""Instruments: stated, overridden, and inferred with a reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fakes.market_rows import a_raw_bar
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass
from tidewright.market.instruments import infer_step, load_table, snapped
from tidewright.market.validation import raw_bars


def test_shipped_pair_has_the_rules_of_its_venue():
    instrument = load_table().get("BTCUSDT")
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal("0.00001"))
    assert (instrument.min_notional, instrument.taker_fee_rate) == (Decimal(5), Decimal("0.001"))
    assert instrument.source == "shipped instrument table 1"


def test_every_shipped_pair_names_its_own_base():
    for name, instrument in load_table().instruments.items():
        assert instrument.base + instrument.quote == name
        assert instrument.min_quantity % instrument.lot_size == 0


def test_stated_instrument_infers_nothing_from_data_on_its_tick():
    raw = raw_bars([a_raw_bar(0, 100.01), a_raw_bar(1, float("nan")), a_raw_bar(2, -3.0001)])
    instrument, inferred = load_table().resolve("ETHUSDT", raw)
    assert instrument == load_table().get("ETHUSDT")
    assert inferred == ()


def test_price_off_the_stated_tick_makes_it_finer_and_says_so():
    raw = raw_bars([a_raw_bar(0, 100.01), a_raw_bar(1, 100.0125)])
    instrument, inferred = load_table().resolve("BTCUSDT", raw)
    assert instrument.tick_size == Decimal("0.0001")
    assert [item.field for item in inferred] == ["tick_size"]
    assert "4 of 8 prices lie off the stated tick 0.01" in inferred[0].reason
    assert "inferred" in instrument.source
    assert instrument.source.startswith("shipped instrument table 1")


def test_unknown_pair_takes_its_steps_from_the_data():
    raw = raw_bars([a_raw_bar(0, 1.2345, volume=10.5), a_raw_bar(1, 1.2, volume=0.25)])
    instrument, inferred = load_table().resolve("ABCUSDT", raw)
    assert (instrument.base, instrument.quote) == ("ABC", "USDT")
    assert instrument.asset_class is AssetClass.CRYPTO
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.0001"), Decimal("0.01"))
    assert {item.field for item in inferred} == {"asset_class", "fees", "tick_size", "lot_size"}


@pytest.mark.parametrize(
    ("name", "kind", "base", "quote"),
    [
        ("AAPL", AssetClass.STOCK, "AAPL", "USD"),
        ("BRK-B", AssetClass.STOCK, "BRK-B", "USD"),
        ("005930", AssetClass.STOCK, "005930", "KRW"),
        ("EURUSD", AssetClass.FOREX, "EUR", "USD"),
        ("XRPUSD", AssetClass.CRYPTO, "XRP", "USD"),
        ("BTC-USDT", AssetClass.CRYPTO, "BTC", "USDT"),
        ("my data", AssetClass.STOCK, "my data", "USD"),
    ],
)
def test_name_tells_the_kind_of_instrument(name: str, kind: AssetClass, base: str, quote: str):
    instrument, _ = load_table().resolve(name, raw_bars([a_raw_bar()]))
    assert (instrument.asset_class, instrument.base, instrument.quote) == (kind, base, quote)


def test_stock_rule_stands_without_data_and_a_pair_without_data_is_refused():
    instrument, _ = load_table().resolve("MSFT")
    assert (instrument.tick_size, instrument.lot_size) == (Decimal("0.01"), Decimal(1))
    with pytest.raises(ConfigError, match="expected data to infer it from"):
        load_table().resolve("ABCUSDT")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([1.0, 20.0], "1"),
        ([1.5, 2.25], "0.01"),
        ([0.1 + 0.2], "0.1"),
        ([3.7e9, 12.0], "1"),
        ([0.00000123], "0.00000001"),
        ([float("nan"), -1.234, 0.0, 7.5], "0.1"),
        ([], "1"),
    ],
)
def test_step_is_the_largest_that_holds_all_values(values: list[float], step: str):
    assert infer_step(np.array(values, np.float64))[0] == Decimal(step)


def test_digits_beyond_the_eighth_decimal_are_counted_and_cut():
    raw = raw_bars([a_raw_bar(0, 1.1234567891), a_raw_bar(1, 1.5)])
    step, reason = infer_step(raw.prices.ravel())
    assert step == Decimal("0.00000001")
    assert "4 of which have more than 8 decimals" in reason
    cut, count = snapped(raw, step)
    assert count == 4
    assert cut.prices[0].tolist() == [1.12345679] * 4
    assert snapped(cut, step)[1] == 0


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_own_file_replaces_entries_and_tries_its_rules_first(tmp_path: Path):
    own = write(
        tmp_path / "mine.yaml",
        """
version: 7
instruments:
  BTCUSDT: {venue: kraken, base: BTC, quote: USDT, asset_class: crypto,
            tick_size: "0.1", lot_size: "0.001", taker_fee_rate: "0.0026"}
rules:
  - {name: mine, match: "(?P<base>X.*)", venue: v, quote: EUR, asset_class: stock,
     tick_size: "0.5", lot_size: "2", shortable: true}
""",
    )
    table = load_table(own)
    assert table.version == "shipped-1+mine.yaml-7"
    assert table.get("BTCUSDT").tick_size == Decimal("0.1")
    assert table.get("BTCUSDT").source == f"{own} version 7"
    assert table.get("ETHUSDT").venue == "binance"
    assert table.resolve("XYZ")[0].shortable


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version: 1\ninstrumets: {}", "did you mean"),
        ("version: [", "no YAML"),
        ("instruments: {}", "version"),
        ("version: 1\nrules: [{name: a, match: b, venue: c, asset_class: shoe}]", "asset_class"),
        (
            "version: 1\nrules: [{name: a, match: '(', venue: c, asset_class: stock}]",
            "rules.0.match",
        ),
        ("version: 1\nrules: [{name: a, match: 'b', venue: c, asset_class: stock}]", "named base"),
        ("- 1", "the whole file"),
    ],
)
def test_file_of_another_form_is_refused_with_the_place(tmp_path: Path, text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        load_table(write(tmp_path / "mine.yaml", text))


def test_missing_file_and_unknown_name_are_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml could not be read"):
        load_table(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="did you mean 'BTCUSDT'"):
        load_table().get("BTCUST")

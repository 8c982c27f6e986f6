from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.homes import plain_settings
from tidewright.app.backtest import engine_config
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.strategies import load_strategies
from tidewright.app.universe import settle_universe
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass

MARKET = SimulatedFeed(1).instruments
STRATEGIES = load_strategies(["sma_cross"])


def test_everything_is_traded_unless_something_was_chosen() -> None:
    settings = settle_universe(plain_settings(), MARKET, STRATEGIES)
    assert settings.symbols == ()
    config = engine_config(settings, STRATEGIES, "1m", home="h", keep_history=False)
    assert config.strategies[0].symbols is None


def test_chosen_symbols_alone_are_traded() -> None:
    settings = settle_universe(plain_settings("symbols=ETHUSDT,BTCUSDT"), MARKET, STRATEGIES)
    config = engine_config(settings, STRATEGIES, "1m", home="h", keep_history=False)
    assert config.strategies[0].symbols == {"BTCUSDT", "ETHUSDT"}


def test_a_strategy_keeps_its_own_symbols_among_the_chosen() -> None:
    own = frozenset({"BTCUSDT", "XRPUSDT"})
    (strategy,) = STRATEGIES
    narrow = replace(strategy, setup=replace(strategy.setup, symbols=own))
    settings = settle_universe(plain_settings("symbols=ETHUSDT,BTCUSDT"), MARKET, [narrow])
    config = engine_config(settings, [narrow], "1m", home="h", keep_history=False)
    assert config.strategies[0].symbols == {"BTCUSDT"}
    with pytest.raises(ConfigError, match="sma_cross trades BTCUSDT, XRPUSDT"):
        settle_universe(plain_settings("symbols=ETHUSDT"), MARKET, [narrow])


def test_a_symbol_that_the_feed_lacks_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="symbol was 'BTCUSD'.*BTCUSDT"):
        settle_universe(plain_settings("symbols=BTCUSD"), MARKET, STRATEGIES)


def test_an_asset_class_without_venue_says_so() -> None:
    wanted = plain_settings("asset_classes=crypto,stocks,forex,options")
    assert wanted.asset_classes == (
        AssetClass.CRYPTO,
        AssetClass.STOCK,
        AssetClass.FOREX,
        AssetClass.OPTION,
    )
    market = [item for item in MARKET if item.asset_class is AssetClass.CRYPTO]
    settled = settle_universe(wanted, market, STRATEGIES)
    assert [note.split(":")[0] for note in settled.notes] == [
        "asset class stock",
        "asset class forex",
        "asset class option",
    ]
    with pytest.raises(ConfigError, match="asset classes were forex"):
        settle_universe(plain_settings("asset_classes=forex"), market, STRATEGIES)


def test_an_asset_class_narrows_what_is_traded() -> None:
    mixed = [*MARKET[:2], replace(MARKET[2], asset_class=AssetClass.STOCK)]
    settled = settle_universe(plain_settings("asset_classes=stocks"), mixed, STRATEGIES)
    assert settled.symbols == (MARKET[2].id,)


def test_an_unknown_asset_class_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"asset_classes.*'bonds'|asset_classes.*'bond'"):
        plain_settings("asset_classes=bonds")

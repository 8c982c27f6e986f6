"""What a home keeps beside its journal is enough to decide its inputs again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fakes.homes import plain_settings
from tidewright.app.backtest import engine_config
from tidewright.app.recorded import record_run, recorded_config
from tidewright.app.strategies import load_strategies
from tidewright.domain.errors import DataIntegrityError
from tidewright.engine.config import EngineConfig

OVERRIDES = ("risk.max_position_size_percent=7", "seed=3")


def kept(home: Path) -> EngineConfig:
    settings, strategies = plain_settings(*OVERRIDES), load_strategies(["momentum", "sma_cross"])
    config = engine_config(settings, strategies, "1m", home="h" * 8, keep_history=True)
    record_run(home, config, settings, strategies)
    return config


def test_configuration_is_made_again_as_it_was(tmp_path: Path) -> None:
    config = kept(tmp_path)
    found = recorded_config(tmp_path, config.fingerprint)
    assert found is not None
    assert (found.fingerprint, found.home) == (config.fingerprint, config.home)
    assert (found.risk, found.execution) == (config.risk, config.execution)
    names = [setup.strategy.name for setup in found.strategies]
    assert names == ["momentum", "sma_cross"]


def test_run_of_another_fingerprint_is_not_there(tmp_path: Path) -> None:
    kept(tmp_path)
    assert recorded_config(tmp_path, "0" * 32) is None


def test_record_is_written_once(tmp_path: Path) -> None:
    config = kept(tmp_path)
    path = tmp_path / "runs" / f"{config.fingerprint}.json"
    path.write_text(path.read_text() + "\n")
    before = path.read_text()
    kept(tmp_path)
    assert path.read_text() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_secrets_are_not_kept(tmp_path: Path) -> None:
    config = kept(tmp_path)
    text = (tmp_path / "runs" / f"{config.fingerprint}.json").read_text()
    assert "password" not in text
    assert "database" not in json.loads(text)["settings"]


@pytest.mark.parametrize("damage", ["{", "[]", '{"settings": {}}', '{"settings": {"a": 1}}'])
def test_damaged_record_is_told_by_name(tmp_path: Path, damage: str) -> None:
    config = kept(tmp_path)
    path = tmp_path / "runs" / f"{config.fingerprint}.json"
    path.write_text(damage)
    with pytest.raises(DataIntegrityError, match=f"{config.fingerprint}.json cannot be used"):
        recorded_config(tmp_path, config.fingerprint)

"""What a home ran with, kept beside its journal: enough to decide its inputs again.

One file per fingerprint, ``HOME/runs/FINGERPRINT.json``, written when a session opens. It holds
the deciding settings and the strategies in their written form, never a secret.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from tidewright.app.backtest import engine_config
from tidewright.app.fingerprint import machine_description
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy, reload_strategy
from tidewright.domain.errors import DataIntegrityError
from tidewright.engine.config import EngineConfig

_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


def record_run(
    home: Path,
    config: EngineConfig,
    settings: Settings,
    strategies: Sequence[LoadedStrategy],
) -> None:
    """Write down what a session runs with, unless this fingerprint is written down already."""
    path = _path(home, config.fingerprint)
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {
        "fingerprint": config.fingerprint,
        "machine": machine_description(),
        "home": config.home,
        "timeframe": config.feed_timeframe,
        "settings": json.loads(settings.decision_document()),
        "strategies": [{"document": item.document, "source": item.source} for item in strategies],
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(data, indent=2), encoding="utf-8")
    os.replace(partial, path)


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """What a session ran with, as it is written down.

    Parameters
    ----------
    home : str
        Id of the home.
    timeframe : str
        Of the feed.
    settings : Settings
        The deciding settings; the others are at their defaults.
    strategies : tuple of LoadedStrategy
        The strategies.
    """

    home: str
    timeframe: str
    settings: Settings
    strategies: tuple[LoadedStrategy, ...]


def recorded_run(home: Path, fingerprint: str) -> RecordedRun | None:
    """Return what a session ran with, None when it is not written down.

    Raises
    ------
    DataIntegrityError
        If what is written down cannot be used.
    """
    path = _path(home, fingerprint)
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return RecordedRun(
            str(data["home"]),
            str(data["timeframe"]),
            _SETTINGS.validate_python(data["settings"]),
            tuple(reload_strategy(item["document"], item["source"]) for item in data["strategies"]),
        )
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise DataIntegrityError(f"{path} cannot be used: {error}") from error


def recorded_config(home: Path, fingerprint: str) -> EngineConfig | None:
    """Return the configuration of a recorded run as this build makes it.

    Returns
    -------
    EngineConfig or None
        None when it is not written down. Its fingerprint differs from the one asked for when this
        build is not the one that wrote it.

    Raises
    ------
    DataIntegrityError
        If what is written down cannot be used.
    """
    run = recorded_run(home, fingerprint)
    if run is None:
        return None
    return engine_config(
        run.settings, run.strategies, run.timeframe, home=run.home, keep_history=False
    )


def _path(home: Path, fingerprint: str) -> Path:
    return home / "runs" / f"{fingerprint}.json"

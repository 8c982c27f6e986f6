"""Backtests that freqtrade exported: `.json`, or the `.zip` that holds one beside other files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidewright.app.validation.imports import Imported, TradeRows, from_trades
from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.time import DAY, parse_iso
from tidewright.research.results import Float64

_MILLISECOND = 1_000_000
_MOST_BYTES = 2_000_000_000


class _Trade(BaseModel):
    model_config = ConfigDict(extra="ignore")

    pair: str
    open_date: str
    close_date: str | None = None
    profit_abs: float
    open_rate: float = Field(default=0.0, ge=0)
    min_rate: float | None = None
    max_rate: float | None = None
    is_short: bool = False
    is_open: bool = False


class _Strategy(BaseModel):
    model_config = ConfigDict(extra="ignore")

    trades: list[_Trade]
    starting_balance: float | None = Field(default=None, gt=0)
    dry_run_wallet: float | None = Field(default=None, gt=0)
    stake_currency: str = ""
    backtest_start_ts: int | None = None
    backtest_end_ts: int | None = None


class _Export(BaseModel):
    model_config = ConfigDict(extra="ignore")

    strategy: dict[str, _Strategy]


def is_export(path: Path) -> bool:
    """Return whether a file is a backtest of freqtrade: a zip, or JSON that begins as one."""
    if path.suffix.lower() == ".zip":
        return True
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"strategy":' in file.read(4_096).replace(b" ", b"").replace(b"\n", b"")


def read_export(path: Path, name: str = "", initial: float | None = None) -> Imported:
    """Read one strategy of an exported backtest.

    Parameters
    ----------
    path : Path
        The ``.json`` or ``.zip`` file.
    name : str
        The strategy; may be left out where there is one.
    initial : float or None
        Money at the start, where the file does not say.

    Raises
    ------
    ConfigError
        If the file cannot be read, is no such export, or the strategy cannot be told.
    """
    try:
        export = _Export.model_validate_json(_content(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(
            f"{path}: {place}: {first['msg']}; expected an exported backtest of freqtrade"
        ) from error
    names = sorted(export.strategy)
    if not name and len(names) == 1:
        name = names[0]
    if name not in export.strategy:
        raise ConfigError(
            f"{path}: strategy was {name or 'not named'!r}; expected one of {', '.join(names)}"
            f"{nearest(name, names)}"
        )
    return _imported(path, name, export.strategy[name], initial)


def _content(path: Path) -> bytes:
    try:
        if path.suffix.lower() != ".zip":
            return path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            names = [
                one.filename
                for one in archive.infolist()
                if one.filename.endswith(".json")
                and not one.filename.endswith(("_config.json", ".meta.json"))
                and one.file_size < _MOST_BYTES
            ]
            if len(names) != 1:
                raise ConfigError(
                    f"{path}: results were {', '.join(names) or 'none'}; expected one .json beside "
                    "the configuration"
                )
            return archive.read(names[0])
    except (OSError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: could not be read: {error}") from error


def _imported(path: Path, name: str, found: _Strategy, initial: float | None) -> Imported:
    money = initial or found.starting_balance or found.dry_run_wallet
    if money is None:
        raise ConfigError(
            f"{path}: starting_balance was absent; expected --initial AMOUNT, the first money"
        )
    closed = [one for one in found.trades if one.close_date is not None and not one.is_open]
    notes = []
    if len(closed) < len(found.trades):
        notes.append(f"{len(found.trades) - len(closed)} trades were still open and do not count")
    rows = TradeRows(
        np.array([parse_iso(one.open_date) for one in closed], np.int64),
        np.array([parse_iso(str(one.close_date)) for one in closed], np.int64),
        np.array([one.profit_abs for one in closed], np.float64) / money,
        *_excursions(closed),
    )
    span = None
    if found.backtest_start_ts is not None and found.backtest_end_ts is not None:
        ends = (found.backtest_start_ts, found.backtest_end_ts)
        span = (ends[0] * _MILLISECOND // DAY, ends[1] * _MILLISECOND // DAY)
    return from_trades(
        name, rows, money, found.stake_currency, notes, span=span, every_day=True, where=str(path)
    )


def _excursions(trades: list[_Trade]) -> tuple[Float64 | None, Float64 | None]:
    """Return moves against and for each trade; None where the file holds no extremes."""
    if not all(one.min_rate and one.max_rate and one.open_rate for one in trades):
        return None, None
    down = np.array([1.0 - (one.min_rate or 0.0) / one.open_rate for one in trades])
    up = np.array([(one.max_rate or 0.0) / one.open_rate - 1.0 for one in trades])
    short = np.array([one.is_short for one in trades], np.bool_)
    adverse = np.maximum(np.where(short, up, down), 0.0)
    return adverse, np.maximum(np.where(short, down, up), 0.0)

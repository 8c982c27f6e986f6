"""The bar store of a home, and the sources that fill it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tidewright.app.data import BarStore
from tidewright.app.history import FetchReport, FetchRequest, Progress, fetch_history
from tidewright.app.settings import Settings


def open_bar_store(home: Path) -> BarStore:
    """Return the store of bars in a home; its folder is made when the first bar is written."""
    return bar_store_in(home / "bars")


def bar_store_in(folder: Path) -> BarStore:
    """Return the store of bars that keeps its series in a folder."""
    from tidewright.storage.bars import ParquetBars

    return ParquetBars(folder)


def is_bar_store(folder: Path) -> bool:
    """Return whether a folder holds series of a bar store."""
    return folder.is_dir() and bool(bar_store_in(folder).series())


def fetch_from_binance(
    store: BarStore, request: FetchRequest, settings: Settings, progress: Progress
) -> FetchReport:
    """Fetch what the store lacks from Binance's public history.

    Raises
    ------
    ConfigError, Transient, Rejected
        As `fetch_history`.
    """
    from tidewright.adapters.binance_history.client import ClientSettings, KlineClient
    from tidewright.adapters.binance_history.fetch import fetch_klines

    wanted = settings.binance
    client = ClientSettings(
        base_url=wanted.history_url,
        timeout_seconds=wanted.timeout_seconds,
        max_retry_attempts=wanted.max_retry_attempts,
        base_retry_delay_seconds=wanted.base_retry_delay_seconds,
    )
    with KlineClient(client) as source:
        return fetch_history(store, partial(fetch_klines, source), request, progress)

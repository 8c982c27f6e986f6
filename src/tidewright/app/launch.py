"""From what a person asked for to what runs: feeds, windows, requests."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from tidewright.app.bar_store import bar_store_in, is_bar_store
from tidewright.app.data import stored_feed
from tidewright.app.declarations import read_declaration
from tidewright.app.feeds.agents import AgentFeed
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.feeds.files import FileFeed
from tidewright.app.feeds.simulated import SimulatedFeed
from tidewright.app.settings import Settings, load_settings
from tidewright.app.settings.model import Mode
from tidewright.app.strategies import LoadedStrategy, load_strategies
from tidewright.app.trader import Pace
from tidewright.domain.errors import ConfigError
from tidewright.domain.events import TradingWindow
from tidewright.domain.ports import MarketFeed
from tidewright.domain.time import parse_iso
from tidewright.market.validation import BarRules
from tidewright.strategy.model import AtrDistance, Stops


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """A feed, and the name by which a home remembers it.

    Parameters
    ----------
    feed : MarketFeed
        Source of bars.
    identity : str
        Names the feed and its data.
    notes : tuple of str
        What a person should know of it: gaps, rows kept out, everything inferred.
    """

    feed: MarketFeed
    identity: str
    notes: tuple[str, ...]


def choose_feed(
    kind: str,
    data: Path | None,
    symbols: Sequence[str],
    seed: int,
    timeframe: str = "",
    rules: BarRules | None = None,
    cache: Path | None = None,
) -> FeedChoice:
    """Return the feed that was asked for.

    Parameters
    ----------
    kind : str
        ``"agents"``, ``"simulated"`` or ``"replay"``.
    data : Path or None
        File, folder or bar store to replay.
    symbols : sequence of str
        Which symbols of the data; all when empty.
    seed : int
        Of the made-up market.
    timeframe : str
        Of the data; empty tells it from the data.
    rules : BarRules or None
        Limits of the checks of files.
    cache : Path or None
        Folder where a market of traders saves its states; None for nowhere.

    Raises
    ------
    ConfigError
        If the words do not fit together or the data cannot be used.
    """
    if kind != "replay" and data is not None:
        raise ConfigError(f"--data needs --feed replay; the feed {kind} reads no file")
    if kind == "agents":
        return FeedChoice(AgentFeed(seed, cache=cache), f"agents seed {seed}", ())
    if kind == "simulated":
        simulated = SimulatedFeed(seed)
        return FeedChoice(simulated, f"sim seed {seed}", ())
    if data is None:
        raise ConfigError("--feed replay needs --data PATH: a Parquet or CSV file, or a folder")
    feed, notes = open_data(data, symbols, timeframe, rules)
    names = ",".join(instrument.id for instrument in feed.instruments)
    digest = blake2b(str(data.resolve()).encode(), digest_size=4).hexdigest()
    return FeedChoice(feed, f"replay {data.name} {names} {feed.timeframe} {digest}", notes)


def open_data(
    data: Path, symbols: Sequence[str], timeframe: str = "", rules: BarRules | None = None
) -> tuple[BarFeed, tuple[str, ...]]:
    """Return a feed over stored data, and what a person should know of it.

    Parameters
    ----------
    data : Path
        Parquet or CSV file, a folder of them, or the ``bars`` folder that ``data fetch`` fills.
    symbols, timeframe
        Which series; all symbols when empty, and the timeframe of the data.
    rules : BarRules or None
        Limits of the checks of files; stored bars were checked when they were stored.

    Raises
    ------
    ConfigError
        If the data cannot be used.
    """
    if is_bar_store(data):
        declared = read_declaration(data)
        stored = stored_feed(bar_store_in(data), symbols, timeframe, declared)
        return stored, tuple(declared.lines(stored.first_known))
    feed = FileFeed(data, symbols, timeframe=timeframe, rules=rules, now=time.time_ns())
    return feed, tuple(feed.report.lines())


def choose_settings(
    config: Path | None,
    overrides: Sequence[str],
    symbols: Sequence[str] = (),
    seed: int | None = None,
) -> Settings:
    """Return the settings; ``--symbol`` and ``--seed`` decide like any other setting.

    Raises
    ------
    ConfigError
        As `load_settings`.
    """
    typed = [*overrides]
    if symbols:
        typed.append(f"symbols={','.join(symbols)}")
    if seed is not None:
        typed.append(f"seed={seed}")
    return load_settings(config, overrides=typed)


def require_paper(settings: Settings) -> None:
    """Refuse live mode, which no venue of this version can carry out.

    Raises
    ------
    ConfigError
        If the mode is live.
    """
    if settings.mode is Mode.LIVE:
        raise ConfigError(
            "mode was live, but this version has no venue that trades real money; expected "
            "mode: paper"
        )


def choose_strategies(names: Sequence[str], settings: Settings) -> list[LoadedStrategy]:
    """Return the strategies that were asked for, or those of the settings."""
    return load_strategies(names or settings.strategies, default_stops(settings))


def default_stops(settings: Settings) -> Stops | None:
    """Return the stops of strategies that name none of their own; None for none."""
    if not settings.signals.default_stops:
        return None
    risk = settings.risk
    return Stops(
        AtrDistance(float(risk.stop_loss_atr_multiplier)),
        AtrDistance(float(risk.take_profit_atr_multiplier)),
    )


def choose_window(feed: MarketFeed, start: str, end: str) -> TradingWindow:
    """Return when entries may be decided; never limits warm-up."""
    first = parse_iso(start) if start else int(getattr(feed, "trading_start", 0))
    last = parse_iso(end) if end else 0
    if last and last <= first:
        raise ConfigError(f"--to {end} was not after the start; expected a later time")
    return TradingWindow(first, last)


def choose_pace(speed: str, settings: Settings) -> Pace:
    """Return how fast to run: a positive number, or ``max``."""
    if speed == "max":
        return Pace(speed=0.0)
    try:
        value = float(speed)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"--speed was {speed!r}; expected a number above 0, or max")
    stale = settings.risk_settings().max_data_age_minutes * 60.0
    return Pace(
        speed=value,
        loop_seconds=settings.loop_seconds,
        stale_after_seconds=max(float(stale) / value, 5.0),
    )


def default_home(kind: str) -> Path:
    """Return the folder that a trader uses unless told otherwise."""
    return Path("home") / kind

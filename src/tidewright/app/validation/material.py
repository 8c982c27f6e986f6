"""What a validation works on: the open part of the data, the rule or the search, the settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tidewright.app.backtest import narrowed
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.holdout import without_closed_part
from tidewright.app.launch import (
    choose_settings,
    choose_strategies,
    choose_window,
    default_stops,
    open_data,
)
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy, load_strategy_template, protected
from tidewright.app.trials import Scored, numbers_varied
from tidewright.app.universe import settle_universe
from tidewright.app.validation.events import EventFamily, EventPath
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.time import DAY
from tidewright.engine.config import StrategySetup
from tidewright.market.arrays import BarArrays
from tidewright.research.bulk.grid import Point, grid_points, grid_setups, parse_grid
from tidewright.research.bulk.request import BulkRequest
from tidewright.research.bulk.sweep import SweepRequest
from tidewright.research.judging.holdout import border_of
from tidewright.research.metrics import CRYPTO_CALENDAR, STOCK_CALENDAR, Calendar
from tidewright.research.results import Family
from tidewright.research.walkforward import WindowedSweep

Watch = Callable[[str, int, int], None]
"""Told the stage in words, how much of it is done, and of how much."""
SURROGATES = 200
"""Patternless copies of the market, at most."""


def unwatched(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class MarketOptions:
    """Which strategy over which data, as every command of research takes it.

    Parameters
    ----------
    strategy : str
        Library name or file.
    data : Path
        Bars.
    symbols, timeframe, start, end, config, overrides
        As for a backtest.
    grid, where : str
        Numbers to search, and a condition on them; empty for the rule as it is.
    beside : tuple of str
        Strategies that share the account with the first one.
    """

    strategy: str
    data: Path
    symbols: tuple[str, ...] = ()
    timeframe: str = ""
    start: str = ""
    end: str = ""
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    grid: str = ""
    where: str = ""
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Everything that is examined.

    Parameters
    ----------
    options : MarketOptions
        What was asked for.
    settings : Settings
        Limits, costs, account.
    strategies : tuple of LoadedStrategy
        The rule as it is, or the one that is varied; several that share one account.
    whole : BarFeed
        All of the data, which only what came after a freeze may look at.
    feed : BarFeed
        The open part of the data.
    base : BulkRequest
        The rule as it is over the open part.
    setups : tuple of StrategySetup
        What is searched; of a single rule its own, of several strategies those of all.
    points : tuple of mapping of str to float
        Numbers of each setup; empty for a single rule.
    closed_day : int or None
        First day of the closed part; None where the data has none.
    notes : tuple of str
        What was noticed while the data was read.
    """

    options: MarketOptions
    settings: Settings
    strategies: tuple[LoadedStrategy, ...]
    whole: BarFeed
    feed: BarFeed
    base: BulkRequest
    setups: tuple[StrategySetup, ...]
    points: tuple[Point, ...]
    closed_day: int | None
    notes: tuple[str, ...] = field(default=())

    @property
    def series(self) -> tuple[BarArrays, ...]:
        """Bars of the open part."""
        return self.feed.series

    @property
    def strategy(self) -> LoadedStrategy:
        """The rule, or the first of several strategies."""
        return self.strategies[0]

    @property
    def universe(self) -> tuple[Instrument, ...]:
        """What is traded: everything that one of the strategies may trade."""
        chosen = [one.symbols for one in self.base.config.strategies]
        return tuple(
            one
            for one in self.feed.instruments
            if any(symbols is None or one.id in symbols for symbols in chosen)
        )

    @property
    def calendar(self) -> Calendar:
        """Which days count."""
        always = all(one.asset_class is AssetClass.CRYPTO for one in self.feed.instruments)
        return CRYPTO_CALENDAR if always else STOCK_CALENDAR

    @property
    def timeframe(self) -> str:
        """Length of the bars on which is decided; several where strategies differ."""
        lengths = (one.setup.timeframe or self.feed.timeframe for one in self.strategies)
        return ", ".join(dict.fromkeys(lengths))

    @property
    def configurations(self) -> int:
        """How many are searched; 1 for a single rule, and for several on one account."""
        return len(self.points) or 1

    @property
    def engine(self) -> EventPath:
        """What runs backtests that the compiled loop refuses."""
        return EventPath(tuple(self.feed.defects))

    @property
    def sweep(self) -> WindowedSweep:
        """The settings of a search, or one rule, as a family that can be cut in time."""
        return WindowedSweep(self.name, SweepRequest(self.base, self.setups), self.engine)

    @property
    def family(self) -> Family:
        """Everything that is searched, as a family that can be run again."""
        if len(self.strategies) > 1:
            return EventFamily(self.name, self.base, self.engine)
        return self.sweep

    @property
    def label(self) -> str:
        """Name of the strategy, or of all that share the account."""
        return " + ".join(one.setup.strategy.name for one in self.strategies)

    @property
    def name(self) -> str:
        """What is examined, in a few words."""
        return f"{len(self.points):,} settings of {self.label}" if self.points else self.label

    def request(self, place: int = 0) -> BulkRequest:
        """Return the backtest of one setup."""
        return self.sweep.request.single(place) if self.points else self.base

    def scored(self, command: str) -> Scored:
        """Return what the trial registry writes down."""
        # Written as a sweep writes them, so that the same setting counts once.
        variants = [repr(sorted(point.items())) for point in self.points]
        numbers = numbers_varied(self.points) if self.points else None
        return Scored(command, self.strategies, self.settings, variants, numbers)


def load_material(options: MarketOptions, watch: Watch = unwatched) -> Material:
    """Read data, settings and strategy, and close the last fifth of the data.

    Raises
    ------
    ConfigError
        If something cannot be used.
    """
    watch("Reading the data", 0, 1)
    settings = choose_settings(options.config, options.overrides, options.symbols)
    strategies = choose_strategies((options.strategy, *options.beside), settings)
    feed, loaded = open_data(options.data, options.symbols, options.timeframe, settings.bar_rules())
    settings = settle_universe(settings, feed.instruments, strategies)
    border = border_of(feed.series)
    opened, closed = without_closed_part(feed)
    window = choose_window(opened, options.start, options.end)
    if window.end > border:
        window = replace(window, end=0)
    if not len(opened):
        raise ConfigError(f"{feed.description}: no bar to run on; expected at least one")
    base = bulk_request(opened, strategies, settings, window)
    points, setups = _searched(options, base, settings)
    return Material(
        options=options,
        settings=settings,
        strategies=tuple(strategies),
        whole=feed,
        feed=opened,
        base=base,
        setups=setups,
        points=points,
        closed_day=border // DAY if border < feed.last_known else None,
        notes=(feed.description, *loaded, *settings.notes, closed),
    )


def _searched(
    options: MarketOptions, base: BulkRequest, settings: Settings
) -> tuple[tuple[Point, ...], tuple[StrategySetup, ...]]:
    """Return the numbers and setups of a search; the rule as it is without a grid."""
    own = base.config.strategies
    if not options.grid:
        if options.where:
            raise ConfigError("--where needs --grid, whose numbers it limits")
        return (), own
    if options.beside:
        raise ConfigError(
            f"--grid was given with {1 + len(options.beside)} strategies; expected one whose "
            "numbers it searches"
        )
    template = load_strategy_template(options.strategy)
    axes = parse_grid(options.grid)
    for axis in axes:
        template.check_name(axis.name)
    points = grid_points(axes, options.where, template.parameters)
    stops = default_stops(settings)
    setups = grid_setups(template, points, lambda spec: protected(spec, stops))
    return points, tuple(narrowed(one, settings.symbols) for one in setups)


def symbols_of(instruments: Sequence[Instrument]) -> tuple[str, ...]:
    """Return the ids of instruments."""
    return tuple(one.id for one in instruments)

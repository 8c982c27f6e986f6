"""Sweeps as commands run them: set up, shared out over processes, interrupted and gone on with."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tidewright.app.backtest import narrowed
from tidewright.app.bulk import bulk_request
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.launch import default_stops
from tidewright.app.settings import Settings
from tidewright.app.strategies import (
    LoadedStrategy,
    load_strategy_template,
    loaded_spec,
    protected,
)
from tidewright.app.trials import Scored, numbers_varied
from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import AssetClass
from tidewright.research.benchmark import excess, universe_returns
from tidewright.research.bulk.grid import Point, grid_points, grid_setups, parse_grid
from tidewright.research.bulk.sweep import SweepRequest, run_sweep
from tidewright.research.judging.trials import identify
from tidewright.research.metrics import CRYPTO_CALENDAR, STOCK_CALENDAR
from tidewright.research.report.sweep_table import SweepTable, sweep_table
from tidewright.research.results import DailyResults, Executor, Float64, SerialExecutor
from tidewright.storage.files import write_atomically

_MOST_AT_ONCE = 50
_MOST_COMPARED = 2_000
_FEWEST_DAYS = 12
_DRAWS = 1_000
_ARRAYS = ("days", "equity", "exposure", "trades", "trade_days", "turnover", "fees")

Progress = Callable[[int, int], None]
"""Told how many sets are done, and of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A sweep that a person asked for.

    Parameters
    ----------
    base : LoadedStrategy
        The strategy with its numbers at their defaults.
    points : tuple of Point
        Numbers of each set.
    request : SweepRequest
        What is run.
    settings : Settings
        What it is run under.
    """

    base: LoadedStrategy
    points: tuple[Point, ...]
    request: SweepRequest
    settings: Settings

    @property
    def digest(self) -> str:
        """What makes two sweeps the same: data, document, numbers, settings and window."""
        base = self.request.base
        parts = (
            identify(base.series).fingerprint,
            self.base.document,
            repr([sorted(point.items()) for point in self.points]),
            self.settings.decision_document(),
            f"{base.window.start} {base.window.end} {base.config.fingerprint}",
        )
        return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

    def scored(self, results: DailyResults) -> Scored:
        """Return the sets that are done as the trial registry takes them."""
        points = self.points[: len(results)]
        return Scored(
            "sweep",
            [self.base],
            self.settings,
            [repr(sorted(point.items())) for point in points],
            numbers_varied(points),
            self._effective(results),
        )

    def _effective(self, results: DailyResults) -> float:
        """Return how many independent tries the sets act like; 0 where that cannot be told."""
        from tidewright.research.statistics.effective import effective_trials

        beyond = excess(results, self._universe(results))[:_MOST_COMPARED]
        if beyond.shape[1] < _FEWEST_DAYS or len(beyond) < len(results):
            return 0.0
        generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(0)))
        return float(effective_trials(beyond, generator, draws=_DRAWS))

    def _universe(self, results: DailyResults) -> Float64:
        base = self.request.base
        return universe_returns(base.series, base.instruments, results.days)

    def nothing(self) -> DailyResults:
        """Return the results of no set."""
        return run_sweep(replace(self.request, setups=()))

    def table(self, results: DailyResults) -> SweepTable:
        """Return the figures of the sets that are done."""
        base = self.request.base
        stocks = all(one.asset_class is AssetClass.STOCK for one in base.instruments)
        universe = self._universe(results)
        calendar = STOCK_CALENDAR if stocks else CRYPTO_CALENDAR
        return sweep_table(self.points[: len(results)], results, universe, calendar)


def prepare_sweep(
    strategy: str,
    grid: str,
    where: str,
    feed: BarFeed,
    settings: Settings,
    window: TradingWindow,
) -> Sweep:
    """Return the sweep over a strategy's named numbers.

    Parameters
    ----------
    strategy : str
        Library name or file of a document.
    grid, where : str
        As `grid.parse_grid` and `grid.grid_points` take them.
    feed : BarFeed
        The bars that it may see.
    settings : Settings
        Limits, costs, account; its symbols are settled.
    window : TradingWindow
        When entries may be decided.

    Raises
    ------
    ConfigError
        If a name is not one of the document's, or a set is no valid strategy.
    """
    template = load_strategy_template(strategy)
    stops = default_stops(settings)
    axes = parse_grid(grid)
    for axis in axes:
        template.check_name(axis.name)
    points = grid_points(axes, where, template.parameters)
    setups = grid_setups(template, points, lambda spec: protected(spec, stops))
    base = loaded_spec(protected(template.spec(), stops), strategy)
    return Sweep(
        base,
        points,
        SweepRequest(
            bulk_request(feed, [base], settings, window),
            tuple(narrowed(setup, settings.symbols) for setup in setups),
        ),
        settings,
    )


def run_parts(
    request: SweepRequest,
    executor: Executor | None = None,
    *,
    processes: int = 1,
    done: DailyResults | None = None,
    progress: Progress | None = None,
) -> Iterator[DailyResults]:
    """Run a sweep part by part; closing the iterator leaves what it gave as it is.

    Parameters
    ----------
    request : SweepRequest
        The sweep.
    executor : Executor or None
        Where parts are run; None runs them here.
    processes : int
        How many parts the executor runs at once.
    done : DailyResults or None
        Results of the first sets, which are not run again.
    progress : callable or None
        Told after each part.

    Yields
    ------
    DailyResults
        Of the next sets, in their order.
    """
    total, begin = len(request.setups), len(done) if done is not None else 0
    size = max(1, min(_MOST_AT_ONCE, -(-(total - begin) // (4 * processes))))
    parts = [(start, min(start + size, total)) for start in range(begin, total, size)]
    for found in (executor or SerialExecutor()).map(_Part(request), parts):
        begin += len(found)
        if progress is not None:
            progress(begin, total)
        yield found


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Runs some sets of a sweep, here or in another process."""

    request: SweepRequest

    def __call__(self, span: tuple[int, int]) -> DailyResults:
        return run_sweep(replace(self.request, setups=self.request.setups[span[0] : span[1]]))


def joined(parts: Sequence[DailyResults]) -> DailyResults:
    """Return results of parts of one sweep as one."""
    first = parts[0]
    return DailyResults(
        first.days,
        np.concatenate([one.equity for one in parts]),
        first.initial,
        np.concatenate([one.exposure for one in parts]),
        np.concatenate([one.trades for one in parts]),
        np.concatenate([one.trade_days for one in parts]),
        np.concatenate([one.turnover for one in parts]),
        np.concatenate([one.fees for one in parts]),
    )


def save_results(path: Path, digest: str, results: DailyResults) -> None:
    """Keep the results of the sets that are done, so that the sweep can go on from there."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        digest=np.array(digest),
        initial=np.array(results.initial),
        **{name: getattr(results, name) for name in _ARRAYS},
    )
    write_atomically(path, buffer.getvalue(), mode=0o644)


def load_results(path: Path, digest: str) -> DailyResults:
    """Return what `save_results` kept.

    Raises
    ------
    ConfigError
        If the file is of another sweep: other data, numbers, settings or another build.
    DataIntegrityError
        If it cannot be read.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            known, initial = str(file["digest"]), int(file["initial"])
            arrays = {name: file[name] for name in _ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise DataIntegrityError(f"{path} cannot be read as results of a sweep: {error}") from error
    if known != digest:
        raise ConfigError(
            f"{path} holds results of another sweep; expected the same strategy, grid, data, "
            "settings and build"
        )
    return DailyResults(initial=initial, **arrays)

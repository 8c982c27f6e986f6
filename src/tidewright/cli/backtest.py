"""Run a backtest and tell what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tidewright.app.backtest import BacktestRun, run_backtest
from tidewright.app.bulk import run_bulk_backtest
from tidewright.app.feeds.bars import BarFeed
from tidewright.app.launch import choose_settings, choose_strategies, choose_window, open_data
from tidewright.app.report import backtest_json, backtest_performance, write_json
from tidewright.app.settings import Settings
from tidewright.app.strategies import LoadedStrategy
from tidewright.app.trials import Scored, record_trials
from tidewright.app.universe import settle_universe
from tidewright.domain.events import TradingWindow
from tidewright.domain.money import to_decimal
from tidewright.domain.time import iso
from tidewright.research.judging.holdout import border_of
from tidewright.research.judging.trials import TrialCount
from tidewright.research.metrics import PerformanceReport


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What a person typed after ``backtest``; see the command's help."""

    strategy: str
    data: Path
    symbols: tuple[str, ...]
    timeframe: str
    start: str
    end: str
    config: Path | None
    overrides: tuple[str, ...]
    json_file: Path | None
    bulk: bool = True
    repeat: int = 1


def run(options: BacktestOptions) -> int:
    """Run one strategy and print its figures beside holding the same thing."""
    console = Console(stderr=True)
    settings = choose_settings(options.config, options.overrides, options.symbols)
    strategies = choose_strategies((options.strategy,), settings)
    with console.status(f"Loading {options.data}"):
        feed, loaded = open_data(
            options.data, options.symbols, options.timeframe, settings.bar_rules()
        )
    settings = settle_universe(settings, feed.instruments, strategies)
    notes = [feed.description, *loaded, *settings.notes]
    for note in notes:
        console.print(note, style="dim", highlight=False)
    window = choose_window(feed, options.start, options.end)
    with console.status(f"Running {options.strategy} over {len(feed):,} bars"):
        result = _run(options, feed, strategies, settings, window, notes)
    performance = backtest_performance(result, feed.series, window.start)
    _print(result, performance, settings.account.currency)
    count = _write_down(feed, strategies, settings, window, console)
    if options.json_file is not None:
        data = backtest_json(result, options.strategy, performance, notes)
        data["tries"] = None if count is None else asdict(count)
        write_json(options.json_file, data)
    return 0


def _run(
    options: BacktestOptions,
    feed: BarFeed,
    strategies: Sequence[LoadedStrategy],
    settings: Settings,
    window: TradingWindow,
    notes: list[str],
) -> BacktestRun:
    """Run in the compiled loop, or on the event path where that was asked for or is needed."""
    if options.bulk:
        bulk = run_bulk_backtest(feed, strategies, settings, window, repeat=options.repeat)
        if isinstance(bulk, BacktestRun):
            return bulk
        notes.append(f"bulk engine: {bulk.reason}")
        Console(stderr=True).print(notes[-1], style="dim", highlight=False)
    runs = [run_backtest(feed, strategies, settings, window) for _ in range(options.repeat)]
    return replace(runs[-1], seconds=median(one.seconds for one in runs))


def _write_down(
    feed: BarFeed,
    strategies: Sequence[LoadedStrategy],
    settings: Settings,
    window: TradingWindow,
    console: Console,
) -> TrialCount | None:
    """Count this try and return the count, and say what it looked at that searches may not see."""
    scored = Scored("backtest", strategies, settings)
    span = (window.start, window.end)
    count = record_trials(scored, feed.series, span=span, tell=console.print)
    if count is None:
        return None
    text = f"Tries on this market so far: {count.on_data:,}, of this idea: {count.in_family:,}."
    border = border_of(feed.series)
    if border < feed.last_known and not 0 < window.end <= border:
        day = iso(border)[:10]
        text += f" It saw data that searches leave closed; --to {day} keeps that for one last look."
    console.print(text, style="dim", highlight=False)
    return count


def _print(run: BacktestRun, performance: PerformanceReport, currency: str) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=True, header_style="bold")
    for name in ("", "strategy", "buy and hold"):
        table.add_column(name, justify="left" if not name else "right")
    report = performance
    table.add_row("Return", _percent(report.total_return), _percent(report.benchmark_return))
    table.add_row("Sharpe (daily, a year)", _ratio(report.sharpe), _ratio(report.benchmark_sharpe))
    table.add_row("Sortino (daily, a year)", _ratio(report.sortino), "")
    table.add_row(
        "Maximum drawdown",
        _percent(report.max_drawdown, signed=False),
        _percent(report.benchmark_max_drawdown, signed=False),
    )
    table.add_row("Profit factor", _ratio(report.profit_factor), "")
    table.add_row("Exposure", _percent(run.recorder.exposure, signed=False), "100.00 %")
    table.add_row("Trades", f"{report.trades:,}", "1")
    table.add_row("Win rate", _percent(report.win_rate, signed=False), "")
    table.add_row(f"Fees, {currency}", f"{report.fees:,.2f}", "")
    equity = to_decimal(run.recorder.last_equity)
    table.add_row(f"Final equity, {currency}", f"{equity:,.2f}", "")
    console.print(table)
    for change in run.recorder.state_changes:
        console.print(f"{change.after.value.upper()} by {change.actor}: {change.reason}")
    refusals = sum(run.recorder.refusals.values())
    if refusals:
        parts = ", ".join(f"{rule} {n:,}" for rule, n in run.recorder.refusals.most_common(6))
        console.print(f"Refused signals: {refusals:,} ({parts})", highlight=False)
    how = "in one compiled loop" if run.engine == "bulk" else "one engine step per slice"
    console.print(
        f"{run.bars:,} bars in {run.seconds:.2f} s, {run.bars / run.seconds:,.0f} bars a second, "
        f"{how}",
        highlight=False,
    )


def _percent(value: float | None, *, signed: bool = True) -> str:
    if value is None:
        return "-"
    return f"{100.0 * value:+,.2f} %" if signed else f"{100.0 * value:,.2f} %"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"

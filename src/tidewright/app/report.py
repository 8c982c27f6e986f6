"""Reports of runs: the words for a person, and the JSON for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson

from tidewright import __version__
from tidewright.app.backtest import BacktestRun
from tidewright.app.recorder import RunRecorder, number, trade_row
from tidewright.app.supervisor import Supervisor
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import to_decimal
from tidewright.domain.time import iso
from tidewright.market.arrays import BarArrays, Int64
from tidewright.research.metrics import (
    CRYPTO_CALENDAR,
    STOCK_CALENDAR,
    EquitySeries,
    Float64,
    PerformanceReport,
    performance_report,
)


def write_json(path: Path, data: Mapping[str, object]) -> None:
    """Write a report; money, prices and quantities are exact numbers.

    Raises
    ------
    ConfigError
        If the file cannot be written.
    """
    try:
        path.write_bytes(
            orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
        )
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error


def peak_memory_megabytes() -> float:
    """Return the largest resident size of this process so far, in 1e6 bytes; 0 on Windows."""
    if sys.platform == "win32":
        return 0.0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


@dataclass(frozen=True, slots=True)
class UpReport:
    """What one ``up`` did.

    Parameters
    ----------
    values : mapping of str to object
        JSON form.
    lines : tuple of str
        For a person.
    """

    values: Mapping[str, object]
    lines: tuple[str, ...]

    def text(self) -> str:
        """Return the words for a person."""
        return "\n".join(self.lines)


def up_report(supervisor: Supervisor, home: Path, currency: str) -> UpReport:
    """Return the summary of a run of the trader."""
    recorder = supervisor.recorder
    refusals = sum(recorder.refusals.values())
    first = supervisor.heartbeat.seconds_to_first_fill
    state = supervisor.state
    trading_state = state.gate.trading_state.value if state is not None else "unknown"
    equity = to_decimal(recorder.last_equity)
    values: dict[str, object] = {
        "fills": recorder.fill_count,
        "orders": recorder.orders,
        "trades": recorder.trade_count,
        "refusals": refusals,
        "refusals_by_rule": dict(recorder.refusals),
        "alerts": dict(recorder.alerts),
        "equity": number(equity),
        "currency": currency,
        "trading_state": trading_state,
        "seconds_to_first_fill": first,
        "slices": recorder.slices,
        "market_time": iso(recorder.last_ts),
        "fills_digest": recorder.fills_digest(),
        "faults": list(supervisor.faults),
        "home": str(home),
        "peak_memory_mb": round(peak_memory_megabytes(), 1),
        "finished": supervisor.finished,
    }
    change = recorder.last_equity - recorder.first_equity
    lines = [
        f"Fills {recorder.fill_count}, trades {recorder.trade_count}, orders {recorder.orders}, "
        f"refusals {refusals}{_by_rule(recorder)}",
        f"Equity {equity:,.2f} {currency} ({to_decimal(change):+,.2f}), state {trading_state}, "
        f"market time {iso(recorder.last_ts)}",
        "First fill after " + ("-" if first is None else f"{first:.1f} s"),
    ]
    return UpReport(values, tuple(lines))


def _by_rule(recorder: RunRecorder) -> str:
    parts = [f"{rule} {count}" for rule, count in recorder.refusals.most_common(4)]
    return f" ({', '.join(parts)})" if parts else ""


def backtest_performance(
    run: BacktestRun, series: Sequence[BarArrays], start: int
) -> PerformanceReport:
    """Measure a backtest from the start of its trading window, against buy and hold."""
    times, equity = run.recorder.equity_series()
    inside = times >= start
    times, equity = times[inside], equity[inside]
    stocks = all(item.asset_class.value == "stock" for item in run.instruments.values())
    exits = {trade.entry_client_id for trade in run.recorder.trades}
    return performance_report(
        EquitySeries(times, equity, run.recorder.first_equity),
        run.recorder.trades,
        calendar=STOCK_CALENDAR if stocks else CRYPTO_CALENDAR,
        open_since=[
            fill.ts_event
            for fill in run.recorder.fills
            if fill.client_id.endswith("-e") and fill.client_id not in exits
        ],
        prices=_aligned_closes(series, run.instruments, times),
    )


def _aligned_closes(
    series: Sequence[BarArrays], instruments: Mapping[str, Instrument], times: Int64
) -> Float64:
    columns = []
    for bars in series:
        numerator, denominator = instruments[bars.instrument].price_ratio
        rows = np.searchsorted(bars.ts_known, times, side="right") - 1
        closes = bars.close[np.maximum(rows, 0)] * numerator / denominator
        columns.append(closes)
    return np.column_stack(columns)


def backtest_json(
    run: BacktestRun, strategy: str, performance: PerformanceReport, notes: Sequence[str]
) -> dict[str, object]:
    """Return the JSON form of a backtest."""
    recorder = run.recorder
    metrics = asdict(performance)
    metrics["exposure"] = recorder.exposure
    return {
        "engine": run.engine,
        "version": __version__,
        "fingerprint": run.fingerprint,
        "strategy": strategy,
        "bars": run.bars,
        "seconds": run.seconds,
        "bars_per_second": run.bars / run.seconds if run.seconds else None,
        "trades": [trade_row(trade, run.instruments) for trade in recorder.trades],
        "fills": len(recorder.fills),
        "fills_digest": recorder.fills_digest(),
        "refusals": dict(recorder.refusals),
        "alerts": dict(recorder.alerts),
        "state_changes": [
            {"to": change.after.value, "actor": change.actor, "reason": change.reason}
            for change in recorder.state_changes
        ],
        "equity": number(to_decimal(recorder.last_equity)),
        "metrics": metrics,
        "instruments": {
            name: {
                "tick_size": str(item.tick_size),
                "lot_size": str(item.lot_size),
                "taker_fee_rate": str(item.taker_fee_rate),
                "source": item.source,
            }
            for name, item in run.instruments.items()
        },
        "notes": list(notes),
    }

"""Figures in the Prometheus text format."""

from __future__ import annotations

from tidewright.app.page.view import Reading
from tidewright.domain.events import TradingState
from tidewright.domain.money import UNITS_PER_CURRENCY

NANOSECONDS = 1e9


def exposition(reading: Reading) -> str:
    """Return one reading as Prometheus text, version 0.0.4.

    Parameters
    ----------
    reading : Reading
        A full reading.
    """
    counts, totals = reading.counts, reading.totals
    lines: list[str] = []

    def add(name: str, kind: str, text: str, value: float | None) -> None:
        if value is None:
            return
        full = f"tidewright_{name}"
        lines.extend((f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full} {value}"))

    equity = reading.equity_now
    add("equity", "gauge", "Account equity in account currency.", _money(equity))
    add("drawdown_ratio", "gauge", "Equity below its peak over the peak.", -reading.drawdown)
    add("max_drawdown_ratio", "gauge", "Largest drawdown so far.", -reading.max_drawdown)
    add("open_positions", "gauge", "Open positions.", len(reading.positions))
    add("feed_live", "gauge", "1 while the feed is live.", int(reading.feed.live))
    age = (reading.now - reading.ts_received) / NANOSECONDS if reading.ts_received else None
    add("feed_age_seconds", "gauge", "Seconds since the last input.", age)
    add("journal_sequence", "counter", "Sequence of the last input.", reading.sequence)
    add("signals_total", "counter", "Signals formed.", counts.signals)
    add("refusals_total", "counter", "Signals that led to no order.", counts.refusals)
    add("fills_total", "counter", "Fills booked.", counts.fills)
    add("trades_total", "counter", "Round trips closed.", totals.trades)
    add("alerts_total", "counter", "Alerts raised.", counts.alerts)
    add("data_defects_total", "counter", "Data kept out of trading.", reading.defects)
    add("fees_total", "counter", "Fees of closed trades.", _money(totals.fees))
    lines += ["# HELP tidewright_state 1 for the trading state.", "# TYPE tidewright_state gauge"]
    lines += [
        f'tidewright_state{{state="{state.value}"}} {int(state is reading.state)}'
        for state in TradingState
    ]
    return "\n".join(lines) + "\n"


def _money(units: int | None) -> float | None:
    return None if units is None else units / UNITS_PER_CURRENCY

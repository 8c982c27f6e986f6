"""The paper gate: whether the trader does in real time what the backtest pretends it does.

It looks at operations and costs, never at profit: 30 days of a real market at its own speed and 100
fills say next to nothing about an edge, and a great deal about fills, rejects, latency and missed
signals. The profit is told as a percentile of the forecast, and decides nothing.

Beside it stand the gates that trading handbooks ask for: a Sharpe ratio, a share of winning
walk-forward stretches, a month of profit on paper. They can be switched on; they are no evidence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tidewright.research.judging.evidence import Check, Outcome
from tidewright.research.judging.freeze import ForwardResult
from tidewright.research.metrics import sharpe
from tidewright.research.promotion.gates import DocumentGates
from tidewright.research.results import Float64


@dataclass(frozen=True, slots=True)
class PaperFill:
    """A modelled fill beside what the market showed at that time.

    Parameters
    ----------
    sign : int
        1 for a purchase, -1 for a sale.
    price : float
        At which the paper venue filled.
    low, high : float
        Of the trades in the same bar; NaN where the bar is not recorded.
    bid, ask : float
        Best quotes at that moment; NaN where none are recorded.
    """

    sign: int
    price: float
    low: float = math.nan
    high: float = math.nan
    bid: float = math.nan
    ask: float = math.nan

    @property
    def impossible(self) -> bool:
        """Whether it was better than every trade of its bar."""
        return self.price < self.low if self.sign > 0 else self.price > self.high


@dataclass(frozen=True, slots=True, eq=False)
class PaperRecord:
    """What a paper run left behind.

    Parameters
    ----------
    feed : str
        Identity of the feed, for a person.
    real_feed : bool
        Whether it was a real market.
    real_time : bool or None
        Whether market time kept to the clock on the wall; None where that cannot be told.
    days : int
        Different UTC days with bars.
    fills : sequence of PaperFill
        Every fill.
    orders, rejects, lost : int
        Orders sent, refused by the venue, and without an answer.
    latency_ms : float64 array of shape (n,)
        From each order to its first answer, milliseconds.
    chain_ok : bool
        Whether the record is as it was written.
    decided_again, differences : int
        Inputs decided again by this build, and how many came out otherwise.
    expected_signals, missed_signals : int or None
        Entries that a backtest over complete data takes in the same time, and those of them that
        the paper run did not; None without complete data.
    daily_profit : float64 array of shape (n_days,)
        Net profit of each day as shares of the first equity; shown, never judged.
    strategies : tuple of str
        What ran; empty where it is not written down.
    last : int
        Time of the last bar, nanoseconds UTC.
    """

    feed: str
    real_feed: bool
    real_time: bool | None
    days: int
    fills: Sequence[PaperFill]
    orders: int
    rejects: int
    lost: int
    latency_ms: Float64
    chain_ok: bool
    decided_again: int
    differences: int
    expected_signals: int | None
    missed_signals: int | None
    daily_profit: Float64
    strategies: tuple[str, ...] = ()
    last: int = 0


@dataclass(frozen=True, slots=True)
class PaperGateRule:
    """Borders of the paper gate.

    Parameters
    ----------
    min_days, min_fills : int
        How much there must be to look at.
    max_cost_error : float
        Largest difference of the modelled from the quoted cost of a fill, as a share of it.
    max_reject_share : float
        Largest share of orders that are refused or get no answer.
    max_latency_ms : float
        Largest 95 % quantile from an order to its first answer.
    max_missed_share : float
        Largest share of expected signals that were missed.
    """

    min_days: int = 30
    min_fills: int = 100
    max_cost_error: float = 0.20
    max_reject_share: float = 0.01
    max_latency_ms: float = 2_000.0
    max_missed_share: float = 0.05


DEFAULT_GATE = PaperGateRule()


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check with the name that a person reads.

    Parameters
    ----------
    name : str
        What is looked at.
    check : Check
        What was found.
    """

    name: str
    check: Check


@dataclass(frozen=True, slots=True)
class PaperReport:
    """What the paper gate found.

    Parameters
    ----------
    checks : tuple of NamedCheck
        Each must have passed; one that could not be made has not.
    profit : str
        The profit as a percentile of the forecast; decides nothing.
    """

    checks: tuple[NamedCheck, ...]
    profit: str

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(one.check.outcome is Outcome.PASSED for one in self.checks)


def examine_paper(
    record: PaperRecord, forward: ForwardResult | None = None, rule: PaperGateRule = DEFAULT_GATE
) -> PaperReport:
    """Return what a paper run shows about operations and costs.

    Parameters
    ----------
    record : PaperRecord
        What the run left behind.
    forward : ForwardResult or None
        Its profit against the forecast of the freeze; None without one.
    rule : PaperGateRule
        The borders.
    """
    checks = (
        NamedCheck("A real market", _check(record.real_feed, f"the feed was {record.feed!r}")),
        NamedCheck("At the market's own speed", _speed(record)),
        NamedCheck(
            f"{rule.min_days} days",
            _check(record.days >= rule.min_days, f"{record.days} days with bars"),
        ),
        NamedCheck(
            f"{rule.min_fills} fills",
            _check(len(record.fills) >= rule.min_fills, f"{len(record.fills)} fills"),
        ),
        NamedCheck("Fills as the quotes were", _costs(record.fills, rule)),
        NamedCheck("No fill better than every trade", _trades(record.fills)),
        NamedCheck("Orders are taken", _rejects(record, rule)),
        NamedCheck("Answers come in time", _latency(record.latency_ms, rule)),
        NamedCheck("No signal missed", _missed(record, rule)),
        NamedCheck("Decided again, the same comes out", _replay(record)),
    )
    return PaperReport(checks, _profit(forward))


def document_checks(
    gates: DocumentGates,
    backtest_profit: Float64,
    walkforward_win_percent: float | None,
    paper_profit: Float64,
    days_per_year: int,
) -> tuple[NamedCheck, ...]:
    """Return the handbook gates; nothing where they are switched off.

    Parameters
    ----------
    gates : DocumentGates
        The borders.
    backtest_profit, paper_profit : float64 array of shape (n_days,)
        Net profit of each day as shares of the first equity.
    walkforward_win_percent : float or None
        Percentage of walk-forward stretches with a profit; None when none was run.
    days_per_year : int
        By which the Sharpe ratio is annualised.
    """
    if not gates.document_gates:
        return ()
    ratio = sharpe(backtest_profit, days_per_year)
    wins, days = walkforward_win_percent, len(paper_profit)
    total = float(paper_profit.sum())
    return (
        NamedCheck(
            f"Backtest Sharpe above {gates.min_backtest_sharpe:g}",
            _check(
                ratio is not None and ratio > gates.min_backtest_sharpe,
                "unknown" if ratio is None else f"{ratio:.2f}",
            ),
        ),
        NamedCheck(
            f"Walk-forward stretches won above {gates.min_walkforward_win_percent:g} %",
            Check(Outcome.NOT_RUN, "no walk-forward was run")
            if wins is None
            else _check(wins > gates.min_walkforward_win_percent, f"{wins:.1f} %"),
        ),
        NamedCheck(
            f"Paper trading with a profit over {gates.min_paper_profit_days} days",
            _check(
                days >= gates.min_paper_profit_days and total > 0.0,
                f"{100.0 * total:+.2f} % in {days} days",
            ),
        ),
    )


def _check(passed: bool, detail: str) -> Check:
    return Check(Outcome.PASSED if passed else Outcome.FAILED, detail)


def _speed(record: PaperRecord) -> Check:
    if record.real_time is None:
        return Check(Outcome.NOT_RUN, "nothing was handled after a start")
    words = "kept to" if record.real_time else "did not keep to"
    return _check(record.real_time, f"market time {words} the clock on the wall")


def _costs(fills: Sequence[PaperFill], rule: PaperGateRule) -> Check:
    """Compare what fills cost against the middle of the quotes with half the quoted spread."""
    quoted = [one for one in fills if one.ask > one.bid]
    if not quoted:
        return Check(Outcome.NOT_RUN, "no quotes are recorded beside the fills")
    middle = [(one.bid + one.ask) / 2.0 for one in quoted]
    paid = float(
        np.mean(
            [one.sign * (one.price / mid - 1.0) for one, mid in zip(quoted, middle, strict=True)]
        )
    )
    asked = float(
        np.mean(
            [(one.ask - one.bid) / (2.0 * mid) for one, mid in zip(quoted, middle, strict=True)]
        )
    )
    error = abs(paid - asked) / asked
    return _check(
        error <= rule.max_cost_error,
        f"a fill cost {10_000 * paid:.2f} basis points, half the quoted spread was "
        f"{10_000 * asked:.2f}, over {len(quoted)} fills",
    )


def _trades(fills: Sequence[PaperFill]) -> Check:
    seen = [one for one in fills if one.high >= one.low]
    if not seen:
        return Check(Outcome.NOT_RUN, "no trades are recorded beside the fills")
    count = sum(one.impossible for one in seen)
    return _check(count == 0, f"{count} of {len(seen)} fills were better than any trade then")


def _rejects(record: PaperRecord, rule: PaperGateRule) -> Check:
    if not record.orders:
        return Check(Outcome.NOT_RUN, "no order was sent")
    share = (record.rejects + record.lost) / record.orders
    return _check(
        share <= rule.max_reject_share,
        f"{record.rejects} refused and {record.lost} without answer of {record.orders} orders",
    )


def _latency(latency_ms: Float64, rule: PaperGateRule) -> Check:
    if not len(latency_ms):
        return Check(Outcome.NOT_RUN, "no answer is recorded")
    slow = float(np.quantile(latency_ms, 0.95))
    return _check(slow <= rule.max_latency_ms, f"95 % within {slow:,.0f} ms")


def _missed(record: PaperRecord, rule: PaperGateRule) -> Check:
    expected, missed = record.expected_signals, record.missed_signals
    if expected is None or missed is None:
        return Check(Outcome.NOT_RUN, "needs complete data of the same time (--data)")
    if not expected:
        return Check(Outcome.NOT_RUN, "a backtest over the same time takes no entry")
    return _check(
        missed <= rule.max_missed_share * expected,
        f"{missed} of {expected} entries of a backtest over the same time were not taken",
    )


def _replay(record: PaperRecord) -> Check:
    if not record.chain_ok:
        return Check(Outcome.FAILED, "the record was changed after it was written")
    if not record.decided_again:
        return Check(Outcome.NOT_RUN, "another build or configuration recorded it")
    return _check(
        record.differences == 0,
        f"{record.differences} of {record.decided_again:,} inputs came out otherwise",
    )


def _profit(forward: ForwardResult | None) -> str:
    if forward is None:
        return "Profit: no forecast to hold it against; freeze the strategy first."
    return (
        f"Profit: better than {100.0 * forward.percentile:.0f} % of the forecast over "
        f"{forward.days} days. It decides nothing here."
    )

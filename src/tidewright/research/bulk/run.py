"""Run a bulk backtest."""

from __future__ import annotations

from tidewright.kernels.bulk.layout import State
from tidewright.kernels.bulk.run import run as run_loop
from tidewright.research.bulk.prepare import Prepared, longer_logs, new_state, prepare
from tidewright.research.bulk.request import EVENT_PATH, BulkRequest, Unsupported
from tidewright.research.bulk.result import BulkResult


def run_bulk(request: BulkRequest) -> BulkResult | Unsupported:
    """Run a strategy over all bars of a request in one compiled loop.

    Parameters
    ----------
    request : BulkRequest
        The backtest.

    Returns
    -------
    BulkResult or Unsupported
        The same orders, fills, refusals and equity as the event path gives, or why not.

    Raises
    ------
    ConfigError
        If the request contradicts itself.
    """
    try:
        prepared = prepare(request)
        if isinstance(prepared, Unsupported):
            return prepared
        state = run_prepared(prepared)
    except OverflowError as error:
        return Unsupported(f"an amount left the 64-bit range ({error}){EVENT_PATH}")
    times = prepared.market.moments
    return BulkResult(request.config, prepared.instruments, prepared.cash, times, state)


def run_prepared(prepared: Prepared) -> State:
    """Run over all bars, with longer logs where they fill up, and return the state at the end.

    Raises
    ------
    OverflowError
        If an amount leaves int64.
    """
    state = new_state(prepared)
    moment, end = 0, len(prepared.market.moments)
    while True:
        moment = run_loop(
            prepared.market,
            prepared.script,
            prepared.plan,
            prepared.limits,
            prepared.rules,
            prepared.terms,
            state,
            moment,
            end,
        )
        if moment >= end:
            return state
        state = longer_logs(state)

"""The state of an engine as bytes, and back.

A snapshot holds what cannot be recomputed: account, orders, latched limits, counters. Columns are
not in it; they are reopened from their anchor over the stored bars, which gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import orjson

from tidewright.domain.codec import SCHEMA_VERSION, plain, untag
from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import TradingWindow
from tidewright.engine.state import EngineState
from tidewright.kernels.edge import TradeSums
from tidewright.market.arrays import BarArrays


def take_snapshot(state: EngineState) -> bytes:
    """Return everything that an engine cannot recompute from bars, as bytes."""
    return orjson.dumps(
        {
            "schema": SCHEMA_VERSION,
            "sequence": state.sequence,
            "ts_known": state.ts_known,
            "venue_sequence": state.venue_sequence,
            "account_open": state.account_open,
            "feed_live": state.feed_live,
            "window": state.window,
            "instruments": [track.instrument for track in state.tracks.values()],
            "scores": [[*key, value] for key, value in state.scores.items()],
            "portfolio": state.portfolio.snapshot(),
            "trade_sums": {name: list(sums) for name, sums in state.trade_sums.items()},
            "orders": state.orders.snapshot(),
            "risk": state.gate.snapshot(),
        },
        default=plain,
    )


def restore_snapshot(
    state: EngineState, snapshot: bytes, history: Callable[[str], BarArrays | None]
) -> None:
    """Bring a new engine's state to where a snapshot was taken.

    Parameters
    ----------
    state : EngineState
        State of an engine that has handled nothing yet.
    snapshot : bytes
        Result of `take_snapshot`.
    history : callable
        Given an instrument id, returns its bars from the anchor to the snapshot; None without any.

    Raises
    ------
    DataIntegrityError
        If the snapshot is damaged, or was written by a newer schema.
    """
    try:
        data: dict[str, Any] = orjson.loads(snapshot)
        version = int(data["schema"])
        if version > SCHEMA_VERSION:
            raise DataIntegrityError(
                f"snapshot was of schema {version}; expected at most {SCHEMA_VERSION}: "
                "use a newer build"
            )
        for item in data["instruments"]:
            state.define(untag("Instrument", item, version))
        state.window = cast("TradingWindow", untag("TradingWindow", data["window"], version))
        state.sequence = data["sequence"]
        state.ts_known = data["ts_known"]
        state.venue_sequence = data["venue_sequence"]
        state.account_open = data["account_open"]
        state.feed_live = data["feed_live"]
        state.scores = {(name, instrument): value for name, instrument, value in data["scores"]}
        state.portfolio.restore(data["portfolio"])
        # Snapshots from before trades were counted say nothing of them.
        sums = data.get("trade_sums", {})
        state.trade_sums = {name: TradeSums(*numbers) for name, numbers in sums.items()}
        state.orders.restore(data["orders"])
        state.gate.restore(data["risk"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataIntegrityError(f"snapshot cannot be read: {error!r}") from error
    known = {name: bars for name in state.tracks if (bars := history(name)) is not None}
    for name, bars in known.items():
        track = state.tracks[name]
        track.restore(bars)
        state.marks[name] = track.mark
    state.sections.restore(state.tracks, known)

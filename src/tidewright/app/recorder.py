"""What a run leaves behind: its trades, its equity, its counts; and their JSON form."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING

import orjson

from tidewright.domain.events import Slice
from tidewright.domain.facts import (
    AlertLogged,
    OrderExecuted,
    OrderPlaced,
    Outcome,
    PositionCharged,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import to_decimal
from tidewright.domain.orders import Fill
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import iso

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RunRecorder:
    """An outcome sink that keeps what a report needs.

    Parameters
    ----------
    keep_all : bool
        Whether every fill, trade and change of state is kept, and the equity of every slice. A
        trader that runs for months keeps counts and digests only.
    """

    def __init__(self, *, keep_all: bool = True) -> None:
        self._keep = keep_all
        self._digest = blake2b(digest_size=16)
        self.fill_count = 0
        self.trade_count = 0
        self.trades: list[Trade] = []
        self.fills: list[Fill] = []
        self.charges: list[PositionCharged] = []
        self.orders = 0
        self.refusals: Counter[str] = Counter()
        self.alerts: Counter[str] = Counter()
        self.state_changes: list[TradingStateChanged] = []
        self.first_equity = 0
        self.last_equity = 0
        self.last_ts = 0
        self.slices = 0
        self.slices_in_market = 0
        self._in_market: set[str] = set()
        self._times: array[int] | None = array("q") if keep_all else None
        self._equity: array[int] = array("q")

    def publish(self, slice_: Slice, outcome: Outcome) -> None:
        """Take note of one step; equity and exposure count market slices only."""
        if outcome.facts:
            self._take(outcome)
        if type(slice_.events[-1]) is not Bar:
            return
        self.slices += 1
        if self._in_market:
            self.slices_in_market += 1
        equity = outcome.equity
        if not self.first_equity:
            self.first_equity = equity
        self.last_equity = equity
        self.last_ts = outcome.ts_known
        if self._times is not None:
            self._times.append(outcome.ts_known)
            self._equity.append(equity)

    def _take(self, outcome: Outcome) -> None:
        for fact in outcome.facts:
            kind = type(fact)
            if kind is OrderExecuted:
                self._take_fill(fact.fill)  # type: ignore[union-attr]
                self._in_market.add(fact.fill.instrument)  # type: ignore[union-attr]
            elif kind is TradeClosed:
                self.trade_count += 1
                if self._keep:
                    self.trades.append(fact.trade)  # type: ignore[union-attr]
                self._in_market.discard(fact.trade.instrument)  # type: ignore[union-attr]
            elif kind is SignalRejected:
                self.refusals[fact.rule] += 1  # type: ignore[union-attr]
            elif kind is OrderPlaced:
                self.orders += 1
            elif kind is PositionCharged and self._keep:
                self.charges.append(fact)  # type: ignore[arg-type]
            elif kind is AlertLogged:
                self.alerts[fact.code] += 1  # type: ignore[union-attr]
            elif kind is TradingStateChanged and self._keep:
                self.state_changes.append(fact)  # type: ignore[arg-type]

    def _take_fill(self, fill: Fill) -> None:
        self.fill_count += 1
        if self._keep:
            self.fills.append(fill)
        else:
            self._digest.update(_fill_row(fill))

    def fills_digest(self) -> str:
        """Return a digest of every fill in order: equal digests mean equal fills, to the unit."""
        digest = self._digest.copy()
        for fill in self.fills:
            digest.update(_fill_row(fill))
        return digest.hexdigest()

    def take_equity(self, times: NDArray[np.int64], equity: NDArray[np.int64], held: int) -> None:
        """Take the equity of a whole run at once.

        Parameters
        ----------
        times, equity : int64 array of shape (n_slices,)
            Every market slice: nanoseconds UTC and money units.
        held : int
            How many of them had an open position.
        """
        self.slices, self.slices_in_market = len(times), held
        if len(times):
            self.first_equity, self.last_equity = int(equity[0]), int(equity[-1])
            self.last_ts = int(times[-1])
        if self._times is not None:
            self._times.frombytes(times.tobytes())
            self._equity.frombytes(equity.tobytes())

    def equity_series(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return times (nanoseconds UTC) and equity (money units) of every slice kept."""
        import numpy as np

        times = self._times if self._times is not None else array("q")
        return np.array(times, np.int64), np.array(self._equity, np.int64)

    @property
    def exposure(self) -> float:
        """Share of slices with an open position, in [0, 1]."""
        return self.slices_in_market / self.slices if self.slices else 0.0


def _fill_row(fill: Fill) -> bytes:
    return orjson.dumps(
        (fill.instrument, fill.side, fill.lots, fill.ticks, fill.fee, fill.ts_event)
    )


def number(value: Decimal) -> orjson.Fragment:
    """Return an exact JSON number for a Decimal."""
    return orjson.Fragment(format(value, "f").encode())


def average_price(instrument: Instrument, value: int, lots: int) -> Decimal:
    """Return the average price of fills, to eight places beyond the tick.

    Parameters
    ----------
    instrument : Instrument
        Gives the tick size.
    value : int
        Sum of lots times ticks.
    lots : int
        Sum of lots, > 0.
    """
    exact = Decimal(value) / Decimal(lots) * instrument.tick_size
    places = instrument.tick_size.as_tuple().exponent
    digits = 8 + (-places if isinstance(places, int) and places < 0 else 0)
    return exact.quantize(Decimal(1).scaleb(-digits)).normalize()


def trade_row(trade: Trade, instruments: Mapping[str, Instrument]) -> dict[str, object]:
    """Return a trade as a row of a JSON report; prices and money are exact numbers."""
    instrument = instruments[trade.instrument]
    return {
        "entry_time": iso(trade.ts_entry),
        "exit_time": iso(trade.ts_exit),
        "symbol": trade.instrument,
        "side": "long" if trade.side.sign > 0 else "short",
        "quantity": number(instrument.quantity(trade.entry_lots)),
        "entry_price": number(average_price(instrument, trade.entry_value, trade.entry_lots)),
        "exit_price": number(average_price(instrument, trade.exit_value, trade.exit_lots)),
        "fees": number(to_decimal(trade.fees)),
        "pnl": number(to_decimal(trade.pnl)),
        "exit_reason": trade.exit_reason,
        "strategy": trade.strategy,
    }

"""What a bulk backtest leaves behind, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from tidewright.domain.events import TradingState
from tidewright.domain.facts import TradingStateChanged
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import (
    Bracket,
    BracketPart,
    Fill,
    Leg,
    OrderIntent,
    OrderType,
    Side,
    client_order_id,
)
from tidewright.domain.portfolio import Trade
from tidewright.engine.config import EngineConfig
from tidewright.engine.portfolio import EXIT_REASONS
from tidewright.kernels.bulk import layout as at
from tidewright.market.arrays import Int64
from tidewright.risk.words import ACTOR, NEW_DAY, daily_loss_text, drawdown_text, rate_text

_LEGS = {
    at.ENTRY: Leg.ENTRY,
    at.EXIT: Leg.EXIT,
    at.STOPPED: Leg.STOP,
    at.TARGETED: Leg.TARGET,
    at.STOPPED_2: Leg.STOP_2,
    at.TARGETED_2: Leg.TARGET_2,
    at.STOPPED_3: Leg.STOP_3,
    at.TARGETED_3: Leg.TARGET_3,
}
_ALERTS = {
    at.NOTE_DRAWDOWN: "MAX_DRAWDOWN_PERCENT",
    at.NOTE_DAILY_LOSS: "MAX_DAILY_LOSS_PERCENT",
    at.NOTE_RATE: "MAX_ORDERS_PER_MINUTE",
    at.NOTE_LOSSES: "CONSECUTIVE_LOSSES",
    at.NOTE_ERRORS: "VENUE_ERRORS",
    at.NOTE_REJECTED: "ORDER_REJECTED",
    at.NOTE_SLIPPAGE: "MAX_SLIPPAGE_PERCENT",
}


@dataclass(frozen=True, slots=True, eq=False)
class BulkResult:
    """Orders, fills, trades, refusals and equity of a run.

    Parameters
    ----------
    config : EngineConfig
        What ran.
    instruments : tuple of Instrument
        By the number that the logs use.
    initial : int
        Opening balance in money units.
    moments : int64 array of shape (n_slices,)
        Time of each slice with bars, nanoseconds UTC.
    state : State
        The end of the run, with its logs.
    """

    config: EngineConfig
    instruments: tuple[Instrument, ...]
    initial: int
    moments: Int64
    state: at.State

    @property
    def order_rows(self) -> Int64:
        """Log of the approved orders, columns ``ORDER_...`` of `kernels.bulk.layout`."""
        return self.state.orders[: self.state.account[at.ORDERS]]

    @property
    def fill_rows(self) -> Int64:
        """Log of the fills, columns ``FILL_...``."""
        return self.state.fills[: self.state.account[at.FILLS]]

    @property
    def trade_rows(self) -> Int64:
        """Log of the round trips, columns ``TRADE_...``."""
        return self.state.round_trips[: self.state.account[at.TRADES]]

    @property
    def note_rows(self) -> Int64:
        """Log of what happened beside: time, code ``NOTE_...`` and three numbers."""
        return self.state.notes[: self.state.account[at.NOTES]]

    @property
    def times(self) -> Int64:
        """Time of every slice with bars, nanoseconds UTC."""
        return self.moments[: self.state.account[at.SLICES]]

    @property
    def equity(self) -> Int64:
        """Equity after every slice with bars, money units."""
        return self.state.equity[: self.state.account[at.SLICES]]

    @property
    def slices_in_market(self) -> int:
        """Number of slices with bars that had an open position."""
        return int(self.state.account[at.IN_MARKET])

    @property
    def round_trips(self) -> int:
        """Number of round trips that ended."""
        return int(self.state.account[at.ROUND_TRIPS])

    @property
    def trade_days(self) -> int:
        """Number of different days on which a round trip ended."""
        return int(self.state.account[at.TRADE_DAYS])

    @property
    def halted(self) -> int | None:
        """When a limit ended trading for good, nanoseconds UTC; None where none did."""
        notes = self.note_rows
        halts = np.isin(notes[:, 1], (at.NOTE_DRAWDOWN, at.NOTE_RATE))
        return int(notes[halts, 0][0]) if halts.any() else None

    @property
    def refusals(self) -> Counter[str]:
        """How often each rule refused an entry."""
        counts = self.state.refusals.tolist()
        return Counter({at.RULES[code]: n for code, n in enumerate(counts) if n})

    @property
    def alerts(self) -> Counter[str]:
        """How often each alert was raised."""
        codes = self.note_rows[:, 1].tolist()
        return Counter(_ALERTS[code] for code in codes if code in _ALERTS)

    @property
    def orders_placed(self) -> int:
        """Number of orders, protective ones included."""
        fills, orders = self.fill_rows, self.order_rows
        first = (fills[:, at.FILL_LEG] == at.ENTRY) & (fills[:, at.FILL_NUMBER] == 1)
        entered = orders[fills[first, at.FILL_ORDER]]
        stops = (entered[:, at.ORDER_STOP] != 0) | (entered[:, at.ORDER_TRAIL] != 0)
        targets = entered[:, at.ORDER_TARGET] != 0
        return len(orders) + int(stops.sum()) + int(targets.sum()) + self._later_legs()

    def _later_legs(self) -> int:
        """Return how many protective orders were placed for parts after the first."""
        if not len(self.state.order_parts):
            return 0
        fills = self.fill_rows
        entries = fills[fills[:, at.FILL_LEG] == at.ENTRY]
        entered = np.bincount(
            entries[:, at.FILL_ORDER], entries[:, at.FILL_LOTS], len(self.order_rows)
        )
        lots = self.state.order_parts[: len(self.order_rows), ::3]
        earlier = np.cumsum(lots, axis=1)[:, :-1]
        return 2 * int(((lots[:, 1:] > 0) & (entered[:, None] > earlier)).sum())

    def charges(self) -> list[tuple[str, int, int]]:
        """Return instrument, amount and days of every fee for holding a position, in order."""
        rows = self.note_rows
        return [
            (self.instruments[instrument].id, amount, days)
            for _, code, instrument, amount, days in rows.tolist()
            if code == at.NOTE_BORROW
        ]

    def client_ids(self, orders: Int64 | None = None) -> list[str]:
        """Return the client id of rows of `order_rows`, of all of them unless some are named."""
        config = self.config
        stems = [
            client_order_id(config.home, config.account, self._strategy, one.id, 0)[:-1]
            for one in self.instruments
        ]
        chosen = self.order_rows if orders is None else self.order_rows[orders]
        rows = chosen[:, [at.ORDER_SEQUENCE, at.ORDER_INSTRUMENT, at.ORDER_LEG]]
        names = {leg: one.value for leg, one in _LEGS.items()}
        return [
            f"{stems[instrument]}{sequence:x}-{names[leg]}"
            for sequence, instrument, leg in rows.tolist()
        ]

    def orders(self) -> list[OrderIntent]:
        """Return the approved orders as values."""
        reasons = self.config.strategies[0].reasons
        parts = self.state.order_parts[: len(self.order_rows)].tolist() or repeat([])
        return [
            self._order(client_id, row, confidence, reasons, cut)
            for client_id, row, confidence, cut in zip(
                self.client_ids(),
                self.order_rows.tolist(),
                self.state.confidences.tolist(),
                parts,
                strict=False,
            )
        ]

    def fills(self) -> list[Fill]:
        """Return the fills as values."""
        names = [one.id for one in self.instruments]
        ids = self.client_ids()
        found = []
        for (
            order,
            leg,
            count,
            sign,
            lots,
            ticks,
            fee,
            maker,
            ts,
            _,
            instrument,
            _,
        ) in self.fill_rows.tolist():
            client_id = f"{ids[order][:-1]}{_LEGS[leg].value}"
            side = Side.BUY if sign > 0 else Side.SELL
            found.append(
                Fill(
                    f"{client_id}.{count}",
                    client_id,
                    names[instrument],
                    side,
                    lots,
                    ticks,
                    fee,
                    bool(maker),
                    ts,
                )
            )
        return found

    def trades(self) -> list[Trade]:
        """Return the round trips as values."""
        rows = self.trade_rows
        names = [one.id for one in self.instruments]
        sides = {1: Side.BUY, -1: Side.SELL}
        reasons = {leg: EXIT_REASONS[one] for leg, one in _LEGS.items()}
        sums = rows[:, at.TRADE_LARGEST : at.TRADE_PNL + 1].T.tolist()
        return list(
            map(
                Trade,
                repeat(self._strategy),
                [names[one] for one in rows[:, at.TRADE_INSTRUMENT].tolist()],
                [sides[one] for one in rows[:, at.TRADE_SIGN].tolist()],
                *sums,
                self.client_ids(rows[:, at.TRADE_ORDER]),
                [reasons[one] for one in rows[:, at.TRADE_LEG].tolist()],
            )
        )

    def state_changes(self) -> list[TradingStateChanged]:
        """Return every change of the trading state, in order."""
        settings = self.config.risk
        found: list[TradingStateChanged] = []
        before = TradingState.ACTIVE
        for _, code, first, second, third in self.note_rows.tolist():
            if code == at.NOTE_DRAWDOWN:
                after, why = TradingState.HALTED, drawdown_text(settings, first, second)
            elif code == at.NOTE_RATE:
                after, why = TradingState.HALTED, rate_text(settings, first)
            elif code == at.NOTE_DAILY_LOSS:
                after = TradingState.REDUCING
                why = daily_loss_text(settings, first, second, third)
            elif code == at.NOTE_NEW_DAY:
                after, why = TradingState.ACTIVE, NEW_DAY
            else:
                continue
            found.append(TradingStateChanged(before, after, ACTOR, why))
            before = after
        return found

    @property
    def _strategy(self) -> str:
        return self.config.strategies[0].strategy.name

    def _order(
        self,
        client_id: str,
        row: list[int],
        confidence: float,
        reasons: Mapping[str, str],
        cut: Sequence[int],
    ) -> OrderIntent:
        _, ts, instrument, leg, sign, lots, reference, limit, stop, target, trail, why = row
        is_exit = leg == at.EXIT
        position = (
            ("long" if sign > 0 else "short") if not is_exit else ("long" if sign < 0 else "short")
        )
        reason = reasons.get(f"{'exit' if is_exit else 'entry'}.{position}", "")
        if is_exit:
            reason = "time stop" if why == at.BY_TIME else reason or "exit rule"
        found = (cut[place : place + 3] for place in range(0, len(cut), 3))
        parts = tuple(BracketPart(*part) for part in found if part[0]) if not is_exit else ()
        kept = parts if len(parts) > 1 else ()
        bracket = Bracket(stop or None, target or None, trail or None, kept)
        setup = self.config.strategies[0]
        return OrderIntent(
            client_id=client_id,
            strategy=self._strategy,
            instrument=self.instruments[instrument].id,
            side=Side.BUY if sign > 0 else Side.SELL,
            leg=_LEGS[leg],
            order_type=OrderType.LIMIT if limit else OrderType.MARKET,
            lots=lots,
            reference_ticks=reference,
            ts_decided=ts,
            confidence=confidence,
            reason=reason,
            limit_ticks=limit or None,
            expire_after_bars=setup.expire_after_bars if limit else 0,
            bracket=bracket if bracket != Bracket() else None,
            reduce_only=is_exit,
        )

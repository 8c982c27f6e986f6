"""Cash, positions and round trips, all in integers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import cast

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import BorrowCharged
from tidewright.domain.facts import PositionCharged
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import STOPS, TARGETS, Fill, Leg, OrderIntent, Side
from tidewright.domain.portfolio import Position, Trade
from tidewright.kernels.accounting import apply_fill, notional

EXIT_REASONS = {
    **dict.fromkeys(STOPS, "stop"),
    **dict.fromkeys(TARGETS, "target"),
    Leg.EXIT: "signal",
    Leg.ENTRY: "reversal",
}
"""What closed a trade, by the leg that traded last."""


@dataclass(slots=True)
class Holding:
    """An open position while it lives; `position` and `trade` are its frozen views."""

    strategy: str
    instrument: str
    client_id: str
    ts_opened: int
    lots: int = 0
    cost: int = 0
    fees: int = 0
    realized: int = 0
    largest: int = 0
    entry_value: int = 0
    entry_lots: int = 0
    exit_value: int = 0
    exit_lots: int = 0
    stop_ticks: int | None = None
    target_ticks: int | None = None
    opened_bar: int = 0
    in_parts: bool = False

    def position(self) -> Position:
        """Return the position as it stands."""
        return Position(
            self.strategy,
            self.instrument,
            self.lots,
            self.cost,
            self.fees,
            self.ts_opened,
            self.client_id,
            self.stop_ticks,
            self.target_ticks,
            self.realized,
        )

    def trade(self, ts_exit: int, exit_reason: str, side: Side) -> Trade:
        """Return the round trip that just ended."""
        return Trade(
            self.strategy,
            self.instrument,
            side,
            self.largest,
            self.ts_opened,
            ts_exit,
            self.entry_value,
            self.exit_value,
            self.entry_lots,
            self.exit_lots,
            self.fees,
            self.realized - self.fees,
            self.client_id,
            exit_reason,
        )


@dataclass(frozen=True, slots=True)
class Booking:
    """What booking one fill changed."""

    position: Position
    trade: Trade | None


class Portfolio:
    """The account as the fills make it.

    The identity ``initial + realized - fees - cost of what is open == cash`` holds to the last
    unit after every booking; `check` proves it.
    """

    def __init__(self) -> None:
        self.initial = 0
        self.cash = 0
        self.realized = 0
        self.fees = 0
        self.holdings: dict[str, Holding] = {}
        self.charged: dict[str, int] = {}

    def open_account(self, cash: int) -> None:
        """Set the opening balance in money units."""
        self.initial = cash
        self.cash = cash

    def equity(self, marks: Mapping[str, int], ratios: Mapping[str, tuple[int, int]]) -> int:
        """Return cash plus positions at the latest closes, in money units.

        Parameters
        ----------
        marks : mapping of str to int
            Latest close per instrument, in ticks.
        ratios : mapping of str to (int, int)
            Value ratio per instrument.
        """
        total = self.cash
        for instrument, holding in self.holdings.items():
            numerator, denominator = ratios[instrument]
            total += notional(marks[instrument], holding.lots, numerator, denominator)
        return total

    def book(
        self, fill: Fill, intent: OrderIntent, instrument: Instrument, bar: int = 0
    ) -> Booking:
        """Book a fill and return what it changed.

        Parameters
        ----------
        fill : Fill
            What traded.
        intent : OrderIntent
            Of the order that traded.
        instrument : Instrument
            What was traded.
        bar : int
            Number of bars of the instrument so far; a position counts its age from there.

        Raises
        ------
        DataIntegrityError
            If the fill would turn a position around: every order that could is reduce-only.
        """
        signed = fill.side.sign * fill.lots
        holding = self.holdings.get(fill.instrument)
        if holding is None:
            holding = Holding(
                intent.strategy, fill.instrument, intent.client_id, fill.ts_event, opened_bar=bar
            )
            if intent.bracket is not None:
                holding.stop_ticks = intent.bracket.stop_ticks
                holding.target_ticks = intent.bracket.target_ticks
                holding.in_parts = bool(intent.bracket.parts)
            self.holdings[fill.instrument] = holding
        elif holding.lots * (holding.lots + signed) < 0:
            raise DataIntegrityError(
                f"fill {fill.trade_id} of {signed} lots met a position of {holding.lots} lots in "
                f"{fill.instrument}; expected it to reduce the position at most to flat"
            )
        opening = holding.lots * signed >= 0
        self._apply(holding, fill, signed, instrument)
        holding.largest = max(holding.largest, abs(holding.lots))
        if opening:
            holding.entry_value += fill.lots * fill.ticks
            holding.entry_lots += fill.lots
        else:
            holding.exit_value += fill.lots * fill.ticks
            holding.exit_lots += fill.lots
        if holding.lots:
            return Booking(holding.position(), None)
        del self.holdings[fill.instrument]
        trade = holding.trade(fill.ts_event, EXIT_REASONS[intent.leg], fill.side.opposite)
        return Booking(holding.position(), trade)

    def charge(self, event: BorrowCharged) -> PositionCharged | None:
        """Book a fee for holding a position; None when it was booked before.

        The fee is part of the round trip; where that has ended already, of the account alone.
        """
        if self.charged.get(event.instrument, 0) >= event.venue_sequence:
            return None
        self.charged[event.instrument] = event.venue_sequence
        holding = self.holdings.get(event.instrument)
        if holding is not None:
            holding.fees += event.amount
        self.fees += event.amount
        self.cash -= event.amount
        strategy = holding.strategy if holding is not None else ""
        return PositionCharged(strategy, event.instrument, event.amount, event.days, self.cash)

    def _apply(self, holding: Holding, fill: Fill, signed: int, instrument: Instrument) -> None:
        numerator, denominator = instrument.value_ratio
        value = notional(fill.ticks, signed, numerator, denominator)
        holding.lots, holding.cost, realized = apply_fill(holding.lots, holding.cost, signed, value)
        holding.realized += realized
        holding.fees += fill.fee
        self.realized += realized
        self.fees += fill.fee
        self.cash -= value + fill.fee

    def check(self) -> None:
        """Prove the accounting identity.

        Raises
        ------
        DataIntegrityError
            If a single unit is missing or too many.
        """
        cost = sum(holding.cost for holding in self.holdings.values())
        expected = self.initial + self.realized - self.fees - cost
        if expected != self.cash:
            raise DataIntegrityError(
                f"cash was {self.cash} units; the bookings make {expected} units"
            )

    def positions(self) -> Iterator[tuple[str, int]]:
        """Yield (instrument, signed lots), by instrument id."""
        for name in sorted(self.holdings):
            yield name, self.holdings[name].lots

    def snapshot(self) -> dict[str, object]:
        """Return everything as plain data."""
        names = [field.name for field in fields(Holding)]
        return {
            "initial": self.initial,
            "cash": self.cash,
            "realized": self.realized,
            "fees": self.fees,
            "charged": self.charged,
            "holdings": [
                {name: getattr(holding, name) for name in names}
                for holding in self.holdings.values()
            ],
        }

    def restore(self, data: Mapping[str, object]) -> None:
        """Take over what `snapshot` gave.

        Raises
        ------
        DataIntegrityError
            If the data does not satisfy the accounting identity.
        """
        self.initial = cast("int", data["initial"])
        self.cash = cast("int", data["cash"])
        self.realized = cast("int", data["realized"])
        self.fees = cast("int", data["fees"])
        # Snapshots from before there were such fees say nothing of them.
        self.charged = dict(cast("dict[str, int]", data.get("charged", {})))
        holdings = [Holding(**item) for item in cast("list[dict[str, object]]", data["holdings"])]  # type: ignore[arg-type]
        self.holdings = {holding.instrument: holding for holding in holdings}
        self.check()

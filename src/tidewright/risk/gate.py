"""The gate: every intent passes here, and comes out approved or refused.

1. An intent must be an order at all (`form`).
2. An exit is allowed, capped at what there is to leave (`exits`).
3. An entry is held against `ENTRY_RULES` in order; the first breach refuses it. Breaching the
   order rate halts trading.

What neither arithmetic nor data can answer is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.domain.facts import Fact
from tidewright.domain.instrument import Instrument
from tidewright.domain.orders import ApprovedOrder, Fill, LimitCheck, OrderIntent, RefusedOrder
from tidewright.domain.portfolio import Trade
from tidewright.domain.signals import Signal, Target
from tidewright.risk import capital, correlation, data, flow, instruments, price, standing
from tidewright.risk.account import AccountView
from tidewright.risk.approval import approve
from tidewright.risk.breakers import Breakers
from tidewright.risk.case import Breach, Case, Rule, worst_price
from tidewright.risk.exits import capped_exit
from tidewright.risk.exposure import Unvalued, commitments
from tidewright.risk.form import unsound_account, unsound_entry, unsound_intent, unsound_time
from tidewright.risk.pacing import Pacing
from tidewright.risk.settings import RiskSettings
from tidewright.risk.sizing import SizingRefusal, SizingRequest, size
from tidewright.risk.slippage import SlippageWatch
from tidewright.risk.terms import InstrumentTerms, terms_of

__all__ = ["ENTRY_RULES", "RiskGate", "SizingRefusal", "SizingRequest"]

ENTRY_RULES: Final[tuple[Rule, ...]] = (
    standing.trading_state,
    standing.cooldown,
    data.feed_live,
    data.unknown_order,
    data.data_age,
    instruments.min_confidence,
    instruments.shortable,
    instruments.no_flip,
    instruments.instrument_limits,
    price.price_collar,
    flow.duplicate_intent,
    flow.max_open_orders,
    capital.risk_per_trade,
    capital.max_position_size,
    capital.max_total_exposure,
    capital.min_free_cash,
    correlation.max_correlated_positions,
    flow.max_orders_per_minute,
)
"""Limits of an entry, in the order in which they are looked at; the order rate comes last, so that
only an order that would have gone out can halt trading."""


class RiskGate:
    """Holds intents against the limits, and the trading state.

    Parameters
    ----------
    settings : RiskSettings
        The limits.
    instruments : mapping of str to Instrument
        What may be traded, by id; `define` adds more.
    """

    def __init__(self, settings: RiskSettings, instruments: Mapping[str, Instrument]) -> None:
        self._settings = settings
        self._terms: dict[str, InstrumentTerms] = {}
        self._breakers = Breakers(settings)
        self._pacing = Pacing(settings)
        self._slippage = SlippageWatch(settings)
        self.mark = self._breakers.mark
        """Take note of equity in money units at a time, and trip what it trips; once per slice."""
        for instrument in instruments.values():
            self.define(instrument)

    @property
    def trading_state(self) -> TradingState:
        """What may be done now."""
        return self._breakers.state

    @property
    def state_reason(self) -> str:
        """Why trading is not ACTIVE; empty while it is."""
        return self._breakers.reason

    def define(self, instrument: Instrument) -> None:
        """Add an instrument, or change the rules of one already known."""
        self._terms[instrument.id] = terms_of(instrument)

    def trade_closed(self, trade: Trade, ts: int) -> list[Fact]:
        """Count a round trip towards the daily loss and the losing streak."""
        return self._breakers.trade_closed(trade, ts)

    def fill_booked(self, fill: Fill, reference_ticks: int, ts: int) -> Sequence[Fact]:
        """Compare a fill with the price that its order expected."""
        return self._slippage.take(fill, reference_ticks, ts)

    def venue_answer(self, definite: bool, ts: int) -> list[Fact]:
        """Count a venue's failure towards ``api_error_threshold``; a definite answer ends the row.

        Parameters
        ----------
        definite : bool
            False for a lost answer or a rejection.
        ts : int
            Nanoseconds UTC.
        """
        return self._breakers.venue_answer(definite, ts)

    def operator(self, command: OperatorCommand, ts: int) -> list[Fact]:
        """Carry out a person's command; the only way out of HALTED.

        Parameters
        ----------
        command : OperatorCommand
            The state wanted, who asks and why.
        ts : int
            Nanoseconds UTC.
        """
        return self._breakers.operator(command)

    def latch(self, state: TradingState, reason: str = "taken over from the record") -> None:
        """Set the trading state as a record says it was."""
        self._breakers.latch(state, reason)

    def stop_for_good(self, reason: str = "taken over from the record") -> None:
        """Halt such that no operator can resume, as a record says that a pilot was."""
        self._breakers.stop_for_good(reason)

    def take_facts(self) -> list[Fact]:
        """Return facts that a `check` caused, and forget them; the next `mark` would give them."""
        return self._breakers.take_pending()

    def standing(self, signal: Signal, ts: int) -> SizingRefusal | None:
        """Return what forbids every entry now, before a size is looked for; None if nothing.

        Parameters
        ----------
        signal : Signal
            Who wants to enter.
        ts : int
            Nanoseconds UTC.
        """
        breach = standing.standing_breach(self._breakers, self._settings, ts)
        if breach is None:
            return None
        return SizingRefusal(signal, breach.rule, breach.limit, breach.value, breach.message)

    def size(self, request: SizingRequest, account: AccountView) -> Target | SizingRefusal:
        """Return the position that a signal may have, in whole lots, or why it gets none.

        Parameters
        ----------
        request : SizingRequest
            The signal and its sizing.
        account : AccountView
            The account.

        Raises
        ------
        ConfigError
            If the sizing method is unknown.
        """
        try:
            return size(
                request,
                account,
                self._terms,
                self._pacing.approved_at(account.ts),
                self._settings,
            )
        except (Unvalued, OverflowError) as error:
            breach = _unanswerable(error)
            return SizingRefusal(
                request.signal, breach.rule, breach.limit, breach.value, breach.message
            )

    def check(self, intent: OrderIntent, account: AccountView) -> ApprovedOrder | RefusedOrder:
        """Hold an intent against every limit.

        Parameters
        ----------
        intent : OrderIntent
            What a strategy wants to do.
        account : AccountView
            The account; approvals of the same moment are counted even if it does not hold them.

        Returns
        -------
        ApprovedOrder or RefusedOrder
            An exit may come back approved for fewer lots than asked.
        """
        try:
            breach = unsound_intent(intent) or self._unknown(intent) or unsound_time(account.ts)
            if breach is not None:
                return _refused(intent, breach)
            self._pacing.forget(account.ts)
            if intent.reduce_only:
                return self._check_exit(intent, account)
            return self._check_entry(intent, account)
        except (Unvalued, OverflowError) as error:
            return _refused(intent, _unanswerable(error))

    def _unknown(self, intent: OrderIntent) -> Breach | None:
        if intent.instrument in self._terms:
            return None
        name = intent.instrument
        return Breach(
            "known_instrument", "a defined instrument", f"{name!r}", f"{name!r} is not defined."
        )

    def _check_exit(
        self, intent: OrderIntent, account: AccountView
    ) -> ApprovedOrder | RefusedOrder:
        capped = capped_exit(intent, account, self._pacing.approved_at(account.ts))
        if isinstance(capped, Breach):
            return _refused(intent, capped)
        allowed, check = capped
        self._pacing.note(allowed, account.ts, 0)
        return approve(allowed, (check,))

    def _check_entry(
        self, intent: OrderIntent, account: AccountView
    ) -> ApprovedOrder | RefusedOrder:
        breach = unsound_account(account) or unsound_entry(intent, account.ts)
        if breach is not None:
            return _refused(intent, breach)
        committed, working = commitments(account, self._pacing.approved_at(account.ts))
        case = Case(
            intent,
            account,
            self._terms,
            committed,
            working,
            self._settings,
            self._breakers,
            self._pacing,
        )
        checks: list[LimitCheck] = []
        for rule in ENTRY_RULES:
            said = rule(case)
            if isinstance(said, Breach):
                if said.rule == flow.RATE_RULE:
                    self._breakers.halt_later(said.rule, said.message)
                return _refused(intent, said)
            checks.append(said)
        self._pacing.note(intent, account.ts, worst_price(intent, case.mark))
        return approve(intent, tuple(checks))

    def snapshot(self) -> dict[str, object]:
        """Return everything that must survive a restart, as JSON-able values."""
        return {
            "breakers": self._breakers.snapshot(),
            "approvals": self._pacing.snapshot(),
            "slippage": self._slippage.snapshot(),
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises
        ------
        DataIntegrityError
            If it is not one.
        """
        try:
            breakers: Mapping[str, Any] = snapshot["breakers"]
            approvals: Sequence[Sequence[Any]] = snapshot["approvals"]
        except (KeyError, TypeError) as error:
            raise DataIntegrityError(f"risk snapshot cannot be read: {error!r}") from error
        self._breakers.restore(breakers)
        self._pacing.restore(approvals)
        # Snapshots of the first builds do not hold it.
        self._slippage.restore(snapshot.get("slippage", {}))


def _refused(intent: OrderIntent, breach: Breach) -> RefusedOrder:
    return RefusedOrder(intent, breach.rule, breach.limit, breach.value, breach.message)


def _unanswerable(error: Unvalued | OverflowError) -> Breach:
    if isinstance(error, Unvalued):
        name = error.instrument
        return Breach(
            "known_price",
            "a latest price for all that is held",
            f"none for {name}",
            f"{name} is held or ordered but has no usable price or terms; exposure is unknown.",
        )
    return Breach(
        "arithmetic", "64-bit amounts", "above", f"An amount left the 64-bit range: {error}."
    )

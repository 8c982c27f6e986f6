"""The latched trading state and what moves it: drawdown, daily loss, losing streaks, errors.

`Breakers.mark` runs once per slice. It compares equity with one precomputed level, the highest
equity at which any loss limit trips; everything else happens on the rare path.

State moves only towards caution by itself, with one exception: REDUCING that a daily loss caused
ends with the UTC day. HALTED ends by an operator's command alone, and not even so once a pilot's
loss budget is spent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import OperatorCommand, TradingState
from tidewright.domain.facts import AlertLogged, Fact, Severity, TradingStateChanged
from tidewright.domain.money import from_decimal
from tidewright.domain.portfolio import Trade
from tidewright.domain.time import DAY, MINUTE, iso
from tidewright.kernels.limits import daily_allowance, trip_level
from tidewright.risk.settings import LossType, RiskSettings, ppm
from tidewright.risk.words import ACTOR, NEW_DAY, amount, daily_loss_text, drawdown_text, pilot_text

PILOT_ALERT: Final = "PILOT_LOSS_BUDGET"
"""Code of the alert that says that a pilot stopped for good."""

_NEVER = -(2**62)
_MONEY_BOUND = 2**62

_SAVED = (
    "reason",
    "ends_with_day",
    "peak",
    "equity",
    "day_equity",
    "day_realized",
    "day_end",
    "losses",
    "cooldown_until",
    "cooldown_reason",
    "errors",
    "pilot_base",
    "pilot_spent",
)
_LATER: Mapping[str, object] = {"pilot_base": 0, "pilot_spent": False}
"""What snapshots of earlier builds do not hold, and what it was then."""


class Breakers:
    """Trading state, loss limits and cooldowns.

    Parameters
    ----------
    settings : RiskSettings
        The limits.

    Attributes
    ----------
    state : TradingState
        What may be done.
    reason : str
        Why the state is not ACTIVE; empty while it is.
    cooldown_until : int
        Entries are refused before this time, nanoseconds UTC.
    cooldown_reason : str
        What started the cooldown.
    pilot_base : int
        Equity from which the loss of a pilot counts, money units; 0 before the first mark.
    pilot_spent : bool
        Whether a pilot's loss budget was ever spent; nothing ends that.
    """

    __slots__ = (
        "_daily_amount",
        "_daily_level",
        "_daily_ppm",
        "_drawdown_ppm",
        "_level",
        "_pending",
        "_pilot_budget",
        "_settings",
        "_wake",
        "cooldown_reason",
        "cooldown_until",
        "day_end",
        "day_equity",
        "day_realized",
        "ends_with_day",
        "equity",
        "errors",
        "losses",
        "peak",
        "pilot_base",
        "pilot_spent",
        "reason",
        "state",
    )

    def __init__(self, settings: RiskSettings) -> None:
        self._settings = settings
        self._drawdown_ppm = ppm(settings.max_drawdown_percent)
        self._daily_ppm = ppm(settings.max_daily_loss_percent)
        most = settings.max_daily_loss
        self._daily_amount = -1 if isinstance(most, str) else from_decimal(most)
        budget = settings.pilot_loss_budget
        self._pilot_budget = 0 if isinstance(budget, str) else from_decimal(budget)
        self._pending: list[Fact] = []
        self._level = _NEVER
        self._daily_level = _NEVER
        self._wake = 0
        self.state = TradingState.ACTIVE
        self.reason = ""
        self.ends_with_day = False
        self.peak = 0
        self.equity = 0
        self.day_equity = 0
        self.day_realized = 0
        self.day_end = 0
        self.losses = 0
        self.cooldown_until = 0
        self.cooldown_reason = ""
        self.errors = 0
        self.pilot_base = 0
        self.pilot_spent = False

    def mark(self, ts: int, equity: int) -> list[Fact]:
        """Take note of equity at a time, and trip what it trips."""
        if self._level < equity < _MONEY_BOUND and ts < self._wake:
            self.equity = equity
            if equity > self.peak:
                self.peak = equity
                if self.state is not TradingState.HALTED:
                    self._level = max(
                        trip_level(equity, self._drawdown_ppm),
                        self._daily_level,
                        self._pilot_level(),
                    )
            return []
        return self._mark(ts, equity)

    def _mark(self, ts: int, equity: int) -> list[Fact]:
        facts = self.take_pending()
        if type(equity) is not int or abs(equity) >= _MONEY_BOUND:
            facts += self.halt("equity_unusable", f"Equity was {equity!r}; expected money units.")
            return facts
        if self.peak == 0 and equity <= 0:
            return facts
        facts += self._roll(ts, equity)
        self.equity = equity
        if equity > self.peak:
            self.peak = equity
        if self._pilot_budget and not self.pilot_base:
            self.pilot_base = equity
        self._rearm()
        if equity <= self._level:
            facts += self._trip()
        return facts

    def trade_closed(self, trade: Trade, ts: int) -> list[Fact]:
        """Count a round trip towards the day's realised loss and the losing streak."""
        facts = self._roll(ts, self.equity) if self.peak else []
        self.day_realized += trade.pnl
        limit = self._settings.max_consecutive_losses
        self.losses = self.losses + 1 if trade.pnl < 0 else 0
        if isinstance(limit, int) and self.losses >= limit:
            facts += self._cool_down(
                ts, "CONSECUTIVE_LOSSES", f"{self.losses} losing trades in a row"
            )
            self.losses = 0
        realized_only = self._settings.loss_type is LossType.REALIZED
        if (
            realized_only
            and self.state is TradingState.ACTIVE
            and self.peak
            and -self.day_realized >= self._daily_allowance()
        ):
            facts += self._trip_daily(-self.day_realized)
        self._rearm()
        return facts

    def venue_answer(self, definite: bool, ts: int) -> list[Fact]:
        """Count a venue's failure (lost answer, rejection), or forget the row of them."""
        if definite:
            self.errors = 0
            return []
        self.errors += 1
        if self.errors < self._settings.api_error_threshold:
            return []
        count, self.errors = self.errors, 0
        return self._cool_down(ts, "VENUE_ERRORS", f"{count} venue errors in a row")

    def operator(self, command: OperatorCommand) -> list[Fact]:
        """Carry out a person's command.

        Becoming ACTIVE starts the day's loss afresh from the present equity, and after HALTED the
        drawdown's peak too: else the limit that tripped would trip again at once. Both are
        recorded. REDUCING never loosens HALTED.
        """
        wanted, before = command.state, self.state
        if self.pilot_spent and wanted is not TradingState.HALTED:
            return [_kept(f"Trading stays HALTED for good: {self.reason}")]
        if wanted is before:
            if wanted is TradingState.REDUCING and self.ends_with_day:
                self.ends_with_day = False
                self.reason = f"{command.actor}: {command.reason}"
                return [_kept(f"REDUCING now stays until an operator resumes: {command.reason}")]
            return []
        if before is TradingState.HALTED and wanted is TradingState.REDUCING:
            return [_kept("Trading stays HALTED; REDUCING would loosen it. Resume first.")]
        facts: list[Fact] = []
        if wanted is TradingState.ACTIVE:
            facts.append(self._restart_limits(from_halt=before is TradingState.HALTED))
        return facts + self._change(wanted, command.actor, command.reason)

    def halt(self, code: str, message: str) -> list[Fact]:
        """Latch HALTED and raise the alarm; a second cause adds nothing."""
        if self.state is TradingState.HALTED:
            return []
        return [
            AlertLogged(Severity.CRITICAL, code.upper(), message),
            *self._change(TradingState.HALTED, ACTOR, message),
        ]

    def halt_later(self, code: str, message: str) -> None:
        """Latch HALTED now; its facts are given by `take_pending` or by the next mark."""
        self._pending += self.halt(code, message)
        self._wake = 0

    def take_pending(self) -> list[Fact]:
        """Return facts that arose where none could be returned, and forget them."""
        pending, self._pending = self._pending, []
        return pending

    def stop_for_good(self, reason: str) -> list[Fact]:
        """Latch HALTED such that nothing ends it, as a spent pilot does."""
        self.pilot_spent = True
        if self.state is not TradingState.HALTED:
            return self._change(TradingState.HALTED, ACTOR, reason)
        self.reason = f"{ACTOR}: {reason}"
        self._rearm()
        return []

    def latch(self, state: TradingState, reason: str) -> None:
        """Set the state as a record says it was; what stopped for good stays stopped."""
        if state is not self.state and not self.pilot_spent:
            self._change(state, ACTOR, reason)

    def snapshot(self) -> dict[str, object]:
        """Return everything that must survive a restart, as JSON-able values."""
        saved: dict[str, object] = {name: getattr(self, name) for name in _SAVED}
        saved["state"] = self.state.value
        return saved

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises
        ------
        DataIntegrityError
            If it is not one.
        """
        try:
            saved = {**_LATER, **data}
            for name in _SAVED:
                if type(saved[name]) is not type(getattr(self, name)):
                    raise TypeError(f"{name} was {saved[name]!r}")
            state = TradingState(data["state"])
        except (KeyError, ValueError, TypeError) as error:
            raise DataIntegrityError(f"risk snapshot cannot be read: {error!r}") from error
        for name in _SAVED:
            setattr(self, name, saved[name])
        self.state = state
        self._rearm()

    def _roll(self, ts: int, equity: int) -> list[Fact]:
        """Begin another UTC day when it is due; its losses count from its first moment."""
        if ts < self.day_end:
            return []
        at_midnight = ts == self.day_end or not self.day_end
        self.day_equity = equity if at_midnight else self.equity
        self.day_realized = 0
        self.day_end = (ts // DAY + 1) * DAY
        self._wake = self.day_end
        if self.state is TradingState.REDUCING and self.ends_with_day:
            return self._change(TradingState.ACTIVE, ACTOR, NEW_DAY)
        return []

    def _rearm(self) -> None:
        """Recompute the highest equity that trips, and when the next slow look is due."""
        self._wake = 0 if self._pending or self.peak == 0 else self.day_end
        self._level = self._daily_level = _NEVER
        if self.peak == 0:
            return
        self._level = self._pilot_level()
        if self.state is TradingState.HALTED:
            return
        if self.state is TradingState.ACTIVE:
            self._daily_level = self._daily_trip_level()
        self._level = max(trip_level(self.peak, self._drawdown_ppm), self._daily_level, self._level)

    def _pilot_level(self) -> int:
        """Return the equity at which a pilot's budget is spent; never without one, or once it is.

        Open positions may fall on while trading is HALTED for another reason, so this level holds
        in every state.
        """
        if not self.pilot_base or not self._pilot_budget or self.pilot_spent:
            return _NEVER
        return self.pilot_base - self._pilot_budget

    def _daily_allowance(self) -> int:
        return daily_allowance(self.day_equity, self._daily_ppm, self._daily_amount)

    def _daily_trip_level(self) -> int:
        kind = self._settings.loss_type
        if kind is LossType.REALIZED:
            return _NEVER
        realized = self.day_realized if kind is LossType.UNREALIZED else 0
        return self.day_equity + realized - self._daily_allowance()

    def _trip(self) -> list[Fact]:
        if self.equity <= self._pilot_level():
            return self._stop_pilot()
        if self.equity <= trip_level(self.peak, self._drawdown_ppm):
            lost = self.peak - self.equity
            return self.halt(
                "max_drawdown_percent",
                drawdown_text(self._settings, lost, self.peak),
            )
        base = self.day_equity
        if self._settings.loss_type is LossType.UNREALIZED:
            base += self.day_realized
        return self._trip_daily(base - self.equity)

    def _stop_pilot(self) -> list[Fact]:
        message = pilot_text(self._settings, self.pilot_base - self.equity)
        return [
            AlertLogged(Severity.CRITICAL, PILOT_ALERT, message),
            *self.stop_for_good(message),
        ]

    def _trip_daily(self, lost: int) -> list[Fact]:
        message = daily_loss_text(self._settings, lost, self._daily_allowance(), self.day_end)
        facts = self._change(TradingState.REDUCING, ACTOR, message)
        self.ends_with_day = True
        return [AlertLogged(Severity.CRITICAL, "MAX_DAILY_LOSS_PERCENT", message), *facts]

    def _cool_down(self, ts: int, code: str, cause: str) -> list[Fact]:
        until = ts + self._settings.cooldown_minutes * MINUTE
        self.cooldown_until = max(self.cooldown_until, until)
        self.cooldown_reason = cause
        message = f"{cause}: entries are refused until {iso(self.cooldown_until)}."
        return [AlertLogged(Severity.WARNING, code, message)]

    def _restart_limits(self, *, from_halt: bool) -> Fact:
        message = (
            f"{'Peak and daily loss count' if from_halt else 'The daily loss counts'} from equity "
            f"{amount(self.equity)}; before, the peak was {amount(self.peak)}, the day began "
            f"with {amount(self.day_equity)} and had realised {amount(self.day_realized)}, with "
            f"{self.losses} losses and {self.errors} venue errors in a row."
        )
        if from_halt:
            self.peak = max(self.equity, 0)
        self.day_equity = self.equity
        self.day_realized = 0
        self.losses = self.errors = self.cooldown_until = 0
        self.cooldown_reason = ""
        return AlertLogged(Severity.WARNING, "RISK_LIMITS_RESTARTED", message)

    def _change(self, after: TradingState, actor: str, reason: str) -> list[Fact]:
        before, self.state = self.state, after
        self.reason = "" if after is TradingState.ACTIVE else f"{actor}: {reason}"
        self.ends_with_day = False
        self._rearm()
        return [TradingStateChanged(before, after, actor, reason)]


def _kept(message: str) -> AlertLogged:
    return AlertLogged(Severity.INFO, "TRADING_STATE_KEPT", message)

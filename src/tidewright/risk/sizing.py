"""From a signal to a position: the method's quantity, made to fit every limit, in whole lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.signals import Direction, Signal, Target
from tidewright.kernels import sizing as steps
from tidewright.kernels.limits import share_of, value_ceiling
from tidewright.risk.account import AccountView
from tidewright.risk.capital import cash_to_keep
from tidewright.risk.exposure import Commitment, commitments, free_cash, gross_value, worth
from tidewright.risk.form import BOUND, unsound_account, unsound_time
from tidewright.risk.pacing import Approval
from tidewright.risk.settings import RiskSettings, ppm
from tidewright.risk.terms import InstrumentTerms
from tidewright.risk.text import money, number


class SizingMethod(StrEnum):
    """How a quantity is found."""

    RISK_PERCENT = "risk_percent"
    PERCENT_OF_EQUITY = "percent_of_equity"
    FIXED_NOTIONAL = "fixed_notional"
    FIXED_QUANTITY = "fixed_quantity"


_STEPS: Mapping[SizingMethod, int] = {
    SizingMethod.RISK_PERCENT: steps.RISK_PERCENT,
    SizingMethod.PERCENT_OF_EQUITY: steps.PERCENT_OF_EQUITY,
    SizingMethod.FIXED_NOTIONAL: steps.FIXED_NOTIONAL,
    SizingMethod.FIXED_QUANTITY: steps.FIXED_QUANTITY,
}

_RULES: Mapping[int, str] = {
    steps.UNCAPPED: "instrument_limits",
    steps.BY_POSITION: "max_position_size_percent",
    steps.BY_EXPOSURE: "max_total_exposure_percent",
    steps.BY_CASH: "min_free_cash_percent",
    steps.BY_RISK: "risk_per_trade_percent",
    steps.BY_MAXIMUM: "instrument_limits",
}


@dataclass(frozen=True, slots=True)
class SizingRequest:
    """A signal that wants a position.

    Parameters
    ----------
    signal : Signal
        LONG or SHORT.
    method : str
        A value of `SizingMethod`.
    value : Decimal
        Percent of equity (risked until the stop, or bought), an amount of the account currency,
        or a quantity; finite and > 0.
    reference_ticks : int
        Price that the entry is expected at, > 0.
    stop_ticks : int
        Distance from the entry to its stop; 0 means no stop.
    """

    signal: Signal
    method: str
    value: Decimal
    reference_ticks: int
    stop_ticks: int = 0


@dataclass(frozen=True, slots=True)
class SizingRefusal:
    """A signal that gets no position.

    Parameters
    ----------
    signal : Signal
        What was refused.
    rule : str
        The rule that left no room.
    limit, value : str
        The limit and the value that met it, as exact text with unit.
    message : str
        One sentence for a person.
    """

    signal: Signal
    rule: str
    limit: str
    value: str
    message: str


def size(
    request: SizingRequest,
    account: AccountView,
    terms: Mapping[str, InstrumentTerms],
    approvals: Iterable[Approval],
    settings: RiskSettings,
) -> Target | SizingRefusal:
    """Return the position that a signal may have, rounded down to lots, or why it gets none.

    Parameters
    ----------
    request : SizingRequest
        The signal and its sizing.
    account : AccountView
        The account.
    terms : mapping of str to InstrumentTerms
        Terms of every instrument, by id.
    approvals : iterable of Approval
        Approvals of this moment.
    settings : RiskSettings
        The limits.

    Raises
    ------
    ConfigError
        If the sizing method is unknown.
    Unvalued
        If an instrument that is held or worked has no usable price.
    OverflowError
        If an amount leaves int64.
    """
    unsound = _unsound(request, account, terms)
    if unsound is not None:
        return unsound
    signal = request.signal
    own = terms[signal.instrument]
    sign = 1 if signal.direction is Direction.LONG else -1
    committed, _working = commitments(account, approvals)
    price = max(account.marks[signal.instrument], request.reference_ticks)
    step_terms = steps.Terms(own.numerator, own.denominator, own.fee_ppm, own.max_lots)
    wanted = steps.wanted_lots(
        method_step(request.method),
        sizing_amount(request.method, request.value, own, settings),
        account.equity,
        price,
        request.stop_ticks,
        step_terms,
    )
    rooms = _rooms(account, committed, terms, signal.instrument, price, settings)
    lots, cap = steps.capped_lots(wanted, price, request.stop_ticks, rooms, step_terms)
    if lots < own.min_lots:
        return _too_small(request, own, lots, cap, wanted)
    worst = min(account.marks[signal.instrument], request.reference_ticks)
    value = value_ceiling(worst, lots, own.numerator, own.denominator)
    if value < own.min_notional:
        least, told = (money(u, own.instrument.quote) for u in (own.min_notional, value))
        return SizingRefusal(
            signal,
            _RULES[cap],
            f"at least {least}",
            told,
            f"{told} is what the limits leave for {signal.instrument}; "
            f"the venue takes {least} and above.",
        )
    stop = request.reference_ticks - sign * request.stop_ticks if request.stop_ticks else None
    return Target(signal.strategy, signal.instrument, sign * lots, stop_ticks=stop)


def method_of(name: str) -> SizingMethod:
    """Return a sizing method by its name.

    Raises
    ------
    ConfigError
        If there is no such method.
    """
    try:
        return SizingMethod(name)
    except ValueError:
        known = [method.value for method in SizingMethod]
        raise ConfigError(
            f"sizing method was {name!r}{nearest(str(name), known)}; "
            f"expected one of {', '.join(known)}"
        ) from None


def method_step(name: str) -> int:
    """Return the number by which the compiled steps know a method.

    Raises
    ------
    ConfigError
        If there is no such method.
    """
    return _STEPS[method_of(name)]


def _unsound(
    request: SizingRequest, account: AccountView, terms: Mapping[str, InstrumentTerms]
) -> SizingRefusal | None:
    signal, name = request.signal, request.signal.instrument
    breach = unsound_time(account.ts) or unsound_account(account)
    if breach is not None:
        return SizingRefusal(signal, breach.rule, breach.limit, breach.value, breach.message)

    def refusal(rule: str, limit: str, value: object, what: str) -> SizingRefusal:
        return SizingRefusal(
            signal, rule, limit, f"{value}", f"{what} was {value}; expected {limit}."
        )

    mark = account.marks.get(name)
    amount: object = request.value
    if name not in terms:
        return refusal("known_instrument", "a defined instrument", name, "The instrument")
    if signal.direction not in (Direction.LONG, Direction.SHORT):
        return refusal("sizing", "long or short", signal.direction, "The direction")
    if type(mark) is not int or not 0 < mark < BOUND:
        return refusal("max_data_age_minutes", "a latest price above 0", mark, f"{name}'s price")
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount <= 0:
        return refusal("sizing", "a finite number above 0", request.value, "The size")
    for what, ticks, low in (
        ("The reference price", request.reference_ticks, 1),
        ("The stop distance", request.stop_ticks, 0),
    ):
        if type(ticks) is not int or not low <= ticks < BOUND:
            return refusal("sizing", f"whole ticks of at least {low}", ticks, what)
    if method_of(request.method) is SizingMethod.RISK_PERCENT and request.stop_ticks == 0:
        return refusal("sizing", "a stop distance above 0", request.stop_ticks, "The stop distance")
    return None


def sizing_amount(name: str, value: Decimal, own: InstrumentTerms, settings: RiskSettings) -> int:
    """Return a method's amount: millionths of equity, money units or lots, rounded down.

    Parameters
    ----------
    name : str
        A value of `SizingMethod`.
    value : Decimal
        As `SizingRequest` has it.
    own : InstrumentTerms
        Of the instrument.
    settings : RiskSettings
        The limits that cap it.
    """
    method = method_of(name)
    if method is SizingMethod.RISK_PERCENT:
        return min(ppm(value), ppm(settings.risk_per_trade_percent))
    if method is SizingMethod.PERCENT_OF_EQUITY:
        return min(ppm(value), ppm(Decimal(100)))
    if method is SizingMethod.FIXED_NOTIONAL:
        return min(int(value * UNITS_PER_CURRENCY), BOUND)
    return min(int(value / own.instrument.lot_size), BOUND)


def _rooms(
    account: AccountView,
    committed: Mapping[str, Commitment],
    terms: Mapping[str, InstrumentTerms],
    name: str,
    price: int,
    settings: RiskSettings,
) -> steps.Rooms:
    equity = account.equity
    held = committed.get(name, Commitment())
    own_value = worth(terms[name], held.worst, max(held.price, price))
    others = gross_value(committed, terms, leaving_out=name)
    position = share_of(equity, ppm(settings.max_position_size_percent)) - own_value
    exposure = share_of(equity, ppm(settings.max_total_exposure_percent)) - own_value - others
    cash = free_cash(account, committed, terms)
    cash -= cash_to_keep(equity, ppm(settings.min_free_cash_percent))
    risk = share_of(equity, ppm(settings.risk_per_trade_percent))
    return steps.Rooms(max(position, 0), max(exposure, 0), max(cash, 0), risk)


def _too_small(
    request: SizingRequest, own: InstrumentTerms, lots: int, cap: int, wanted: int
) -> SizingRefusal:
    instrument = own.instrument
    least = number(instrument.quantity(own.min_lots))
    told = number(instrument.quantity(lots))
    rule = _RULES[cap] if wanted >= own.min_lots else "instrument_limits"
    what = "the limits leave" if rule != "instrument_limits" else "the sizing gives"
    return SizingRefusal(
        request.signal,
        rule,
        f"at least {least} {instrument.base}",
        f"{told} {instrument.base}",
        f"{what} {told} {instrument.base}; the smallest order is {least}.".capitalize(),
    )

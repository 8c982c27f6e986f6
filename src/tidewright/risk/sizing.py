"""From a signal to a position: the method's quantity, made to fit every limit, in whole lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import isqrt

from tidewright.domain.errors import ConfigError, nearest
from tidewright.domain.instrument import AssetClass
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.domain.signals import Direction, Signal, Target
from tidewright.domain.time import DAY, timeframe_nanoseconds
from tidewright.kernels import sizing as steps
from tidewright.kernels.edge import KELLY_TRADES, NO_TRADES, UNKNOWN, TradeSums, kelly_ppm_flat
from tidewright.kernels.limits import PPM, share_of, value_ceiling
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
    VOLATILITY_TARGET = "volatility_target"
    KELLY = "kelly"


_STEPS: Mapping[SizingMethod, int] = {
    SizingMethod.RISK_PERCENT: steps.RISK_PERCENT,
    SizingMethod.PERCENT_OF_EQUITY: steps.PERCENT_OF_EQUITY,
    SizingMethod.FIXED_NOTIONAL: steps.FIXED_NOTIONAL,
    SizingMethod.FIXED_QUANTITY: steps.FIXED_QUANTITY,
    SizingMethod.VOLATILITY_TARGET: steps.VOLATILITY_TARGET,
    SizingMethod.KELLY: steps.KELLY,
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
        Percent of equity (risked until the stop, bought, or a year's standard deviation), an amount
        of the account currency, a quantity, or the fraction of Kelly's bet; finite and > 0.
    reference_ticks : int
        Price that the entry is expected at, > 0.
    stop_ticks : int
        Distance from the entry to its stop; 0 means no stop.
    yearly_ticks : int
        Standard deviation of a year; 0 means that it is not known.
    trades : TradeSums
        Trades of the strategy that have closed.
    fallback : (str, Decimal) or None
        Method and value until enough trades have closed for `SizingMethod.KELLY`.
    share_ppm : int
        Share of what the limits allow that is taken, in millionths.
    """

    signal: Signal
    method: str
    value: Decimal
    reference_ticks: int
    stop_ticks: int = 0
    yearly_ticks: int = 0
    trades: TradeSums = NO_TRADES
    fallback: tuple[str, Decimal] | None = None
    share_ppm: int = PPM


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
    resolved = _resolved(request)
    if isinstance(resolved, SizingRefusal):
        return resolved
    request, share = resolved
    unsound = _unsound(request, account, terms)
    if unsound is not None:
        return unsound
    signal = request.signal
    own = terms[signal.instrument]
    sign = 1 if signal.direction is Direction.LONG else -1
    committed, _working = commitments(account, approvals)
    price = max(account.marks[signal.instrument], request.reference_ticks)
    step_terms = steps.Terms(own.numerator, own.denominator, own.fee_ppm, own.max_lots)
    method = method_step(request.method)
    by_deviation = method == steps.VOLATILITY_TARGET
    wanted = steps.wanted_lots(
        method,
        share or sizing_amount(request.method, request.value, own, settings),
        account.equity,
        price,
        request.yearly_ticks if by_deviation else request.stop_ticks,
        step_terms,
    )
    rooms = _rooms(account, committed, terms, signal.instrument, price, settings)
    lots, cap = steps.capped_lots(wanted, price, request.stop_ticks, rooms, step_terms)
    lots = share_of(lots, request.share_ppm)
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


def _resolved(request: SizingRequest) -> tuple[SizingRequest, int] | SizingRefusal:
    """Return what Kelly's criterion leaves to do: a share of equity, or another method's request.

    The share is in millionths and 0 for every other method.
    """
    if request.method != SizingMethod.KELLY:
        return request, 0
    share = kelly_ppm_flat(tuple(request.trades), ppm(request.value * 100))
    if share > 0:
        return request, share
    if share == UNKNOWN and request.fallback is not None:
        method, value = request.fallback
        return replace(request, method=method, value=value), 0
    trades = request.trades
    count = trades.wins + trades.losses + trades.flat
    if share == UNKNOWN:
        return SizingRefusal(
            request.signal,
            "sizing",
            f"{KELLY_TRADES} closed trades",
            str(count),
            f"Kelly's bet needs {KELLY_TRADES} closed trades; {count} have closed.",
        )
    return SizingRefusal(
        request.signal,
        "sizing",
        "an edge above 0",
        "0 or below",
        f"The lower bound of the edge of {count} closed trades is not above 0: no bet.",
    )


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
    needs = _NEEDS.get(method_of(request.method))
    if needs is not None and getattr(request, needs[0]) == 0:
        return refusal("sizing", needs[2], 0, needs[1])
    return None


_NEEDS: Mapping[SizingMethod, tuple[str, str, str]] = {
    SizingMethod.RISK_PERCENT: ("stop_ticks", "The stop distance", "a stop distance above 0"),
    SizingMethod.VOLATILITY_TARGET: ("yearly_ticks", "The volatility", "a known volatility"),
}


def year_root_ppm(asset_class: AssetClass, timeframe: str) -> int:
    """Return the square root of the bars of a year in millionths, rounded down.

    Crypto trades 365 days of 24 hours, forex 260 of 24, everything else 252 of 6.5.

    Parameters
    ----------
    asset_class : AssetClass
        What is traded.
    timeframe : str
        Length of the bars; from a day on a bar is so many days.
    """
    days, hours = _TRADING_TIME.get(asset_class, (252, Fraction(13, 2)))
    length = Fraction(timeframe_nanoseconds(timeframe), DAY)
    per_day = max(hours / 24 / length, Fraction(1)) if length < 1 else 1 / length
    return isqrt(int(days * per_day * 10**12))


_TRADING_TIME: Mapping[AssetClass, tuple[int, Fraction]] = {
    AssetClass.CRYPTO: (365, Fraction(24)),
    AssetClass.FOREX: (260, Fraction(24)),
}


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

    Notes
    -----
    For `SizingMethod.KELLY` it is the fraction of the bet in millionths.
    """
    method = method_of(name)
    if method is SizingMethod.RISK_PERCENT:
        return min(ppm(value), ppm(settings.risk_per_trade_percent))
    if method in (SizingMethod.PERCENT_OF_EQUITY, SizingMethod.VOLATILITY_TARGET):
        return min(ppm(value), ppm(Decimal(100)))
    if method is SizingMethod.KELLY:
        return min(ppm(value * 100), ppm(Decimal(100)))
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

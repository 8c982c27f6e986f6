"""A strategy as a document: what to trade, when to enter and leave, how large, how protected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import timeframe_nanoseconds
from tidewright.features.declarations import resolve
from tidewright.strategy.expressions import (
    Arithmetic,
    Column,
    Kind,
    Node,
    Number,
    check,
    print_tree,
)

SCHEMA_VERSION = 1
"""Version of the written form of a spec."""

MAX_DESCRIPTION = 2_000
"""Most characters of a description."""
MAX_SYMBOLS = 1_000
"""Most symbols of a universe."""
MAX_BARS = 1_000_000
"""Longest wait that a spec may state, in bars."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,31}")


class SizingMethod(StrEnum):
    """How the size of a position is found."""

    RISK_PERCENT = "risk_percent"
    PERCENT_OF_EQUITY = "percent_of_equity"
    FIXED_QUANTITY = "fixed_quantity"
    FIXED_NOTIONAL = "fixed_notional"
    VOLATILITY_TARGET = "volatility_target"
    KELLY = "kelly"


_LARGEST_SIZING: Mapping[SizingMethod, Decimal] = {
    SizingMethod.RISK_PERCENT: Decimal(100),
    SizingMethod.PERCENT_OF_EQUITY: Decimal(100),
    SizingMethod.VOLATILITY_TARGET: Decimal(100),
    SizingMethod.KELLY: Decimal(1),
}


class OrderKind(StrEnum):
    """How an entry meets the market."""

    MARKET = "market"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Expression:
    """A rule or a number of a spec.

    Parameters
    ----------
    tree : Node
        What it means.
    """

    tree: Node

    def __post_init__(self) -> None:
        check(self.tree)

    @property
    def text(self) -> str:
        """The expression as the language prints it."""
        return print_tree(self.tree)


@dataclass(frozen=True, slots=True)
class Sides:
    """Rules for long and for short positions; None = none."""

    long: Expression | None = None
    short: Expression | None = None

    def __post_init__(self) -> None:
        for rule in (self.long, self.short):
            if rule is not None:
                check(rule.tree, Kind.CONDITION)


@dataclass(frozen=True, slots=True)
class AtrDistance:
    """A distance as a multiple of the average true range.

    Parameters
    ----------
    multiple : float
        > 0.
    period : int
        Bars of the average true range.
    """

    multiple: float
    period: int = 14

    def __post_init__(self) -> None:
        _positive("atr", self.multiple, 1_000)
        resolve("atr", (float(self.period),))

    def tree(self) -> Node:
        """Return the expression that gives the distance in price units."""
        return Arithmetic("*", Number(self.multiple), Column(resolve("atr", (float(self.period),))))


@dataclass(frozen=True, slots=True)
class PercentDistance:
    """A distance as a percentage of the latest close.

    Parameters
    ----------
    percent : float
        In (0, 1000].
    """

    percent: float

    def __post_init__(self) -> None:
        _positive("percent", self.percent, 1_000)

    def tree(self) -> Node:
        """Return the expression that gives the distance in price units."""
        return Arithmetic("*", Column(resolve("close", ())), Number(self.percent / 100))


Distance = AtrDistance | PercentDistance
"""How far from the price something lies."""


@dataclass(frozen=True, slots=True)
class SizingSpec:
    """How large a position is.

    Parameters
    ----------
    method : SizingMethod
        How the size is found.
    value : Decimal
        Percent of equity (risked until the stop, bought, or a year's standard deviation), a
        quantity, an amount of the account currency, or the fraction of Kelly's bet; > 0.
    period : int
        Bars over which `SizingMethod.VOLATILITY_TARGET` measures the standard deviation.
    fallback : SizingSpec or None
        How `SizingMethod.KELLY` sizes until enough trades have closed; None means not at all.
    """

    method: SizingMethod = SizingMethod.RISK_PERCENT
    value: Decimal = Decimal(1)
    period: int = 100
    fallback: SizingSpec | None = None

    def __post_init__(self) -> None:
        high = _LARGEST_SIZING.get(self.method, Decimal(10) ** 12)
        if not (self.value.is_finite() and 0 < self.value <= high):
            raise ConfigError(f"sizing value was {self.value}; expected above 0 up to {high}")
        resolve("volatility", (float(self.period),))
        if self.fallback is not None and (
            self.method is not SizingMethod.KELLY or self.fallback.method is SizingMethod.KELLY
        ):
            raise ConfigError(
                f"sizing by {self.method.value} had {self.fallback.method.value} to fall back on; "
                "expected another method, and kelly to fall back from"
            )

    @property
    def methods(self) -> tuple[SizingMethod, ...]:
        """Every method that may be used."""
        return (self.method,) if self.fallback is None else (self.method, self.fallback.method)

    def deviation(self) -> Node | None:
        """Return the expression for one bar's standard deviation in price units, where needed."""
        for one in (self, self.fallback):
            if one is not None and one.method is SizingMethod.VOLATILITY_TARGET:
                period = Column(resolve("volatility", (float(one.period),)))
                return Arithmetic("*", Column(resolve("close", ())), period)
        return None


@dataclass(frozen=True, slots=True)
class Stops:
    """Protection of a position from the moment of its entry; None = none."""

    stop_loss: Distance | None = None
    take_profit: Distance | None = None
    trailing: Distance | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A part of a position, or one of several positions to choose from.

    Parameters
    ----------
    share : Decimal
        Percent of the position that risk allows, in (0, 100], in steps of 0.0001.
    stop_loss, take_profit : Distance
        Protection of the part.
    from_confidence : float or None
        The tier is chosen from this confidence on, in [0, 1]; None for parts of one position.
    """

    share: Decimal
    stop_loss: Distance
    take_profit: Distance
    from_confidence: float | None = None

    def __post_init__(self) -> None:
        if not (self.share.is_finite() and 0 < self.share <= 100) or (self.share * 10_000) % 1:
            raise ConfigError(
                f"share of a tier was {self.share}; expected above 0 up to 100, in steps of 0.0001"
            )
        if self.from_confidence is not None and not 0 <= self.from_confidence <= 1:
            raise ConfigError(f"from_confidence was {self.from_confidence}; expected 0 to 1")

    @property
    def share_ppm(self) -> int:
        """The share in millionths."""
        return int(self.share * 10_000)


MAX_TIERS = 3
"""Most tiers of a strategy."""


@dataclass(frozen=True, slots=True)
class EntryOrder:
    """How entries are placed.

    Parameters
    ----------
    kind : OrderKind
        Market, or limit.
    offset : Distance or None
        How much better than the latest close the limit is; limit orders need it.
    expire_after_bars : int
        A working limit order is cancelled after this many bars, >= 1; 0 for market orders.
    """

    kind: OrderKind = OrderKind.MARKET
    offset: Distance | None = None
    expire_after_bars: int = 0

    def __post_init__(self) -> None:
        is_limit = self.kind is OrderKind.LIMIT
        if is_limit != (self.offset is not None) or is_limit != (self.expire_after_bars > 0):
            raise ConfigError(
                f"entry order was {self.kind.value} with offset {self.offset} and "
                f"expire_after_bars {self.expire_after_bars}; expected both for limit orders "
                "and neither for market orders"
            )


def default_confidence() -> Expression:
    """Return the confidence of a spec that states none: 0.6."""
    return Expression(Number(0.6))


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """A strategy.

    Parameters
    ----------
    name : str
        Lower case letters, digits and underscores, at most 48, a letter first.
    version : int
        >= 1; raised by whoever changes the rules.
    description : str
        What it does, for people.
    universe : tuple of str
        Symbols that it trades; empty means every symbol of the feed.
    timeframe : str
        Length of its bars; empty means the feed's own.
    entry, exit : Sides
        Conditions; unknown ones never act.
    confidence : Expression
        Number that states how sure an entry is, cut to [0, 1].
    sizing : SizingSpec
        How large a position is.
    stops : Stops
        Protection; an entry whose distances are unknown is not made.
    tiers : tuple of Tier
        Parts of the position with a stop and a target each, in the order in which they fill, or
        positions of which the confidence chooses one; empty for one position with ``stops``.
    time_stop_bars : int
        Leave after this many bars; 0 means never.
    entry_order : EntryOrder
        How entries are placed.
    schema : int
        Version of the written form.
    """

    name: str
    version: int = 1
    description: str = ""
    universe: tuple[str, ...] = ()
    timeframe: str = ""
    entry: Sides = Sides()
    exit: Sides = Sides()
    confidence: Expression = field(default_factory=default_confidence)
    sizing: SizingSpec = SizingSpec()
    stops: Stops = Stops()
    tiers: tuple[Tier, ...] = ()
    time_stop_bars: int = 0
    entry_order: EntryOrder = EntryOrder()
    schema: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ConfigError(f"strategy name was {self.name!r}; expected {NAME_EXPECTED}")
        if self.description != self.description.strip() or len(self.description) > MAX_DESCRIPTION:
            raise ConfigError(
                f"description had {len(self.description)} characters; expected at most "
                f"{MAX_DESCRIPTION}, without spaces around them"
            )
        if self.schema != SCHEMA_VERSION or self.version < 1 or self.time_stop_bars < 0:
            raise ConfigError(
                f"schema was {self.schema}, version {self.version}, time_stop_bars "
                f"{self.time_stop_bars}; expected {SCHEMA_VERSION}, >= 1 and >= 0"
            )
        if self.timeframe:
            timeframe_nanoseconds(self.timeframe)
        check(self.confidence.tree, Kind.NUMBER)
        if self.tiers:
            _check_tiers(self.tiers, self.stops)

    @property
    def symbols(self) -> frozenset[str] | None:
        """Symbols that it trades; None means every symbol of the feed."""
        return frozenset(self.universe) or None

    @property
    def reasons(self) -> Mapping[str, str]:
        """The text of each rule, by ``entry.long``, ``entry.short``, ``exit.long``, ..."""
        rules = {
            "entry.long": self.entry.long,
            "entry.short": self.entry.short,
            "exit.long": self.exit.long,
            "exit.short": self.exit.short,
        }
        return MappingProxyType({key: rule.text for key, rule in rules.items() if rule})


NAME_EXPECTED = "a lower case letter, then up to 47 lower case letters, digits or underscores"
"""What a strategy's name looks like."""


def is_name(text: str) -> bool:
    """Return whether a text can name a strategy."""
    return _NAME.fullmatch(text) is not None


def is_symbol(text: str) -> bool:
    """Return whether a text can name an instrument."""
    return _SYMBOL.fullmatch(text) is not None


def check_tradable(spec: StrategySpec) -> None:
    """Make sure that a spec can open a position, size it and leave it again.

    Raises
    ------
    ConfigError
        If it has no entry, no way out for a side it enters, or sizes by the distance of a stop
        that it does not have.
    """
    if spec.entry.long is None and spec.entry.short is None:
        raise ConfigError("entry had no rule; expected long, short or both")
    stops = spec.stops
    stopped = bool(spec.tiers or stops.stop_loss or stops.trailing)
    leaves = stopped or bool(stops.take_profit or spec.time_stop_bars)
    for side, entry, way_out in (
        ("long", spec.entry.long, spec.exit.long),
        ("short", spec.entry.short, spec.exit.short),
    ):
        if entry is not None and way_out is None and not leaves:
            raise ConfigError(
                f"{side} positions had no way out; "
                f"expected exit.{side}, a stop, a target or time_stop_bars"
            )
    by_risk = SizingMethod.RISK_PERCENT in spec.sizing.methods
    if by_risk and not stopped:
        raise ConfigError(
            "sizing by risk_percent needs the distance of a stop; expected stops.stop_loss or "
            "stops.trailing, or another sizing method"
        )


def _check_tiers(tiers: tuple[Tier, ...], stops: Stops) -> None:
    if len(tiers) > MAX_TIERS:
        raise ConfigError(f"there were {len(tiers)} tiers; expected at most {MAX_TIERS}")
    if stops.stop_loss is not None or stops.take_profit is not None:
        raise ConfigError(
            "stops had a stop_loss or take_profit beside tiers; expected them in each tier alone"
        )
    steps = [tier.from_confidence for tier in tiers if tier.from_confidence is not None]
    if not steps:
        total = sum(tier.share for tier in tiers)
        if total != 100:
            raise ConfigError(f"shares of the tiers came to {total}; expected 100")
    elif len(steps) < len(tiers) or steps[0] != 0 or steps != sorted(set(steps)):
        raise ConfigError(
            f"from_confidence of the tiers was {steps}; expected it in each of them, "
            "growing from 0, or in none"
        )


def _positive(what: str, value: float, high: float) -> None:
    if not 0 < value <= high:
        raise ConfigError(f"{what} was {value}; expected above 0 up to {high}")

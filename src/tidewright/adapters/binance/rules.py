"""What a symbol takes: exchangeInfo as instruments, and orders held against its filters.

Rounding is towards safety: a buy's price goes down and a sell's up, so that nothing is paid or let
go beyond what was decided, and a quantity goes down. What is refused here never reaches the venue;
the reason names the venue's filter, what it expects and what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tidewright.adapters.binance.budget import Kind, Window
from tidewright.adapters.binance.fields import Fields
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.orders import Side

_ZERO = Decimal(0)
_UNITS = ("SECOND", "MINUTE", "HOUR", "DAY")


class Range(NamedTuple):
    """Least and most; 0 sets no limit."""

    least: Decimal = _ZERO
    most: Decimal = _ZERO

    def holds(self, value: Fraction) -> bool:
        """Return whether a value lies within."""
        return value >= self.least and (not self.most or value <= self.most)

    def __str__(self) -> str:
        most = f" to {self.most:f}" if self.most else " or more"
        return f"{self.least:f}{most}"


_ANY = Range()


@dataclass(frozen=True, slots=True)
class SymbolRules:
    """One symbol's filters.

    Parameters
    ----------
    symbol, base, quote : str
        Names.
    status : str
        The venue's word; orders are taken while it is ``TRADING``.
    kinds : frozenset of str
        Types of orders that it takes.
    tick_size, lot_size, market_lot_size : Decimal
        Steps of price and quantity; a market order's step is 0 where it has none of its own.
    prices, quantities, market_quantities : Range
        Limits of one order.
    notional : Range
        Limits of price times quantity.
    notional_of_market : (bool, bool)
        Whether the least and the most hold for market orders too.
    bid_multipliers, ask_multipliers : Range
        Limits of a price as a multiple of the reference price.
    most_position : Decimal
        Most of the base asset that the account may have or be buying; 0 sets no limit.
    most_orders : int
        Most open orders; 0 sets no limit.
    """

    symbol: str
    base: str
    quote: str
    status: str
    kinds: frozenset[str]
    tick_size: Decimal
    lot_size: Decimal
    prices: Range = _ANY
    quantities: Range = _ANY
    market_lot_size: Decimal = _ZERO
    market_quantities: Range = _ANY
    notional: Range = _ANY
    notional_of_market: tuple[bool, bool] = (True, False)
    bid_multipliers: Range = _ANY
    ask_multipliers: Range = _ANY
    most_position: Decimal = _ZERO
    most_orders: int = 0

    def instrument(self, venue: str, maker_rate: Decimal, taker_rate: Decimal) -> Instrument:
        """Return the symbol as the core knows it.

        Parameters
        ----------
        venue : str
            The venue's name.
        maker_rate, taker_rate : Decimal
            The account's fees as shares of the traded value.
        """
        return Instrument(
            id=self.symbol,
            venue=venue,
            base=self.base,
            quote=self.quote,
            asset_class=AssetClass.CRYPTO,
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            min_quantity=max(self.quantities.least, self.market_quantities.least),
            max_quantity=self.quantities.most,
            min_notional=self.notional.least,
            maker_fee_rate=maker_rate,
            taker_fee_rate=taker_rate,
            source=f"exchangeInfo of {venue}",
        )

    def price(self, wanted: Decimal, side: Side) -> Decimal:
        """Return the price on the grid that is no worse: lower for a buy, higher for a sell."""
        steps = Fraction(wanted) / Fraction(self.tick_size)
        whole = steps.__floor__() if side is Side.BUY else steps.__ceil__()
        return self.tick_size * whole

    def quantity(self, wanted: Decimal, *, market: bool = False) -> Decimal:
        """Return the largest quantity on the grid that is not above the one wanted; may be 0."""
        step = self._step(market)
        return step * (Fraction(wanted) / Fraction(step)).__floor__()

    def _step(self, market: bool) -> Decimal:
        """Return the step that suits both filters, where one is a multiple of the other."""
        return max(self.lot_size, self.market_lot_size) if market else self.lot_size


@dataclass(frozen=True, slots=True)
class Draft:
    """An order before it is sent, and what the account has of its symbol.

    Parameters
    ----------
    side : Side
        Buy or sell.
    kind : str
        The venue's word for its type, such as ``"LIMIT"``.
    quantity : Decimal
        How much of the base asset.
    price : Decimal
        Limit price; 0 for a market order.
    reference_price : Decimal
        What the venue compares prices with, by its newest average or trade; 0 = not known, and then
        filters that need it are left to the venue.
    held : Decimal
        What the account has of the base asset, in orders or free, open buys included.
    open_orders : int
        Orders of the account that are open in the symbol.
    """

    side: Side
    kind: str
    quantity: Decimal
    price: Decimal = _ZERO
    reference_price: Decimal = _ZERO
    held: Decimal = _ZERO
    open_orders: int = 0

    @property
    def is_market(self) -> bool:
        """Whether it names no price."""
        return self.price == 0


class Refusal(NamedTuple):
    """Why an order is not sent.

    Parameters
    ----------
    filter : str
        The venue's name of the filter, such as ``"LOT_SIZE"``.
    expected, was : str
        What the filter takes and what came.
    """

    filter: str
    expected: str
    was: str

    def __str__(self) -> str:
        return f"{self.filter}: was {self.was}; expected {self.expected}"


def refusal(rules: SymbolRules, draft: Draft) -> Refusal | None:
    """Return the first filter that the venue would refuse an order by; None if it would take it.

    Parameters
    ----------
    rules : SymbolRules
        The symbol's filters.
    draft : Draft
        The order.
    """
    checks = (_standing, _price, _percent_price, _quantity, _market_quantity, _notional, _account)
    return next((found for check in checks if (found := check(rules, draft))), None)


def _standing(rules: SymbolRules, draft: Draft) -> Refusal | None:
    if rules.status != "TRADING":
        return Refusal("STATUS", "TRADING", rules.status)
    if draft.kind not in rules.kinds:
        return Refusal("ORDER_TYPES", ", ".join(sorted(rules.kinds)), draft.kind)
    return None


def _price(rules: SymbolRules, draft: Draft) -> Refusal | None:
    if draft.is_market:
        return None
    return _on_grid("PRICE_FILTER", draft.price, rules.prices, rules.tick_size)


def _percent_price(rules: SymbolRules, draft: Draft) -> Refusal | None:
    if draft.is_market or not draft.reference_price:
        return None
    ratio = Fraction(draft.price) / Fraction(draft.reference_price)
    allowed = rules.bid_multipliers if draft.side is Side.BUY else rules.ask_multipliers
    if allowed.holds(ratio):
        return None
    reference = draft.reference_price
    return Refusal(
        "PERCENT_PRICE", f"{allowed} times {reference:f}", f"{float(ratio):.6g} times {reference:f}"
    )


def _quantity(rules: SymbolRules, draft: Draft) -> Refusal | None:
    return _on_grid("LOT_SIZE", draft.quantity, rules.quantities, rules.lot_size)


def _market_quantity(rules: SymbolRules, draft: Draft) -> Refusal | None:
    if not draft.is_market:
        return None
    allowed = rules.market_quantities
    return _on_grid("MARKET_LOT_SIZE", draft.quantity, allowed, rules.market_lot_size)


def _notional(rules: SymbolRules, draft: Draft) -> Refusal | None:
    price = draft.reference_price if draft.is_market else draft.price
    if not price:
        return None
    least, most = rules.notional
    if draft.is_market:
        for_least, for_most = rules.notional_of_market
        least, most = least if for_least else _ZERO, most if for_most else _ZERO
    value = Fraction(price) * Fraction(draft.quantity)
    if Range(least, most).holds(value):
        return None
    return Refusal("NOTIONAL", str(Range(least, most)), f"{price:f} x {draft.quantity:f}")


def _account(rules: SymbolRules, draft: Draft) -> Refusal | None:
    if rules.most_orders and draft.open_orders >= rules.most_orders:
        return Refusal(
            "MAX_NUM_ORDERS", f"fewer than {rules.most_orders} open", str(draft.open_orders)
        )
    most, after = rules.most_position, draft.held + draft.quantity
    if draft.side is Side.BUY and most and after > most:
        return Refusal("MAX_POSITION", f"at most {most:f}", f"{after:f}")
    return None


def _on_grid(name: str, value: Decimal, allowed: Range, step: Decimal) -> Refusal | None:
    if value <= 0 or not allowed.holds(Fraction(value)):
        return Refusal(name, str(allowed) if allowed.least else "above 0", f"{value:f}")
    if step and (Fraction(value) / Fraction(step)).denominator != 1:
        return Refusal(name, f"whole steps of {step:f}", f"{value:f}")
    return None


def parse_symbols(value: object) -> dict[str, SymbolRules]:
    """Return the symbols of exchangeInfo that spot orders can be sent for, by name.

    Raises
    ------
    UnreadableAnswer
        If it has not the documented form.
    ConfigError
        If a symbol's steps do not fit each other, so that no instrument can say them.
    """
    symbols = (Fields(item, "symbol") for item in Fields(value, "exchangeInfo").items("symbols"))
    rules = (_symbol(told) for told in symbols if told.flag("isSpotTradingAllowed"))
    return {one.symbol: one for one in rules}


def parse_limits(value: object) -> tuple[Window, ...]:
    """Return the windows of exchangeInfo; kinds and units that are not known are left out."""
    told = [Fields(item, "limit") for item in Fields(value, "exchangeInfo").items("rateLimits")]
    return tuple(
        Window(
            Kind(one.text("rateLimitType")),
            one.text("interval"),
            max(one.integer("intervalNum"), 1),
            one.integer("limit"),
        )
        for one in told
        if one.text("rateLimitType") in set(Kind) and one.text("interval") in _UNITS
    )


def _symbol(told: Fields) -> SymbolRules:
    listed = (Fields(item, "filter") for item in told.items("filters"))
    filters = {one.text("filterType"): one for one in listed}
    prices, tick_size = _grid(filters, "PRICE_FILTER", ("minPrice", "maxPrice", "tickSize"))
    quantities, lot_size = _grid(filters, "LOT_SIZE", ("minQty", "maxQty", "stepSize"))
    market, market_step = _grid(filters, "MARKET_LOT_SIZE", ("minQty", "maxQty", "stepSize"))
    notional, of_market = _notional_terms(filters)
    bids, asks = _multipliers(filters)
    rules = SymbolRules(
        symbol=told.text("symbol"),
        base=told.text("baseAsset"),
        quote=told.text("quoteAsset"),
        status=told.text("status"),
        kinds=frozenset(str(kind) for kind in told.items("orderTypes")),
        tick_size=tick_size or _finest(told, "quotePrecision"),
        lot_size=lot_size or _finest(told, "baseAssetPrecision"),
        prices=prices,
        quantities=quantities,
        market_lot_size=market_step,
        market_quantities=market,
        notional=notional,
        notional_of_market=of_market,
        bid_multipliers=bids,
        ask_multipliers=asks,
        most_position=_number(filters, "MAX_POSITION", "maxPosition"),
        most_orders=_count(filters, "MAX_NUM_ORDERS", "maxNumOrders"),
    )
    _check_steps(rules)
    return rules


def _check_steps(rules: SymbolRules) -> None:
    """Refuse grids that do not begin at 0, and market steps that are not whole lots."""
    pairs = (
        ("minPrice", rules.prices.least, rules.tick_size),
        ("minQty", rules.quantities.least, rules.lot_size),
        ("market stepSize", rules.market_lot_size, rules.lot_size),
    )
    for name, value, step in pairs:
        if (Fraction(value) / Fraction(step)).denominator != 1:
            raise ConfigError(
                f"{rules.symbol}: {name} was {value:f}; expected a multiple of {step:f}"
            )


def _grid(
    filters: Mapping[str, Fields], name: str, keys: tuple[str, str, str]
) -> tuple[Range, Decimal]:
    least, most, step = (_number(filters, name, key) for key in keys)
    return Range(least, most), step.normalize()


def _notional_terms(filters: Mapping[str, Fields]) -> tuple[Range, tuple[bool, bool]]:
    if "NOTIONAL" in filters:
        told = filters["NOTIONAL"]
        limits = Range(told.decimal("minNotional"), told.decimal("maxNotional"))
        return limits, (told.flag("applyMinToMarket"), told.flag("applyMaxToMarket"))
    if "MIN_NOTIONAL" in filters:
        told = filters["MIN_NOTIONAL"]
        return Range(told.decimal("minNotional")), (told.flag("applyToMarket"), False)
    return Range(), (False, False)


def _multipliers(filters: Mapping[str, Fields]) -> tuple[Range, Range]:
    if "PERCENT_PRICE_BY_SIDE" in filters:
        told = filters["PERCENT_PRICE_BY_SIDE"]
        bids = Range(told.decimal("bidMultiplierDown"), told.decimal("bidMultiplierUp"))
        return bids, Range(told.decimal("askMultiplierDown"), told.decimal("askMultiplierUp"))
    if "PERCENT_PRICE" in filters:
        told = filters["PERCENT_PRICE"]
        both = Range(told.decimal("multiplierDown"), told.decimal("multiplierUp"))
        return both, both
    return Range(), Range()


def _number(filters: Mapping[str, Fields], name: str, key: str) -> Decimal:
    return filters[name].decimal(key) if name in filters else _ZERO


def _count(filters: Mapping[str, Fields], name: str, key: str) -> int:
    return filters[name].integer(key) if name in filters else 0


def _finest(told: Fields, key: str) -> Decimal:
    """Return the finest step that the venue can write, for a symbol without a step."""
    return Decimal(1).scaleb(-told.integer(key))

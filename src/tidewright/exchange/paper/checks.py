"""What the paper venue refuses, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import Instrument
from tidewright.domain.money import to_decimal
from tidewright.domain.orders import (
    MAX_PARTS,
    PROTECTIVE,
    Bracket,
    BracketPart,
    Leg,
    OrderIntent,
    OrderType,
    Side,
    leg_client_id,
)
from tidewright.exchange.paper.account import Listing
from tidewright.exchange.paper.state import VenueState, WorkingTrade
from tidewright.kernels.fills import charged, entry_need

PRICE_END = 2**42
"""Prices stay below this many ticks."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definite no.

    Parameters
    ----------
    code : str
        Word for machines.
    reason : str
        Sentence for people: what was expected and what it was.
    """

    code: str
    reason: str


def is_duplicate(state: VenueState, client_id: str) -> bool:
    """Return whether an id was used before, by an order or by the legs of one."""
    return client_id in state.history or client_id in state.legs


def refusal(state: VenueState, intent: OrderIntent, cost_ppm: int) -> Refusal | None:
    """Return why the venue refuses an order of a new id, or None when it takes it."""
    book = state.books.get(intent.instrument)
    if book is None:
        return Refusal("UNKNOWN_INSTRUMENT", f"{intent.instrument!r} is not traded here")
    shape = _shape(state, intent)
    if shape is not None:
        return shape
    if intent.leg is Leg.EXIT:
        return _exit(state, intent)
    instrument = book.listing.instrument
    if intent.side is Side.SELL and not instrument.shortable:
        return Refusal("NOT_SHORTABLE", f"{instrument.id} cannot be sold short")
    for trade in book.trades:
        if trade.state.direction != intent.side.sign:
            return Refusal(
                "OPPOSITE_TRADE",
                f"{trade.entry.client_id} stands on the other side of {instrument.id}; "
                "expected it to be left or cancelled first",
            )
    try:
        return _size(intent, instrument) or _cash(state, intent, book.listing, cost_ppm)
    except OverflowError as error:
        return Refusal("INVALID_QUANTITY", f"order is too large to be counted: {error}")


def exit_trade(state: VenueState, intent: OrderIntent) -> WorkingTrade | None:
    """Return the oldest trade that an exit order can reduce."""
    for trade in state.books[intent.instrument].trades:
        mine = trade.entry.strategy == intent.strategy
        if mine and trade.state.held > 0 and trade.state.direction == -intent.side.sign:
            return trade
    return None


def affordable(state: VenueState, listing: Listing, ticks: int, lots: int, *, maker: bool) -> bool:
    """Return whether the account can pay an entry at the price at which it would trade."""
    rate = listing.maker_ppm if maker else listing.taker_ppm
    return (
        charged(ticks, lots, (listing.numerator, listing.denominator, rate)) <= state.account.free
    )


def _shape(state: VenueState, intent: OrderIntent) -> Refusal | None:
    """Check what an order must look like, whatever the account holds."""
    if intent.client_id in state.given_up:
        return Refusal("GIVEN_UP", "the venue was asked for this id before it came and denied it")
    if intent.leg not in (Leg.ENTRY, Leg.EXIT):
        return Refusal("INVALID_LEG", f"leg was {intent.leg.value!r}; expected entry or exit")
    try:
        legs = [leg_client_id(intent.client_id, leg) for leg in PROTECTIVE]
    except ConfigError as error:
        return Refusal("INVALID_ID", str(error))
    if intent.leg is Leg.ENTRY and any(is_duplicate(state, leg) for leg in legs):
        return Refusal("INVALID_ID", f"the legs of {intent.client_id!r} are taken")
    if intent.lots <= 0:
        return Refusal("INVALID_QUANTITY", f"quantity was {intent.lots} lots; expected above 0")
    if (intent.order_type is OrderType.LIMIT) != (intent.limit_ticks is not None):
        return Refusal(
            "INVALID_PRICE",
            f"limit was {intent.limit_ticks} on a {intent.order_type.value} order",
        )
    for price in (intent.reference_ticks, intent.limit_ticks, *_prices(intent.bracket)):
        if price is not None and not 0 < price < PRICE_END:
            return Refusal(
                "INVALID_PRICE", f"price was {price} ticks; expected 1 to {PRICE_END - 1}"
            )
    return _parts(intent, intent.bracket.parts) if intent.bracket is not None else None


def _prices(bracket: Bracket | None) -> Iterator[int | None]:
    """Yield the prices of a bracket, None for those that it does not have."""
    if bracket is not None:
        yield from (bracket.stop_ticks, bracket.target_ticks, bracket.trail_ticks)
        for part in bracket.parts:
            yield from (part.stop_ticks, part.target_ticks)


def _parts(intent: OrderIntent, parts: Sequence[BracketPart]) -> Refusal | None:
    lots = [part.lots for part in parts]
    if not lots or (1 < len(lots) <= MAX_PARTS and min(lots) > 0 and sum(lots) == intent.lots):
        return None
    return Refusal(
        "INVALID_PARTS",
        f"parts were {lots}; expected 2 to {MAX_PARTS} of together {intent.lots} lots",
    )


def _exit(state: VenueState, intent: OrderIntent) -> Refusal | None:
    trade = exit_trade(state, intent)
    if trade is None:
        return Refusal(
            "NOTHING_TO_REDUCE",
            f"{intent.strategy!r} holds nothing in {intent.instrument} that a "
            f"{intent.side.value} would reduce",
        )
    if trade.state.exit_lots > 0 and trade.exit is not None:
        return Refusal("EXIT_WORKING", f"{trade.exit.client_id} already works to leave the trade")
    return None


def _size(intent: OrderIntent, instrument: Instrument) -> Refusal | None:
    quantity = instrument.quantity(intent.lots)
    if quantity < instrument.min_quantity:
        return Refusal(
            "MIN_QUANTITY",
            f"quantity was {quantity}; expected at least {instrument.min_quantity}",
        )
    if instrument.max_quantity and quantity > instrument.max_quantity:
        return Refusal(
            "MAX_QUANTITY", f"quantity was {quantity}; expected at most {instrument.max_quantity}"
        )
    notional = quantity * instrument.price(intent.limit_ticks or intent.reference_ticks)
    if notional < instrument.min_notional:
        return Refusal(
            "MIN_NOTIONAL", f"value was {notional}; expected at least {instrument.min_notional}"
        )
    return None


def _cash(
    state: VenueState, intent: OrderIntent, listing: Listing, cost_ppm: int
) -> Refusal | None:
    reserved = sum(
        _need(trade.entry, trade.state.entry_lots, book.listing, cost_ppm)
        for book in state.books.values()
        for trade in book.trades
        if trade.state.entry_lots > 0
    )
    need = _need(intent, intent.lots, listing, cost_ppm)
    free = state.account.free - reserved
    if need <= free:
        return None
    return Refusal(
        "INSUFFICIENT_CASH",
        f"order needs {to_decimal(need)}; free cash was {to_decimal(free)}",
    )


def _need(intent: OrderIntent, lots: int, listing: Listing, cost_ppm: int) -> int:
    """Return what an entry is expected to take from free cash, in money units."""
    terms = listing.numerator, listing.denominator, listing.taker_ppm
    limit, reference = intent.limit_ticks or 0, intent.reference_ticks
    return entry_need(limit, reference, intent.side.sign, lots, cost_ppm, terms)

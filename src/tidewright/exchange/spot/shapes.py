"""What the traders' market and the books need to know of listings."""

from __future__ import annotations

from collections.abc import Sequence

from tidewright.exchange.agents.market import START_LOTS, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.accounts import MOST_MONEY, SpotAccount
from tidewright.exchange.spot.listing import Listing, MinNotional, Notional, PriceFilter

NOBODY = Population(makers=0, noise=0, momentum=0, value=0, arbitrage=0)
"""A market without traders."""
USER_ORDERS = 8_000
"""Orders that users may have in one book at once."""
USUAL_TICKS = 60_000
"""Traders' habits are made for a price of about so many ticks."""
USUAL_WORTH = 10
"""A trader's usual lot is worth this many times the least that an order may be worth."""
_MOST_PRICES = 64**5
_ROOM = 4
"""A book without a highest price reaches to this many times the start price."""


def asset_names(listings: Sequence[Listing], accounts: Sequence[SpotAccount]) -> tuple[str, ...]:
    """Return every asset that is traded or held, each once."""
    names: dict[str, None] = {}
    for listing in listings:
        names[listing.base] = names[listing.quote] = None
    for account in accounts:
        names.update(dict.fromkeys(account.balances))
    return tuple(names)


def market_shapes(
    listings: Sequence[Listing], assets: Sequence[str], population: Population
) -> tuple[MarketShape, ...]:
    """Return what the traders' market is to be made of."""
    return tuple(
        MarketShape(
            price=listing.start_price // listing.tick,
            prices=_prices(listing),
            goods=(assets.index(listing.base), assets.index(listing.quote)),
            units=(listing.step, listing.quote_unit),
            size=_size(listing, population.traders * len(listings)),
            grain=max(1.0, listing.start_price / listing.tick / USUAL_TICKS),
            between=_between(listing, listings),
        )
        for listing in listings
    )


def _prices(listing: Listing) -> int:
    one = listing.filter(PriceFilter.name)
    highest = one.highest if isinstance(one, PriceFilter) else 0
    highest = highest or _ROOM * listing.start_price
    return int(min(max(highest, listing.start_price) // listing.tick + 1, _MOST_PRICES))


def _size(listing: Listing, traders: int) -> int:
    """Return the lots in a usual lot, so that all of them fit the accounts."""
    least = 0
    for name in (MinNotional.name, Notional.name):
        one = listing.filter(name)
        if isinstance(one, MinNotional | Notional):
            least = max(least, one.lowest)
    lot = listing.quote_unit * (listing.start_price // listing.tick)
    most = MOST_MONEY // (START_LOTS * listing.step * max(traders, 1))
    return int(max(1, min(USUAL_WORTH * least // lot, most)))


def _between(listing: Listing, listings: Sequence[Listing]) -> tuple[int, int] | None:
    """Return the two listings whose prices divide to this one's."""
    for first, one in enumerate(listings):
        for second, other in enumerate(listings):
            if (one.base, other.base) == (listing.base, listing.quote) and (
                one.quote == other.quote
            ):
                return first, second
    return None

"""Books and accounts as the compiled steps take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64


@dataclass(frozen=True, slots=True)
class BookShape:
    """What a book is for, and how much it holds.

    Parameters
    ----------
    prices : int
        Prices are 1 to ``prices`` - 1 ticks; rounded up to a power of 64, at most 64**5.
    orders : int
        Orders that may be alive at once; rounded up to a power of 2, at least 2.
    base, quote : int
        Numbers of the assets, from 0, as the accounts have them.
    base_unit : int
        Smallest units of the base asset in one lot, above 0.
    quote_unit : int
        Smallest units of the quote asset in one lot at one tick, above 0.
    """

    prices: int
    orders: int
    base: int
    quote: int
    base_unit: int
    quote_unit: int

    def __post_init__(self) -> None:
        if not 1 < self.prices <= 64**at.MOST_LAYERS:
            raise ConfigError(f"prices were {self.prices}; expected 2 to 64**{at.MOST_LAYERS}")
        for name in ("orders", "base_unit", "quote_unit"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected above 0")
        if self.base == self.quote or min(self.base, self.quote) < 0:
            raise ConfigError(
                f"assets were {self.base} and {self.quote}; expected two different ones from 0"
            )


def new_book(shape: BookShape) -> Int64:
    """Return an empty book; memory is taken where prices are first used."""
    layers = 1
    while 64**layers < shape.prices:
        layers += 1
    prices = 64**layers
    capacity = 2 ** max(1, shape.orders.bit_length())
    words = [prices // 64 ** (layer + 1) for layer in range(layers)]
    orders_end = at.HEADER + capacity * at.N_ORDER
    waiting = orders_end + prices * at.N_LEVEL
    bits = waiting + prices * at.N_LEVEL
    waiting_bits = bits + sum(words)
    trailers = waiting_bits + sum(words)
    book = np.zeros(trailers + capacity, np.int64)
    book[at.PRICES], book[at.CAPACITY], book[at.LAYERS] = prices, capacity, layers
    book[at.LEVELS], book[at.WAITING_LEVELS], book[at.TRAILERS] = orders_end, waiting, trailers
    for layer in range(layers):
        book[at.BITS + layer] = bits + sum(words[:layer])
        book[at.WAITING_BITS + layer] = waiting_bits + sum(words[:layer])
    book[at.ASK] = prices
    book[at.BASE] = at.N_RATES + 2 * shape.base
    book[at.QUOTE] = at.N_RATES + 2 * shape.quote
    book[at.BASE_UNIT], book[at.QUOTE_UNIT] = shape.base_unit, shape.quote_unit
    slots = np.arange(1, capacity)
    rows = at.HEADER + slots * at.N_ORDER
    book[rows + at.HANDLE] = -slots
    book[rows[:-1] + at.NEXT] = slots[1:]
    book[at.FREE] = 1
    return book


def new_accounts(count: int, assets: int, *, maker_ppm: int = 0, taker_ppm: int = 0) -> Int64:
    """Return accounts without money, one more than ``count``: number 0 is the venue's.

    Returns
    -------
    int64 array of shape (count + 1, N_RATES + 2 * assets)
        Fee rates, then free and locked units of each asset.
    """
    accounts = np.zeros((count + 1, at.N_RATES + 2 * assets), np.int64)
    accounts[:, at.MAKER_PPM] = maker_ppm
    accounts[:, at.TAKER_PPM] = taker_ppm
    return accounts

"""Books and accounts as the compiled steps take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

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
        Prices are 1 to ``prices`` - 1 ticks; rounded up to whole words of 64, at most 64**5.
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
    return new_books((shape,))[1][0]


def new_books(shapes: Sequence[BookShape]) -> tuple[Int64, tuple[Int64, ...]]:
    """Return empty books that lie one behind the other.

    Returns
    -------
    (int64 array of shape (n_words,), tuple of int64 arrays)
        The whole, and each book as a view of it; memory is taken where prices are first used.
    """
    ends = np.cumsum([_Places.of(shape).end for shape in shapes])
    words = np.zeros(int(ends[-1]), np.int64)
    books = tuple(np.split(words, ends[:-1]))
    for shape, book in zip(shapes, books, strict=True):
        _prepare(book, shape)
    return words, books


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the parts of a book begin."""

    prices: int
    capacity: int
    words: tuple[int, ...]

    @classmethod
    def of(cls, shape: BookShape) -> Self:
        words = [-(-shape.prices // 64)]
        while words[-1] > 1:
            words.append(-(-words[-1] // 64))
        return cls(words[0] * 64, 2 ** max(1, shape.orders.bit_length()), tuple(words))

    @property
    def levels(self) -> int:
        return at.HEADER + self.capacity * at.N_ORDER

    @property
    def waiting_levels(self) -> int:
        return self.levels + self.prices * at.N_LEVEL

    @property
    def bits(self) -> int:
        return self.waiting_levels + self.prices * at.N_LEVEL

    @property
    def trailers(self) -> int:
        return self.bits + 2 * sum(self.words)

    @property
    def end(self) -> int:
        return self.trailers + self.capacity


def _prepare(book: Int64, shape: BookShape) -> None:
    places = _Places.of(shape)
    prices, capacity, words = places.prices, places.capacity, places.words
    bits, waiting_bits = places.bits, places.bits + sum(words)
    book[at.PRICES], book[at.CAPACITY], book[at.LAYERS] = prices, capacity, len(words)
    book[at.LEVELS], book[at.WAITING_LEVELS] = places.levels, places.waiting_levels
    book[at.TRAILERS] = places.trailers
    for layer in range(len(words)):
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

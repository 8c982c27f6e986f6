"""Ask for memory before it is needed.

A thousand markets do not fit into the fast caches, and a step touches some forty lines of one, each
of which would be waited for. Which lines the next market needs is known while this one is at work:
its header, its best prices, the orders of its makers and its learner, and, since who acts next is a
hash, the traders that will wake.
"""

from __future__ import annotations

from tidewright.kernels.agents import layout as agents_at
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.crowd import next_act
from tidewright.kernels.environment.layout import Float64, Int64
from tidewright.kernels.jit import inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.ladder import row_of
from tidewright.kernels.matching.memory import float_onward, onward, prefetch

_LINE = 8
"""Words of a cache line."""
_NEAR = 6
"""Prices on each side from the best one on that a step is likely to touch."""
_MAKERS = 2
"""Makers whose orders are asked for: each wake replaces two of them."""
_WAKES = 3
"""Wakes that are looked ahead."""


@inlined
def fetch_lines(words: Int64, first: int, count: int) -> None:
    """Ask for a range of words."""
    for place in range(first, first + count, _LINE):
        prefetch(onward(words, place))


@inlined
def fetch_reals(words: Float64, first: int, count: int) -> None:
    """Ask for a range of real numbers."""
    for place in range(first, first + count, _LINE):
        prefetch(float_onward(words, place))


@inlined
def fetch_market(market: Int64, reals: Float64, rules: Int64) -> None:
    """Ask for what every step of a market needs, three markets ahead."""
    fetch_lines(market, 0, at.MONEY + (1 + _MAKERS) * at.N_MONEY)
    fetch_lines(market, at.MONEY + rules[at.LEARNER] * at.N_MONEY, _LINE)
    fetch_lines(market, rules[at.PEOPLE], _MAKERS * agents_at.N_TRADER)
    fetch_lines(market, rules[at.BOOK], book_at.HEADER)
    fetch_reals(reals, 0, at.HABITS + _MAKERS * agents_at.N_HABIT)


@inlined
def fetch_order(book: Int64, handle: int) -> None:
    """Ask for an order, whether it stands or not."""
    slot = handle & (book[book_at.CAPACITY] - 1)
    fetch_lines(book, row_of(slot), book_at.N_ORDER)


@inlined
def fetch_prices(book: Int64) -> None:
    """Ask for the prices from the best quotes on, and for the bits that say which are occupied."""
    levels, last = book[book_at.LEVELS], book[book_at.PRICES] - 1
    bid, ask = book[book_at.BID], book[book_at.ASK]
    for away in range(0, _NEAR, _LINE // book_at.N_LEVEL):
        prefetch(onward(book, levels + max(bid - away, 0) * book_at.N_LEVEL))
        prefetch(onward(book, levels + min(ask + away, last) * book_at.N_LEVEL))
    prefetch(onward(book, book[book_at.BITS] + (bid >> book_at.WORD)))


@inlined
def fetch_acts(market: Int64, reals: Float64, rules: Int64) -> None:
    """Ask for what a step will change, two markets ahead; its header has come by now."""
    book, people = onward(market, rules[at.BOOK]), onward(market, rules[at.PEOPLE])
    fetch_prices(book)
    fetch_order(book, book[book_at.FREE])
    fetch_order(book, market[at.BID_ORDER])
    fetch_order(book, market[at.ASK_ORDER])
    for maker in range(_MAKERS):
        row = maker * agents_at.N_TRADER
        fetch_order(book, people[row + agents_at.FIRST_ORDER])
        fetch_order(book, people[row + agents_at.SECOND_ORDER])
    clock = onward(market, at.CLOCK)
    for later in range(_WAKES):
        _, trader = next_act(clock, rules, clock[agents_at.WAKES] + later)
        fetch_lines(people, trader * agents_at.N_TRADER, agents_at.N_TRADER)
        fetch_lines(market, at.MONEY + (trader + 1) * at.N_MONEY, at.N_MONEY)
        fetch_reals(reals, at.HABITS + trader * agents_at.N_HABIT, agents_at.N_HABIT)


@inlined
def fetch_orders(market: Int64, rules: Int64) -> None:
    """Ask for the orders that a step will meet, one market ahead; prices and traders have come.

    At the best prices these are the first order, which trades, and the last one, behind which
    another one queues; and the order that a trader who wakes may cancel.
    """
    book, people = onward(market, rules[at.BOOK]), onward(market, rules[at.PEOPLE])
    levels, last = book[book_at.LEVELS], book[book_at.PRICES] - 1
    for price in (book[book_at.BID], min(book[book_at.ASK], last)):
        level = levels + price * book_at.N_LEVEL
        fetch_order(book, book[level + book_at.FIRST])
        fetch_order(book, book[level + book_at.FINAL])
    clock = onward(market, at.CLOCK)
    for later in range(_WAKES):
        _, trader = next_act(clock, rules, clock[agents_at.WAKES] + later)
        fetch_order(book, people[trader * agents_at.N_TRADER + agents_at.FIRST_ORDER])

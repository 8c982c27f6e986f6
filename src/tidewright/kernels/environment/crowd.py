"""The traders of one small market: who acts next, and how a market opens."""

from __future__ import annotations

import numpy as np

from tidewright.kernels.agents import layout as agents_at
from tidewright.kernels.agents.market import tell_news
from tidewright.kernels.agents.run import act
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.layout import Float64, Int64
from tidewright.kernels.environment.observe import count_trades, note_middle
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.ladder import next_above
from tidewright.kernels.matching.memory import float_onward, onward
from tidewright.kernels.matching.run import rows_needed
from tidewright.kernels.synthetic import noise

_ONE = np.uint64(1)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@compiled
def let_act(
    market: Int64, reals: Float64, rules: Int64, log: Int64, mail: Int64, trader: int
) -> None:
    """Let one trader act now."""
    clock, book = onward(market, at.CLOCK), onward(market, rules[at.BOOK])
    values = float_onward(reals, at.VALUES)
    book[book_at.NOW] = clock[agents_at.NOW]
    if clock[agents_at.NEXT_NEWS] <= clock[agents_at.NOW]:
        tell_news(clock, values, 1)
    money, people = onward(market, at.MONEY), onward(market, rules[at.PEOPLE])
    habits = float_onward(reals, at.HABITS)
    act(book, book, money, (log, log), mail, clock, people, habits, values, trader)


@inlined
def next_act(clock: Int64, rules: Int64, number: int) -> tuple[int, int]:
    """Return the pause before a wake of the market's traders, and who wakes then.

    The wakes of many traders together are a stream whose next one is of a kind in proportion to its
    traders over their pause, and of any of them alike: no heap of wake-up times is needed, and who
    comes later is known before.
    """
    bits = noise(clock[agents_at.SEED], at.DRAW_NEXT, 0, number)
    high, low = np.int64(bits >> _HALF), np.int64(bits & _LOW)
    row = at.KINDS
    while low >= rules[row + at.SHARE]:
        row += at.N_KIND
    trader = rules[row + at.FIRST] + (((high & 0xFFFF) * rules[row + at.COUNT]) >> 16)
    return 1 + ((2 * rules[at.MEAN_GAP] * (high >> 16)) >> 16), trader


@compiled
def run_until(
    market: Int64,
    reals: Float64,
    rules: Int64,
    log: Int64,
    mail: Int64,
    outcome: Float64,
    until: int,
) -> None:
    """Let traders act until a moment; a log that may overflow is counted and begun anew."""
    clock, book = onward(market, at.CLOCK), onward(market, rules[at.BOOK])
    while True:
        number = clock[agents_at.WAKES]
        pause, trader = next_act(clock, rules, number)
        clock[agents_at.WAKES] = number + 1
        clock[agents_at.NOW] += pause
        if clock[agents_at.NOW] >= until:
            # Pauses have no memory that matters: the one that was cut is drawn anew.
            clock[agents_at.NOW] = until
            return
        if book[book_at.LOG_ROWS] + rows_needed(book) > rules[at.LOG_ROOM]:
            count_trades(book, log, rules, outcome)
            book[book_at.LOG_ROWS] = 0
        let_act(market, reals, rules, log, mail, trader)


@compiled
def clear(book: Int64, fresh: Int64) -> None:
    """Make a book as it was when new, the handles of its orders included."""
    price = next_above(book, book_at.BITS, 0)
    while price < book[book_at.PRICES]:
        level = book[book_at.LEVELS] + price * book_at.N_LEVEL
        for place in range(level, level + book_at.N_LEVEL):
            book[place] = 0
        price = next_above(book, book_at.BITS, price)
    for place in range(book[book_at.BITS], book[book_at.WAITING_BITS]):
        book[place] = 0
    for place in range(fresh[book_at.LEVELS]):
        book[place] = fresh[place]


@compiled
def open_market(
    market: Int64,
    reals: Float64,
    fresh: tuple[Int64, Float64],
    rules: Int64,
    log: Int64,
    mail: Int64,
) -> None:
    """Begin the next episode: everything as new but the seed, and every trader acts some times."""
    clear(onward(market, rules[at.BOOK]), onward(fresh[0], rules[at.BOOK]))
    for place in range(at.STEP, rules[at.BOOK]):
        market[place] = fresh[0][place]
    for place in range(at.HABITS + (rules[at.LEARNER] - 1) * agents_at.N_HABIT):
        reals[place] = fresh[1][place]
    clock, book = onward(market, at.CLOCK), onward(market, rules[at.BOOK])
    seed = noise(market[at.SEED], at.DRAW_EPISODE, 0, market[at.EPISODE])
    clock[agents_at.SEED] = np.int64(seed >> _ONE)
    market[at.EPISODE] += 1
    market[at.MIDDLE] = 2 * book[book_at.LAST]
    for _ in range(rules[at.OPENING]):
        for trader in range(rules[at.LEARNER] - 1):
            let_act(market, reals, rules, log, mail, trader)
            book[book_at.LOG_ROWS] = 0
    doubled = note_middle(book, market)
    market[at.FIRST_MIDDLE] = doubled
    for place in range(at.PAST):
        market[at.HISTORY + place] = doubled

"""The clock of a population: the next trader wakes, acts on its book, and sleeps again."""

from __future__ import annotations

from tidewright.kernels.agents import layout as at
from tidewright.kernels.agents.layout import Float64, Int64
from tidewright.kernels.agents.market import draw, tell_news
from tidewright.kernels.agents.schedule import sink
from tidewright.kernels.agents.traders import (
    act_at_random,
    close_gap,
    follow_trend,
    make_market,
    seek_value,
)
from tidewright.kernels.jit import compiled
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.memory import address, float_address, onward
from tidewright.kernels.matching.run import rows_needed


@compiled
def act(
    book: Int64,
    other: Int64,
    accounts: Int64,
    logs: tuple[Int64, Int64],
    mail: Int64,
    clock: Int64,
    traders: Int64,
    habits: Float64,
    values: Float64,
    trader: int,
) -> None:
    """Let a trader do what its kind does."""
    kind, log = traders[trader * at.N_TRADER + at.KIND], logs[0]
    if kind == at.NOISE:
        act_at_random(book, accounts, log, mail, clock, traders, habits, trader)
    elif kind == at.MAKER:
        make_market(book, accounts, log, mail, traders, habits, trader)
    elif kind == at.VALUE:
        seek_value(book, accounts, log, mail, clock, traders, habits, values, trader)
    elif kind == at.MOMENTUM:
        follow_trend(book, accounts, log, mail, traders, habits, trader)
    else:
        close_gap(book, other, accounts, logs, mail, traders, habits, trader)


@compiled
def simulate(
    books: tuple[Int64, Int64],
    accounts: Int64,
    log: Int64,
    traders: Int64,
    habits: Float64,
    values: Float64,
    schedule: tuple[Int64, Int64],
    clock: Int64,
    until: int,
) -> int:
    """Run a population until a moment, or until the log of a market may overflow.

    Parameters
    ----------
    books : (int64 array of shape (n_words,), int64 array of shape (n_markets,))
        The books of all markets one behind the other, changed in place, and where each begins.
    accounts : int64 array of shape (n_accounts, n)
        As `kernels.matching.run.process` takes them.
    log : int64 array of shape (n_markets, n_rows, N_LOG)
        Rows of each market from its book's ``LOG_ROWS`` on.
    traders, habits : int64 and float64 arrays of shape (n_traders, N_TRADER) and (…, N_HABIT)
        The population.
    values : float64 array of shape (n_markets, N_VALUE)
        What the markets' goods are worth, which no trader sees without error.
    schedule : (int64 array of shape (n_traders,), int64 array of shape (n_traders,))
        Heap of traders, and when each of them wakes.
    clock : int64 array of shape (N_CLOCK,)
        Where the run stands.
    until : int
        Nothing happens at or after this time.

    Returns
    -------
    int
        1 when the time was reached, 0 when a log is full.
    """
    heap, times = schedule
    words, begins = books
    markets = begins.shape[0]
    rows, count = log.shape[1], heap.shape[0]
    mail_array = clock[at.N_CLOCK :]
    mail, tick = address(mail_array), address(clock)
    book_words, money, lines = address(words), address(accounts), address(log)
    people, manners, worths = address(traders), float_address(habits), float_address(values)
    for market in range(markets):
        begin = begins[market]
        words[begin + book_at.ACCOUNTS], words[begin + book_at.WIDTH] = accounts.shape
    while True:
        trader = heap[0]
        now = times[trader]
        if now >= until:
            clock[at.NOW] = until
            return 1
        row = trader * at.N_TRADER
        market, second = people[row + at.MARKET], people[row + at.OTHER_MARKET]
        book = onward(book_words, begins[market])
        other = onward(book_words, begins[second])
        needed = rows_needed(book) + book[book_at.LOG_ROWS]
        if needed > rows or rows_needed(other) + other[book_at.LOG_ROWS] > rows:
            return 0
        clock[at.NOW] = now
        book[book_at.NOW] = now
        other[book_at.NOW] = now
        if clock[at.NEXT_NEWS] <= now:
            tell_news(tick, worths, markets)
        here = onward(lines, market * rows * book_at.N_LOG)
        there = onward(lines, second * rows * book_at.N_LOG)
        act(book, other, money, (here, there), mail, tick, people, manners, worths, trader)
        clock[at.WAKES] += 1
        pause = 2.0 * draw(tick, people, trader, at.DRAW_WAIT) * float(people[row + at.WAIT])
        times[trader] = now + 1 + int(pause)
        sink(heap, times, count)

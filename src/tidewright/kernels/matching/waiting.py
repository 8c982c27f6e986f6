"""Orders that wait for a price: stops, take-profits, trailing stops, and pairs."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ending import drop_peer, stop_waiting, write
from tidewright.kernels.matching.entry import crosses, execute, fill_in, refuse, walk
from tidewright.kernels.matching.ladder import append, next_above, next_below, rest, row_of
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.money import lock, need_of

TEN_THOUSAND = 10_000
"""Hundredths of a percent in one."""


@compiled
def wait(book: Int64, slot: int, stop: int) -> None:
    """Let an order wait for a price."""
    book[row_of(slot) + at.STOP] = stop
    append(book, at.WAITING_LEVELS, at.WAITING_BITS, stop, slot)
    book[at.WAITING] += 1


@compiled
def trail_from(book: Int64, slot: int, price: int) -> None:
    """Put a trailing stop at its distance from the best price since it began."""
    row = row_of(slot)
    distance = max((price * book[row + at.TRAIL]) // TEN_THOUSAND, 1)
    book[row + at.BEST] = price
    if book[row + at.SIDE] < 0:
        wait(book, slot, max(price - distance, 1))
    else:
        wait(book, slot, min(price + distance, book[at.PRICES] - 1))


@compiled
def follow(book: Int64) -> None:
    """Move trailing stops behind a price that went their way, in the order of their entry."""
    last = book[at.LAST]
    begin = book[at.TRAILERS]
    for place in range(begin, begin + book[at.TRAILING]):
        slot = book[place]
        row = row_of(slot)
        best = book[row + at.BEST]
        if best == 0:
            trail_from(book, slot, last)
        elif last > best if book[row + at.SIDE] < 0 else last < best:
            leave_level(book, slot)
            trail_from(book, slot, last)


@compiled
def leave_level(book: Int64, slot: int) -> None:
    """Take a trailing order from its price, but not from the list of those that trail."""
    row = row_of(slot)
    trail = book[row + at.TRAIL]
    book[row + at.TRAIL] = 0
    stop_waiting(book, slot)
    book[row + at.TRAIL] = trail


@compiled
def begin_trailing(book: Int64, slot: int) -> None:
    """Add an order to those that trail; its stop is set when the price has come to rest."""
    book[book[at.TRAILERS] + book[at.TRAILING]] = slot
    book[at.TRAILING] += 1


@compiled
def activate(book: Int64, accounts: Int64, log: Int64, slot: int) -> None:
    """Send an order whose price was reached to the book."""
    row = row_of(slot)
    if book[row + at.TRAIL] > 0 and book[row + at.BEST] == 0:
        leave_level(book, slot)
        write(book, log, at.TRAILS, slot, book[row + at.LOTS], 0)
        begin_trailing(book, slot)
        return
    stop_waiting(book, slot)
    write(book, log, at.TRIGGERED, slot, book[row + at.LOTS], 0)
    drop_peer(book, log, slot)
    side, lots = book[row + at.SIDE], book[row + at.LOTS]
    if book[row + at.KIND] == at.MARKET and side > 0:
        _, cost = walk(book, side, book[at.PRICES] - 1, lots)
        missing = cost - book[row + at.LOCKED]
        if missing > 0:
            lock(book, accounts, slot, missing)
    execute(book, accounts, log, slot)


@compiled
def fire(book: Int64, accounts: Int64, log: Int64) -> None:
    """Activate every order whose price was reached: the rising side first, nearest price first."""
    while book[at.WAITING] > 0:
        price = next_above(book, at.WAITING_BITS, book[at.ANCHOR])
        if price > book[at.HIGHEST] or price == book[at.PRICES]:
            price = next_below(book, at.WAITING_BITS, book[at.ANCHOR])
            if price == 0 or price < book[at.LOWEST]:
                break
        level = book[at.WAITING_LEVELS] + price * at.N_LEVEL
        activate(book, accounts, log, book[level + at.FIRST])
    settle(book)


@compiled
def settle(book: Int64) -> None:
    """Take the last price as the one from which stops are above or below."""
    last = book[at.LAST]
    book[at.ANCHOR] = last
    book[at.LOWEST] = last
    book[at.HIGHEST] = last
    if book[at.TRAILING] > 0:
        follow(book)


@inlined
def reached(book: Int64, stop: int, rises: int) -> bool:
    """Return whether the last price has reached a stop, or there is none to compare with."""
    last = book[at.LAST]
    return bool(last == 0 or (stop <= last if rises > 0 else stop >= last))


@compiled
def place_waiting(book: Int64, accounts: Int64, message: Int64) -> int:
    """Take in an order that waits for a price; return its handle or why it was refused."""
    side, kind, lots = message[at.WHICH_SIDE], message[at.ORDER_KIND], message[at.HOW_MANY]
    stop, trail = message[at.STOP_AT], message[at.TRAIL_BY]
    if kind == at.POST_ONLY or lots < 1 or trail < 0 or trail >= TEN_THOUSAND:
        return at.BAD_KIND
    if book[at.LAST] == 0 or (stop > 0 and reached(book, stop, message[at.RISES])):
        return at.WOULD_TRIGGER
    slot = fill_in(book, message, lots)
    row = row_of(slot)
    worst = message[at.AT_PRICE]
    if kind == at.MARKET:
        worst = stop if stop > 0 else book[at.LAST]
    if not lock(book, accounts, slot, need_of(book, side, worst, lots)):
        return refuse(book, slot, at.NO_BALANCE)
    book[row + at.TRAIL] = trail
    if stop > 0:
        wait(book, slot, stop)
    else:
        begin_trailing(book, slot)
        trail_from(book, slot, book[at.LAST])
    return book[row + at.HANDLE]  # type: ignore[no-any-return]


@compiled
def place_pair(book: Int64, accounts: Int64, log: Int64, message: Int64) -> int:
    """Take in a limit order and a stop, of which one ends the other (one cancels the other).

    Returns
    -------
    int
        Handle of the limit order, or why both were refused; a row of the log names both.
    """
    side, price, lots = message[at.WHICH_SIDE], message[at.AT_PRICE], message[at.HOW_MANY]
    stop, beyond = message[at.STOP_AT], message[at.STOP_LIMIT]
    if message[at.ORDER_KIND] != at.POST_ONLY or lots < 1 or stop < 1:
        return at.BAD_KIND
    if beyond < 0 or beyond >= book[at.PRICES]:
        return at.BAD_PRICE
    if reached(book, stop, side):
        return at.WOULD_TRIGGER
    if crosses(book, side, price) or (price - book[at.LAST]) * side >= 0:
        return at.WOULD_TAKE
    if book[row_of(book[at.FREE]) + at.NEXT] == 0:
        return at.BOOK_FULL
    worst = max(price, stop if beyond == 0 else beyond)
    units = float(worst) * float(lots) * float(book[at.QUOTE_UNIT])
    if units > at.MOST_UNITS:
        return at.BAD_LOTS
    first = fill_in(book, message, lots)
    if not lock(book, accounts, first, need_of(book, side, worst, lots)):
        return refuse(book, first, at.NO_BALANCE)
    second = fill_in(book, message, lots)
    pair(book, log, first, second, beyond)
    rest(book, first)
    wait(book, second, stop)
    return book[row_of(first) + at.HANDLE]  # type: ignore[no-any-return]


@compiled
def pair(book: Int64, log: Int64, first: int, second: int, beyond: int) -> None:
    """Tie two orders together and name them in the log."""
    row, other = row_of(first), row_of(second)
    book[row + at.PEER] = second
    book[other + at.PEER] = first
    book[other + at.KIND] = at.LIMIT if beyond > 0 else at.MARKET
    book[other + at.PRICE] = beyond
    write(book, log, at.PAIRED, first, book[row + at.LOTS], 0)
    log[(book[at.LOG_ROWS] - 1) * at.N_LOG + at.MAKER] = book[other + at.HANDLE]

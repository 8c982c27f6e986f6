"""How orders come and go: slots, handles, the partner of a pair, and the log of what ended."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ladder import row_of, unlink, withdraw
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.money import release


@inlined
def take_slot(book: Int64, account: int, side: int, kind: int) -> int:
    """Return the slot of a new order, its fields cleared; the caller saw that one is free."""
    slot = book[at.FREE]
    row = row_of(slot)
    book[at.FREE] = book[row + at.NEXT]
    book[at.LIVE] += 1
    # The handle of a slot's next order differs from those of all orders before it.
    book[row + at.HANDLE] = -book[row + at.HANDLE]
    book[row + at.ACCOUNT] = account
    book[row + at.SIDE] = side
    book[row + at.KIND] = kind
    for field in range(at.PRICE, at.N_ORDER):
        book[row + field] = 0
    return slot  # type: ignore[no-any-return]


@inlined
def give_slot(book: Int64, slot: int) -> None:
    """Let another order have a slot. A free slot keeps the next handle, below zero."""
    row = row_of(slot)
    if book[row + at.DISPLAY] > 0:
        book[at.ICEBERGS] -= 1
    book[row + at.HANDLE] = -(book[row + at.HANDLE] + book[at.CAPACITY])
    book[row + at.NEXT] = book[at.FREE]
    book[at.FREE] = slot
    book[at.LIVE] -= 1


@compiled
def write(book: Int64, log: Int64, event: int, slot: int, lots: int, reason: int) -> None:
    """Write a row of the log that is no trade."""
    row, line = row_of(slot), book[at.LOG_ROWS] * at.N_LOG
    for place in range(line, line + at.N_LOG):
        log[place] = 0
    log[line + at.EVENT] = event
    log[line + at.TAKER] = book[row + at.HANDLE]
    log[line + at.TRADE_PRICE] = book[row + at.PRICE]
    log[line + at.TRADE_LOTS] = lots
    log[line + at.TAKER_SIDE] = book[row + at.SIDE]
    log[line + at.TAKER_ACCOUNT] = book[row + at.ACCOUNT]
    log[line + at.TRADE_NUMBER] = reason
    log[line + at.MESSAGE] = book[at.MESSAGES]
    log[line + at.WHEN] = book[at.NOW]
    book[at.LOG_ROWS] += 1


@compiled
def forget_trailer(book: Int64, slot: int) -> None:
    """Take an order out of the list of those whose stop trails the price."""
    begin, count = book[at.TRAILERS], book[at.TRAILING]
    for place in range(begin, begin + count):
        if book[place] == slot:
            # The others keep their order, which is that of their entry.
            for later in range(place, begin + count - 1):
                book[later] = book[later + 1]
            book[at.TRAILING] = count - 1
            return


@compiled
def stop_waiting(book: Int64, slot: int) -> None:
    """Take an order out of those that wait for a price."""
    row = row_of(slot)
    unlink(book, at.WAITING_LEVELS, at.WAITING_BITS, book[row + at.STOP], slot)
    book[at.WAITING] -= 1
    if book[row + at.TRAIL] > 0:
        forget_trailer(book, slot)
    book[row + at.STOP] = 0


@compiled
def drop_peer(book: Int64, log: Int64, slot: int) -> None:
    """End the other order of a pair; what it had locked goes to this one."""
    row = row_of(slot)
    peer = book[row + at.PEER]
    if peer == 0:
        return
    other = row_of(peer)
    book[row + at.PEER] = 0
    book[other + at.PEER] = 0
    book[row + at.LOCKED] += book[other + at.LOCKED]
    book[other + at.LOCKED] = 0
    if book[other + at.STOP] > 0:
        stop_waiting(book, peer)
    else:
        withdraw(book, peer)
    write(book, log, at.ENDED, peer, book[other + at.LOTS], at.BY_PEER)
    give_slot(book, peer)


@compiled
def end(book: Int64, accounts: Int64, log: Int64, slot: int, reason: int) -> None:
    """End an order that stands in no queue: free its money and its slot, and tell why.

    Nothing is told of an order that was filled or whose end is the answer to a message.
    """
    lots = book[row_of(slot) + at.LOTS]
    release(book, accounts, slot, 0)
    if lots > 0 and reason != at.BY_REQUEST:
        write(book, log, at.ENDED, slot, lots, reason)
    give_slot(book, slot)

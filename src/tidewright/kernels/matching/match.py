"""Matching: an order meets the queue of the best opposite price, oldest order first."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ending import drop_peer, end, give_slot, write
from tidewright.kernels.matching.ladder import (
    append,
    next_above,
    next_below,
    row_of,
    unlink,
    withdraw,
)
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.money import need_of, pay, release


@inlined
def shrink(book: Int64, accounts: Int64, slot: int, lots: int) -> None:
    """Take lots from the shown part of a resting order; refill it, or end it when none is left."""
    row = row_of(slot)
    price = book[row + at.PRICE]
    level = book[at.LEVELS] + price * at.N_LEVEL
    left, shown = book[row + at.LOTS] - lots, book[row + at.SHOWN] - lots
    book[row + at.LOTS] = left
    book[row + at.SHOWN] = shown
    book[level + at.SHOWN_LOTS] -= lots
    if shown > 0:
        return
    emptied = unlink(book, at.LEVELS, at.BITS, price, slot)
    if left > 0:
        # The next part of an iceberg order queues behind everybody at its price.
        part = min(book[row + at.DISPLAY], left)
        book[row + at.SHOWN] = part
        book[level + at.SHOWN_LOTS] += part
        book[level + at.HIDDEN_LOTS] -= part
        append(book, at.LEVELS, at.BITS, price, slot)
        return
    if emptied:
        if book[row + at.SIDE] > 0:
            book[at.BID] = next_below(book, at.BITS, price)
        else:
            book[at.ASK] = next_above(book, at.BITS, price)
    release(book, accounts, slot, 0)
    give_slot(book, slot)


@compiled
def keep_apart(book: Int64, log: Int64, taker: int, maker: int, choice: int) -> int:
    """Write down a match that does not happen and return its lots."""
    makes, takes = row_of(maker), row_of(taker)
    lots = min(book[takes + at.LOTS], book[makes + at.SHOWN])
    write(book, log, at.NOT_TRADED, taker, lots, choice)
    row = (book[at.LOG_ROWS] - 1) * at.N_LOG
    log[row + at.MAKER] = book[makes + at.HANDLE]
    log[row + at.MAKER_ACCOUNT] = book[makes + at.ACCOUNT]
    log[row + at.TRADE_PRICE] = book[makes + at.PRICE]
    if choice == at.DECREMENT:
        log[row + at.TAKER_FEE] = lots
        log[row + at.MAKER_FEE] = lots
    else:
        if choice != at.EXPIRE_MAKER:
            log[row + at.TAKER_FEE] = book[takes + at.LOTS]
        if choice != at.EXPIRE_TAKER:
            log[row + at.MAKER_FEE] = book[makes + at.LOTS]
    return lots  # type: ignore[no-any-return]


@compiled
def guard(book: Int64, accounts: Int64, log: Int64, taker: int, maker: int, choice: int) -> bool:
    """Prevent an account from trading with itself; False when its taking order ends."""
    takes = row_of(taker)
    lots = keep_apart(book, log, taker, maker, choice)
    if choice == at.DECREMENT:
        book[takes + at.LOTS] -= lots
        drop_peer(book, log, maker)
        free_part(book, accounts, maker, lots)
        shrink(book, accounts, maker, lots)
        return book[takes + at.LOTS] > 0  # type: ignore[no-any-return]
    if choice != at.EXPIRE_TAKER:
        drop_peer(book, log, maker)
        withdraw(book, maker)
        end(book, accounts, log, maker, at.SELF_TRADED)
    return choice == at.EXPIRE_MAKER


@compiled
def free_part(book: Int64, accounts: Int64, slot: int, lots: int) -> None:
    """Free what a resting order has locked for lots that will not trade."""
    row = row_of(slot)
    part = need_of(book, book[row + at.SIDE], book[row + at.PRICE], lots)
    release(book, accounts, slot, max(book[row + at.LOCKED] - part, 0))


@compiled
def affordable(book: Int64, taker: int, price: int) -> int:
    """Return how many lots an order can pay for at a price."""
    row = row_of(taker)
    lots = book[row + at.LOTS]
    cost = price * book[at.QUOTE_UNIT]
    if lots * cost <= book[row + at.LOCKED]:
        return lots  # type: ignore[no-any-return]
    return book[row + at.LOCKED] // cost  # type: ignore[no-any-return]


@compiled
def match(book: Int64, accounts: Int64, log: Int64, taker: int, limit: int, money: bool) -> int:
    """Trade an order with the book up to a limit.

    Parameters
    ----------
    book, accounts, log : int64 arrays
        Changed in place.
    taker : int
        Slot of the order, which stands in no queue and has locked what it may spend.
    limit : int
        The worst price that it takes.
    money : bool
        Whether what is locked may be too little, as for a market order that buys.

    Returns
    -------
    int
        0, or why the order is to end now.
    """
    takes = row_of(taker)
    side, account = book[takes + at.SIDE], book[takes + at.ACCOUNT]
    choice, levels = book[takes + at.GUARD], book[at.LEVELS]
    best_at = at.ASK if side > 0 else at.BID
    while book[takes + at.LOTS] > 0:
        price = book[best_at]
        if (price > limit or price == book[at.PRICES]) if side > 0 else price < limit or price == 0:
            return 0
        maker = book[levels + price * at.N_LEVEL + at.FIRST]
        makes = row_of(maker)
        if choice != at.NO_GUARD and book[makes + at.ACCOUNT] == account:
            if guard(book, accounts, log, taker, maker, choice):
                continue
            return at.SELF_TRADED
        lots = min(book[takes + at.LOTS], book[makes + at.SHOWN])
        if money:
            lots = min(lots, affordable(book, taker, price))
            if lots == 0:
                return at.NO_FUNDS
        pay(book, accounts, log, taker, maker, price, lots)
        book[takes + at.LOTS] -= lots
        book[at.LAST] = price
        book[at.LOWEST] = min(book[at.LOWEST], price)
        book[at.HIGHEST] = max(book[at.HIGHEST], price)
        if book[makes + at.PEER] != 0:
            drop_peer(book, log, maker)
        shrink(book, accounts, maker, lots)
    return 0

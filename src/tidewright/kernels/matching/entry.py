"""Orders that come in: what is refused, what is locked, what trades at once and what rests."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ending import end, take_slot
from tidewright.kernels.matching.ladder import beyond, opposite, rest, row_of
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.match import match
from tidewright.kernels.matching.money import lock, need_of, release


@inlined
def crosses(book: Int64, side: int, price: int) -> bool:
    """Return whether an order of a side would trade at a price now."""
    return bool(price >= book[at.ASK] if side > 0 else price <= book[at.BID])


@compiled
def walk(book: Int64, side: int, limit: int, lots: int) -> tuple[int, int]:
    """Return how many lots the book offers an order up to a limit, and what they cost.

    Whole levels are looked at, whosever orders stand there; the cost is capped.
    """
    found, cost = 0, 0
    price = opposite(book, side)
    while found < lots and (price <= limit if side > 0 else price >= limit):
        if price == 0 or price == book[at.PRICES]:
            break
        level = book[at.LEVELS] + price * at.N_LEVEL
        part = min(book[level + at.SHOWN_LOTS] + book[level + at.HIDDEN_LOTS], lots - found)
        if float(cost) + float(price) * float(part) * float(book[at.QUOTE_UNIT]) > at.MOST_UNITS:
            break
        found += part
        cost += part * price * book[at.QUOTE_UNIT]
        price = beyond(book, side, price)
    return found, cost


@compiled
def offered(book: Int64, taker: int) -> bool:
    """Return whether an order can be filled at once and whole, order by order."""
    takes = row_of(taker)
    account, side, limit = book[takes + at.ACCOUNT], book[takes + at.SIDE], book[takes + at.PRICE]
    lots, choice = book[takes + at.LOTS], book[takes + at.GUARD]
    found = 0
    price = opposite(book, side)
    while price <= limit if side > 0 else price >= limit:
        if price == 0 or price == book[at.PRICES]:
            return False
        slot = book[book[at.LEVELS] + price * at.N_LEVEL + at.FIRST]
        while slot != 0:
            row = row_of(slot)
            if choice != at.NO_GUARD and book[row + at.ACCOUNT] == account:
                if choice != at.EXPIRE_MAKER:
                    return False
            else:
                found += book[row + at.LOTS]
                if found >= lots:
                    return True
            slot = book[row + at.NEXT]
        price = beyond(book, side, price)
    return False


@compiled
def execute(book: Int64, accounts: Int64, log: Int64, slot: int) -> None:
    """Trade an order whose money is locked; what is left rests or ends, as its kind says."""
    row = row_of(slot)
    side, kind = book[row + at.SIDE], book[row + at.KIND]
    if kind == at.ALL_OR_NONE and not offered(book, slot):
        end(book, accounts, log, slot, at.UNFILLED)
        return
    market = kind == at.MARKET
    limit = book[row + at.PRICE]
    if market:
        limit = book[at.PRICES] - 1 if side > 0 else 1
    reason = 0
    if crosses(book, side, limit):
        reason = match(book, accounts, log, slot, limit, market and side > 0)
    lots = book[row + at.LOTS]
    if lots == 0 or reason != 0:
        end(book, accounts, log, slot, reason)
    elif kind == at.LIMIT or kind == at.POST_ONLY:
        release(book, accounts, slot, need_of(book, side, limit, lots))
        rest(book, slot)
    else:
        end(book, accounts, log, slot, at.UNFILLED)


@inlined
def unsound(book: Int64, message: Int64) -> int:
    """Return why a new order has no form that can trade, or 0."""
    kind, price, lots = message[at.ORDER_KIND], message[at.AT_PRICE], message[at.HOW_MANY]
    account, side = message[at.WHO], message[at.WHICH_SIDE]
    if account <= at.VENUE or account >= book[at.ACCOUNTS]:
        return at.BAD_ACCOUNT
    if kind < at.LIMIT or kind > at.MARKET or side * side != 1:
        return at.BAD_KIND
    if kind != at.MARKET and (price < 1 or price >= book[at.PRICES]):
        return at.BAD_PRICE
    if message[at.STOP_AT] < 0 or message[at.STOP_AT] >= book[at.PRICES]:
        return at.BAD_PRICE
    if lots < 1 and message[at.FOR_MONEY] < 1:
        return at.BAD_LOTS
    highest = price if price > message[at.STOP_AT] else message[at.STOP_AT]
    units = float(max(highest, 1)) * float(lots) * float(book[at.QUOTE_UNIT])
    if units > at.MOST_UNITS or float(lots) * float(book[at.BASE_UNIT]) > at.MOST_UNITS:
        return at.BAD_LOTS
    show = message[at.SHOW]
    if show < 0 or (show > 0 and (lots - 1) // show >= at.MOST_PARTS):
        return at.BAD_LOTS
    if book[at.FREE] == 0:
        return at.BOOK_FULL
    return 0


@inlined
def fill_in(book: Int64, message: Int64, lots: int) -> int:
    """Take a slot for the order of a message and return it."""
    slot = take_slot(book, message[at.WHO], message[at.WHICH_SIDE], message[at.ORDER_KIND])
    row = row_of(slot)
    book[row + at.PRICE] = message[at.AT_PRICE]
    book[row + at.LOTS] = lots
    book[row + at.GUARD] = message[at.SELF_TRADE]
    display = message[at.SHOW]
    if 0 < display < lots:
        book[row + at.DISPLAY] = display
        book[at.ICEBERGS] += 1
    return slot


@compiled
def refuse(book: Int64, slot: int, code: int) -> int:
    """Give back the slot of an order that never was, and return why."""
    row = row_of(slot)
    if book[row + at.DISPLAY] > 0:
        book[at.ICEBERGS] -= 1
        book[row + at.DISPLAY] = 0
    # The handle was seen by nobody, so the slot keeps it.
    book[row + at.HANDLE] = -book[row + at.HANDLE]
    book[row + at.NEXT] = book[at.FREE]
    book[at.FREE] = slot
    book[at.LIVE] -= 1
    return code


@compiled
def market_terms(book: Int64, message: Int64) -> tuple[int, int]:
    """Return lots and money that a market order is for; lots of 0 when nothing is offered."""
    side, lots, money = message[at.WHICH_SIDE], message[at.HOW_MANY], message[at.FOR_MONEY]
    limit = book[at.PRICES] - 1 if side > 0 else 1
    if money > 0:
        lots = lots_for_money(book, side, money)
        return lots, money if side > 0 else lots * book[at.BASE_UNIT]
    found, cost = walk(book, side, limit, lots)
    if found == 0:
        return 0, 0
    return lots, cost if side > 0 else lots * book[at.BASE_UNIT]


@compiled
def lots_for_money(book: Int64, side: int, money: int) -> int:
    """Return the lots that an amount of the quote asset trades now, rounded down."""
    lots, left = 0, money
    price = opposite(book, side)
    while price != 0 and price != book[at.PRICES]:
        level = book[at.LEVELS] + price * at.N_LEVEL
        there = book[level + at.SHOWN_LOTS] + book[level + at.HIDDEN_LOTS]
        part = min(there, left // (price * book[at.QUOTE_UNIT]))
        lots += part
        left -= part * price * book[at.QUOTE_UNIT]
        if part < there:
            break
        price = beyond(book, side, price)
    return lots


@inlined
def place(book: Int64, accounts: Int64, log: Int64, message: Int64) -> int:
    """Take in an order that trades or rests now; return its handle or why it was refused."""
    side, kind, lots = message[at.WHICH_SIDE], message[at.ORDER_KIND], message[at.HOW_MANY]
    price = message[at.AT_PRICE]
    if kind == at.MARKET:
        lots, need = market_terms(book, message)
        if lots == 0:
            return at.NO_LIQUIDITY
    else:
        need = need_of(book, side, price, lots)
        if kind == at.POST_ONLY and crosses(book, side, price):
            return at.WOULD_TAKE
    slot = fill_in(book, message, lots)
    if not lock(book, accounts, slot, need):
        return refuse(book, slot, at.NO_BALANCE)
    handle: int = book[row_of(slot) + at.HANDLE]
    execute(book, accounts, log, slot)
    return handle

"""Messages in, answers out: what the venue runs."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ending import drop_peer, end, stop_waiting
from tidewright.kernels.matching.entry import place, unsound
from tidewright.kernels.matching.ladder import row_of, withdraw
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.memory import address, onward
from tidewright.kernels.matching.money import need_of, release
from tidewright.kernels.matching.waiting import fire, place_pair, place_waiting


@inlined
def slot_of(book: Int64, handle: int, account: int) -> int:
    """Return the slot of an account's live order, or 0."""
    if handle <= 0:
        return 0
    slot = handle & (book[at.CAPACITY] - 1)
    row = row_of(slot)
    if book[row + at.HANDLE] != handle or book[row + at.ACCOUNT] != account:
        return 0
    return slot  # type: ignore[no-any-return]


@inlined
def cancel(book: Int64, accounts: Int64, log: Int64, message: Int64) -> int:
    """End an order, and the other one of its pair; return its handle or `UNKNOWN_ORDER`."""
    handle = message[at.ORDER]
    slot = slot_of(book, handle, message[at.WHO])
    if slot == 0:
        return at.UNKNOWN_ORDER
    row = row_of(slot)
    if book[row + at.PEER] != 0:
        drop_peer(book, log, slot)
    if book[row + at.STOP] > 0:
        stop_waiting(book, slot)
    else:
        withdraw(book, slot)
    end(book, accounts, log, slot, at.BY_REQUEST)
    return handle  # type: ignore[no-any-return]


@compiled
def reduce(book: Int64, accounts: Int64, message: Int64) -> int:
    """Make a resting order smaller where it stands; return its handle or why not."""
    handle, lots = message[at.ORDER], message[at.HOW_MANY]
    slot = slot_of(book, handle, message[at.WHO])
    if slot == 0:
        return at.UNKNOWN_ORDER
    row = row_of(slot)
    if book[row + at.STOP] > 0 or book[row + at.PEER] != 0:
        return at.BAD_KIND
    left, shown = book[row + at.LOTS], book[row + at.SHOWN]
    if lots < 1 or lots >= left:
        return at.BAD_LOTS
    level = book[at.LEVELS] + book[row + at.PRICE] * at.N_LEVEL
    visible = min(shown, lots)
    book[row + at.LOTS] = lots
    book[row + at.SHOWN] = visible
    book[level + at.SHOWN_LOTS] -= shown - visible
    book[level + at.HIDDEN_LOTS] -= (left - shown) - (lots - visible)
    release(book, accounts, slot, need_of(book, book[row + at.SIDE], book[row + at.PRICE], lots))
    return handle  # type: ignore[no-any-return]


@compiled
def take(book: Int64, accounts: Int64, log: Int64, message: Int64) -> int:
    """Carry out one message and return its answer: an order's handle, or a reason below 0."""
    book[at.MESSAGES] += 1
    what = message[at.WHAT]
    if what == at.CANCEL:
        return cancel(book, accounts, log, message)
    if what == at.REDUCE:
        return reduce(book, accounts, message)
    answer = unsound(book, message)
    if answer != 0:
        return answer
    if what == at.PLACE_PAIR:
        return place_pair(book, accounts, log, message)
    if message[at.STOP_AT] > 0 or message[at.TRAIL_BY] > 0:
        return place_waiting(book, accounts, message)
    trades = book[at.TRADES]
    answer = place(book, accounts, log, message)
    if book[at.TRADES] != trades:
        fire(book, accounts, log)
    return answer


@inlined
def rows_needed(book: Int64) -> int:
    """Return more rows of the log than one message can write."""
    return 8 * (book[at.LIVE] + 4) + 3 * at.MOST_PARTS * book[at.ICEBERGS]  # type: ignore[no-any-return]


@compiled
def process(
    book: Int64,
    accounts: Int64,
    log: Int64,
    messages: Int64,
    answers: Int64,
    start: int,
) -> int:
    """Carry out messages in order until the log may overflow.

    Parameters
    ----------
    book : int64 array
        As `exchange.matching.new_book` makes it; changed in place.
    accounts : int64 array of shape (n_accounts, N_RATES + 2 * n_assets)
        Fee rates and balances; row 0 is the venue's.
    log : int64 array of shape (n_rows, N_LOG)
        Trades and ends are added from ``book[LOG_ROWS]`` on.
    messages : int64 array of shape (n, N_MESSAGE)
        What accounts ask for.
    answers : int64 array of shape (n,)
        Receives an answer per message.
    start : int
        The first message to carry out.

    Returns
    -------
    int
        The first message that was not carried out; n when all were.
    """
    count, rows = messages.shape[0], log.shape[0]
    book[at.ACCOUNTS], book[at.WIDTH] = accounts.shape
    words, money, lines = address(book), address(accounts), address(log)
    mail, told = address(messages), address(answers)
    for number in range(start, count):
        if words[at.LOG_ROWS] + rows_needed(words) > rows:
            return number
        told[number] = take(words, money, lines, onward(mail, number * at.N_MESSAGE))
    return count  # type: ignore[no-any-return]

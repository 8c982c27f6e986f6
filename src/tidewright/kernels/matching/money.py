"""Balances of accounts: what orders lock, what trades move, what the venue earns."""

from __future__ import annotations

from tidewright.kernels.jit import inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.ladder import row_of
from tidewright.kernels.matching.layout import Int64

PARTS_PER_MILLION = 1_000_000
"""Denominator of fee rates."""


@inlined
def fee_of(amount: int, rate_ppm: int) -> int:
    """Return the fee on what an account receives, rounded down to whole units.

    The amount is split so that nothing leaves int64.
    """
    whole, part = amount // PARTS_PER_MILLION, amount % PARTS_PER_MILLION
    return whole * rate_ppm + part * rate_ppm // PARTS_PER_MILLION


@inlined
def asset_of(book: Int64, side: int) -> int:
    """Return the column of the free balance that an order of a side spends."""
    return book[at.QUOTE] if side > 0 else book[at.BASE]  # type: ignore[no-any-return]


@inlined
def need_of(book: Int64, side: int, price: int, lots: int) -> int:
    """Return what an order may spend at its price."""
    if side > 0:
        return price * lots * book[at.QUOTE_UNIT]  # type: ignore[no-any-return]
    return lots * book[at.BASE_UNIT]  # type: ignore[no-any-return]


@inlined
def lock(book: Int64, accounts: Int64, slot: int, amount: int) -> bool:
    """Lock money for an order; False when its account has too little."""
    row = row_of(slot)
    column = book[row + at.ACCOUNT] * book[at.WIDTH] + asset_of(book, book[row + at.SIDE])
    if amount > accounts[column]:
        return False
    accounts[column] -= amount
    accounts[column + 1] += amount
    book[row + at.LOCKED] += amount
    return True


@inlined
def release(book: Int64, accounts: Int64, slot: int, keep: int) -> None:
    """Free what an order has locked beyond what it keeps."""
    row = row_of(slot)
    freed = book[row + at.LOCKED] - keep
    if freed > 0:
        column = book[row + at.ACCOUNT] * book[at.WIDTH] + asset_of(book, book[row + at.SIDE])
        accounts[column] += freed
        accounts[column + 1] -= freed
        book[row + at.LOCKED] = keep


@inlined
def pay(
    book: Int64, accounts: Int64, log: Int64, taker: int, maker: int, price: int, lots: int
) -> None:
    """Move what a trade moves between two accounts, fees to the venue, and write its row.

    Parameters
    ----------
    book, accounts : int64 arrays
        Changed in place.
    log : int64 array of shape (n_rows, N_LOG)
        Receives the trade.
    taker, maker : int
        Slots of the orders.
    price, lots : int
        Of the trade.
    """
    takes, makes = row_of(taker), row_of(maker)
    side = book[takes + at.SIDE]
    cost = price * lots * book[at.QUOTE_UNIT]
    amount = lots * book[at.BASE_UNIT]
    taking, making = book[takes + at.ACCOUNT], book[makes + at.ACCOUNT]
    base, quote, width = book[at.BASE], book[at.QUOTE], book[at.WIDTH]
    payer, receiver = taking * width, making * width
    spent, got = (cost, amount) if side > 0 else (amount, cost)
    pays, receives = (quote, base) if side > 0 else (base, quote)
    taker_fee = fee_of(got, accounts[payer + at.TAKER_PPM])
    maker_fee = fee_of(spent, accounts[receiver + at.MAKER_PPM])
    accounts[payer + pays + 1] -= spent
    accounts[payer + receives] += got - taker_fee
    accounts[receiver + receives + 1] -= got
    accounts[receiver + pays] += spent - maker_fee
    accounts[receives] += taker_fee
    accounts[pays] += maker_fee
    book[takes + at.LOCKED] -= spent
    book[makes + at.LOCKED] -= got
    number = book[at.TRADES] + 1
    book[at.TRADES] = number
    row = book[at.LOG_ROWS] * at.N_LOG
    log[row + at.EVENT] = at.TRADED
    log[row + at.TAKER] = book[takes + at.HANDLE]
    log[row + at.MAKER] = book[makes + at.HANDLE]
    log[row + at.TRADE_PRICE] = price
    log[row + at.TRADE_LOTS] = lots
    log[row + at.TAKER_SIDE] = side
    log[row + at.TAKER_ACCOUNT] = taking
    log[row + at.MAKER_ACCOUNT] = making
    log[row + at.TAKER_FEE] = taker_fee
    log[row + at.MAKER_FEE] = maker_fee
    log[row + at.TRADE_NUMBER] = number
    log[row + at.MESSAGE] = book[at.MESSAGES]
    log[row + at.WHEN] = book[at.NOW]
    book[at.LOG_ROWS] += 1

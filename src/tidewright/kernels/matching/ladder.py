"""Price levels: queues of orders by time, and a bitmap that finds the next occupied price."""

from __future__ import annotations

from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.memory import highest_bit, lowest_bit


@compiled
def next_above(book: Int64, bits: int, price: int) -> int:
    """Return the lowest occupied price above a price; the number of prices when there is none."""
    layer, index, layers = 0, price, book[at.LAYERS]
    while layer < layers:
        word = book[book[bits + layer] + (index >> at.WORD)] & (-2 << (index & 63))
        if word != 0:
            index = (index & ~63) | lowest_bit(word)
            while layer > 0:
                layer -= 1
                index = (index << at.WORD) | lowest_bit(book[book[bits + layer] + index])
            return index
        index >>= at.WORD
        layer += 1
    return book[at.PRICES]  # type: ignore[no-any-return]


@compiled
def next_below(book: Int64, bits: int, price: int) -> int:
    """Return the highest occupied price below a price; 0 when there is none."""
    layer, index, layers = 0, price, book[at.LAYERS]
    while layer < layers:
        word = book[book[bits + layer] + (index >> at.WORD)] & ((1 << (index & 63)) - 1)
        if word != 0:
            index = (index & ~63) | highest_bit(word)
            while layer > 0:
                layer -= 1
                index = (index << at.WORD) | highest_bit(book[book[bits + layer] + index])
            return index
        index >>= at.WORD
        layer += 1
    return 0


@inlined
def opposite(book: Int64, side: int) -> int:
    """Return the best price that an order of a side meets; 0 or the number of prices for none."""
    return book[at.ASK] if side > 0 else book[at.BID]  # type: ignore[no-any-return]


@compiled
def beyond(book: Int64, side: int, price: int) -> int:
    """Return the next price that an order of a side meets after another."""
    if side > 0:
        return next_above(book, at.BITS, price)
    return next_below(book, at.BITS, price)


@inlined
def occupy(book: Int64, bits: int, price: int) -> None:
    """Take note that a price holds orders."""
    index = price
    for layer in range(book[at.LAYERS]):
        place = book[bits + layer] + (index >> at.WORD)
        word = book[place]
        book[place] = word | (1 << (index & 63))
        if word != 0:
            return
        index >>= at.WORD


@inlined
def vacate(book: Int64, bits: int, price: int) -> None:
    """Take note that a price holds no more orders."""
    index = price
    for layer in range(book[at.LAYERS]):
        place = book[bits + layer] + (index >> at.WORD)
        word = book[place] & ~(1 << (index & 63))
        book[place] = word
        if word != 0:
            return
        index >>= at.WORD


@inlined
def row_of(slot: int) -> int:
    """Return where an order begins."""
    return at.HEADER + slot * at.N_ORDER


@inlined
def append(book: Int64, levels: int, bits: int, price: int, slot: int) -> None:
    """Put an order at the end of the queue of a price."""
    level = book[levels] + price * at.N_LEVEL
    row, last = row_of(slot), book[level + at.FINAL]
    book[row + at.NEXT] = 0
    book[row + at.PREVIOUS] = last
    book[level + at.FINAL] = slot
    if last == 0:
        book[level + at.FIRST] = slot
        occupy(book, bits, price)
    else:
        book[row_of(last) + at.NEXT] = slot


@inlined
def unlink(book: Int64, levels: int, bits: int, price: int, slot: int) -> bool:
    """Take an order out of the queue of a price; True when it was the last one there."""
    level = book[levels] + price * at.N_LEVEL
    row = row_of(slot)
    after, before = book[row + at.NEXT], book[row + at.PREVIOUS]
    if before == 0:
        book[level + at.FIRST] = after
    else:
        book[row_of(before) + at.NEXT] = after
    if after == 0:
        book[level + at.FINAL] = before
    else:
        book[row_of(after) + at.PREVIOUS] = before
    if before == 0 and after == 0:
        vacate(book, bits, price)
        return True
    return False


@inlined
def rest(book: Int64, slot: int) -> None:
    """Let an order rest in the book at its price, behind those that came before."""
    row = row_of(slot)
    price, shown = book[row + at.PRICE], book[row + at.LOTS]
    display = book[row + at.DISPLAY]
    if 0 < display < shown:
        shown = display
    book[row + at.SHOWN] = shown
    append(book, at.LEVELS, at.BITS, price, slot)
    level = book[at.LEVELS] + price * at.N_LEVEL
    book[level + at.SHOWN_LOTS] += shown
    book[level + at.HIDDEN_LOTS] += book[row + at.LOTS] - shown
    if book[row + at.SIDE] > 0:
        if price > book[at.BID]:
            book[at.BID] = price
    elif price < book[at.ASK]:
        book[at.ASK] = price


@inlined
def withdraw(book: Int64, slot: int) -> None:
    """Take a resting order out of the book."""
    row = row_of(slot)
    price, shown = book[row + at.PRICE], book[row + at.SHOWN]
    level = book[at.LEVELS] + price * at.N_LEVEL
    book[level + at.SHOWN_LOTS] -= shown
    book[level + at.HIDDEN_LOTS] -= book[row + at.LOTS] - shown
    if unlink(book, at.LEVELS, at.BITS, price, slot):
        if price == book[at.BID]:
            book[at.BID] = next_below(book, at.BITS, price)
        elif price == book[at.ASK]:
            book[at.ASK] = next_above(book, at.BITS, price)

"""What a learner's action does to its market."""

from __future__ import annotations

from tidewright.kernels.agents.market import is_live, send, withdraw_order
from tidewright.kernels.environment import layout as at
from tidewright.kernels.environment.layout import Int64
from tidewright.kernels.environment.observe import note_middle, units_held
from tidewright.kernels.jit import compiled, inlined
from tidewright.kernels.matching import layout as book_at
from tidewright.kernels.matching.ladder import row_of
from tidewright.kernels.matching.memory import onward


@inlined
def resting(book: Int64, handle: int) -> int:
    """Return the lots that an own order still has in the book."""
    if not is_live(book, handle):
        return 0
    slot = handle & (book[book_at.CAPACITY] - 1)
    return book[row_of(slot) + book_at.LOTS]  # type: ignore[no-any-return]


@compiled
def end_order(market: Int64, rules: Int64, log: Int64, mail: Int64, which: int) -> int:
    """Cancel an own order; the answer is `UNKNOWN_ORDER` where none stands."""
    book, accounts = onward(market, rules[at.BOOK]), onward(market, at.MONEY)
    handle = market[which]
    market[which] = 0
    if not is_live(book, handle):
        return book_at.UNKNOWN_ORDER
    return withdraw_order(book, accounts, log, mail, rules[at.LEARNER], handle)


@compiled
def room_for(market: Int64, rules: Int64, side: int, which: int) -> int:
    """Return how many lots may be ordered on a side, were all that rests there to trade."""
    book, accounts = onward(market, rules[at.BOOK]), onward(market, at.MONEY)
    units = units_held(accounts, rules[at.LEARNER] * book[book_at.WIDTH] + book_at.N_RATES)
    # Rounded towards the limit that the order moves to: a fee is a part of a lot.
    held = (units * side + at.UNIT - 1) // at.UNIT
    return rules[at.MOST_LOTS] - held - resting(book, market[which])  # type: ignore[no-any-return]


@compiled
def carry_out(market: Int64, rules: Int64, log: Int64, mail: Int64, action: Int64) -> int:
    """Do what an action asks for; lots beyond the inventory limit are left out.

    Returns
    -------
    int
        An order's handle, 0 where nothing was asked for, or below 0 why it was not done.
    """
    book, accounts = onward(market, rules[at.BOOK]), onward(market, at.MONEY)
    what = action[at.ACT]
    if what == at.CANCEL_BID:
        return end_order(market, rules, log, mail, at.BID_ORDER)
    if what == at.CANCEL_ASK:
        return end_order(market, rules, log, mail, at.ASK_ORDER)
    if what <= at.NOTHING or what > at.SELL:
        return 0
    side = 1 if what == at.BID or what == at.BUY else -1
    which = at.BID_ORDER if side > 0 else at.ASK_ORDER
    limit = what == at.BID or what == at.ASK
    if limit:
        end_order(market, rules, log, mail, which)
    lots = min((action[at.LOTS] + 1) * rules[at.ORDER_LOTS], room_for(market, rules, side, which))
    if lots < 1:
        return at.REFUSED
    account = rules[at.LEARNER]
    if not limit:
        return send(book, accounts, log, mail, account, (book_at.MARKET, side, 0, lots))
    doubled = note_middle(book, market)
    price = doubled // 2 if side > 0 else (doubled + 1) // 2
    order = (book_at.POST_ONLY, side, price - side * action[at.AWAY], lots)
    answer = send(book, accounts, log, mail, account, order)
    market[which] = max(answer, 0)
    return answer

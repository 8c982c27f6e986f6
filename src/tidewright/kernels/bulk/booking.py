"""Fills, positions and round trips over flat arrays; the arithmetic is `kernels.accounting`."""

from __future__ import annotations

from tidewright.kernels.accounting import apply_fill, fee, notional
from tidewright.kernels.bulk import layout as at
from tidewright.kernels.bulk.breakers import DAY, note, trade_closed
from tidewright.kernels.bulk.layout import Int64, Limits, State
from tidewright.kernels.edge import TradeSums, trade_return, with_trade
from tidewright.kernels.fills import LegFill
from tidewright.kernels.integer import checked_add, checked_mul, mul_div
from tidewright.kernels.jit import inlined


@inlined
def watch_slippage(
    state: State, ts: int, instrument: int, slipped: int, reference: int, limit_ppm: int
) -> None:
    """Note the first fill of a day and instrument that was worse than its order expected."""
    if limit_ppm < 0 or slipped * 1_000_000 <= limit_ppm * reference:
        return
    book = state.books[instrument]
    if book[at.SLIPPED_DAY] != ts // DAY:
        book[at.SLIPPED_DAY] = ts // DAY
        note(state, ts, at.NOTE_SLIPPAGE, instrument, slipped, reference)


@inlined
def log_fill(
    state: State,
    instrument: int,
    leg: int,
    sign: int,
    filled: LegFill,
    paid: int,
    times: tuple[int, int],
) -> None:
    """Write a row of the fill log."""
    book = state.books[instrument]
    row = state.account[at.FILLS]
    fills = state.fills
    counter = at.ENTRY_FILLS + leg if leg < at.N_LEGS else at.PART_FILLS + leg - at.N_LEGS
    book[counter] += 1
    fills[row, at.FILL_ORDER] = book[at.EXIT_ORDER if leg == at.EXIT else at.ENTRY_ORDER]
    fills[row, at.FILL_LEG] = leg
    fills[row, at.FILL_NUMBER] = book[counter]
    fills[row, at.FILL_SIGN] = sign
    fills[row, at.FILL_LOTS] = filled.lots
    fills[row, at.FILL_TICKS] = filled.ticks
    fills[row, at.FILL_FEE] = paid
    fills[row, at.FILL_MAKER] = filled.maker
    fills[row, at.FILL_TIME] = times[0] if filled.opening else times[1]
    fills[row, at.FILL_CASH] = state.account[at.CASH]
    fills[row, at.FILL_INSTRUMENT] = instrument
    fills[row, at.FILL_KNOWN] = times[1]
    state.account[at.FILLS] = row + 1


@inlined
def log_trade(state: State, instrument: int, sign: int, ts: int, leg: int) -> int:
    """Write a row of the trade log and return the profit after fees."""
    held = state.holdings[instrument]
    row = state.account[at.TRADES]
    trips = state.round_trips
    pnl: int = held[at.PROFIT] - held[at.FEES]
    trips[row, at.TRADE_INSTRUMENT] = instrument
    trips[row, at.TRADE_SIGN] = sign
    trips[row, at.TRADE_LARGEST] = held[at.LARGEST]
    trips[row, at.TRADE_OPENED] = held[at.SINCE]
    trips[row, at.TRADE_CLOSED] = ts
    trips[row, at.TRADE_ENTRY_VALUE] = held[at.ENTRY_VALUE]
    trips[row, at.TRADE_EXIT_VALUE] = held[at.EXIT_VALUE]
    trips[row, at.TRADE_ENTRY_LOTS] = held[at.ENTERED]
    trips[row, at.TRADE_EXIT_LOTS] = held[at.LEFT]
    trips[row, at.TRADE_FEES] = held[at.FEES]
    trips[row, at.TRADE_PNL] = pnl
    trips[row, at.TRADE_ORDER] = state.books[instrument, at.ENTRY_ORDER]
    trips[row, at.TRADE_LEG] = leg
    state.account[at.TRADES] = row + 1
    return pnl


@inlined
def count_trade(account: Int64, ts: int) -> None:
    """Count a round trip that ended in a slice, and its day if it is the first one of it."""
    account[at.ROUND_TRIPS] += 1
    day = (ts - 1) // DAY
    if day != account[at.LAST_TRADE_DAY]:
        account[at.LAST_TRADE_DAY] = day
        account[at.TRADE_DAYS] += 1


@inlined
def count_return(account: Int64, value: int, pnl: int) -> None:
    """Count a closed trade towards what is known of the strategy's edge."""
    if value <= 0:
        return
    place = at.TRADE_SUMS
    sums = with_trade(
        TradeSums(
            account[place],
            account[place + 1],
            account[place + 2],
            account[place + 3],
            account[place + 4],
            account[place + 5],
        ),
        trade_return(pnl, value),
    )
    account[place] = sums.wins
    account[place + 1] = sums.losses
    account[place + 2] = sums.flat
    account[place + 3] = sums.gained
    account[place + 4] = sums.lost
    account[place + 5] = sums.squares


@inlined
def sum_up(state: State, signed: int, value: int, paid: int, ahead: float) -> None:
    """Add a fill to fees, turnover and exposure: what it traded is held from this slice on."""
    state.account[at.PAID] = checked_add(state.account[at.PAID], paid)
    state.totals[at.TURNOVER] += abs(value)
    state.totals[at.EXPOSURE] += signed * ahead


@inlined
def change_position(
    state: State, instrument: int, signed: int, ticks: int, paid: int, value: int
) -> int:
    """Book a fill into cash and position; return whether it opened or enlarged the position."""
    account, held = state.account, state.holdings[instrument]
    lots = held[at.LOTS]
    opening = lots == 0 or (lots > 0) == (signed > 0)
    if lots < 0:
        account[at.OWED] += held[at.COST]
    after, cost, realized = apply_fill(lots, held[at.COST], signed, value)
    held[at.LOTS] = after
    held[at.COST] = cost
    if after < 0:
        account[at.OWED] -= cost
    held[at.PROFIT] = checked_add(held[at.PROFIT], realized)
    held[at.FEES] = checked_add(held[at.FEES], paid)
    account[at.CASH] = checked_add(account[at.CASH], -checked_add(value, paid))
    held[at.LARGEST] = max(held[at.LARGEST], abs(after))
    size = abs(signed)
    traded = checked_mul(size, ticks)
    if opening:
        held[at.ENTRY_VALUE] = checked_add(held[at.ENTRY_VALUE], traded)
        held[at.ENTERED] = checked_add(held[at.ENTERED], size)
        return 1
    held[at.EXIT_VALUE] = checked_add(held[at.EXIT_VALUE], traded)
    held[at.LEFT] = checked_add(held[at.LEFT], size)
    return 0


@inlined
def open_holding(held: Int64, since: int, bars: int) -> None:
    """Begin a position."""
    held[:] = 0
    held[at.SINCE] = since
    held[at.OPENED_BAR] = bars


@inlined
def book_fill(
    state: State,
    instrument: int,
    leg: int,
    sign: int,
    filled: LegFill,
    bar: tuple[int, int, int],
    ahead: float,
    terms: Int64,
    limits: Limits,
) -> None:
    """Book what a leg traded, as venue and portfolio do.

    Parameters
    ----------
    state : State
        Changed in place.
    instrument, leg, sign : int
        Whose leg, and +1 for a buy, -1 for a sell.
    filled : LegFill
        What it traded, not nothing.
    bar : (int, int, int)
        Open time, close time and number of earlier bars of the instrument.
    ahead : float
        Sum of the value of one lot over this slice and those to come, money units.
    terms : int64 array of shape (N_TERMS,)
        The instrument's.
    limits : Limits
        Limits that a closed trade counts towards.
    """
    held, account = state.holdings[instrument], state.account
    numerator, denominator = terms[at.NUMERATOR], terms[at.DENOMINATOR]
    signed = sign * filled.lots
    value = notional(filled.ticks, signed, numerator, denominator)
    paid = fee(value, terms[at.MAKER_PPM] if filled.maker else terms[at.TAKER_PPM])
    moment = bar[0] if filled.opening else bar[1]
    if held[at.LOTS] == 0:
        open_holding(held, moment, bar[2])
        account[at.POSITIONS] += 1
    change_position(state, instrument, signed, filled.ticks, paid, value)
    log_fill(state, instrument, leg, sign, filled, paid, (bar[0], bar[1]))
    sum_up(state, signed, value, paid, ahead)
    reference = expected_price(state, instrument, leg)
    slipped = sign * (filled.ticks - reference)
    watch_slippage(state, bar[1], instrument, slipped, reference, limits.slippage_ppm)
    if held[at.LOTS] == 0:
        account[at.POSITIONS] -= 1
        account[at.VALUE] -= held[at.WORTH]
        pnl = log_trade(state, instrument, -sign, moment, leg)
        if terms[at.COUNTS_TRADES]:
            count_return(account, mul_div(held[at.ENTRY_VALUE], numerator, denominator), pnl)
        held[at.WORTH] = 0
        count_trade(account, bar[1])
        trade_closed(state, bar[1], pnl, limits)


@inlined
def expected_price(state: State, instrument: int, leg: int) -> int:
    """Return the price in ticks that a leg's slippage is measured against."""
    book = state.books[instrument]
    if leg == at.EXIT:
        return book[at.EXIT_REFERENCE]  # type: ignore[no-any-return]
    if leg >= at.STOPPED:
        is_stop = leg % 2 == at.STOPPED % 2
        return book[at.STOP_REFERENCE] if is_stop else state.trades[instrument, at.TARGET]  # type: ignore[no-any-return]
    return book[at.REFERENCE]  # type: ignore[no-any-return]

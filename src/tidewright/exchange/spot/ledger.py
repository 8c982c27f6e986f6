"""The ledger: every order taken, fill, end and deposit of the accounts, in order.

It is the oracle of tests: what it says happened, whatever a client was told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tidewright.exchange.spot.accounts import SpotAccount
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.values import DepositEvent, SpotFill, SpotOrder

MOST_ROWS = 50_000
"""Rows that a ledger keeps; what older ones moved is in its opening balances."""


class Entry(StrEnum):
    """What a row of the ledger tells."""

    TAKEN = "taken"
    FILLED = "filled"
    CHANGED = "changed"
    ENDED = "ended"
    DEPOSITED = "deposited"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row.

    Parameters
    ----------
    number : int
        Counts up from 1.
    entry : Entry
        What happened.
    time : int
        When, nanoseconds UTC.
    value : SpotOrder, SpotFill or DepositEvent
        The order after it was taken, changed or ended; the fill; the deposit.
    """

    number: int
    entry: Entry
    time: int
    value: SpotOrder | SpotFill | DepositEvent


class Ledger:
    """Rows in the order in which they happened.

    Parameters
    ----------
    accounts : sequence of SpotAccount
        Whose it is; they bring the opening balances.
    listings : mapping of str to Listing
        What they trade.
    most : int
        Rows that are kept, at least 1.
    """

    def __init__(
        self,
        accounts: Sequence[SpotAccount],
        listings: Mapping[str, Listing],
        most: int = MOST_ROWS,
    ) -> None:
        self._listings = listings
        self._most = most
        self._rows: list[LedgerRow] = []
        self._count = 0
        self._opening = {
            (number, asset): amount
            for number, account in enumerate(accounts)
            for asset, amount in account.balances.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[LedgerRow]:
        return iter(self._rows)

    def write(self, entry: Entry, time: int, value: SpotOrder | SpotFill | DepositEvent) -> None:
        """Add a row."""
        self._count += 1
        self._rows.append(LedgerRow(self._count, entry, time, value))
        if len(self._rows) >= 2 * self._most:
            cut = len(self._rows) - self._most
            self._opening = self._after(self._rows[:cut])
            del self._rows[:cut]

    def rows(self, after: int = 0) -> tuple[LedgerRow, ...]:
        """Return the kept rows with a number above one."""
        first = self._count - len(self._rows)
        return tuple(self._rows[max(after - first, 0) :])

    def totals(self) -> dict[tuple[int, str], int]:
        """Return what each account must have of each asset, free and locked together.

        It is worked out from the rows alone: a buyer gets the quantity less its fee and gives the
        money, a seller the other way round.
        """
        return self._after(self._rows)

    def _after(self, rows: Sequence[LedgerRow]) -> dict[tuple[int, str], int]:
        totals = dict(self._opening)

        def add(account: int, asset: str, amount: int) -> None:
            totals[account, asset] = totals.get((account, asset), 0) + amount

        for row in rows:
            value = row.value
            if isinstance(value, DepositEvent):
                add(value.account, value.asset, value.amount)
            elif isinstance(value, SpotFill):
                listing = self._listings[value.symbol]
                sign = 1 if value.buys else -1
                add(value.account, listing.base, sign * value.quantity)
                add(value.account, listing.quote, -sign * value.money)
                add(value.account, value.fee_asset, -value.fee)
        return totals

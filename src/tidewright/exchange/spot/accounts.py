"""Accounts of a spot exchange, and where their money stands in the compiled steps' array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidewright.domain.errors import ConfigError
from tidewright.exchange.spot.values import Reason, Refusal
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64

MOST_MONEY = 2**61
"""Units of one asset that an account may have."""


@dataclass(frozen=True, slots=True)
class SpotAccount:
    """Who trades, what it begins with and what it pays.

    Parameters
    ----------
    name : str
        Whose it is.
    balances : mapping of str to int
        Free units of each asset at the start.
    maker_ppm, taker_ppm : int
        Fees in millionths of what is received.
    permissions : tuple of str
        What clients are told that it may trade.
    may_trade : bool
        Whether its orders are taken.

    Raises
    ------
    ConfigError
        If a balance or a fee is out of range.
    """

    name: str
    balances: Mapping[str, int] = field(default_factory=dict)
    maker_ppm: int = 1_000
    taker_ppm: int = 1_000
    permissions: tuple[str, ...] = ("SPOT",)
    may_trade: bool = True

    def __post_init__(self) -> None:
        for name in ("maker_ppm", "taker_ppm"):
            if not 0 <= getattr(self, name) <= 1_000_000:
                raise ConfigError(
                    f"{self.name}: {name} was {getattr(self, name)}; expected 0 to 1,000,000"
                )
        for asset, amount in self.balances.items():
            if not 0 <= amount <= MOST_MONEY:
                raise ConfigError(
                    f"{self.name}: {asset} was {amount} units; expected 0 to {MOST_MONEY}"
                )


class Wallets:
    """Balances of the users' accounts.

    Parameters
    ----------
    rows : int64 array of shape (n_accounts, N_RATES + 2 * n_assets)
        As the compiled steps change it.
    first : int
        Row of account 0.
    assets : sequence of str
        Names of the assets, by their number.
    accounts : sequence of SpotAccount
        Who they are.
    """

    def __init__(
        self, rows: Int64, first: int, assets: Sequence[str], accounts: Sequence[SpotAccount]
    ) -> None:
        self.first = first
        # A memory view gives plain integers in a fraction of the time that an array takes.
        self._cells = rows.data
        self._columns = {asset: at.N_RATES + 2 * number for number, asset in enumerate(assets)}
        for number, account in enumerate(accounts):
            row = rows[first + number]
            row[at.MAKER_PPM], row[at.TAKER_PPM] = account.maker_ppm, account.taker_ppm
            for asset, amount in account.balances.items():
                row[self._columns[asset]] = amount

    def of(self, account: int, asset: str) -> tuple[int, int]:
        """Return free and locked units of an asset."""
        column = self._columns[asset]
        row = self.first + account
        return self._cells[row, column], self._cells[row, column + 1]

    def all(self, account: int) -> dict[str, tuple[int, int]]:
        """Return free and locked units of every asset."""
        return {asset: self.of(account, asset) for asset in self._columns}

    def add(self, account: int, asset: str, amount: int) -> None:
        """Add to what is free, or take from it.

        Raises
        ------
        Refusal
            If nobody trades the asset, or the balance would leave its range.
        """
        column = self._columns.get(asset)
        if column is None:
            raise Refusal(Reason.NOT_ALLOWED, f"no market trades {asset}")
        free = self.of(account, asset)[0] + amount
        if not 0 <= free <= MOST_MONEY:
            raise Refusal(Reason.NO_BALANCE, f"{asset} would be {free} units")
        self._cells[self.first + account, column] = free

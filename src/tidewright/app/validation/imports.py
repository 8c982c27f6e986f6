"""Results of any tool: daily returns or equity, and lists of trades, as what a report is made from.

Columns are recognised by their names. What is not found is told with what was expected and what the
file has; what cannot be read is told with its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tidewright.app.feeds.tables import numbers_of, times_of
from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, MINUTE, iso
from tidewright.research.report.values import TradeList
from tidewright.research.results import Float64, Int64

if TYPE_CHECKING:
    import polars as pl

_TIMES = ("date", "datetime", "timestamp", "time", "day", "index", "")
_RETURNS = ("return", "returns", "daily_return", "daily_returns", "ret", "strategy_return",
            "strategy_returns", "pct_change", "profit_ratio", "return_pct", "returns_pct",
            "return_percent")  # fmt: skip
_EQUITY = ("equity", "balance", "nav", "net_asset_value", "portfolio_value", "account_value",
           "total_value", "total_equity", "value", "wealth", "capital")  # fmt: skip
_ENTRY = ("entry_time", "entry_date", "entry_datetime", "entry_timestamp", "open_date", "open_time",
          "open_datetime", "opened", "opened_at", "entrytime", "date_in", "ts_entry")  # fmt: skip
_EXIT = ("exit_time", "exit_date", "exit_datetime", "exit_timestamp", "close_date", "close_time",
         "close_datetime", "closed", "closed_at", "exittime", "date_out", "ts_exit")  # fmt: skip
_PROFIT = ("pnl", "p&l", "profit", "profit_abs", "net_profit", "net_pnl", "realized_pnl",
           "realised_pnl", "pl", "profit_loss", "net_p&l")  # fmt: skip
_PERCENT_WORDS = ("pct", "percent", "%")
SUFFIXES = (".csv", ".parquet", ".json", ".feather")
"""Kinds of file that are read; `.zip` too for backtests of freqtrade."""
_WEEKEND_SHARE = 0.1
_LARGEST_RETURN = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """Daily results of another tool.

    Parameters
    ----------
    name : str
        Of the strategy or the file.
    kind : str
        ``"returns"`` or ``"trades"``.
    days : int64 array of shape (n_days,)
        Full calendar, days since 1970-01-01 UTC.
    profit : float64 array of shape (n_tries, n_days)
        Daily profit as a share of the money; one row unless the file holds every try.
    names : tuple of str
        Of the rows.
    trades : TradeList or None
        Round trips, where the file holds them.
    every_day : bool
        Whether the market never closes, as the weekdays of the file tell.
    initial : float
        Money at the start; 1 where the file does not say.
    currency : str
        Of that money; empty where the file does not say.
    notes : tuple of str
        What was assumed.
    """

    name: str
    kind: str
    days: Int64
    profit: Float64
    names: tuple[str, ...]
    trades: TradeList | None
    every_day: bool
    initial: float
    currency: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TradeRows:
    """Trades as they were read: times in nanoseconds UTC, profit as shares of the money."""

    entered: Int64
    left: Int64
    profit: Float64
    adverse: Float64 | None = None
    favourable: Float64 | None = None


def read_frame(path: Path) -> pl.DataFrame:
    """Return a table from a CSV, Parquet, Feather or JSON file.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    import polars as pl

    kind = path.suffix.lower()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file")
    if kind not in SUFFIXES:
        raise ConfigError(
            f"{path}: kind of file was {path.suffix or 'without suffix'!r}; expected one of "
            f"{', '.join(SUFFIXES)}"
        )
    try:
        if kind == ".csv":
            return pl.read_csv(path, infer_schema=False)
        if kind == ".parquet":
            return pl.read_parquet(path)
        return pl.read_ipc(path) if kind == ".feather" else _json(path)
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise ConfigError(f"{path}: could not be read: {error}") from error


def _json(path: Path) -> pl.DataFrame:
    """Return rows from JSON: a list of objects, ``{"trades": [...]}``, or ``{date: value}``."""
    import orjson
    import polars as pl

    found = orjson.loads(path.read_bytes())
    if isinstance(found, dict) and isinstance(found.get("trades"), list):
        found = found["trades"]
    if isinstance(found, dict):
        found = [{"date": key, "return": value} for key, value in found.items()]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise ConfigError(
            f"{path}: content was a {type(found).__name__}; expected a list of objects, an object "
            "with a list 'trades', or an object of dates and returns"
        )
    return pl.DataFrame(found, infer_schema_length=None, strict=False)


def plain(name: str) -> str:
    """Return the name of a column without capitals, spaces and units in brackets."""
    return name.partition("[")[0].partition("(")[0].strip().lower().replace(" ", "_").strip("_")


def read_returns(path: Path) -> Imported:
    """Read daily returns, or equity, of one strategy; or the returns of every try side by side.

    Parameters
    ----------
    path : Path
        A table with a column of dates, and ``return`` or ``equity``; or, with other names, a column
        of daily returns for each try.

    Raises
    ------
    ConfigError
        If the columns cannot be told or a cell cannot be read.
    """
    frame = read_frame(path)
    columns = {plain(name): name for name in frame.columns}
    when = _named(columns, _TIMES)
    if when is None:
        raise _missing(path, "a column of dates, named like date or timestamp", frame.columns)
    times = times_of(path, frame[when])
    notes: list[str] = []
    names: tuple[str, ...] = (path.stem,)
    equity, single = _named(columns, _EQUITY), _named(columns, _RETURNS)
    if single is not None:
        rows = _shares(path, frame, [single])
    elif equity is not None:
        rows = _from_equity(path, frame, equity, times)
        notes.append(f"returns were taken from column {equity!r}")
    else:
        others = [name for name in frame.columns if name != when]
        if not others:
            raise _missing(path, "a column named return or equity", frame.columns)
        rows, names = _shares(path, frame, others), tuple(others)
        notes.append(f"{len(others)} columns were read as the daily returns of one try each")
    order = np.argsort(times, kind="stable")
    days, profit = _daily(times[order], rows[:, order])
    every_day = _weekends(days)
    days, profit = _calendar(days, profit, every_day=every_day)
    return Imported(
        path.stem, "returns", days, profit, names, None, every_day, 1.0, "", tuple(notes)
    )


def _shares(path: Path, frame: pl.DataFrame, names: Sequence[str]) -> Float64:
    """Return columns of returns as shares; those that say so in their name are in percent."""
    found = []
    for name in names:
        values = numbers_of(path, frame[name])
        if any(word in name.lower() for word in _PERCENT_WORDS):
            values = values / 100.0
        bad = np.flatnonzero(values <= -1.0)
        if len(bad) or np.nanmax(np.abs(values), initial=0.0) > _LARGEST_RETURN:
            row = int(bad[0]) if len(bad) else int(np.nanargmax(np.abs(values)))
            raise ConfigError(
                f"{path}: column {name!r}, row {row + 1}: return was {values[row]:g}; expected a "
                "share of 1 such as 0.012, above -1 (name a column return_pct if it is in percent)"
            )
        found.append(np.nan_to_num(values))
    return np.stack(found)


def _from_equity(path: Path, frame: pl.DataFrame, name: str, times: Int64) -> Float64:
    values = numbers_of(path, frame[name])
    bad = np.flatnonzero(~(values > 0))
    if len(bad):
        raise ConfigError(
            f"{path}: column {name!r}, row {int(bad[0]) + 1}: equity was {values[bad[0]]:g}; "
            "expected above 0"
        )
    order = np.argsort(times, kind="stable")
    sorted_ = values[order]
    change = np.zeros(len(values))
    change[1:] = sorted_[1:] / sorted_[:-1] - 1.0
    found = np.empty(len(values))
    found[order] = change
    return found[None, :]


def _daily(times: Int64, rows: Float64) -> tuple[Int64, Float64]:
    """Return days and the return of each, several within a day compounded."""
    if not len(times):
        return np.zeros(0, np.int64), rows
    days = times // DAY
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1))
    grown = np.multiply.reduceat(1.0 + rows, starts, axis=1) - 1.0
    return days[starts], grown


def _calendar(days: Int64, profit: Float64, *, every_day: bool) -> tuple[Int64, Float64]:
    """Return all days between the first and the last: absent ones earned nothing."""
    if not len(days):
        return days, profit
    full = np.arange(days[0], days[-1] + 1)
    if not every_day:
        # 1970-01-01 was a Thursday.
        full = full[np.isin(full, days) | ((full + 3) % 7 < 5)]
    filled = np.zeros((len(profit), len(full)))
    filled[:, np.searchsorted(full, days)] = profit
    return full, filled


def _weekends(days: Int64) -> bool:
    return bool(len(days)) and float(((days + 3) % 7 >= 5).mean()) > _WEEKEND_SHARE


def read_trades(path: Path, initial: float | None = None) -> Imported:
    """Read a list of trades, one row each.

    Parameters
    ----------
    path : Path
        A table with times of entry and exit, and the profit: an amount, or a share of the stake
        (``return``), which counts as a share of all money where no stake is given.
    initial : float or None
        Money at the start; amounts need it.

    Raises
    ------
    ConfigError
        If the columns cannot be told or a cell cannot be read.
    """
    frame = read_frame(path)
    columns = {plain(name): name for name in frame.columns}
    entry, exit_ = _named(columns, _ENTRY), _named(columns, _EXIT)
    for name, wanted in ((entry, "entry, such as entry_time"), (exit_, "exit, such as exit_time")):
        if name is None:
            raise _missing(path, f"a column of times of {wanted}", frame.columns)
    amount, share = _named(columns, _PROFIT), _named(columns, (*_RETURNS, "returnpct"))
    if amount is not None and (initial is not None or share is None):
        if initial is None or not initial > 0:
            raise ConfigError(
                f"{path}: column {amount!r} holds amounts; expected --initial AMOUNT, the money "
                "that they were earned with"
            )
        profit = np.nan_to_num(numbers_of(path, frame[amount])) / initial
        note = f"profit from column {amount!r} over {initial:,.2f}"
    elif share is not None:
        profit = _shares(path, frame, [share])[0]
        note = f"column {share!r} was read as shares of all money"
    else:
        raise _missing(path, "a column of profits, named like pnl or return", frame.columns)
    rows = TradeRows(times_of(path, frame[str(entry)]), times_of(path, frame[str(exit_)]), profit)
    return from_trades(path.stem, rows, initial or 1.0, "", (note,), where=str(path))


def from_trades(
    name: str,
    rows: TradeRows,
    initial: float,
    currency: str,
    notes: Iterable[str],
    *,
    span: tuple[int, int] | None = None,
    every_day: bool | None = None,
    where: str = "",
) -> Imported:
    """Return trades as daily results: a profit counts on the day on which it was realised.

    Parameters
    ----------
    name, initial, currency, notes
        As in `Imported`.
    rows : TradeRows
        The trades.
    span : (int, int) or None
        First and last day that was tested; those of the trades otherwise.
    every_day : bool or None
        Whether the market never closes; None tells it from the weekdays of the trades.
    where : str
        The file, for errors.

    Raises
    ------
    ConfigError
        If there is no trade, or one ends before it begins.
    """
    if not len(rows.profit):
        raise ConfigError(f"{where}: there was no trade; expected at least one")
    wrong = np.flatnonzero(rows.left < rows.entered)
    if len(wrong):
        row = int(wrong[0])
        raise ConfigError(
            f"{where}: row {row + 1}: the trade was left at {iso(int(rows.left[row]))}, before it "
            f"was entered at {iso(int(rows.entered[row]))}; expected entry before exit"
        )
    ended = rows.left // DAY
    first, last = int(rows.entered.min()) // DAY, int(ended.max())
    if span is not None:
        first, last = min(first, span[0]), max(last, span[1])
    touched = np.concatenate((rows.entered // DAY, ended))
    if every_day is None:
        every_day = _weekends(touched)
    sums = np.zeros(last - first + 1)
    np.add.at(sums, ended - first, rows.profit)
    days: Int64 = np.arange(first, last + 1)
    if not every_day:
        kept = ((days + 3) % 7 < 5) | (sums != 0)
        days, sums = days[kept], sums[kept]
    order = np.argsort(rows.left, kind="stable")
    known = rows.adverse is not None and rows.favourable is not None
    trades = TradeList(
        tuple(rows.profit[order].tolist()),
        tuple(rows.adverse[order].tolist()) if known and rows.adverse is not None else (),
        tuple(rows.favourable[order].tolist()) if known and rows.favourable is not None else (),
        tuple(((rows.left - rows.entered)[order] / MINUTE).tolist()),
        len(np.unique(ended)),
    )
    told = (*notes, "profits count on the day of their exit: what was open meanwhile is not known")
    return Imported(
        name, "trades", days, sums[None, :], (name,), trades, every_day, initial, currency, told
    )


def _named(columns: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    return next((columns[name] for name in wanted if name in columns), None)


def _missing(path: Path, wanted: str, columns: Sequence[str]) -> ConfigError:
    return ConfigError(f"{path}: columns were {', '.join(columns)}; expected {wanted}")

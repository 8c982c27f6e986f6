"""Questions to the read models, answered page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from tidewright.domain.errors import ConfigError
from tidewright.storage import schema
from tidewright.storage.database import naming_errors

Row = Mapping[str, bool | int | float | str | Decimal | None]
"""Column name to value: exact decimals, times in nanoseconds UTC."""

LARGEST_PAGE = 1_000
"""Rows that one page holds at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first, and how to ask for those after them.

    Parameters
    ----------
    rows : sequence of Row
        The rows.
    next_before : int or None
        What to pass as ``before`` for the next page; None on the last one.
    """

    rows: Sequence[Row]
    next_before: int | None


class ReadModels:
    """The read models as others see them; any number may read while one process writes.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of a database with the newest schema.

    Notes
    -----
    Every method raises `Transient` when the database cannot be used now, and those with a
    ``limit`` raise `ConfigError` when it is not between 1 and `LARGEST_PAGE`.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def signals(
        self, *, limit: int = 100, before: int | None = None, asset: str = "", strategy: str = ""
    ) -> Page:
        """Return signals, newest first."""
        return self._page(schema.signals, limit, before, asset=asset, strategy=strategy)

    def refusals(
        self, *, limit: int = 100, before: int | None = None, asset: str = "", strategy: str = ""
    ) -> Page:
        """Return signals that led to no order, with rule, limit and value, newest first."""
        return self._page(schema.signal_rejections, limit, before, asset=asset, strategy=strategy)

    def fills(
        self, *, limit: int = 100, before: int | None = None, asset: str = "", strategy: str = ""
    ) -> Page:
        """Return fills, newest first."""
        return self._page(schema.fills, limit, before, asset=asset, strategy=strategy)

    def trades(
        self, *, limit: int = 100, before: int | None = None, asset: str = "", strategy: str = ""
    ) -> Page:
        """Return round trips, the one closed last first."""
        return self._page(schema.trades, limit, before, asset=asset, strategy=strategy)

    def alerts(self, *, limit: int = 100, before: int | None = None, asset: str = "") -> Page:
        """Return alerts, newest first."""
        return self._page(schema.alerts, limit, before, asset=asset)

    def trading_states(self, *, limit: int = 100, before: int | None = None) -> Page:
        """Return changes of the trading state, newest first."""
        return self._page(schema.trading_states, limit, before)

    def orders(
        self,
        *,
        limit: int = 100,
        before: int | None = None,
        asset: str = "",
        strategy: str = "",
        state: str = "",
    ) -> Page:
        """Return orders, the one changed last first; orders changed by one input stay together.

        A page may therefore hold a few rows more than ``limit``.
        """
        table = schema.orders
        statement = _where(sa.select(table), table, asset=asset, strategy=strategy, state=state)
        if before is not None:
            statement = statement.where(table.c.sequence < before)
        newest = table.c.sequence.desc()
        rows = self._rows(statement.order_by(newest, table.c.order_id).limit(_checked(limit) + 1))
        if len(rows) <= limit:
            return Page(rows, None)
        last = rows[limit - 1]["sequence"]
        same = statement.where(table.c.sequence == last).order_by(table.c.order_id)
        kept = [row for row in rows[:limit] if row["sequence"] != last] + list(self._rows(same))
        more = self._rows(statement.where(table.c.sequence < last).limit(1))
        return Page(kept, int(str(last)) if more else None)

    def order(self, order_id: str) -> Row | None:
        """Return one order, None when there is no such order."""
        table = schema.orders
        rows = self._rows(sa.select(table).where(table.c.order_id == order_id))
        return rows[0] if rows else None

    def positions(self) -> Sequence[Row]:
        """Return the open positions, by strategy and asset."""
        table = schema.positions
        return self._rows(sa.select(table).order_by(table.c.strategy, table.c.asset))

    def performance(self) -> Sequence[Row]:
        """Return the results of every strategy that has closed a trade, by name."""
        table = schema.performance
        return self._rows(sa.select(table).order_by(table.c.strategy))

    def daily_pnl(self, *, limit: int = 100, before: str | None = None) -> Sequence[Row]:
        """Return days, newest first; ``before`` is an ISO date."""
        table = schema.daily_pnl
        statement = sa.select(table).order_by(table.c.date.desc()).limit(_checked(limit))
        if before is not None:
            statement = statement.where(table.c.date < before)
        return self._rows(statement)

    def equity(self, *, start: int = 0, end: int = 2**63 - 1, points: int = 2_000) -> Sequence[Row]:
        """Return equity over time, oldest first, thinned evenly to about ``points`` points.

        Parameters
        ----------
        start, end : int
            Nanoseconds UTC; points with ``start <= timestamp < end``.
        points : int
            Wanted number of points, > 0. The newest point is always among them.
        """
        if points < 1:
            raise ConfigError(f"points was {points}; expected at least 1")
        table = schema.equity
        within = sa.and_(table.c.timestamp >= start, table.c.timestamp < end)
        numbered = (
            sa.select(
                table,
                sa.func.row_number().over(order_by=table.c.bucket.desc()).label("place"),
                sa.func.count().over().label("total"),
            )
            .where(within)
            .subquery()
        )
        stride = (numbered.c.total + (points - 1)) // points
        columns = [column for column in numbered.c if column.name not in ("place", "total")]
        return self._rows(
            sa.select(*columns)
            .where((numbered.c.place - 1) % stride == 0)
            .order_by(numbered.c.bucket)
        )

    def counts(self) -> Mapping[str, int]:
        """Return the number of rows of every table of facts."""
        names = ("signals", "signal_rejections", "orders", "fills", "trades", "alerts", "positions")
        parts = [
            sa.select(sa.func.count()).select_from(schema.metadata.tables[name]).scalar_subquery()
            for name in names
        ]
        with naming_errors(self._engine), self._engine.connect() as connection:
            return dict(zip(names, connection.execute(sa.select(*parts)).one(), strict=True))

    def _page(self, table: sa.Table, limit: int, before: int | None, **equal: str) -> Page:
        statement = _where(sa.select(table), table, **equal)
        if before is not None:
            statement = statement.where(table.c.id < before)
        rows = self._rows(statement.order_by(table.c.id.desc()).limit(_checked(limit) + 1))
        kept = rows[:limit]
        return Page(kept, int(str(kept[-1]["id"])) if len(rows) > limit else None)

    def _rows(self, statement: sa.Select[tuple[object, ...]]) -> Sequence[Row]:
        with naming_errors(self._engine), self._engine.connect() as connection:
            found = connection.execute(statement).mappings().all()
        return [{str(name): value for name, value in row.items()} for row in found]


def _checked(limit: int) -> int:
    if not 1 <= limit <= LARGEST_PAGE:
        raise ConfigError(f"limit was {limit}; expected 1 to {LARGEST_PAGE}")
    return limit


def _where(
    statement: sa.Select[tuple[object, ...]], table: sa.Table, **equal: str
) -> sa.Select[tuple[object, ...]]:
    for name, value in equal.items():
        if value:
            statement = statement.where(table.c[name] == value)
    return statement

"""Writing batches of rows into the read models, each in one transaction and exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.money import to_decimal
from tidewright.domain.portfolio import Trade
from tidewright.storage import schema
from tidewright.storage.database import naming_errors
from tidewright.storage.migrate import upgrade
from tidewright.storage.projection import Batch, Day, EquityPoint, Row, date_of

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

_NAME = "read_models"
_ZERO = Decimal(0)


def _insert_of(engine: sa.Engine) -> Callable[[sa.Table], PostgresInsert | SqliteInsert]:
    """Return the insert of the database's own dialect; the other one is not loaded."""
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgres_insert

        return postgres_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert


class ReadModelWriter:
    """The read models of one home, seen by the one process that writes them.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        Of the database; missing migrations are applied.
    home : str
        Id of the home; a database that belongs to another home is refused.

    Raises
    ------
    ConfigError
        If the database belongs to another home or was written by a newer build.
    Transient
        If it cannot be reached.
    """

    def __init__(self, engine: sa.Engine, home: str) -> None:
        self._engine = engine
        self._insert = _insert_of(engine)
        upgrade(engine)
        self.last_sequence = self._claim(home)

    def _claim(self, home: str) -> int:
        with naming_errors(self._engine), self._engine.begin() as connection:
            found = connection.execute(sa.select(schema.sink_state)).one_or_none()
            if found is None:
                row = {"name": _NAME, "home": home, "last_sequence": 0}
                connection.execute(schema.sink_state.insert(), row)
                return 0
        if found.home != home:
            raise ConfigError(
                f"database {self._engine.url.render_as_string()} belongs to home {found.home}; "
                f"expected {home}: give each home a database of its own"
            )
        return int(found.last_sequence)

    def instruments(self) -> Sequence[Instrument]:
        """Return the instruments that were defined so far."""
        with naming_errors(self._engine), self._engine.connect() as connection:
            rows = connection.execute(sa.select(schema.instruments)).mappings().all()
        names = [field.name for field in fields(Instrument)]
        return [
            Instrument(
                **{
                    **{name: row[name] for name in names},
                    "asset_class": AssetClass(row["asset_class"]),
                }
            )
            for row in rows
        ]

    def clear(self) -> None:
        """Empty every table, so that it can be filled from the journal again."""
        with naming_errors(self._engine), self._engine.begin() as connection:
            for table in schema.metadata.tables.values():
                if table is not schema.sink_state:
                    connection.execute(table.delete())
            connection.execute(schema.sink_state.update().values(last_sequence=0))
        self.last_sequence = 0

    def write(self, batch: Batch) -> None:
        """Write a batch, all of it or nothing.

        Raises
        ------
        Transient
            If the database cannot be used now; writing the same batch again is right.
        DataIntegrityError
            If another process has written meanwhile, or a row contradicts the schema.
        """
        with naming_errors(self._engine), self._engine.begin() as connection:
            self._advance(connection, batch.last_sequence)
            for table, rows in batch.inserts.items():
                statement = self._insert(schema.metadata.tables[table]).on_conflict_do_nothing()
                connection.execute(statement, rows)
            for strategy, asset in batch.closed_positions:
                columns = schema.positions.c
                connection.execute(
                    schema.positions.delete().where(
                        columns.strategy == strategy, columns.asset == asset
                    )
                )
            for table, keyed in batch.upserts.items():
                self._upsert(connection, schema.metadata.tables[table], keyed.values())
            self._write_days(connection, batch)
            self._write_equity(connection, batch.equity)
            self._write_performance(connection, batch.trades)
        self.last_sequence = batch.last_sequence

    def _advance(self, connection: sa.Connection, to: int) -> None:
        state = schema.sink_state
        done = connection.execute(
            state.update()
            .where(state.c.name == _NAME, state.c.last_sequence == self.last_sequence)
            .values(last_sequence=to)
        )
        if done.rowcount != 1:
            raise DataIntegrityError(
                f"read models stand no longer at input {self.last_sequence}; "
                "expected this process to be their only writer"
            )

    def _upsert(self, connection: sa.Connection, table: sa.Table, rows: Iterable[Row]) -> None:
        values = list(rows)
        if not values:
            return
        key = [column.name for column in table.primary_key]
        statement = self._insert(table)
        changed = {
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column.name not in key
        }
        connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=changed), values
        )

    def _write_days(self, connection: sa.Connection, batch: Batch) -> None:
        ends: dict[str, EquityPoint] = {}
        firsts: dict[str, int] = {}
        for point in batch.equity:
            date = date_of(point.ts)
            firsts.setdefault(date, point.first)
            ends[date] = point
        dates = sorted({*ends, *batch.days})
        rows: list[Row] = []
        before = self._last_equity(connection)
        for date, found in self._rows_by_key(connection, schema.daily_pnl, "date", dates).items():
            start = before if before is not None else to_decimal(firsts.get(date, 0))
            end = to_decimal(ends[date].last) if date in ends else None
            row = _day_row(date, found, start, end, batch.days.get(date, Day()))
            before = row["equity_end"] if isinstance(row["equity_end"], Decimal) else before
            rows.append(row)
        self._upsert(connection, schema.daily_pnl, rows)

    def _last_equity(self, connection: sa.Connection) -> Decimal | None:
        found = self._last_point(connection)
        return None if found is None else found["equity"]

    def _last_point(self, connection: sa.Connection) -> Mapping[str, Any] | None:
        columns = schema.equity.c
        statement = sa.select(schema.equity).order_by(columns.bucket.desc()).limit(1)
        found = connection.execute(statement).mappings().one_or_none()
        return None if found is None else _plain(found)

    def _rows_by_key(
        self, connection: sa.Connection, table: sa.Table, key: str, wanted: Sequence[str]
    ) -> dict[str, Mapping[str, Any] | None]:
        statement = sa.select(table).where(table.c[key].in_(wanted))
        found = {row[key]: _plain(row) for row in connection.execute(statement).mappings()}
        return {name: found.get(name) for name in wanted}

    def _write_equity(self, connection: sa.Connection, points: Sequence[EquityPoint]) -> None:
        if not points:
            return
        last = self._last_point(connection)
        peak = last["peak"] if last else to_decimal(points[0].high)
        rows: dict[int, Row] = {}
        for point in points:
            peak = max(peak, to_decimal(point.high))
            value = to_decimal(point.last)
            rows[point.bucket] = {
                "bucket": point.bucket,
                "timestamp": point.ts,
                "equity": value,
                "peak": peak,
                "drawdown": float((peak - value) / peak) if peak > 0 else 0.0,
            }
        self._upsert(connection, schema.equity, rows.values())

    def _write_performance(self, connection: sa.Connection, trades: Sequence[Trade]) -> None:
        if not trades:
            return
        names = sorted({trade.strategy for trade in trades})
        found = self._rows_by_key(connection, schema.performance, "strategy", names)
        rows = [
            _performance_row(name, row, [trade for trade in trades if trade.strategy == name])
            for name, row in found.items()
        ]
        self._upsert(connection, schema.performance, rows)


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _day_row(
    date: str, found: Mapping[str, Any] | None, start: Decimal, end: Decimal | None, day: Day
) -> Row:
    if found is None:
        found = dict.fromkeys(("trades", "winning_trades", "losing_trades"), 0)
        found |= {"equity_start": start, "equity_end": start, "fees": _ZERO, "realized_pnl": _ZERO}
    last = found["equity_end"] if end is None else end
    return {
        "date": date,
        "equity_start": found["equity_start"],
        "equity_end": last,
        "pnl": last - found["equity_start"],
        "realized_pnl": found["realized_pnl"] + to_decimal(day.realized),
        "fees": found["fees"] + to_decimal(day.fees),
        "trades": found["trades"] + day.trades,
        "winning_trades": found["winning_trades"] + day.wins,
        "losing_trades": found["losing_trades"] + day.losses,
    }


def _performance_row(
    strategy: str, found: Mapping[str, Any] | None, trades: Sequence[Trade]
) -> Row:
    results = [to_decimal(trade.pnl) for trade in trades]
    gains = [pnl for pnl in results if pnl > 0]
    losses = [pnl for pnl in results if pnl < 0]
    before: Mapping[str, Any] = found or {}
    count = before.get("trades", 0) + len(results)
    wins = before.get("winning_trades", 0) + len(gains)
    profit = before.get("gross_profit", _ZERO) + sum(gains, _ZERO)
    loss = before.get("gross_loss", _ZERO) - sum(losses, _ZERO)
    fees = sum((to_decimal(trade.fees) for trade in trades), _ZERO)
    return {
        "strategy": strategy,
        "trades": count,
        "winning_trades": wins,
        "losing_trades": before.get("losing_trades", 0) + len(losses),
        "total_pnl": before.get("total_pnl", _ZERO) + sum(results, _ZERO),
        "gross_profit": profit,
        "gross_loss": loss,
        "fees": before.get("fees", _ZERO) + fees,
        "best_trade": max([before.get("best_trade", results[0]), *results]),
        "worst_trade": min([before.get("worst_trade", results[0]), *results]),
        "win_rate": wins / count,
        "profit_factor": float(profit / loss) if loss else None,
        "total_duration": before.get("total_duration", 0)
        + sum(trade.ts_exit - trade.ts_entry for trade in trades),
        "first_entry": min(
            [before.get("first_entry", trades[0].ts_entry), *(trade.ts_entry for trade in trades)]
        ),
        "last_exit": max([before.get("last_exit", 0), *(trade.ts_exit for trade in trades)]),
    }

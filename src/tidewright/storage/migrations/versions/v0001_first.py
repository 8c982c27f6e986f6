"""First tables: signals, refusals, orders, fills, positions, trades, equity, alerts.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from tidewright.storage.schema import ExactDecimal

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A migration keeps its own copy of the tables: it must not change when the schema moves on.
_Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_TIMES = {
    "market_data": ("timestamp", "known_at"),
    "signals": ("timestamp",),
    "signal_rejections": ("timestamp",),
    "orders": ("timestamp", "sent_at", "updated_at"),
    "fills": ("timestamp",),
    "positions": ("timestamp", "opened_at"),
    "trades": ("timestamp", "entry_time", "exit_time"),
    "equity": ("timestamp",),
    "alerts": ("timestamp",),
    "trading_states": ("timestamp",),
    "data_defects": ("timestamp", "datum_time"),
}


def upgrade() -> None:
    """Create the tables and their readable views."""
    connection = op.get_bind()
    _tables().create_all(connection)
    for table, times in _TIMES.items():
        texts = ", ".join(f"{_iso(time, connection.dialect.name)} AS {time}_text" for time in times)
        op.execute(f"CREATE VIEW {table}_readable AS SELECT t.*, {texts} FROM {table} t")  # noqa: S608 names above


def downgrade() -> None:
    """Remove everything again."""
    for table in _TIMES:
        op.execute(f"DROP VIEW {table}_readable")
    _tables().drop_all(op.get_bind())


def _iso(column: str, dialect: str) -> str:
    seconds, rest = f"t.{column} / 1000000000", f"t.{column} % 1000000000"
    if dialect == "sqlite":
        return f"strftime('%Y-%m-%dT%H:%M:%S', {seconds}, 'unixepoch') || printf('.%09dZ', {rest})"
    return (
        f"to_char(to_timestamp({seconds}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
        f" || '.' || lpad(({rest})::text, 9, '0') || 'Z'"
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", _Big, primary_key=True, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _Big, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _float(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(53), nullable=False)


def _amount(name: str) -> sa.Column[Decimal]:
    return sa.Column(name, ExactDecimal, nullable=False)


def _optional(name: str) -> sa.Column[Decimal]:
    return sa.Column(name, ExactDecimal)


def _tables() -> sa.MetaData:
    metadata = sa.MetaData()
    _market(metadata)
    _decisions(metadata)
    _orders(metadata)
    _results(metadata)
    return metadata


def _market(metadata: sa.MetaData) -> None:
    sa.Table(
        "sink_state",
        metadata,
        sa.Column("name", sa.Text, primary_key=True),
        _text("home"),
        _number("last_sequence"),
    )
    sa.Table(
        "instruments",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        *(_text(name) for name in ("venue", "base", "quote", "asset_class")),
        *(
            _amount(name)
            for name in (
                "tick_size",
                "lot_size",
                "min_quantity",
                "max_quantity",
                "min_notional",
                "maker_fee_rate",
                "taker_fee_rate",
            )
        ),
        sa.Column("shortable", sa.Boolean, nullable=False),
        _text("source"),
    )
    sa.Table(
        "market_data",
        metadata,
        sa.Column("asset", sa.Text, primary_key=True),
        sa.Column("timeframe", sa.Text, primary_key=True),
        sa.Column("timestamp", _Big, primary_key=True, autoincrement=False),
        _number("known_at"),
        *(_amount(name) for name in ("open", "high", "low", "close", "volume")),
    )
    sa.Table(
        "data_defects",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        _text("asset"),
        _number("datum_time"),
        _text("rule"),
        _text("detail"),
    )


def _decisions(metadata: sa.MetaData) -> None:
    sa.Table(
        "signals",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        *(_text(name) for name in ("strategy", "asset", "direction")),
        _float("confidence"),
        _number("horizon"),
        _text("reason"),
        _text("trigger_type"),
        sa.Index("signals_by_asset", "asset", "id"),
    )
    sa.Table(
        "signal_rejections",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        *(_text(name) for name in ("strategy", "asset", "direction")),
        _float("confidence"),
        *(_text(name) for name in ("reason", "rule", "limit_value", "observed_value", "message")),
        sa.Index("signal_rejections_by_asset", "asset", "id"),
    )
    sa.Table(
        "alerts",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        *(_text(name) for name in ("severity", "code", "message", "asset")),
    )
    sa.Table(
        "trading_states",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        *(_text(name) for name in ("before", "after", "actor", "reason")),
    )


def _orders(metadata: sa.MetaData) -> None:
    sa.Table(
        "orders",
        metadata,
        sa.Column("order_id", sa.Text, primary_key=True),
        _number("sequence"),
        _number("timestamp"),
        _text("asset"),
        _text("direction"),
        _amount("size"),
        _amount("price"),
        *(_text(name) for name in ("strategy", "leg", "order_type", "state")),
        _float("confidence"),
        _text("reason"),
        sa.Column("reduce_only", sa.Boolean, nullable=False),
        *(_optional(name) for name in ("limit_price", "stop_price", "target_price")),
        _amount("filled_size"),
        _optional("average_price"),
        _amount("fees"),
        _number("sent_at"),
        _number("updated_at"),
        _text("venue_order_id"),
        _text("state_reason"),
        sa.Index("orders_by_change", "sequence", "order_id"),
        sa.Index("orders_by_asset", "asset", "timestamp"),
    )
    sa.Table(
        "fills",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        _text("asset"),
        _text("trade_id"),
        _text("order_id"),
        _text("strategy"),
        _text("direction"),
        *(_amount(name) for name in ("size", "price", "fee")),
        sa.Column("maker", sa.Boolean, nullable=False),
        _amount("slippage"),
        _amount("cash"),
        sa.UniqueConstraint("asset", "trade_id", name="fills_once"),
        sa.Index("fills_by_order", "order_id"),
    )
    sa.Table(
        "positions",
        metadata,
        sa.Column("strategy", sa.Text, primary_key=True),
        sa.Column("asset", sa.Text, primary_key=True),
        _number("sequence"),
        _number("timestamp"),
        _number("opened_at"),
        _text("direction"),
        *(_amount(name) for name in ("size", "average_price", "cost", "fees", "realized_pnl")),
        *(_optional(name) for name in ("stop_price", "target_price")),
        _text("order_id"),
    )
    sa.Table(
        "trades",
        metadata,
        _id(),
        _number("sequence"),
        _number("timestamp"),
        *(_text(name) for name in ("strategy", "asset", "direction")),
        _amount("size"),
        _number("entry_time"),
        _number("exit_time"),
        *(_amount(name) for name in ("entry_price", "exit_price", "fees", "pnl")),
        _text("order_id"),
        _text("exit_reason"),
        sa.Index("trades_by_asset", "asset", "id"),
    )


def _results(metadata: sa.MetaData) -> None:
    sa.Table(
        "equity",
        metadata,
        sa.Column("bucket", _Big, primary_key=True, autoincrement=False),
        _number("timestamp"),
        *(_amount(name) for name in ("equity", "peak")),
        _float("drawdown"),
    )
    sa.Table(
        "daily_pnl",
        metadata,
        sa.Column("date", sa.Text, primary_key=True),
        *(_amount(name) for name in ("equity_start", "equity_end", "pnl", "realized_pnl", "fees")),
        *(_number(name) for name in ("trades", "winning_trades", "losing_trades")),
    )
    sa.Table(
        "performance",
        metadata,
        sa.Column("strategy", sa.Text, primary_key=True),
        *(_number(name) for name in ("trades", "winning_trades", "losing_trades")),
        *(
            _amount(name)
            for name in (
                "total_pnl",
                "gross_profit",
                "gross_loss",
                "fees",
                "best_trade",
                "worst_trade",
            )
        ),
        _float("win_rate"),
        sa.Column("profit_factor", sa.Float(53)),
        _number("total_duration"),
        _number("first_entry"),
        _number("last_exit"),
    )

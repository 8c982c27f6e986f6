"""Tables of the read models, the same on SQLite and PostgreSQL.

Amounts are exact decimals, times are integer nanoseconds UTC. For people at an SQL prompt each
table with a time has a view ``<table>_readable`` that adds every time as ISO 8601 text.

Ids of rows that come from facts are ``sequence * 65536 + place in the outcome``, so that the same
journal gives the same rows wherever and however often it is read.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator, TypeEngine

HEAD = "0002"
"""Newest migration."""

FACTS_PER_OUTCOME = 65_536
"""Ids set aside for the facts of one outcome."""


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal without any rounding: NUMERIC on PostgreSQL, text on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Decimal] | TypeEngine[str]:
        """Return the column type of a database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.Numeric())
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> object:
        """Return what is sent to the database."""
        if value is None or dialect.name == "postgresql":
            return value
        return format(value, "f")

    def process_result_value(self, value: object, dialect: sa.Dialect) -> Decimal | None:
        """Return what came from the database as a decimal."""
        return None if value is None else Decimal(str(value))


Big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Integer of 64 bits; on SQLite the only spelling that can name the row itself."""

metadata = sa.MetaData()
"""Every table."""


def _id() -> sa.Column[int]:
    return sa.Column("id", Big, primary_key=True, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, Big, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _float(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(53), nullable=False)


def _amount(name: str) -> sa.Column[Decimal]:
    return sa.Column(name, ExactDecimal, nullable=False)


def _optional(name: str) -> sa.Column[Decimal]:
    return sa.Column(name, ExactDecimal)


sink_state = sa.Table(
    "sink_state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    _text("home"),
    _number("last_sequence"),
)

instruments = sa.Table(
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
    _optional("borrow_rate"),
    sa.Column("sector", sa.Text, nullable=False, server_default=""),
)

market_data = sa.Table(
    "market_data",
    metadata,
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("timeframe", sa.Text, primary_key=True),
    sa.Column("timestamp", Big, primary_key=True, autoincrement=False),
    _number("known_at"),
    *(_amount(name) for name in ("open", "high", "low", "close", "volume")),
)

signals = sa.Table(
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

signal_rejections = sa.Table(
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

orders = sa.Table(
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

fills = sa.Table(
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

charges = sa.Table(
    "charges",
    metadata,
    _id(),
    _number("sequence"),
    _number("timestamp"),
    _text("asset"),
    _text("strategy"),
    _number("days"),
    *(_amount(name) for name in ("amount", "cash")),
)

positions = sa.Table(
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

trades = sa.Table(
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

equity = sa.Table(
    "equity",
    metadata,
    sa.Column("bucket", Big, primary_key=True, autoincrement=False),
    _number("timestamp"),
    *(_amount(name) for name in ("equity", "peak")),
    _float("drawdown"),
)

daily_pnl = sa.Table(
    "daily_pnl",
    metadata,
    sa.Column("date", sa.Text, primary_key=True),
    *(_amount(name) for name in ("equity_start", "equity_end", "pnl", "realized_pnl", "fees")),
    *(_number(name) for name in ("trades", "winning_trades", "losing_trades")),
)

performance = sa.Table(
    "performance",
    metadata,
    sa.Column("strategy", sa.Text, primary_key=True),
    *(_number(name) for name in ("trades", "winning_trades", "losing_trades")),
    *(
        _amount(name)
        for name in ("total_pnl", "gross_profit", "gross_loss", "fees", "best_trade", "worst_trade")
    ),
    _float("win_rate"),
    sa.Column("profit_factor", sa.Float(53)),
    _number("total_duration"),
    _number("first_entry"),
    _number("last_exit"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    _id(),
    _number("sequence"),
    _number("timestamp"),
    *(_text(name) for name in ("severity", "code", "message", "asset")),
)

trading_states = sa.Table(
    "trading_states",
    metadata,
    _id(),
    _number("sequence"),
    _number("timestamp"),
    *(_text(name) for name in ("before", "after", "actor", "reason")),
)

data_defects = sa.Table(
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

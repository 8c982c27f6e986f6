from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fakes.journal_rows import BTC, FIRST_EQUITY, START, bar, quiet_outcome, quiet_slice, round_trip
from tidewright.domain.errors import ConfigError, DataIntegrityError, Transient
from tidewright.domain.events import DatumQuarantined, InstrumentDefined, Slice
from tidewright.domain.facts import OrderPlaced, Outcome
from tidewright.domain.market import DataDefect
from tidewright.domain.orders import OrderRecord
from tidewright.domain.time import DAY, HOUR, MINUTE
from tidewright.storage import schema
from tidewright.storage.chain import JournalEntry
from tidewright.storage.database import open_engine, sqlite_url
from tidewright.storage.journal import SqliteJournal
from tidewright.storage.memory_journal import MemoryJournal
from tidewright.storage.migrate import current_revision, upgrade
from tidewright.storage.queries import ReadModels
from tidewright.storage.read_models import ReadModelSettings, ReadModelSink, rebuild
from tidewright.storage.read_writer import ReadModelWriter

HOME = "0123456789abcdef"
PARAMETERS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
Step = tuple[Slice, Outcome]


@pytest.fixture(params=PARAMETERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database of each kind."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "data" / "trading.db")
        return
    base = sa.make_url(request.getfixturevalue("postgres_url"))
    schema = f"read_models_{os.getpid()}"
    admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(sa.text(f"CREATE SCHEMA {schema}"))
    own = base.update_query_dict({"options": f"-csearch_path={schema}"})
    yield own.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP SCHEMA {schema} CASCADE"))
    admin.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    made = open_engine(url)
    yield made
    made.dispose()


def story(trips: int = 3, minutes: int = 10) -> list[Step]:
    """Slices and outcomes of a small run: quiet minutes with a round trip here and there."""
    steps: list[Step] = []
    slices: list[tuple[Slice, tuple[object, ...]]] = [
        (Slice(START, (InstrumentDefined(BTC),)), ()),
    ]
    minute = 0
    for trip in range(trips):
        for _ in range(minutes):
            minute += 1
            slices.append((quiet_slice(minute), ()))
        for _, facts in round_trip(minute + 1, pnl=(5 - 4 * trip) * 10**8):
            minute += 1
            slices.append((quiet_slice(minute), facts))
    for sequence, (slice_, facts) in enumerate(slices, 1):
        equity = FIRST_EQUITY + ((sequence * 37) % 11 - 5) * 10**8
        steps.append((slice_, Outcome(sequence, slice_.ts_known, equity, facts)))  # type: ignore[arg-type]
    return steps


def journal_of(steps: list[Step]) -> MemoryJournal:
    journal = MemoryJournal()
    for slice_, outcome in steps:
        journal.append(slice_)
        journal.record(outcome)
    return journal


def tables(engine: sa.Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            name: [
                tuple(row)
                for row in connection.execute(sa.select(table).order_by(*table.primary_key))
            ]
            for name, table in schema.metadata.tables.items()
        }


def publish(engine: sa.Engine, steps: list[Step], **options: object) -> None:
    sink = ReadModelSink(engine, HOME, **options)  # type: ignore[arg-type]
    for step in steps:
        sink.publish(*step)
    assert sink.drain(30)
    sink.close()
    assert sink.health.failure == ""


def test_migrations_give_the_schema_that_the_code_uses(engine: sa.Engine) -> None:
    assert current_revision(engine) is None
    upgrade(engine)
    upgrade(engine)
    assert current_revision(engine) == schema.HEAD
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_failed_migration_leaves_nothing_behind(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE VIEW trades_readable AS SELECT 1 AS a"))
    with pytest.raises((Transient, DataIntegrityError)):
        upgrade(engine)
    assert current_revision(engine) is None
    assert sa.inspect(engine).get_table_names() == []


def test_database_of_a_newer_build_is_refused(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="use a newer build"):
        upgrade(engine)


def test_database_of_another_home_is_refused(engine: sa.Engine) -> None:
    ReadModelWriter(engine, HOME)
    with pytest.raises(ConfigError, match=f"belongs to home {HOME}; expected fedcba"):
        ReadModelWriter(engine, "fedcba9876543210")


def test_facts_become_rows_with_exact_amounts(engine: sa.Engine) -> None:
    publish(engine, story(trips=1))
    models = ReadModels(engine)
    (trade,) = models.trades().rows
    assert trade["entry_price"] == Decimal("46251")
    assert trade["exit_price"] == Decimal("46500")
    assert trade["pnl"] == Decimal(5)
    assert trade["size"] == Decimal(2)
    (fill, _) = reversed(models.fills().rows)
    assert (fill["price"], fill["fee"], fill["direction"]) == (
        Decimal("46251"),
        Decimal("9.2502"),
        "buy",
    )
    order = models.order(str(trade["order_id"]))
    assert order is not None
    assert {
        name: order[name] for name in ("asset", "direction", "size", "price", "state", "leg")
    } == {
        "asset": "BTCUSDT",
        "direction": "buy",
        "size": Decimal(2),
        "price": Decimal("46250"),
        "state": "filled",
        "leg": "entry",
    }
    (refusal,) = models.refusals().rows
    assert (refusal["rule"], refusal["limit_value"]) == ("max_positions", "5")
    assert refusal["observed_value"] == "5"
    assert models.positions() == []
    assert [row["code"] for row in models.alerts().rows] == ["slippage"]
    assert [row["after"] for row in models.trading_states().rows] == ["reducing"]
    assert models.counts() == {
        "signals": 1,
        "signal_rejections": 1,
        "orders": 2,
        "fills": 2,
        "trades": 1,
        "alerts": 1,
        "positions": 0,
    }


def test_open_position_shows_its_average_price(engine: sa.Engine) -> None:
    publish(engine, story(trips=1)[:13])
    (position,) = ReadModels(engine).positions()
    assert position["average_price"] == Decimal("46251")
    assert position["stop_price"] == Decimal("46000")
    assert (position["direction"], position["target_price"]) == ("long", None)


def test_performance_and_days_add_up(engine: sa.Engine) -> None:
    steps = story(trips=4)
    next_day = (DAY - START % DAY) // MINUTE + 5
    last = steps[-1][1].sequence
    facts = round_trip(next_day, pnl=-7 * 10**8)[3][1]
    steps.append(
        (
            quiet_slice(next_day),
            Outcome(last + 1, START + next_day * MINUTE, FIRST_EQUITY - 10**8, facts),
        )
    )
    publish(engine, steps)
    (row,) = ReadModels(engine).performance()
    assert (row["trades"], row["winning_trades"], row["losing_trades"]) == (5, 2, 3)
    assert row["total_pnl"] == Decimal(5 + 1 - 3 - 7 - 7)
    assert (row["best_trade"], row["worst_trade"]) == (Decimal(5), Decimal(-7))
    assert row["profit_factor"] == pytest.approx(6 / 17)
    assert row["win_rate"] == pytest.approx(0.4)
    second, first = ReadModels(engine).daily_pnl()
    assert (first["date"], second["date"]) == ("2022-01-01", "2022-01-02")
    assert first["equity_end"] == second["equity_start"]
    assert second["pnl"] == Decimal(9_999) - Decimal(str(first["equity_end"]))
    assert (second["trades"], second["realized_pnl"]) == (1, Decimal(-7))
    assert first["fees"] == 4 * Decimal("18.5502")
    assert ReadModels(engine).daily_pnl(before="2022-01-02") == [first]


def test_equity_keeps_peak_and_drawdown_of_every_slice(engine: sa.Engine) -> None:
    values = [100, 120, 90, 95, 95, 130, 80, 90, 90, 125, 140]
    steps = [
        (quiet_slice(minute), quiet_outcome(minute, equity=value * 10**8))
        for minute, value in enumerate(values, 1)
    ]
    publish(engine, steps, settings=ReadModelSettings(equity_interval=5 * MINUTE))
    rows = ReadModels(engine).equity()
    assert [(row["equity"], row["peak"]) for row in rows] == [
        (Decimal(95), Decimal(120)),
        (Decimal(90), Decimal(130)),
        (Decimal(140), Decimal(140)),
    ]
    assert [row["drawdown"] for row in rows] == pytest.approx([25 / 120, 40 / 130, 0])
    assert rows[0]["timestamp"] == START + 4 * MINUTE


def test_long_equity_series_is_thinned_and_keeps_its_end(engine: sa.Engine) -> None:
    steps = [(quiet_slice(minute), quiet_outcome(minute)) for minute in range(1, 101)]
    publish(engine, steps, settings=ReadModelSettings(equity_interval=MINUTE))
    rows = ReadModels(engine).equity(points=10)
    assert len(rows) == 10
    assert rows[-1]["timestamp"] == START + 100 * MINUTE
    part = ReadModels(engine).equity(start=START + 10 * MINUTE, end=START + 20 * MINUTE)
    assert [row["timestamp"] for row in part] == [START + m * MINUTE for m in range(10, 20)]


def test_pages_hold_every_row_once(engine: sa.Engine) -> None:
    publish(engine, story(trips=7, minutes=1))
    models = ReadModels(engine)
    seen: list[object] = []
    before = None
    while True:
        page = models.fills(limit=4, before=before)
        seen += [row["trade_id"] for row in page.rows]
        if page.next_before is None:
            break
        before = page.next_before
    assert len(seen) == len(set(seen)) == 14
    orders: list[object] = []
    before = None
    while True:
        page = models.orders(limit=3, before=before)
        orders += [row["order_id"] for row in page.rows]
        if page.next_before is None:
            break
        before = page.next_before
    assert len(orders) == len(set(orders)) == 14
    assert models.signals(asset="ETHUSDT").rows == []
    assert len(models.signals(asset="BTCUSDT", strategy="sma_cross").rows) == 7
    assert len(models.orders(state="sent").rows) == 7
    for wrong in (0, 1_001):
        with pytest.raises(ConfigError, match="expected 1 to 1000"):
            models.signals(limit=wrong)


def test_publishing_again_changes_nothing(engine: sa.Engine) -> None:
    steps = story()
    publish(engine, steps)
    before = tables(engine)
    publish(engine, steps)
    assert tables(engine) == before
    sink = ReadModelSink(engine, HOME)
    for step in steps[:20]:
        sink.publish(*step)
    sink.drain(30)
    sink.close()
    assert tables(engine) == before


def test_unbroken_run_never_reads_the_journal(engine: sa.Engine) -> None:
    asked = []

    def source(after: int) -> list[JournalEntry]:
        asked.append(after)
        return []

    publish(engine, story(minutes=20), source=source)
    assert asked == []


@pytest.mark.parametrize("stop", [1, 12, 13, 14, 20, 30])
def test_run_in_two_parts_gives_the_tables_of_one(
    engine: sa.Engine, tmp_path: Path, stop: int
) -> None:
    steps = story()
    whole = open_engine(sqlite_url(tmp_path / "whole.db"))
    publish(whole, steps)
    publish(engine, steps[:stop])
    publish(engine, steps[stop:])
    assert tables(engine) == tables(whole)
    whole.dispose()


def test_hole_is_filled_from_the_journal(engine: sa.Engine, tmp_path: Path) -> None:
    steps = story()
    whole = open_engine(sqlite_url(tmp_path / "whole.db"))
    publish(whole, steps)
    journal = journal_of(steps)
    publish(engine, steps[:5], source=journal.entries)
    publish(engine, steps[30:], source=journal.entries)
    assert tables(engine) == tables(whole)
    whole.dispose()


def test_full_queue_drops_and_fills_the_hole_later(engine: sa.Engine) -> None:
    steps = story(trips=10)
    journal = journal_of(steps)
    release = threading.Event()

    def source(after: int) -> Iterator[JournalEntry]:
        release.wait()
        return journal.entries(after)

    sink = ReadModelSink(engine, HOME, source=source, settings=ReadModelSettings(queue_size=2))
    for step in steps[3:]:
        sink.publish(*step)
    assert sink.health.waiting <= 2
    release.set()
    assert sink.drain(30)
    sink.close()
    found = tables(engine)
    rebuild(engine, HOME, journal.entries())
    assert tables(engine) == found


def test_rebuilt_tables_equal_those_written_live(engine: sa.Engine) -> None:
    steps = story(trips=5)
    settings = ReadModelSettings(bars=True, equity_interval=HOUR)
    publish(engine, steps, settings=settings)
    live = tables(engine)
    assert rebuild(engine, HOME, journal_of(steps).entries(), settings=settings) == len(steps)
    assert tables(engine) == live
    assert len(live["market_data"]) == 5 * 14
    assert live["sink_state"] == [("read_models", HOME, len(steps))]


def test_bars_become_market_data_when_wanted(engine: sa.Engine) -> None:
    settings = ReadModelSettings(bars=True)
    publish(engine, story(trips=1), settings=settings)
    table = schema.market_data
    with engine.connect() as connection:
        row = connection.execute(sa.select(table).order_by(table.c.timestamp).limit(1)).one()
        text = connection.execute(
            sa.text("SELECT timestamp_text FROM market_data_readable ORDER BY timestamp LIMIT 1")
        ).scalar_one()
    assert row.close == Decimal("46250")
    assert row.volume == Decimal("0.01234")
    assert row.timestamp == bar(1).ts_event
    assert text == "2022-01-01T00:00:00.000000000Z"


def test_defects_are_stored(engine: sa.Engine) -> None:
    defect = DataDefect("BTCUSDT", START, "price_not_positive", "price was -1")
    publish(engine, [(Slice(START, (DatumQuarantined(defect),)), Outcome(1, START, 0))])
    (row,) = tables(engine)["data_defects"]
    assert row[3:] == ("BTCUSDT", START, "price_not_positive", "price was -1")


def test_fact_of_an_undefined_instrument_becomes_an_alert(engine: sa.Engine) -> None:
    publish(engine, story(trips=1)[1:])
    codes = [row["code"] for row in ReadModels(engine).alerts().rows]
    assert codes.count("undefined_instrument") == 7
    publish(engine, [], instruments=[BTC])


def test_two_writers_are_noticed(engine: sa.Engine) -> None:
    first = ReadModelSink(engine, HOME)
    second = ReadModelSink(engine, HOME)
    for sink in (first, second):
        for step in story(trips=1):
            sink.publish(*step)
        sink.drain(30)
    assert first.health.failure == ""
    assert "only writer" in second.health.failure
    second.publish(*story(trips=1)[-1])
    for sink in (first, second):
        sink.close()


def test_locked_database_is_waited_out(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    engine = open_engine(sqlite_url(path), busy_timeout_ms=20)
    sink = ReadModelSink(engine, HOME)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for step in story(trips=1):
        sink.publish(*step)
    assert not sink.drain(0.5)
    assert "locked by another process" in sink.health.failure
    holder.execute("ROLLBACK")
    holder.close()
    assert sink.drain(30)
    assert sink.health.failure == ""
    sink.close()
    assert len(ReadModels(engine).trades().rows) == 1
    engine.dispose()


def test_closing_while_the_database_is_away_ends_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trading.db"
    engine = open_engine(sqlite_url(path), busy_timeout_ms=20)
    steps = story(trips=1)
    sink = ReadModelSink(engine, HOME)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for step in steps:
        sink.publish(*step)
    sink.close(timeout=0.3)
    holder.execute("ROLLBACK")
    holder.close()
    assert sink.health.written == 0
    publish(engine, [], source=journal_of(steps).entries)
    publish(engine, steps[-1:], source=journal_of(steps).entries)
    assert len(ReadModels(engine).trades().rows) == 1
    engine.dispose()


def test_sink_reads_a_journal_file_that_is_being_written(tmp_path: Path) -> None:
    steps = story()
    engine = open_engine(sqlite_url(tmp_path / "trading.db"))
    with SqliteJournal(tmp_path / "j") as journal:

        def source(after: int) -> Iterator[JournalEntry]:
            with SqliteJournal(tmp_path / "j", read_only=True) as reader:
                yield from reader.entries(after)

        sink = ReadModelSink(engine, HOME, source=source)
        for slice_, outcome in steps:
            journal.append(slice_)
            journal.record(outcome)
        sink.publish(*steps[-1])
        journal.commit(durable=False)
        assert sink.drain(30)
        sink.close()
    assert len(ReadModels(engine).trades().rows) == 3
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "message"),
    [("nonsense", "could not be read"), ("mysql://x/y", "expected 'sqlite' or 'postgresql'")],
)
def test_unusable_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        open_engine(url)


def test_unreachable_server_is_transient() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Transient, match="cannot be reached"):
        upgrade(engine)
    engine.dispose()


def test_unusable_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="whole part of a day"):
        ReadModelSettings(equity_interval=7 * HOUR)
    with pytest.raises(ConfigError, match="queue size was 0"):
        ReadModelSettings(queue_size=0)


def test_order_rows_keep_the_last_state_only(engine: sa.Engine) -> None:
    steps = story(trips=1)
    placed = [
        fact for _, outcome in steps for fact in outcome.facts if isinstance(fact, OrderPlaced)
    ]
    assert all(isinstance(fact.order, OrderRecord) for fact in placed)
    publish(engine, steps)
    states = {row["order_id"]: row["state"] for row in ReadModels(engine).orders().rows}
    assert states[placed[0].order.intent.client_id] == "filled"
    assert states[placed[1].order.intent.client_id] == "sent"

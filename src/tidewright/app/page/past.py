"""What a restarted trader did before, read from its home for the page; bounded and quick."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from tidewright.app.page.view import BarRow, LiveView, Past, PastMoment, Totals
from tidewright.app.settings import Settings
from tidewright.domain.facts import Fact
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.money import UNITS_PER_CURRENCY
from tidewright.engine.config import EngineConfig
from tidewright.engine.encoding import decode_outcome, decode_slice
from tidewright.features.bulk import bulk_columns
from tidewright.features.declarations import ColumnReference
from tidewright.market.arrays import bar_arrays
from tidewright.storage.chain import JournalEntry
from tidewright.storage.home import Home
from tidewright.storage.steps import StoredSteps

if TYPE_CHECKING:
    from tidewright.storage.queries import ReadModels

CURVE_POINTS = 600
BAR_STEPS = 1_500
"""Latest steps of which the bars are shown: a day of minutes."""

FACT_STEPS = 200
FACT_REACH = 20_000
"""Latest steps among which decisions are looked for."""

WARM_BARS = 250
"""Bars after which a recursive column does not show where it began."""

_LEAD = 64


def recall(
    view: LiveView, home: Home, settings: Settings, config: EngineConfig, start: int
) -> None:
    """Show what a home's trader did before this start; on a new home nothing happens.

    A session after a fault finds the page as the one before left it, and changes nothing.
    """
    before = view.snapshot()
    if before.sequence or not home.journal.is_file():
        return
    # SQLAlchemy is slow to load, so a first start does without.
    from tidewright.storage.database import open_engine
    from tidewright.storage.queries import ReadModels

    database = settings.database
    engine = open_engine(database.resolved_url(home.path), busy_timeout_ms=database.busy_timeout_ms)
    try:
        instruments = list(before.instruments.values())
        view.recall(past_of(home.journal, config, instruments, start, ReadModels(engine)))
    finally:
        engine.dispose()


def past_of(
    journal: Path,
    config: EngineConfig,
    instruments: Sequence[Instrument],
    start: int,
    tables: ReadModels | None = None,
) -> Past:
    """Return what a home's trader did before this start.

    Parameters
    ----------
    journal : Path
        Of the home; it must exist.
    config : EngineConfig
        What trades now; its columns are drawn over the old bars as well.
    instruments : sequence of Instrument
        What is shown.
    start : int
        Start of trading, nanoseconds UTC; equity before it is left out.
    tables : ReadModels or None
        Where the sums over the whole run are; None leaves them to the latest decisions.
    """
    with StoredSteps(journal) as steps:
        last = steps.last()
        first = steps.first_at(start)
        stride = max(1, (last - first) // CURVE_POINTS)
        begin = [*steps.between(max(1, first - _LEAD), first - 1)] if first else []
        sampled = steps.between(first, last, stride) if first else []
        sampled += steps.between(last, last)
        latest = steps.between(max(1, last - BAR_STEPS + 1), last)
        decided = steps.with_facts(FACT_STEPS, last - FACT_REACH)
    whole = last <= BAR_STEPS
    facts = [(entry.ts_known, _facts(entry)) for entry in decided]
    totals, counts = _sums(tables)
    return Past(
        curve=_distinct(map(_moment, [*begin, *sampled])),
        stride=stride,
        bars=_bars(latest, config, instruments, whole=whole),
        whole=whole,
        facts=facts,
        totals=totals,
        counts=counts,
    )


def _facts(entry: JournalEntry) -> Sequence[Fact]:
    return decode_outcome(entry.sequence, entry.outcome or b"").facts


def _moment(entry: JournalEntry) -> PastMoment:
    closes = {
        event.instrument: event.close
        for event in decode_slice(entry.payload).events
        if type(event) is Bar
    }
    return PastMoment(entry.ts_known, int(orjson.loads(entry.outcome or b"")[2]), closes)


def _distinct(moments: Iterable[PastMoment]) -> list[PastMoment]:
    """Return moments with several steps as one, with the last word on equity."""
    found: dict[int, PastMoment] = {}
    for moment in moments:
        before = found.get(moment.ts)
        closes = moment.closes if before is None else {**before.closes, **moment.closes}
        found[moment.ts] = moment._replace(closes=closes)
    return list(found.values())


def _bars(
    entries: Iterable[JournalEntry],
    config: EngineConfig,
    instruments: Sequence[Instrument],
    *,
    whole: bool,
) -> Mapping[str, Sequence[BarRow]]:
    found: dict[str, list[Bar]] = {instrument.id: [] for instrument in instruments}
    for entry in entries:
        for event in decode_slice(entry.payload).events:
            if (
                type(event) is Bar
                and event.timeframe == config.feed_timeframe
                and event.instrument in found
            ):
                found[event.instrument].append(event)
    return {
        instrument.id: _rows(found[instrument.id], config, instrument, whole=whole)
        for instrument in instruments
    }


def _rows(
    bars: list[Bar], config: EngineConfig, instrument: Instrument, *, whole: bool
) -> list[BarRow]:
    if not bars:
        return []
    references = _references(config, instrument.id)
    arrays = bar_arrays(instrument.id, config.feed_timeframe, bars)
    values = bulk_columns(references, arrays, instrument).tolist()
    labels = [reference.label for reference in references]
    rows = [
        BarRow(bar, dict(zip(labels, row, strict=True)))
        for bar, row in zip(bars, values, strict=True)
    ]
    return rows if whole else rows[min(WARM_BARS, len(rows) // 2) :]


def _references(config: EngineConfig, instrument: str) -> list[ColumnReference]:
    """Return the columns of the feed's own timeframe that some strategy reads."""
    found = {
        reference: None
        for setup in config.strategies
        if setup.timeframe in ("", config.feed_timeframe)
        and (setup.symbols is None or instrument in setup.symbols)
        for reference in setup.strategy.references
        if reference.is_plain
    }
    return list(found)


def _sums(tables: ReadModels | None) -> tuple[Totals | None, Mapping[str, int]]:
    if tables is None:
        return None, {}
    rows = tables.performance()

    def added(name: str, convert: Callable[[Decimal], int]) -> int:
        return sum(convert(Decimal(str(row[name]))) for row in rows)

    totals = Totals(
        added("trades", int),
        added("winning_trades", int),
        added("losing_trades", int),
        added("gross_profit", _units),
        added("gross_loss", _units),
        added("fees", _units),
    )
    counts = dict(tables.counts())
    counts["refusals"] = counts.get("signal_rejections", 0)
    return (totals if rows else None), counts


def _units(amount: Decimal) -> int:
    return int(amount * UNITS_PER_CURRENCY)

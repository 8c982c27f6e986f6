"""Look-ahead check: what was said at a time must not depend on what came after it.

A subject is anything that turns bars into named numbers with times: columns, a strategy's answers,
the orders of a backtest, a model's scores. It is asked twice, with all bars and with the bars that
were known at a time t, every source cut by ``ts_known``; up to t both answers must be equal, bit
for bit, in number and value (truncation). The bars after t are then multiplied, thinned out and
permuted, which must change nothing before (future shock). Bars are whole numbers and cannot be
NaN; a bar that is not there is their unknown. Times are chosen where mistakes hide: inside and at
the ends of longer bars, at the first and last bar of days whose session moved or was short, beside
gaps, and at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError
from tidewright.domain.time import DAY, iso, timeframe_nanoseconds
from tidewright.market.arrays import BarArrays
from tidewright.market.declaration import DataDeclaration

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

Sources = tuple[BarArrays, ...]
"""Bars of every instrument and timeframe that a subject reads."""

ROWS = "number of rows"
"""Name under which a finding tells that rows were there which should not, or were missing."""

_SHOCK_FACTOR = 100
_LARGEST_TICKS = 2**46
_LARGEST_LOTS = 2**55
_PRICES = ("open", "high", "low", "close")
_ROW_PARTS = (*_PRICES, "volume")


class Check(StrEnum):
    """What was compared with what."""

    TRUNCATION = "truncation"
    """Bars known at a time alone, against all bars."""
    SHOCK = "future shock"
    """All bars, against bars that are different after a time."""
    SCALE = "scale"
    """Prices times k and volumes / k of each symbol, against prices and volumes as they are."""
    STAMP = "stamp"
    """Longer bars of a file of their own, against the bars that they consist of."""
    CORRELATION = "correlation"
    """A column, against the return of the bar after it."""


class Shock(StrEnum):
    """What is done to the bars after a time."""

    MULTIPLIED = "multiplied"
    """Prices and volumes times 100, or as much as fits."""
    THINNED = "thinned"
    """Two of three bars are gone."""
    PERMUTED = "permuted"
    """Bars change places."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Named numbers over time, as a subject gives them.

    Parameters
    ----------
    source : str
        What they are of, such as ``"BTCUSDT 1m"``.
    ts_known : int64 array of shape (n_rows,)
        When each row was known, nanoseconds UTC, never falling.
    values : mapping of str to float64 array of shape (n_rows,)
        One array per name; NaN = unknown.
    """

    source: str
    ts_known: Int64
    values: Mapping[str, Float64]


Subject = Callable[[Sources], Sequence[Observation]]
"""Turns bars into observations: always the same sources in the same order."""

Progress = Callable[[int, int], None]
"""Told how many runs are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where something was known too early, or changed with the unit of price.

    Parameters
    ----------
    check : Check
        What found it.
    source, column : str
        Whose number it is.
    time : int
        When the first differing row was known, nanoseconds UTC.
    value, other : float
        As it was with what could be known (of `SCALE`: as it is), and as it was with the rest.
    times : int
        Sampled times at which it differed.
    detail : str
        How it was found, in a few words.
    """

    check: Check
    source: str
    column: str
    time: int
    value: float
    other: float
    times: int = 1
    detail: str = ""

    def __str__(self) -> str:
        where = f"{self.source}: {self.column} at {iso(self.time)}"
        return f"{where} was {self.value:.10g}, then {self.other:.10g} ({self.detail})"


@dataclass(frozen=True, slots=True)
class LookaheadReport:
    """What a look-ahead check found.

    Parameters
    ----------
    subject : str
        What was checked.
    checks : tuple of Check
        Which comparisons were made.
    times : int
        Sampled times.
    rows : int
        Rows of all sources.
    values : int
        Numbers that were compared.
    findings : tuple of Finding
        Each column and check once, with the first place.
    """

    subject: str
    checks: tuple[Check, ...]
    times: int
    rows: int
    values: int
    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that mean that the future was read."""
        return tuple(one for one in self.findings if one.check is not Check.SCALE)

    @property
    def clean(self) -> bool:
        """True when nothing read the future."""
        return not self.leaks

    @property
    def scale_free(self) -> bool | None:
        """Whether decisions are the same in other units of price; None when not looked at."""
        if Check.SCALE not in self.checks:
            return None
        return not any(one.check is Check.SCALE for one in self.findings)

    def refusal(self, declaration: DataDeclaration) -> str:
        """Return why the subject must not be judged on data so declared; empty when it may be."""
        if self.scale_free is not False or not declaration.back_adjusted:
            return ""
        return (
            f"{self.subject}: decisions change with the unit of price, and these prices are "
            f"adjusted ({declaration.adjustment.value}) for what happened later; expected rules "
            "without price levels, or prices as they were traded"
        )

    def lines(self) -> list[str]:
        """Return what a person should know, one fact a line."""
        said = f"{self.subject}: {self.values:,} values compared at {self.times} times"
        if self.clean:
            said += "; nothing knew its future"
        found = [f"{one.check.value}: {one}" for one in self.findings]
        return [said, *found]


def joined_reports(reports: Sequence[LookaheadReport]) -> LookaheadReport:
    """Return reports on parts of one subject as one."""
    first = reports[0]
    return LookaheadReport(
        first.subject,
        tuple(dict.fromkeys(check for one in reports for check in one.checks)),
        max(one.times for one in reports),
        max(one.rows for one in reports),
        sum(one.values for one in reports),
        tuple(finding for one in reports for finding in one.findings),
    )


def check_lookahead(
    subject: Subject,
    sources: Sources,
    times: Iterable[int],
    *,
    name: str = "subject",
    shocks: int = 8,
    seed: int = 0,
    progress: Progress | None = None,
) -> LookaheadReport:
    """Ask a subject about cut and about changed histories and compare its answers.

    Parameters
    ----------
    subject : Subject
        What is checked; must give the same for the same bars.
    sources : tuple of BarArrays
        Every series that it reads.
    times : iterable of int
        Times at which to cut, nanoseconds UTC, as `sample_times` gives them.
    name : str
        What the report calls the subject.
    shocks : int
        At how many of the times the future is changed as well, for each kind of `Shock`.
    seed : int
        Seed of the permutations, >= 0.
    progress : callable or None
        Told after each run of the subject.

    Returns
    -------
    LookaheadReport
        Findings in the order in which they were met, each column once for each check.

    Raises
    ------
    ConfigError
        If the subject gives other sources or names for part of the history than for all of it.
    """
    chosen = sorted(set(times))
    shocked = _spread(chosen, shocks)
    total = 1 + len(chosen) + len(Shock) * len(shocked)
    whole = subject(sources)
    found = _Found()
    done = 1

    def told() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    for time in chosen:
        part = subject(tuple(known_at(one, time) for one in sources))
        found.compare(part, whole, time, Check.TRUNCATION, "with later bars")
        told()
    generator = np.random.default_rng(seed)
    for time in shocked:
        for kind in Shock:
            changed = tuple(shocked_after(one, time, kind, generator) for one in sources)
            detail = f"with later bars {kind.value}"
            found.compare(whole, subject(changed), time, Check.SHOCK, detail)
            told()
    checks = (Check.TRUNCATION, Check.SHOCK) if shocked else (Check.TRUNCATION,)
    rows = sum(len(one.ts_known) for one in whole)
    return LookaheadReport(name, checks, len(chosen), rows, found.values, found.findings())


def check_scale(
    plain: Sequence[Observation], scaled: Sequence[Observation], name: str = "subject"
) -> LookaheadReport:
    """Compare decisions over prices as they are with those over prices times k, volumes / k.

    A split, and the back-adjustment for one, does just that to the past of a symbol. Decisions
    that differ depend on the day on which the data was adjusted, which is after the fact.

    Parameters
    ----------
    plain, scaled : sequence of Observation
        Decisions over both; k is a power of two, so that every float is exact.
    name : str
        What the report calls the subject.
    """
    found = _Found()
    end = max((int(one.ts_known[-1]) for one in plain if len(one.ts_known)), default=0)
    found.compare(plain, scaled, end, Check.SCALE, "with prices times k and volumes / k")
    rows = sum(len(one.ts_known) for one in plain)
    return LookaheadReport(name, (Check.SCALE,), 1, rows, found.values, found.findings())


class _Found:
    """Findings as they are met, one for each check, source and column."""

    def __init__(self) -> None:
        self.values = 0
        self._findings: dict[tuple[Check, str, str], Finding] = {}

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.values())

    def compare(
        self,
        plain: Sequence[Observation],
        other: Sequence[Observation],
        time: int,
        check: Check,
        detail: str,
    ) -> None:
        """Take note of every column that differs in a row known up to a time."""
        if [one.source for one in plain] != [one.source for one in other]:
            raise ConfigError(
                f"sources were {[one.source for one in plain]} with one history and "
                f"{[one.source for one in other]} with another; expected the same ones"
            )
        for one, two in zip(plain, other, strict=True):
            ends = [int(np.searchsorted(each.ts_known, time, side="right")) for each in (one, two)]
            if ends[0] != ends[1]:
                self._note(check, one.source, ROWS, time, (float(ends[0]), float(ends[1])), detail)
            if one.values.keys() != two.values.keys():
                raise ConfigError(
                    f"{one.source}: names were {sorted(one.values)} with one history and "
                    f"{sorted(two.values)} with another; expected the same ones"
                )
            for column in one.values:
                pair = _whole(one, column), _whole(two, column)
                self._columns(one, column, pair, min(ends), check, detail)

    def _columns(
        self,
        one: Observation,
        column: str,
        pair: tuple[Float64, Float64],
        rows: int,
        check: Check,
        detail: str,
    ) -> None:
        value, other = pair[0][:rows], pair[1][:rows]
        self.values += rows
        row = first_difference(value, other)
        if row >= 0:
            time = int(one.ts_known[row])
            pairs = float(value[row]), float(other[row])
            self._note(check, one.source, column, time, pairs, detail)

    def _note(
        self,
        check: Check,
        source: str,
        column: str,
        time: int,
        pair: tuple[float, float],
        detail: str,
    ) -> None:
        known = self._findings.get((check, source, column))
        if known is not None:
            self._findings[check, source, column] = replace(known, times=known.times + 1)
            return
        self._findings[check, source, column] = Finding(
            check, source, column, time, *pair, detail=detail
        )


def _whole(one: Observation, column: str) -> Float64:
    values = one.values[column]
    if len(values) != len(one.ts_known):
        raise ConfigError(
            f"{one.source}: {column} had {len(values)} rows; expected {len(one.ts_known)}, as many "
            "as there are times"
        )
    return values


def first_difference(one: Float64, other: Float64) -> int:
    """Return the first row in which two arrays differ in a bit, NaN equal to NaN; -1 for none."""
    same = one.view(np.int64) == other.view(np.int64)
    if same.all():
        return -1
    different = ~(same | (np.isnan(one) & np.isnan(other)))
    return int(np.argmax(different)) if different.any() else -1


def known_at(bars: BarArrays, time: int) -> BarArrays:
    """Return the bars with ``ts_known`` up to a time."""
    return bars.slice(0, int(np.searchsorted(bars.ts_known, time, side="right")))


def shocked_after(
    bars: BarArrays, time: int, kind: Shock, generator: np.random.Generator
) -> BarArrays:
    """Return bars that are what they were up to a time and something else after it.

    Parameters
    ----------
    bars : BarArrays
        As they are.
    time : int
        Bars with ``ts_known`` above it are changed.
    kind : Shock
        How.
    generator : numpy.random.Generator
        Draws the permutation.
    """
    first, count = len(known_at(bars, time)), len(bars)
    if kind is Shock.THINNED:
        kept = np.concatenate((np.arange(first), np.arange(first, count, 3)))
        return _taken(bars, kept)
    if kind is Shock.PERMUTED:
        order = np.concatenate((np.arange(first), first + generator.permutation(count - first)))
        parts = {name: getattr(bars, name)[order] for name in _ROW_PARTS}
        return _bars_of(bars, bars.ts_event, bars.ts_known, parts)
    changed = {}
    for name in _ROW_PARTS:
        values = getattr(bars, name).copy()
        limit = _LARGEST_LOTS if name == "volume" else _LARGEST_TICKS
        largest = int(bars.high.max(initial=1)) if name != "volume" else int(values.max(initial=1))
        values[first:] *= min(_SHOCK_FACTOR, max(limit // max(largest, 1), 1))
        changed[name] = values
    return _bars_of(bars, bars.ts_event, bars.ts_known, changed)


def _taken(bars: BarArrays, rows: Int64) -> BarArrays:
    parts = {name: getattr(bars, name)[rows] for name in _ROW_PARTS}
    return _bars_of(bars, bars.ts_event[rows], bars.ts_known[rows], parts)


def _bars_of(bars: BarArrays, opened: Int64, known: Int64, parts: Mapping[str, Int64]) -> BarArrays:
    """Return bars of the same instrument with other times, prices and volumes."""
    return BarArrays(
        bars.instrument,
        bars.timeframe,
        opened,
        known,
        parts["open"],
        parts["high"],
        parts["low"],
        parts["close"],
        parts["volume"],
    )


def _spread(times: Sequence[int], count: int) -> list[int]:
    """Return at most so many of the times, evenly spread."""
    if not times or count <= 0:
        return []
    places = np.unique(np.linspace(0, len(times) - 1, min(count, len(times))).astype(np.int64))
    return [times[place] for place in places.tolist()]


def sample_times(
    sources: Sequence[BarArrays], longer: Sequence[str] = (), count: int = 200, seed: int = 0
) -> Int64:
    """Choose the times at which look-ahead would show.

    Parameters
    ----------
    sources : sequence of BarArrays
        The bars.
    longer : sequence of str
        Timeframes that are built from the bars; the timeframes of the sources count as well.
    count : int
        At most so many times, > 0.
    seed : int
        Seed of the random ones, >= 0.

    Returns
    -------
    int64 array
        Times at which a bar became known, increasing, none at the end of the data. A third lies
        within longer bars (after their first, before their last part, and at their end), a third
        at the edges of days that differ from the day before and beside gaps, the rest anywhere.
    """
    if not any(len(one) for one in sources):
        return np.zeros(0, np.int64)
    known = np.unique(np.concatenate([one.ts_known for one in sources]))[:-1]
    if not len(known):
        return known
    generator = np.random.default_rng(seed)
    shortest = min(timeframe_nanoseconds(one.timeframe) for one in sources)
    lengths = {timeframe_nanoseconds(name) for name in (*longer, *(s.timeframe for s in sources))}
    inside = [_within(known, length) for length in sorted(lengths) if length > shortest]
    kinds = [*inside, _edges(known, shortest)]
    share = count // 3
    chosen: list[Int64] = []
    for kind in kinds:
        room = share // max(len(inside), 1) if kind is not kinds[-1] else share
        chosen.append(generator.choice(kind, min(room, len(kind)), replace=False))
    rest = count - sum(len(one) for one in chosen)
    chosen.append(generator.choice(known, min(rest, len(known)), replace=False))
    found: Int64 = np.unique(np.concatenate(chosen))
    return found


def _within(known: Int64, length: int) -> Int64:
    """Return the first, the last but one and the last time of each longer bar, and one between."""
    bucket = (known - 1) // length
    starts = np.flatnonzero(np.diff(bucket, prepend=bucket[:1] - 1))
    ends = np.append(starts[1:], len(known))
    places = (starts, (starts + ends) // 2, np.maximum(ends - 2, starts), ends - 1)
    found: Int64 = np.unique(known[np.concatenate(places)])
    return found


def _edges(known: Int64, shortest: int) -> Int64:
    """Return the bars beside gaps, and those that open and close days unlike the day before."""
    places: list[Int64] = []
    gaps = np.flatnonzero(np.diff(known) > shortest)
    if len(gaps) < len(known) // 4:
        places += [gaps, gaps + 1]
    if shortest < DAY:
        day = known // DAY
        starts = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
        ends = np.append(starts[1:], len(known)) - 1
        for edge in (starts, ends):
            moved = np.flatnonzero(np.diff(known[edge] % DAY, prepend=known[edge[:1]] % DAY))
            for shift in (-1, 0):
                beside = np.clip(moved + shift, 0, len(edge) - 1)
                places += [starts[beside], ends[beside]]
    if not places:
        return known[:0]
    found: Int64 = np.unique(known[np.unique(np.concatenate(places))])
    return found


def check_stamps(base: BarArrays, longer: BarArrays) -> LookaheadReport:
    """Check that longer bars of a file of their own were not known before they ended.

    A file whose times are those of the ends of its bars, read as if they were the beginnings, is
    late; one read the other way round tells each bar's close before it happened. No cut shows
    that, because every cut believes the stamps: the shorter bars have to say it.

    Parameters
    ----------
    base, longer : BarArrays
        Bars of one instrument, in the same steps; the second timeframe is the longer one.

    Returns
    -------
    LookaheadReport
        A finding when more bars close as the shorter bars do one or more longer bars later than
        as they do at the time when they are said to be known.
    """
    length = timeframe_nanoseconds(longer.timeframe)
    place = np.searchsorted(base.ts_known, longer.ts_known, side="right") - 1
    later = np.searchsorted(base.ts_known, longer.ts_known + length, side="right") - 1
    usable = (place >= 0) & (longer.ts_known + length <= base.ts_known[-1:].max(initial=0))
    source = f"{longer.instrument} {longer.timeframe}"
    findings: list[Finding] = []
    if usable.any():
        closes = longer.close[usable]
        now, then = base.close[place[usable]], base.close[later[usable]]
        early = (closes == then) & (closes != now)
        if int(early.sum()) > int(((closes == now) & (closes != then)).sum()):
            row = int(np.argmax(early))
            findings.append(
                Finding(
                    Check.STAMP,
                    source,
                    "close",
                    int(longer.ts_known[usable][row]),
                    float(now[row]),
                    float(closes[row]),
                    int(early.sum()),
                    f"in ticks; it is the close of the {base.timeframe} bars one bar later",
                )
            )
    name = f"{source} beside {base.timeframe}"
    count = int(usable.sum())
    return LookaheadReport(name, (Check.STAMP,), 1, len(longer), count, tuple(findings))

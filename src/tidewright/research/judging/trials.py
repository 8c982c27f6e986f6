"""What was ever tried on which data: the values of the trial registry, and how tries are counted.

A result is only as good as the number of tries that it is the best of. Every configuration that was
ever scored is therefore written down, once, with the data it was scored on and the family of ideas
it belongs to. Nothing is ever changed or removed.

Data is recognised twice: by the content of its bars, and month by month by its daily closes, so
that a file that has grown, or the same market in another timeframe, counts as the same market.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tidewright.domain.errors import ConfigError, DataIntegrityError
from tidewright.domain.time import DAY
from tidewright.market.arrays import BarArrays, Int64

DATA = "data"
TRIALS = "trials"
FACTS = frozenset({DATA, TRIALS})
"""Kinds of which an entry with an equal key says nothing new."""

PERIOD_DAYS = 30
"""Days whose closes are recognised together."""
SKETCH_SIZE = 4_096
"""Periods that are kept of one data set: the smallest digests, so that subsets still share some."""

_BLOCK = 16_384
_MULTIPLIERS: tuple[int, ...] = (
    0x9E3779B97F4A7C15,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0xD6E8FEB86659FD93,
    0xA0761D6478BD642F,
    0xE7037ED1A0B428DB,
)
_FINAL = 0xFF51AFD7ED558CCD
_NUMBER = re.compile(r"\d+(\.\d+)?")
_SOURCE_DIGEST = re.compile(r" [0-9a-f]{32}$")
_BLOCK_OF_KEY = re.compile(r"^(\w+):.*(?:\n[ \t-].*)*", re.MULTILINE)
_NAMING_KEYS = frozenset({"schema", "name", "version", "description", "source"})

UInt64 = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the registry.

    Parameters
    ----------
    sequence : int
        Place in the registry, from 1.
    ts : int
        When it was written, nanoseconds UTC.
    kind : str
        What it is of, such as ``"trials"``.
    key : str
        What it is of within its kind, such as the fingerprint of data.
    body : mapping of str to object
        Its content, as JSON has it.
    """

    sequence: int
    ts: int
    kind: str
    key: str
    body: Mapping[str, object]


class TrialStore(Protocol):
    """An append-only registry; storage keeps it outside any home."""

    def append(self, kind: str, key: str, body: Mapping[str, object], ts: int) -> bool:
        """Write an entry; one of `FACTS` is written once and returns False from then on."""

    def records(self, kind: str, key: str | None = None, *, prefix: str = "") -> Sequence[Record]:
        """Return entries of a kind in the order they were written in.

        Those of one key, or whose keys begin in one way, where that is asked for.
        """


@dataclass(frozen=True, slots=True)
class DataIdentity:
    """What data is recognised by.

    Parameters
    ----------
    fingerprint : str
        Digest of the bars' content, the symbols and the span, 32 hexadecimal digits.
    symbols : tuple of str
        Instruments, sorted.
    timeframe : str
        Of the bars.
    first, last : int
        Known times of the first and last bar, nanoseconds UTC; 0 without bars.
    periods : frozenset of int
        Digests of the daily closes of each instrument, `PERIOD_DAYS` days at a time.
    """

    fingerprint: str
    symbols: tuple[str, ...]
    timeframe: str
    first: int
    last: int
    periods: frozenset[int]

    def shares(self, other: DataIdentity) -> bool:
        """Return whether some of the market is the same."""
        return self.fingerprint == other.fingerprint or not self.periods.isdisjoint(other.periods)

    def to_body(self) -> dict[str, object]:
        """Return the identity as a registry has it."""
        return {
            "fingerprint": self.fingerprint,
            "symbols": list(self.symbols),
            "timeframe": self.timeframe,
            "first": self.first,
            "last": self.last,
            "periods": sorted(self.periods),
        }


@dataclass(frozen=True, slots=True)
class TrialRun:
    """One run that scored configurations.

    Parameters
    ----------
    data : str
        Fingerprint of the data.
    family : str
        As `family_key` gives it.
    label : str
        Name of the strategy, for a person.
    command : str
        What scored them, such as ``"backtest"`` or ``"sweep"``.
    configurations : int
        How many were scored, at least 1.
    digest : str
        Digest of all of them; equal runs count once.
    seen_until : int
        Known time of the last bar that was looked at, nanoseconds UTC.
    parameters : mapping of str to sequence of float
        Smallest and largest value and number of values of every number that was varied.
    effective : float
        Independent tries that the configurations act like, 1 to ``configurations``; 0 where that
        is not known, which counts as all of them.
    """

    data: str
    family: str
    label: str
    command: str
    configurations: int
    digest: str
    seen_until: int
    parameters: Mapping[str, tuple[float, float, int]] = field(default_factory=dict)
    effective: float = 0.0

    @property
    def independent(self) -> float:
        """Independent tries that this run counts as."""
        return self.effective or float(self.configurations)

    @property
    def key(self) -> str:
        """What makes runs equal."""
        return f"{self.data} {self.family} {self.digest} {self.seen_until}"

    def to_body(self) -> dict[str, object]:
        """Return the run as a registry has it."""
        return {
            "data": self.data,
            "family": self.family,
            "label": self.label,
            "command": self.command,
            "configurations": self.configurations,
            "digest": self.digest,
            "seen_until": self.seen_until,
            "parameters": {name: list(values) for name, values in self.parameters.items()},
            "effective": self.effective,
        }


@dataclass(frozen=True, slots=True)
class TrialCount:
    """How many different configurations were scored on data that shares some market.

    Parameters
    ----------
    in_family : int
        Of the same family of ideas.
    on_data : int
        Of any family: what a rule chosen among families is the best of.
    families : int
        Number of families.
    independent : float
        Independent tries that all of them act like.
    """

    in_family: int
    on_data: int
    families: int
    independent: float


def identify(series: Sequence[BarArrays]) -> DataIdentity:
    """Return what a data set is recognised by.

    Parameters
    ----------
    series : sequence of BarArrays
        Bars of each instrument.

    Notes
    -----
    The content is hashed by a multilinear hash with a nonlinear finish, row by row: no protection
    against forgery, but exact for every honest change, at memory speed.
    """
    ordered = sorted(series, key=lambda one: one.instrument)
    digest = blake2b(digest_size=16)
    periods: list[UInt64] = []
    for one in ordered:
        head = f"{one.instrument}\0{one.timeframe}\0{len(one)}\0{_content(one)}\0"
        digest.update(head.encode())
        periods.append(_periods(one))
    filled = [one for one in ordered if len(one)]
    known = np.unique(np.concatenate(periods)) if periods else np.empty(0, np.uint64)
    return DataIdentity(
        digest.hexdigest(),
        tuple(one.instrument for one in ordered),
        ordered[0].timeframe if ordered else "",
        min((int(one.ts_known[0]) for one in filled), default=0),
        max((int(one.ts_known[-1]) for one in filled), default=0),
        frozenset(known[:SKETCH_SIZE].tolist()),
    )


def family_key(document: str) -> str:
    """Return what strategies of one idea have in common: their form without numbers and names.

    Changing a number, a name or a description stays within the family; another rule begins one.

    Parameters
    ----------
    document : str
        Written form of a strategy, or the name and digest of one written in Python.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    parts = [block[0] for block in _BLOCK_OF_KEY.finditer(document) if block[1] not in _NAMING_KEYS]
    text = "\n".join(parts) if parts else _SOURCE_DIGEST.sub("", document)
    plain = " ".join(_NUMBER.sub("#", text).split())
    return blake2b(plain.encode(), digest_size=8).hexdigest()


def configurations_digest(configurations: Iterable[str]) -> str:
    """Return one digest of configurations, whatever their order; 32 hexadecimal digits.

    Parameters
    ----------
    configurations : iterable of str
        Everything that makes each of them what it is, in written form.
    """
    digest = blake2b(digest_size=16)
    for one in sorted(
        blake2b(text.encode(), digest_size=16).digest() for text in set(configurations)
    ):
        digest.update(one)
    return digest.hexdigest()


def count_tries(store: TrialStore, data: DataIdentity, family: str) -> TrialCount:
    """Return how many configurations were scored on data that shares some market with this.

    Configurations of one digest count once, however often they ran.

    Parameters
    ----------
    store : TrialStore
        The registry.
    data : DataIdentity
        The data at hand.
    family : str
        Family of the configuration at hand.

    Raises
    ------
    DataIntegrityError
        If an entry of the registry cannot be read.
    """
    runs = {(run.family, run.digest): run for run in runs_on(store, data)}.values()
    return TrialCount(
        sum(run.configurations for run in runs if run.family == family),
        sum(run.configurations for run in runs),
        len({run.family for run in runs}),
        sum(run.independent for run in runs),
    )


def corrected_for_tries(p_value: float, own: float, everything: float) -> float:
    """Return the chance that luck does as well in everything tried, not only in this search.

    1 - (1 - p) ** (everything / own): the chance that the best of so many independent tries is as
    good (Z. Sidak, Journal of the American Statistical Association, 1967).

    Parameters
    ----------
    p_value : float
        Of this search, 0 to 1.
    own : float
        Independent tries of this search, above 0.
    everything : float
        Independent tries in all; what is under ``own`` changes nothing.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """
    if not 0.0 <= p_value <= 1.0 or not own > 0.0:
        raise ConfigError(
            f"p-value was {p_value} of {own} tries; expected 0 to 1 of more than 0 tries"
        )
    if p_value == 1.0:
        return 1.0
    return -math.expm1(max(everything / own, 1.0) * math.log1p(-p_value))


def seen_until(store: TrialStore, data: DataIdentity, family: str) -> int:
    """Return the known time of the last bar that a family was ever scored on; 0 for never."""
    return max((run.seen_until for run in runs_on(store, data) if run.family == family), default=0)


def runs_on(store: TrialStore, data: DataIdentity) -> list[TrialRun]:
    """Return every run over data that shares some market with this, in order."""
    records = [
        record
        for fingerprint in same_market(store, data)
        for record in store.records(TRIALS, prefix=f"{fingerprint} ")
    ]
    return [run_of(record) for record in sorted(records, key=lambda one: one.sequence)]


def same_market(store: TrialStore, data: DataIdentity) -> frozenset[str]:
    """Return the fingerprints of all data sets that share some market with this one."""
    known = (data_of(record) for record in store.records(DATA))
    return frozenset(one.fingerprint for one in known if one.shares(data)) | {data.fingerprint}


def record_run(store: TrialStore, data: DataIdentity, run: TrialRun, ts: int) -> bool:
    """Write a run down; return False for one that is known.

    Parameters
    ----------
    store : TrialStore
        The registry.
    data : DataIdentity
        What was looked at.
    run : TrialRun
        The run.
    ts : int
        Now, nanoseconds UTC.
    """
    store.append(DATA, data.fingerprint, data.to_body(), ts)
    return store.append(TRIALS, run.key, run.to_body(), ts)


def data_of(record: Record) -> DataIdentity:
    """Return the data set that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        return DataIdentity(
            text_of(body, "fingerprint"),
            tuple(str(name) for name in list_of(body, "symbols")),
            text_of(body, "timeframe"),
            whole_of(body, "first"),
            whole_of(body, "last"),
            frozenset(int(str(one)) for one in list_of(body, "periods")),
        )


def run_of(record: Record) -> TrialRun:
    """Return the run that an entry describes.

    Raises
    ------
    DataIntegrityError
        If it does not.
    """
    body = record.body
    with readable(record):
        ranges = body["parameters"]
        if not isinstance(ranges, Mapping):
            raise TypeError(f"parameters were {ranges!r}")
        return TrialRun(
            text_of(body, "data"),
            text_of(body, "family"),
            text_of(body, "label"),
            text_of(body, "command"),
            whole_of(body, "configurations"),
            text_of(body, "digest"),
            whole_of(body, "seen_until"),
            {name: (float(low), float(high), int(n)) for name, (low, high, n) in ranges.items()},
            float(str(body.get("effective", 0.0))),
        )


def text_of(body: Mapping[str, object], name: str) -> str:
    """Return a text of an entry; KeyError or TypeError when it is none."""
    value = body[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} was {value!r}; expected text")
    return value


def whole_of(body: Mapping[str, object], name: str) -> int:
    """Return a whole number of an entry; KeyError or TypeError when it is none."""
    value = body[name]
    if type(value) is not int:
        raise TypeError(f"{name} was {value!r}; expected a whole number")
    return value


def list_of(body: Mapping[str, object], name: str) -> Sequence[object]:
    """Return a list of an entry; KeyError or TypeError when it is none."""
    value = body[name]
    if not isinstance(value, list | tuple):
        raise TypeError(f"{name} was {value!r}; expected a list")
    return value


@contextmanager
def readable(record: Record) -> Iterator[None]:
    """Read an entry, and say which one it was where it does not hold what its kind promises.

    Raises
    ------
    DataIntegrityError
        If a field is missing, of another type or out of its range.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise DataIntegrityError(
            f"entry {record.sequence} of the trial registry ({record.kind}) cannot be read: "
            f"{error!r}"
        ) from error


def _content(series: BarArrays) -> int:
    """Return 64 bits of the rows, independent of how they are laid out in memory."""
    columns = (
        series.ts_event,
        series.open,
        series.high,
        series.low,
        series.close,
        series.volume,
    )
    total = 0
    # Blocks stay in the processor's cache through all passes.
    for start in range(0, len(series), _BLOCK):
        part = [column[start : start + _BLOCK] for column in columns]
        total += int(_mixed(part).sum(dtype=np.uint64))
    return total & 0xFFFF_FFFF_FFFF_FFFF


def _mixed(columns: Sequence[Int64]) -> UInt64:
    """Return one well mixed number per row."""
    rows = columns[0].astype(np.uint64)
    rows *= np.uint64(_MULTIPLIERS[0])
    for column, multiplier in zip(columns[1:], _MULTIPLIERS[1:], strict=False):
        rows += column.view(np.uint64) * np.uint64(multiplier)
    rows ^= rows >> np.uint64(29)
    rows *= np.uint64(_FINAL)
    rows ^= rows >> np.uint64(32)
    return rows


def _periods(series: BarArrays) -> UInt64:
    """Return a digest of the daily closes of every period, in order."""
    if not len(series):
        return np.empty(0, np.uint64)
    first, last = int(series.ts_event[0]) // DAY, int(series.ts_event[-1]) // DAY
    borders = (np.arange(first, last + 1, dtype=np.int64) + 1) * DAY
    ends = np.searchsorted(series.ts_event, borders)
    ends = ends[np.diff(ends, prepend=0) > 0] - 1
    days: Int64 = series.ts_event[ends] // DAY
    mixed = _mixed((days, np.ascontiguousarray(series.close[ends])))
    period = days // PERIOD_DAYS
    starts = np.flatnonzero(np.diff(period, prepend=period[0] - 1))
    return np.add.reduceat(mixed, starts)

"""A seeded market of eight correlated instruments, made minute by minute from the seed alone.

It begins at a fixed date, so the seed says everything about the series, and each block of six
hours can be made without the ones before it, so a feed resumes anywhere with the same bars. It
pretends only prices: regimes, correlation, bursts of volatility. Nobody trades in it, it has no
order book, and nothing that a strategy earns on it says anything about a real market.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from tidewright.domain.errors import ConfigError
from tidewright.domain.events import Slice
from tidewright.domain.instrument import Instrument
from tidewright.domain.market import Bar
from tidewright.domain.time import MINUTE, parse_iso
from tidewright.kernels.synthetic import (
    BLOCK_MINUTES,
    PATH_POINTS,
    Float64,
    Int64,
    advance,
    make_block,
    next_regime,
)
from tidewright.market.instruments import InstrumentTable, load_table

HISTORY_START = parse_iso("2024-01-01T00:00:00Z")
"""Open time of the first bar of every simulated market."""

VENUE = "simulated"
"""Venue of every instrument: nobody trades there."""

TRADING_START = HISTORY_START + BLOCK_MINUTES * MINUTE
"""First moment at which to trade; the bars before it warm columns up."""

REGIME_NAMES = ("calm rise", "nervous fall", "narrow range", "high volatility")
"""Names of the regimes, by their number."""

_BLOCK = BLOCK_MINUTES * MINUTE
# Drift of six hours in standard deviations, and size of moves against ordinary times.
_DRIFT = np.array((0.6, -0.7, 0.0, 0.0))
_SIZE = np.array((0.8, 1.3, 0.6, 1.9))


@dataclass(frozen=True, slots=True)
class SimulatedInstrument:
    """How one instrument behaves.

    Parameters
    ----------
    id : str
        Id of a stated instrument.
    price : float
        Price at the start of history, in the quote currency.
    minute_volatility : float
        Standard deviation of a minute's return in ordinary times.
    market_share : float
        Share of its variance that the whole market explains, in [0, 1].
    turnover : float
        Ordinary quantity traded in a minute.
    """

    id: str
    price: float
    minute_volatility: float
    market_share: float
    turnover: float


SIMULATED = (
    SimulatedInstrument("ADAUSDT", 0.60, 0.0011, 0.60, 90_000),
    SimulatedInstrument("AVAXUSDT", 38.0, 0.0013, 0.55, 2_500),
    SimulatedInstrument("BNBUSDT", 315.0, 0.0008, 0.60, 180),
    SimulatedInstrument("BTCUSDT", 42_300.0, 0.0007, 0.80, 28),
    SimulatedInstrument("DOGEUSDT", 0.09, 0.0013, 0.50, 900_000),
    SimulatedInstrument("ETHUSDT", 2_280.0, 0.0009, 0.75, 320),
    SimulatedInstrument("SOLUSDT", 102.0, 0.0013, 0.60, 4_200),
    SimulatedInstrument("XRPUSDT", 0.62, 0.0011, 0.45, 240_000),
)
"""The instruments of the simulated market, by id."""


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    number: int
    regime: int
    paths: Int64
    volumes: Int64


class SimulatedFeed:
    """Bars of one minute of the simulated market, without end.

    Parameters
    ----------
    seed : int
        Which market, in [0, 2**63).
    table : InstrumentTable or None
        Where tick and lot come from; the shipped instruments when None.
    end : int
        The last slice has ``ts_known`` at most this, nanoseconds UTC; 0 never ends.

    Raises
    ------
    ConfigError
        If the seed is out of range, or an instrument is not stated.
    """

    def __init__(self, seed: int, table: InstrumentTable | None = None, end: int = 0) -> None:
        if not 0 <= seed < 2**63:
            raise ConfigError(f"seed was {seed}; expected a whole number from 0 to 2**63 - 1")
        table = table or load_table()
        self.seed = seed
        self.timeframe = "1m"
        self.history_start = HISTORY_START
        self.trading_start = TRADING_START
        self.instruments: Sequence[Instrument] = [
            _pretended(table.get(one.id)) for one in SIMULATED
        ]
        self.description = (
            f"simulated market, seed {seed}: {len(SIMULATED)} instruments, 1m, invented prices"
        )
        self._end = end
        self._ids = [one.id for one in SIMULATED]
        self._scale = np.array([one.minute_volatility for one in SIMULATED])
        self._beta = np.array([one.market_share for one in SIMULATED])
        pairs = list(zip(SIMULATED, self.instruments, strict=True))
        self._base = np.array([round(one.price / float(of.tick_size)) for one, of in pairs])
        self._turnover = np.array([round(one.turnover / float(of.lot_size)) for one, of in pairs])
        # Levels at the start of a block and the regime of the block before it.
        self._reached: tuple[int, Float64, int] = (0, np.zeros(len(SIMULATED)), 0)
        self._blocks: dict[int, _Block] = {}

    def slices(self, after: int) -> Iterator[Slice]:
        """Yield slices with ``ts_known`` above ``after``, in time order, without end."""
        first = max(0, (after - HISTORY_START) // MINUTE)
        number, skip = divmod(first, BLOCK_MINUTES)
        while True:
            for slice_ in self._block_slices(self._make(number), skip):
                if self._end and slice_.ts_known > self._end:
                    return
                yield slice_
            number, skip = number + 1, 0

    def path(self, instrument: str, ts_event: int) -> tuple[int, ...]:
        """Return the prices within a bar, in equal steps from its open to its close.

        Parameters
        ----------
        instrument : str
            Instrument id.
        ts_event : int
            Open time of the bar.

        Returns
        -------
        tuple of int
            ``PATH_POINTS`` prices in ticks; the bar's high and low are among them.

        Raises
        ------
        ConfigError
            If the instrument is not of this market or the time is before its start.
        """
        index, block, minute = self._place(instrument, ts_event)
        return tuple(block.paths[index, minute].tolist())

    def forming(self, instrument: str, ts_event: int, fraction: float) -> Bar:
        """Return a bar as it looks when a part of its minute has passed; for display only.

        Parameters
        ----------
        instrument : str
            Instrument id.
        ts_event : int
            Open time of the bar.
        fraction : float
            Passed part of the minute, in [0, 1]; at 1 it is the finished bar.
        """
        index, block, minute = self._place(instrument, ts_event)
        share = min(max(fraction, 0.0), 1.0)
        seen = block.paths[index, minute, : 1 + int(share * (PATH_POINTS - 1))].tolist()
        volume = int(block.volumes[index, minute])
        return Bar(
            instrument,
            self.timeframe,
            ts_event,
            ts_event + MINUTE,
            seen[0],
            max(seen),
            min(seen),
            seen[-1],
            volume if share == 1.0 else int(volume * share),
        )

    def regime(self, ts_event: int) -> str:
        """Return the name of the regime at a time; known to the simulator, never to a strategy."""
        return REGIME_NAMES[self._make((ts_event - HISTORY_START) // _BLOCK).regime]

    def _place(self, instrument: str, ts_event: int) -> tuple[int, _Block, int]:
        if instrument not in self._ids or ts_event < HISTORY_START:
            raise ConfigError(
                f"bar was of {instrument} at {ts_event}; expected one of {', '.join(self._ids)} "
                f"from {HISTORY_START} on"
            )
        number, rest = divmod(ts_event - HISTORY_START, _BLOCK)
        return self._ids.index(instrument), self._make(number), rest // MINUTE

    def _make(self, number: int) -> _Block:
        found = self._blocks.get(number)
        if found is not None:
            return found
        starts, before = self._levels(number)
        regime = next_regime(self.seed, number, before)
        ends = starts.copy()
        self._advance(number, regime, ends)
        paths = np.zeros((len(starts), BLOCK_MINUTES, PATH_POINTS), np.int64)
        volumes = np.zeros((len(starts), BLOCK_MINUTES), np.int64)
        make_block(
            self.seed,
            number,
            starts,
            ends,
            self._scale,
            self._beta,
            float(_SIZE[regime]),
            self._base,
            self._turnover,
            paths,
            volumes,
        )
        # A page may still show the end of one block while the feed reads the next one ahead, in
        # another thread: the blocks are replaced as a whole, never changed in place.
        made = _Block(number, regime, paths, volumes)
        kept = {one: block for one, block in self._blocks.items() if 0 < number - one <= 2}
        self._blocks = {**kept, number: made}
        return made

    def _levels(self, number: int) -> tuple[Float64, int]:
        """Return the levels at the start of a block and the regime of the block before it."""
        block, levels, regime = self._reached
        if block > number:
            block, levels, regime = 0, np.zeros(len(SIMULATED)), 0
        levels = levels.copy()
        while block < number:
            regime = next_regime(self.seed, block, regime)
            self._advance(block, regime, levels)
            block += 1
        self._reached = (block, levels.copy(), regime)
        return levels, regime

    def _advance(self, block: int, regime: int, levels: Float64) -> None:
        advance(self.seed, block, regime, levels, self._scale, self._beta, _DRIFT, _SIZE)

    def _block_slices(self, block: _Block, skip: int) -> Iterator[Slice]:
        start = HISTORY_START + block.number * _BLOCK
        opens, closes = block.paths[:, :, 0], block.paths[:, :, -1]
        highs, lows = block.paths.max(axis=2), block.paths.min(axis=2)
        table = np.stack((opens, highs, lows, closes, block.volumes), axis=2)
        for minute in range(skip, BLOCK_MINUTES):
            ts_event = start + minute * MINUTE
            ts_known = ts_event + MINUTE
            columns = table[:, minute].T.tolist()
            bars = map(
                Bar,
                self._ids,
                repeat(self.timeframe),
                repeat(ts_event),
                repeat(ts_known),
                *columns,
            )
            yield Slice(ts_known, tuple(bars))


def _pretended(stated: Instrument) -> Instrument:
    source = f"simulated market; steps and fees as of {stated.venue}: {stated.source}"
    return replace(stated, venue=VENUE, source=source)

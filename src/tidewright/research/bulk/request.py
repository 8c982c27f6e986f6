"""What a bulk backtest is asked for, and what it cannot answer."""

from __future__ import annotations

from dataclasses import dataclass

from tidewright.domain.events import TradingWindow
from tidewright.domain.instrument import Instrument
from tidewright.engine.config import EngineConfig
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.market.arrays import BarArrays, Int64

EVENT_PATH = "; the event path runs it"
"""How every refusal of the bulk loop ends."""


@dataclass(frozen=True, slots=True, eq=False)
class BulkRequest:
    """A backtest: the same values from which engine and paper venue are built.

    Parameters
    ----------
    config : EngineConfig
        Strategy, limits and identities.
    paper : PaperSettings
        Costs and the opening balance.
    seed : int
        Seed of the venue's draws.
    instruments : tuple of Instrument
        What is traded.
    series : tuple of BarArrays
        Bars of each instrument, all of ``config.feed_timeframe``.
    window : TradingWindow
        When entries may be decided; the run ends with it.
    silent : int64 array
        Times of slices that hold no bar, such as those that report a bad row; they count as inputs
        and so are part of client ids.
    """

    config: EngineConfig
    paper: PaperSettings
    seed: int
    instruments: tuple[Instrument, ...]
    series: tuple[BarArrays, ...]
    window: TradingWindow
    silent: Int64


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A backtest that the bulk loop would not run exactly as the engine does.

    Parameters
    ----------
    reason : str
        One sentence: what it was, ended by `EVENT_PATH`.
    """

    reason: str

"""What an engine is built from; equal configurations decide equally."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidewright.engine.series import Strategy
from tidewright.execution.settings import ExecutionSettings
from tidewright.risk.settings import RiskSettings
from tidewright.strategy.compile import compile_spec
from tidewright.strategy.spec import SizingSpec, StrategySpec, Tier


@dataclass(frozen=True, slots=True)
class StrategySetup:
    """One strategy and how it trades.

    Parameters
    ----------
    strategy : Strategy
        Compiled spec or Python class.
    timeframe : str
        Timeframe of its bars; empty means the feed's own.
    symbols : frozenset of str or None
        Instruments it trades; None means every instrument of the feed.
    sizing : SizingSpec
        How large its positions are.
    time_stop_bars : int
        Leave after this many bars; 0 means never.
    expire_after_bars : int
        A working limit entry is cancelled after this many bars of the feed.
    reasons : mapping of str to str
        Words for each exit and entry, by output name.
    tiers : tuple of Tier
        Parts of its positions, or positions to choose from; empty for one in one piece.
    """

    strategy: Strategy
    timeframe: str
    symbols: frozenset[str] | None
    sizing: SizingSpec
    time_stop_bars: int
    expire_after_bars: int
    reasons: Mapping[str, str]
    tiers: tuple[Tier, ...] = ()


def setup_of(spec: StrategySpec) -> StrategySetup:
    """Return a spec as the engine takes it.

    Raises
    ------
    ConfigError
        If one of its expressions is of the wrong kind.
    """
    return StrategySetup(
        strategy=compile_spec(spec),
        timeframe=spec.timeframe,
        symbols=spec.symbols,
        sizing=spec.sizing,
        time_stop_bars=spec.time_stop_bars,
        expire_after_bars=spec.entry_order.expire_after_bars,
        reasons=dict(spec.reasons),
        tiers=spec.tiers,
    )


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Everything that an engine's decisions depend on, inputs apart.

    Parameters
    ----------
    home : str
        Random id of the home; part of every client order id.
    account : str
        Account name at the venue.
    feed_timeframe : str
        Timeframe of the bars that the feed delivers.
    strategies : tuple of StrategySetup
        In the order in which they are asked.
    risk, execution
        Settings of those rooms.
    fingerprint : str
        Digest of build, lock file, configuration, specs and column versions.
    keep_history : bool
        Whether bars are kept for the next snapshot; a backtest keeps none.
    """

    home: str
    account: str
    feed_timeframe: str
    strategies: tuple[StrategySetup, ...]
    risk: RiskSettings
    execution: ExecutionSettings
    fingerprint: str
    keep_history: bool = True

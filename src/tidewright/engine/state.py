"""Everything an engine remembers between two steps."""

from __future__ import annotations

from collections.abc import Mapping

from tidewright.domain.errors import DataIntegrityError
from tidewright.domain.events import TradingWindow
from tidewright.domain.facts import Command, Fact
from tidewright.domain.instrument import Instrument
from tidewright.domain.portfolio import Trade
from tidewright.engine.config import EngineConfig, StrategySetup
from tidewright.engine.portfolio import Portfolio
from tidewright.engine.sections import Sections
from tidewright.engine.series import Series, Track, correlation_of
from tidewright.execution.manager import OrderManager
from tidewright.kernels.edge import NO_TRADES, TradeSums, trade_return, with_trade_flat
from tidewright.kernels.integer import mul_div
from tidewright.risk.account import AccountView
from tidewright.risk.gate import RiskGate


class EngineState:
    """What is held, what works, what is limited, and what was seen.

    Parameters
    ----------
    config : EngineConfig
        Strategies, limits and identities.
    """

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.tracks: dict[str, Track] = {}
        self.sections = Sections(config.strategies)
        self.portfolio = Portfolio()
        self.orders = OrderManager(config.execution)
        self.gate = RiskGate(config.risk, {})
        self.window = TradingWindow(0)
        self.feed_live = True
        self.scores: dict[tuple[str, str], float] = {}
        self.sequence = 0
        self.ts_known = 0
        self.venue_sequence = 0
        self.account_open = False
        self.marks: dict[str, int] = {}
        self.ratios: dict[str, tuple[int, int]] = {}
        self.trade_sums: dict[str, TradeSums] = {}

    def equity(self) -> int:
        """Return cash plus positions at the latest closes, in money units."""
        if not self.portfolio.holdings:
            return self.portfolio.cash
        return self.portfolio.equity(self.marks, self.ratios)

    def cancel(self, client_id: str, facts: list[Fact], commands: list[Command]) -> None:
        """Ask for an order to be cancelled, unless it is on its way out already."""
        fact, command = self.orders.request_cancel(client_id, self.ts_known)
        facts += [fact] if fact is not None else []
        commands += [command] if command is not None else []

    def account_view(self, equity: int) -> AccountView:
        """Return the account as risk sees it: what is held, what works, what is unknown."""
        return AccountView(
            ts=self.ts_known,
            equity=equity,
            cash=self.portfolio.cash,
            positions=dict(self.portfolio.positions()),
            marks=self.marks,
            mark_times={name: track.mark_time for name, track in self.tracks.items()},
            working=self.orders.working(),
            unknown=self.orders.unknown_instruments(),
            feed_live=self.feed_live,
            correlation=correlation_of(self.tracks),
        )

    def column_values(self, instrument: str) -> Mapping[str, float]:
        """Return the newest value of every column that the strategies read, by label."""
        track = self.tracks.get(instrument)
        if track is None:
            return {}
        return {
            reference.label: float(value)
            for series in track.series
            for reference, value in series.values()
        }

    def note_trade(self, trade: Trade) -> None:
        """Count a closed trade towards what is known of its strategy's edge."""
        numerator, denominator = self.ratios[trade.instrument]
        value = mul_div(trade.entry_value, numerator, denominator)
        if value > 0:
            sums = tuple(self.trade_sums.get(trade.strategy, NO_TRADES))
            after = with_trade_flat(sums, trade_return(trade.pnl, value))
            self.trade_sums[trade.strategy] = TradeSums(*after)

    def define(self, instrument: Instrument) -> None:
        """Add an instrument, or change the rules of one already known.

        Raises
        ------
        DataIntegrityError
            If its tick or lot size changed: history and positions are in the old ones.
        """
        known = self.tracks.get(instrument.id)
        if known is None:
            self.tracks[instrument.id] = Track(
                instrument, self._series_of(instrument), keep=self.config.keep_history
            )
        else:
            _check_steps(known.instrument, instrument)
            known.instrument = instrument
        self.ratios[instrument.id] = instrument.value_ratio
        self.gate.define(instrument)

    def _series_of(self, instrument: Instrument) -> list[Series]:
        feed = self.config.feed_timeframe
        by_timeframe: dict[str, list[tuple[int, StrategySetup]]] = {}
        for index, setup in enumerate(self.config.strategies):
            if setup.symbols is None or instrument.id in setup.symbols:
                by_timeframe.setdefault(setup.timeframe or feed, []).append((index, setup))
        return [
            Series(
                instrument,
                feed,
                timeframe,
                [(index, setup.strategy) for index, setup in pairs],
            )
            for timeframe, pairs in by_timeframe.items()
        ]


def _check_steps(known: Instrument, instrument: Instrument) -> None:
    for what, before, after in (
        ("tick", known.tick_size, instrument.tick_size),
        ("lot", known.lot_size, instrument.lot_size),
    ):
        if before != after:
            raise DataIntegrityError(
                f"{instrument.id}: {what} size changed from {before} to {after}; "
                "expected history and positions in the new steps first"
            )

"""The same file through the backtest and through the running trader: the same, entry by entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.homes import FAST, Kept, plain_settings
from tidewright.app.backtest import run_backtest
from tidewright.app.feeds.files import FileFeed
from tidewright.app.replay_home import verify_home
from tidewright.app.session import Session, SessionRequest
from tidewright.app.strategies import load_strategies
from tidewright.domain.events import TradingWindow
from tidewright.domain.facts import OrderExecuted, OrderPlaced, SignalRejected, TradeClosed

# Wide enough to keep trading, so that there is something to compare.
WIDE = ("risk.max_drawdown_percent=100", "risk.max_daily_loss_percent=100")


class Story:
    """Orders, fills, refusals and trades of a run, without the ids of its home."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.equity: list[tuple[int, int]] = []

    def publish(self, slice_, outcome) -> None:
        self.equity.append((outcome.ts_known, outcome.equity))
        for fact in outcome.facts:
            if isinstance(fact, OrderPlaced):
                intent = fact.order.intent
                what = (intent.leg, intent.side, intent.lots, intent.limit_ticks, intent.bracket)
                self.rows.append((outcome.ts_known, "order", intent.instrument, *what))
            elif isinstance(fact, OrderExecuted):
                fill = fact.fill
                what = (fill.side, fill.lots, fill.ticks, fill.fee, fill.ts_event, fact.cash)
                self.rows.append((outcome.ts_known, "fill", fill.instrument, *what))
            elif isinstance(fact, SignalRejected):
                self.rows.append((outcome.ts_known, "refusal", fact.rule, fact.limit, fact.value))
            elif isinstance(fact, TradeClosed):
                self.rows.append((outcome.ts_known, "trade", fact.trade.pnl, fact.trade.fees))


def compare(path: Path, home: Path, strategy: str, rows: int, overrides: tuple[str, ...]) -> int:
    def feed() -> FileFeed:
        found = FileFeed(path)
        found.series = tuple(one.slice(0, rows) for one in found.series)
        return found

    settings = plain_settings(*overrides)
    tested, ran, kept = Story(), Story(), Kept()
    run = run_backtest(
        feed(), load_strategies([strategy]), settings, TradingWindow(0), sinks=[tested]
    )
    wanted = SessionRequest(
        home=home,
        feed=feed(),
        feed_identity="data",
        strategies=load_strategies([strategy]),
        settings=settings,
        window=TradingWindow(0),
        pace=FAST,
        sinks=lambda home, state, stack: [ran, kept],
    )
    with Session(wanted) as session:
        session.run()
    assert tested.rows == ran.rows
    bars = len(tested.equity) - len(ran.equity)
    assert tested.equity[-rows:] == ran.equity[-rows:]
    assert abs(bars) <= 2
    assert len(run.recorder.fills) == len(kept.recorder.fills)
    return len(run.recorder.fills)


@pytest.mark.realdata
@pytest.mark.parametrize("strategy", ["sma_cross", "bollinger_reversion", "ta_confidence"])
def test_two_months_of_minutes_trade_alike(tmp_path: Path, realdata: Path, strategy: str) -> None:
    path = realdata / "crypto" / "binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet"
    assert compare(path, tmp_path / "h", strategy, 60_000, WIDE) > 100
    report = verify_home(tmp_path / "h")
    assert report.ok
    assert report.other_builds == 0


@pytest.mark.realdata
def test_limits_bite_alike(tmp_path: Path, realdata: Path) -> None:
    path = realdata / "crypto" / "binance_spot_ETHUSDT_1m_2022-01_2023-06.parquet"
    assert compare(path, tmp_path / "h", "sma_cross", 60_000, ()) > 100


@pytest.mark.realdata
@pytest.mark.full
@pytest.mark.timeout(900)
def test_the_whole_file_trades_alike(tmp_path: Path, realdata: Path) -> None:
    path = realdata / "crypto" / "binance_spot_BTCUSDT_1m_2022-01_2023-06.parquet"
    assert compare(path, tmp_path / "h", "sma_cross", 786_160, WIDE) > 10_000

"""Everything that one ``up`` puts together: settings, feed, strategies, view, supervisor."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tidewright.app.launch import (
    FeedChoice,
    choose_feed,
    choose_pace,
    choose_settings,
    choose_strategies,
    choose_window,
    default_home,
    require_paper,
)
from tidewright.app.page.login import LoginStore
from tidewright.app.page.past import recall
from tidewright.app.page.read_models import Mode, SettingValue
from tidewright.app.page.view import Heading, LiveView
from tidewright.app.session import Session, SessionRequest
from tidewright.app.settings import Settings
from tidewright.app.settings.shown import shown
from tidewright.app.sinks import MovingMarket, open_read_models
from tidewright.app.supervisor import Supervisor
from tidewright.app.universe import settle_universe
from tidewright.domain.errors import Transient
from tidewright.domain.events import TradingState
from tidewright.domain.ports import OutcomeSink
from tidewright.engine.state import EngineState
from tidewright.storage.home import Home


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What a person typed after ``up``; see the command's help."""

    feed: str
    data: Path | None
    symbols: tuple[str, ...]
    timeframe: str
    strategies: tuple[str, ...]
    config: Path | None
    overrides: tuple[str, ...]
    port: int | None
    for_seconds: float | None
    headless: bool
    speed: str
    home: Path | None
    seed: int | None
    venue: str
    start: str
    end: str
    json_file: Path | None


class TraderServices:
    """What the page needs of the trader in this process."""

    def __init__(
        self, view: LiveView, login: LoginStore, supervisor: Supervisor, settings: Settings
    ) -> None:
        self.view = view
        self.login = login
        self._supervisor = supervisor
        self._settings = settings

    def halt(self, actor: str, reason: str) -> None:
        """Order the halt; returns once the order is stored."""
        self._supervisor.order(TradingState.HALTED, actor, reason)

    def resume(self, actor: str, reason: str) -> None:
        """Order trading to go on; returns once the order is stored."""
        self._supervisor.order(TradingState.ACTIVE, actor, reason)

    def settings(self) -> Mapping[str, Mapping[str, SettingValue]]:
        """Return the settings by section, secrets masked."""
        return shown(self._settings)


class Launch:
    """Everything that one ``up`` puts together.

    Parameters
    ----------
    options : UpOptions
        What was asked for.
    say : callable
        Tells a person what happens meanwhile.

    Attributes
    ----------
    attempted : threading.Event
        Set once a session has opened, or has failed to.
    """

    def __init__(self, options: UpOptions, say: Callable[[str], None]) -> None:
        self._say = say
        self.started = time.monotonic() - time.process_time()
        self.options = options
        self.attempted = threading.Event()
        settings = choose_settings(options.config, options.overrides, options.symbols, options.seed)
        require_paper(settings)
        self.home = options.home or default_home(options.feed)
        self.choice: FeedChoice = choose_feed(
            options.feed,
            options.data,
            options.symbols,
            settings.seed,
            options.timeframe,
            settings.bar_rules(),
            self.home / "market",
        )
        feed = self.choice.feed
        strategies = choose_strategies(options.strategies, settings)
        self.settings = settle_universe(settings, feed.instruments, strategies)
        self._window = window = choose_window(feed, options.start, options.end)
        names = ", ".join(item.setup.strategy.name for item in strategies)
        labels = {ref.label: None for item in strategies for ref in item.setup.strategy.references}
        mode = Mode.PAPER if options.feed == "replay" else Mode.SIMULATED
        self.view = LiveView(
            feed.instruments,
            Heading(
                mode,
                names,
                feed.timeframe,
                self.settings.account.currency,
                tuple(labels),
                book=hasattr(feed, "book"),
            ),
            columns=self._columns,
            trading_start=window.start,
        )
        self.moving = MovingMarket(feed, self.view)
        self.supervisor = Supervisor(
            SessionRequest(
                home=self.home,
                feed=feed,
                feed_identity=self.choice.identity,
                strategies=strategies,
                settings=self.settings,
                window=window,
                pace=choose_pace(options.speed, self.settings),
                venue_address=options.venue,
                sinks=self._sinks,
            ),
            self.started,
            self._opened,
            self._faulted,
        )

    def _columns(self, instrument: str) -> Mapping[str, float]:
        state = self.supervisor.state
        return {} if state is None else state.column_values(instrument)

    def _sinks(self, home: Home, state: EngineState, stack: ExitStack) -> Sequence[OutcomeSink]:
        tables = open_read_models(home, self.settings, self.choice.feed.instruments, stack)
        recall(self.view, home, self.settings, state.config, self._window.start)
        return [self.view, *tables]

    def open_login(self) -> LoginStore:
        """Return the login of the home; its secret is made on the first start."""
        home = Home.open(self.home, lambda: secrets.token_hex(16))
        return LoginStore(home.path / "login.json")

    def _opened(self, session: Session) -> None:
        state = session.engine.state
        self.view.restore(
            state=state.gate.trading_state,
            positions=[holding.position() for holding in state.portfolio.holdings.values()],
            orders=state.orders.working(),
        )
        session.trader.on_wait = self.moving.show
        self.attempted.set()

    def _faulted(self, fault: Transient, delay: float) -> None:
        self._say(f"fault: {fault}; starting again in {delay:.1f} s")
        self.attempted.set()

"""What can be set: one frozen value per section, with defaults that are safe on a laptop."""

from __future__ import annotations

import ipaddress
import json
import math
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path

from pydantic import SecretStr

from tidewright.domain.codec import plain
from tidewright.domain.errors import ConfigError
from tidewright.domain.instrument import AssetClass
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.execution.settings import ExecutionSettings
from tidewright.market.validation import BarRules
from tidewright.research.promotion.gates import DocumentGates
from tidewright.risk.settings import OFF, RiskSettings

DECIDING = ("account", "execution", "risk", "seed", "signals", "strategies", "symbols")
"""Settings on which decisions depend; the others may change within one epoch."""


class Mode(StrEnum):
    """Whose money is traded."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """The account that is traded.

    Parameters
    ----------
    name : str
        Account name at the venue; part of every client order id.
    currency : str
        Currency that equity, limits and results are in.
    initial_balance : Decimal
        Money that a new paper account or a backtest starts with, > 0.
    """

    name: str = "main"
    currency: str = "USDT"
    initial_balance: Decimal = Decimal(10_000)

    def __post_init__(self) -> None:
        if not (self.initial_balance.is_finite() and self.initial_balance > 0):
            raise ConfigError(f"initial_balance was {self.initial_balance}; expected above 0")
        if not self.name.isascii() or not self.name.isalnum():
            raise ConfigError(f"account name was {self.name!r}; expected ASCII letters and digits")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The page and its API.

    Parameters
    ----------
    host : str
        Address to listen on; one that other machines reach needs ``allow_remote``.
    port : int
        TCP port, 0 to 65535; 0 lets the system choose.
    allow_remote : bool
        Whether other machines may reach the page.
    allowed_hosts : tuple of str
        Further host names under which a browser may reach it, such as a reverse proxy's.
    https : bool
        Whether browsers reach it by HTTPS, through a reverse proxy.
    session_timeout_minutes : float
        A login without a request for this long ends, > 0.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allow_remote: bool = False
    allowed_hosts: tuple[str, ...] = ()
    https: bool = False
    session_timeout_minutes: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ConfigError(f"port was {self.port}; expected 0 to 65535")
        if not self.session_timeout_minutes > 0:
            raise ConfigError(
                f"session_timeout_minutes was {self.session_timeout_minutes}; expected above 0"
            )
        if not (self.allow_remote or _loopback(self.host)):
            raise ConfigError(
                f"host was {self.host!r}, which other machines reach; expected 127.0.0.1, "
                "or allow_remote: true beside it"
            )


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the tables for pages and SQL users are kept; the journal is always in the home.

    Parameters
    ----------
    url : SecretStr
        SQLAlchemy URL, such as that of a PostgreSQL database; empty = the SQLite file ``path``.
    path : str
        SQLite file, relative to the home.
    busy_timeout_ms : int
        How long SQLite waits for a lock of another process, >= 0.
    """

    url: SecretStr = field(default_factory=lambda: SecretStr(""))
    path: str = "data/trading.db"
    busy_timeout_ms: int = 5_000

    def __post_init__(self) -> None:
        if self.busy_timeout_ms < 0:
            raise ConfigError(f"busy_timeout_ms was {self.busy_timeout_ms}; expected 0 or more")

    def resolved_url(self, home: Path) -> str:
        """Return the database URL of a home."""
        return self.url.get_secret_value() or f"sqlite:///{home / self.path}"


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """How opinions become trades.

    Parameters
    ----------
    min_confidence : float
        A signal below this final confidence is refused, 0 to 1.
    ml_weight : float
        Weight of a model's probability of success in the final confidence, 0 to 1.
    default_stops : bool
        Whether a written strategy that names no stop, target or trail of its own gets those of
        ``risk.stop_loss_atr_multiplier`` and ``risk.take_profit_atr_multiplier``.
    """

    min_confidence: float = 0.6
    ml_weight: float = 0.5
    default_stops: bool = False

    def __post_init__(self) -> None:
        for name in ("min_confidence", "ml_weight"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 0 to 1")


@dataclass(frozen=True, slots=True)
class BinanceSettings:
    """Binance's public market data.

    Parameters
    ----------
    history_url : str
        Where candles are fetched from by REST.
    timeout_seconds : float
        Longest wait for one answer, > 0.
    max_retry_attempts : int
        Repetitions of a call that failed in passing, >= 0.
    base_retry_delay_seconds : float
        First pause before a repetition, doubled each time, >= 0.
    """

    history_url: str = "https://data-api.binance.vision"
    timeout_seconds: float = 10.0
    max_retry_attempts: int = 5
    base_retry_delay_seconds: float = 1.0

    def __post_init__(self) -> None:
        if not self.history_url.startswith(("http://", "https://")):
            raise ConfigError(f"history_url was {self.history_url!r}; expected http(s)://...")
        if not self.timeout_seconds > 0:
            raise ConfigError(f"timeout_seconds was {self.timeout_seconds}; expected above 0")
        for name in ("max_retry_attempts", "base_retry_delay_seconds"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} was {getattr(self, name)}; expected 0 or more")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a person can set.

    Parameters
    ----------
    mode : Mode
        ``paper`` or ``live``; live needs ``live_confirmed``.
    live_confirmed : bool
        Whether the person has understood that live mode trades real money.
    seed : int
        Seed of the made-up market and of the paper venue's draws, >= 0.
    loop_seconds : float
        Pause between two looks at timers and commands when no data comes, > 0.
    symbols : tuple of str
        Instruments to trade; empty = all that the feed carries.
    asset_classes : tuple of AssetClass
        Kinds of instrument to trade (``crypto``, ``stock``, ``forex``, ``option``); empty = all.
    strategies : tuple of str
        Library names or files of the strategies to run.
    account, server, database, signals, data, risk, execution, paper, binance, promotion
        The sections.
    notes : tuple of str
        What a person should be told about the configuration; set on loading.
    """

    mode: Mode = Mode.PAPER
    live_confirmed: bool = False
    seed: int = 1
    loop_seconds: float = 10.0
    symbols: tuple[str, ...] = ()
    asset_classes: tuple[AssetClass, ...] = ()
    strategies: tuple[str, ...] = ("sma_cross",)
    account: AccountSettings = field(default_factory=AccountSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    signals: SignalSettings = field(default_factory=SignalSettings)
    data: BarRules = field(default_factory=BarRules)
    risk: RiskSettings = field(default_factory=RiskSettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    paper: PaperSettings = field(default_factory=PaperSettings)
    binance: BinanceSettings = field(default_factory=BinanceSettings)
    promotion: DocumentGates = field(default_factory=DocumentGates)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode is Mode.LIVE and not self.live_confirmed:
            raise ConfigError(
                "mode was live; expected live_confirmed: true beside it, since real money is traded"
            )
        if not 0 <= self.seed < 2**63:
            raise ConfigError(f"seed was {self.seed}; expected 0 to 2**63 - 1")
        if not self.loop_seconds > 0:
            raise ConfigError(f"loop_seconds was {self.loop_seconds}; expected above 0")
        # What is filled in from another section has limits of its own.
        self.risk_settings()
        self.paper_settings()

    def risk_settings(self) -> RiskSettings:
        """Return what the room ``risk`` takes, with the confidence and age set elsewhere."""
        age = math.ceil(self.data.max_data_age_minutes)
        return replace(
            self.risk,
            min_confidence=Decimal(repr(self.signals.min_confidence)),
            max_data_age_minutes=age or self.risk.max_data_age_minutes,
        )

    def execution_settings(self) -> ExecutionSettings:
        """Return what the room ``execution`` takes."""
        return self.execution

    def paper_settings(self) -> PaperSettings:
        """Return what the paper venue takes, with the balance and currency of the account."""
        return replace(
            self.paper,
            initial_balance=self.account.initial_balance,
            currency=self.account.currency,
        )

    def without_pilot(self) -> Settings:
        """Return these settings without a pilot's loss budget, which no backtest has."""
        return replace(self, risk=replace(self.risk, pilot_loss_budget=OFF))

    def bar_rules(self) -> BarRules:
        """Return the limits for incoming bars."""
        return self.data

    def decision_document(self) -> str:
        """Return the settings on which decisions depend, in one written form."""
        chosen = {name: getattr(self, name) for name in DECIDING}
        chosen["risk"] = self.risk_settings()
        document = {
            name: asdict(value) if hasattr(value, "__dataclass_fields__") else value
            for name, value in chosen.items()
        }
        return json.dumps(document, sort_keys=True, default=plain, allow_nan=False)

    def settings_digest(self) -> str:
        """Return the digest of `decision_document`, 32 hexadecimal digits."""
        return blake2b(self.decision_document().encode(), digest_size=16).hexdigest()


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

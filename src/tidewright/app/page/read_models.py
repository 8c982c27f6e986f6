"""What the page and scripts read: one frozen model per thing shown.

Money, prices and quantities are exact decimals, written as text; chart values and ratios are
floats. Times are whole milliseconds UTC, since a browser cannot hold nanoseconds. Percentages
name their base in the field's description. `None` means unknown, never zero.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from tidewright.domain.events import TradingState
from tidewright.domain.facts import Severity
from tidewright.domain.instrument import AssetClass
from tidewright.domain.orders import Leg, OrderState, OrderType, Side
from tidewright.domain.signals import Direction, TriggerType

Exact = Annotated[
    Decimal, PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json")
]
"""An exact decimal, written without exponent."""

SettingValue = str | int | float | bool | None | list[str]
"""Value of a setting as it is shown."""


class Mode(StrEnum):
    """Whose money and whose prices."""

    SIMULATED = "simulated"
    PAPER = "paper"
    LIVE = "live"


class Role(StrEnum):
    """What a caller may do; each role includes the ones before it."""

    PUBLIC = "public"
    VIEWER = "viewer"
    OPERATOR = "operator"


class SignalStatus(StrEnum):
    """What became of a signal in the step that formed it."""

    APPROVED = "approved"
    REFUSED = "refused"
    NOTED = "noted"


class ReadModel(BaseModel):
    """Base of every read model: frozen, closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Indicator(ReadModel):
    """A column that the strategy declared."""

    label: str = Field(description="Name and parameters, such as sma(10).")
    pane: Literal["price", "volume", "own"] = Field(
        description="Drawn over the price, over the volume, or in a pane of its own."
    )


class InstrumentView(ReadModel):
    """One tradable thing."""

    id: str
    venue: str
    base: str
    quote: str
    asset_class: AssetClass
    tick_size: Exact
    lot_size: Exact
    price_decimals: int
    quantity_decimals: int
    source: str


class Quote(ReadModel):
    """The newest price of an instrument: of the moving candle, else the latest close."""

    instrument: str
    last: Exact | None
    day_change_percent: float | None = Field(
        description="Change since the first price of the UTC day, percent of that price."
    )


class Status(ReadModel):
    """The first glance."""

    mode: Mode
    state: TradingState
    state_since_ms: int | None
    state_actor: str
    state_reason: str
    strategy: str
    timeframe: str
    currency: str
    sequence: int
    equity: Exact | None
    day_pnl: Exact | None = Field(description="Equity now less equity at 00:00 UTC.")
    day_pnl_percent: float | None = Field(description="Percent of equity at 00:00 UTC.")
    total_pnl: Exact | None = Field(description="Equity now less equity at the start of trading.")
    total_pnl_percent: float | None = Field(description="Percent of starting equity.")
    benchmark_percent: float | None = Field(
        description="Return of holding the universe in equal parts since the start of trading."
    )
    drawdown_percent: float | None = Field(description="Equity below its peak, percent of peak.")
    max_drawdown_percent: float | None
    open_risk: Exact = Field(description="Loss if every working stop filled at its price now.")
    open_risk_percent: float | None = Field(description="Percent of equity.")
    unprotected: int = Field(description="Open positions without a working stop.")
    feed_live: bool
    feed_detail: str
    feed_received_ms: int | None = Field(description="Wall clock of the last input.")
    market_time_ms: int | None = Field(description="Time of the last input in the market's time.")
    server_time_ms: int
    defects: int = Field(description="Data kept out of trading so far.")
    indicators: list[Indicator]
    book: bool = Field(description="Whether the feed has order books that can be looked at.")


class Candle(ReadModel):
    """One bar with the strategy's columns."""

    time_ms: int = Field(description="Open time.")
    open: float
    high: float
    low: float
    close: float
    volume: float = Field(description="Quantity in the base unit.")
    columns: dict[str, float | None] = Field(description="Indicator values known at its close.")


class Candles(ReadModel):
    """Bars of one instrument."""

    instrument: str
    timeframe: str
    rows: list[Candle]


class EquityPoint(ReadModel):
    """Equity at one moment."""

    time_ms: int
    equity: float
    benchmark: float
    drawdown_percent: float = Field(description="Worst since the point before, percent of peak.")


class EquitySeries(ReadModel):
    """Equity against buying and holding the universe in equal parts."""

    initial: Exact | None
    currency: str
    points: list[EquityPoint]


class PositionView(ReadModel):
    """An open position."""

    strategy: str
    instrument: str
    side: Side
    quantity: Exact
    entry_price: Exact
    mark_price: Exact | None
    value: Exact | None
    unrealised: Exact | None = Field(description="At the latest close, before fees.")
    unrealised_percent: float | None = Field(description="Percent of what the position cost.")
    realised: Exact
    fees: Exact
    stop_price: Exact | None
    target_price: Exact | None
    risk: Exact | None = Field(description="Loss from the latest close to the stop.")
    opened_ms: int
    client_id: str


class OrderView(ReadModel):
    """What is known of an order."""

    client_id: str
    strategy: str
    instrument: str
    side: Side
    leg: Leg
    order_type: OrderType
    state: OrderState
    quantity: Exact
    filled: Exact
    average_price: Exact | None
    limit_price: Exact | None
    fees: Exact
    decided_ms: int
    updated_ms: int
    reason: str


class FillView(ReadModel):
    """One execution."""

    trade_id: str
    client_id: str
    strategy: str
    instrument: str
    side: Side
    leg: Leg | None
    quantity: Exact
    price: Exact
    fee: Exact
    slippage_ticks: int
    time_ms: int


class TradeView(ReadModel):
    """A round trip."""

    id: int
    strategy: str
    instrument: str
    side: Side
    quantity: Exact
    entry_ms: int
    exit_ms: int
    entry_price: Exact
    exit_price: Exact
    fees: Exact
    pnl: Exact = Field(description="Profit after fees.")
    pnl_percent: float | None = Field(description="Percent of the entry value.")
    exit_reason: str


class SignalView(ReadModel):
    """An opinion and what became of it."""

    id: int
    strategy: str
    instrument: str
    direction: Direction
    confidence: float
    reason: str
    trigger: TriggerType
    status: SignalStatus
    flow: list[str] = Field(description="Names of the events of its step, in order.")
    time_ms: int


class RefusalView(ReadModel):
    """A signal that led to no order, with the limit it met."""

    id: int
    strategy: str
    instrument: str
    direction: Direction
    confidence: float
    reason: str
    rule: str
    limit: str
    value: str
    message: str
    time_ms: int


class AlertView(ReadModel):
    """Something a person should know."""

    id: int
    severity: Severity
    code: str
    message: str
    instrument: str
    time_ms: int


class DailyResult(ReadModel):
    """One UTC day."""

    day: str
    equity: Exact
    pnl: Exact
    return_percent: float | None = Field(description="Percent of the equity of the day before.")


class Performance(ReadModel):
    """Figures of the whole run; ratios are unknown until there is enough to say."""

    trades: int
    wins: int
    losses: int
    win_rate_percent: float | None
    total_return_percent: float | None
    benchmark_percent: float | None
    max_drawdown_percent: float | None
    profit_factor: float | None = Field(description="Gross profit divided by gross loss.")
    sharpe: float | None = Field(description="Of daily returns, annualised over 365 days.")
    sortino: float | None = Field(description="Of daily returns, annualised over 365 days.")
    var_95_daily_percent: float | None = Field(
        description="Loss that the worst twentieth of days exceeded, percent of equity."
    )
    fees: Exact
    daily: list[DailyResult]


class LevelView(ReadModel):
    """All orders of one side at one price."""

    price: Exact
    quantity: Exact = Field(description="What is shown of them, in the base unit.")


class PublicTradeView(ReadModel):
    """A trade of the market, whoever made it."""

    id: int
    price: Exact
    quantity: Exact
    side: Side = Field(description="Of whoever took.")
    time_ms: int


class BookView(ReadModel):
    """An order book and the last trades, at one moment of the market's time."""

    instrument: str
    time_ms: int
    bids: list[LevelView] = Field(description="Best first.")
    asks: list[LevelView] = Field(description="Best first.")
    trades: list[PublicTradeView] = Field(description="Oldest first.")


class Snapshot(ReadModel):
    """Everything the page shows except candles."""

    type: Literal["snapshot"] = "snapshot"
    status: Status
    instruments: list[InstrumentView]
    quotes: list[Quote]
    equity: EquitySeries
    positions: list[PositionView]
    orders: list[OrderView]
    fills: list[FillView]
    trades: list[TradeView]
    signals: list[SignalView]
    refusals: list[RefusalView]
    alerts: list[AlertView]


class Delta(ReadModel):
    """What changed since the message before: new items, and whole small lists."""

    type: Literal["delta"] = "delta"
    status: Status
    quotes: list[Quote]
    bars: dict[str, list[Candle]]
    forming: dict[str, Candle]
    stale_candles: list[str] = Field(
        description="Instruments with more new bars than fit; ask for their candles again."
    )
    equity: list[EquityPoint]
    positions: list[PositionView]
    orders: list[OrderView]
    fills: list[FillView]
    trades: list[TradeView]
    signals: list[SignalView]
    refusals: list[RefusalView]
    alerts: list[AlertView]

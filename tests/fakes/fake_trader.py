"""A trader that feeds a `LiveView` with made-up slices, for tests of the page and its API.

It decides nothing: prices come from a small generator, and every so often it plays one round trip,
one refusal and one alert. Its Services answer as the real ones do.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from decimal import Decimal

from tidewright.app.page.queries import Login
from tidewright.app.page.read_models import Mode, Role, SettingValue
from tidewright.app.page.view import Heading, LiveView
from tidewright.domain.events import Slice, TradingState
from tidewright.domain.facts import (
    AlertLogged,
    Fact,
    OrderExecuted,
    OrderPlaced,
    OrderUpdated,
    Outcome,
    PositionUpdated,
    RiskChecked,
    Severity,
    SignalGenerated,
    SignalRejected,
    TradeClosed,
    TradingStateChanged,
)
from tidewright.domain.instrument import AssetClass, Instrument
from tidewright.domain.market import Bar
from tidewright.domain.orders import (
    Bracket,
    Fill,
    Leg,
    LimitCheck,
    OrderIntent,
    OrderRecord,
    OrderState,
    OrderType,
    Side,
    client_order_id,
    leg_client_id,
)
from tidewright.domain.portfolio import Position, Trade
from tidewright.domain.signals import Direction, Signal, TriggerType
from tidewright.domain.time import MINUTE, iso

START = 1_700_006_400_000_000_000 // MINUTE * MINUTE
STRATEGY = "sma_cross"
REASON = "crosses_above(sma(10), sma(50)) and rsi(14) < 70"
CASH = 10_000 * 10**8
INDICATORS = ("close", "sma(10)", "sma(50)", "rsi(14)")
PRICES = {
    "ADAUSDT": "0.4123",
    "BNBUSDT": "312.40",
    "BTCUSDT": "37412.50",
    "ETHUSDT": "2054.12",
    "SOLUSDT": "58.310",
    "XRPUSDT": "0.6121",
}


def universe() -> list[Instrument]:
    """Instruments of the fake market."""
    found = []
    for name, price in PRICES.items():
        tick = Decimal(1).scaleb(int(Decimal(price).as_tuple().exponent))
        lot = Decimal("0.00001") if Decimal(price) > 1000 else Decimal("0.01")
        base = name.removesuffix("USDT")
        found.append(
            Instrument(name, "paper", base, "USDT", AssetClass.CRYPTO, tick, lot, source="fake")
        )
    return found


class FakeLogin:
    """One known secret and one known token."""

    def __init__(self, secret: str = "correct horse", token: str = "once") -> None:
        self.secret = secret
        self.tokens = {token: Role.OPERATOR, "look": Role.VIEWER}

    def verify(self, secret: str) -> Role | None:
        return Role.OPERATOR if secret == self.secret else None

    def redeem(self, token: str) -> Role | None:
        return self.tokens.pop(token, None)


class _Market:
    """Bars of one instrument: a drifting sine with noise from a linear congruential generator."""

    def __init__(self, instrument: Instrument, index: int) -> None:
        self.instrument = instrument
        self.index = index
        self.ticks = instrument.ticks(Decimal(PRICES[instrument.id]))
        self.scale = max(1, self.ticks // 900)
        self.seed = 12345 + index
        self.closes: list[int] = []

    def noise(self) -> float:
        self.seed = (1103515245 * self.seed + 12345) % 2**31
        return self.seed / 2**30 - 1.0

    def bar(self, step: int) -> Bar:
        opened = self.ticks
        drift = 0.35 * math.sin((step + 25 * self.index) / 23.0)
        close = max(1, round(opened + self.scale * (drift + self.noise())))
        high = max(opened, close) + round(self.scale * abs(self.noise()) * 0.6)
        low = max(1, min(opened, close) - round(self.scale * abs(self.noise()) * 0.6))
        self.ticks = close
        self.closes = [*self.closes[-60:], close]
        volume = round(3_000 * (1.2 + self.noise()))
        ts = START + step * MINUTE
        return Bar(self.instrument.id, "1m", ts, ts + MINUTE, opened, high, low, close, volume)

    def columns(self) -> Mapping[str, float]:
        numerator, denominator = self.instrument.price_ratio

        def mean(count: int) -> float:
            if len(self.closes) < count:
                return math.nan
            return sum(self.closes[-count:]) / count * numerator / denominator

        moves = [b - a for a, b in zip(self.closes[-15:-1], self.closes[-14:], strict=False)]
        ups, downs = sum(m for m in moves if m > 0), -sum(m for m in moves if m < 0)
        rsi = 100.0 * ups / (ups + downs) if len(moves) >= 13 and ups + downs else math.nan
        return {"close": mean(1), "sma(10)": mean(10), "sma(50)": mean(50), "rsi(14)": rsi}


class FakeTrader:
    """Drives a view; `step` makes one slice, `run` makes them in a thread.

    Parameters
    ----------
    mode : Mode
        Shown mode.
    """

    def __init__(self, mode: Mode = Mode.SIMULATED) -> None:
        self.instruments = universe()
        self.markets = {i.id: _Market(i, n) for n, i in enumerate(self.instruments)}
        self.view = LiveView(
            self.instruments,
            Heading(mode, STRATEGY, "1m", indicators=INDICATORS),
            columns=lambda name: self.markets[name].columns(),
        )
        self._login = FakeLogin()
        self.commands: list[tuple[TradingState, str, str]] = []
        self.fail_halt: Exception | None = None
        self.count = 0
        self.cash = CASH
        self.held: dict[str, tuple[Position, int]] = {}
        self.pending: list[Fact] = []
        self.state = TradingState.ACTIVE
        self._stop = threading.Event()
        self._lock = threading.Lock()

    @property
    def login(self) -> Login:
        return self._login

    def halt(self, actor: str, reason: str) -> None:
        if self.fail_halt is not None:
            raise self.fail_halt
        self._order(TradingState.HALTED, actor, reason)

    def resume(self, actor: str, reason: str) -> None:
        self._order(TradingState.ACTIVE, actor, reason)

    def settings(self) -> Mapping[str, Mapping[str, SettingValue]]:
        return {"risk": {"risk_per_trade_percent": 1.0, "max_drawdown_percent": 15.0}}

    def step(self) -> Outcome:
        """Publish one slice."""
        with self._lock:
            self.count += 1
            step = self.count
            bars = tuple(market.bar(step) for market in self.markets.values())
            facts = [*self.pending, *self._play(step, bars)]
            self.pending = []
            equity = self.cash + sum(
                _money(self.markets[name].instrument, self.markets[name].ticks, position.lots)
                for name, (position, _) in self.held.items()
            )
            outcome = Outcome(step, bars[0].ts_known, equity, tuple(facts))
            self.view.publish(Slice(bars[0].ts_known, bars), outcome)
            if any(isinstance(fact, OrderExecuted) for fact in facts):
                # What a venue reports at the time of a bar is a step of its own.
                after = Outcome(step, bars[0].ts_known, equity)
                self.view.publish(Slice(bars[0].ts_known, ()), after)
            return outcome

    def run(self, seconds: float = 0.25, warm: int = 400) -> Callable[[], None]:
        """Publish slices in a thread until the function returned here is called."""
        for _ in range(warm):
            self.step()

        def loop() -> None:
            while not self._stop.wait(seconds / 4):
                with self._lock:
                    for name, market in self.markets.items():
                        self.view.forming(name, self._forming(market))
                if self._stop.wait(seconds * 3 / 4):
                    return
                self.step()

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()

        def stop() -> None:
            self._stop.set()
            thread.join(10)

        return stop

    def _forming(self, market: _Market) -> Bar:
        ts = START + (self.count + 1) * MINUTE
        ticks = market.ticks
        return Bar(market.instrument.id, "1m", ts, ts + MINUTE, ticks, ticks, ticks, ticks, 100)

    def _order(self, state: TradingState, actor: str, reason: str) -> None:
        with self._lock:
            self.commands.append((state, actor, reason))
            if state is not self.state:
                self.pending.append(TradingStateChanged(self.state, state, actor, reason))
                self.state = state

    def _play(self, step: int, bars: tuple[Bar, ...]) -> list[Fact]:
        facts: list[Fact] = []
        for index, bar in enumerate(bars):
            phase = (step + 17 * index) % 101
            if bar.instrument in self.held:
                _, opened = self.held[bar.instrument]
                if step - opened >= 30 + 7 * index:
                    facts += self._leave(bar)
            elif phase == 20 and self.state is TradingState.ACTIVE and step > 55:
                facts += self._enter(step, bar)
            elif phase == 70 and step > 55:
                facts += self._refuse(step, bar)
        return facts

    def _signal(self, bar: Bar, direction: Direction, reason: str = REASON) -> Signal:
        confidence = 0.6 + bar.close % 30 / 100
        return Signal(
            STRATEGY, bar.instrument, direction, confidence, 0, reason, TriggerType.RULE,
            bar.ts_known,
        )  # fmt: skip

    def _intent(self, step: int, bar: Bar, side: Side, leg: Leg, lots: int) -> OrderIntent:
        identifier = client_order_id("home", "main", STRATEGY, bar.instrument, step)
        stop, target = bar.close - bar.close // 70, bar.close + bar.close // 45
        return OrderIntent(
            leg_client_id(identifier, leg), STRATEGY, bar.instrument, side, leg, OrderType.MARKET,
            lots, bar.close, bar.ts_known, 0.7, REASON,
            bracket=Bracket(stop, target) if leg is Leg.ENTRY else None,
        )  # fmt: skip

    def _enter(self, step: int, bar: Bar) -> list[Fact]:
        instrument = self.markets[bar.instrument].instrument
        lots = max(1, 900 * 10**8 // max(1, _money(instrument, bar.close, 1)))
        intent = self._intent(step, bar, Side.BUY, Leg.ENTRY, lots)
        fee = _money(instrument, bar.close, lots) // 1000
        fill = Fill(
            f"t{step}", intent.client_id, bar.instrument, Side.BUY, lots, bar.close, fee, False,
            bar.ts_known,
        )  # fmt: skip
        cost = _money(instrument, bar.close, lots)
        self.cash -= cost + fee
        bracket = intent.bracket or Bracket()
        position = Position(
            STRATEGY, bar.instrument, lots, cost, fee, bar.ts_known, intent.client_id,
            bracket.stop_ticks, bracket.target_ticks,
        )  # fmt: skip
        self.held[bar.instrument] = position, step
        record = OrderRecord(intent, OrderState.SENT, ts_updated=bar.ts_known)
        filled = OrderRecord(
            intent, OrderState.FILLED, lots, lots * bar.close, fee, ts_updated=bar.ts_known
        )
        check = LimitCheck("max_position_size_percent", "10 %", "9.0 %")
        return [
            SignalGenerated(self._signal(bar, Direction.LONG)),
            RiskChecked(intent, True, (check,)),
            OrderPlaced(record),
            OrderUpdated(filled),
            OrderExecuted(fill, STRATEGY, self.cash, 1),
            PositionUpdated(position),
        ]

    def _leave(self, bar: Bar) -> list[Fact]:
        position, opened = self.held.pop(bar.instrument)
        instrument = self.markets[bar.instrument].instrument
        value = _money(instrument, bar.close, position.lots)
        fee = value // 1000
        self.cash += value - fee
        client_id = leg_client_id(position.client_id, Leg.EXIT)
        fill = Fill(
            f"x{opened}", client_id, bar.instrument, Side.SELL, position.lots, bar.close, fee,
            False, bar.ts_known,
        )  # fmt: skip
        entry = round(position.cost / _money(instrument, 1, 10**6) * 10**6)
        trade = Trade(
            STRATEGY, bar.instrument, Side.BUY, position.lots, position.ts_opened, bar.ts_known,
            entry, bar.close * position.lots, position.lots, position.lots, position.fees + fee,
            value - position.cost - position.fees - fee, position.client_id, "signal",
        )  # fmt: skip
        closed = Position(
            STRATEGY, bar.instrument, 0, 0, position.fees + fee, position.ts_opened,
            position.client_id,
        )  # fmt: skip
        return [
            SignalGenerated(self._signal(bar, Direction.FLAT, "crosses_below(sma(10), sma(50))")),
            OrderExecuted(fill, STRATEGY, self.cash, -1),
            PositionUpdated(closed),
            TradeClosed(trade),
        ]

    def _refuse(self, step: int, bar: Bar) -> list[Fact]:
        signal = self._signal(bar, Direction.LONG)
        rejected = SignalRejected(
            signal, "max_position_size_percent", "10 %", "11.4 %",
            "The position would be larger than the limit on one instrument.",
        )  # fmt: skip
        severity = Severity.WARNING if step % 2 else Severity.INFO
        alert = AlertLogged(
            severity, "signal_rejected",
            f"{bar.instrument}: entries are refused until {iso(bar.ts_known + 30 * MINUTE)}.",
            bar.instrument,
        )  # fmt: skip
        return [SignalGenerated(signal), rejected, alert]


def _money(instrument: Instrument, ticks: int, lots: int) -> int:
    numerator, denominator = instrument.value_ratio
    return round(ticks * lots * numerator / denominator)


def main() -> None:
    """Serve the page over a fake trader on port 8000, for work on the page."""
    import uvicorn

    from tidewright.servers.api.application import create_api

    trader = FakeTrader()
    trader._login.tokens = {f"once{n}": Role.OPERATOR for n in range(100)}
    trader.run(1.0)
    uvicorn.run(create_api(trader), host="127.0.0.1", port=8000, access_log=False)


if __name__ == "__main__":
    main()

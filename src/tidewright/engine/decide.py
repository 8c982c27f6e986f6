"""From columns to commands: Signal -> Target -> OrderIntent -> ApprovedOrder.

All instruments that gained a bar are evaluated once. Exits come first, in the order of the bars;
entries are ranked by confidence, then by instrument id, and each one sees the account as the ones
before it left it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from tidewright.domain.facts import (
    AlertLogged,
    Command,
    Fact,
    RiskChecked,
    Severity,
    SignalGenerated,
    SignalRejected,
    SubmitOrder,
)
from tidewright.domain.orders import (
    MAX_PARTS,
    ApprovedOrder,
    Bracket,
    BracketPart,
    Leg,
    OrderIntent,
    OrderType,
    RefusedOrder,
    Side,
    client_order_id,
    leg_client_id,
)
from tidewright.domain.signals import Direction, Signal, Target, TriggerType
from tidewright.engine.config import StrategySetup
from tidewright.engine.portfolio import Holding
from tidewright.engine.series import Float64, Series, Track
from tidewright.engine.state import EngineState
from tidewright.kernels.brackets import distance_ticks
from tidewright.kernels.edge import NO_TRADES
from tidewright.kernels.limits import PPM
from tidewright.kernels.parts import part_lots, risked_ticks
from tidewright.kernels.sizing import yearly_ticks
from tidewright.risk.account import AccountView
from tidewright.risk.gate import SizingRefusal, SizingRequest
from tidewright.risk.sizing import year_root_ppm
from tidewright.strategy.compile import Output
from tidewright.strategy.outputs import TIERS
from tidewright.strategy.spec import Tier

_ENTRY_LONG, _EXIT_LONG = int(Output.ENTRY_LONG), int(Output.EXIT_LONG)
_ENTRY_SHORT, _EXIT_SHORT = int(Output.ENTRY_SHORT), int(Output.EXIT_SHORT)


_Three = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry signal with the distances that its strategy gave, in ticks; 0 means none."""

    signal: Signal
    track: Track
    setup: StrategySetup
    stop: int
    target: int
    trail: int
    limit_offset: int
    yearly: int
    share_ppm: int = PPM
    shares: tuple[int, int, int] = (0, 0, 0)
    stops: tuple[int, int, int] = (0, 0, 0)
    targets: tuple[int, int, int] = (0, 0, 0)


class Decider:
    """Evaluates strategies and turns what they say into orders that risk approved.

    Parameters
    ----------
    state : EngineState
        What it reads, and where its orders are placed.
    """

    def __init__(self, state: EngineState) -> None:
        self._state = state

    def evaluate(
        self,
        touched: Sequence[tuple[Track, Series]],
        equity: int,
        facts: list[Fact],
        commands: list[Command],
        *,
        entries_open: bool,
    ) -> None:
        """Evaluate every series that gained a bar and append what follows.

        Positions are left whenever a rule says so; entries are made inside the window only.
        """
        state = self._state
        holdings = state.portfolio.holdings
        setups = state.config.strategies
        entries: list[_Entry] = []
        for track, series in touched:
            name = track.instrument.id
            for watch in series.watches:
                outputs = watch.evaluator.evaluate(watch.rows.current, watch.rows.previous)
                setup = setups[watch.index]
                holding = holdings.get(name)
                if holding is None:
                    if outputs[_ENTRY_LONG] == 1.0:
                        self._enter(track, setup, Direction.LONG, outputs, entries)
                    elif outputs[_ENTRY_SHORT] == 1.0:
                        self._enter(track, setup, Direction.SHORT, outputs, entries)
                elif holding.strategy == setup.strategy.name:
                    reason = _exit_reason(track, series, setup, holding, outputs)
                    if reason is not None:
                        self._leave(track, holding, reason, equity, facts, commands)
        if entries and entries_open:
            entries.sort(key=lambda entry: (-entry.signal.confidence, entry.signal.instrument))
            for entry in entries:
                self._place_entry(entry, equity, facts, commands)

    def _enter(
        self,
        track: Track,
        setup: StrategySetup,
        direction: Direction,
        outputs: Float64,
        entries: list[_Entry],
    ) -> None:
        name = track.instrument.id
        orders = self._state.orders.working_for(name)
        if any(order.intent.leg is Leg.ENTRY for order in orders):
            return
        numerator, denominator = track.tick
        signal = Signal(
            strategy=setup.strategy.name,
            instrument=name,
            direction=direction,
            confidence=float(outputs[Output.CONFIDENCE]),
            horizon=0,
            reason=setup.reasons.get(f"entry.{direction.value}", ""),
            trigger_type=TriggerType.RULE,
            ts_known=self._state.ts_known,
        )

        def ticks(output: Output) -> int:
            return int(distance_ticks(float(outputs[output]), numerator, denominator))

        entry = _Entry(
            signal,
            track,
            setup,
            ticks(Output.STOP_DISTANCE),
            ticks(Output.TARGET_DISTANCE),
            ticks(Output.TRAIL_DISTANCE),
            ticks(Output.LIMIT_OFFSET),
            self._yearly_ticks(track, setup, float(outputs[Output.SIZE])),
        )
        entries.append(_tiered(entry, setup.tiers, ticks) if setup.tiers else entry)

    def _yearly_ticks(self, track: Track, setup: StrategySetup, deviation: float) -> int:
        """Return the standard deviation of a year from that of one bar; 0 where it is unknown."""
        if not deviation > 0:
            return 0
        timeframe = setup.timeframe or self._state.config.feed_timeframe
        root = year_root_ppm(track.instrument.asset_class, timeframe)
        return int(yearly_ticks(deviation, root, *track.tick))

    def _place_entry(
        self, entry: _Entry, equity: int, facts: list[Fact], commands: list[Command]
    ) -> None:
        state = self._state
        signal = entry.signal
        if state.orders.working_for(signal.instrument) or (
            signal.instrument in state.portfolio.holdings
        ):
            facts.append(SignalGenerated(signal))
            facts.append(
                SignalRejected(
                    signal,
                    "instrument_taken",
                    "one position per instrument",
                    signal.instrument,
                    "Another strategy's order or position already holds this instrument.",
                )
            )
            return
        facts.append(SignalGenerated(signal))
        barred = state.gate.standing(signal, state.ts_known)
        if barred is not None:
            facts.append(_rejected(signal, barred))
            return
        account = state.account_view(equity)
        sizing = entry.setup.sizing
        fallback = sizing.fallback
        sized = state.gate.size(
            SizingRequest(
                signal=signal,
                method=sizing.method,
                value=sizing.value,
                reference_ticks=entry.track.mark,
                stop_ticks=entry.stop or entry.trail,
                yearly_ticks=entry.yearly,
                trades=state.trade_sums.get(signal.strategy, NO_TRADES),
                fallback=(fallback.method, fallback.value) if fallback else None,
                share_ppm=entry.share_ppm,
            ),
            account,
        )
        if isinstance(sized, SizingRefusal):
            facts.append(_rejected(signal, sized))
            return
        intent = self._entry_intent(entry, sized)
        self._check(intent, signal, account, facts, commands)

    def _entry_intent(self, entry: _Entry, target: Target) -> OrderIntent:
        state = self._state
        signal, mark = entry.signal, entry.track.mark
        side = Side.BUY if target.lots > 0 else Side.SELL
        sign = side.sign
        bracket = _bracket_of(entry, mark, sign, abs(target.lots))
        limit = max(mark - sign * entry.limit_offset, 1) if entry.limit_offset else None
        return OrderIntent(
            client_id=self._client_id(signal.strategy, signal.instrument, Leg.ENTRY),
            strategy=signal.strategy,
            instrument=signal.instrument,
            side=side,
            leg=Leg.ENTRY,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            lots=abs(target.lots),
            reference_ticks=mark,
            ts_decided=state.ts_known,
            confidence=signal.confidence,
            reason=signal.reason,
            limit_ticks=limit,
            expire_after_bars=entry.setup.expire_after_bars if limit is not None else 0,
            bracket=bracket if bracket != Bracket() else None,
        )

    def _leave(
        self,
        track: Track,
        holding: Holding,
        reason: str,
        equity: int,
        facts: list[Fact],
        commands: list[Command],
    ) -> None:
        state = self._state
        name = track.instrument.id
        working = state.orders.working_for(name)
        if any(order.intent.leg is Leg.EXIT for order in working):
            return
        signal = Signal(
            holding.strategy,
            name,
            Direction.FLAT,
            1.0,
            0,
            reason,
            TriggerType.RULE,
            state.ts_known,
        )
        facts.append(SignalGenerated(signal))
        # What is left of the entry would go on adding to what is being left.
        for order in working:
            if order.intent.leg is Leg.ENTRY:
                state.cancel(order.intent.client_id, facts, commands)
        intent = OrderIntent(
            client_id=self._client_id(signal.strategy, name, Leg.EXIT),
            strategy=signal.strategy,
            instrument=name,
            side=Side.SELL if holding.lots > 0 else Side.BUY,
            leg=Leg.EXIT,
            order_type=OrderType.MARKET,
            lots=abs(holding.lots),
            reference_ticks=track.mark,
            ts_decided=state.ts_known,
            confidence=1.0,
            reason=reason,
            reduce_only=True,
        )
        self._check(intent, signal, state.account_view(equity), facts, commands)

    def _check(
        self,
        intent: OrderIntent,
        signal: Signal,
        account: AccountView,
        facts: list[Fact],
        commands: list[Command],
    ) -> None:
        state = self._state
        decision = state.gate.check(intent, account)
        if isinstance(decision, ApprovedOrder):
            facts.append(RiskChecked(decision.intent, True, decision.checks))
            facts.append(state.orders.place(decision, state.ts_known))
            commands.append(SubmitOrder(decision))
            return
        facts.append(RiskChecked(intent, False, ()))
        facts.append(_rejected(signal, decision))
        facts += state.gate.take_facts()
        if intent.reduce_only:
            facts.append(
                AlertLogged(Severity.CRITICAL, "EXIT_REFUSED", decision.message, intent.instrument)
            )

    def _client_id(self, strategy: str, instrument: str, leg: Leg) -> str:
        config = self._state.config
        stem = client_order_id(
            config.home, config.account, strategy, instrument, self._state.sequence
        )
        return leg_client_id(stem, leg)


def _rejected(signal: Signal, refusal: SizingRefusal | RefusedOrder) -> SignalRejected:
    return SignalRejected(signal, refusal.rule, refusal.limit, refusal.value, refusal.message)


def _tiered(entry: _Entry, tiers: Sequence[Tier], ticks: Callable[[Output], int]) -> _Entry:
    """Return an entry with the distances of its parts, or with those of the tier that is chosen."""
    found = [(ticks(stop), ticks(target)) for stop, target in TIERS[: len(tiers)]]
    if tiers[0].from_confidence is not None:
        place = chosen_tier(entry.signal.confidence, tiers)
        stop, target = found[place]
        return replace(entry, stop=stop, target=target, share_ppm=tiers[place].share_ppm)
    rest = (0,) * (MAX_PARTS - len(tiers))
    shares = cast("_Three", (*(tier.share_ppm for tier in tiers), *rest))
    stops = cast("_Three", (*(stop for stop, _ in found), *rest))
    targets = cast("_Three", (*(target for _, target in found), *rest))
    return replace(
        entry, stop=int(risked_ticks(shares, stops)), shares=shares, stops=stops, targets=targets
    )


def chosen_tier(confidence: float, tiers: Sequence[Tier]) -> int:
    """Return the last tier whose confidence is reached."""
    return max(
        place
        for place, tier in enumerate(tiers)
        if place == 0 or (tier.from_confidence or 0.0) <= confidence
    )


def _bracket_of(entry: _Entry, mark: int, sign: int, lots: int) -> Bracket:
    """Return the protection of an entry of so many lots; parts without a lot are left out."""
    trail = entry.trail or None
    if not entry.shares[0]:
        return Bracket(
            stop_ticks=max(mark - sign * entry.stop, 1) if entry.stop else None,
            target_ticks=max(mark + sign * entry.target, 1) if entry.target else None,
            trail_ticks=trail,
        )
    parts = tuple(
        BracketPart(count, max(mark - sign * stop, 1), max(mark + sign * target, 1))
        for count, stop, target in zip(
            part_lots(lots, entry.shares, entry.stops), entry.stops, entry.targets, strict=True
        )
        if count
    )
    nearest_stop = sign * max(sign * part.stop_ticks for part in parts)
    nearest_target = sign * min(sign * part.target_ticks for part in parts)
    return Bracket(nearest_stop, nearest_target, trail, parts if len(parts) > 1 else ())


def _exit_reason(
    track: Track, series: Series, setup: StrategySetup, holding: Holding, outputs: Float64
) -> str | None:
    """Return why a position is to be left now; None when it is not."""
    long = holding.lots > 0
    if outputs[_EXIT_LONG if long else _EXIT_SHORT] == 1.0:
        return setup.reasons.get("exit.long" if long else "exit.short", "exit rule")
    if 0 < setup.time_stop_bars * series.bars_per_row <= track.bars - holding.opened_bar:
        return "time stop"
    return None

"""Long, lively and repeatable stories for a venue: bars, entries, exits, cancels and queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

from fakes.orders import bar, cancel, intent, leaving, query, submit
from tidewright.domain.events import VenueEvent
from tidewright.domain.orders import Bracket, BracketPart, Side
from tidewright.domain.ports import Broker

Action = Callable[[Broker], list[VenueEvent]]
PAIRS = ("BTCUSDT", "ETHUSDT")


class Dice:
    """Draws from a seed by hashing: the same in every process and on every machine."""

    def __init__(self, seed: int) -> None:
        self._seed, self._count = seed, 0

    def roll(self, sides: int) -> int:
        self._count += 1
        digest = blake2b(f"{self._seed}/{self._count}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % sides


def story(seed: int, bars: int) -> Iterator[list[Action]]:
    """Yield, bar by bar, what happens: first the bar of both pairs, then the commands."""
    dice = Dice(seed)
    prices = dict.fromkeys(PAIRS, 10_000)
    ids: list[str] = []
    for index in range(bars):
        shown = []
        for name in PAIRS:
            open_ = prices[name] + dice.roll(41) - 20
            ends = open_ + dice.roll(161) - 80
            high = max(open_, ends) + dice.roll(60)
            low = min(open_, ends) - dice.roll(60)
            volume = 200 + dice.roll(2_000)
            shown.append(bar(index, open_, high, low, ends, volume=volume, name=name))
            prices[name] = ends
        actions: list[Action] = [_do(lambda broker, shown=shown: broker.observe(shown))]
        for name in PAIRS:
            actions += _commands(dice, index + 1, name, prices[name], ids)
        yield actions


def _do(call: Callable[..., Any]) -> Action:
    return lambda broker: list(call(broker))


def _execute(command: Any) -> Action:
    return _do(lambda broker: broker.execute(command))


def _commands(dice: Dice, index: int, name: str, price: int, ids: list[str]) -> list[Action]:
    chance = dice.roll(10)
    number = len(ids)
    if chance < 3:
        client_id = f"s-{number:x}-e"
        ids.append(client_id)
        return [_execute(submit(_entry(dice, client_id, index, name, price)))]
    if chance == 3:
        client_id = f"s-{number:x}-x"
        ids.append(client_id)
        side = (Side.SELL, Side.BUY)[dice.roll(2)]
        limit = {} if dice.roll(2) else {"limit_ticks": price + dice.roll(61) - 30}
        order = leaving(
            client_id,
            index,
            instrument=name,
            side=side,
            lots=1 + dice.roll(300),
            reference_ticks=price,
            **limit,
        )
        return [_execute(submit(order))]
    if chance in (4, 5) and ids:
        client_id = ids[-1 - dice.roll(min(len(ids), 3))]
        leg = "eexstuwvy"[dice.roll(9)]
        kind = query if dice.roll(3) == 0 else cancel
        return [_execute(kind(f"{client_id[:-1]}{leg}", name))]
    return []


def _entry(dice: Dice, client_id: str, index: int, name: str, price: int) -> Any:
    side = Side.SELL if name == "BTCUSDT" and dice.roll(2) else Side.BUY
    sign = side.sign
    bracket = Bracket(
        stop_ticks=price - sign * (20 + dice.roll(120)) if dice.roll(4) else None,
        target_ticks=price + sign * (20 + dice.roll(200)) if dice.roll(4) else None,
        trail_ticks=30 + dice.roll(90) if dice.roll(3) == 0 else None,
    )
    lots = 100 + dice.roll(900)
    if dice.roll(3) == 0:
        bracket = _in_parts(dice, price, sign, lots, bracket.trail_ticks)
    changes: dict[str, Any] = {"bracket": bracket} if bracket != Bracket() else {}
    if dice.roll(2):
        changes["limit_ticks"] = price - sign * (dice.roll(60) - 10)
        changes["expire_after_bars"] = dice.roll(4)
    return intent(
        client_id,
        index,
        instrument=name,
        side=side,
        lots=lots,
        reference_ticks=price,
        **changes,
    )


def _in_parts(dice: Dice, price: int, sign: int, lots: int, trail: int | None) -> Bracket:
    sizes = [lots // 4, lots // 2, lots - lots // 4 - lots // 2][: 2 + dice.roll(2)]
    sizes[-1] += lots - sum(sizes)
    parts = tuple(
        BracketPart(
            size, price - sign * (20 + dice.roll(120)), price + sign * (20 + dice.roll(200))
        )
        for size in sizes
    )
    return Bracket(
        sign * max(sign * part.stop_ticks for part in parts),
        sign * min(sign * part.target_ticks for part in parts),
        trail,
        tuple(parts),
    )

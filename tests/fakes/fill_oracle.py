"""A second reading of the fill rules, in plain Python, for comparison with the kernel.

It keeps true prices and asks of each price whether it is adverse or favourable for the side,
where the kernel mirrors short trades; it keeps orders as objects, where the kernel keeps numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor


@dataclass
class OracleOrder:
    lots: int
    limit: int | None
    decided: int


@dataclass
class OracleRules:
    cost_ppm: int
    through: int
    latency: int
    probability_ppm: int = 0
    share_ppm: int = 0
    seed: int = 0
    most_ppm: int = 0
    impact_ppm: int = 0
    quiet_bars: int = 0
    spread_ppm: int = 0
    spike_ppm: int = 0
    spike: int = 0


@dataclass
class OracleBar:
    opened: int
    closed: int
    open: int
    high: int
    low: int
    close: int
    volume: int


@dataclass
class OracleTrade:
    long: bool
    key: int
    entry: OracleOrder | None
    bars_left: int | None = None
    stop: int | None = None
    target: int | None = None
    trail: int | None = None
    held: int = 0
    best: int | None = None
    stopping: bool = False
    leaving: OracleOrder | None = None
    over: bool = False
    fills: list[tuple[str, int, int, bool]] = field(default_factory=list)

    def meet(self, bar: OracleBar, rules: OracleRules) -> list[tuple[str, int, int, bool]]:
        """Return (leg, lots, ticks, maker) of one bar, the entry first."""
        self.fills = []
        self.bar, self.rules = bar, rules
        if rules.quiet_bars and not bar.volume:
            return []
        self.room_out = self._room(1)
        held_before = self.held
        self._open()
        if held_before and not self.held:
            self._finish()
            return self._sorted()
        inside, base = self._entry()
        self._protect(inside, base)
        if self.held == 0 and (held_before or base is not None):
            self._finish()
        else:
            self._end(inside)
        return self._sorted()

    def _adverse(self, price: int, level: int) -> bool:
        return price <= level if self.long else price >= level

    def _favourable(self, price: int, level: int) -> bool:
        return price >= level if self.long else price <= level

    def _worst(self) -> int:
        return self.bar.low if self.long else self.bar.high

    def _bestprice(self) -> int:
        return self.bar.high if self.long else self.bar.low

    def _toward(self, price: int, distance: int) -> int:
        """Move a price in the trade's favour."""
        return price + distance if self.long else price - distance

    def _due(self, order: OracleOrder | None) -> bool:
        if order is None:
            return False
        length = self.bar.closed - self.bar.opened
        latency = self._latency(self.key + int(order is self.leaving), order.decided)
        wait = 0 if latency < length else latency
        return self.bar.opened >= order.decided + wait

    def _latency(self, key: int, decided: int) -> int:
        """Median times a near lognormal factor of twelve 16-bit draws, and a spike."""
        rules = self.rules

        def bits(moment: int) -> int:
            value, size = rules.seed, 2**64
            for part in (202, key ^ decided, moment):
                value = (value + 0x9E3779B97F4A7C15 + part) % size
                value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % size
                value = (value ^ (value >> 27)) * 0x94D049BB133111EB % size
                value ^= value >> 31
            return value

        latency = rules.latency
        if rules.spread_ppm:
            draws = [bits(moment) >> 16 * part & 0xFFFF for moment in range(3) for part in range(4)]
            normal = (sum(draws) + 6) / 65_536 - 6
            factor = 1 + rules.spread_ppm / 1_000_000 * normal / 1_024
            for _ in range(10):
                factor *= factor
            latency = int(rules.latency * factor)
        if (bits(3) >> 11) / 2**53 * 1_000_000 < rules.spike_ppm:
            latency += rules.spike
        return latency

    def _room(self, salt: int) -> float:
        most = float("inf")
        if self.rules.most_ppm and self.bar.volume:
            most = max(floor(Fraction(self.bar.volume * self.rules.most_ppm, 1_000_000)), 1)
        if not self.rules.probability_ppm:
            return most
        size = 2**64
        mixed = self.rules.seed * 0x9E3779B97F4A7C15 + (self.key + salt) * 0xD1342543DE82EF95
        mixed = (mixed + self.bar.opened) % size
        for _ in range(2):
            mixed ^= mixed >> 30
            mixed = mixed * 0xBF58476D1CE4E5B9 % size
            mixed ^= mixed >> 27
            mixed = mixed * 0x94D049BB133111EB % size
            mixed ^= mixed >> 31
        if mixed % 1_000_000 >= self.rules.probability_ppm:
            return most
        return min(most, floor(Fraction(self.bar.volume * self.rules.share_ppm, 1_000_000)))

    def _impact(self, lots: int) -> int:
        """The square-root law in decimals of 60 digits, so that the kernel must round as told."""
        if not self.rules.impact_ppm or not self.bar.volume:
            return 0
        with localcontext() as context:
            context.prec = 60
            share = Fraction(lots, self.bar.volume)
            ppm = floor((Decimal(share.numerator) / Decimal(share.denominator)).sqrt() * 10**6)
        moved = floor(Fraction(self.rules.impact_ppm * ppm, 10**6))
        deviation = (self.bar.high - self.bar.low) * Fraction(600_561, 10**6)
        return ceil(deviation * Fraction(moved, 10**6))

    def _taken(self, price: int, lots: int, *, buying: bool, limit: int | None) -> int:
        cost = Fraction(self.rules.cost_ppm, 1_000_000)
        if buying:
            paid = ceil(price * (1 + cost)) + self._impact(lots)
            return paid if limit is None else min(paid, limit)
        got = max(max(floor(price * (1 - cost)), 1) - self._impact(lots), 1)
        return got if limit is None else max(got, limit)

    def _leave(self, leg: str, wanted: int, price: int, *, maker: bool, limit: int | None) -> None:
        lots = int(min(wanted, self.held, self.room_out))
        if lots <= 0:
            return
        self.held -= lots
        self.room_out -= lots
        ticks = price if maker else self._taken(price, lots, buying=not self.long, limit=limit)
        self.fills.append((leg, lots, ticks, maker))
        if leg == "exit":
            assert self.leaving is not None
            self.leaving.lots -= lots
            if self.leaving.lots == 0:
                self.leaving = None

    def _open(self) -> None:
        price = self.bar.open
        if self.held and self._due(self.leaving) and self.leaving and self.leaving.limit is None:
            self._leave("exit", self.leaving.lots, price, maker=False, limit=None)
        if not self.held:
            return
        if self.stop is not None and (self.stopping or self._adverse(price, self.stop)):
            self.stopping = True
            self._leave("stop", self.held, price, maker=False, limit=None)
            return
        leaving = self.leaving if self._due(self.leaving) else None
        if leaving and leaving.limit is not None and self._favourable(price, leaving.limit):
            self._leave("exit", leaving.lots, price, maker=False, limit=leaving.limit)
        if self.held and self.target is not None and self._favourable(price, self.target):
            self._leave("target", self.held, price, maker=False, limit=self.target)

    def _entry(self) -> tuple[bool, int | None]:
        entry, bar = self.entry, self.bar
        if entry is None or not self._due(entry):
            return False, None
        inside = False
        if entry.limit is None or self._adverse(bar.open, entry.limit):
            base = bar.open
        elif self._adverse(self._worst(), self._toward(entry.limit, -self.rules.through)):
            base, inside = entry.limit, True
        else:
            return False, None
        lots = int(min(entry.lots, self._room(0)))
        if lots == 0:
            return False, None
        entry.lots -= lots
        ticks = base if inside else self._taken(base, lots, buying=self.long, limit=entry.limit)
        self.fills.append(("entry", lots, ticks, inside))
        self.held += lots
        if self.best is None:
            self.best = base
            if self.trail is not None:
                trailing = self._toward(base, -self.trail)
                if self.stop is None or self._favourable(trailing, self.stop):
                    self.stop = trailing
        return inside, base

    def _protect(self, inside: bool, base: int | None) -> None:
        if not self.held or self.stopping:
            return
        if self.stop is not None and self._adverse(self._worst(), self.stop):
            self.stopping = True
            price = self.stop
            if base is not None and self._adverse(base, price):
                price = base
            self._leave("stop", self.held, price, maker=False, limit=None)
            return
        if inside:
            return
        waiting: list[tuple[int, str]] = []
        leaving = self.leaving if self._due(self.leaving) else None
        if leaving and leaving.limit is not None:
            waiting.append((leaving.limit, "exit"))
        if self.target is not None:
            waiting.append((self.target, "target"))
        waiting.sort(key=lambda item: (item[0] if self.long else -item[0], item[1]))
        for level, leg in waiting:
            if self._favourable(self._bestprice(), self._toward(level, self.rules.through)):
                wanted = leaving.lots if leg == "exit" and leaving else self.held
                passed = self._favourable(self.bar.open, level)
                price = self.bar.open if passed else level
                self._leave(leg, wanted, price, maker=not passed, limit=level)

    def _finish(self) -> None:
        self.over, self.entry, self.leaving = True, None, None

    def _end(self, inside: bool) -> None:
        if self.held and self.trail is not None and not self.stopping:
            assert self.best is not None
            assert self.stop is not None
            price = self.bar.close if inside else self._bestprice()
            if self._favourable(price, self.best):
                self.best = price
            trailing = self._toward(self.best, -self.trail)
            if self._favourable(trailing, self.stop):
                self.stop = trailing
        if self.entry is None or not self._due(self.entry):
            return
        if self.entry.lots == 0:
            self.entry = None
        elif self.bars_left is not None:
            self.bars_left -= 1
            if self.bars_left == 0:
                self.entry = None

    def _sorted(self) -> list[tuple[str, int, int, bool]]:
        order = ("entry", "exit", "stop", "target")
        return sorted(self.fills, key=lambda fill: order.index(fill[0]))

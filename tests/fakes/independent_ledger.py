"""An auditor that trusts nothing but the paper venue's own log.

It reads the SQLite file with the standard library alone and works out cash, positions and profit
anew from the fills in it, in exact fractions. Nothing of the package under test is imported.

Run ``python tests/fakes/independent_ledger.py VENUE.sqlite3`` for a report in JSON.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Audit:
    """What the log says, worked out to the last unit (1e-8 of the account's currency)."""

    initial: int = 0
    cash: int = 0
    fees: int = 0
    realized: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    costs: dict[str, int] = field(default_factory=dict)
    fills: int = 0
    orders: int = 0
    problems: list[str] = field(default_factory=list)


def rounded(value: Fraction) -> int:
    """Half away from zero."""
    size = int(abs(value) + Fraction(1, 2))
    return size if value >= 0 else -size


def audit(path: str) -> Audit:
    """Return what the log at ``path`` amounts to, and everything that is wrong with it."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT sequence, record FROM venue_log ORDER BY sequence")
        records = [(number, json.loads(text)) for number, text in rows.fetchall()]
    finally:
        database.close()
    return _Auditor().run(records)


class _Auditor:
    def __init__(self) -> None:
        self.found = Audit()
        self.instruments: dict[str, dict] = {}
        self.intents: dict[str, dict] = {}
        self.traded: Counter[str] = Counter()
        self.trade_ids: set[tuple[str, str]] = set()
        self.last_event = 0

    def run(self, records: list[tuple[int, dict]]) -> Audit:
        for expected, (number, record) in enumerate(records, start=1):
            self.check(number == expected, f"record {expected} is missing")
            self.take(record)
        found = self.found
        open_cost = sum(found.costs.values())
        self.check(
            found.initial + found.realized - found.fees - open_cost == found.cash,
            "cash does not follow from profit, fees and what is held",
        )
        found.positions = {name: lots for name, lots in found.positions.items() if lots}
        found.costs = {name: cost for name, cost in found.costs.items() if cost}
        return found

    def check(self, truth: bool, problem: str) -> None:
        if not truth:
            self.found.problems.append(problem)

    def take(self, record: dict) -> None:
        kind = record["kind"]
        if kind == "account":
            self.check(self.found.initial == 0, "the account was opened twice")
            self.found.initial = self.found.cash = record["cash"]
        elif kind == "instrument":
            self.instruments[record["instrument"]["id"]] = record
        elif kind == "order":
            client_id = record["intent"]["client_id"]
            self.check(client_id not in self.intents, f"order {client_id} was taken twice")
            self.intents[client_id] = record["intent"]
            self.found.orders += 1
        elif kind == "event":
            sequence = record["event"]["venue_sequence"]
            self.check(sequence == self.last_event + 1, f"event {sequence} is out of order")
            self.last_event = sequence
            if record["name"] == "OrderFilled":
                self.book(record["event"]["fill"])
            elif record["name"] == "BorrowCharged":
                self.charge(record["event"])

    def charge(self, event: dict) -> None:
        name = event["instrument"]
        self.check(
            self.found.positions.get(name, 0) == -event["lots"] < 0,
            f"charged for borrowing {name} that is not owed",
        )
        listed = self.instruments[name]
        ratio = Fraction(listed["value_numerator"], listed["value_denominator"])
        value = rounded(event["ticks"] * event["lots"] * ratio)
        rate = Fraction(event["rate_ppm"] * event["days"], 365_000_000)
        self.check(event["amount"] == rounded(value * rate), f"borrow fee of {name} is wrong")
        self.found.cash -= event["amount"]
        self.found.fees += event["amount"]

    def book(self, fill: dict) -> None:
        name, client_id = fill["instrument"], fill["client_id"]
        trade = (name, fill["trade_id"])
        self.check(trade not in self.trade_ids, f"fill {trade} was booked twice")
        self.trade_ids.add(trade)
        self.traded[client_id] += fill["lots"]
        owner = self.intents.get(client_id) or self.intents.get(client_id[:-1] + "e")
        self.check(owner is not None, f"fill {trade} belongs to no order")
        if owner is not None:
            self.check(
                self.traded[client_id] <= owner["lots"], f"{client_id} traded more than its order"
            )
        listed = self.instruments[name]
        ratio = Fraction(listed["value_numerator"], listed["value_denominator"])
        signed = fill["lots"] if fill["side"] == "buy" else -fill["lots"]
        value = rounded(fill["ticks"] * signed * ratio)
        rate = listed["instrument"]["maker_fee_rate" if fill["maker"] else "taker_fee_rate"]
        self.check(fill["fee"] == rounded(abs(value) * Fraction(rate)), f"fee of {trade} is wrong")
        self.found.cash -= value + fill["fee"]
        self.found.fees += fill["fee"]
        self.found.fills += 1
        self.move(name, signed, value)

    def move(self, name: str, signed: int, value: int) -> None:
        found = self.found
        held, cost = found.positions.get(name, 0), found.costs.get(name, 0)
        if held * signed >= 0:
            cost += value
        else:
            self.check(abs(signed) <= abs(held), f"a fill turned the position in {name} around")
            released = rounded(Fraction(cost * abs(signed), abs(held)))
            found.realized += -value - released
            cost -= released
        found.positions[name] = held + signed
        found.costs[name] = cost


if __name__ == "__main__":
    result = audit(sys.argv[1])
    sys.stdout.write(json.dumps(result.__dict__, indent=1) + "\n")
    sys.exit(1 if result.problems else 0)

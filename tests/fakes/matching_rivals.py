"""The compiled book and the plain exchange side by side, on the same random messages."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from fakes.plain_exchange import Event, PlainExchange, Wallet
from tidewright.exchange.matching.book import BookShape, new_accounts, new_book
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.run import process

MONEY = 10**12


@dataclass
class Mix:
    """What random messages look like; small numbers make everything happen often."""

    prices: int = 64
    accounts: int = 4
    most_lots: int = 12
    maker_ppm: int = 700
    taker_ppm: int = 1_300
    money: int = MONEY
    spread: int = 6


class Rivals:
    """Feeds both and compares answers, events, books and balances."""

    def __init__(self, mix: Mix) -> None:
        self.mix = mix
        self.book = new_book(BookShape(mix.prices, 4_000, 0, 1, 7, 3))
        self.accounts = new_accounts(
            mix.accounts, 2, maker_ppm=mix.maker_ppm, taker_ppm=mix.taker_ppm
        )
        self.accounts[1:, 2] = self.accounts[1:, 4] = mix.money
        self.log = np.zeros((60_000, at.N_LOG), np.int64)
        self.plain = PlainExchange(
            int(self.book[at.PRICES]),
            7,
            3,
            [Wallet(mix.maker_ppm, mix.taker_ppm, [0, 0], [0, 0])]
            + [
                Wallet(mix.maker_ppm, mix.taker_ppm, [mix.money] * 2, [0, 0])
                for _ in range(mix.accounts)
            ],
        )
        self.numbers: dict[int, int] = {}
        self.handles: dict[int, int] = {}

    def play(self, draw: random.Random, count: int) -> None:
        for _ in range(count):
            self.compare_one(self.message(draw))

    def message(self, draw: random.Random) -> dict[str, int]:
        """A message in words."""
        mix, plain = self.mix, self.plain
        what = draw.choices((at.PLACE, at.CANCEL, at.REDUCE, at.PLACE_PAIR), (60, 9, 5, 6))[0]
        middle = plain.last or mix.prices // 2
        side = draw.choice((1, -1))
        found = {
            "what": what,
            "account": draw.randint(1, mix.accounts),
            "side": side,
            "lots": draw.randint(1, mix.most_lots),
            "guard": draw.choice((0, 0, 0, 1, 2, 3, 4)),
        }
        if what in (at.CANCEL, at.REDUCE):
            known = sorted(plain.alive)
            found["number"] = draw.choice(known) if known else 1
            if known and draw.random() < 0.95:
                found["account"] = plain.alive[found["number"]].account
            return found
        found["kind"] = draw.choices(range(5), (50, 12, 8, 8, 16))[0]
        found["price"] = self._near(draw, middle)
        if draw.random() < 0.15:
            found["display"] = draw.randint(1, mix.most_lots)
        if what == at.PLACE_PAIR:
            away = draw.randint(1, self.mix.spread)
            found["price"] = max(1, min(middle - side * away, plain.prices - 1))
            found["stop"] = max(
                1, min(middle + side * draw.randint(1, self.mix.spread), plain.prices - 1)
            )
            found["beyond"] = draw.choice((0, self._near(draw, middle)))
            return found
        if draw.random() < 0.2:
            found["stop"] = self._near(draw, middle)
            found["rises"] = draw.choice((1, -1))
        if draw.random() < 0.06:
            found["trail"] = draw.choice((1, 200, 900, 2_500))
        if found["kind"] == at.MARKET and "stop" not in found and draw.random() < 0.3:
            found["money"] = draw.randint(1, 2_000)
        return found

    def _near(self, draw: random.Random, middle: int) -> int:
        return max(
            1,
            min(
                middle + draw.randint(-self.mix.spread, self.mix.spread),
                int(self.book[at.PRICES]) - 1,
            ),
        )

    def compare_one(self, asked: dict[str, int]) -> None:
        before = len(self.plain.events)
        expected = self._ask_plain(asked)
        answer = self._ask_compiled(asked)
        events = self.plain.events[before:]
        if expected > 0 and asked["what"] in (at.PLACE, at.PLACE_PAIR):
            self._learn(expected, answer)
        rows = self.log[: self.book[at.LOG_ROWS]]
        for row in rows[rows[:, at.EVENT] == at.PAIRED]:
            self._learn(next(e[2] for e in events if e[0] == "pair"), int(row[at.MAKER]))
        got = [self._event(row) for row in rows.tolist()]
        assert (answer if answer <= 0 else self.numbers.get(answer)) == expected, asked
        assert got == events, (asked, got, events)

    def _learn(self, number: object, handle: int) -> None:
        assert isinstance(number, int)
        assert handle not in self.numbers, "a handle was used twice"
        self.numbers[handle] = number
        self.handles[number] = handle

    def _ask_plain(self, asked: dict[str, int]) -> int:
        words = dict(asked)
        what = words.pop("what")
        if what == at.CANCEL:
            return self.plain.cancel(words["account"], words["number"])
        if what == at.REDUCE:
            return self.plain.reduce(words["account"], words["number"], words["lots"])
        if what == at.PLACE_PAIR:
            words.pop("kind")
            return self.plain.place_pair(**words)
        if words.get("money"):
            words["lots"] = 0
        return self.plain.place(**words)

    def _ask_compiled(self, asked: dict[str, int]) -> int:
        message = np.zeros((1, at.N_MESSAGE), np.int64)
        kind = at.POST_ONLY if asked["what"] == at.PLACE_PAIR else asked.get("kind", 0)
        message[0] = [
            asked["what"],
            asked["account"],
            asked["side"],
            kind,
            asked.get("price", 0),
            0 if asked.get("money") else asked["lots"],
            asked.get("stop", 0),
            asked.get("display", 0),
            asked.get("trail", 0),
            asked["guard"],
            self.handles.get(asked.get("number", 0), 0),
            asked.get("beyond", 0),
            asked.get("money", 0),
            asked.get("rises", 0),
        ]
        answers = np.zeros(1, np.int64)
        self.book[at.LOG_ROWS] = 0
        assert process(self.book, self.accounts, self.log, message, answers, 0) == 1
        return int(answers[0])

    def _event(self, row: list[int]) -> Event:
        taker = self.numbers[row[at.TAKER]]
        if row[at.EVENT] == at.TRADED:
            return (
                "trade",
                taker,
                self.numbers[row[at.MAKER]],
                row[at.TRADE_PRICE],
                row[at.TRADE_LOTS],
                row[at.TAKER_FEE],
                row[at.MAKER_FEE],
                row[at.TRADE_NUMBER],
            )
        if row[at.EVENT] == at.ENDED:
            return ("end", taker, row[at.TRADE_LOTS], row[at.TRADE_NUMBER])
        if row[at.EVENT] == at.TRIGGERED:
            return ("triggered", taker, row[at.TRADE_LOTS])
        if row[at.EVENT] == at.PAIRED:
            return ("pair", taker, self.numbers[row[at.MAKER]])
        if row[at.EVENT] == at.TRAILS:
            return ("trails", taker, row[at.TRADE_LOTS])
        lost = row[at.TAKER_FEE], row[at.MAKER_FEE]
        maker = self.numbers[row[at.MAKER]]
        return ("kept apart", taker, maker, row[at.TRADE_PRICE], row[at.TRADE_LOTS], *lost)

    def compare_state(self) -> None:
        """Compare books, waiting orders and balances."""
        wallets = [[*w.free, *w.locked] for w in self.plain.wallets]
        assert self.accounts[:, [2, 4, 3, 5]].tolist() == wallets
        for side in (1, -1):
            for price, queue in self.plain.sides[side].items():
                assert self._queue(at.LEVELS, price) == [(o.number, o.lots, o.shown) for o in queue]
        resting = {p for queues in self.plain.sides.values() for p in queues}
        assert self._occupied(at.LEVELS) == resting
        assert self._occupied(at.WAITING_LEVELS) == set(self.plain.waiting)
        for price, queue in self.plain.waiting.items():
            numbers = [number for number, _, _ in self._queue(at.WAITING_LEVELS, price)]
            assert numbers == [order.number for order in queue]
        assert self.book[at.LIVE] == len(self.plain.alive)
        total = self.accounts[:, [2, 3]].sum(), self.accounts[:, [4, 5]].sum()
        assert total == (self.mix.accounts * self.mix.money,) * 2

    def _occupied(self, levels: int) -> set[int]:
        prices = np.arange(self.book[at.PRICES])
        return set(np.flatnonzero(self.book[self.book[levels] + prices * at.N_LEVEL]).tolist())

    def _queue(self, levels: int, price: int) -> list[tuple[int, int, int]]:
        found = []
        slot = self.book[self.book[levels] + price * at.N_LEVEL + at.FIRST]
        while slot:
            row = self.book[at.HEADER + slot * at.N_ORDER :][: at.N_ORDER].tolist()
            found.append((self.numbers[row[at.HANDLE]], row[at.LOTS], row[at.SHOWN]))
            slot = row[at.NEXT]
        return found

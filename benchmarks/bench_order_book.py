"""Messages a second through the order book, and how long one takes, as the venue runs it.

The function that is timed is `kernels.matching.run.process` with everything in it: every order
type, balances of 1,000 accounts with refusals, fees, self-trade prevention, trade records. The
stream is half new orders (geometric from the opposite best price, mean 6.7 ticks, 1 to 20 lots),
40 % cancels and 10 % market orders, with about 5,000 orders resting.

    python benchmarks/bench_order_book.py [--messages 2000000] [--peer-python PYTHON] [--json FILE]

``--peer-python``, or the variable TIDEWRIGHT_BOOK_PEERS, names the interpreter of an environment
that holds the peers (``pip install hftbacktest==2.4.4 nautilus_trader==1.221.0``); they are given
what the first 300,000 messages did to single orders, since they match nothing that comes in.

The market that traders make is timed too: messages that its books take a second, the traders'
thinking included. ABIDES (rmsc04, 1,117 agents, Python) handles about 35,000 kernel messages a
second; its agents, network and messages are not the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from measure import surroundings
from numba import types
from numba.extending import intrinsic
from peer_order_book import ADDED, CHANGED, GONE

from tidewright.domain.time import MINUTE
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.matching.book import BookShape, new_accounts, new_book
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.memory import address, onward
from tidewright.kernels.matching.run import process, take

ACCOUNTS = 1_000
RESTING = 5_000
POOR = 20
"""Accounts that can pay for a few orders alone, so that some are refused."""
RICHES, LITTLE = 10**13, 2 * 10**7
PEER_MESSAGES = 300_000
ABIDES = 35_000
"""Kernel messages a second, published for rmsc04 on another machine."""
ADD, CANCEL, TAKE = 0, 1, 2


@intrinsic
def cycles(typing: Any) -> Any:  # noqa: ANN401
    """The processor's time stamp."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:  # noqa: ANN401
        kind = ir.FunctionType(ir.IntType(64), [])
        return builder.call(builder.module.declare_intrinsic("llvm.readcyclecounter", (), kind), [])

    return types.int64(), emit


@numba.njit(error_model="numpy")
def make_stream(
    book: Int64, accounts: Int64, log: Int64, draws: Int64, messages: Int64, answers: Int64
) -> None:
    """Write messages whose cancels name orders that rest, by running them."""
    live = np.zeros((book[at.CAPACITY] * 4, 2), np.int64)
    count, middle = 0, book[at.PRICES] // 2
    words, money, lines = address(book), address(accounts), address(log)
    for number in range(messages.shape[0]):
        message = messages[number]
        resting = words[at.LIVE]
        what = draws[number, 0] if resting >= RESTING else ADD
        if what == CANCEL:
            while True:
                place = draws[number, 1] % count
                draws[number, 1] = draws[number, 1] * 31 % 2_147_483_647
                handle, owner = live[place]
                count -= 1
                live[place] = live[count]
                slot = handle & (words[at.CAPACITY] - 1)
                if words[at.HEADER + slot * at.N_ORDER + at.HANDLE] == handle:
                    break
            message[at.WHAT], message[at.WHO], message[at.ORDER] = at.CANCEL, owner, handle
        else:
            side = 1 if draws[number, 2] else -1
            message[at.WHO] = 1 + draws[number, 1] % ACCOUNTS
            message[at.WHICH_SIDE], message[at.HOW_MANY] = side, draws[number, 3]
            message[at.SELF_TRADE] = at.EXPIRE_MAKER
            if what == TAKE:
                message[at.ORDER_KIND] = at.MARKET
            else:
                ask = words[at.ASK] if words[at.ASK] < words[at.PRICES] else middle + 1
                bid = words[at.BID] if words[at.BID] > 0 else middle - 1
                away = draws[number, 4]
                message[at.AT_PRICE] = ask - away if side > 0 else bid + away
        words[at.LOG_ROWS] = 0
        mail = onward(address(messages), number * at.N_MESSAGE)
        answers[number] = take(words, money, lines, mail)
        if what == ADD and answers[number] > 0:
            live[count, 0], live[count, 1] = answers[number], message[at.WHO]
            count += 1


@numba.njit(error_model="numpy")
def stamped(
    book: Int64, accounts: Int64, log: Int64, messages: Int64, answers: Int64, ticks: Int64
) -> None:
    """Time each message."""
    words, money, lines = address(book), address(accounts), address(log)
    book[at.ACCOUNTS], book[at.WIDTH] = accounts.shape
    for number in range(messages.shape[0]):
        mail = onward(address(messages), number * at.N_MESSAGE)
        before = cycles()
        answers[number] = take(words, money, lines, mail)
        ticks[number] = cycles() - before


def new_market(rows: int) -> tuple[Any, Any, Any]:
    book = new_book(BookShape(64**3, 16_000, 0, 1, 1, 1))
    accounts = new_accounts(ACCOUNTS, 2, maker_ppm=100, taker_ppm=200)
    accounts[1:, 2] = accounts[1:, 4] = RICHES
    accounts[1 : 1 + POOR, 4] = LITTLE
    return book, accounts, np.zeros((rows, at.N_LOG), np.int64)


def stream(count: int) -> Any:  # noqa: ANN401
    draw = np.random.default_rng(1)
    draws = np.empty((count, 5), np.int64)
    draws[:, 0] = draw.choice((ADD, CANCEL, TAKE), count, p=(0.45, 0.45, 0.10))
    draws[:, 1] = draw.integers(1, 2_147_483_647, count)
    draws[:, 2] = draw.integers(0, 2, count)
    draws[:, 3] = draw.integers(1, 21, count)
    draws[:, 4] = draw.geometric(1 / 6.7, count)
    messages = np.zeros((count, at.N_MESSAGE), np.int64)
    book, accounts, log = new_market(200_000)
    book[at.ACCOUNTS], book[at.WIDTH] = accounts.shape
    make_stream(book, accounts, log, draws, messages, np.zeros(count, np.int64))
    return messages


def ticks_per_second() -> float:
    @numba.njit
    def now() -> int:
        return cycles()

    now()
    wall, before = time.perf_counter(), now()
    time.sleep(0.2)
    return (now() - before) / (time.perf_counter() - wall)


def latencies(messages: Any) -> list[dict[str, float]]:  # noqa: ANN401
    """Return how long messages took, of some runs, the one with the least p99 first.

    A pause of the whole process counts as the message that it hit; other work on the machine makes
    the tail longer.
    """
    count, scale, found = len(messages), 1e9 / ticks_per_second(), []
    ticks, answers = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for _ in range(6):
        book, accounts, log = new_market(count)
        stamped(book, accounts, log, messages, answers, ticks)
        shares = {f"p{at_}": float(np.percentile(ticks, at_)) * scale for at_ in (50, 99, 99.9)}
        found.append({name: round(value, 1) for name, value in shares.items()})
    # The first one compiled.
    return sorted(found[1:], key=lambda one: one["p99"])


def measure(messages: Any) -> dict[str, object]:  # noqa: ANN401
    count = len(messages)
    answers = np.zeros(count, np.int64)
    seconds = []
    for _ in range(5):
        book, accounts, log = new_market(count)
        began = time.process_time()
        assert process(book, accounts, log, messages, answers, 0) == count
        seconds.append(time.process_time() - began)
    taken = messages[:, at.ORDER_KIND] == at.MARKET
    cancels = messages[:, at.WHAT] == at.CANCEL
    trades, refused = int(book[at.TRADES]), int((answers < 0).sum())
    assert accounts[:, [2, 3]].sum() == ACCOUNTS * RICHES
    assert accounts[:, [4, 5]].sum() == (ACCOUNTS - POOR) * RICHES + POOR * LITTLE
    rounds = latencies(messages)
    return {
        "messages": count,
        "mix": {
            "new": round(1 - float(cancels.mean() + taken.mean()), 3),
            "cancel": round(float(cancels.mean()), 3),
            "market": round(float(taken.mean()), 3),
        },
        "trades": trades,
        "refused": refused,
        "resting": int(book[at.LIVE]),
        "messages_per_cpu_second": round(count / float(np.median(seconds))),
        "fastest_run": round(count / min(seconds)),
        "nanoseconds_each": round(float(np.median(seconds)) / count * 1e9, 1),
        "latency_ns_timer_included": rounds[len(rounds) // 2],
        "latency_ns_quietest_run": rounds[0],
    }


class OrderFeed:
    """What happens to single orders, as an exchange's full feed would tell it.

    The last number of an event is what stands at the order's price afterwards, for books that know
    levels alone.
    """

    def __init__(self) -> None:
        self.events: list[tuple[int, ...]] = []
        self.orders: dict[int, list[int]] = {}
        self.levels: dict[tuple[int, int], int] = {}
        self.number = 0

    def add(self, handle: int, side: int, price: int, lots: int) -> None:
        self.orders[handle] = [side, price, lots]
        self._tell(ADDED, handle, lots)

    def shrink(self, handle: int, lots: int) -> None:
        order = self.orders[handle]
        order[2] -= lots
        self._tell(CHANGED if order[2] else GONE, handle, -lots)
        if not order[2]:
            del self.orders[handle]

    def end(self, handle: int) -> None:
        if handle in self.orders:
            self.shrink(handle, self.orders[handle][2])

    def _tell(self, kind: int, handle: int, change: int) -> None:
        side, price, lots = self.orders[handle]
        place = (side, price)
        self.levels[place] = self.levels.get(place, 0) + change
        event = (kind, side, price, lots, handle, self.number, self.levels[place])
        self.events.append(event)

    def message(self, message: list[int], answer: int, rows: list[list[int]]) -> None:
        left = message[at.HOW_MANY]
        for row in rows:
            if row[at.EVENT] == at.TRADED:
                left -= row[at.TRADE_LOTS]
                self.shrink(row[at.MAKER], row[at.TRADE_LOTS])
            elif row[at.EVENT] == at.ENDED:
                self.end(row[at.TAKER])
        if answer > 0 and message[at.WHAT] == at.CANCEL:
            self.end(answer)
        elif answer > 0 and message[at.ORDER_KIND] == at.LIMIT and left > 0:
            self.add(answer, message[at.WHICH_SIDE], message[at.AT_PRICE], left)
        self.number += 1


def order_events(messages: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return columns of what messages do to single orders, and the best quotes at their end."""
    book, accounts, log = new_market(4 * len(messages))
    answers = np.zeros(len(messages), np.int64)
    assert process(book, accounts, log, messages, answers, 0) == len(messages)
    rows: dict[int, list[list[int]]] = {}
    for row in log[: book[at.LOG_ROWS]].tolist():
        rows.setdefault(row[at.MESSAGE] - 1, []).append(row)
    feed = OrderFeed()
    for number, message in enumerate(messages.tolist()):
        feed.message(message, int(answers[number]), rows.get(number, []))
    names = ("kind", "side", "price", "lots", "order", "message", "level")
    table = np.array(feed.events, np.int64)
    found: dict[str, Any] = {name: table[:, place] for place, name in enumerate(names)}
    quotes = {"messages": len(messages), "bid": int(book[at.BID]), "ask": int(book[at.ASK])}
    return found | quotes


def peers(python: str, messages: Any, own: float) -> list[dict[str, object]]:  # noqa: ANN401
    """Run the peers in their own interpreter; how many times slower each is."""
    script = Path(__file__).with_name("peer_order_book.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.npz"
        np.savez(path, **order_events(messages))
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [python, str(script), str(path)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(f"{python} could not run {script.name}: {done.stderr.strip()[-500:]}")
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for one in found:
        one["times_slower"] = round(own / float(one["messages_per_cpu_second"]), 1)
    return found


def living_market(minutes: int) -> dict[str, object]:
    """Messages a second of the default population."""
    market = AgentMarket([MarketShape(60_000)], Population(), 1)
    market.run(MINUTE)
    market.take_trades(0)
    before, began = market.messages, time.process_time()
    for minute in range(2, minutes + 2):
        market.run(minute * MINUTE)
        market.take_trades(0)
    rate = (market.messages - before) / (time.process_time() - began)
    return {
        "messages_per_cpu_second": round(rate),
        "abides_published": ABIDES,
        "times_as_many": round(rate / ABIDES),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--peer-python", default=os.environ.get("TIDEWRIGHT_BOOK_PEERS", ""))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    messages = stream(options.messages)
    found = measure(messages)
    found["traders"] = living_market(60)
    if options.peer_python:
        own = float(str(found["messages_per_cpu_second"]))
        found["peers"] = peers(options.peer_python, messages[:PEER_MESSAGES], own)
    else:
        print("no peers: pip install hftbacktest==2.4.4 nautilus_trader==1.221.0 into an")
        print("environment of their own and name its interpreter with --peer-python")
    found["surroundings"] = surroundings(Path.cwd())
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

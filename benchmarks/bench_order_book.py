"""Messages a second through the order book, and how long one takes, as the venue runs it.

The function that is timed is `kernels.matching.run.process` with everything in it: every order
type, balances of 1,000 accounts with refusals, fees, self-trade prevention, trade records. The
stream is half new orders (geometric from the opposite best price, mean 6.7 ticks, 1 to 20 lots),
40 % cancels and 10 % market orders, with about 5,000 orders resting.

    python benchmarks/bench_order_book.py [--messages 2000000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from measure import surroundings
from numba import types
from numba.extending import intrinsic

from tidewright.exchange.matching.book import BookShape, new_accounts, new_book
from tidewright.kernels.matching import layout as at
from tidewright.kernels.matching.layout import Int64
from tidewright.kernels.matching.memory import address, onward
from tidewright.kernels.matching.run import process, take

ACCOUNTS = 1_000
RESTING = 5_000
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
    accounts[1:, 2] = accounts[1:, 4] = 10**13
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


def measure(count: int) -> dict[str, object]:
    messages = stream(count)
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
    assert accounts[:, [2, 3]].sum() == accounts[:, [4, 5]].sum() == ACCOUNTS * 10**13
    book, accounts, log = new_market(count)
    ticks = np.zeros(count, np.int64)
    stamped(book, accounts, log, messages, answers, ticks)
    book, accounts, log = new_market(count)
    stamped(book, accounts, log, messages, answers, ticks)
    nanoseconds = ticks / ticks_per_second() * 1e9
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
        "nanoseconds_each": round(float(np.median(seconds)) / count * 1e9, 1),
        "latency_ns_timer_included": {
            f"p{share}": round(float(np.percentile(nanoseconds, share)), 1)
            for share in (50, 99, 99.9)
        },
        "surroundings": surroundings(Path.cwd()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.messages)
    print(json.dumps(found, indent=2))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

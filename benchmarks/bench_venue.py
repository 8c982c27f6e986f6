"""How much the venue carries on one core, and how fast it answers.

    python benchmarks/bench_venue.py [--minutes M] [--seconds S]

The venue runs in a process of its own on the first core, its clients in this one on the second. It
has its five symbols, their traders and an hour of history, but no limits. Measured are signed
orders a second over sixteen connections that each wait for their answer; how late answers come at
500 orders a second sent by the clock, in each of five windows; 200 sockets that listen to books ten
times a second, half of them compressed, while those orders go on; and the venue's memory through
all of it. Every answer must be a success, or the run ends. On a machine that others use too, orders
a processor second say more than orders a second.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import surroundings
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parent.parent
CONNECTIONS = 16
RATE = 500
SOCKETS = 200
WINDOWS = 5
SYMBOLS = ("btcusdt", "ethusdt", "solusdt", "bnbusdt", "ethbtc")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Venue:
    """A venue in its own process."""

    process: subprocess.Popen[str]
    port: int
    key: str
    secret: bytes

    @property
    def megabytes(self) -> float:
        """Memory that its process holds."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * PAGE / 2**20

    @property
    def processor_seconds(self) -> float:
        """Processor time that its process used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def venue() -> Iterator[Venue]:
    """Open a venue on the first core, and put this process on the second."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "tidewright.cli.main", "venue", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--no-limits"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    os.sched_setaffinity(process.pid, {cores[0]})
    os.sched_setaffinity(0, {cores[-1]})
    told: dict[str, str] = {}
    assert process.stdout is not None
    while "Secret" not in told:
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the venue did not open")
        name, _, value = line.partition(":")
        told[name] = value.strip()
    port = int(told["REST"].partition("//")[2].partition("/")[0].rpartition(":")[2])
    try:
        yield Venue(process, port, told["API key"], told["Secret"].encode())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@dataclass
class Client:
    """One connection that asks and waits for the answer."""

    venue: Venue
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    name: str
    sent: int = 0
    resting: bool = False
    empty: int = 0

    async def order(self) -> None:
        """Place a limit order below the market, or take the one before back."""
        if self.resting:
            text = f"symbol=BTCUSDT&origClientOrderId={self.name}-{self.sent}"
            await self._send("DELETE", text)
        else:
            self.sent += 1
            text = (
                "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000"
                f"&newClientOrderId={self.name}-{self.sent}&newOrderRespType=FULL"
            )
            await self._send("POST", text)
        self.resting = not self.resting

    async def trade(self) -> None:
        """Buy or sell at the market; it may be empty, when orders come faster than traders act."""
        self.sent += 1
        side = "BUY" if self.sent % 2 else "SELL"
        await self._send("POST", f"symbol=ETHUSDT&side={side}&type=MARKET&quantity=0.01")

    async def _send(self, verb: str, text: str) -> None:
        text += f"&recvWindow=60000&timestamp={time.time_ns() // 1_000_000}"
        signature = hmac.new(self.venue.secret, text.encode(), hashlib.sha256).hexdigest()
        body = f"{text}&signature={signature}"
        self.writer.write(
            f"{verb} /api/v3/order HTTP/1.1\r\nHost: venue\r\nX-MBX-APIKEY: {self.venue.key}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.index(b"Content-Length: ") + 16
        answer = await self.reader.readexactly(int(head[length : head.index(b"\r", length)]))
        if b"Order book liquidity" in answer:
            self.empty += 1
        elif not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"an order failed: {answer.decode()}")


@contextlib.asynccontextmanager
async def clients(place: Venue, count: int, name: str) -> AsyncIterator[list[Client]]:
    """Open some connections."""
    found = []
    for number in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        found.append(Client(place, reader, writer, f"{name}{number}"))
    yield found
    for one in found:
        if one.resting:
            await one.order()
        one.writer.close()


async def flat_out(place: Venue, seconds: float, *, market: bool) -> dict[str, float]:
    """Return requests a second when every connection asks as soon as it was answered."""
    async with clients(place, CONNECTIONS, "m" if market else "l") as open_ones:
        end = time.perf_counter() + seconds
        count = 0

        async def work(one: Client) -> None:
            nonlocal count
            while time.perf_counter() < end:
                await (one.trade() if market else one.order())
                count += 1

        began, used = time.perf_counter(), place.processor_seconds
        await asyncio.gather(*map(work, open_ones))
        took, busy = time.perf_counter() - began, place.processor_seconds - used
        return {
            "a_second": round(count / took),
            "a_processor_second": round(count / busy),
            "venue_busy": round(busy / took, 2),
            "found_an_empty_book": round(sum(one.empty for one in open_ones) / count, 3),
        }


async def by_the_clock(place: Venue, seconds: float, name: str) -> dict[str, float]:
    """Return how late answers come when orders are due at fixed moments, busy or not."""
    times: list[float] = []
    async with clients(place, CONNECTIONS, name) as open_ones:
        began = time.perf_counter()

        async def work(number: int, one: Client) -> None:
            due = number
            while due < seconds * RATE:
                moment = began + due / RATE
                await asyncio.sleep(max(moment - time.perf_counter(), 0))
                await one.order()
                times.append(time.perf_counter() - moment)
                due += CONNECTIONS

        await asyncio.gather(*(work(number, one) for number, one in enumerate(open_ones)))
    times.sort()
    return {
        "orders": len(times),
        "median_ms": round(times[len(times) // 2] * 1e3, 2),
        "p99_ms": round(times[len(times) * 99 // 100] * 1e3, 2),
        "worst_ms": round(times[-1] * 1e3, 2),
    }


async def listen(place: Venue, number: int, counts: list[int], stop: asyncio.Event) -> None:
    """Listen to a book, each change after the one before it."""
    url = f"ws://127.0.0.1:{place.port}/ws/{SYMBOLS[number % len(SYMBOLS)]}@depth@100ms"
    last = 0
    async with connect(url, compression="deflate" if number % 2 else None) as socket:
        while not stop.is_set():
            told = json.loads(await socket.recv())
            if last and told["U"] != last + 1:
                raise SystemExit(f"a book skipped from {last} to {told['U']}")
            last = told["u"]
            counts[number] += 1


async def with_sockets(place: Venue, seconds: float) -> dict[str, object]:
    """Return what 200 listeners and 500 orders a second cost together."""
    counts, stop = [0] * SOCKETS, asyncio.Event()
    listeners = [
        asyncio.create_task(listen(place, number, counts, stop)) for number in range(SOCKETS)
    ]
    while not all(counts):
        await asyncio.sleep(0.05)
    memory, used = [round(place.megabytes, 1)], place.processor_seconds
    before, began = sum(counts), time.perf_counter()
    orders = asyncio.create_task(by_the_clock(place, seconds, "s"))
    while not orders.done():
        await asyncio.wait([orders], timeout=max(seconds / 10, 1))
        memory.append(round(place.megabytes, 1))
    took = time.perf_counter() - began
    told = sum(counts) - before
    busy = place.processor_seconds - used
    stop.set()
    await asyncio.gather(*listeners)
    return {
        "messages_a_second": round(told / took),
        "venue_busy": round(busy / took, 2),
        "orders": await orders,
        "memory_mb": memory,
    }


async def in_windows(place: Venue, seconds: float) -> dict[str, object]:
    """Return how late answers come in each of five windows, since others use the machine too."""
    windows = [await by_the_clock(place, seconds / WINDOWS, f"c{n}") for n in range(WINDOWS)]
    best = min(windows, key=lambda one: one["p99_ms"])
    return {"best": best, "p99_ms": [one["p99_ms"] for one in windows]}


async def measure(place: Venue, seconds: float, minutes: float) -> dict[str, object]:
    """Return every figure."""
    await flat_out(place, 1.0, market=False)
    opened = round(place.megabytes, 1)
    return {
        "limit_orders_and_cancels": await flat_out(place, seconds, market=False),
        "market_orders": await flat_out(place, seconds, market=True),
        f"{RATE}_orders_a_second": await in_windows(place, 2 * seconds),
        f"{SOCKETS}_depth_sockets": await with_sockets(place, minutes * 60),
        "memory_mb_at_first_and_last": [opened, round(place.megabytes, 1)],
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5, help="how long the sockets listen")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long orders are sent")
    options = parser.parse_args()
    told = surroundings(ROOT)
    with venue() as place:
        told["venue"] = asyncio.run(measure(place, options.seconds, options.minutes))
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()

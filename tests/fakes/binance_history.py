"""A loopback server that answers `klines` as Binance documents it, with faults on demand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

MINUTE_MS = 60_000


@dataclass
class Fault:
    """One answer to give instead of candles."""

    status: int
    body: bytes = b'{"code":-1003,"msg":"Too much request weight used."}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeExchange:
    """What the server holds and what it was asked."""

    symbol: str = "BTCUSDT"
    first: int = 0
    last: int = 0
    absent: set[int] = field(default_factory=set)
    repeats: bool = False
    limit: int = 1_000
    weight: int = 2
    faults: list[Fault] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def candle(self, minute: int) -> list[object]:
        opened = minute * MINUTE_MS
        price = 20_000 + minute % 97
        return [
            opened,
            *(f"{value:.8f}" for value in (price, price + 2.5, price - 1.25, price + 1.01)),
            f"{minute % 13 + 0.5:.8f}",
            opened + MINUTE_MS - 1,
            *("1.00000000", 7, "0.50000000", "0.40000000", "0"),
        ]

    def answer(self, asked: dict[str, str]) -> Fault:
        self.requests.append(asked)
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.weight)}
        if self.faults:
            return self.faults.pop(0)
        if asked["symbol"] != self.symbol:
            return Fault(400, b'{"code":-1121,"msg":"Invalid symbol."}')
        start = -(-int(asked["startTime"]) // MINUTE_MS)
        end = int(asked["endTime"]) // MINUTE_MS
        limit = min(int(asked["limit"]), self.limit)
        minutes = [
            minute
            for minute in range(max(start, self.first), min(end, self.last) + 1)
            if minute not in self.absent
        ][:limit]
        rows = [self.candle(minute) for minute in minutes]
        if self.repeats and rows:
            rows.insert(1, rows[0])
        return Fault(200, json.dumps(rows).encode(), headers)


@contextmanager
def serving(exchange: FakeExchange) -> Iterator[FakeExchange]:
    """Run the server on a free loopback port; its address is `exchange.url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            found = Fault(404, b"not found")
            if parts.path == "/api/v3/klines":
                found = exchange.answer(asked)
            self.send_response(found.status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(found.body)))
            self.end_headers()
            self.wfile.write(found.body)

        def log_message(self, *details: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    exchange.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield exchange
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The stream of `bench_order_book` through the books of other programs.

    PYTHON benchmarks/peer_order_book.py FILE.npz

None of them matches what comes in: FILE holds what the messages did to single orders (added, made
smaller, taken away), as an exchange's full feed tells it, and how many messages that were. Prints
one line of JSON for each program and way; the first, compiling run is not counted.
"""

from __future__ import annotations

import argparse
import importlib
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

ADDED, CHANGED, GONE = 0, 1, 2
REPEATS = 5

Arrays = dict[str, Any]


def median_seconds(make: Callable[[], Any], run: Callable[[Any], object]) -> float:
    """Return the median processor time of some runs, each on something made beforehand."""
    seconds = []
    for _ in range(REPEATS):
        subject = make()
        began = time.process_time()
        run(subject)
        seconds.append(time.process_time() - began)
    return sorted(seconds)[REPEATS // 2]


def told(program: str, version: str, way: str, data: Arrays, seconds: float, best: Any) -> None:  # noqa: ANN401
    messages = int(data["messages"])
    expected = [int(data["bid"]), int(data["ask"])]
    found = {
        "program": program,
        "version": version,
        "way": way,
        "messages_per_cpu_second": round(messages / seconds),
        "events_per_cpu_second": round(len(data["kind"]) / seconds),
        "same_best_quotes": [round(float(price)) for price in best] == expected,
    }
    print(json.dumps(found), flush=True)


def hftbacktest_work(data: Arrays) -> None:
    """Orders one by one, and levels, with its fastest depth (a vector around the price)."""
    h = importlib.import_module("hftbacktest")
    numba = importlib.import_module("numba")
    count, prices = len(data["kind"]), data["price"]
    sides = np.where(data["side"] > 0, h.BUY_EVENT, h.SELL_EVENT)
    events = np.zeros(count, h.event_dtype)
    both = h.EXCH_EVENT | h.LOCAL_EVENT
    events["exch_ts"] = events["local_ts"] = 1_000 * (1 + data["message"])
    events["px"] = prices
    orders, levels = events.copy(), events
    kinds = np.array([h.ADD_ORDER_EVENT, h.MODIFY_ORDER_EVENT, h.CANCEL_ORDER_EVENT])
    orders["ev"], orders["qty"] = both | sides | kinds[data["kind"]], data["lots"]
    orders["order_id"] = data["order"]
    levels["ev"], levels["qty"] = both | sides | h.DEPTH_EVENT, data["level"]

    @numba.njit
    def play(backtest: Any) -> tuple[float, float]:  # noqa: ANN401
        backtest.elapse(10**15)
        depth = backtest.depth(0)
        return depth.best_bid, depth.best_ask

    def make(rows: Any, queue: str) -> Any:  # noqa: ANN401
        asset = h.BacktestAsset().data(rows).linear_asset(1.0).constant_order_latency(0, 0)
        asset = getattr(asset, queue)().no_partial_fill_exchange().trading_value_fee_model(0, 0)
        asset = asset.tick_size(1.0).lot_size(1.0)
        asset = asset.roi_lb(float(prices.min() - 10)).roi_ub(float(prices.max() + 10))
        return h.ROIVectorMarketDepthBacktest([asset])

    for way, rows, queue in (
        ("market by order, FIFO queues", orders, "l3_fifo_queue_model"),
        ("market by price, no orders", levels, "risk_adverse_queue_model"),
    ):
        best = play(make(rows, queue))
        seconds = median_seconds(lambda r=rows, q=queue: make(r, q), play)
        told("hftbacktest", h.__version__, way, data, seconds, best)


def nautilus_work(data: Arrays) -> None:
    """Market-by-order deltas, made before the clock starts."""
    version = importlib.import_module("nautilus_trader").__version__
    model = importlib.import_module("nautilus_trader.model.data")
    things = importlib.import_module("nautilus_trader.model.objects")
    enums = importlib.import_module("nautilus_trader.model.enums")
    books = importlib.import_module("nautilus_trader.model.book")
    names = importlib.import_module("nautilus_trader.model.identifiers")
    item = names.InstrumentId.from_str("X.Y")
    actions = (enums.BookAction.ADD, enums.BookAction.UPDATE, enums.BookAction.DELETE)
    deltas = []
    columns = [data[name].tolist() for name in ("kind", "side", "price", "lots", "order")]
    for number, (kind, side, price, lots, order) in enumerate(zip(*columns, strict=True)):
        way = enums.OrderSide.BUY if side > 0 else enums.OrderSide.SELL
        resting = model.BookOrder(way, things.Price(price, 0), things.Quantity(lots, 0), order)
        deltas.append(model.OrderBookDelta(item, actions[kind], resting, 0, number, number, number))

    def play(book: Any) -> Any:  # noqa: ANN401
        apply = book.apply_delta
        for delta in deltas:
            apply(delta)
        return book

    def make() -> Any:  # noqa: ANN401
        return books.OrderBook(item, enums.BookType.L3_MBO)

    book = play(make())
    best = (book.best_bid_price(), book.best_ask_price())
    seconds = median_seconds(make, play)
    told("nautilus_trader", version, "market by order, apply_delta", data, seconds, best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    arguments = parser.parse_args()
    with np.load(arguments.file) as file:
        data = {name: file[name] for name in file.files}
    works = {"hftbacktest": hftbacktest_work, "nautilus_trader": nautilus_work}
    for name, run in works.items():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        run(data)


if __name__ == "__main__":
    main()

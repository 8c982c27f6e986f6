"""Parts of the simulated market, each used alone: a market, its tape, slippage, latency, a queue.

Run it::

    python examples/market_parts.py
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tidewright.domain.orders import Side
from tidewright.domain.time import MILLISECOND, SECOND
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.models.latency import LatencyModel, Leg
from tidewright.exchange.models.queue import QueueModel, QueuePosition
from tidewright.exchange.models.slippage import RecentTrading, Slippage, slippage
from tidewright.exchange.spot.listing import Listing
from tidewright.exchange.spot.tape import Tape

LISTING = Listing("SEAUSD", "SEA", "USD", tick=1_000_000, step=1_000_000, start_price=5_000_000_000)
LOT = 20_000_000
ORDERS = 60
SPIKE = 200 * MILLISECOND


@dataclass
class Watched:
    """A market of traders and the tape that shows what they do."""

    market: AgentMarket
    tape: Tape

    def run(self, until: int) -> None:
        """Let the traders act until a moment."""
        done = False
        while not done:
            done = self.market.run(until)
            self.tape.add("SEAUSD", self.market.take_trades(0))
        self.tape.move(until)

    def shown(self, bid: int) -> int:
        """Return what the book shows at a price of the bids."""
        return dict(self.tape.depth("SEAUSD", 5_000).bids).get(bid, 0)


def open_market(seed: int) -> Watched:
    """Return a market after five minutes of trading."""
    market = AgentMarket([MarketShape(price=5_000)], Population(), seed)
    watched = Watched(market, Tape([LISTING], market.books))
    watched.run(300 * SECOND)
    return watched


def cost_of(watched: Watched, quantity: int) -> Slippage:
    """Return what a buy costs: a walk through the asks, and the answer of the market."""
    candle = watched.tape.candles("SEAUSD", "1m", limit=2)[0]
    recent = RecentTrading(candle.volume, candle.high - candle.low)
    return slippage(watched.tape.depth("SEAUSD", 5_000).asks, quantity, recent)


def wait_in_queue(watched: Watched, seconds: int, late: int) -> dict[QueueModel, int]:
    """Return what a buy at the best bid would fill, by what is assumed of cancels.

    The order is in no book: it is judged by the trades and levels that everybody sees. It rests
    at the price that was best when it was sent, so it may come too late.
    """
    price, seen = watched.tape.best("SEAUSD").bid, watched.tape.last("SEAUSD")
    watched.run(watched.tape.now + late)
    last, shown = seen.id if seen else 0, watched.shown(price)
    places = [QueuePosition(model, Side.BUY, price, LOT, shown) for model in QueueModel]
    for _ in range(seconds * 20):
        watched.run(watched.tape.now + 50 * MILLISECOND)
        trades, shown = watched.tape.take_trades("SEAUSD", last), watched.shown(price)
        for number, place in enumerate(places):
            for trade in trades:
                taker = Side.SELL if trade.buyer_makes else Side.BUY
                place = place.after_trade(trade.price, trade.quantity, taker)
            places[number] = place.after_change(shown)
        last = trades[-1].id if trades else last
    return {place.model: place.filled for place in places}


def main() -> None:
    """Print what the parts say of one market."""
    watched = open_market(seed=7)
    bids, asks = watched.tape.depth("SEAUSD", 1).bids, watched.tape.depth("SEAUSD", 1).asks
    print(f"best bid {bids[0][0] / 1e8:.2f}, best ask {asks[0][0] / 1e8:.2f}")
    for lots in (10, 100, 400):
        cost = cost_of(watched, lots * LISTING.step)
        print(
            f"buying {lots / 100:.2f} costs {cost.walked_ppm:.0f} ppm of levels "
            f"and {cost.cost_ppm - cost.walked_ppm:.0f} ppm of impact"
        )
    model = LatencyModel(
        seed=7, order=Leg(20 * MILLISECOND, spread=0.5, spike_chance=0.05, spike=SPIKE)
    )
    times = [model.order_time(key) for key in range(ORDERS)]
    print(f"orders travel {min(times) / 1e6:.1f} to {max(times) / 1e6:.1f} ms")
    filled = Counter[QueueModel]()
    for late in times:
        filled.update(wait_in_queue(watched, seconds=4, late=late))
    for name in QueueModel:
        print(f"{name.lower()}: {filled[name] / (ORDERS * LOT):.0%} filled in 4 s")


if __name__ == "__main__":
    main()

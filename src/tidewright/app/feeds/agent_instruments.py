"""What is traded in the living market: six instruments, and how lively each one is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from tidewright.domain.instrument import Instrument
from tidewright.domain.money import from_decimal
from tidewright.exchange.agents.market import AgentMarket, MarketShape
from tidewright.exchange.agents.population import Population
from tidewright.exchange.spot.listing import Listing
from tidewright.market.instruments import InstrumentTable

VENUE = "agents"
"""Venue of every instrument: its traders are programs in memory."""

ROOM = 3
"""Prices reach up to so many times the first one."""


@dataclass(frozen=True, slots=True)
class AgentInstrument:
    """One order book and its traders.

    Parameters
    ----------
    id : str
        Id of a stated instrument.
    price : int
        Price at the start, steps of the book.
    tick : int
        Ticks of the instrument in one step of the book.
    grain : float
        Steps in the smallest difference that the traders mind.
    size : int
        Lots of the instrument in one of the traders' usual lots, of which about 8,000 are traded
        in a minute.
    volatility : float
        Standard deviation of a second's move of the hidden value, in calm times.
    tied : float
        Share of the variance of those moves that is common to the whole market.
    """

    id: str
    price: int
    tick: int
    grain: float
    size: int
    volatility: float
    tied: float

    def instrument(self, table: InstrumentTable) -> Instrument:
        """Return the instrument with the steps and fees of a table."""
        stated = table.get(self.id)
        source = f"market of traders; steps and fees as of {stated.venue}: {stated.source}"
        return replace(stated, venue=VENUE, source=source)

    def market(self, seed: int) -> AgentMarket:
        """Return the market at its start."""
        shape = MarketShape(
            self.price, self.price * ROOM, size=self.size, grain=self.grain, tied=self.tied
        )
        # There is no second market of the same good, so nothing to arbitrage with.
        population = Population(arbitrage=0, volatility=self.volatility)
        digest = blake2b(f"{seed} {self.id}".encode(), digest_size=8).digest()
        own = int.from_bytes(digest, "little") >> 1
        return AgentMarket([shape], population, own, common_seed=seed)

    def listing(self, instrument: Instrument) -> Listing:
        """Return what a reader of the book must know of its units."""
        tick = from_decimal(instrument.tick_size * self.tick)
        return Listing(
            instrument.id,
            instrument.base,
            instrument.quote,
            tick,
            from_decimal(instrument.lot_size),
            self.price * tick,
        )


AGENT_INSTRUMENTS = (
    AgentInstrument("BNBUSDT", 69_000, 1, 1.0, 60, 0.000_09, 0.5),
    AgentInstrument("BTCUSDT", 950_000, 10, 10.0, 250, 0.000_09, 0.7),
    AgentInstrument("DOGEUSDT", 33_000, 1, 1.0, 150, 0.000_13, 0.4),
    AgentInstrument("ETHUSDT", 340_000, 1, 4.0, 400, 0.000_11, 0.7),
    AgentInstrument("SOLUSDT", 19_000, 1, 1.0, 400, 0.000_12, 0.5),
    AgentInstrument("XRPUSDT", 24_000, 1, 1.0, 300, 0.000_11, 0.4),
)
"""The instruments of the living market, by id."""

"""The paper venue: orders meet real or simulated bars, money is pretended."""

from tidewright.exchange.paper.log import MemoryVenueLog
from tidewright.exchange.paper.settings import PaperSettings
from tidewright.exchange.paper.venue import PaperVenue

__all__ = ["MemoryVenueLog", "PaperSettings", "PaperVenue"]

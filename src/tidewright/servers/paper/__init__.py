"""The paper venue as a process of its own, on loopback."""

from tidewright.servers.paper.server import VenueServer, serve

__all__ = ["VenueServer", "serve"]

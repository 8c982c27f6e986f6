"""Broker over the wire of a paper venue that runs as its own process."""

from tidewright.adapters.paper_socket.broker import PaperSocketBroker

__all__ = ["PaperSocketBroker"]

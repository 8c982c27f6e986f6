"""One port for HTTP and WebSockets, with every byte in our hands.

Nothing here knows what an order is. An `Application` answers requests and takes sockets; what
leaves the server can be delayed, cut, replaced or withheld on the way, as real networks do.
"""

from tidewright.servers.venue.wire.listener import LOOPBACK, Listener
from tidewright.servers.venue.wire.socket import Socket, SocketSettings
from tidewright.servers.venue.wire.values import Application, Delivery, Reply, Request, Respond

__all__ = [
    "LOOPBACK",
    "Application",
    "Delivery",
    "Listener",
    "Reply",
    "Request",
    "Respond",
    "Socket",
    "SocketSettings",
]

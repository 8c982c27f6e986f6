"""The port of the page: taken before anything else happens, so that a taken one is named at once.

Loads nothing heavy: the server itself may follow later.
"""

from __future__ import annotations

import socket

from tidewright.domain.errors import ConfigError


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises
    ------
    ConfigError
        If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {port} on {host} cannot be used: {error.strerror}; choose another with --port"
        ) from error
    listener.listen(128)
    return listener

"""A real HTTP server around an application, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI

from tidewright.servers.api.server import ApiServer
from tidewright.servers.api.settings import ApiSettings


@contextmanager
def serve(app: FastAPI) -> Iterator[str]:
    """Serve an application in a thread and yield its address."""
    server = ApiServer(app, ApiSettings(port=0))
    try:
        yield server.start()
    finally:
        server.stop()

"""The real server of the page around any services, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidewright.app.page.queries import Services
from tidewright.servers.api.background import PageServer
from tidewright.servers.api.settings import STATIC, ApiSettings


@contextmanager
def serve(
    services: Services,
    *,
    static: Path = STATIC,
    https: bool = False,
    allowed_hosts: tuple[str, ...] = (),
) -> Iterator[PageServer]:
    """Serve a trader's page until the block ends."""
    settings = ApiSettings(port=0, static=static, https=https, allowed_hosts=allowed_hosts)
    server = PageServer(services, settings)
    try:
        yield server
    finally:
        server.stop()

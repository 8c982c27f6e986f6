"""The page's server in a thread beside the trader."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn

from tidewright.app.page.queries import Services
from tidewright.domain.errors import Transient
from tidewright.servers.api.application import create_api
from tidewright.servers.api.listener import listen
from tidewright.servers.api.settings import ApiSettings

_START_SECONDS = 20.0


class PageServer:
    """Serves the API and the page until `stop`.

    Parameters
    ----------
    services : Services
        The trader that it shows.
    settings : ApiSettings
        Address and limits; port 0 takes a free one.
    listener : socket.socket or None
        Where to listen, if `listener.listen` was called already; closed with the server.

    Raises
    ------
    ConfigError
        If the port is taken.
    Transient
        If the server does not come up in time.
    """

    def __init__(
        self,
        services: Services,
        settings: ApiSettings,
        listener: socket.socket | None = None,
    ) -> None:
        self._socket = listener or listen(settings.host, settings.port)
        self.port = int(self._socket.getsockname()[1])
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"http://{host}:{self.port}"
        self.app = create_api(services, settings)
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws_max_size=4096,
                limit_concurrency=200,
                timeout_graceful_shutdown=2,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="page", daemon=True
        )
        self._thread.start()
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise Transient(f"the page did not come up on {self.url}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server and wait for it."""
        self._server.should_exit = True
        self._thread.join(timeout=5.0)
        self._socket.close()

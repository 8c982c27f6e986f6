"""Runs the API in a thread beside the trading loop."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from tidewright.domain.errors import ConfigError
from tidewright.servers.api.settings import ApiSettings

START_SECONDS = 20.0
STOP_SECONDS = 10.0


class ApiServer:
    """The API of one trader, listening.

    Parameters
    ----------
    app : FastAPI
        Result of `create_api`.
    settings : ApiSettings
        Where it listens; port 0 takes a free one.
    """

    def __init__(self, app: FastAPI, settings: ApiSettings) -> None:
        self._settings = settings
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
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
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None

    def start(self) -> str:
        """Listen, and return the address once requests are answered.

        Raises
        ------
        ConfigError
            If the port cannot be taken or the server does not come up.
        """
        listener = self._listener = self._bind()
        host, port = self._settings.host, listener.getsockname()[1]
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="api", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self.stop()
                raise ConfigError(f"the API did not come up on port {port}; the log says why")
            time.sleep(0.005)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def stop(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        if self._listener is not None:
            self._listener.close()

    def _bind(self) -> socket.socket:
        host, port = self._settings.host, self._settings.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # A bound port that nobody listens on would still look free to a second server.
            listener.listen()
        except OSError as error:
            listener.close()
            raise ConfigError(
                f"port was {port} on {host}; it cannot be used ({error}): choose another --port"
            ) from error
        return listener

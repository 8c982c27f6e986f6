"""What every answer goes through: host check, body cap, request id, headers, plain errors."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tidewright.app.page.read_models import ReadModel
from tidewright.domain.errors import ConfigError, RateLimited, Transient
from tidewright.servers.api.guard import known_host
from tidewright.servers.api.settings import ApiSettings

BODY_LIMIT = 64 * 1024
TOO_LARGE = f"the body is larger than {BODY_LIMIT} bytes"

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

_log = logging.getLogger(__name__)


class ErrorView(ReadModel):
    """Why a request failed."""

    code: str
    message: str
    request_id: str


class Edge:
    """The outermost layer of the application.

    Parameters
    ----------
    app : ASGI application
        What lies within.
    settings : ApiSettings
        The names of the server.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Request-ID"] = request_id
            await send(message)

        connection = HTTPConnection(scope)
        refusal = self._refusal(connection)
        if refusal is None:
            try:
                await self._app(scope, _capped(receive), send_with_headers)
            except Exception as error:  # noqa: BLE001 - the boundary: logged, never shown
                _log.error("request %s failed", request_id, exc_info=error)
                if scope["type"] == "http" and not started:
                    text = f"something failed inside; the log has it as {request_id}"
                    await failure(500, text, request_id)(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 4403, "reason": ""})
        else:
            status, message = refusal
            answer = failure(status, message, request_id)
            await answer(scope, receive, send_with_headers)

    def _refusal(self, connection: HTTPConnection) -> tuple[int, str] | None:
        if not known_host(connection.headers.get("host", ""), self._settings):
            return 421, "this server is not reached under that name"
        length = connection.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            return 413, TOO_LARGE
        return None


def _capped(receive: Receive) -> Receive:
    """Count what comes in, since a body sent in chunks announces no length."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > BODY_LIMIT:
                raise HTTPException(413, TOO_LARGE)
        return message

    return limited


def failure(status: int, message: str, request_id: str) -> JSONResponse:
    """Return an error as the page reads it."""
    code = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 429: "too_many"}
    view = ErrorView(
        code=code.get(status, "invalid" if status < 500 else "failed"),
        message=message,
        request_id=request_id,
    )
    return JSONResponse(view.model_dump(), status)


def install_error_handlers(app: FastAPI) -> None:
    """Turn every expected exception into an `ErrorView`."""

    async def http_error(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101 - narrows the registered type
        answer = failure(error.status_code, str(error.detail), request.state.request_id)
        answer.headers.update(error.headers or {})
        return answer

    async def bad_input(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - narrows the registered type
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return failure(422, f"{where}: {first['msg']}", request.state.request_id)

    async def passing(request: Request, error: Exception) -> JSONResponse:
        answer = failure(503, str(error), request.state.request_id)
        if isinstance(error, RateLimited):
            answer.headers["Retry-After"] = str(int(error.retry_after) + 1)
        return answer

    async def refused(request: Request, error: Exception) -> JSONResponse:
        return failure(422, str(error), request.state.request_id)

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, bad_input)
    app.add_exception_handler(Transient, passing)
    app.add_exception_handler(ConfigError, refused)

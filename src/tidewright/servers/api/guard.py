"""Who may call what: every route declares a role, every state change proves where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute

from tidewright.app.page.read_models import Role
from tidewright.servers.api.sessions import Session, Sessions
from tidewright.servers.api.settings import ApiSettings

COOKIE = "tidewright_session"
CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_RANK = {Role.PUBLIC: 0, Role.VIEWER: 1, Role.OPERATOR: 2}
F = TypeVar("F", bound=Callable[..., object])


def role(needed: Role) -> Callable[[F], F]:
    """Declare the role that an endpoint needs; undeclared endpoints stop the server's start."""

    def declare(endpoint: F) -> F:
        endpoint.__dict__["role"] = needed
        return endpoint

    return declare


def declared_role(route: BaseRoute) -> Role | None:
    """Return the role that a route declares."""
    return getattr(getattr(route, "endpoint", None), "role", None)


def own_origin(connection: HTTPConnection, settings: ApiSettings) -> bool:
    """Whether the Origin header names this server under one of its own names."""
    origin = connection.headers.get("origin", "")
    host = connection.headers.get("host", "")
    found = urlsplit(origin)
    scheme = "https" if settings.https else "http"
    return (found.scheme, found.netloc) == (scheme, host) and known_host(host, settings)


def known_host(host: str, settings: ApiSettings) -> bool:
    """Whether a Host header is one of the server's names; keeps DNS rebinding out."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name in settings.hosts


def state_of(connection: HTTPConnection) -> tuple[ApiSettings, Sessions]:
    """Return settings and sessions of the application."""
    return connection.app.state.settings, connection.app.state.sessions


def session_of(connection: HTTPConnection, *, touch: bool = True) -> Session | None:
    """Return the session of a connection's cookie."""
    _, sessions = state_of(connection)
    return sessions.find(connection.cookies.get(COOKIE), touch=touch)


def allowed(session: Session | None, needed: Role) -> bool:
    """Whether a session holds a role."""
    held = Role.PUBLIC if session is None else session.role
    return _RANK[held] >= _RANK[needed]


def guard(request: Request) -> None:
    """Let a request through or refuse it; a dependency of every route.

    Raises
    ------
    HTTPException
        401 without a session, 403 without the role, the origin or the token.
    """
    settings, _ = state_of(request)
    route = request.scope["route"]
    needed = declared_role(route) if isinstance(route, APIRoute) else None
    if needed is None:
        raise HTTPException(403, "this address declares no role")
    changes = request.method not in SAFE_METHODS
    if changes and not own_origin(request, settings):
        raise HTTPException(403, "the request did not come from this page")
    if needed is Role.PUBLIC:
        return
    session = session_of(request)
    if session is None:
        raise HTTPException(401, "log in first")
    if not allowed(session, needed):
        raise HTTPException(403, f"this needs the {needed.value} role; yours is {session.role}")
    if changes and not session.accepts(request.headers.get(CSRF_HEADER, "")):
        raise HTTPException(403, "the request carried no valid CSRF token")


GUARDED = Depends(guard)
"""The guard as a dependency."""

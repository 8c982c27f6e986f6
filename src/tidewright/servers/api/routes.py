"""The REST addresses: reading for viewers, stopping and resuming for operators."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

from tidewright.app.page import queries
from tidewright.app.page.performance import performance
from tidewright.app.page.queries import Services
from tidewright.app.page.read_models import (
    AlertView,
    BookView,
    Candles,
    Delta,
    EquitySeries,
    InstrumentView,
    OrderView,
    Performance,
    PositionView,
    ReadModel,
    RefusalView,
    Role,
    SettingValue,
    SignalView,
    Snapshot,
    Status,
    TradeView,
)
from tidewright.app.page.view import BAR_LIMIT
from tidewright.servers.api.edge import ErrorView
from tidewright.servers.api.exposition import exposition
from tidewright.servers.api.guard import COOKIE, GUARDED, allowed, role, session_of
from tidewright.servers.api.sessions import Session, Throttle

RESUME_PHRASE = "RESUME"

router = APIRouter(
    dependencies=[GUARDED],
    responses={
        401: {"model": ErrorView},
        403: {"model": ErrorView},
        422: {"model": ErrorView},
    },
)


class Health(ReadModel):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Credentials(ReadModel):
    """The login secret, or the token of a one-time link."""

    secret: str = Field(default="", max_length=200)
    token: str = Field(default="", max_length=200)


class SessionView(ReadModel):
    """Who is logged in."""

    role: Role
    csrf: str = Field(description="Send it as X-CSRF-Token with every change.")


class HaltRequest(ReadModel):
    """Why trading stops."""

    reason: str = Field(default="stopped from the dashboard", max_length=200)


class ResumeRequest(ReadModel):
    """Consent to trading again."""

    confirmation: str = Field(description=f"Exactly {RESUME_PHRASE}.", max_length=40)
    reason: str = Field(default="resumed from the dashboard", max_length=200)


class Accepted(ReadModel):
    """The order is stored and will be carried out; the status tells when it was."""

    accepted: Literal[True] = True


class SettingsView(ReadModel):
    """Settings by section, secrets masked."""

    sections: dict[str, dict[str, SettingValue]]


def services_of(request: Request) -> Services:
    """Return the trader behind the API."""
    services: Services = request.app.state.services
    return services


@router.get("/api/v1/healthz")
@role(Role.PUBLIC)
def get_health() -> Health:
    """Tell that the server answers."""
    return Health()


@router.post("/api/v1/login", responses={429: {"model": ErrorView}})
@role(Role.PUBLIC)
def post_login(request: Request, response: Response, credentials: Credentials) -> SessionView:
    """Start a session by secret or one-time token."""
    login, throttle = services_of(request).login, request.app.state.throttle
    granted = login.redeem(credentials.token) if credentials.token else None
    if granted is None:
        granted = _by_secret(request, throttle, credentials.secret)
    sessions, settings = request.app.state.sessions, request.app.state.settings
    sessions.close(request.cookies.get(COOKIE))
    identifier, session = sessions.open(granted)
    response.set_cookie(
        COOKIE, identifier, httponly=True, samesite="strict", secure=settings.https, path="/"
    )
    return SessionView(role=session.role, csrf=session.csrf)


def _by_secret(request: Request, throttle: Throttle, secret: str) -> Role:
    address = request.client.host if request.client else ""
    if secret and (wait := throttle.wait(address)) > 0:
        raise HTTPException(
            429,
            f"too many failed logins; try again in {wait:.0f} s, or use a one-time link",
            {"Retry-After": str(int(wait) + 1)},
        )
    granted = services_of(request).login.verify(secret) if secret else None
    if granted is None:
        if secret:
            throttle.failed(address)
        raise HTTPException(401, "the secret or link is not valid")
    throttle.succeeded(address)
    return granted


@router.get("/api/v1/session")
@role(Role.PUBLIC)
def get_session(request: Request) -> SessionView | None:
    """Return the session and keep it alive; null when nobody is logged in."""
    session = session_of(request)
    return None if session is None else SessionView(role=session.role, csrf=session.csrf)


@router.post("/api/v1/logout")
@role(Role.VIEWER)
def post_logout(request: Request, response: Response, everywhere: bool = False) -> Accepted:
    """End this session, or every session."""
    sessions = request.app.state.sessions
    if everywhere and allowed(_session(request), Role.OPERATOR):
        sessions.close_all()
    sessions.close(request.cookies.get(COOKIE))
    response.delete_cookie(COOKIE, path="/")
    return Accepted()


def _session(request: Request) -> Session:
    session = session_of(request)
    if session is None:
        raise HTTPException(401, "log in first")
    return session


@router.get("/api/v1/status")
@role(Role.VIEWER)
def get_status(request: Request) -> Status:
    """Return the first glance."""
    return queries.status(services_of(request).view)


@router.get("/api/v1/instruments")
@role(Role.VIEWER)
def get_instruments(request: Request) -> list[InstrumentView]:
    """Return what can be traded."""
    return queries.instruments(services_of(request).view)


@router.get("/api/v1/candles", responses={404: {"model": ErrorView}})
@role(Role.VIEWER)
def get_candles(
    request: Request,
    instrument: Annotated[str, Query(max_length=40)],
    limit: Annotated[int, Query(ge=1, le=BAR_LIMIT)] = 500,
) -> Candles:
    """Return the latest bars of one instrument with the strategy's columns, oldest first."""
    found = queries.candles(services_of(request).view, instrument, limit)
    if found is None:
        raise HTTPException(404, f"instrument was {instrument!r}; it is not traded here")
    return found


@router.get("/api/v1/book", responses={404: {"model": ErrorView}})
@role(Role.VIEWER)
def get_book(request: Request, instrument: Annotated[str, Query(max_length=40)]) -> BookView | None:
    """Return the order book and the last trades; null without any, or for the first look at it."""
    view = services_of(request).view
    if view.bars(instrument, 1) is None:
        raise HTTPException(404, f"instrument was {instrument!r}; it is not traded here")
    return queries.book(view, instrument)


@router.get("/api/v1/equity")
@role(Role.VIEWER)
def get_equity(request: Request) -> EquitySeries:
    """Return equity against the benchmark, with drawdown."""
    return queries.equity(services_of(request).view)


@router.get("/api/v1/positions")
@role(Role.VIEWER)
def get_positions(request: Request) -> list[PositionView]:
    """Return the open positions."""
    return queries.positions(services_of(request).view)


@router.get("/api/v1/orders")
@role(Role.VIEWER)
def get_orders(request: Request) -> list[OrderView]:
    """Return the latest orders."""
    return queries.orders(services_of(request).view)


@router.get("/api/v1/trades")
@role(Role.VIEWER)
def get_trades(request: Request) -> list[TradeView]:
    """Return the latest round trips."""
    return queries.trades(services_of(request).view)


@router.get("/api/v1/signals")
@role(Role.VIEWER)
def get_signals(request: Request) -> list[SignalView]:
    """Return the latest signals."""
    return queries.signals(services_of(request).view)


@router.get("/api/v1/refusals")
@role(Role.VIEWER)
def get_refusals(request: Request) -> list[RefusalView]:
    """Return the latest refused signals."""
    return queries.refusals(services_of(request).view)


@router.get("/api/v1/alerts")
@role(Role.VIEWER)
def get_alerts(request: Request) -> list[AlertView]:
    """Return the latest alerts."""
    return queries.alerts(services_of(request).view)


@router.get("/api/v1/performance")
@role(Role.VIEWER)
def get_performance(request: Request) -> Performance:
    """Return the figures of the run."""
    return performance(services_of(request).view.snapshot())


@router.get("/metrics")
@role(Role.VIEWER)
def get_metrics(request: Request) -> Performance:
    """Return the figures of the run, as `/api/v1/performance` does."""
    return performance(services_of(request).view.snapshot())


@router.get("/metrics/prometheus", response_class=PlainTextResponse)
@role(Role.VIEWER)
def get_prometheus(request: Request) -> PlainTextResponse:
    """Return the figures of the run in the Prometheus text format."""
    return PlainTextResponse(
        exposition(services_of(request).view.snapshot()),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


@router.get("/api/v1/settings")
@role(Role.VIEWER)
def get_settings(request: Request) -> SettingsView:
    """Return the settings, read only."""
    sections = services_of(request).settings()
    return SettingsView(sections={name: dict(values) for name, values in sections.items()})


@router.get("/api/v1/snapshot")
@role(Role.VIEWER)
def get_snapshot(request: Request) -> Snapshot | Delta:
    """Return what the stream begins with; its later messages are deltas."""
    return queries.snapshot(services_of(request).view)[0]


@router.post("/api/v1/halt", status_code=202, responses={503: {"model": ErrorView}})
@role(Role.OPERATOR)
def post_halt(request: Request, body: HaltRequest | None = None) -> Accepted:
    """Stop trading now: entries are cancelled, stops and targets keep working."""
    reason = (body or HaltRequest()).reason
    services_of(request).halt(_session(request).actor, reason)
    return Accepted()


@router.post("/api/v1/resume", status_code=202, responses={503: {"model": ErrorView}})
@role(Role.OPERATOR)
def post_resume(request: Request, body: ResumeRequest) -> Accepted:
    """Let the trader open positions again; needs the typed phrase."""
    if body.confirmation != RESUME_PHRASE:
        raise HTTPException(
            422, f"confirmation was {body.confirmation!r}; expected {RESUME_PHRASE!r}"
        )
    services_of(request).resume(_session(request).actor, body.reason)
    return Accepted()

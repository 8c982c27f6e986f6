"""The application: routes, guard, edge and page, around one trader's services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import FastAPI
from starlette.routing import BaseRoute

from tidewright.app.page.queries import Services
from tidewright.app.page.stream import Stream
from tidewright.servers.api.edge import Edge, install_error_handlers
from tidewright.servers.api.guard import declared_role
from tidewright.servers.api.live import Connections, events, sockets
from tidewright.servers.api.pages import page_router
from tidewright.servers.api.routes import router
from tidewright.servers.api.sessions import Sessions, Throttle
from tidewright.servers.api.settings import ApiSettings


def create_api(services: Services, settings: ApiSettings | None = None) -> FastAPI:
    """Return the API and page of one trader.

    Parameters
    ----------
    services : Services
        The trader that is shown.
    settings : ApiSettings, optional
        Address and session times.

    Raises
    ------
    RuntimeError
        If a route declares no role.
    """
    used = settings or ApiSettings()
    app = FastAPI(title="Tidewright", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    app.state.settings = used
    app.state.sessions = Sessions(used)
    app.state.throttle = Throttle()
    app.state.stream = Stream(services.view)
    app.state.connections = Connections()
    for routes in (router, events, sockets, page_router(used.static)):
        app.include_router(routes)
    for route in every_route(app.routes):
        if declared_role(route) is None:
            raise RuntimeError(f"route {getattr(route, 'path', route)!r} declares no role")
    install_error_handlers(app)
    app.add_middleware(Edge, settings=used)
    return app


def every_route(routes: Sequence[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield every route, those of included routers too."""
    for route in routes:
        # Newer FastAPI keeps an included router as one entry; older ones copy its routes.
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from every_route(included.routes)

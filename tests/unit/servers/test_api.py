from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fakes.fake_trader import FakeTrader
from fakes.http_server import serve
from tidewright.app.feeds.picture import BookPicture
from tidewright.app.page.read_models import Role
from tidewright.domain.errors import ConfigError, Transient
from tidewright.domain.events import TradingState
from tidewright.exchange.spot.values import Depth
from tidewright.servers.api.application import create_api, every_route
from tidewright.servers.api.background import PageServer
from tidewright.servers.api.edge import BODY_LIMIT, SECURITY_HEADERS
from tidewright.servers.api.guard import COOKIE, SAFE_METHODS, declared_role, role
from tidewright.servers.api.live import CONNECTION_LIMIT
from tidewright.servers.api.openapi import document
from tidewright.servers.api.sessions import FREE_TRIES, Sessions, Throttle
from tidewright.servers.api.settings import ApiSettings

STEPS = 160
OPENAPI = Path(__file__).parents[3] / "ui" / "src" / "client" / "openapi.json"


@pytest.fixture
def trader() -> FakeTrader:
    made = FakeTrader()
    for _ in range(STEPS):
        made.step()
    return made


@pytest.fixture
def static(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("export {}")
    return tmp_path


@pytest.fixture
def page(trader: FakeTrader, static: Path) -> Iterator[PageServer]:
    with serve(trader, static=static) as server:
        yield server


@pytest.fixture
def app(page: PageServer) -> FastAPI:
    return page.app


@pytest.fixture
def origin(page: PageServer) -> str:
    return page.url


@pytest.fixture
def client(origin: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=origin, trust_env=False) as made:
        yield made


def own(client: httpx.Client) -> dict[str, str]:
    """Headers of a request that the page itself makes."""
    return {"Origin": str(client.base_url).rstrip("/")}


def log_in(client: httpx.Client, token: str = "once") -> dict[str, str]:
    """Log in and return the headers of a permitted change."""
    answer = client.post("/api/v1/login", json={"token": token}, headers=own(client))
    assert answer.status_code == 200, answer.text
    return {**own(client), "X-CSRF-Token": answer.json()["csrf"]}


def stream(
    client: httpx.Client, origin: str | None, path: str = "/api/v1/stream"
) -> ClientConnection:
    """Open a WebSocket with the cookies of a client."""
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address = str(client.base_url).replace("http://", "ws://").rstrip("/")
    return connect(
        f"{address}{path}",
        origin=origin,
        additional_headers={"Cookie": cookie},
        proxy=None,
        open_timeout=10,
    )


def drain(socket: ClientConnection) -> None:
    """Read until the other side closes."""
    for _ in range(50):
        socket.recv(10)


def http_routes(app: FastAPI) -> list[tuple[str, str, Role]]:
    found = []
    for route in every_route(app.routes):
        needed = declared_role(route)
        assert needed is not None
        for method in sorted(getattr(route, "methods", None) or ()):
            found.append((method, getattr(route, "path", ""), needed))
    return found


def test_every_route_declares_a_role_and_public_ones_are_few(app: FastAPI) -> None:
    public = {path for _, path, needed in http_routes(app) if needed is Role.PUBLIC}
    assert public == {"/api/v1/healthz", "/api/v1/login", "/api/v1/session", "/{path:path}"}
    operator = {path for _, path, needed in http_routes(app) if needed is Role.OPERATOR}
    assert operator == {"/api/v1/halt", "/api/v1/resume"}


def test_route_without_role_stops_the_start(
    trader: FakeTrader, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tidewright.servers.api import application

    def undeclared() -> None:
        """Answer nothing."""

    router = application.page_router(static)
    router.add_api_route("/secret", undeclared)
    monkeypatch.setattr(application, "page_router", lambda _: router)
    with pytest.raises(RuntimeError, match="/secret"):
        create_api(trader, ApiSettings(static=static))


def test_every_protected_route_refuses_strangers_and_lesser_roles(
    app: FastAPI, client: httpx.Client
) -> None:
    routes = [route for route in http_routes(app) if route[2] is not Role.PUBLIC]
    assert len(routes) > 15
    for method, path, _ in routes:
        answer = client.request(method, path, headers=own(client))
        assert answer.status_code == 401, path
    headers = log_in(client, "look")
    for method, path, needed in routes:
        if needed is Role.OPERATOR:
            answer = client.request(method, path, headers=headers, json={})
            assert answer.status_code == 403, path


def test_every_change_needs_origin_and_csrf_token(
    app: FastAPI, client: httpx.Client, trader: FakeTrader
) -> None:
    headers = log_in(client)
    changes = [route for route in http_routes(app) if route[0] not in SAFE_METHODS]
    assert {path for _, path, _ in changes} >= {"/api/v1/halt", "/api/v1/resume", "/api/v1/login"}
    for method, path, needed in changes:
        evil = {**headers, "Origin": "https://evil.example"}
        for wrong in (evil, {"X-CSRF-Token": headers["X-CSRF-Token"]}):
            assert client.request(method, path, headers=wrong, json={}).status_code == 403, path
        if needed is not Role.PUBLIC:
            for token in ({}, {"X-CSRF-Token": "guess"}):
                answer = client.request(method, path, headers={**own(client), **token}, json={})
                assert answer.status_code == 403, path
    assert trader.commands == []


def test_reading_changes_nothing(app: FastAPI, client: httpx.Client, trader: FakeTrader) -> None:
    log_in(client)
    before = trader.view.snapshot().counts
    for method, path, _ in http_routes(app):
        if method == "GET" and path != "/api/v1/events":
            client.get(path.replace("{path:path}", ""), params={"instrument": "BTCUSDT"})
    assert trader.view.snapshot().counts == before
    assert trader.commands == []


def test_reads_answer_with_what_the_view_holds(client: httpx.Client) -> None:
    log_in(client)
    status = client.get("/api/v1/status").json()
    assert status["sequence"] == STEPS
    assert re.fullmatch(r"\d+\.\d{8}", status["equity"])
    candles = client.get("/api/v1/candles", params={"instrument": "BTCUSDT", "limit": 5}).json()
    assert len(candles["rows"]) == 5
    assert candles["rows"][-1]["columns"].keys() >= {"sma(10)", "rsi(14)"}
    for path in ("instruments", "positions", "orders", "trades", "signals", "refusals", "alerts"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert len(answer.json()) > 0, path
    assert client.get("/api/v1/settings").json()["sections"]["risk"]["max_drawdown_percent"] == 15
    assert client.get("/api/v1/performance").json() == client.get("/metrics").json()


def test_unknown_instrument_is_named(client: httpx.Client) -> None:
    log_in(client)
    answer = client.get("/api/v1/candles", params={"instrument": "<b>x</b>"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    assert answer.headers["content-type"] == "application/json"


def test_prometheus_text_has_help_type_and_value(client: httpx.Client) -> None:
    log_in(client)
    answer = client.get("/metrics/prometheus")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in answer.text.splitlines():
        assert re.match(r'# (HELP|TYPE) \w+ .+|\w+(\{state="\w+"\})? -?[\d.e+-]+$', line), line
    assert 'tidewright_state{state="active"} 1' in answer.text


def test_halt_needs_no_confirmation_and_resume_needs_the_phrase(
    client: httpx.Client, trader: FakeTrader
) -> None:
    headers = log_in(client)
    assert client.post("/api/v1/halt", headers=headers).status_code == 202
    assert trader.commands == [
        (TradingState.HALTED, "dashboard:operator", "stopped from the dashboard")
    ]
    trader.step()
    assert client.get("/api/v1/status").json()["state"] == "halted"
    for phrase in ("", "resume", "RESUME "):
        answer = client.post("/api/v1/resume", headers=headers, json={"confirmation": phrase})
        assert answer.status_code == 422
    assert len(trader.commands) == 1
    answer = client.post("/api/v1/resume", headers=headers, json={"confirmation": "RESUME"})
    assert answer.status_code == 202
    assert trader.commands[-1][0] is TradingState.ACTIVE


def test_halt_that_could_not_be_stored_says_so(client: httpx.Client, trader: FakeTrader) -> None:
    headers = log_in(client)
    trader.fail_halt = Transient("the operator inbox is locked")
    answer = client.post("/api/v1/halt", headers=headers)
    assert answer.status_code == 503
    assert answer.json()["message"] == "the operator inbox is locked"


def test_inner_error_shows_a_request_id_and_no_traceback(
    client: httpx.Client, trader: FakeTrader, caplog: pytest.LogCaptureFixture
) -> None:
    headers = log_in(client)
    trader.fail_halt = RuntimeError("canary-secret in a traceback")
    answer = client.post("/api/v1/halt", headers=headers)
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-request-id"] in caplog.text
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/login", "/nothing", "/api/v1/healthz", "/api/v1/status"])
def test_every_answer_carries_security_headers(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_preflight_from_elsewhere_is_granted_nothing(client: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/api/v1/halt", headers=asked)
    assert answer.status_code >= 400
    assert "access-control-allow-origin" not in answer.headers


def test_foreign_host_name_is_refused(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "rebound.example"}).status_code == 421
    assert client.get("/", headers={"Host": "127.0.0.1:9999"}).status_code == 200


def test_large_body_is_refused_announced_or_not(client: httpx.Client) -> None:
    body = b'{"secret": "' + b"x" * BODY_LIMIT + b'"}'
    headers = {**own(client), "Content-Type": "application/json"}
    assert client.post("/api/v1/login", content=body, headers=headers).status_code == 413
    chunks = iter([body[:1000], body[1000:]])
    assert client.post("/api/v1/login", content=chunks, headers=headers).status_code == 413


def test_cookie_is_out_of_reach_of_scripts_and_other_sites(client: httpx.Client) -> None:
    answer = client.post("/api/v1/login", json={"token": "once"}, headers=own(client))
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie


def test_cookie_is_secure_behind_https(trader: FakeTrader, static: Path) -> None:
    headers = {"Host": "desk.lan", "Origin": "https://desk.lan"}
    with serve(trader, static=static, https=True, allowed_hosts=("desk.lan",)) as page:
        link = {"token": "once"}
        address = f"{page.url}/api/v1/login"
        answer = httpx.post(address, json=link, headers=headers, trust_env=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_login_by_secret_makes_a_new_session_id_each_time(client: httpx.Client) -> None:
    headers = own(client)
    known = {"fixed-by-an-attacker"}
    for _ in range(2):
        sent = {**headers, "Cookie": f"{COOKIE}=fixed-by-an-attacker"}
        answer = client.post("/api/v1/login", json={"secret": "correct horse"}, headers=sent)
        known.add(answer.cookies[COOKIE])
    assert len(known) == 3


def test_link_works_once(client: httpx.Client) -> None:
    log_in(client)
    answer = client.post("/api/v1/login", json={"token": "once"}, headers=own(client))
    assert answer.status_code == 401


def test_fetching_the_link_uses_nothing_up(client: httpx.Client) -> None:
    assert client.get("/login", params={"token": "once"}).status_code == 200
    log_in(client)


def test_logout_ends_the_session(client: httpx.Client) -> None:
    headers = log_in(client)
    old = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    assert client.post("/api/v1/logout", headers=headers).status_code == 200
    assert client.get("/api/v1/status", headers=old).status_code == 401
    assert client.get("/api/v1/session", headers=old).json() is None


def test_logout_everywhere_ends_every_session(client: httpx.Client, origin: str) -> None:
    with httpx.Client(base_url=origin, trust_env=False) as other:
        log_in(other, "look")
        headers = log_in(client)
        client.post("/api/v1/logout", params={"everywhere": True}, headers=headers)
        assert other.get("/api/v1/status").status_code == 401


def test_guessing_is_slowed_and_the_link_still_works(client: httpx.Client) -> None:
    headers = own(client)
    for _ in range(FREE_TRIES):
        answer = client.post("/api/v1/login", json={"secret": "admin"}, headers=headers)
        assert answer.status_code == 401
    answer = client.post("/api/v1/login", json={"secret": "correct horse"}, headers=headers)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    log_in(client)


def test_delay_grows_with_failures_and_ends_with_time() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    waits = []
    for _ in range(12):
        throttle.failed("a")
        waits.append(throttle.wait("a"))
    assert waits[: FREE_TRIES - 1] == [0.0] * (FREE_TRIES - 1)
    assert waits == sorted(waits)
    assert waits[-1] == 60.0
    assert throttle.wait("b") == 0.0
    now[0] = 61.0
    assert throttle.wait("a") == 0.0


def test_guesses_from_many_addresses_are_slowed_together() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(40):
        throttle.failed(f"10.0.0.{number}")
    assert throttle.wait("10.0.1.1") > 0


def test_session_ends_when_idle_and_after_its_longest_time() -> None:
    now = [0.0]
    sessions = Sessions(ApiSettings(), lambda: now[0])
    identifier, _ = sessions.open(Role.VIEWER)
    now[0] = 29 * 60.0
    assert sessions.find(identifier) is not None
    now[0] += 31 * 60.0
    assert sessions.find(identifier) is None
    identifier, _ = sessions.open(Role.VIEWER)
    for _ in range(47):
        now[0] += 15 * 60.0
        assert sessions.find(identifier) is not None
    now[0] += 15 * 60.0
    assert sessions.find(identifier) is None


def test_looking_without_touching_does_not_keep_a_session() -> None:
    now = [0.0]
    sessions = Sessions(ApiSettings(), lambda: now[0])
    identifier, _ = sessions.open(Role.VIEWER)
    now[0] = 20 * 60.0
    assert sessions.find(identifier, touch=False) is not None
    now[0] = 31 * 60.0
    assert sessions.find(identifier) is None


def test_page_is_served_with_caching_and_nothing_beside_it(client: httpx.Client) -> None:
    assert "<title>page</title>" in client.get("/").text
    assert client.get("/").headers["cache-control"] == "no-cache"
    asset = client.get("/assets/index-abc.js")
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith("text/javascript")
    for path in ("/../pyproject.toml", "/%2e%2e/pyproject.toml", "/assets/../../x", "//etc/passwd"):
        assert client.get(path).status_code == 404, path


def test_missing_page_is_said_and_the_api_works(trader: FakeTrader, tmp_path: Path) -> None:
    with serve(trader, static=tmp_path / "none") as page:
        answer = httpx.get(page.url, trust_env=False)
        assert answer.status_code == 503
        assert "not built" in answer.text
        health = httpx.get(f"{page.url}/api/v1/healthz", trust_env=False)
        assert health.json() == {"status": "ok"}


def test_socket_sends_snapshot_then_deltas(
    client: httpx.Client, origin: str, trader: FakeTrader
) -> None:
    log_in(client)
    with stream(client, origin) as socket:
        assert json.loads(socket.recv(10))["type"] == "snapshot"
        trader.step()
        for _ in range(20):
            message = json.loads(socket.recv(10))
            assert message["type"] == "delta"
            if message["bars"]:
                break
        assert message["status"]["sequence"] == STEPS + 1


@pytest.mark.parametrize("foreign", ["https://evil.example", "http://localhost:1", "null", None])
def test_socket_from_another_origin_is_refused(client: httpx.Client, foreign: str | None) -> None:
    log_in(client)
    with pytest.raises(InvalidStatus, match="403"):
        stream(client, foreign)


def test_socket_without_session_is_refused(client: httpx.Client, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        stream(client, origin)


def test_socket_ends_when_the_session_does(
    app: FastAPI, client: httpx.Client, origin: str, trader: FakeTrader
) -> None:
    log_in(client)
    with stream(client, origin) as socket:
        socket.recv(10)
        app.state.sessions.close_all()
        trader.step()
        with pytest.raises(ConnectionClosed) as ended:
            drain(socket)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4401


def test_sockets_of_one_session_are_limited(client: httpx.Client, origin: str) -> None:
    log_in(client)
    with ExitStack() as stack:
        for _ in range(CONNECTION_LIMIT):
            stack.enter_context(stream(client, origin))
        with pytest.raises(InvalidStatus, match="403"):
            stream(client, origin)


def a_book(instrument: str, update: int) -> BookPicture:
    depth = Depth(instrument, update, update, ((100, 1),), ((101, 2),), 1_700_000_000_000_000_000)
    return BookPicture(depth, ())


def test_book_is_sent_to_who_looks_and_again_when_it_changed(
    client: httpx.Client, origin: str, trader: FakeTrader
) -> None:
    log_in(client)
    assert client.get("/api/v1/book?instrument=BTCUSDT").json() is None
    assert client.get("/api/v1/book?instrument=AAPL").status_code == 404
    assert client.get("/api/v1/status").json()["book"] is False
    books = trader.view.books
    with stream(client, origin, "/api/v1/book/stream?instrument=ETHUSDT") as socket:
        for update in (1, 2):
            books.show("ETHUSDT", a_book("ETHUSDT", update))
            message = json.loads(socket.recv(10))
            assert message["bids"] == [{"price": "0.000001", "quantity": "0.00000001"}]
        with pytest.raises(TimeoutError):
            socket.recv(0.6)
        assert "ETHUSDT" in books.wanted()
    assert client.get("/api/v1/book?instrument=ETHUSDT").json() == message


def test_book_is_kept_from_strangers(client: httpx.Client, origin: str, app: FastAPI) -> None:
    path = "/api/v1/book/stream?instrument=ETHUSDT"
    with pytest.raises(InvalidStatus, match="403"):
        stream(client, origin, path)
    log_in(client)
    with pytest.raises(InvalidStatus, match="403"):
        stream(client, "http://elsewhere.example", path)
    with stream(client, origin, path) as socket:
        app.state.sessions.close_all()
        with pytest.raises(ConnectionClosed) as ended:
            drain(socket)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 4401


def test_server_sent_events_carry_the_same_messages(
    client: httpx.Client, trader: FakeTrader
) -> None:
    log_in(client)
    found: list[str] = []
    with client.stream("GET", "/api/v1/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        for line in events.iter_lines():
            if line.startswith("data: "):
                found.append(json.loads(line[6:])["type"])
                trader.step()
            if len(found) == 2:
                break
    assert found == ["snapshot", "delta"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "desk.lan"])
def test_address_that_others_reach_needs_https(host: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        ApiSettings(host=host)
    assert host in ApiSettings(host=host, https=True).hosts


def test_taken_port_is_named(page: PageServer, trader: FakeTrader) -> None:
    with pytest.raises(ConfigError, match=str(page.port)):
        PageServer(trader, ApiSettings(port=page.port))


def test_stopped_server_answers_no_more(trader: FakeTrader, static: Path) -> None:
    with serve(trader, static=static) as page:
        answer = httpx.get(f"{page.url}/api/v1/healthz", trust_env=False)
        assert answer.status_code == 200
        assert "server" not in answer.headers
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{page.url}/api/v1/healthz", trust_env=False)


def test_openapi_document_of_the_client_is_current() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == document(), (
        "run: python -m tidewright.servers.api.openapi > ui/src/client/openapi.json, "
        "then npm run client in ui"
    )


def test_role_decorator_keeps_the_endpoint() -> None:
    def endpoint() -> int:
        return 1

    assert role(Role.VIEWER)(endpoint) is endpoint

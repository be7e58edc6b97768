"""/health, /ready and /metrics: what machines ask, and who may."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from chat.app import Server
from chat.handlers import readiness as readiness_module
from chat.handlers.readiness import FRESH_SECONDS, Readiness
from chat.handlers.request_log import shown_path
from chat.lib import schema
from chat.lib.postgres import EmbeddedPostgres
from chat.models import workspace
from tests.conftest import World, settings_with

TOKEN = "0123456789abcdef-metrics"


async def ask(server: Server, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
    request = HTTPRequest(
        f"http://127.0.0.1:{server.port}{path}",
        method=method,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        follow_redirects=False,
        allow_nonstandard_methods=True,
    )
    return await AsyncHTTPClient().fetch(request, raise_error=False)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_machines_are_answered_under_any_host_with_the_headers_of_every_answer(world: World, path: str) -> None:
    response = await ask(world.server, path, Host="10.1.2.3:8000")
    assert response.code == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
async def test_head_is_answered_without_a_body_and_nothing_else_is_allowed(world: World, path: str) -> None:
    response = await ask(world.server, path, "HEAD")
    assert (response.code, response.body) == (200, b"")
    for method in ("POST", "PUT", "DELETE"):
        response = await ask(world.server, path, method, Origin=world.base)
        assert response.code == 405
        assert response.headers["Allow"] == "GET, HEAD"


async def test_health_is_tiny(world: World) -> None:
    assert (await ask(world.server, "/health")).body == b"ok\n"


async def test_ready_is_said_in_text_or_in_json(world: World) -> None:
    assert (await ask(world.server, "/ready")).body == b"ready\n"
    response = await ask(world.server, "/ready", Accept="application/json")
    assert json.loads(response.body) == {"ready": True, "reasons": []}


@pytest.mark.logs("the database cannot be written")
@pytest.mark.may_log("roomful.jobs: .* the database is busy or away")
@pytest.mark.logs("the database cannot be written")
async def test_health_lives_on_and_ready_says_why_when_the_database_is_gone(
    world: World, postgres: EmbeddedPostgres
) -> None:
    name = world.server.db.engine.url.database
    assert name is not None
    await postgres.drop_database(name)
    response = await ask(world.server, "/ready", Accept="application/json")
    assert response.code == 503
    answer = json.loads(response.body)
    assert answer["ready"] is False
    [reason] = answer["reasons"]
    assert reason.startswith("The database ")
    assert (await ask(world.server, "/health")).code == 200
    text_answer = await ask(world.server, "/ready")
    assert (text_answer.code, text_answer.body.decode()) == (503, f"{reason}\n")


def readiness_of(server: Server, **arguments: object) -> Readiness:
    usual = {"data_dir": None, "loop_lag": lambda: 0.0, "is_stopping": lambda: False} | arguments
    return Readiness(server.db, **usual)  # type: ignore[arg-type]


@pytest.mark.logs("the database cannot be written")
@pytest.mark.logs("the database cannot be written")
async def test_a_database_that_takes_no_writes_is_not_ready(world: World) -> None:
    name = world.server.db.engine.url.database
    async with world.server.db.transaction() as tx:
        await tx.db.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    await world.server.db.engine.dispose()
    assert await readiness_of(world.server).reasons() == ["The database cannot be written; the log says why."]


async def test_a_schema_that_is_too_old_is_not_ready_and_a_newer_one_is(world: World) -> None:
    async def put(revision: str) -> None:
        async with world.server.db.transaction() as tx:
            await tx.db.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})

    await put(schema.known()[-2])
    [reason] = await readiness_of(world.server).reasons()
    assert schema.known()[-2] in reason
    assert schema.needed() in reason
    await put("9999")
    assert await readiness_of(world.server).reasons() == []


async def test_a_disk_that_is_nearly_full_is_not_ready(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await readiness_of(world.server, data_dir=tmp_path).reasons() == []
    monkeypatch.setattr(readiness_module, "FREE_BYTES", 2**62)
    [reason] = await readiness_of(world.server, data_dir=tmp_path).reasons()
    assert reason.startswith("The disk of the data folder has ")
    assert str(tmp_path) not in reason
    [reason] = await readiness_of(world.server, data_dir=tmp_path / "gone").reasons()
    assert reason.startswith("The data folder cannot be looked at: ")


async def test_a_loop_that_cannot_keep_up_is_not_ready(world: World) -> None:
    assert await readiness_of(world.server, loop_lag=lambda: 2.5).reasons() == ["The event loop is 2.5 seconds late."]


async def test_a_server_that_stops_is_not_ready_but_lives(world: World) -> None:
    world.server.services.stopping = True
    response = await ask(world.server, "/ready")
    assert (response.code, response.body) == (503, b"The server is stopping.\n")
    assert (await ask(world.server, "/health")).code == 200


@contextmanager
def writes(server: Server) -> Iterator[list[str]]:
    """The statements by which readiness tries to write, as they are sent."""
    sent: list[str] = []

    def note(connection: object, cursor: object, statement: str, *others: object) -> None:
        if "FOR NO KEY UPDATE" in statement:
            sent.append(statement)

    event.listen(server.db.engine.sync_engine, "before_cursor_execute", note)
    yield sent
    event.remove(server.db.engine.sync_engine, "before_cursor_execute", note)


async def test_however_often_it_is_asked_the_database_is_looked_at_once_a_second(world: World) -> None:
    now = 100.0
    readiness = readiness_of(world.server, clock=lambda: now)
    with writes(world.server) as sent:
        await asyncio.gather(*(readiness.reasons() for _ in range(50)))
        assert len(sent) == 1
        for _ in range(50):
            assert await readiness.reasons() == []
        assert len(sent) == 1
        now += FRESH_SECONDS
        await readiness.reasons()
        assert len(sent) == 2


async def test_who_stops_waiting_does_not_spoil_it_for_the_others(world: World) -> None:
    readiness = readiness_of(world.server)
    impatient, patient = asyncio.create_task(readiness.reasons()), asyncio.create_task(readiness.reasons())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient == []
    assert impatient.cancelled() or impatient.cancelling()


async def test_the_trial_waits_for_nobody_who_holds_the_row(world: World) -> None:
    async with world.server.db.transaction() as tx:
        await workspace.get(tx.db, lock=True)
        assert await readiness_of(world.server).reasons() == []


@asynccontextmanager
async def serving(database_url: str, folder: Path, **values: str) -> AsyncIterator[Server]:
    server = Server(settings_with(DATA_DIR=str(folder), **values), database_url)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def numbers(server: Server) -> dict[str, float]:
    """Name → value; of a name with labels, name{label values} → value."""
    response = await ask(server, "/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(response.body.decode()):
        for sample in family.samples:
            labels = f"{{{' '.join(sample.labels.values())}}}" if sample.labels else ""
            found[sample.name + labels] = sample.value
    return found


async def test_metrics_are_what_prometheus_reads(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        await socket.post(room, "a secret plan")
        async with asyncio.timeout(5):
            while (found := await numbers(world.server))["roomful_users_online"] != 1:
                await socket.do("ping")
        assert found["roomful_connections"] == 1
        assert found["roomful_posts_total"] == 1
        assert found["roomful_events_told_total"] >= 1
        assert found["roomful_commands_total{ok message.post}"] == 1
        assert {"roomful_database_connections_in_use", "roomful_loop_lag_seconds_count"} <= found.keys()
        for private in ("secret plan", "ada", "general", "127.0.0.1"):
            assert private not in "".join(found)


async def test_for_others_there_is_no_such_page(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, METRICS_ALLOW="10.0.0.0/8 2001:db8::/32") as server:
        refused = await ask(server, "/metrics")
        assert refused.code == 404
        assert b"roomful_" not in refused.body
        claimed = await ask(server, "/metrics", X_Forwarded_For="10.0.0.1", X_Real_Ip="10.0.0.1")
        assert claimed.code == 404


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_Ip", "X_Forwarded_Proto"])
async def test_a_proxy_on_an_allowed_address_opens_nothing_for_who_asks_it(world: World, header: str) -> None:
    assert (await ask(world.server, "/metrics")).code == 200
    assert (await ask(world.server, "/metrics", **{header: "127.0.0.1"})).code == 404


async def test_the_token_opens_the_metrics_from_anywhere(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, METRICS_ALLOW="10.0.0.0/8", METRICS_TOKEN=TOKEN) as server:
        assert (await ask(server, "/metrics", Authorization=f"Bearer {TOKEN}", X_Forwarded_For="192.0.2.1")).code == 200
        for wrong in (f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer \xff"):
            assert (await ask(server, "/metrics", Authorization=wrong)).code == 404
        assert (await ask(server, f"/metrics?token={TOKEN}")).code == 404


async def test_without_a_token_no_token_opens_the_metrics(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, METRICS_ALLOW="10.0.0.0/8") as server:
        for guess in ("Bearer None", "Bearer ", "Bearer"):
            assert (await ask(server, "/metrics", Authorization=guess)).code == 404


def test_what_may_be_a_secret_is_cut_from_a_logged_path() -> None:
    assert shown_path("/api/v1/rooms/12/messages") == "/api/v1/rooms/12/messages"
    assert shown_path("/join/eyJhbGciOiJIUzI1NiJ9.payload.signature") == "/join/eyJh…"


async def test_requests_are_logged_without_query_cookie_or_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="roomful.requests")
    ada = await world.person("ada")
    await ada.http("GET", "/rooms/browse?query=secret")
    await ada.http("POST", "/rooms", {"name": "a private plan", "kind": "private"})
    await ask(world.server, "/nowhere/0123456789abcdefghij-secret")
    await ask(world.server, "/health")
    lines = [record for record in caplog.records if record.name == "roomful.requests"]
    assert [(line.levelname, line.getMessage()) for line in lines] == [
        ("DEBUG", "GET /api/v1/rooms/browse 200"),
        ("INFO", "POST /api/v1/rooms 200"),
        ("INFO", "GET /nowhere/0123… 404"),
    ]
    everything = "".join(str(vars(line)) for line in lines)
    for secret in ("secret", ada.cookie.partition("=")[2], "private plan"):
        assert secret not in everything
    assert all(line.__dict__["fields"]["address"] == "127.0.0.1" for line in lines)


async def test_the_manual_names_every_number(world: World) -> None:
    manual = (Path(__file__).parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
    families = text_string_to_metric_families((await ask(world.server, "/metrics")).body.decode())
    names = {family.name.removeprefix("roomful_") for family in families if family.name.startswith("roomful_")}
    missing = {name for name in names if not name.endswith("_created") and name not in manual}
    assert len(names) > 10
    assert not missing

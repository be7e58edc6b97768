"""The headers of every answer, of whatever kind, and what errors tell."""

import asyncio
import json

import pytest
from sqlalchemy import text
from tornado.httpclient import HTTPResponse

from chat.handlers.templates import static_folder
from tests.conftest import World
from tests.visitor import Visitor, text_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; "
    "trusted-types svelte-trusted-html roomful-service-worker"
)


def check(answer: HTTPResponse) -> None:
    headers = answer.headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Server"] == "Roomful"
    assert "Strict-Transport-Security" not in headers, "not under http"


ANSWERS = (
    ("GET", "/", 303),
    ("GET", "/sign-in", 200),
    ("HEAD", "/sign-in", 200),
    ("GET", "/join/nothing", 410),
    ("GET", "/register", 403),
    ("GET", "/start/nothing", 404),
    ("GET", "/api/v1/me", 401),
    ("GET", "/api/v1/nothing", 404),
    ("GET", "/api", 404),
    ("OPTIONS", "/api/v1/me", 204),
    ("TRACE", "/", 405),
    ("POST", "/", 403),
    ("DELETE", "/nowhere", 404),
    ("GET", "/static/favicon.svg", 200),
    ("GET", "/favicon.svg", 200),
    ("GET", "/static/nothing.js", 404),
    ("GET", "/.git/config", 404),
    ("GET", "/.env", 404),
    ("GET", "/debug", 404),
    ("GET", "/static/../config.py", 403),
    ("GET", "/static/%2e%2e/config.py", 403),
    ("GET", "/static/..%2f..%2fsetup.cfg", 403),
    ("GET", "/static//etc/passwd", 403),
    ("GET", "/static/assets", 403),
    ("GET", "/%ff", 404),
    ("GET", "/static/%ff", 400),
    ("GET", "/sign-in?next=%ff", 400),
    ("GET", "/ws", 403),
)


async def test_every_answer_has_them(world: World) -> None:
    for method, path, code in ANSWERS:
        answer = await Visitor(world.base).ask(method, path)
        assert answer.code == code, (method, path)
        check(answer)
        if path != "/ws":
            assert len(answer.headers["X-Request-Id"]) == 16


@pytest.mark.logs("roomful.http: a request failed")
async def test_a_fault_is_told_by_its_number_alone(world: World) -> None:
    ada = await world.person("ada")
    async with world.server.db.transaction() as tx:
        await tx.db.execute(text("ALTER TABLE workspace RENAME COLUMN name TO secret_column"))
    visitor = Visitor(world.base)
    page = await visitor.get("/sign-in")
    api = await ada.http("GET", "/me")
    for answer in (page, api):
        assert answer.code == 500
        check(answer)
        for secret in (b"secret_column", b"Traceback", b"sqlalchemy", b"asyncpg", b".py"):
            assert secret not in answer.body
    assert json.loads(api.body)["error"]["code"] == "internal"
    assert page.headers["X-Request-Id"] in text_of(page)


async def test_an_error_page_says_what_happened_and_leads_back(world: World) -> None:
    page = await Visitor(world.base).get("/nowhere")
    assert "There is nothing here" in text_of(page)
    assert b'href="/"' in page.body
    assert page.headers["Content-Type"] == "text/html; charset=UTF-8"


async def test_files_whose_names_change_are_kept_and_others_are_asked_for(world: World) -> None:
    visitor = Visitor(world.base)
    names = sorted(each.name for each in (static_folder() / "assets").iterdir())
    for name in names:
        answer = await visitor.get(f"/static/assets/{name}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers
        kind = answer.headers["Content-Type"]
        assert kind == ("text/javascript; charset=utf-8" if name.endswith(".js") else "text/css; charset=utf-8")
    assert {name.rpartition(".")[2] for name in names} >= {"js", "css"}
    shell = await visitor.get("/static/index.html")
    assert shell.headers["Cache-Control"] == "no-cache"
    again = await visitor.get("/static/index.html", **{"If-None-Match": shell.headers["Etag"]})
    assert again.code == 304


async def test_the_page_of_the_client_is_for_those_who_are_signed_in(world: World) -> None:
    ada = await world.person("ada")
    visitor = Visitor(world.base, dict([ada.cookie.split("=", 1)]))
    for path in ("/", "/rooms/1", "/rooms/1/at/5", "/rooms/1/members", "/people/1", "/browse", "/settings/profile"):
        page = await visitor.get(path)
        assert page.code == 200
        assert b'<div id="app">' in page.body
        assert b"<script>" not in page.body, "nothing inline"
        away = await Visitor(world.base).get(path)
        assert away.code == 303
        assert away.headers["Location"] in (f"/sign-in?next={path}", "/sign-in")
    assert (await visitor.get("/sign-in")).headers["Location"] == "/"


async def raw(world: World, *chunks: bytes, pause: float = 0.0) -> bytes:
    """Everything that the server answers to these bytes until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    for chunk in chunks:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\r\n b\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX\x00Y: 1\r\n\r\n",
    ],
    ids=["two hosts", "folded header", "two lengths", "too large", "long header", "nonsense", "NUL"],
)
async def test_a_request_that_means_two_things_is_refused(world: World, request_bytes: bytes) -> None:
    answer = await raw(world, request_bytes)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413", b"HTTP/1.1 431"))
    assert (await Visitor(world.base).get("/health")).code == 200


async def test_large_text_is_sent_compressed_to_those_who_can_read_it(world: World) -> None:
    (script, *_) = sorted((static_folder() / "assets").glob("app-*.js"))
    sizes = {}
    for encoding in ("identity", "gzip"):
        lines = f"GET /static/assets/{script.name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: {encoding}\r\n"
        answer = await raw(world, f"{lines}Connection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (b"Content-Encoding: gzip" in head) == (encoding == "gzip")
        sizes[encoding] = len(body)
    assert sizes["identity"] == script.stat().st_size
    assert sizes["gzip"] < sizes["identity"] / 2

"""Other sites: their pages can neither act for a person here, nor read, nor pass for us."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from chat.handlers.routes import commands
from tests.conftest import World
from tests.people import PASSWORD, Person
from tests.visitor import Visitor, serving

JSON = {"Content-Type": "application/json"}
EVIL = "http://evil.example"


@pytest_asyncio.fixture
async def ada(world: World) -> AsyncIterator[Person]:
    yield await world.person("ada", "owner")


async def write(person: Person, headers: dict[str, str], *, cookie: bool = True) -> int:
    """Tries to rename the workspace."""
    visitor = Visitor(person.base, dict([person.cookie.split("=", 1)]) if cookie else {})
    return (await visitor.ask("PATCH", "/api/v1/workspace", b'{"name": "Pwned"}', JSON | headers)).code


async def opened(person: Person, origin: str | None, host: str | None = None) -> int:
    """101, or the status with which the socket was refused."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {host or person.base.removeprefix('http://')}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        *([f"Cookie: {person.cookie}"] if person.cookie else []),
        *([f"Origin: {origin}"] if origin is not None else []),
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(person.base.rpartition(":")[2]))
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    await writer.wait_closed()
    assert "X-Content-Type-Options: nosniff" in head
    return int(head.split()[1])


async def test_another_sites_page_changes_nothing(ada: Person) -> None:
    own = ada.base
    port = own.rpartition(":")[2]
    for origin in (
        EVIL,
        "null",
        "",
        f"http://127.0.0.1.evil.example:{port}",
        f"https://127.0.0.1:{port}",
        "http://127.0.0.1:1",
        f"{own}, {own}",
        f"{own}/",
    ):
        assert await write(ada, {"Origin": origin}) == 403, origin
    for site in ("cross-site", "same-site", "none"):
        assert await write(ada, {"Origin": own, "Sec-Fetch-Site": site}) == 403, site
        assert await write(ada, {"Sec-Fetch-Site": site}) == 403, site
    assert await write(ada, {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}) == 403
    assert (await ada.api("GET", "/me"))["workspace"]["name"] == "Roomful"
    assert await write(ada, {"Origin": own}) == 200
    assert await write(ada, {"Origin": own, "Sec-Fetch-Site": "same-origin"}) == 200
    assert await write(ada, {"Sec-Fetch-Site": "same-origin"}) == 200


async def test_a_cookie_without_any_origin_changes_nothing(ada: Person) -> None:
    assert await write(ada, {}) == 403
    assert await write(ada, {}, cookie=False) == 401, "nobody, rather than somebody else"


async def test_a_program_signs_in_without_an_origin(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    body = json.dumps({"login": "ada", "password": PASSWORD}).encode()
    assert (await visitor.ask("POST", "/api/v1/session", body, JSON)).code == 200
    assert (await Visitor(world.base).ask("POST", "/api/v1/session", body, JSON | {"Origin": EVIL})).code == 403


async def test_forms_of_other_types_are_no_json(ada: Person) -> None:
    for media in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonp",
    ):
        assert await write(ada, {"Origin": ada.base, "Content-Type": media}) == 415, media
    assert await write(ada, {"Origin": ada.base, "Content-Type": "Application/JSON; charset=utf-8"}) == 200
    assert await write(ada, {"Origin": ada.base, "Content-Encoding": "gzip"}) == 415


async def test_a_route_that_changes_something_is_not_for_reading(world: World, ada: Person) -> None:
    visitor = Visitor(world.base, dict([ada.cookie.split("=", 1)]))
    paths: dict[str, set[str]] = {"/api/v1/session": {"POST", "DELETE"}, "/sign-out": {"POST"}}
    for command in commands().commands.values():
        for method, path in command.routes:
            paths.setdefault("/api/v1" + re.sub(r"{\w+}", "1", path), set()).add(method)
    for path, methods in paths.items():
        assert (await visitor.ask("TRACE", path)).code == 405
        for method in {"GET", "HEAD"} if "GET" not in methods else set():
            answer = await visitor.ask(method, path)
            assert answer.code == 405, (method, path)
            assert methods <= set(answer.headers["Allow"].split(", "))
    assert sum("GET" not in methods for methods in paths.values()) > 10


async def test_only_our_own_pages_open_sockets(ada: Person) -> None:
    port = ada.base.rpartition(":")[2]
    assert await opened(ada, ada.base) == 101
    for origin in (
        None,
        EVIL,
        "null",
        f"http://127.0.0.1.evil.example:{port}",
        "http://127.0.0.1:1",
        f"https://127.0.0.1:{port}",
        f"http://localhost:{port}",
    ):
        assert await opened(ada, origin) == 403, origin
    nobody = Person(ada.base, "", "")
    assert await opened(nobody, nobody.base) == 401


async def test_a_name_that_is_not_ours_is_not_answered(ada: Person) -> None:
    port = ada.base.rpartition(":")[2]
    visitor = Visitor(ada.base)
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
        "[::ffff:10.0.0.1]",
        "localhost.evil.example",
    ):
        for path in ("/", "/sign-in", "/api/v1/me", "/static/favicon.svg", "/nowhere"):
            answer = await visitor.get(path, Host=host)
            assert answer.code in (400, 421), (host, path)
            if answer.code == 421:
                assert b"PUBLIC_URL" in answer.body
    assert await opened(ada, f"http://evil.example:{port}", host=f"evil.example:{port}") == 421
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", "localhost.", "[::1]:80", "127.1.2.3"):
        assert (await visitor.get("/sign-in", Host=host)).code == 200, host


async def test_a_server_on_every_interface_answers_to_addresses_but_to_no_unknown_names(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path, HOST="0.0.0.0", PUBLIC_URL="http://chat.example.org:8000") as world:
        visitor = Visitor(world.base)
        for host in ("192.168.1.5:8000", "[fd00::5]:8000", "chat.example.org:8000", "CHAT.example.org"):
            assert (await visitor.get("/sign-in", Host=host)).code == 200, host
        assert (await visitor.get("/sign-in", Host="chat.example.com")).code == 421


async def test_behind_a_proxy_the_public_address_is_our_origin(database_url: str, tmp_path: Path) -> None:
    settings = {"PUBLIC_URL": "https://chat.example.org", "TRUSTED_PROXIES": "127.0.0.1"}
    async with serving(database_url, tmp_path, **settings) as world:
        ada = await world.person("ada", "owner")
        public = {"Origin": "https://chat.example.org"}
        assert await write(ada, public | {"Host": "chat.example.org", "X-Forwarded-Proto": "https"}) == 200
        assert await write(ada, public | {"Host": "chat.example.org"}) == 200
        assert await write(ada, public) == 200, "a proxy that names us by our inner address"
        assert await write(ada, {"Host": "chat.example.org", "Origin": "http://chat.example.org"}) == 403
        assert await write(ada, {"Origin": EVIL, "X-Forwarded-Host": "evil.example"}) == 403


async def test_other_sites_read_nothing(ada: Person) -> None:
    for path in ("/me", "/rooms", "/nothing"):
        answer = await ada.http("GET", path, headers={"Origin": EVIL})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    asked = await Visitor(ada.base).ask("OPTIONS", "/api/v1/me", None, {"Origin": EVIL})
    assert not [name for name in asked.headers if name.lower().startswith("access-control")]


async def test_an_origin_that_the_operator_names_may_use_the_api_and_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    friend = "https://tools.example.org"
    async with serving(database_url, tmp_path, ALLOWED_ORIGINS=friend) as world:
        ada = await world.person("ada", "owner")
        answer = await ada.http("GET", "/me", headers={"Origin": friend})
        assert answer.headers["Access-Control-Allow-Origin"] == friend
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert await write(ada, {"Origin": friend, "Sec-Fetch-Site": "same-site"}) == 200
        assert await write(ada, {"Origin": EVIL}) == 403
        asked = await Visitor(world.base).ask("OPTIONS", "/api/v1/workspace", None, {"Origin": friend})
        assert asked.code == 204
        assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
        visitor = Visitor(world.base)
        await visitor.get("/sign-in")
        form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": friend}
        body = f"login=ada&password=x&_xsrf={visitor.cookies['xsrf']}".encode()
        assert (await visitor.ask("POST", "/sign-in", body, form)).code == 403


async def test_headers_that_only_a_proxy_may_send_change_nothing(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    body = b'{"login": "ada", "password": "x"}'
    codes = []
    for n in range(12):
        forged = {"X-Forwarded-For": f"10.0.0.{n}", "X-Real-Ip": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"}
        answer = await visitor.ask("POST", "/api/v1/session", body, JSON | forged | {"X-Request-Id": "forged-request"})
        codes.append(answer.code)
        assert answer.headers["X-Request-Id"] != "forged-request"
    assert codes == [401] * 10 + [429] * 2
    ada = await world.person("grace")
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    made = json.loads((await ada.http("POST", "/invitations", {}, headers=forged)).body)
    assert made["invitation"]["link"].startswith(world.base)


async def test_a_trusted_proxy_says_who_asks_and_only_the_last_word_counts(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, TRUSTED_PROXIES="127.0.0.1 10.9.0.0/16") as world:
        ada = await world.person("ada", sign_in=False)
        for chain, seen in (
            ("192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7", "192.0.2.7"),
            ("198.51.100.1, 192.0.2.7, 10.9.1.2", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("nonsense", "127.0.0.1"),
            ("192.0.2.7, nonsense", "127.0.0.1"),
            ("", "127.0.0.1"),
        ):
            body = {"login": "ada", "password": PASSWORD}
            answer = await ada.http("POST", "/session", body, headers={"X-Forwarded-For": chain})
            ada.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            (mine,) = [each for each in (await ada.api("GET", "/sessions"))["sessions"] if each["current"]]
            assert mine["address"] == seen, chain


async def test_a_form_needs_the_token_of_its_own_page(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor, other = Visitor(world.base), Visitor(world.base)
    await visitor.get("/sign-in")
    await other.get("/sign-in")
    for fields in ({}, {"_xsrf": ""}, {"_xsrf": "2|junk"}, {"_xsrf": other.cookies["xsrf"]}):
        refused = await visitor.send("/sign-in", login="ada", password=PASSWORD, **fields)
        assert refused.code == 403
        assert b"load the page again" in refused.body
    done = await visitor.send("/sign-in", login="ada", password=PASSWORD, _xsrf=visitor.cookies["xsrf"])
    assert done.code == 303

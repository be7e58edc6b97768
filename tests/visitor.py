"""A browser without JavaScript: cookies, pages and forms; and servers with other settings than the usual ones."""

import html
import html.parser
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from chat.app import Server
from tests.conftest import World, settings_with


class Fields(html.parser.HTMLParser):
    """The inputs of a page, by name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self.values[str(given["name"])] = given.get("value") or ""


@dataclass
class Visitor:
    base: str
    cookies: dict[str, str] = field(default_factory=dict)
    last: HTTPResponse | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        address: str | None = None,
    ) -> HTTPResponse:
        """One request with the cookies so far and no headers but those given; `address` is where it comes from."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = HTTPRequest(
            self.base + path,
            method=method,
            headers=({"Cookie": cookie} if cookie else {}) | (headers or {}),
            body=body,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            request_timeout=30,
            network_interface=address,
        )
        self.last = await AsyncHTTPClient().fetch(request, raise_error=False)
        for line in self.last.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value:
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)
        return self.last

    async def get(self, path: str, **headers: str) -> HTTPResponse:
        return await self.ask("GET", path, headers=headers)

    async def submit(self, path: str, address: str | None = None, **typed: str) -> HTTPResponse:
        """Opens the page and sends its form with these fields typed in."""
        page = await self.get(path)
        assert page.code == 200, (page.code, text_of(page))
        return await self.send(path, address, **Fields(page.body.decode()).values | typed)

    async def send(self, path: str, address: str | None = None, **fields: str) -> HTTPResponse:
        """The form as a browser sends it."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base}
        return await self.ask("POST", path, urlencode(fields).encode(), headers, address)

    async def sign_in(self, login: str, password: str) -> HTTPResponse:
        return await self.submit("/sign-in", login=login, password=password)


def text_of(response: HTTPResponse) -> str:
    """The page as it reads, without its tags."""
    body = re.sub(r"<(script|style|svg).*?</\1>", "", response.body.decode(), flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


@asynccontextmanager
async def serving(database_url: str, data_dir: Path, **settings: str) -> AsyncIterator[World]:
    """A server of its own settings on the test's database."""
    server = Server(settings_with(DATA_DIR=str(data_dir), **settings), database_url)
    await server.start()
    try:
        yield World(server)
    finally:
        await server.stop()

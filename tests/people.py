"""The cast: who the tests are about, and how they act through the server's real doors."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import websockets
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

PASSWORD = "the sea is calm tonight"


@dataclass
class Socket:
    """One open socket: replies by id, everything else in `events`, in the order in which it came."""

    link: websockets.ClientConnection
    hello: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    _last_id: int = 0

    async def ask(self, verb: str, **fields: Any) -> dict[str, Any]:
        """The reply, whether ok or not."""
        self._last_id += 1
        await self.link.send(json.dumps({"id": self._last_id, "do": verb, **fields}, ensure_ascii=False))
        return await self.reply(self._last_id)

    async def reply(self, id: int | None) -> dict[str, Any]:
        while True:
            frame = await self.receive()
            if "ok" in frame and frame["id"] == id:
                return frame
            self.events.append(frame)

    async def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """The reply of a command that must be accepted."""
        reply = await self.ask(verb, **fields)
        assert reply["ok"], reply
        return reply

    async def refused(self, verb: str, **fields: Any) -> dict[str, Any]:
        """The error of a command that must be refused."""
        reply = await self.ask(verb, **fields)
        assert not reply["ok"], reply
        error: dict[str, Any] = reply["error"]
        return error

    async def post(self, room: int, text: str, nonce: str | None = None) -> dict[str, Any]:
        reply = await self.do("message.post", room=room, text=text, nonce=nonce or str(uuid.uuid4()))
        message: dict[str, Any] = reply["message"]
        return message

    async def receive(self, seconds: float = 5) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            frame: dict[str, Any] = json.loads(await self.link.recv())
        return frame

    async def event(self, name: str, seconds: float = 5, **having: Any) -> dict[str, Any]:
        """The next event of that name and with those fields, already received or yet to come."""

        def fits(frame: dict[str, Any]) -> bool:
            return frame.get("event") == name and all(frame.get(key) == value for key, value in having.items())

        for place, frame in enumerate(self.events):
            if fits(frame):
                return self.events.pop(place)
        async with asyncio.timeout(seconds):
            while not fits(frame := json.loads(await self.link.recv())):
                self.events.append(frame)
        return frame

    async def settle(self) -> list[dict[str, Any]]:
        """Everything told so far: what was on its way before the answer to a ping."""
        await self.do("ping")
        return self.events

    async def closed(self, seconds: float = 5) -> int:
        """The code with which the server closes."""
        async with asyncio.timeout(seconds):
            try:
                while True:
                    self.events.append(json.loads(await self.link.recv()))
            except websockets.ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006


@dataclass
class Person:
    """Somebody with an account and, after `sign_in`, a cookie."""

    base: str
    username: str
    name: str
    id: int = 0
    cookie: str = ""
    email: str = ""

    async def http(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> HTTPResponse:
        """Asks the API (below /api/v1 unless the path is a page's) as the browser's page would."""
        sent = {"Origin": self.base} | ({"Cookie": self.cookie} if self.cookie else {})
        if body is not None:
            sent["Content-Type"] = "application/json"
            raw = json.dumps(body).encode()
        address = self.base + (path if path.startswith(("/health", "/ready", "/ws")) else f"/api/v1{path}")
        request = HTTPRequest(
            address,
            method=method,
            headers=sent | (headers or {}),
            body=raw,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            request_timeout=20,
        )
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def api(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The answer of a request that must be accepted."""
        response = await self.http(method, path, body)
        assert response.code < 300, (response.code, response.body)
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    async def sign_in(self, password: str = PASSWORD) -> None:
        self.cookie = ""
        response = await self.http("POST", "/session", {"login": self.username, "password": password})
        assert response.code == 200, (response.code, response.body)
        self.cookie = response.headers["Set-Cookie"].partition(";")[0]
        self.id = json.loads(response.body)["user"]["id"]

    @asynccontextmanager
    async def socket(self, **arguments: Any) -> AsyncIterator[Socket]:
        async with websockets.connect(
            self.base.replace("http", "ws", 1) + "/ws",
            additional_headers={"Cookie": self.cookie},
            origin=self.base,  # type: ignore[arg-type]
            compression=None,
            max_size=None,
            max_queue=None,  # it would stop reading, and wait in vain for the answer to its close
            proxy=None,
            **arguments,
        ) as link:
            yield Socket(link, json.loads(await link.recv()))

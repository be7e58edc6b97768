"""A client's connection: opened again and again, watched, and asked; what docs/protocol.md says of keeping it."""

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import websockets

from tests.faults.history import History

Frame = dict[str, Any]

OPEN_SECONDS = 5.0
RESTARTING = 1012


class Lost(Exception):
    """The connection ended before the answer came: nobody knows whether the command was carried out."""


@dataclass(frozen=True)
class Patience:
    """Seconds. The protocol's are 25, 10 and 30; tests that freeze things have less time."""

    silence: float = 25.0
    answer: float = 10.0
    longest_wait: float = 30.0


class Link:
    """`on_hello` and `on_event` are called in the order in which frames come."""

    def __init__(
        self,
        base: str,
        cookie: str,
        patience: Patience,
        history: History,
        dice: random.Random,
        *,
        on_hello: Callable[[Frame], None],
        on_event: Callable[[Frame], None],
    ) -> None:
        self._base = base
        self._cookie = cookie
        self._patience = patience
        self._history = history
        self._dice = dice
        self._on_hello = on_hello
        self._on_event = on_event
        self._socket: websockets.ClientConnection | None = None
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._last_id = 0
        self._told_to_wait: float | None = None
        self.up = asyncio.Event()

    async def run(self) -> None:
        """Stays connected until cancelled."""
        tries = 0
        while True:
            code = await self._one_connection()
            tries = 0 if code is not None else tries + 1
            await asyncio.sleep(self._wait_after(code, tries))

    async def ask(self, verb: str, **fields: Any) -> Frame:
        """The reply, whether ok or not. Waits for a connection first; raises Lost when that one ends."""
        await self.up.wait()
        socket = self._socket
        assert socket is not None, "it is up"
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await socket.send(json.dumps({"id": number, "do": verb, **fields}))
        except websockets.ConnectionClosed:
            self._answers.pop(number, None)
            self.up.clear()  # who reads learns of it in a moment; who tries again must wait for the next one
            raise Lost from None
        return await answer

    def _wait_after(self, code: int | None, tries: int) -> float:
        told, self._told_to_wait = self._told_to_wait, None
        if told is not None:
            return told
        if code == RESTARTING:
            return self._dice.uniform(0, min(5.0, self._patience.longest_wait))
        return self._dice.uniform(0, min(0.5 * 2**tries, self._patience.longest_wait))

    async def _one_connection(self) -> int | None:
        """The code with which it ended; None when there was no hello."""
        greeted = False
        try:
            async with websockets.connect(
                self._base.replace("http", "ws", 1) + "/ws",
                additional_headers={"Cookie": self._cookie},
                origin=self._base,  # type: ignore[arg-type]
                compression=None,
                max_size=None,
                proxy=None,
                ping_interval=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=1,
            ) as socket:
                while True:
                    frame = await self._next_frame(socket)
                    if frame.get("event") == "hello":
                        greeted = True
                        self._greeted(socket, frame)
                    else:
                        self._came(frame)
        except websockets.ConnectionClosed as end:
            code = end.rcvd.code if end.rcvd else 1006
        except (OSError, TimeoutError, websockets.InvalidHandshake, websockets.InvalidMessage):
            code = 1006
        finally:
            self._down()
        if not greeted:
            return None
        self._history.write("closed", code=code)
        return code

    async def _next_frame(self, socket: websockets.ClientConnection) -> Frame:
        """Pings after a silence; raises TimeoutError when that is not answered either."""
        try:
            async with asyncio.timeout(self._patience.silence):
                return _decoded(await socket.recv())
        except TimeoutError:
            self._last_id += 1
            async with asyncio.timeout(self._patience.answer):
                await socket.send(json.dumps({"id": self._last_id, "do": "ping"}))
                return _decoded(await socket.recv())

    def _greeted(self, socket: websockets.ClientConnection, hello: Frame) -> None:
        rooms = {room["id"]: room["seq"] for room in hello["rooms"]}
        self._history.write("connected", epoch=hello["epoch"], connection=hello["connection"], rooms=rooms)
        self._socket = socket
        self.up.set()
        self._on_hello(hello)

    def _came(self, frame: Frame) -> None:
        if "event" not in frame:
            answer = self._answers.pop(frame["id"], None)
            if answer is not None and not answer.done():
                answer.set_result(frame)
            return
        if frame["event"] == "bye":
            self._told_to_wait = frame["reconnect_in"]
        self._on_event(frame)

    def _down(self) -> None:
        self.up.clear()
        self._socket = None
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(Lost())
                answer.exception()  # who asked may have been cancelled meanwhile


def _decoded(data: str | bytes) -> Frame:
    frame: Frame = json.loads(data)
    return frame


async def until_answered(link: Link, verb: str, fields: dict[str, Any], on_retry: Callable[[str], None]) -> Frame:
    """The final answer: what is lost or refused for the moment is sent again. `on_retry` is told why."""
    while True:
        try:
            reply = await link.ask(verb, **fields)
        except Lost:
            on_retry("lost")
            continue
        error = reply.get("error", {})
        if reply["ok"] or not (error.get("retry_after") or error["code"] in ("busy", "restarting")):
            return reply
        on_retry(error["code"])
        await asyncio.sleep(error.get("retry_after", 1.0))

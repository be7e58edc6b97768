"""A small WebSocket client, for what the load generator cannot do: it reconnects, resumes and waits for replies."""

import asyncio
import base64
import json
import os
import socket
import struct
from typing import Any

PONG = 0x8A
TEXT = 0x81
CLOSE = 0x88
RESET_AT_ONCE = struct.pack("ii", 1, 0)


class Fault(Exception):
    """The server did what it must not. (No OSError: those asyncio takes for a lost line, and says nothing.)"""


class Client(asyncio.Protocol):
    """One person's socket, which may be dialled again and again. Subclasses say what to do with what comes.

    `received` counts the bytes since the first dial, handshakes included.
    """

    def __init__(self, port: int, cookie: str, address: str = "127.0.0.1") -> None:
        self.port = port
        self.cookie = cookie
        self.address = address
        self.received = 0
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._upgraded = False
        self._status = 0
        self._code = 1006

    def frame(self, payload: bytes, size: int) -> None:
        """A text frame came; `size` is what it took on the wire."""

    def refused(self, status: int) -> None:
        """There is no upgrade: the HTTP status, or 0 where the connection ended before there was one."""

    def cut(self, code: int) -> None:
        """The open socket has ended: the server's close code, or 1006 where it ended without a word."""

    async def dial(self) -> None:
        loop = asyncio.get_running_loop()
        self._buffer.clear()
        self._upgraded = False
        self._status = 0
        self._code = 1006
        await loop.create_connection(lambda: self, "127.0.0.1", self.port, local_addr=(self.address, 0))

    def hang_up(self) -> None:
        """Cuts the line without a word, as a network does; `cut` is not called."""
        if self.transport is not None:
            transport, self.transport = self.transport, None
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
            transport.abort()

    def send(self, text: str) -> None:
        if self.transport is not None:
            self.transport.write(_masked(TEXT, text.encode()))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP gives this kind"
        self.transport = transport
        host = f"127.0.0.1:{self.port}"
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {self.cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_lost(self, reason: Exception | None) -> None:
        if self.transport is None:
            return  # we hung up
        self.transport = None
        if isinstance(reason, Fault):
            return  # it has been told
        if self._upgraded:
            self.cut(self._code)
        else:
            self.refused(self._status)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._buffer += data
        if not self._upgraded and not self._upgrade():
            return
        while self.transport is not None and self._next_frame():
            pass

    def _upgrade(self) -> bool:
        head, end, _ = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self._status = int(head[9:12])
        if self._status != 101:
            assert self.transport is not None, "data came through it"
            self.transport.close()
            return False
        del self._buffer[: len(head) + len(end)]
        self._upgraded = True
        return True

    def _next_frame(self) -> bool:
        """Takes one whole frame from the buffer, if there is one. The server sends no fragments."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        size, head = buffer[1], 2
        if size == 126:
            head = 4
        elif size == 127:
            head = 10
        if len(buffer) < head:
            return False
        if head > 2:
            size = int.from_bytes(buffer[2:head])
        if len(buffer) < head + size:
            return False
        kind, payload = buffer[0] & 15, bytes(buffer[head : head + size])
        del buffer[: head + size]
        if kind == 1:
            self.frame(payload, head + size)
        elif kind == 9 and self.transport is not None:
            self.transport.write(_masked(PONG, payload))
        elif kind == 8 and self.transport is not None:
            self._code = int.from_bytes(payload[:2])
            self.transport.write(_masked(CLOSE, payload))
            self.transport.close()
        return True


class Asker(Client):
    """One command at a time, and its reply; events are passed over."""

    def __init__(self, port: int, cookie: str) -> None:
        super().__init__(port, cookie)
        self._awaited: asyncio.Future[dict[str, Any]] | None = None
        self.hello: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()

    def frame(self, payload: bytes, size: int) -> None:
        if payload.startswith(b'{"id":'):
            if self._awaited is not None:
                self._awaited.set_result(json.loads(payload))
        elif not self.hello.done():
            self.hello.set_result(json.loads(payload))

    def refused(self, status: int) -> None:
        self._fail(Fault(f"the server refused the socket with HTTP status {status}"))

    def cut(self, code: int) -> None:
        self._fail(Fault(f"the server ended the connection with code {code}"))

    async def ask(self, verb: str, **fields: object) -> dict[str, Any]:
        self._awaited = asyncio.get_running_loop().create_future()
        self.send(json.dumps({"id": 1, "do": verb, **fields}))
        reply = await self._awaited
        if not reply["ok"]:
            raise Fault(f"{verb} was refused: {reply['error']}")
        return reply

    def _fail(self, error: Exception) -> None:
        for each in (self.hello, self._awaited):
            if each is not None and not each.done():
                each.set_exception(error)


def _masked(head: int, payload: bytes) -> bytes:
    """A client's frame. The mask is zero, which is legal and costs nothing."""
    size = len(payload)
    if size < 126:
        return bytes((head, 0x80 | size, 0, 0, 0, 0)) + payload
    return bytes((head, 0x80 | 126)) + size.to_bytes(2) + bytes(4) + payload

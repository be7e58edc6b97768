"""A WebSocket client that keeps no rules: frames of any shape, and what the server makes of them."""

import asyncio
import base64
import json
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.people import Person

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9


def frame(
    opcode: int, data: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0, length: int = -1
) -> bytes:
    """One frame; `length` is what it claims, where that is not the truth."""
    size = len(data) if length < 0 else length
    head = bytes([final << 7 | reserved << 4 | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += struct.pack("!BH", mask | 126, size)
    else:
        head += struct.pack("!BQ", mask | 127, size)
    if masked:
        key = os.urandom(4)
        head += key
        data = bytes(byte ^ key[place % 4] for place, byte in enumerate(data))
    return head + data


@dataclass
class End:
    """How a connection ended: with a close code, or without one."""

    code: int | None
    frames: list[dict[str, Any]]


@dataclass
class RawSocket:
    """`status` is 101 where the upgrade was let through; else `body` has the refusal."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    async def shake_hands(self, headers: dict[str, str]) -> None:
        lines = ["GET /ws HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items() if value)]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.strip().split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        if self.status != 101:
            self.body = await self.reader.readexactly(int(self.headers["content-length"]))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> tuple[int, bytes]:
        """(opcode, payload) of the next frame. Raises EOFError or ConnectionError where there is none."""
        first, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 15, await self.reader.readexactly(size)

    async def told(self) -> dict[str, Any]:
        """The next text frame."""
        async with asyncio.timeout(5):
            opcode, payload = await self.receive()
        assert opcode == TEXT, (opcode, payload)
        found: dict[str, Any] = json.loads(payload)
        return found

    async def end(self, seconds: float = 8) -> End:
        frames: list[dict[str, Any]] = []
        async with asyncio.timeout(seconds):
            try:
                while True:
                    opcode, payload = await self.receive()
                    if opcode == CLOSE:
                        return End(struct.unpack("!H", payload[:2])[0] if payload else None, frames)
                    if opcode == TEXT:
                        frames.append(json.loads(payload))
            except (EOFError, ConnectionError):
                return End(None, frames)


@asynccontextmanager
async def raw_socket(
    person: Person, *, headers: dict[str, str] | None = None, buffer: int = 0
) -> AsyncIterator[RawSocket]:
    """Connected as that person; an empty header is left out. `buffer` bounds what the kernel takes in for us."""
    host, _, port = person.base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=buffer or 2**16)
    socket = RawSocket(reader, writer)
    usual = {
        "Host": f"{host}:{port}",
        "Origin": person.base,
        "Cookie": person.cookie,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }
    try:
        await socket.shake_hands(usual | (headers or {}))
        yield socket
    finally:
        writer.transport.abort()

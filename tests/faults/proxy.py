"""A network between clients and server that can be cut, slowed and broken: a TCP proxy."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

PIECE = 16 * 1024


@dataclass
class Way:
    """One direction. `open` is cleared to let nothing through; `seconds` delays each piece, `rate` is in bytes/s."""

    open: asyncio.Event = field(default_factory=asyncio.Event)
    seconds: float = 0.0
    rate: float | None = None

    def __post_init__(self) -> None:
        self.open.set()


class Proxy:
    """Listens on `port` of the loopback, and connects each who comes with `target`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.up, self.down = Way(), Way()
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None, "started"
        self._server.close()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def cut(self, *, up: bool = True, down: bool = True) -> None:
        """Nothing gets through, and nobody is told: packets into a hole."""
        if up:
            self.up.open.clear()
        if down:
            self.down.open.clear()

    def slow(self, seconds: float, rate: float | None) -> None:
        for way in (self.up, self.down):
            way.seconds, way.rate = seconds, rate

    def restore(self) -> None:
        self.slow(0.0, None)
        self.up.open.set()
        self.down.open.set()

    def reset(self) -> int:
        """Breaks every connection, both sides with RST; how many ends those were."""
        broken = list(self._writers)
        for writer in broken:
            _reset(writer)
        return len(broken)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = asyncio.current_task()
        assert link is not None, "the server makes one for each connection"
        self._links.add(link)
        try:
            await self._join(reader, writer)
        except asyncio.CancelledError:
            pass  # closing: the server would log it as a fault
        finally:
            self._links.discard(link)
            writer.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.up.open.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, far_writer}
        ways = [
            asyncio.create_task(_carry(reader, far_writer, self.up)),
            asyncio.create_task(_carry(far_reader, writer, self.down)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers -= {writer, far_writer}
            far_writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
    """Until the end or a fault; the end of one side is told to the other, a cut included."""
    with suppress(ConnectionError):
        while piece := await reader.read(PIECE):
            await way.open.wait()
            if wait := way.seconds + (len(piece) / way.rate if way.rate else 0):
                await asyncio.sleep(wait)
            writer.write(piece)
            await writer.drain()
    await way.open.wait()
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

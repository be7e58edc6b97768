"""The way to one browser: bytes straight to the socket while it takes them, a bounded queue when it does not."""

from collections.abc import Callable

from tornado.iostream import IOStream, StreamClosedError
from tornado.websocket import WebSocketHandler

# How much is handed to the stream at a time: what a close frame has to wait behind.
CHUNK = 64 * 1024

Rest = bytes | memoryview


class StreamTransport:
    """Keeps what `hub.connection.Transport` asks for.

    Tornado's own `write_message` builds a frame and a coroutine per connection; here the frames come ready, and an
    idle stream's socket is written directly. Whole frames only go to the stream, so that pings fit between them.
    """

    __slots__ = ("waiting", "_handler", "_stream", "_socket", "_queue", "_draining", "_on_close")

    def __init__(self, handler: WebSocketHandler, stream: IOStream, on_close: Callable[[int], None]) -> None:
        """`on_close` is told the code when it is we who close."""
        self.waiting = 0
        self._handler = handler
        self._stream = stream
        self._socket = stream.socket
        self._queue: list[Rest] = []  # mostly empty, where a deque takes 760 bytes
        self._draining = False
        self._on_close = on_close

    def write(self, data: bytes) -> None:
        if self._stream.closed():
            return
        if not self._draining and not self._stream.writing():
            try:
                sent = self._socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                return  # the peer is gone: the stream learns of it when it reads next, and closes
            if sent == len(data):
                return
            # Thousands may get the same megabytes of one commit: those who read slowly share them.
            rest: Rest = memoryview(data)[sent:] if len(data) - sent > CHUNK else data[sent:]
        else:
            rest = data
        self.waiting += len(rest)
        self._queue.append(rest)
        if not self._draining:
            self._drain()

    def close(self, code: int, reason: str) -> None:
        self._queue.clear()
        self._handler.close(code, reason)
        self._on_close(code)

    def _drain(self) -> None:
        if not self._queue:
            self.waiting = 0
            self._draining = False
            return
        self._draining = True
        size, count = len(self._queue[0]), 1
        while count < len(self._queue) and size + len(self._queue[count]) <= CHUNK:
            size += len(self._queue[count])
            count += 1
        chunk = self._queue[0] if count == 1 else b"".join(self._queue[:count])
        del self._queue[:count]
        try:
            written = self._stream.write(chunk)
        except StreamClosedError:
            self._forget()
            return

        def drained(future: object) -> None:
            self.waiting -= size
            if written.cancelled() or written.exception() is not None:
                self._forget()
            else:
                self._drain()

        written.add_done_callback(drained)

    def _forget(self) -> None:
        self._queue.clear()
        self.waiting = 0
        self._draining = False

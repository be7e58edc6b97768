"""Who does not answer pings is gone: one timer for all connections, a few of them each second."""

from chat.hub.connection import Connection
from chat.hub.hub import Hub

# Each connection is pinged once in this time, and is closed when it has said nothing at all until the next ping: a
# dead line is noticed after 30 seconds at the latest.
ROUND_SECONDS = 15
CLOSE_SILENT = 1001


class Heartbeat:
    """`beat` is called once a second."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: list[Connection] = []
        self._at_once = 0

    async def beat(self) -> None:
        if not self._waiting:
            self._waiting = list(self._hub.connections)
            self._at_once = -(-len(self._waiting) // ROUND_SECONDS)
        for connection in self._waiting[: self._at_once]:
            if connection.closed:
                continue
            if connection.is_silent:
                connection.close(CLOSE_SILENT, "no answer")
            else:
                connection.ping()
        del self._waiting[: self._at_once]

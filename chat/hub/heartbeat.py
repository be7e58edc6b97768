"""Who does not answer pings is gone: one timer for all connections, a few of them each second."""

import time
from collections.abc import Callable

from chat.hub.connection import Connection
from chat.hub.hub import Hub

# Each connection is pinged once in this time, and is closed when it has said nothing at all until the next ping: a
# dead line is noticed after 30 seconds at the latest.
ROUND_SECONDS = 15
CLOSE_SILENT = 1001
# The order of a round is not that of the one before: nobody is given less than this to answer.
ANSWER_SECONDS = 10
# A beat that comes so late says that this process stood still: what came meanwhile was not read yet.
LATE_SECONDS = 3.0


class Heartbeat:
    """`beat` is called once a second; `clock` is in seconds."""

    def __init__(self, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = hub
        self._clock = clock
        self._last = clock()
        self._waiting: list[Connection] = []
        self._at_once = 0
        self._beats_left = 0  # of this round

    async def beat(self) -> None:
        now = self._clock()
        was_late, self._last = now - self._last > LATE_SECONDS, now
        if was_late:
            for connection in self._hub.connections:
                connection.is_silent = False
        if not self._beats_left:
            self._beats_left = ROUND_SECONDS
            self._waiting = list(self._hub.connections)
            self._at_once = -(-len(self._waiting) // ROUND_SECONDS)
        self._beats_left -= 1
        for connection in self._waiting[: self._at_once]:
            if connection.closed or connection.is_busy:
                continue  # its next frame, an answer to a ping as well, is read when the command is done
            if not connection.is_silent:
                connection.ping(now)
            elif now - connection.asked_at >= ANSWER_SECONDS:
                connection.close(CLOSE_SILENT, "no answer")
        del self._waiting[: self._at_once]

"""A listening socket that lets in a few at a time."""

import errno
import socket
from typing import Any

AT_ONCE = 16


class Doorway(socket.socket):
    """Tornado accepts whoever waits, up to 128, before anything else gets its turn: with thousands at the door, what
    those inside write would wait for that at each step of its way. Here the door seems empty after every sixteenth; as
    the loop looks again at once, nobody waits longer for it.
    """

    __slots__ = ("_left",)

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.family, listening.type, listening.proto, fileno=listening.detach())
        self.setblocking(False)
        self._left = AT_ONCE

    def accept(self) -> tuple[socket.socket, Any]:
        if not self._left:
            self._left = AT_ONCE
            raise BlockingIOError(errno.EAGAIN, "the others of this turn come first")
        self._left -= 1
        try:
            return super().accept()
        except BlockingIOError:
            self._left = AT_ONCE
            raise

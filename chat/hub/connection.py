"""One open socket as the hub sees it: whose it is, what it listens to, and what waits to be written."""

from typing import Literal, Protocol

from chat.errors import CLOSE_TOO_SLOW
from chat.hub.frames import PING, frame

# Above this many bytes waiting, typing and presence are left out: they are stale by the time they would arrive.
EPHEMERAL_LIMIT = 64 * 1024


class Transport(Protocol):
    """What the hub needs of a socket; the tests have one without a network."""

    def write(self, data: bytes) -> None:
        """Sends whole frames, or queues what the peer does not take yet; never blocks."""

    @property
    def waiting(self) -> int:
        """Bytes queued for a peer that reads too slowly."""

    def close(self, code: int, reason: str) -> None: ...


class Connection:
    """`topics`, what it hears or is about to, belongs to the hub, which alone changes it.

    Until the hello is written what others are told is held back, so that the hello comes first and misses nothing.
    """

    __slots__ = (
        "id",
        "user",
        "session",
        "role",
        "state",
        "topics",
        "_transport",
        "_limit",
        "_pending",
        "_greeted",
        "closed",
        "outdated",
        "is_silent",
        "asked_at",
        "is_busy",
    )

    def __init__(self, id: str, *, user: int, session: int, role: str, transport: Transport, write_limit: int) -> None:
        self.id = id
        self.user = user
        self.session = session
        self.role = role
        self.state: Literal["online", "away"] = "online"
        self.topics: set[str] = set()
        self.closed = False
        self.outdated = False  # the user's name or role has changed since the connection learned it
        self.is_silent = False  # nothing was heard since the last ping
        self.asked_at = 0.0  # the time of that ping
        self.is_busy = False  # a command of it is carried out, and nothing is read meanwhile
        self._transport = transport
        self._limit = write_limit
        self._pending: list[bytes] = []
        self._greeted = False

    @property
    def is_guest(self) -> bool:
        return self.role == "guest"

    def tell(self, payload: bytes) -> None:
        """Sends one reply or event of its own now."""
        self.queue(frame(payload))
        self.flush()

    def greet(self, payload: bytes) -> None:
        """Sends the hello, then all that was held back for it."""
        self._greeted = True
        self._pending.insert(0, frame(payload))
        self.flush()

    def queue(self, frames: bytes) -> None:
        """Keeps whole frames for the next flush: what one commit tells a connection leaves in one write."""
        self._pending.append(frames)

    def flush(self) -> None:
        if not self._greeted or self.closed or not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        waiting = self._transport.waiting
        if waiting and waiting + len(data) > self._limit:
            self.close(CLOSE_TOO_SLOW, "too slow: come back and resume")
            return
        self._transport.write(data)

    def ping(self, now: float) -> None:
        """Whoever hears anything from the peer sets `is_silent` back."""
        self.is_silent, self.asked_at = True, now
        self._transport.write(PING)

    @property
    def waiting(self) -> int:
        """Bytes that the peer has not taken yet."""
        return self._transport.waiting

    @property
    def is_slow(self) -> bool:
        """Too slow for what is worth nothing later."""
        return not self._greeted or self._transport.waiting > EPHEMERAL_LIMIT

    def close(self, code: int, reason: str) -> None:
        """Nothing is written after this; the hub forgets the connection when the socket has closed."""
        if not self.closed:
            self.closed = True
            self._pending.clear()
            self._transport.close(code, reason)

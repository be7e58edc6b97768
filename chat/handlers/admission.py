"""How many sockets may be open: per user, per address and in all; and how many may be opened at once."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat.config import Settings
from chat.errors import Busy, TooManyConnections

AT_ONCE = 20


class Line:
    """First come, first served. When everybody comes back at once they are let in as fast as the server can, and what
    others write meanwhile waits behind a few of them instead of behind all. Sending them away would let them in later,
    and cost a handshake for each time that they ask.
    """

    def __init__(self, waiting_limit: int) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting_limit = waiting_limit
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Raises Busy where too many wait."""
        if self._waiting >= self._waiting_limit:
            raise Busy(retry_after=1 + secrets.randbelow(4))  # not all in the same second
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


class Admission:
    """Counts what is open. `address` is the key that limits count by: see guard.rate_key."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.line = Line(settings.upgrades_waiting)
        self.by_user: Counter[int] = Counter()
        self.by_address: Counter[str] = Counter()
        self.total = 0

    def check_address(self, address: str) -> None:
        """Raises before anything is looked up in the database."""
        if self.total >= self.settings.connections:
            raise Busy("The server holds as many connections as it can. Please try again later.", retry_after=10)
        if self.by_address[address] >= self.settings.connections_per_address:
            raise TooManyConnections("Too many connections are open from your network address.")

    def check_user(self, user: int) -> None:
        if self.by_user[user] >= self.settings.connections_per_user:
            raise TooManyConnections

    def enter(self, user: int, address: str) -> None:
        self.total += 1
        self.by_user[user] += 1
        self.by_address[address] += 1

    def leave(self, user: int, address: str) -> None:
        self.total -= 1
        self.by_user[user] -= 1
        self.by_address[address] -= 1
        # A counter keeps what has gone down to nothing; there would be one for each who ever came.
        if not self.by_user[user]:
            del self.by_user[user]
        if not self.by_address[address]:
            del self.by_address[address]

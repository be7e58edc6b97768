"""How many sockets may be open: per user, per address and in all."""

from collections import Counter
from dataclasses import dataclass, field

from chat.config import Settings
from chat.errors import Busy, TooManyConnections


@dataclass(slots=True)
class Admission:
    """Counts what is open. `address` is the key that limits count by: see guard.rate_key."""

    settings: Settings
    by_user: Counter[int] = field(default_factory=Counter)
    by_address: Counter[str] = field(default_factory=Counter)
    total: int = 0

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

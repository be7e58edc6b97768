"""What waits for a commit, room by room: a batch takes rooms that no other batch is busy with."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from chat import errors
from chat.hub.connection import Connection
from chat.models.posting import Posting
from chat.models.sessions import SignedIn

# The stored message as JSON, ready to be put into replies and events; or why it was not stored.
Outcome = msgspec.Raw | errors.Problem
# Called with the outcome; gives the connection on which it queued a frame, to be flushed with the room's events.
Reply = Callable[[Outcome], Connection | None]


@dataclass(slots=True)
class Waiting:
    posting: Posting
    actor: SignedIn
    replies: list[Reply] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, uuid.UUID]:
        """What no two that wait have in common."""
        return self.posting.sender, self.posting.nonce

    def answer(self, outcome: Outcome) -> Iterator[Connection]:
        """Tells everyone who waits for this posting; the connections that have something to flush."""
        for reply in self.replies:
            if (connection := reply(outcome)) is not None:
                yield connection


class Waitlist:
    """A room's postings keep their order: from `take` to `release` its others stay here."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[int, uuid.UUID], Waiting] = {}
        self._by_room: dict[int, list[Waiting]] = {}  # the room that waits longest first
        self._busy: set[int] = set()

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, sender: int, nonce: uuid.UUID) -> Waiting | None:
        return self._by_key.get((sender, nonce))

    def add(self, waiting: Waiting) -> None:
        self._by_key[waiting.key] = waiting
        self._by_room.setdefault(waiting.posting.room, []).append(waiting)

    def take(self, limit: int) -> list[Waiting]:
        """Up to `limit`, whole rooms as far as they fit; none where all that wait are in rooms that are busy."""
        taken: list[Waiting] = []
        for room in [room for room in self._by_room if room not in self._busy]:
            waiting = self._by_room.pop(room)
            space = limit - len(taken)
            taken += waiting[:space]
            self._busy.add(room)
            if len(waiting) > space:
                self._by_room[room] = waiting[space:]
            if len(waiting) >= space:
                break
        for each in taken:
            del self._by_key[each.key]
        return taken

    def release(self, batch: Sequence[Waiting]) -> None:
        """The batch is done with its rooms."""
        self._busy.difference_update(each.posting.room for each in batch)

    def clear(self) -> list[Waiting]:
        """All that still wait; none do afterwards."""
        waiting = list(self._by_key.values())
        self._by_key.clear()
        self._by_room.clear()
        return waiting

"""The order of a room's events in this process: told by seq, without a hole, however the commits came back."""

from dataclasses import dataclass, field

# What comes after a hole waits. What is too much to keep is dropped, and read with the rest when the hole is filled.
HELD_LIMIT = 5000


@dataclass(slots=True)
class RoomLog:
    """`head` is the seq told last, None until a listener's hello has read it; `held` waits for what comes before it."""

    head: int | None = None
    held: dict[int, list[bytes]] = field(default_factory=dict)

    def take(self, seq: int, payload: bytes) -> list[bytes]:
        """What may be told now: nothing while something is missing; old events are dropped."""
        if self.head is not None and seq <= self.head:
            return []
        if len(self.held) < HELD_LIMIT or seq - 1 == self.head:
            self.held.setdefault(seq, []).append(payload)
        return self.release()

    def release(self) -> list[bytes]:
        if self.head is None:
            return []
        ready: list[bytes] = []
        while (payloads := self.held.pop(self.head + 1, None)) is not None:
            ready.extend(payloads)
            self.head += 1
        return ready

    def begin(self, head: int) -> list[bytes]:
        """A hello read `head` from the database: the log starts there, unless it already goes on."""
        if self.head is None:
            return self.skip_to(head)
        return []

    def skip_to(self, head: int) -> list[bytes]:
        """Everything up to `head` was told in another way."""
        if self.head is None or head > self.head:
            self.head = head
        for seq in [seq for seq in self.held if seq <= self.head]:
            del self.held[seq]
        return self.release()

    @property
    def is_waiting(self) -> bool:
        """Something came whose predecessor did not: lost on the way, or still to come."""
        return self.head is not None and bool(self.held)

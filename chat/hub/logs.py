"""The order of a room's events in this process: told by seq, without a hole, however the commits came back."""

from dataclasses import dataclass, field

from chat.hub.connection import Connection

# What comes after a hole waits. What is too much to keep is dropped, and read with the rest when the hole is filled.
HELD_LIMIT = 5000

# What is to be done next: tell an event, or let somebody listen from here on.
Entry = bytes | Connection


@dataclass(slots=True)
class RoomLog:
    """`head` is the seq told last, None until a listener's hello has read it; `held` waits for what comes before it;
    `coming` are those who hear the room from a seq on which is not reached yet."""

    head: int | None = None
    held: dict[int, bytes] = field(default_factory=dict)
    coming: dict[int, list[Connection]] = field(default_factory=dict)

    def take(self, seq: int, payload: bytes) -> list[Entry]:
        """What may be told now: nothing while something is missing; old events are dropped."""
        if self.head is not None and seq <= self.head:
            return []
        if len(self.held) < HELD_LIMIT or seq - 1 == self.head:
            self.held[seq] = payload
        return self.release()

    def release(self) -> list[Entry]:
        ready: list[Entry] = []
        while self.head is not None:
            if self.coming:
                ready.extend(self.coming.pop(self.head + 1, ()))
            payload = self.held.pop(self.head + 1, None)
            if payload is None:
                break
            ready.append(payload)
            self.head += 1
        return ready

    def begin(self, head: int) -> list[Entry]:
        """A hello read `head` from the database: the log starts there, unless it already goes on."""
        if self.head is None:
            return self.skip_to(head)
        return []

    def skip_to(self, head: int) -> list[Entry]:
        """Everything up to `head` was told in another way."""
        if self.head is None or head > self.head:
            self.head = head
        for seq in [seq for seq in self.held if seq <= self.head]:
            del self.held[seq]
        return [*self.arrivals(self.head), *self.release()]

    def arrivals(self, seq: int) -> list[Connection]:
        """Takes out who was to listen from a seq on that is not beyond this one."""
        return [each for due in sorted(self.coming) if due <= seq for each in self.coming.pop(due)]

    def awaited_by_others(self, connection: Connection) -> bool:
        """Whether anybody else is to listen from a seq on that is not reached yet."""
        return any(each is not connection for coming in self.coming.values() for each in coming)

    def turn_away(self, connection: Connection) -> None:
        for seq, coming in list(self.coming.items()):
            self.coming[seq] = [each for each in coming if each is not connection]
            if not self.coming[seq]:
                del self.coming[seq]

    @property
    def is_waiting(self) -> bool:
        """Something came whose predecessor did not: lost on the way, or still to come."""
        return self.head is not None and bool(self.held)

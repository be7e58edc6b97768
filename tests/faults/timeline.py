"""One room as a client keeps it: the list of messages, the cursor, and what came too early. No network in here."""

import itertools
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


def changed_at(message: Message) -> int:
    """The seq of the message's latest change."""
    changed: int = message.get("changed") or message["seq"]
    return changed


@dataclass
class Timeline:
    """`cursor` is None until a page was loaded. From `oldest` on the list has every message up to the cursor."""

    room: int
    cursor: int | None = None
    oldest: int = 0
    read: int = 0
    reloads: int = 0
    messages: dict[int, Message] = field(default_factory=dict)
    held: dict[int, Message] = field(default_factory=dict)

    @property
    def has_gap(self) -> bool:
        """Whether something has to be asked of the server before the list can go on."""
        return self.cursor is None or bool(self.held)

    def page(self, page: dict[str, Any]) -> None:
        """The newest page: the list begins with it."""
        found = page["messages"]
        self.oldest = found[0]["seq"] if page["older"] and found else 0
        self.messages = {}
        for message in found:
            self._keep(message)
        self.cursor = page["seq"]
        self._release()

    def earlier(self, page: dict[str, Any]) -> None:
        """The page before `oldest`."""
        found = page["messages"]
        self.oldest = found[0]["seq"] if page["older"] and found else 0
        for message in found:
            self._keep(message)

    def event(self, seq: int, message: Message) -> None:
        if self.cursor is not None and seq <= self.cursor:
            return
        self.held[seq] = message
        self._release()

    def sync(self, sync: dict[str, Any]) -> bool:
        """Whether there is more to ask for."""
        if sync.get("reload"):
            self.cursor = None
            self.messages = {}
            self.reloads += 1
            return True
        if self.cursor is None or sync["from"] > self.cursor:
            return True  # it goes on from where we are not yet
        for message in sync["messages"]:
            self._keep(message)
        self.cursor = max(self.cursor, sync["to"])
        self._release()
        return bool(sync["more"]) or self.has_gap

    def listed(self) -> list[Message]:
        return sorted(self.messages.values(), key=lambda message: int(message["seq"]))

    def _keep(self, message: Message) -> None:
        known = self.messages.get(message["id"])
        if message["seq"] >= self.oldest and (known is None or changed_at(known) <= changed_at(message)):
            self.messages[message["id"]] = message

    def _release(self) -> None:
        if self.cursor is None:
            return
        for seq in [seq for seq in self.held if seq <= self.cursor]:
            del self.held[seq]
        for seq in itertools.count(self.cursor + 1):
            if (message := self.held.pop(seq, None)) is None:
                return
            self._keep(message)
            self.cursor = seq

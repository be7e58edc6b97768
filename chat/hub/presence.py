"""Presence: who is online, away or offline, from the connections that are open; told in batches, bounded in size."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from chat.hub.connection import Connection
from chat.hub.hub import GUESTS, MEMBERS, Hub, room_topic

log = logging.getLogger("roomful.presence")

State = Literal["online", "away", "offline"]

# A reload, a tunnel or a restart of the server is no reason to look gone.
OFFLINE_SECONDS = 30.0
# Changes wait this long for company, and one frame carries so many at most: a thousand people who come back at once
# cost everybody a few kilobytes a second, not a frame each.
BATCH_SECONDS = 1.0
BATCH_SIZE = 500


class PresenceChanged(msgspec.Struct, tag_field="event", tag="presence.changed", omit_defaults=True):
    online: list[int] = []
    away: list[int] = []
    offline: list[int] = []


@dataclass(slots=True, frozen=True)
class Leaving:
    """Somebody whose last connection ended: until the timer runs out they count as what they were."""

    state: State
    timer: asyncio.TimerHandle


class PresenceBoard:
    """What everyone's presence is, and what others were last told of it.

    `on_offline` is awaited with users who went offline, to note when they were last seen; `rooms_of` gives the rooms
    that each of some users is in, which decides what guests are told.
    """

    def __init__(
        self,
        hub: Hub,
        on_offline: Callable[[list[int]], Awaitable[None]],
        rooms_of: Callable[[list[int]], Awaitable[Mapping[int, list[int]]]],
        *,
        offline_seconds: float = OFFLINE_SECONDS,
        batch_seconds: float = BATCH_SECONDS,
    ) -> None:
        self._offline_seconds = offline_seconds
        self._batch_seconds = batch_seconds
        self._hub = hub
        self._on_offline = on_offline
        self._rooms_of = rooms_of
        # Called when somebody's presence in this process changes, where there are others to know of it.
        self.on_here: Callable[[int, State], None] | None = None
        self._here: dict[int, State] = {}
        self._elsewhere: dict[str, dict[int, State]] = {}
        self._told: dict[int, State] = {}
        self._changed: dict[int, None] = {}  # users to look at, in the order in which they changed
        self._leaving: dict[int, Leaving] = {}
        # What waits for the database: changes that guests have to be told, and who went offline.
        self._for_guests: dict[int, State] = {}
        self._unnoted: set[int] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._tell_changes(), name="presence")

    async def close(self) -> None:
        for leaving in self._leaving.values():
            leaving.timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def of(self, user: int) -> State:
        """Online where they are online in any process, else away, else offline."""
        state = self.here_of(user)
        if self._elsewhere and state != "online":
            others = {states.get(user, "offline") for states in self._elsewhere.values()} | {state}
            return "online" if "online" in others else "away" if "away" in others else "offline"
        return state

    def here_of(self, user: int) -> State:
        """Away when every connection of the user is; still what it was for a while after the last one ended."""
        states = {connection.state for connection in self._hub.of_user(user) if not connection.closed}
        if "online" in states:
            return "online"
        if states:
            return "away"
        return self._leaving[user].state if user in self._leaving else "offline"

    def is_elsewhere(self, user: int) -> bool:
        """Whether another process has said that the user is there."""
        return any(user in states for states in self._elsewhere.values())

    def here(self) -> dict[int, State]:
        """Everyone who is not offline in this process."""
        return dict(self._here)

    def heard(self, process: str, states: dict[int, State], *, whole: bool) -> None:
        """Another process says who is connected to it: everybody, or only who changed."""
        known = self._elsewhere.setdefault(process, {})
        gone = known.keys() - states.keys() if whole else ()
        for user, state in [*states.items(), *((user, "offline") for user in gone)]:
            if state == "offline":
                known.pop(user, None)
            else:
                known[user] = state
            self._look_at(user)

    def forget(self, process: str) -> None:
        """The process ended. Its people come back elsewhere, or count as gone after the usual patience."""
        for user, state in self._elsewhere.pop(process, {}).items():
            if self.of(user) == "offline":
                self._leave(user, state)
            else:
                self._look_at(user)

    def online_count(self) -> int:
        return len(self._told)

    def present(self) -> list[int]:
        """Everyone who is not offline."""
        return list(self._told)

    def connected(self, connection: Connection) -> None:
        leaving = self._leaving.pop(connection.user, None)
        if leaving is not None:
            leaving.timer.cancel()
        self._note(connection.user)

    def set_state(self, connection: Connection, state: Literal["online", "away"]) -> None:
        connection.state = state
        self._note(connection.user)

    def disconnected(self, user: int) -> None:
        """One of the user's connections ended; call this after the hub forgot it."""
        if self._hub.of_user(user):
            self._note(user)
        elif user not in self._leaving:
            self._leave(user, self._here.get(user, "online"))

    def _leave(self, user: int, state: State) -> None:
        """The user counts as what they were, `state`, for a while longer."""
        timer = asyncio.get_running_loop().call_later(self._offline_seconds, self._left, user)
        self._leaving[user] = Leaving(state, timer)

    def _left(self, user: int) -> None:
        self._leaving.pop(user, None)
        self._note(user)

    def _note(self, user: int) -> None:
        """Something about the user's connections here has changed."""
        state = self.here_of(user)
        if state != self._here.get(user, "offline"):
            if state == "offline":
                self._here.pop(user, None)
            else:
                self._here[user] = state
            if self.on_here is not None:
                self.on_here(user, state)
        self._look_at(user)

    def _look_at(self, user: int) -> None:
        if self.of(user) != self._told.get(user, "offline"):
            self._changed[user] = None
            self._wake.set()

    async def _tell_changes(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._batch_seconds)
            self._wake.clear()
            batch = list(self._changed)[:BATCH_SIZE]
            for user in batch:
                del self._changed[user]
            if self._changed:
                self._wake.set()
            changes = {user: state for user in batch if (state := self.of(user)) != self._told.get(user, "offline")}
            gone = [user for user, state in changes.items() if state == "offline"]
            for user, state in changes.items():
                if state == "offline":
                    self._told.pop(user, None)
                else:
                    self._told[user] = state
            if changes:
                self._hub.tell_now(MEMBERS, _encoded(changes, changes))
            self._for_guests.update(changes)
            self._unnoted.update(gone)
            try:
                await self._tell_guests()
                await self._note_last_seen()
            except Exception:  # nobody would learn any more who is here
                log.warning("guests, and the database, are told a little later who went offline", exc_info=True)
                self._wake.set()

    async def _tell_guests(self) -> None:
        if self._for_guests and self._hub.listeners(GUESTS):
            rooms = await self._rooms_of(list(self._for_guests))
            topics = {user: {room_topic(room) for room in rooms.get(user, ())} for user in self._for_guests}
            for guest in list(self._hub.listeners(GUESTS)):
                if seen := [user for user in self._for_guests if not topics[user].isdisjoint(guest.topics)]:
                    guest.tell(_encoded(self._for_guests, seen))
        self._for_guests.clear()

    async def _note_last_seen(self) -> None:
        if gone := sorted(self._unnoted):
            await self._on_offline(gone)
            self._unnoted.clear()


def _encoded(changes: dict[int, State], users: Iterable[int]) -> bytes:
    event = PresenceChanged(online=[], away=[], offline=[])
    for user in users:
        getattr(event, changes[user]).append(user)
    return msgspec.json.encode(event)

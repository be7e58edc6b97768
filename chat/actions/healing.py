"""A hole in a room's log is filled from the database: an event whose commit we did not hear of."""

import asyncio
import logging
from collections.abc import Callable

from chat.actions import messages
from chat.actions.events import RoomLeft, RoomSynced, Sync
from chat.errors import Problem
from chat.hub.hub import Hub, room_topic, user_topic
from chat.lib.db import AsyncConnection, Database, Emit, Evict, encode
from chat.models import rooms

log = logging.getLogger("roomful.healing")

# What is missing is mostly a commit that is just coming back.
PATIENCE_SECONDS = 0.05
RETRY_SECONDS = 0.5
# What is told to a whole room at once; it must not make those look slow who read as quickly as they can.
PAGES_AT_ONCE = 5


async def evict_strangers(db: AsyncConnection, hub: Hub, room: int) -> None:
    """Whoever listens to the room without being in it was removed, and we did not hear of it: what was said since is
    not for them."""
    topic = room_topic(room)
    if audience := hub.audience(topic):
        seq, inside = await rooms.members_among(db, room, sorted(audience))
        left = encode(RoomLeft(room=room, reason="removed"))
        for user in (audience & hub.audience(topic)) - inside:
            hub.hear([Evict(user, topic, seq), Emit(user_topic(user), left, membership=(user, topic, seq))])


class Healer:
    """One healing per room at a time, which goes on until the room's log is whole."""

    def __init__(self, db: Database, hub: Hub) -> None:
        self._db = db
        self._hub = hub
        self._healing: dict[str, asyncio.Task[None]] = {}

    def on_gap(self, topic: str) -> None:
        """An event came whose predecessor did not; it may be on its way."""
        self._start(topic, lambda: self._hub.is_waiting(topic))

    def on_behind(self, topic: str, last: int) -> None:
        """The database has got to `last`, and nobody told us."""
        self._start(topic, lambda: (self._hub.head(topic) or last) < last)

    async def close(self) -> None:
        tasks = list(self._healing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, topic: str, is_ill: Callable[[], bool]) -> None:
        if topic not in self._healing:
            task = self._healing[topic] = asyncio.create_task(self._heal(topic, is_ill), name=f"healing {topic}")
            task.add_done_callback(lambda _: self._healing.pop(topic, None))

    async def _heal(self, topic: str, is_ill: Callable[[], bool]) -> None:
        wait = PATIENCE_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = RETRY_SECONDS
            head = self._hub.head(topic)
            if head is None or not is_ill():
                return
            room = int(topic.removeprefix("room:"))
            try:
                async with self._db.read() as db:
                    found = await self._missing(db, room, head)
                    await evict_strangers(db, self._hub, room)
            except Problem:
                log.warning("a hole in %s after %d waits for the database", topic, head)
                continue
            log.info("filled a hole in %s after %d", topic, head)
            end = found[-1].to
            assert isinstance(end, int), "every page says where it ends"
            self._hub.heal(topic, end, [encode(RoomSynced(sync)) for sync in found])

    async def _missing(self, db: AsyncConnection, room: int, head: int) -> list[Sync]:
        """Every page of what came after `head`; one `reload` where that is too much to tell everybody in the room."""
        found: list[Sync] = []
        while not found or found[-1].more is True:
            after = found[-1].to if found else head
            assert isinstance(after, int), "every page says where it ends"
            last = await rooms.last_seq(db, room)
            if len(found) == PAGES_AT_ONCE:
                return [Sync(room=room, to=last, reload=True)]
            found.append(await messages.changes(db, room, after, last))
        return found

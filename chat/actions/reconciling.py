"""Sets the hub right by the database: what other processes did while their hints did not reach us."""

import asyncio
import datetime
from collections.abc import Iterable
from itertools import islice

from chat.actions.events import RoomInvolved, RoomJoined, RoomRead, UserChanged, WorkspaceChanged
from chat.actions.healing import Healer, evict_strangers
from chat.hub.hub import EVERYONE, MEMBERS, Hub, guests_topic, room_topic, user_topic
from chat.lib.db import Admit, AsyncConnection, Database, Effect, Emit, EndSessions, Renew, encode
from chat.models import members, rooms, sessions, users, workspace
from chat.models.workspace import Workspace

AT_ONCE = 1000
USERS_AT_ONCE = 100
# What is changed carries the time at which its transaction began.
LONGEST_TRANSACTION = datetime.timedelta(seconds=10)
# After so many changes in one loss the clients learn the rest when they meet these people again.
PEOPLE_LIMIT = 200


async def look_for_news(db: Database, hub: Hub, healer: Healer) -> None:
    """Rooms whose log went on in the database without us are healed; one statement per thousand rooms."""
    heads = iter(hub.heads().items())
    while batch := {int(topic.removeprefix("room:")): head for topic, head in islice(heads, AT_ONCE)}:
        async with db.read() as connection:
            ahead = await rooms.ahead_of(connection, batch)
        for room, last in ahead.items():
            healer.on_behind(room_topic(room), last)


class Reconciler:
    """Remembers, of the people who are connected, how their memberships stood at the last look: one number each."""

    def __init__(self, db: Database, hub: Hub, healer: Healer) -> None:
        self._db = db
        self._hub = hub
        self._healer = healer
        self._alone = asyncio.Lock()
        # At the last look, and at the one before: a loss may have come before the last look and be known only now.
        self._standing: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._workspace: Workspace | None = None
        # Of the last look and of the one before, in the database's time.
        self._looked_at: list[datetime.datetime] = []
        self._told: dict[int, bytes] = {}  # what was told of whom since the loss

    async def reconcile(self, *, after_loss: bool) -> None:
        """Sessions that ended, rooms that were joined or left, and what was said: everything that a hint may have told.
        `after_loss` also tells again what has no seq to show that it is missing: read marks and the like."""
        async with self._alone:
            await self._look(after_loss)
        await look_for_news(self._db, self._hub, self._healer)

    async def _look(self, after_loss: bool) -> None:
        standing: dict[int, int] = {}
        connections = iter(list(self._hub.connections))
        while batch := list(islice(connections, AT_ONCE)):
            async with self._db.read() as db:
                alive = await sessions.roles(db, [connection.session for connection in batch])
                if ended := tuple(each.session for each in batch if each.session not in alive):
                    self._hub.hear([EndSessions(ended)])
                before = {user: _listened(self._hub, user) for user in {connection.user for connection in batch}}
                now = await members.standing_of_each(db, sorted(before))
                standing.update((user, number) for user, (_, number) in now.items())
                await self._set_right(db, before, {user: found for user, (found, _) in now.items()})
                if after_loss:
                    changed = [user for user, (_, number) in now.items() if not self._stood(user, number)]
                    await self._tell_marks(db, changed)
        self._before = standing if after_loss else self._standing
        self._standing = standing
        async with self._db.read() as db:
            await self._look_at_workspace(db, after_loss)
            await self._look_at_people(db, after_loss)

    def _stood(self, user: int, number: int) -> bool:
        return self._standing.get(user) == number == self._before.get(user)

    async def _set_right(self, db: AsyncConnection, before: dict[int, set[str]], now: dict[int, list[int]]) -> None:
        """Who listens to what. Each difference is looked at once more: it may be a change that was just being told."""
        left: set[int] = set()
        for user, listened in before.items():
            belongs = {room_topic(room): room for room in now.get(user, ())}
            left.update(int(topic.removeprefix("room:")) for topic in listened - belongs.keys())
            for topic in belongs.keys() - listened:
                await self._let_in(db, user, belongs[topic])
        for room in left:
            await evict_strangers(db, self._hub, room)

    async def _let_in(self, db: AsyncConnection, user: int, room: int) -> None:
        seen = await rooms.seen_by(db, user, room)
        topic = room_topic(room)
        if seen is not None and seen.member and user not in self._hub.audience(topic):
            seq = max(1, seen.seq)
            joined = encode(RoomJoined(room=seen))
            self._hub.hear([Admit(user, topic, seq), Emit(user_topic(user), joined, membership=(user, topic, seq))])

    async def _tell_marks(self, db: AsyncConnection, users: Iterable[int]) -> None:
        """How far these users have read, and how loud their rooms are: to their own connections."""
        left = iter(users)
        while batch := list(islice(left, USERS_AT_ONCE)):
            effects: list[Effect] = []
            for user, mine in (await rooms.of_each(db, batch)).items():
                heard = _listened(self._hub, user)  # who was put out meanwhile is told nothing more of the room
                for room in [room for room in mine if room_topic(room.id) in heard]:
                    read = RoomRead(room=room.id, read=room.read, unread=room.unread)
                    loud = RoomInvolved(room=room.id, involvement=room.involvement)
                    effects += [Emit(user_topic(user), encode(event)) for event in (read, loud)]
            self._hub.hear(effects)

    async def _look_at_workspace(self, db: AsyncConnection, after_loss: bool) -> None:
        now = await workspace.get(db)
        if after_loss and now != self._workspace:
            self._hub.hear([Emit(topic, encode(WorkspaceChanged(workspace=now))) for topic in EVERYONE])
        self._workspace = now

    async def _look_at_people(self, db: AsyncConnection, after_loss: bool) -> None:
        now = await users.now(db)
        if after_loss and self._looked_at:
            since = self._looked_at[0] - LONGEST_TRANSACTION
            changed = await users.changed_since(db, since, PEOPLE_LIMIT)
            belonging = await members.rooms_of_each(db, [user.id for user in changed])
            for user in changed:
                told = encode(UserChanged(user=user))
                if self._told.get(user.id) != told:
                    self._told[user.id] = told
                    topics = MEMBERS, guests_topic(belonging.get(user.id, ()))
                    self._hub.hear([Renew(user.id, reconnect=False), *(Emit(topic, told) for topic in topics)])
        if not after_loss:
            self._told.clear()
        self._looked_at = [now] if after_loss else [*self._looked_at[-1:], now]


def _listened(hub: Hub, user: int) -> set[str]:
    return {topic for each in hub.of_user(user) for topic in each.topics if topic.startswith("room:")}

"""Sets the hub right by the database: what other processes did while their hints did not reach us."""

from itertools import islice

from chat.actions.events import RoomJoined, RoomLeft
from chat.actions.healing import Healer
from chat.hub.hub import Hub, room_topic, user_topic
from chat.lib.db import Admit, AsyncConnection, Database, Effect, Emit, EndSessions, Evict, encode
from chat.models import members, rooms, sessions

AT_ONCE = 1000


async def look_for_news(db: Database, hub: Hub, healer: Healer) -> None:
    """Rooms whose log went on in the database without us are healed; one statement per thousand rooms."""
    heads = iter(hub.heads().items())
    while batch := dict(islice(heads, AT_ONCE)):
        ids = {int(topic.removeprefix("room:")): topic for topic in batch}
        async with db.read() as connection:
            last_seqs = await rooms.last_seqs(connection, list(ids))
        for room, last in last_seqs.items():
            if last > batch[ids[room]]:
                healer.on_behind(ids[room], last)


async def reconcile(db: Database, hub: Hub, healer: Healer) -> None:
    """Sessions that ended, rooms that were joined or left, and what was said: everything a hint could have told."""
    connections = iter(list(hub.connections))
    while batch := list(islice(connections, AT_ONCE)):
        users = sorted({connection.user for connection in batch})
        async with db.read() as connection:
            alive = await sessions.roles(connection, [each.session for each in batch])
            before = {user: _listened(hub, user) for user in users}
            belonging = await members.rooms_of_each(connection, users)
            effects: list[Effect] = []
            if ended := tuple(each.session for each in batch if each.session not in alive):
                effects.append(EndSessions(ended))
            for user in users:
                effects += await _changed_rooms(connection, user, before[user], belonging.get(user, []))
        hub.hear(effects)
    await look_for_news(db, hub, healer)


async def _changed_rooms(db: AsyncConnection, user: int, before: set[str], now: list[int]) -> list[Effect]:
    """What the user would have been told of rooms that they left or joined."""
    topics = {room_topic(room): room for room in now}
    effects: list[Effect] = []
    for topic in before - topics.keys():
        left = RoomLeft(room=int(topic.removeprefix("room:")), reason="removed")
        effects += [Evict(user, topic), Emit(user_topic(user), encode(left))]
    for topic in topics.keys() - before:
        seen = await rooms.seen_by(db, user, topics[topic])
        if seen is not None and seen.member:
            effects += [Admit(user, topic, seen.seq + 1), Emit(user_topic(user), encode(RoomJoined(room=seen)))]
    return effects


def _listened(hub: Hub, user: int) -> set[str]:
    return {topic for each in hub.of_user(user) for topic in each.topics if topic.startswith("room:")}

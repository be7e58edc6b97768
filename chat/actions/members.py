"""Members of rooms: adding, removing, leaving, listing them."""

from chat.actions import access
from chat.actions.events import RoomJoined, RoomLeft
from chat.actions.log import add_line
from chat.errors import Forbidden, Invalid, NotFound
from chat.hub.hub import room_topic, user_topic
from chat.lib.db import AsyncConnection, Tx
from chat.models import members, rooms, users
from chat.models.rooms import Room
from chat.models.sessions import SignedIn
from chat.models.users import PAGE, User

AT_ONCE = 100


async def people_to_add(db: AsyncConnection, actor: SignedIn, ids: list[int]) -> list[User]:
    """The people behind the ids, but for the actor. Raises NotFound, Forbidden or Invalid where one cannot be added."""
    wanted = sorted(set(ids) - {actor.user})
    if len(wanted) > AT_ONCE:
        raise Invalid(f"Please add at most {AT_ONCE} people at once.", field="users")
    if not wanted:
        return []
    found = await users.find_all(db, wanted)
    if len(found) < len(wanted):
        raise NotFound(access.NO_USER)
    for person in found:
        if person.deactivated:
            raise Forbidden(f"The account of {person.name} is no longer active.")
    return found


async def add(tx: Tx, actor: SignedIn, room: int, ids: list[int]) -> Room:
    """Adds people to a room that the actor is in; who is in it already stays as they are."""
    await rooms.lock(tx.db, room)
    await access.room_to_change(tx.db, actor, room)
    for person in await people_to_add(tx.db, actor, ids):
        if not await members.is_member(tx.db, room, person.id):
            await put_in(tx, room, actor, person)
    return await access.room_to_change(tx.db, actor, room)


async def put_in(tx: Tx, room: int, actor: SignedIn, person: User) -> None:
    """Makes the person a member, with a line that says who did it. The room is new or locked."""
    seq = await rooms.next_seq(tx.db, room)
    await members.add(tx.db, room, person.id, read=seq)
    tx.admit(person.id, room_topic(room), seq)
    await add_line(tx, room, actor, "added", _named(person), seq=seq)
    seen = await rooms.seen_by(tx.db, person.id, room)
    assert seen is not None, "the room is locked"
    tx.emit_membership(user_topic(person.id), RoomJoined(room=seen), (person.id, room_topic(room), seq))


async def remove(tx: Tx, actor: SignedIn, room: int, user: int) -> None:
    """Takes somebody out; from this commit on they are told nothing more of the room."""
    if user == actor.user:
        await leave(tx, actor, room)
        return
    await rooms.lock(tx.db, room)
    await access.room_to_remove_from(tx.db, actor, room)
    person = await users.find(tx.db, user)
    if person is None or not await members.remove(tx.db, room, user):
        raise NotFound("This person is not in the room.")
    seq = await rooms.next_seq(tx.db, room)
    tx.evict(user, room_topic(room), seq)
    left = RoomLeft(room=room, reason="removed")
    tx.emit_membership(user_topic(user), left, (user, room_topic(room), seq))
    await add_line(tx, room, actor, "removed", _named(person), seq=seq)


async def leave(tx: Tx, actor: SignedIn, room: int) -> None:
    await rooms.lock(tx.db, room)
    found = await access.room_of_member(tx.db, actor, room)
    if found.kind == "direct":
        raise Forbidden("A direct conversation cannot be left.")
    await members.remove(tx.db, room, actor.user)
    seq = await rooms.next_seq(tx.db, room)
    tx.evict(actor.user, room_topic(room), seq)
    left = RoomLeft(room=room, reason="left")
    tx.emit_membership(user_topic(actor.user), left, (actor.user, room_topic(room), seq))
    await add_line(tx, room, actor, "left", seq=seq)


async def page(
    db: AsyncConnection, actor: SignedIn, room: int, *, query: str = "", after: int = 0
) -> tuple[list[User], int, bool]:
    """(members by id, how many there are in all, whether more follow)."""
    await access.require_membership(db, actor, room)
    found = await members.page(db, room, query=query, after=after)
    return found[:PAGE], await members.count(db, room), len(found) > PAGE


def _named(user: User) -> dict[str, dict[str, object]]:
    return {"user": {"id": user.id, "username": user.username, "name": user.name}}

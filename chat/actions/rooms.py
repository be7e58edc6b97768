"""Rooms: making, finding, naming, archiving them; every change is a line in the room's log."""

from typing import Any, Literal

from chat.actions import access, members
from chat.actions.events import RoomInvolved, RoomJoined, RoomRead
from chat.actions.log import add_line
from chat.actions.texts import one_line
from chat.errors import Conflict, Forbidden, Invalid
from chat.hub.hub import room_topic, user_topic
from chat.lib.db import IntegrityError, Tx, violated
from chat.models import members as memberships
from chat.models import rooms
from chat.models.members import Involvement
from chat.models.messages import MessageKind
from chat.models.rooms import Room
from chat.models.sessions import SignedIn

NAME_LIMIT = 40
TOPIC_LIMIT = 250


async def create(
    tx: Tx,
    actor: SignedIn,
    *,
    name: str,
    kind: Literal["public", "private"],
    topic: str = "",
    others: list[int] | None = None,
) -> Room:
    access.require_member(actor)
    name, topic = room_name(name), room_topic_text(topic)
    invited = await members.people_to_add(tx.db, actor, others or [])
    try:
        async with tx.db.begin_nested():
            room = await rooms.add(tx.db, kind=kind, name=name, topic=topic, created_by=actor.user)
    except IntegrityError as error:
        raise _name_taken(error) from error
    seq = await rooms.next_seq(tx.db, room)
    await memberships.add(tx.db, room, actor.user, read=seq)
    tx.admit(actor.user, room_topic(room), seq)
    await add_line(tx, room, actor, "created", {"name": name}, seq=seq)
    for person in invited:
        await members.put_in(tx, room, actor, person)
    return await _tell_joined(tx, actor.user, room, seq)


async def direct(tx: Tx, actor: SignedIn, user: int) -> Room:
    """The direct room with that person, made when there is none; with oneself it is a place for notes."""
    other = await access.visible_user(tx.db, actor, user)
    found = await rooms.direct(tx.db, actor.user, user)
    if found is None:
        if other.deactivated:
            raise Forbidden("This person's account is no longer active.")
        try:
            async with tx.db.begin_nested():
                found = await rooms.add(
                    tx.db, kind="direct", name="", topic="", created_by=actor.user, direct=(actor.user, user)
                )
        except IntegrityError:  # the other one asked at the same moment
            found = await rooms.direct(tx.db, actor.user, user)
            assert found is not None, "the constraint that refused it names it"
        else:
            for person in {actor.user, user}:
                await memberships.add(tx.db, found, person, read=0)
                tx.admit(person, room_topic(found), 1)
                await _tell_joined(tx, person, found, 1)
    return await access.room_of_member(tx.db, actor, found)


async def update(tx: Tx, actor: SignedIn, room: int, *, name: str | None = None, topic: str | None = None) -> Room:
    await rooms.lock(tx.db, room)
    before = await access.room_to_change(tx.db, actor, room)
    changes: list[tuple[MessageKind, dict[str, Any]]] = []
    if name is not None and (name := room_name(name)) != before.name:
        changes.append(("renamed", {"name": name, "before": before.name}))
        try:
            async with tx.db.begin_nested():
                await rooms.change(tx.db, room, name=name)
        except IntegrityError as error:
            raise _name_taken(error) from error
    if topic is not None and (topic := room_topic_text(topic)) != before.topic:
        changes.append(("topic", {"topic": topic}))
        await rooms.change(tx.db, room, topic=topic)
    if not changes:
        raise Conflict("Nothing would change: the room already has this name and topic.")
    for kind, data in changes:
        await add_line(tx, room, actor, kind, data)
    return await access.room_of_member(tx.db, actor, room)


async def archive(tx: Tx, actor: SignedIn, room: int, *, archived: bool) -> Room:
    """Closes the room for new messages, or opens it again; everything said in it stays."""
    await rooms.lock(tx.db, room)
    found = await access.room_to_close(tx.db, actor, room)
    if found.archived == archived:
        raise Conflict("The room is already archived." if archived else "The room is not archived.")
    try:
        async with tx.db.begin_nested():
            await rooms.set_archived(tx.db, room, archived)
    except IntegrityError as error:
        raise _name_taken(error) from error
    await add_line(tx, room, actor, "archived" if archived else "restored")
    return await access.room_of_member(tx.db, actor, room)


async def join(tx: Tx, actor: SignedIn, room: int) -> Room:
    await rooms.lock(tx.db, room)
    found = await access.visible_room(tx.db, actor, room)
    if found.member:
        return found
    if found.archived:
        raise Conflict("This room is archived.")
    seq = await rooms.next_seq(tx.db, room)
    await memberships.add(tx.db, room, actor.user, read=seq)
    tx.admit(actor.user, room_topic(room), seq)
    await add_line(tx, room, actor, "joined", seq=seq)
    return await _tell_joined(tx, actor.user, room, seq)


async def read(tx: Tx, actor: SignedIn, room: int, seq: int) -> RoomRead:
    """Moves the actor's read position forward, and says so on all of their devices."""
    await memberships.read_up_to(tx.db, room, actor.user, seq)
    now = await access.room_of_member(tx.db, actor, room)
    if seq > now.seq:  # which takes the position back with the transaction
        raise Invalid(f"This room has nothing beyond {now.seq} yet.", field="seq")
    event = RoomRead(room=room, read=now.read, unread=now.unread)
    tx.emit(user_topic(actor.user), event)
    return event


async def involve(tx: Tx, actor: SignedIn, room: int, involvement: Involvement) -> Room:
    await access.require_membership(tx.db, actor, room)
    await memberships.involve(tx.db, room, actor.user, involvement)
    tx.emit(user_topic(actor.user), RoomInvolved(room=room, involvement=involvement))
    return await access.room_of_member(tx.db, actor, room)


async def _tell_joined(tx: Tx, user: int, room: int, seq: int) -> Room:
    seen = await rooms.seen_by(tx.db, user, room)
    assert seen is not None, "the room was made or locked in this transaction"
    tx.emit_membership(user_topic(user), RoomJoined(room=seen), (user, room_topic(room), seq))
    return seen


def room_name(text: str) -> str:
    return one_line(text, "name", "A room needs a name.", NAME_LIMIT)


def room_topic_text(text: str) -> str:
    return one_line(text, "topic", "", TOPIC_LIMIT)


def _name_taken(error: IntegrityError) -> Exception:
    if violated(error) == "rooms_public_name_key":
        return Conflict("There is a public room of that name already. Choose another name.", field="name")
    return error

"""Who may do what: the only permission code. What a user may not see is not found."""

from chat.errors import Conflict, Forbidden, NotFound
from chat.hub.connection import Connection
from chat.hub.hub import room_topic
from chat.lib.db import AsyncConnection
from chat.models import members, messages, rooms, users
from chat.models.messages import Message
from chat.models.rooms import Room
from chat.models.sessions import SignedIn
from chat.models.users import Account, Role, User

NO_ROOM = "There is no such room, or you are not in it."
NO_MESSAGE = "There is no such message, or you may not see it."
NO_USER = "There is no such person."

RANK: dict[Role, int] = {"guest": 0, "member": 1, "admin": 2, "owner": 3}


def require_member(actor: SignedIn) -> None:
    """Guests see the rooms that they were added to, and nothing else of the workspace."""
    if actor.role == "guest":
        raise Forbidden("Guests cannot do this. Ask an admin of the workspace.")


def require_admin(actor: SignedIn) -> None:
    if RANK[actor.role] < RANK["admin"]:
        raise Forbidden("Only an admin or owner of the workspace can do this.")


def require_owner(actor: SignedIn) -> None:
    if actor.role != "owner":
        raise Forbidden("Only an owner of the workspace can do this.")


def is_admin(actor: SignedIn) -> bool:
    return RANK[actor.role] >= RANK["admin"]


async def room_of_member(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    """The room, if the actor is in it. Membership is what lets one read, post, type and sync."""
    found = await rooms.seen_by(db, actor.user, room)
    if found is None or not found.member:
        raise NotFound(NO_ROOM)
    return found


async def require_membership(db: AsyncConnection, actor: SignedIn, room: int) -> None:
    """The same as `room_of_member`, for who needs nothing of the room."""
    if not await members.is_member(db, room, actor.user):
        raise NotFound(NO_ROOM)


async def visible_room(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    """A room that the actor is in, or a public one that they could join."""
    found = await rooms.seen_by(db, actor.user, room)
    if found is None or not (found.member or (found.kind == "public" and actor.role != "guest")):
        raise NotFound(NO_ROOM)
    return found


async def room_to_post_in(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    found = await room_of_member(db, actor, room)
    if found.archived:
        raise Conflict("This room is archived. Restore it to go on.")
    return found


async def room_to_change(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    """Name and topic: any member that is no guest; a direct room has neither."""
    found = await room_to_post_in(db, actor, room)
    if found.kind == "direct":
        raise Forbidden("A direct conversation has no name, topic or members to change.")
    require_member(actor)
    return found


async def room_to_close(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    """Archiving and restoring: members of the room who are admins, or who made it."""
    found = await room_of_member(db, actor, room)
    if found.kind == "direct":
        raise Forbidden("A direct conversation cannot be archived.")
    if not is_admin(actor) and await rooms.creator(db, room) != actor.user:
        raise Forbidden("Only who made the room, or an admin, can archive or restore it.")
    return found


async def room_to_remove_from(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
    """Removing others: admins and who made the room."""
    found = await room_to_change(db, actor, room)
    if not is_admin(actor) and await rooms.creator(db, room) != actor.user:
        raise Forbidden("Only who made the room, or an admin, can remove others.")
    return found


async def message_of_member(db: AsyncConnection, actor: SignedIn, message: int) -> Message:
    """A message in a room that the actor is in; not in one they left."""
    found = await messages.find(db, message)
    if found is None or not await members.is_member(db, found.room, actor.user):
        raise NotFound(NO_MESSAGE)
    return found


async def message_to_edit(db: AsyncConnection, actor: SignedIn, message: int) -> Message:
    """Nobody rewrites another's words."""
    found = await _living_text(db, actor, message)
    if found.sender.id != actor.user:
        raise Forbidden("Only who wrote a message can edit it.")
    return found


async def message_to_delete(db: AsyncConnection, actor: SignedIn, message: int) -> Message:
    found = await _living_text(db, actor, message)
    if found.sender.id != actor.user and not is_admin(actor):
        raise Forbidden("Only who wrote a message, or an admin, can delete it.")
    return found


async def _living_text(db: AsyncConnection, actor: SignedIn, message: int) -> Message:
    found = await message_of_member(db, actor, message)
    if found.kind != "text":
        raise Forbidden("This line was written by the room itself and stays.")
    if found.deleted:
        raise Conflict("This message was deleted.")
    return found


async def visible_user(db: AsyncConnection, actor: SignedIn, user: int) -> User:
    """Members see everyone; guests those with whom they share a room."""
    found = await users.find(db, user)
    if found is None or (
        actor.role == "guest" and user != actor.user and not await members.shares_a_room(db, actor.user, user)
    ):
        raise NotFound(NO_USER)
    return found


def may_change_role(actor: SignedIn, of: Account, to: Role) -> None:
    """Admins order members and guests; only owners make or unmake admins and owners."""
    require_admin(actor)
    if actor.role != "owner" and max(RANK[of.role], RANK[to]) >= RANK["admin"]:
        raise Forbidden("Only an owner can make or unmake admins and owners.")


def require_listening(connection: Connection, room: int) -> None:
    """For what is told without the database: the hub lets a connection listen to the rooms of its user, no others."""
    if room_topic(room) not in connection.topics:
        raise NotFound(NO_ROOM)

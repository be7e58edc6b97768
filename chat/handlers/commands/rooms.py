"""Commands about rooms."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chat.actions import access, members, rooms
from chat.actions.members import AT_ONCE
from chat.actions.texts import search_text
from chat.handlers.commands.presenting import rooms_with_presence
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.models import members as memberships
from chat.models import rooms as models
from chat.models.members import Involvement
from chat.models.rooms import Room

registry = Registry()

Id = Annotated[int, Meta(ge=1, lt=2**31)]
AfterId = Annotated[int, Meta(ge=0, lt=2**31)]
Seq = Annotated[int, Meta(ge=0, lt=2**53)]
Query = Annotated[str, Meta(max_length=100)]


class RoomReply(msgspec.Struct):
    room: Room


class RoomsReply(msgspec.Struct):
    rooms: list[Room]


class RoomGiven(Given):
    room: Id


def reply(ask: Ask, room: Room) -> RoomReply:
    rooms_with_presence(ask.services, [room])
    return RoomReply(room)


@registry.add("room.list", Given, "GET /rooms", cost=2)
async def room_list(ask: Ask, given: Given) -> RoomsReply:
    async with ask.services.db.read() as db:
        found = await models.of_user(db, ask.actor.user)
    rooms_with_presence(ask.services, found)
    return RoomsReply(found)


class Browse(Given):
    query: Query = ""


@registry.add("room.browse", Browse, "GET /rooms/browse", cost=2)
async def room_browse(ask: Ask, given: Browse) -> RoomsReply:
    access.require_member(ask.actor)
    async with ask.services.db.read() as db:
        return RoomsReply(await models.public(db, ask.actor.user, search_text(given.query)))


@registry.add("room.get", RoomGiven, "GET /rooms/{room}")
async def room_get(ask: Ask, given: RoomGiven) -> RoomReply:
    async with ask.services.db.read() as db:
        found = await access.visible_room(db, ask.actor, given.room)
        found.members = await memberships.count(db, given.room)
    return reply(ask, found)


class Create(Given):
    name: str
    kind: Literal["public", "private"]
    topic: str = ""
    members: Annotated[list[Id], Meta(max_length=AT_ONCE)] = msgspec.field(default_factory=list)


@registry.add("room.create", Create, "POST /rooms", cost=10)
async def room_create(ask: Ask, given: Create) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.create(
            tx, ask.actor, name=given.name, kind=given.kind, topic=given.topic, others=given.members
        )
    return reply(ask, room)


class Direct(Given):
    user: Id


@registry.add("room.direct", Direct, "POST /rooms/direct", cost=5)
async def room_direct(ask: Ask, given: Direct) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.direct(tx, ask.actor, given.user)
    return reply(ask, room)


class Update(RoomGiven):
    name: str | None = None
    topic: str | None = None


@registry.add("room.update", Update, "PATCH /rooms/{room}", cost=5)
async def room_update(ask: Ask, given: Update) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.update(tx, ask.actor, given.room, name=given.name, topic=given.topic)
    return reply(ask, room)


class Archive(RoomGiven):
    archived: bool


@registry.add("room.archive", Archive, "POST /rooms/{room}/archive", cost=5)
async def room_archive(ask: Ask, given: Archive) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.archive(tx, ask.actor, given.room, archived=given.archived)
    return reply(ask, room)


@registry.add("room.join", RoomGiven, "POST /rooms/{room}/join", cost=5)
async def room_join(ask: Ask, given: RoomGiven) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.join(tx, ask.actor, given.room)
    return reply(ask, room)


@registry.add("room.leave", RoomGiven, "POST /rooms/{room}/leave", cost=5)
async def room_leave(ask: Ask, given: RoomGiven) -> None:
    async with ask.services.db.transaction() as tx:
        await members.leave(tx, ask.actor, given.room)


class Read(RoomGiven):
    seq: Seq


class ReadReply(msgspec.Struct):
    room: int
    read: int
    unread: int


@registry.add("room.read", Read, "POST /rooms/{room}/read")
async def room_read(ask: Ask, given: Read) -> ReadReply:
    async with ask.services.db.transaction() as tx:
        now = await rooms.read(tx, ask.actor, given.room, given.seq)
    return ReadReply(now.room, now.read, now.unread)


class Involve(RoomGiven):
    involvement: Involvement


@registry.add("room.involve", Involve, "POST /rooms/{room}/involvement")
async def room_involve(ask: Ask, given: Involve) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await rooms.involve(tx, ask.actor, given.room, given.involvement)
    return reply(ask, room)

"""Commands about the members of a room."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chat.actions import members
from chat.actions.texts import search_text
from chat.handlers.commands.presenting import with_presence
from chat.handlers.commands.registry import Ask, Registry
from chat.handlers.commands.rooms import AfterId, Id, Query, RoomGiven, RoomReply, reply
from chat.models.users import User

registry = Registry()


class ListMembers(RoomGiven):
    query: Query = ""
    after: AfterId = 0


class MembersReply(msgspec.Struct):
    members: list[User]
    total: int
    more: bool


@registry.add("member.list", ListMembers, "GET /rooms/{room}/members", cost=2)
async def member_list(ask: Ask, given: ListMembers) -> MembersReply:
    query = search_text(given.query)
    async with ask.services.db.read() as db:
        found, total, more = await members.page(db, ask.actor, given.room, query=query, after=given.after)
    with_presence(ask.services, *found)
    return MembersReply(found, total, more)


class Add(RoomGiven):
    users: Annotated[list[Id], Meta(min_length=1, max_length=members.AT_ONCE)]


@registry.add("member.add", Add, "POST /rooms/{room}/members", cost=10)
async def member_add(ask: Ask, given: Add) -> RoomReply:
    async with ask.services.db.transaction() as tx:
        room = await members.add(tx, ask.actor, given.room, given.users)
    return reply(ask, room)


class Remove(RoomGiven):
    user: Id


@registry.add("member.remove", Remove, "DELETE /rooms/{room}/members/{user}", cost=5)
async def member_remove(ask: Ask, given: Remove) -> None:
    async with ask.services.db.transaction() as tx:
        await members.remove(tx, ask.actor, given.room, given.user)

"""Commands about messages and the log of a room."""

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta

from chat.actions import access, messages
from chat.actions.events import Sync
from chat.actions.messages import Page, Where
from chat.actions.returning import Return
from chat.actions.texts import message_text
from chat.errors import RateLimited
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.commands.rooms import Id, RoomGiven, Seq
from chat.models.messages import Message

registry = Registry()

MessageId = Annotated[int, Meta(ge=1, lt=2**53)]


class MessageReply(msgspec.Struct):
    message: Message


class MessageGiven(Given):
    message: MessageId


class ListMessages(RoomGiven):
    before: Seq | None = None
    after: Seq | None = None
    around: Seq | None = None
    limit: int = messages.PAGE


@registry.add("message.list", ListMessages, "GET /rooms/{room}/messages", cost=2)
async def message_list(ask: Ask, given: ListMessages) -> Page:
    async with ask.services.db.read() as db:
        where = Where(given.before, given.after, given.around, given.limit)
        return await messages.page(db, ask.actor, given.room, where)


@registry.add("message.get", MessageGiven, "GET /messages/{message}")
async def message_get(ask: Ask, given: MessageGiven) -> MessageReply:
    async with ask.services.db.read() as db:
        return MessageReply(await access.message_of_member(db, ask.actor, given.message))


class Post(RoomGiven):
    nonce: uuid.UUID
    text: str


class Posted(msgspec.Struct):
    nonce: uuid.UUID
    message: msgspec.Raw


def checked_post(ask: Ask, given: Post) -> str:
    """The text to store. Raises Invalid, or RateLimited where the user's bucket is empty."""
    text = message_text(given.text, ask.services.settings.text_limit)
    if wait := ask.services.limits.messages.take(ask.actor.user):
        raise RateLimited("You are sending too many messages. Please wait a moment.", retry_after=wait)
    return text


@registry.add("message.post", Post, "POST /rooms/{room}/messages")
async def message_post(ask: Ask, given: Post) -> Posted:
    """The socket does not wait here for the commit: see `Dispatch` in handlers/socket.py."""
    text = checked_post(ask, given)
    return Posted(given.nonce, await ask.services.journal.post(ask.actor, given.room, given.nonce, text))


class Edit(MessageGiven):
    text: str


@registry.add("message.edit", Edit, "PATCH /messages/{message}", cost=2)
async def message_edit(ask: Ask, given: Edit) -> MessageReply:
    if wait := ask.services.limits.messages.take(ask.actor.user):
        raise RateLimited("You are changing too many messages. Please wait a moment.", retry_after=wait)
    async with ask.services.db.transaction() as tx:
        limit = ask.services.settings.text_limit
        return MessageReply(await messages.edit(tx, ask.actor, given.message, given.text, limit=limit))


@registry.add("message.delete", MessageGiven, "DELETE /messages/{message}", cost=2)
async def message_delete(ask: Ask, given: MessageGiven) -> MessageReply:
    async with ask.services.db.transaction() as tx:
        return MessageReply(await messages.delete(tx, ask.actor, given.message))


class SyncRoom(RoomGiven):
    after: Seq


class SyncReply(msgspec.Struct):
    sync: Sync


@registry.add("room.sync", SyncRoom, "GET /rooms/{room}/sync", cost=2)
async def room_sync(ask: Ask, given: SyncRoom) -> SyncReply:
    async with ask.services.catching_up, ask.services.db.read() as db:
        return SyncReply(await messages.sync(db, ask.actor, given.room, given.after))


class Resume(Given):
    epoch: Annotated[str, Meta(max_length=64)]
    rooms: Annotated[dict[Id, Seq], Meta(max_length=1000)]


class ResumeReply(msgspec.Struct):
    rooms: list[Sync]


@registry.add("resume", Resume, "POST /resume", cost=5)
async def resume(ask: Ask, given: Resume) -> ResumeReply:
    return ResumeReply(await ask.services.returns.resume(Return(ask.actor.user, given.epoch, given.rooms)))

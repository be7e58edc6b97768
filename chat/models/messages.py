"""Messages: the log of a room, one row each, as it is now."""

import datetime
from sys import intern
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, metadata
from chat.models.users import Author, users

MessageKind = Literal[
    "text", "created", "joined", "left", "added", "removed", "renamed", "topic", "archived", "restored"
]

messages = Table(
    "messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("room_id", Integer, ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False),
    # The seq at which it was posted, and that of its latest change: equal until it is edited or deleted.
    Column("seq", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("sender_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("kind", Text, nullable=False, server_default="text"),
    Column("text", Text, nullable=False, server_default=""),
    Column("data", JSONB(none_as_null=True)),
    # Made by the client; kept for ever, so that no repeat is ever stored twice. Lines of other kinds have none.
    Column("nonce", Uuid),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("edited_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    # What search looks at. "simple" takes words as they are written, in every language.
    Column("words", TSVECTOR, Computed("to_tsvector('simple'::regconfig, text)", persisted=True)),
    Index("messages_words_index", "words", postgresql_using="gin"),
    UniqueConstraint("room_id", "seq"),
    UniqueConstraint("sender_id", "nonce"),
    CheckConstraint("changed >= seq", name="changed"),
)
# Only what was changed after it was posted: inserts do not touch it, catching up reads it beside (room_id, seq).
changed_index = Index(
    "messages_room_id_changed_key",
    messages.c.room_id,
    messages.c.changed,
    unique=True,
    postgresql_where=messages.c.changed != messages.c.seq,
)

# What a message said before each edit or deletion.
message_versions = Table(
    "message_versions",
    metadata,
    Column("message_id", BigInteger, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("changed", BigInteger, primary_key=True),
    Column("text", Text, nullable=False),
    Column("changed_by", Integer, ForeignKey("users.id"), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


class Message(msgspec.Struct, omit_defaults=True):
    id: int
    room: int
    seq: int
    sender: Author
    text: str
    at: datetime.datetime
    kind: MessageKind = "text"
    changed: int | None = None
    edited_at: datetime.datetime | None = None
    deleted: bool = False
    data: dict[str, Any] | None = None


def _selected() -> Select[Any]:
    return select(
        messages.c.id,
        messages.c.room_id.label("room"),
        messages.c.seq,
        messages.c.text,
        messages.c.at,
        messages.c.kind,
        messages.c.changed,
        messages.c.edited_at,
        messages.c.deleted_at.is_not(None).label("deleted"),
        messages.c.data,
        users.c.id.label("sender_id"),
        users.c.username.label("sender_username"),
        users.c.name.label("sender_name"),
    ).join(users, users.c.id == messages.c.sender_id)


def _from(row: Any) -> Message:
    values = dict(as_dict(row))
    sender = Author(values.pop("sender_id"), values.pop("sender_username"), values.pop("sender_name"))
    if values["changed"] == values["seq"]:
        values["changed"] = None
    values["kind"] = intern(values["kind"])  # msgspec leaves out what *is* the default
    return Message(**values, sender=sender)


async def find(db: AsyncConnection, message: int) -> Message | None:
    row = (await db.execute(_selected().where(messages.c.id == message))).first()
    return _from(row) if row else None


async def before(db: AsyncConnection, room: int, seq: int, limit: int) -> list[Message]:
    """Up to `limit` messages posted before `seq`, the newest of them, oldest first."""
    asked = (
        _selected().where(messages.c.room_id == room, messages.c.seq < seq).order_by(messages.c.seq.desc()).limit(limit)
    )
    return [_from(row) for row in await db.execute(asked)][::-1]


async def after(db: AsyncConnection, room: int, seq: int, limit: int) -> list[Message]:
    """Up to `limit` messages posted after `seq`, oldest first."""
    asked = _selected().where(messages.c.room_id == room, messages.c.seq > seq).order_by(messages.c.seq).limit(limit)
    return [_from(row) for row in await db.execute(asked)]


def _changes() -> Select[Any]:
    """Made once: putting it together takes longer than PostgreSQL takes to answer it."""
    room = bindparam("room", type_=Integer)
    seq = bindparam("after", type_=BigInteger)
    limit = bindparam("most", type_=Integer)
    here = _selected().where(messages.c.room_id == room)
    posted = here.where(messages.c.seq > seq, messages.c.changed == messages.c.seq)
    edited = here.where(messages.c.changed > seq, messages.c.changed != messages.c.seq)
    both = union_all(
        posted.order_by(messages.c.seq).limit(limit).subquery().select(),
        edited.order_by(messages.c.changed).limit(limit).subquery().select(),
    ).subquery()
    return both.select().order_by(both.c.changed).limit(limit)


CHANGES = _changes()


async def changed_after(db: AsyncConnection, room: int, seq: int, limit: int) -> list[Message]:
    """Up to `limit` messages whose latest change came after `seq`, in the order of those changes."""
    return [_from(row) for row in await db.execute(CHANGES, {"room": room, "after": seq, "most": limit})]


async def add_line(
    db: AsyncConnection,
    *,
    room: int,
    seq: int,
    sender: int,
    kind: MessageKind,
    data: dict[str, Any] | None = None,
) -> Message:
    """A line of the log that nobody typed: a join, a new name. `seq` is the one just taken."""
    values = {"room_id": room, "seq": seq, "changed": seq, "sender_id": sender, "kind": kind, "data": data}
    line = (await db.execute(insert(messages).values(**values).returning(messages.c.id))).scalar_one()
    return await _present(db, line)


async def rewrite(db: AsyncConnection, message: Message, *, text: str | None, changed: int, by: int) -> Message:
    """Gives the message another text, or none to delete it; what it said stays in `message_versions`."""
    version = {"message_id": message.id, "changed": changed, "text": message.text, "changed_by": by}
    await db.execute(insert(message_versions).values(**version))
    values = {"deleted_at": func.now(), "text": ""} if text is None else {"edited_at": func.now(), "text": text}
    await db.execute(update(messages).where(messages.c.id == message.id).values(changed=changed, **values))
    return await _present(db, message.id)


async def _present(db: AsyncConnection, message: int) -> Message:
    found = await find(db, message)
    assert found is not None, "the row was written in this transaction"
    return found

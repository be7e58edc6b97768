"""Memberships: who is in which room, how loud it is for them and up to where they have read."""

from typing import Literal

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import is_any, metadata
from chat.models.users import PAGE, User, from_row, shown, users

Involvement = Literal["everything", "mentions", "nothing"]

memberships = Table(
    "memberships",
    metadata,
    Column("room_id", Integer, ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("joined_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("read_seq", BigInteger, nullable=False),
    Column("involvement", Text, nullable=False, server_default="everything"),
    CheckConstraint("involvement IN ('everything', 'mentions', 'nothing')", name="involvement"),
    Index(None, "user_id"),
)


async def add(db: AsyncConnection, room: int, user: int, *, read: int) -> bool:
    """Whether the user is new in the room; `read` is where their reading starts."""
    asked = insert(memberships).values(room_id=room, user_id=user, read_seq=read).on_conflict_do_nothing()
    return (await db.execute(asked)).rowcount == 1


async def remove(db: AsyncConnection, room: int, user: int) -> bool:
    """Whether the user was in the room."""
    asked = delete(memberships).where(memberships.c.room_id == room, memberships.c.user_id == user)
    return (await db.execute(asked)).rowcount == 1


async def is_member(db: AsyncConnection, room: int, user: int) -> bool:
    asked = select(memberships.c.user_id).where(memberships.c.room_id == room, memberships.c.user_id == user)
    return (await db.execute(asked)).first() is not None


async def rooms_of(db: AsyncConnection, user: int) -> list[int]:
    return list((await db.execute(select(memberships.c.room_id).where(memberships.c.user_id == user))).scalars())


async def rooms_of_each(db: AsyncConnection, ids: list[int]) -> dict[int, list[int]]:
    """user → the ids of the rooms that they are in."""
    asked = select(memberships.c.user_id, func.array_agg(memberships.c.room_id))
    asked = asked.where(is_any(memberships.c.user_id, ids)).group_by(memberships.c.user_id)
    return {row[0]: row[1] for row in await db.execute(asked)}


async def standing_of_each(db: AsyncConnection, ids: list[int]) -> dict[int, tuple[list[int], int]]:
    """user → (the ids of their rooms, a number that changes with anything about these memberships)."""
    room, read, loud = memberships.c.room_id, memberships.c.read_seq, memberships.c.involvement
    everything = func.string_agg(func.concat_ws(" ", room, read, loud), aggregate_order_by(literal(","), room))
    asked = select(memberships.c.user_id, func.array_agg(room), func.hashtextextended(everything, 0))
    asked = asked.where(is_any(memberships.c.user_id, ids)).group_by(memberships.c.user_id)
    return {row[0]: (row[1], row[2]) for row in await db.execute(asked)}


async def count(db: AsyncConnection, room: int) -> int:
    asked = select(func.count()).select_from(memberships).where(memberships.c.room_id == room)
    found: int = (await db.execute(asked)).scalar_one()
    return found


async def page(db: AsyncConnection, room: int, *, query: str = "", after: int = 0) -> list[User]:
    """Up to PAGE + 1 members by id; the one too many says that there are more."""
    asked = (
        select(*shown)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.room_id == room, users.c.id > after)
    )
    if query:
        asked = asked.where(
            or_(
                users.c.name.icontains(query, autoescape=True),
                users.c.username.icontains(query, autoescape=True),
            )
        )
    return [from_row(row) for row in await db.execute(asked.order_by(users.c.id).limit(PAGE + 1))]


async def shares_a_room(db: AsyncConnection, one: int, other: int) -> bool:
    theirs = memberships.alias("theirs")
    asked = select(theirs.c.user_id).join(memberships, memberships.c.room_id == theirs.c.room_id)
    return (
        await db.execute(asked.where(memberships.c.user_id == one, theirs.c.user_id == other).limit(1))
    ).first() is not None


async def people_around(db: AsyncConnection, user: int) -> list[int]:
    """The ids of all who share a room with the user."""
    mine = select(memberships.c.room_id).where(memberships.c.user_id == user)
    asked = select(memberships.c.user_id).where(memberships.c.room_id.in_(mine)).distinct()
    return list((await db.execute(asked)).scalars())


async def read_up_to(db: AsyncConnection, room: int, user: int, seq: int) -> None:
    """Moves the read position forward to `seq`, never back."""
    asked = update(memberships).where(memberships.c.room_id == room, memberships.c.user_id == user)
    await db.execute(asked.values(read_seq=func.greatest(memberships.c.read_seq, seq)))


async def involve(db: AsyncConnection, room: int, user: int, involvement: Involvement) -> None:
    asked = update(memberships).where(memberships.c.room_id == room, memberships.c.user_id == user)
    await db.execute(asked.values(involvement=involvement))

"""Rooms, and what a user sees of each: read position, unread count, the other person of a direct one."""

import datetime
from sys import intern
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, is_any, metadata
from chat.models.members import Involvement, memberships
from chat.models.messages import messages
from chat.models.users import User, users

RoomKind = Literal["public", "private", "direct"]
UNREAD_CAP = 100

rooms = Table(
    "rooms",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("topic", Text, nullable=False, server_default=""),
    # The last seq given out. Who takes the next holds the row's lock until COMMIT: commit order is seq order.
    Column("last_seq", BigInteger, nullable=False, server_default="0"),
    Column("last_message_at", DateTime(timezone=True)),
    Column("created_by", Integer, ForeignKey("users.id"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("archived_at", DateTime(timezone=True)),
    # The two people of a direct room, smaller id first; equal for notes to oneself.
    Column("direct_low", Integer, ForeignKey("users.id")),
    Column("direct_high", Integer, ForeignKey("users.id")),
    UniqueConstraint("direct_low", "direct_high"),
    CheckConstraint("kind IN ('public', 'private', 'direct')", name="kind"),
    CheckConstraint("(kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)", name="direct_pair"),
    CheckConstraint("direct_low <= direct_high", name="direct_order"),
)
# Two open public rooms never share a name; private ones may, or "taken" would tell that they exist.
Index(
    "rooms_public_name_key",
    func.lower(rooms.c.name),
    unique=True,
    postgresql_where=and_(rooms.c.kind == literal("public", literal_execute=True), rooms.c.archived_at.is_(None)),
)


class Room(msgspec.Struct, omit_defaults=True):
    """A room as one user sees it."""

    id: int
    kind: RoomKind
    name: str
    topic: str
    seq: int
    member: bool
    read: int
    unread: int
    mentions: int
    involvement: Involvement
    last_at: datetime.datetime | None
    archived: bool = False
    with_: User | None = msgspec.field(default=None, name="with")
    members: int | None = None


mine = memberships.alias("mine")
other = users.alias("other")
# Counted where it costs something only up to the cap.
waiting = (
    select(literal(1))
    .where(
        messages.c.room_id == rooms.c.id,
        messages.c.seq > mine.c.read_seq,
        messages.c.kind == "text",
        messages.c.deleted_at.is_(None),
        messages.c.sender_id != mine.c.user_id,
    )
    .limit(UNREAD_CAP)
    .correlate(rooms, mine)
)
seen = (
    rooms.c.id,
    rooms.c.kind,
    rooms.c.name,
    rooms.c.topic,
    rooms.c.last_seq.label("seq"),
    rooms.c.last_message_at.label("last_at"),
    rooms.c.archived_at.is_not(None).label("archived"),
    mine.c.user_id.is_not(None).label("member"),
    func.coalesce(mine.c.read_seq, 0).label("read"),
    func.coalesce(mine.c.involvement, "everything").label("involvement"),
    func.cardinality(func.array(waiting.scalar_subquery())).label("unread"),
    *(
        each.label(f"with_{each.key}")
        for each in (other.c.id, other.c.username, other.c.name, other.c.role, other.c.kind)
    ),
    other.c.last_seen_at.label("with_last_seen"),
    other.c.deactivated_at.is_not(None).label("with_deactivated"),
)


def _other_of(user: int | ColumnElement[int]) -> ColumnElement[bool]:
    """In a direct room the other one is the one who is not `user`; in notes to oneself, oneself."""
    return other.c.id == case((rooms.c.direct_low == user, rooms.c.direct_high), else_=rooms.c.direct_low)


def _seen_by(user: int) -> Select[Any]:
    """Every room beside the user's membership in it, if any."""
    membership = and_(mine.c.room_id == rooms.c.id, mine.c.user_id == user)
    return select(*seen).select_from(rooms).outerjoin(mine, membership).outerjoin(other, _other_of(user))


def _from(values: dict[str, Any]) -> Room:
    names = ("id", "username", "name", "role", "kind", "last_seen", "deactivated")
    person = {name: values.pop(f"with_{name}") for name in names}
    if person["id"] is None:
        return Room(**values, mentions=0)
    return Room(**values, mentions=0, with_=User(**{**person, "kind": intern(person["kind"])}))


async def of_user(db: AsyncConnection, user: int) -> list[Room]:
    """All rooms that the user is in, by id."""
    return (await of_each(db, [user])).get(user, [])


async def of_each(db: AsyncConnection, ids: list[int]) -> dict[int, list[Room]]:
    """user → all rooms that they are in, by id: one statement however many of either."""
    asked = (
        select(*seen, mine.c.user_id.label("whose"))
        .select_from(mine)
        .join(rooms, rooms.c.id == mine.c.room_id)
        .outerjoin(other, _other_of(mine.c.user_id))
        .where(is_any(mine.c.user_id, ids))
        .order_by(rooms.c.id)
    )
    found: dict[int, list[Room]] = {}
    for row in await db.execute(asked):
        values = dict(as_dict(row))
        found.setdefault(values.pop("whose"), []).append(_from(values))
    return found


async def heads_of_each(db: AsyncConnection, ids: list[int]) -> dict[int, dict[int, int]]:
    """user → room → its last seq, of all rooms that they are in."""
    asked = select(memberships.c.user_id, rooms.c.id, rooms.c.last_seq).join(rooms, rooms.c.id == memberships.c.room_id)
    found: dict[int, dict[int, int]] = {}
    for user, room, seq in await db.execute(asked.where(is_any(memberships.c.user_id, ids))):
        found.setdefault(user, {})[room] = seq
    return found


async def seen_by(db: AsyncConnection, user: int, room: int) -> Room | None:
    """One room as the user sees it, member or not: `actions.access` decides whether they may."""
    row = (await db.execute(_seen_by(user).where(rooms.c.id == room))).first()
    return _from(dict(as_dict(row))) if row else None


async def public(db: AsyncConnection, user: int, query: str = "", limit: int = 200) -> list[Room]:
    """Open public rooms by name, with their number of members, whether the user is in them or not."""
    asked = _seen_by(user).where(rooms.c.kind == "public", rooms.c.archived_at.is_(None))
    if query:
        asked = asked.where(
            or_(
                rooms.c.name.icontains(query, autoescape=True),
                rooms.c.topic.icontains(query, autoescape=True),
            )
        )
    found = [
        _from(dict(as_dict(row))) for row in await db.execute(asked.order_by(func.lower(rooms.c.name)).limit(limit))
    ]
    sizes = select(memberships.c.room_id, func.count()).where(
        is_any(memberships.c.room_id, [room.id for room in found])
    )
    counts = {row[0]: row[1] for row in await db.execute(sizes.group_by(memberships.c.room_id))}
    for room in found:
        room.members = counts.get(room.id, 0)
    return found


async def add(
    db: AsyncConnection,
    *,
    kind: RoomKind,
    name: str,
    topic: str,
    created_by: int,
    direct: tuple[int, int] | None = None,
) -> int:
    """The new room's id. Raises IntegrityError where a public name is taken or the direct room exists."""
    low, high = (min(direct), max(direct)) if direct else (None, None)
    row = await db.execute(
        insert(rooms)
        .values(kind=kind, name=name, topic=topic, created_by=created_by, direct_low=low, direct_high=high)
        .returning(rooms.c.id)
    )
    found: int = row.scalar_one()
    return found


async def direct(db: AsyncConnection, one: int, other: int) -> int | None:
    asked = select(rooms.c.id).where(rooms.c.direct_low == min(one, other), rooms.c.direct_high == max(one, other))
    found: int | None = (await db.execute(asked)).scalar_one_or_none()
    return found


async def lock(db: AsyncConnection, room: int) -> None:
    """Holds the room until the transaction ends: lock first, then look at what the change depends on."""
    await db.execute(select(rooms.c.id).where(rooms.c.id == room).with_for_update(key_share=True))


async def next_seq(db: AsyncConnection, room: int) -> int:
    """Takes the room's next seq: whoever does must write a message with it, or the log would have a hole."""
    row = await db.execute(
        update(rooms).where(rooms.c.id == room).values(last_seq=rooms.c.last_seq + 1).returning(rooms.c.last_seq)
    )
    found: int = row.scalar_one()
    return found


async def change(db: AsyncConnection, room: int, **values: object) -> None:
    """Sets the named columns. Raises IntegrityError where a public name is taken."""
    await db.execute(update(rooms).where(rooms.c.id == room).values(**values))


async def set_archived(db: AsyncConnection, room: int, archived: bool) -> None:
    """Raises IntegrityError where a room that is restored finds its public name taken."""
    await change(db, room, archived_at=func.now() if archived else None)


async def ahead_of(db: AsyncConnection, heads: dict[int, int]) -> dict[int, int]:
    """room → its last seq, of those rooms of `heads` (room → seq) that have gone beyond it."""
    given = func.unnest(literal(list(heads), ARRAY(Integer)), literal(list(heads.values()), ARRAY(BigInteger)))
    head = given.table_valued("room", "seq").render_derived(name="head")
    asked = select(rooms.c.id, rooms.c.last_seq).join(
        head, and_(rooms.c.id == head.c.room, rooms.c.last_seq > head.c.seq)
    )
    return {row[0]: row[1] for row in await db.execute(asked)}


async def members_among(db: AsyncConnection, room: int, users: list[int]) -> tuple[int, set[int]]:
    """(the room's last seq, which of these users are in it), both as of the same moment."""
    membership = and_(memberships.c.room_id == rooms.c.id, is_any(memberships.c.user_id, users))
    asked = select(rooms.c.last_seq, func.array_agg(memberships.c.user_id)).outerjoin(memberships, membership)
    row = (await db.execute(asked.where(rooms.c.id == room).group_by(rooms.c.id))).one()
    return row[0], {user for user in row[1] if user is not None}


async def last_seq(db: AsyncConnection, room: int) -> int:
    found: int = (await db.execute(select(rooms.c.last_seq).where(rooms.c.id == room))).scalar_one()
    return found


async def first_public(db: AsyncConnection) -> int | None:
    """The oldest open public room: where newcomers arrive."""
    asked = (
        select(rooms.c.id).where(rooms.c.kind == "public", rooms.c.archived_at.is_(None)).order_by(rooms.c.id).limit(1)
    )
    found: int | None = (await db.execute(asked)).scalar_one_or_none()
    return found


async def creator(db: AsyncConnection, room: int) -> int:
    found: int = (await db.execute(select(rooms.c.created_by).where(rooms.c.id == room))).scalar_one()
    return found

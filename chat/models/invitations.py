"""Invitations: links by which people join the workspace."""

import datetime

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    Table,
    Text,
    and_,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, metadata
from chat.models.users import Author, Role, users

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("created_by", Integer, ForeignKey("users.id"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("role", Text, nullable=False),
    Column("max_uses", Integer),
    Column("uses", Integer, nullable=False, server_default="0"),
    CheckConstraint("role IN ('member', 'guest')", name="role"),
)


class Invitation(msgspec.Struct, frozen=True):
    id: int
    role: Role
    uses: int
    max_uses: int | None
    expires_at: datetime.datetime
    created_at: datetime.datetime
    revoked_at: datetime.datetime | None
    created_by: Author


columns = [invitations.c[name] for name in Invitation.__struct_fields__ if name != "created_by"]
by = [users.c.id.label("by_id"), users.c.username.label("by_username"), users.c.name.label("by_name")]
usable = and_(
    invitations.c.expires_at > func.now(),
    invitations.c.revoked_at.is_(None),
    or_(invitations.c.max_uses.is_(None), invitations.c.uses < invitations.c.max_uses),
)


def _from(row: object) -> Invitation:
    values = dict(as_dict(row))
    author = Author(values.pop("by_id"), values.pop("by_username"), values.pop("by_name"))
    return Invitation(**values, created_by=author)


async def add(db: AsyncConnection, *, created_by: int, days: int, max_uses: int | None, role: Role) -> int:
    row = await db.execute(
        insert(invitations)
        .values(
            created_by=created_by,
            role=role,
            max_uses=max_uses,
            expires_at=func.now() + datetime.timedelta(days=days),
        )
        .returning(invitations.c.id)
    )
    found: int = row.scalar_one()
    return found


async def find(db: AsyncConnection, invitation: int, *, only_usable: bool = False) -> Invitation | None:
    asked = select(*columns, *by).join(users).where(invitations.c.id == invitation)
    row = (await db.execute(asked.where(usable) if only_usable else asked)).first()
    return _from(row) if row else None


async def recent(db: AsyncConnection, *, made_by: int | None = None, limit: int = 100) -> list[Invitation]:
    """Usable ones first, then those that ended, newest first; all, or those that one user made."""
    asked = select(*columns, *by).join(users).order_by(usable.desc(), invitations.c.id.desc()).limit(limit)
    if made_by is not None:
        asked = asked.where(invitations.c.created_by == made_by)
    return [_from(row) for row in await db.execute(asked)]


async def use(db: AsyncConnection, invitation: int) -> Role | None:
    """Counts one use and gives the role it grants; None where it is expired, revoked or used up, however raced."""
    asked = update(invitations).where(invitations.c.id == invitation, usable)
    row = await db.execute(asked.values(uses=invitations.c.uses + 1).returning(invitations.c.role))
    found: Role | None = row.scalar_one_or_none()
    return found


async def revoke(db: AsyncConnection, invitation: int) -> bool:
    asked = update(invitations).where(invitations.c.id == invitation, invitations.c.revoked_at.is_(None))
    return (await db.execute(asked.values(revoked_at=func.now()))).rowcount == 1

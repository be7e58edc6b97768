"""The workspace: the one row that describes this installation."""

import uuid

import msgspec
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, metadata

workspace = Table(
    "workspace",
    metadata,
    Column("id", SmallInteger, primary_key=True, server_default="1"),
    Column("name", Text, nullable=False),
    Column("epoch", Uuid, nullable=False),
    Column("open_registration", Boolean, nullable=False, server_default="false"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("id = 1", name="only_one"),
)


class Workspace(msgspec.Struct, frozen=True):
    """What everybody may know of it."""

    name: str
    open_registration: bool


async def get(db: AsyncConnection, *, lock: bool = False) -> Workspace:
    """`lock` holds the row until the transaction ends: who makes the first owner must be alone."""
    asked = select(workspace.c.name, workspace.c.open_registration)
    row = (await db.execute(asked.with_for_update() if lock else asked)).one()
    return Workspace(**as_dict(row))


async def epoch(db: AsyncConnection) -> uuid.UUID:
    """Names this history of the database: another one after a restore, so that clients drop what they kept."""
    found: uuid.UUID = (await db.execute(select(workspace.c.epoch))).scalar_one()
    return found


async def change(db: AsyncConnection, **values: object) -> None:
    await db.execute(update(workspace).values(**values))


async def touch(db: AsyncConnection) -> None:
    """A write that changes nothing: raises where the database is read-only or its disk full. Commit it; it waits
    for nobody."""
    await db.execute(select(workspace.c.id).with_for_update(key_share=True, skip_locked=True))

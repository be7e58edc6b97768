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
    text,
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
    Column("epoch_of", Text),  # see `renew_epoch`
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


# A dump that is restored comes into another cluster, another database or at least another table; a base backup goes
# on as another timeline. None of these changes when the server is only restarted.
HISTORY = text(
    "SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), "
    "(SELECT timeline_id FROM pg_control_checkpoint()), "
    "(SELECT oid FROM pg_database WHERE datname = current_database()), 'workspace'::regclass::oid)"
)


async def renew_epoch(db: AsyncConnection, place: str) -> bool:
    """Makes another epoch where this is not the history that it was made for: a database that was restored or copied.

    `place` is what the caller knows of where it lies and PostgreSQL does not. Whether there was an epoch of another
    history; a new database has none.
    """
    before = (await db.execute(select(workspace.c.epoch_of).with_for_update())).scalar_one()
    history = f"{(await db.execute(HISTORY)).scalar_one()}/{place}"
    if before == history:
        return False
    await db.execute(update(workspace).values(epoch=func.gen_random_uuid(), epoch_of=history))
    return before is not None


DATABASE = text(
    "SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()), "
    "(SELECT oid FROM pg_database WHERE datname = current_database()))"
)


async def database(db: AsyncConnection) -> str:
    """Names the database itself, through restarts and failovers: another one for every other Roomful."""
    found: str = (await db.execute(DATABASE)).scalar_one()
    return found


async def change(db: AsyncConnection, **values: object) -> None:
    await db.execute(update(workspace).values(**values))


async def touch(db: AsyncConnection) -> None:
    """A write that changes nothing: raises where the database is read-only or its disk full. Commit it; it waits
    for nobody."""
    await db.execute(select(workspace.c.id).with_for_update(key_share=True, skip_locked=True))

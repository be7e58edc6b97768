"""Sessions: sign-ins, kept as hashes of their tokens, with the user they belong to."""

import datetime
import uuid

import msgspec
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, is_any, metadata
from chat.models.users import Account, Author, Role, account_columns, users
from chat.models.workspace import Workspace, workspace

sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("address", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Index(None, "user_id"),
)


class SignedIn(msgspec.Struct, frozen=True):
    """A valid session with its user, as every request and connection carries it."""

    session: int
    user: int
    username: str
    name: str
    role: Role
    last_seen_at: datetime.datetime
    stale: bool

    @property
    def author(self) -> Author:
        return Author(self.user, self.username, self.name)


class Session(msgspec.Struct, frozen=True):
    id: int
    created_at: datetime.datetime
    last_seen_at: datetime.datetime
    address: str
    user_agent: str


async def add(db: AsyncConnection, *, token_hash: bytes, user: int, address: str, user_agent: str) -> int:
    row = await db.execute(
        insert(sessions)
        .values(token_hash=token_hash, user_id=user, address=address, user_agent=user_agent)
        .returning(sessions.c.id)
    )
    found: int = row.scalar_one()
    return found


def _living(days: int) -> ColumnElement[bool]:
    """Expiry is judged in the database's time: a web server's stepped clock signs nobody out."""
    return sessions.c.last_seen_at > func.now() - datetime.timedelta(days=days)


signed_in = (
    sessions.c.id.label("session"),
    users.c.id.label("user"),
    users.c.username,
    users.c.name,
    users.c.role,
    sessions.c.last_seen_at,
    (sessions.c.last_seen_at < func.now() - datetime.timedelta(minutes=10)).label("stale"),
)


async def find_each(db: AsyncConnection, hashes: list[bytes], *, days: int) -> dict[bytes, SignedIn]:
    """token hash → its session, if it was used in the last `days` and its user is active."""
    asked = select(sessions.c.token_hash, *signed_in).join(users)
    asked = asked.where(is_any(sessions.c.token_hash, hashes), _living(days), users.c.deactivated_at.is_(None))
    rows = [dict(as_dict(row)) for row in await db.execute(asked)]
    return {row.pop("token_hash"): SignedIn(**row) for row in rows}


async def find(db: AsyncConnection, session: int) -> SignedIn | None:
    """A session by its id: for who holds a connection that it opened."""
    asked = select(*signed_in).join(users).where(sessions.c.id == session, users.c.deactivated_at.is_(None))
    row = (await db.execute(asked)).first()
    return SignedIn(**as_dict(row)) if row else None


async def accounts_and_workspace(
    db: AsyncConnection, ids: list[int]
) -> dict[int, tuple[Account, uuid.UUID, Workspace]]:
    """session → its account, with the workspace's epoch and what is known of it; only sessions that still stand."""
    asked = (
        select(
            sessions.c.id.label("session"),
            *account_columns,
            workspace.c.epoch,
            workspace.c.name.label("workspace"),
            workspace.c.open_registration,
        )
        .select_from(sessions)
        .join(users)
        .join(workspace, true())
        .where(is_any(sessions.c.id, ids), users.c.deactivated_at.is_(None))
    )
    found = {}
    for row in await db.execute(asked):
        values = dict(as_dict(row))
        session, epoch = values.pop("session"), values.pop("epoch")
        about = Workspace(values.pop("workspace"), values.pop("open_registration"))
        found[session] = Account(**values), epoch, about
    return found


async def roles(db: AsyncConnection, ids: list[int]) -> dict[int, Role]:
    """Session id → its user's role, of those that still are and whose users are active; thousands at once."""
    asked = (
        select(sessions.c.id, users.c.role)
        .join(users)
        .where(is_any(sessions.c.id, ids), users.c.deactivated_at.is_(None))
    )
    return {row[0]: row[1] for row in await db.execute(asked)}


async def touch(db: AsyncConnection, used: dict[int, str]) -> None:
    """These sessions were just used, each from its address."""
    given = func.unnest(literal(list(used), ARRAY(BigInteger)), literal(list(used.values()), ARRAY(Text)))
    use = given.table_valued("id", "address").render_derived(name="use")
    asked = update(sessions).where(sessions.c.id == use.c.id)
    await db.execute(asked.values(last_seen_at=func.now(), address=use.c.address))


async def keep(db: AsyncConnection, ids: list[int], *, days: int) -> None:
    """These living sessions are in use; noted once an hour, which is enough for an expiry counted in days."""
    asked = update(sessions).where(
        is_any(sessions.c.id, ids),
        sessions.c.last_seen_at < func.now() - datetime.timedelta(hours=1),
        _living(days),
    )
    await db.execute(asked.values(last_seen_at=func.now()))


async def of_user(db: AsyncConnection, user: int, *, days: int) -> list[Session]:
    """Living sessions, the one used last first."""
    asked = (
        select(*(sessions.c[name] for name in Session.__struct_fields__))
        .where(sessions.c.user_id == user, _living(days))
        .order_by(sessions.c.last_seen_at.desc())
    )
    return [Session(**as_dict(row)) for row in await db.execute(asked)]


async def remove(db: AsyncConnection, user: int, *, only: int | None = None, but: int | None = None) -> list[int]:
    """Ends the user's sessions: all, `only` one, or all `but` one. The ids of those that ended."""
    asked = delete(sessions).where(sessions.c.user_id == user).returning(sessions.c.id)
    if only is not None:
        asked = asked.where(sessions.c.id == only)
    if but is not None:
        asked = asked.where(sessions.c.id != but)
    return list((await db.execute(asked)).scalars())


async def expire(db: AsyncConnection, *, days: int) -> list[int]:
    """Deletes sessions that nobody used for `days`; the ids of those that ended."""
    asked = delete(sessions).where(sessions.c.last_seen_at <= func.now() - datetime.timedelta(days=days))
    return list((await db.execute(asked.returning(sessions.c.id))).scalars())

"""Users: people and bots, their names, roles and passwords."""

import datetime
from sys import intern
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import as_dict, is_any, metadata

Role = Literal["owner", "admin", "member", "guest"]
Kind = Literal["person", "bot"]
Presence = Literal["online", "away", "offline"]
PAGE = 200

users = Table(
    "users",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("username", Text, nullable=False),
    # What `actions.names.key` makes of the username: equal for names that look alike, so nobody passes for another.
    Column("username_key", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="person"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_seen_at", DateTime(timezone=True)),
    Column("deactivated_at", DateTime(timezone=True)),
    # The name, the role or the like: not when they were seen.
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index(None, "changed_at"),
    CheckConstraint("role IN ('owner', 'admin', 'member', 'guest')", name="role"),
    CheckConstraint("kind IN ('person', 'bot')", name="kind"),
)


class Author(msgspec.Struct, frozen=True):
    """Who wrote or did something: as much of a user as a message carries."""

    id: int
    username: str
    name: str


class User(msgspec.Struct, omit_defaults=True):
    """What everyone who may see a user sees. `presence` is filled in by the door, from memory."""

    id: int
    username: str
    name: str
    role: Role
    presence: Presence | msgspec.UnsetType = msgspec.UNSET
    kind: Kind = "person"
    last_seen: datetime.datetime | None = None
    deactivated: bool = False


class Account(msgspec.Struct, frozen=True):
    """A user with what only sign-in and the person themself may read."""

    id: int
    username: str
    email: str
    name: str
    password_hash: str
    role: Role
    created_at: datetime.datetime
    deactivated_at: datetime.datetime | None

    @property
    def author(self) -> Author:
        return Author(self.id, self.username, self.name)


shown = (
    users.c.id,
    users.c.username,
    users.c.name,
    users.c.role,
    users.c.kind,
    users.c.last_seen_at.label("last_seen"),
    users.c.deactivated_at.is_not(None).label("deactivated"),
)
account_columns = [users.c[name] for name in Account.__struct_fields__]


def from_row(row: Any) -> User:
    values = dict(as_dict(row))
    values["kind"] = intern(values["kind"])  # msgspec leaves out what *is* the default
    return User(**values)


async def add(
    db: AsyncConnection,
    *,
    username: str,
    username_key: str,
    email: str,
    name: str,
    password_hash: str,
    role: Role,
) -> int:
    """The new user's id. Raises IntegrityError where the username or e-mail is taken."""
    row = await db.execute(
        insert(users)
        .values(
            username=username,
            username_key=username_key,
            email=email,
            name=name,
            password_hash=password_hash,
            role=role,
        )
        .returning(users.c.id)
    )
    found: int = row.scalar_one()
    return found


async def any_exist(db: AsyncConnection) -> bool:
    found: bool = (await db.execute(select(exists().select_from(users)))).scalar_one()
    return found


async def count(db: AsyncConnection) -> int:
    found: int = (await db.execute(select(func.count()).select_from(users))).scalar_one()
    return found


async def find(db: AsyncConnection, user: int) -> User | None:
    row = (await db.execute(select(*shown).where(users.c.id == user))).first()
    return from_row(row) if row else None


async def find_all(db: AsyncConnection, ids: list[int]) -> list[User]:
    rows = await db.execute(select(*shown).where(is_any(users.c.id, ids)).order_by(users.c.id))
    return [from_row(row) for row in rows]


async def account(db: AsyncConnection, user: int, *, lock: bool = False) -> Account | None:
    """`lock` holds the row until the transaction ends: who depends on its password or role must not be overtaken."""
    asked = select(*account_columns).where(users.c.id == user)
    row = (await db.execute(asked.with_for_update(key_share=True) if lock else asked)).first()
    return Account(**as_dict(row)) if row else None


async def account_by_login(db: AsyncConnection, *, username_key: str, email: str) -> Account | None:
    found = or_(users.c.username_key == username_key, users.c.email == email)
    row = (await db.execute(select(*account_columns).where(found))).first()
    return Account(**as_dict(row)) if row else None


async def page(db: AsyncConnection, *, query: str = "", after: int = 0, only: list[int] | None = None) -> list[User]:
    """Up to PAGE + 1 active users by id whose names contain `query`; the one too many says that there are more."""
    asked = (
        select(*shown).where(users.c.id > after, users.c.deactivated_at.is_(None)).order_by(users.c.id).limit(PAGE + 1)
    )
    if query:
        asked = asked.where(
            or_(
                users.c.name.icontains(query, autoescape=True),
                users.c.username.icontains(query, autoescape=True),
            )
        )
    if only is not None:
        asked = asked.where(is_any(users.c.id, only))
    return [from_row(row) for row in await db.execute(asked)]


async def change(db: AsyncConnection, user: int, **values: object) -> None:
    """Sets the named columns. Raises IntegrityError where a unique one is taken."""
    await db.execute(update(users).where(users.c.id == user).values(changed_at=func.now(), **values))


async def changed_since(db: AsyncConnection, moment: datetime.datetime, limit: int) -> list[User]:
    """Users who were added or changed after the moment, the latest first."""
    asked = select(*shown).where(users.c.changed_at > moment).order_by(users.c.changed_at.desc()).limit(limit)
    return [from_row(row) for row in await db.execute(asked)]


async def now(db: AsyncConnection) -> datetime.datetime:
    """The database's time, in which `changed_since` thinks."""
    found: datetime.datetime = (await db.execute(select(func.now()))).scalar_one()
    return found


async def owners(db: AsyncConnection) -> list[int]:
    """Active owners, locked: whoever demotes or deactivates one must leave another."""
    asked = select(users.c.id).where(users.c.role == "owner", users.c.deactivated_at.is_(None)).order_by(users.c.id)
    return list((await db.execute(asked.with_for_update())).scalars())


async def seen(db: AsyncConnection, ids: list[int]) -> None:
    """These users are or were just here."""
    await db.execute(update(users).where(is_any(users.c.id, ids)).values(last_seen_at=func.now()))

"""A real PostgreSQL for the whole run, a database of its own for each test, a server on a port of its own."""

import fcntl
import hashlib
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio

from chat.actions import names, rooms
from chat.actions.sessions import begin
from chat.app import Server
from chat.config import Settings, load
from chat.lib import schema
from chat.lib.postgres import EmbeddedPostgres
from chat.models import rooms as room_models
from chat.models import sessions, users
from chat.models.sessions import SignedIn
from tests.databases import Databases
from tests.people import PASSWORD, Person
from tests.quiet import no_unexpected_log_lines, pytest_configure

# What pytest finds here by its name.
__all__ = ["no_unexpected_log_lines", "pytest_configure"]

# One cluster for all workers of a run; kept for the next one, its databases come and go.
CLUSTER = Path(tempfile.gettempdir()) / f"roomful-tests-{os.getuid()}"

# Passwords cost little (what bcrypt costs is the business of test_passwords.py alone) and limits are out of the way;
# a test of a limit sets it.
EASY = {
    "BCRYPT_COST": "4",
    "SECRET_KEY": "for-tests-only-0123456789-abcdefghijklm",
    "PORT": "0",
    "MESSAGES_PER_MINUTE": "1000000",
    "MESSAGE_BURST": "1000000",
    "COMMANDS_PER_SECOND": "100000",
    "COMMAND_BURST": "100000",
    "REQUESTS_PER_MINUTE": "1000000",
    "REQUEST_BURST": "1000000",
    "SIGN_IN_ATTEMPTS_PER_ADDRESS": "1000000",
}


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One process at a time, of all test workers."""
    with (CLUSTER / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """The running cluster, shared by all workers."""
    CLUSTER.mkdir(mode=0o711, exist_ok=True)
    embedded = EmbeddedPostgres(CLUSTER)
    await embedded.start()
    yield embedded
    await embedded.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """The name of a migrated database that others are copied from. It is named for the migrations in it, so that runs
    side by side share it, and the next run finds it there."""
    migrations = sorted((Path(__file__).parent.parent / "migrations" / "versions").glob("*.py"))
    name = f"template_{hashlib.sha256(b''.join(each.read_bytes() for each in migrations)).hexdigest()[:12]}"
    done = CLUSTER / f"{name}.done"
    with alone("template.lock"):
        if not done.exists():
            await postgres.drop_database(name)
            await postgres.create_database(name)
            await schema.upgrade(postgres.url_of(name))
            done.touch()
    return name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def databases(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Databases]:
    found = Databases(postgres, template)
    yield found
    await found.close()


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres, databases: Databases) -> AsyncIterator[str]:
    """An empty migrated database."""
    name = await databases.take(f"test_{uuid.uuid4().hex[:12]}")
    yield postgres.url_of(name)
    await databases.give_back(name)


@dataclass
class World:
    """A running server with people made directly in its database, who act through its doors."""

    server: Server
    people: list[Person] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def person(self, username: str, role: str = "member", name: str = "", *, sign_in: bool = True) -> Person:
        """Somebody who has an account and, unless told otherwise, a session."""
        person = Person(self.base, username, name or username.title(), email=f"{username}@example.org")
        async with self.server.db.transaction() as tx:
            person.id = await users.add(
                tx.db,
                username=username,
                username_key=names.key(username),
                email=person.email,
                name=person.name,
                password_hash=await self.server.services.passwords.hash(PASSWORD),
                role=role,  # type: ignore[arg-type]
            )
            if sign_in:
                account = await users.account(tx.db, person.id)
                assert account is not None
                token = await begin(tx, account, address="127.0.0.1", user_agent="tests")
                guard, signer = self.server.services.guard, self.server.services.signer
                person.cookie = f"{guard.cookie_name}={signer.session_cookie(token)}"
        self.people.append(person)
        return person

    async def room(self, maker: Person, name: str, *others: Person, kind: str = "public") -> int:
        """A room made by `maker` with the others in it: its id."""
        async with self.server.db.transaction() as tx:
            made = await rooms.create(
                tx,
                await self.actor(maker),
                name=name,
                kind=kind,  # type: ignore[arg-type]
                others=[person.id for person in others],
            )
        return made.id

    async def actor(self, person: Person) -> SignedIn:
        """The person as the actions know them."""
        async with self.server.db.read() as db:
            account = await users.account(db, person.id)
            assert account is not None
            owned = await sessions.of_user(db, person.id, days=14)
        return SignedIn(
            session=owned[0].id if owned else 0,
            user=account.id,
            username=account.username,
            name=account.name,
            role=account.role,
            last_seen_at=account_time(),
            stale=False,
        )

    async def last_seq(self, room: int) -> int:
        async with self.server.db.read() as db:
            return await room_models.last_seq(db, room)


def account_time() -> Any:
    import datetime

    return datetime.datetime.now(datetime.UTC)


def settings_with(**values: str) -> Settings:
    return load({**EASY, **values}, dotenv=None)


@pytest_asyncio.fixture
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The server with easy limits."""
    server = Server(settings_with(DATA_DIR=str(tmp_path)), database_url)
    await server.start()
    yield World(server)
    await server.stop()

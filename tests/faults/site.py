"""A whole Roomful of its own: `roomful serve` as a process, its data folder, its embedded PostgreSQL, its people."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from tornado.httpclient import AsyncHTTPClient, HTTPError

from chat.actions import names, rooms
from chat.actions.sessions import begin
from chat.lib.db import Database
from chat.lib.passwords import Passwords
from chat.lib.postgres.cluster import Cluster
from chat.lib.postgres.owner import find_owner
from chat.lib.postgres.places import Places
from chat.lib.postgres.server import DATABASE, ROLE
from chat.lib.signing import Signer
from chat.models import sessions, users
from chat.models.sessions import SignedIn
from tests.conftest import EASY
from tests.faults import processes
from tests.people import PASSWORD

CHECKOUT = Path(__file__).parents[2]
START_SECONDS = 60.0


@dataclass
class Account:
    id: int
    username: str
    cookie: str


class Site:
    """Start it, break it, start it again: the data folder and the port stay the same."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None
        self.runs = 0  # of people who came and went
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")},
            **EASY,
            "DATA_DIR": str(self.data_dir),
            "PORT": str(self.port),
            "LOG_FORMAT": "json",
            "CONNECTIONS_PER_USER": "1000",
            "CONNECTIONS_PER_ADDRESS": "10000",
            **environment,
        }
        self.places = Places(self.data_dir)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None, "started"
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode if self.process is not None else None

    @property
    def postmaster(self) -> int:
        return int((self.places.cluster / "postmaster.pid").read_text().split()[0])

    def url(self, database: str = DATABASE) -> str:
        owner = find_owner(None, self.places.cluster)
        assert owner is not None, "the cluster's"
        programs: Any = None  # they have no part in the address
        return Cluster(self.places, owner, programs, self.places.password.read_text()).url(ROLE, database)

    async def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "chat", "serve"),
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=CHECKOUT,
                start_new_session=True,  # a Ctrl-C at the tests' terminal is not one at the server's
            )
        if wait:
            await self.until_up()

    async def until_up(self, seconds: float = START_SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while await self.get("/health") != 200:
                if self.process is not None and self.process.returncode is not None:
                    raise AssertionError(f"the server ended: {self.log.read_text()[-2000:]}")
                await asyncio.sleep(0.05)

    async def until_ready(self, seconds: float = START_SECONDS) -> None:
        """Until it can do its work: the database answers."""
        async with asyncio.timeout(seconds):
            while await self.get("/ready") != 200:  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.1)

    async def get(self, path: str, seconds: float = 5.0) -> int:
        """The status, 0 without an answer."""
        try:
            return (await AsyncHTTPClient().fetch(self.base + path, request_timeout=seconds, raise_error=False)).code
        except (OSError, HTTPError):
            return 0

    async def kill(self) -> None:
        assert self.process is not None, "started"
        processes.send(signal.SIGKILL, self.pid)
        await self.process.wait()

    async def stop(self, seconds: float = 60.0) -> float:
        """SIGTERM; the seconds until it ended."""
        assert self.process is not None, "started"
        began = time.monotonic()
        processes.send(signal.SIGTERM, self.pid)
        async with asyncio.timeout(seconds):
            await self.process.wait()
        return time.monotonic() - began

    async def run(self, *arguments: str) -> None:
        """`roomful ARGUMENTS`, which must succeed."""
        command = (sys.executable, "-m", "chat", *arguments)
        with self.log.open("ab") as log:
            ran = await asyncio.create_subprocess_exec(
                *command, stdout=log, stderr=log, env=self._environment, cwd=CHECKOUT
            )
        async with asyncio.timeout(START_SECONDS):
            assert await ran.wait() == 0, self.log.read_text()[-2000:]

    async def end(self) -> None:
        """Whatever state it is in: nothing of it stays."""
        if self.process is not None and self.process.returncode is None:
            await self.kill()
        if (self.places.cluster / "postmaster.pid").exists():
            postmaster = self.postmaster
            family = processes.family(postmaster)
            if str(self.places.cluster) in processes.title(postmaster):
                processes.send(signal.SIGKILL, *family)
                while any(map(processes.is_there, family)):  # noqa: ASYNC110 - not our children
                    await asyncio.sleep(0.02)

    def log_entries(self) -> list[dict[str, Any]]:
        """What the server logged; what it said to the terminal is left out."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def query(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url(), timeout=10)
        try:
            found: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
            return found
        finally:
            await connection.close()

    async def add_people(self, *usernames: str) -> list[Account]:
        """Accounts with a session each, made directly in the database."""
        db, passwords, signer = Database(self.url(), pool_size=2), Passwords(4, 1), Signer((EASY["SECRET_KEY"],))
        found = []
        try:
            hashed = await passwords.hash(PASSWORD)
            for username in usernames:
                async with db.transaction() as tx:
                    user = await users.add(
                        tx.db,
                        username=username,
                        username_key=names.key(username),
                        email=f"{username}@example.org",
                        name=username.title(),
                        password_hash=hashed,
                        role="member",
                    )
                    account = await users.account(tx.db, user)
                    assert account is not None, "just added"
                    token = await begin(tx, account, address="127.0.0.1", user_agent="tests")
                found.append(Account(user, username, f"session={signer.session_cookie(token)}"))
        finally:
            passwords.close()
            await db.close()
        return found

    async def add_room(self, name: str, maker: Account, *others: Account, kind: str = "public") -> int:
        """Made in the database: do it while nobody is connected."""
        db = Database(self.url(), pool_size=2)
        try:
            async with db.transaction() as tx:
                session = (await sessions.of_user(tx.db, maker.id, days=14))[0]
                actor = SignedIn(
                    session=session.id,
                    user=maker.id,
                    username=maker.username,
                    name=maker.username.title(),
                    role="member",
                    last_seen_at=session.last_seen_at,
                    stale=False,
                )
                ids = [each.id for each in others]
                room = await rooms.create(tx, actor, name=name, kind=kind, others=ids)  # type: ignore[arg-type]
        finally:
            await db.close()
        return room.id


@contextmanager
def open_folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="roomful-faults-", dir="/tmp"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def running(folder: Path | None = None, **environment: str) -> AsyncIterator[Site]:
    """A site in a folder of its own, or the given one; none of its processes is left."""
    with open_folder() if folder is None else nullcontext(folder) as place:
        site = Site(place, **environment)
        try:
            await site.start()
            yield site
        finally:
            await site.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

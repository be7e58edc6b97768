"""The life of the embedded PostgreSQL: the first user starts it, others join, the last one stops it."""

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from chat.lib.postgres.cluster import START_SECONDS, STOP_SECONDS, Cluster
from chat.lib.postgres.creation import create_cluster
from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.locks import exclusive_lock, is_only_holder, try_lock
from chat.lib.postgres.owner import Owner
from chat.lib.postgres.places import Places, prepare_folder
from chat.lib.postgres.programs import find_programs

ROLE = DATABASE = "roomful"
DURABLE_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")
TURN_SECONDS = START_SECONDS + STOP_SECONDS  # the longest that another process may be at it

log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """A PostgreSQL of our own in `data_dir / "postgres"`, shared by every process that starts it there.

    Start it before what needs it and stop it after; a process that dies instead leaves the server to the next
    one. `programs` is a bin folder to use instead of the embedded or the system's programs; `run_as` names
    the system user for it when this process is root. Errors are PostgresError, with a text for a person.
    """

    def __init__(self, data_dir: Path, *, programs: Path | None = None, run_as: str | None = None) -> None:
        self._places = Places(data_dir.absolute())
        self._chosen_programs = programs
        self._run_as = run_as
        self._cluster: Cluster | None = None
        self._users_lock: int | None = None

    @property
    def data_dir(self) -> Path:
        return self._places.data_dir

    @property
    def socket_dir(self) -> Path:
        return self._started.socket_folder

    @property
    def version(self) -> str:
        """Of the programs, such as "18.6"."""
        return self._started.programs.version

    @property
    def programs(self) -> Path:
        """The folder of its programs: psql, pg_dump and the others that fit it."""
        return self._started.programs.folder

    @property
    def url(self) -> str:
        """postgresql://roomful:…@/roomful?host=FOLDER&port=5432, for the role that owns it."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return self._started.url(ROLE, database)

    @property
    def place(self) -> str:
        """Changes when the cluster's files are copied, as from a backup: nobody can set this time of a file's."""
        return str((self._places.cluster / "PG_VERSION").stat().st_ctime_ns)

    async def start(self) -> None:
        """Join the server of this folder, or start it; make what is missing."""
        if self._users_lock is not None:
            raise RuntimeError("already started")
        with self._failures_explained():
            owner = prepare_folder(self._places, self._run_as)
            async with exclusive_lock(self._places.start_lock, TURN_SECONDS):
                self._users_lock = self._share()
                try:
                    self._cluster = await _open_cluster(self._places, owner, self._chosen_programs)
                    launched = await self._cluster.launch()
                    await _prepare_database(self._cluster)
                except BaseException:
                    await self._leave()
                    raise
        log.info("PostgreSQL %s %s in %s", self.version, "started" if launched else "joined", self._places.folder)

    async def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Leave the server, and stop it when nobody else uses it. A cancellation waits until that is done.

        PostgresError when it has not stopped after `seconds`: it was told to, and may still do so.
        """
        leaving = asyncio.ensure_future(self._stop(seconds))
        cancelled = False
        while not leaving.done():
            try:
                await asyncio.shield(leaving)
            except asyncio.CancelledError:
                cancelled = True
        leaving.result()
        if cancelled:
            raise asyncio.CancelledError

    async def ensure_running(self) -> bool:
        """Start the server again when it died while we use it. True when it had to be started."""
        cluster = self._started
        with self._failures_explained():
            if await cluster.answers():
                return False
            async with exclusive_lock(self._places.start_lock, TURN_SECONDS):
                launched = self._users_lock is not None and await cluster.launch()
        if launched:
            log.warning("PostgreSQL was gone and has been started again in %s", self._places.folder)
        return launched

    async def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database of our role, a copy of `template` when given (nobody may be connected to that)."""
        connection = await self._started.connect()
        try:
            await _create_database(connection, name, template)
        finally:
            await connection.close()

    async def drop_database(self, name: str) -> None:
        """Remove a database, if it is there, and cut off whoever is connected to it."""
        connection = await self._started.connect()
        try:
            await connection.execute(f"DROP DATABASE IF EXISTS {_quote_name(name)} WITH (FORCE)")
        finally:
            await connection.close()

    @property
    def _started(self) -> Cluster:
        if self._cluster is None:
            raise RuntimeError("not started")
        return self._cluster

    async def _stop(self, seconds: float) -> None:
        if self._users_lock is not None:
            async with exclusive_lock(self._places.start_lock, TURN_SECONDS):
                await self._leave(seconds)

    def _share(self) -> int:
        lock = try_lock(self._places.users_lock, shared=True)
        if lock is None:
            raise PostgresError(
                f"Something that is not Roomful holds {self._places.users_lock}. End it, and try again."
            )
        return lock

    async def _leave(self, seconds: float = STOP_SECONDS) -> None:
        """Give up our share of the server; who had it alone stops it. Call under the start lock."""
        users_lock, self._users_lock = self._users_lock, None
        cluster, self._cluster = self._cluster, None
        if users_lock is None:
            return
        try:
            if cluster is not None and is_only_holder(users_lock):
                await cluster.shut_down(seconds)
        finally:
            os.close(users_lock)

    @contextmanager
    def _failures_explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, asyncpg.PostgresError) as error:
            if isinstance(error, OSError) and error.filename:
                reason = f"{error.strerror} ({error.filename})."
            else:
                reason = f"{error}." if str(error) else "it does not answer in time."
            if isinstance(error, PermissionError):
                reason += " Start Roomful as the user it belongs to, or choose another data folder with DATA_DIR."
            raise PostgresError(f"The database in {self._places.folder} cannot be started: {reason}") from error


async def _open_cluster(places: Places, owner: Owner, chosen_programs: Path | None) -> Cluster:
    """The cluster that is there, or a new one, with programs that fit it."""
    major = _major_of(places.cluster) if places.cluster.exists() else None
    programs = await find_programs(chosen_programs, major, owner, places.folder)
    if major is None:
        await create_cluster(places, owner, programs)
    return Cluster(places, owner, programs, secret=places.password.read_text())


def _major_of(cluster: Path) -> int:
    text = (cluster / "PG_VERSION").read_text()
    try:
        return int(text)
    except ValueError:
        raise PostgresError(
            f"{cluster} is damaged: PG_VERSION says {text!r}. Restore the data from a backup."
        ) from None


async def _prepare_database(cluster: Cluster) -> None:
    """Make our role and database where they are missing, and make sure that what is committed stays."""
    connection = await cluster.connect()
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", ROLE):
            await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{cluster.password(ROLE)}'")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            await _create_database(connection, DATABASE)
    finally:
        await connection.close()
    connection = await cluster.connect(ROLE, DATABASE)
    try:
        for name in DURABLE_SETTINGS:
            if await connection.fetchval(f"SHOW {name}") != "on":
                raise PostgresError(
                    f"{name} is off in {cluster.places.cluster}, so that a crash could lose acknowledged "
                    "messages. Remove it from postgresql.conf or postgresql.auto.conf there, and start again."
                )
    finally:
        await connection.close()


async def _create_database(connection: asyncpg.Connection, name: str, template: str | None = None) -> None:
    source = f" TEMPLATE {_quote_name(template)}" if template else ""
    await connection.execute(f"CREATE DATABASE {_quote_name(name)} OWNER {ROLE}{source}")


def _quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""The way to PostgreSQL: one engine, transactions that tell the world after COMMIT, and faults turned into Problems."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec
from sqlalchemy import ARRAY, Column, ColumnElement, MetaData, any_, event, exc, literal
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, QueuePool

from chat import errors

T = TypeVar("T")

# What the floors above need of SQLAlchemy, which they do not import themselves.
__all__ = ["AsyncConnection", "DBAPIError", "Database", "IntegrityError", "Tx", "metadata"]

# Names that PostgreSQL and Alembic agree on, so that every constraint can be named in a migration.
metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

# A lock or a statement that takes longer than this is a fault; the person hears "busy" and the client tries again.
SERVER_SETTINGS = {
    "application_name": "roomful",
    "timezone": "UTC",
    "lock_timeout": "2000",
    "statement_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",
    "synchronous_commit": "on",
}
COMMAND_SECONDS = 6.0  # a little more than PostgreSQL gives a statement: it answers by itself, unless it hangs
CONNECT_SECONDS = 5.0
POOL_WAIT_SECONDS = 2.0

BUSY_STATES = ("08", "40", "53", "55", "57")  # connection, rollback, resources, lock, operator intervention
DISK_FULL = "53100"


class Emit(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Tell `payload` (one encoded event) to whoever listens to `topic`; `seq` where it belongs to a room's log.
    `membership` (user, topic of a room, seq) is the coming or going that it is about: where a later one was heard of
    before it, it is no longer true and not told."""

    topic: str
    payload: bytes
    seq: int | None = None
    membership: tuple[int, str, int] | None = None


class Admit(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The user's connections listen to `topic` from now on; the next event in its log has this `seq`."""

    user: int
    topic: str
    seq: int


class Evict(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The user's connections no longer listen to `topic`, as of this `seq` in its log: an admission that came after it
    stands, whichever of the two is heard of first. Without a `seq` it always counts."""

    user: int
    topic: str
    seq: int | None = None


class EndSessions(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The connections of these sessions are closed: signed out or revoked."""

    sessions: tuple[int, ...]


class Renew(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the user's connections know of them is out of date. With `reconnect` it decides what they may hear: they
    are closed and come back as who they are now."""

    user: int
    reconnect: bool


# They travel to other processes as they are: what a newer version adds at the end of one is passed over by an older.
Effect = Emit | Admit | Evict | EndSessions | Renew
encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Tx:
    """One transaction: `db` asks and changes, the rest is told after COMMIT, in the order in which it was said."""

    db: AsyncConnection
    effects: list[Effect] = field(default_factory=list)

    def emit(self, topic: str, event: msgspec.Struct, seq: int | None = None) -> None:
        self.effects.append(Emit(topic, encode(event), seq))

    def emit_membership(self, topic: str, event: msgspec.Struct, membership: tuple[int, str, int]) -> None:
        self.effects.append(Emit(topic, encode(event), membership=membership))

    def admit(self, user: int, topic: str, seq: int) -> None:
        self.effects.append(Admit(user, topic, seq))

    def evict(self, user: int, topic: str, seq: int) -> None:
        self.effects.append(Evict(user, topic, seq))

    def end_sessions(self, sessions: Sequence[int]) -> None:
        if sessions:
            self.effects.append(EndSessions(tuple(sessions)))

    def renew(self, user: int, *, reconnect: bool = False) -> None:
        self.effects.append(Renew(user, reconnect))

    def effects_in_doubt(self) -> list[Effect]:
        """What to do when nobody knows whether it was committed: those who would hear more, or less, from now on come
        back and hear what is true then. What was said in a room is found missing by its seq."""
        concerned = dict.fromkeys(effect.user for effect in self.effects if isinstance(effect, Admit | Evict))
        return [Renew(user, reconnect=True) for user in concerned]


class Database:
    """The engine and its two ways in: `transaction()` to change, `read()` to ask."""

    def __init__(
        self, url: str, *, pool_size: int = 10, publish: Callable[[Sequence[Effect]], None] | None = None
    ) -> None:
        self.engine = engine(url, pool_size=pool_size)
        self._autocommit_engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._publish = publish

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """READ COMMITTED; commits at the end and only then publishes what was emitted.

        Raises Busy or StorageFull where PostgreSQL cannot; other errors pass through and roll back.
        """
        tx: Tx | None = None
        is_ending = False
        try:
            with faults_as_problems():
                async with self.engine.begin() as connection:
                    tx = Tx(connection)
                    yield tx
                    is_ending = True
        except BaseException:
            if tx is not None and is_ending:
                self._tell(tx.effects_in_doubt())
            raise
        self._tell(tx.effects)

    def _tell(self, effects: Sequence[Effect]) -> None:
        if effects and self._publish is not None:
            self._publish(effects)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection without BEGIN and COMMIT: each statement sees what is committed when it starts, and what it
        changes is committed when it ends. Nothing is published."""
        with faults_as_problems():
            async with self._autocommit_engine.connect() as connection:
                yield connection

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection to ask with."""
        return self.autocommit()

    @property
    def in_use(self) -> int:
        """Connections of the pool that somebody has at this moment."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool), "as `engine` makes it"
        return pool.checkedout()

    async def close(self) -> None:
        await self.engine.dispose()


@contextmanager
def faults_as_problems() -> Iterator[None]:
    """A database that is gone, slow or full raises what a person can be told."""
    try:
        yield
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if state == DISK_FULL:
            raise errors.StorageFull from error
        if error.connection_invalidated or state.startswith(BUSY_STATES) or isinstance(error, exc.InterfaceError):
            raise errors.Busy from error
        raise
    except (exc.TimeoutError, OSError) as error:
        raise errors.Busy from error


def violated(error: IntegrityError) -> str:
    """The name of the constraint that a statement broke, or an empty string."""
    cause = getattr(error.orig, "__cause__", None)
    return getattr(cause, "constraint_name", None) or ""


def engine(url: str, *, pool_size: int = 10, command_seconds: float | None = COMMAND_SECONDS) -> AsyncEngine:
    """An engine for any PostgreSQL URL that people have: postgres://, ?sslmode=, ?host=/socket/folder.

    `command_seconds` bounds each statement on our side, for a server that no longer answers.
    """
    address, arguments = connection_arguments(url)
    made = create_async_engine(
        address,
        connect_args=arguments | {"command_timeout": command_seconds},
        hide_parameters=True,  # an error must not quote what people wrote
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=POOL_WAIT_SECONDS,
        json_serializer=lambda value: encode(value).decode(),
        json_deserializer=msgspec.json.decode,
    )
    event.listen(made.sync_engine, "checkout", _refuse_dead)
    return made


def _refuse_dead(connection: DBAPIConnection, record: ConnectionPoolEntry, proxy: PoolProxiedConnection) -> None:
    """Has the pool make another connection for one whose end was heard of while it lay there: after a restart of
    PostgreSQL nobody is told "busy" for that, and no ping before each use is needed to know it."""
    driver: Any = record.driver_connection
    if driver is not None and driver.is_closed():
        raise exc.DisconnectionError("closed by PostgreSQL")


def connection_arguments(url: str) -> tuple[URL, dict[str, Any]]:
    """The SQLAlchemy address and asyncpg's arguments for a URL as libpq would read it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    arguments: dict[str, Any] = {
        "server_settings": SERVER_SETTINGS,
        "timeout": CONNECT_SECONDS,
    }
    host, port = query.pop("host", parts.hostname), query.pop("port", parts.port)
    if "sslmode" in query:
        arguments["ssl"] = tls(query.pop("sslmode"), query.pop("sslrootcert", None))
    if host and host.startswith("/"):  # a socket's folder is no host name that a URL could carry
        arguments |= {"host": host, "port": int(port or 5432)}
        host = port = None
    address = URL.create(
        "postgresql+asyncpg",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        host=host,
        port=int(port) if port else None,
        database=unquote(parts.path.lstrip("/")) or None,
    )
    return address, arguments


def tls(mode: str, root_certificate: str | None) -> ssl.SSLContext | str | bool:
    """libpq's sslmode in asyncpg's terms; a root certificate asks for a context of its own."""
    if root_certificate is None or mode == "disable":
        return mode
    context = ssl.create_default_context(cafile=root_certificate)
    context.check_hostname = mode == "verify-full"
    return context


def is_any(column: Column[T], values: Iterable[T]) -> ColumnElement[bool]:
    """`column = ANY(values)`: one statement for lists of every length, which PostgreSQL prepares once."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def as_dict(row: Any) -> Mapping[str, Any]:
    """A row's columns by name, to fill a struct with."""
    mapping: Mapping[str, Any] = row._mapping
    return mapping

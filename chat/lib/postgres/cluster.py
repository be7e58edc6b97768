"""One database cluster: start and stop its server, connect to it. Who shares it is not known here."""

import asyncio
import hashlib
import hmac
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg

from chat.lib.postgres.creation import SUPERUSER
from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.locks import SECONDS_BETWEEN_TRIES, is_locked, try_lock
from chat.lib.postgres.owner import Owner
from chat.lib.postgres.places import (
    PORT,
    SOCKET_NAME,
    Places,
    prepare_socket_folder,
    socket_folder,
    write_file,
)
from chat.lib.postgres.processes import run_program
from chat.lib.postgres.programs import Programs, remove_other_copies
from chat.lib.postgres.settings import settings_text

START_SECONDS = 600  # after a crash the log is replayed first
STOP_SECONDS = 60
REMAINS_SECONDS = 60  # for the processes of a server that was killed to notice it and end
CONNECT_SECONDS = 10
ANSWER_SECONDS = 3


@dataclass(frozen=True)
class Cluster:
    """The data in `places.cluster`, the programs that fit it and the secret that opens it."""

    places: Places
    owner: Owner
    programs: Programs
    secret: str = field(repr=False)

    @property
    def socket_folder(self) -> Path:
        return socket_folder(self.places)

    def password(self, role: str) -> str:
        """Each role's own, so that one does not give away another: only the secret's file is kept."""
        if role == SUPERUSER:
            return self.secret
        return hmac.new(self.secret.encode(), role.encode(), hashlib.sha256).hexdigest()

    def url(self, role: str, database: str) -> str:
        folder = quote(str(self.socket_folder), safe="")
        return f"postgresql://{quote(role)}:{self.password(role)}@/{quote(database)}?host={folder}&port={PORT}"

    async def connect(
        self, role: str = SUPERUSER, database: str = "postgres", *, seconds: float = CONNECT_SECONDS
    ) -> asyncpg.Connection:
        try:
            return await asyncpg.connect(
                host=str(self.socket_folder),
                port=PORT,
                user=role,
                password=self.password(role),
                database=database,
                timeout=seconds,
            )
        except asyncpg.InvalidPasswordError:
            raise PostgresError(
                f"The password in {self.places.password} does not open the database beside it. Restore the "
                "file that belongs to this database from a backup."
            ) from None

    async def answers(self) -> bool:
        """Whether the server takes connections now. (A pid may be a zombie's or another program's.)"""
        try:
            connection = await self.connect(seconds=ANSWER_SECONDS)
            await connection.close(timeout=ANSWER_SECONDS)
        except asyncpg.TooManyConnectionsError:
            return True
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        return True

    async def launch(self) -> bool:
        """Start the server; False when it turns out to be running. Call under the start lock."""
        lock = await self._wait_until_gone_or_answering()
        if lock is None:
            return False
        try:
            remove_other_copies(self.programs, self.places.folder)
            folder = prepare_socket_folder(self.places, self.owner)
            write_file(self.places.settings, settings_text(folder), 0o644)
            # With the lock in our hands these can only be a dead server's. PostgreSQL itself would take a
            # zombie or a reused pid for a running server, and refuse to start on a file that was cut short.
            for name in (f"{SOCKET_NAME}.lock", SOCKET_NAME):
                (folder / name).unlink(missing_ok=True)
            (self.places.cluster / "postmaster.pid").unlink(missing_ok=True)
            await self._pg_ctl("start", "-w", "-t", str(START_SECONDS), inherited=(lock,))
        finally:
            os.close(lock)
        if not is_locked(self.places.server_lock):
            await self._pg_ctl("stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS))
            raise PostgresError(
                f"The file system of {self.places.folder} does not keep locks (a network folder?), without "
                "which two servers could write to the same data. Set DATA_DIR to a folder on a local disk."
            )
        return True

    async def shut_down(self, seconds: float) -> None:
        """Stop the server that `launch` started, here or in another process. Call under the start lock."""
        deadline = asyncio.get_running_loop().time() + seconds
        while is_locked(self.places.server_lock):
            if asyncio.get_running_loop().time() > deadline:
                raise PostgresError(
                    f"The PostgreSQL server of {self.places.cluster} has not stopped for {seconds:.0f} seconds. "
                    f"It was told to, and may still do so; its processes hold {self.places.server_lock} open."
                )
            try:
                await self._pg_ctl("stop", "-m", "fast", "-W")  # with -w it would wait for a zombie too
            except PostgresError:
                if await self.answers():
                    raise  # otherwise it has no pid file yet, or none any more: the lock will tell
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        if (folder := self.socket_folder) != self.places.cluster:
            with suppress(OSError):  # not empty after a crash: the record stays, and the next start cleans up
                folder.rmdir()
                self.places.socket_record.unlink()

    async def _wait_until_gone_or_answering(self) -> int | None:
        """The server's lock, free since every process of the last server is gone; None when it answers."""
        deadline = asyncio.get_running_loop().time() + REMAINS_SECONDS
        while not await self.answers():
            if (lock := try_lock(self.places.server_lock)) is not None:
                return lock
            if asyncio.get_running_loop().time() > deadline:
                raise PostgresError(
                    f"The PostgreSQL server of {self.places.cluster} is there but has not answered for "
                    f"{REMAINS_SECONDS} seconds: it may be replaying its log, stopping, or stuck. Try again "
                    "in a minute; if that does not help, end its processes (those that hold "
                    f"{self.places.server_lock} open)."
                )
            await asyncio.sleep(SECONDS_BETWEEN_TRIES)
        return None

    async def _pg_ctl(self, *arguments: str, inherited: tuple[int, ...] = ()) -> None:
        command: list[str | Path] = [self.programs.folder / "pg_ctl", "-s", "-D", self.places.cluster, *arguments]
        try:
            await run_program(*command, owner=self.owner, seconds=START_SECONDS + 10, inherited=inherited)
        except PostgresError as error:
            raise PostgresError(
                f"{error}\nIts log is in {self.places.cluster / 'log'}.{await self._log_end()}"
            ) from None

    async def _log_end(self) -> str:
        """The newest lines of the server's log, read as its owner: root would follow any link put there."""
        logs = sorted((self.places.cluster / "log").glob("*.log"), key=lambda path: path.lstat().st_mtime)
        if not logs:
            return ""
        return " The last lines:\n" + await run_program("tail", "-n", "12", logs[-1], owner=self.owner)

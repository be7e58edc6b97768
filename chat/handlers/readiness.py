"""Whether this server can do its work now, looked up at most once a second however often it is asked."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from chat.errors import Problem
from chat.lib import schema
from chat.lib.db import Database
from chat.models import workspace

FRESH_SECONDS = 1.0
ANSWER_SECONDS = 3.0
FREE_BYTES = 256 * 1024 * 1024  # PostgreSQL's log of changes alone takes what was written between two checkpoints
LATEST_LOOP = 1.0  # seconds

log = logging.getLogger(__name__)


class Readiness:
    """`reasons()` says what is wrong; an empty list means ready.

    `data_dir` is looked at for free space, None where the database is somewhere else. `loop_lag` gives seconds.
    """

    def __init__(
        self,
        db: Database,
        *,
        data_dir: Path | None,
        loop_lag: Callable[[], float],
        is_stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._data_dir = data_dir
        self._loop_lag = loop_lag
        self._is_stopping = is_stopping
        self._clock = clock
        self._older = {None, *schema.known()[:-1]}
        self._needed = schema.needed()
        self._found: list[str] = []
        self._found_at = float("-inf")
        self._look: asyncio.Task[None] | None = None

    async def reasons(self) -> list[str]:
        if self._is_stopping():
            return ["The server is stopping."]
        if self._clock() - self._found_at >= FRESH_SECONDS:
            # Everyone who asks meanwhile waits for the same look; who goes away must not end it for the others.
            if self._look is None:
                self._look = asyncio.create_task(self._look_around(), name="readiness")
            await asyncio.shield(self._look)
        return self._found

    async def _look_around(self) -> None:
        try:
            found = [*await self._database(), *await self._disk(), *self._loop()]
            self._found, self._found_at = found, self._clock()
        finally:
            self._look = None

    async def _database(self) -> list[str]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async with self._db.transaction() as tx:
                    await workspace.touch(tx.db)
                revision = await schema.current(self._db.engine)
        except TimeoutError:
            return [f"The database has not answered for {ANSWER_SECONDS:g} seconds."]
        except Problem as problem:
            return [problem.text]
        except Exception:  # read-only, no such table, no rights: whatever it is, this is the answer
            log.warning("the database cannot be written", exc_info=True)
            return ["The database cannot be written; the log says why."]
        if revision in self._older:
            return [f"The database has the schema {revision}, and this version needs {self._needed}."]
        return []

    async def _disk(self) -> list[str]:
        if self._data_dir is None:
            return []
        try:
            free = (await asyncio.to_thread(shutil.disk_usage, self._data_dir)).free
        except OSError as error:
            return [f"The data folder cannot be looked at: {error.strerror}."]
        if free >= FREE_BYTES:
            return []
        return [f"The disk of the data folder has {free // 2**20} MiB left; {FREE_BYTES // 2**20} are needed."]

    def _loop(self) -> list[str]:
        lag = self._loop_lag()
        return [f"The event loop is {lag:.1f} seconds late."] if lag > LATEST_LOOP else []

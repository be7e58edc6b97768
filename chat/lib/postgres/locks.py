"""File locks, which the kernel gives back when their holder dies, however it dies; lists of pids go stale.

A lock belongs to the open file, not to the process: a program that inherits the descriptor holds it too.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chat.lib.postgres.errors import PostgresError

SECONDS_BETWEEN_TRIES = 0.05


def try_lock(path: Path, *, shared: bool = False) -> int | None:
    """Lock `path`; the descriptor returned holds the lock until it is closed. None when others hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether anybody holds a lock on `path` at this moment."""
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def is_only_holder(descriptor: int) -> bool:
    """Whether nobody else shares this lock. When somebody does, asking may lose the lock: close it then."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def exclusive_lock(path: Path, seconds: float) -> AsyncIterator[int]:
    """Hold the lock on `path` in the body, which gets its descriptor; wait up to `seconds` for it."""
    try:
        async with asyncio.timeout(seconds):
            while (descriptor := try_lock(path)) is None:  # noqa: ASYNC110 - held by another process
                await asyncio.sleep(SECONDS_BETWEEN_TRIES)
    except TimeoutError:
        raise PostgresError(
            f"{path} has been held for {seconds:.0f} seconds: a process is still starting or stopping the "
            "database there. Wait and try again, or end that process."
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)

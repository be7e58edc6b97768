"""What tests do with an embedded PostgreSQL: run it, ask it, and use it from another process."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from chat.lib.postgres import EmbeddedPostgres

# Another process that uses the folder: says "ready", and leaves when its input ends.
ANOTHER_USER = """
import asyncio, sys
from pathlib import Path
from chat.lib.postgres import EmbeddedPostgres

async def main():
    postgres = EmbeddedPostgres(Path(sys.argv[1]))
    await postgres.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await postgres.stop()

asyncio.run(main())
"""


async def start_and_stop(postgres: EmbeddedPostgres) -> None:
    async with running(postgres):
        pass


@asynccontextmanager
async def running(postgres: EmbeddedPostgres) -> AsyncIterator[EmbeddedPostgres]:
    await postgres.start()
    try:
        yield postgres
    finally:
        await postgres.stop()


@contextmanager
def another_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", ANOTHER_USER, str(data_dir)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


async def query(postgres: EmbeddedPostgres, statement: str) -> list[object]:
    """The first column of the answer."""
    connection = await asyncpg.connect(postgres.url)
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def postmaster_pid(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])


def is_stopped(data_dir: Path) -> bool:
    return not (data_dir / "postgres" / "cluster" / "postmaster.pid").exists()

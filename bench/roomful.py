"""Roomful as people run it: accounts, sessions, memberships, journal, commits; only the limits are raised."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import Target
from bench.database import Databases, fill
from bench.loads import ROOMFUL, Load
from bench.machine import Cores
from bench.processes import server
from chat.lib.signing import Signer

CHECKOUT = Path(__file__).parent.parent
SECRET_KEY = "for-benchmarks-only-0123456789-abcdefghij"
# One machine plays thousands of people here, who write faster than people do.
RAISED = dict.fromkeys(
    (
        "MESSAGES_PER_MINUTE",
        "MESSAGE_BURST",
        "COMMANDS_PER_SECOND",
        "COMMAND_BURST",
        "REQUESTS_PER_MINUTE",
        "REQUEST_BURST",
    ),
    "10000000",
) | dict.fromkeys(
    ("CONNECTIONS_PER_ADDRESS", "CONNECTIONS_PER_USER", "CONNECTIONS"),
    "100000",
)
READY = "Roomful is at "
COOKIES = "cookies"
POST = '{"id":1,"do":"message.post","room":1%R,"nonce":"%V","text":"%M"}'


@dataclass(frozen=True, slots=True)
class Process:
    """One that serves."""

    pid: int
    port: int


@asynccontextmanager
async def filled(databases: Databases, load: Load, folder: Path) -> AsyncIterator[dict[str, str]]:
    """A database of its own with as many people as the load has connections, their cookies in `folder`: the settings
    of a server on it."""
    async with databases.one(migrated=True) as url:
        if load.program != "growth":  # which fills its database itself
            posters = load.senders if load.program == "storm" else 0
            lines = await fill(url, Signer((SECRET_KEY,)), people=load.connections, rooms=load.rooms, posters=posters)
            (folder / COOKIES).write_text("".join(f"{line}\n" for line in lines))
        yield RAISED | {
            "DATABASE_URL": url,
            "LOG_LEVEL": "warning",
            "PORT": "0",
            "PYTHONPATH": str(CHECKOUT),
            "SECRET_KEY": SECRET_KEY,
        }


@asynccontextmanager
async def serving(cores: Cores, folder: Path, environment: Mapping[str, str]) -> AsyncIterator[Process]:
    """`roomful serve` from this checkout, with its files in `folder`."""
    command = [sys.executable, "-m", "chat", "serve"]
    environment = {**environment, "DATA_DIR": str(folder)}
    async with server(command, cores=cores, folder=folder, environment=environment, ready=READY) as started:
        yield Process(started.pid, int(started.said.rpartition(":")[2]))


def target_at(pid: int, port: int, folder: Path, environment: Mapping[str, str], *, alone: bool = True) -> Target:
    cookies = folder / COOKIES
    options = ("-u", "/ws", "-o", f"http://127.0.0.1:{port}", "-R", '"hello"', "-m", POST, "-c", str(cookies))
    return Target(
        pid=pid,
        port=port,
        options=options,
        alone=alone,
        repeats_own=True,
        database_url=environment["DATABASE_URL"],
        cookies=cookies,
    )


class Roomful:
    """One process by itself, on a database of its own."""

    name = ROOMFUL

    def __init__(self, databases: Databases, cores: Cores) -> None:
        self._databases = databases
        self._cores = cores

    @asynccontextmanager
    async def running(self, load: Load, folder: Path) -> AsyncIterator[Target]:
        async with (
            filled(self._databases, load, folder) as environment,
            serving(self._cores, folder, environment) as started,
        ):
            yield target_at(started.pid, started.port, folder, environment)

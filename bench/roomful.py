"""Roomful as people run it: accounts, sessions, memberships, journal, commits; only the limits are raised."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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
POST = '{"id":1,"do":"message.post","room":1%R,"nonce":"%V","text":"%M"}'


class Roomful:
    """`roomful serve` from this checkout, on a database of its own with as many people as the load has connections."""

    name = ROOMFUL

    def __init__(self, databases: Databases, cores: Cores) -> None:
        self._databases = databases
        self._cores = cores

    @asynccontextmanager
    async def running(self, load: Load, folder: Path) -> AsyncIterator[Target]:
        async with self._databases.one(migrated=True) as url:
            cookies = folder / "cookies"
            if load.program != "growth":  # which fills its database itself
                posters = load.senders if load.program == "storm" else 0
                lines = await fill(
                    url, Signer((SECRET_KEY,)), people=load.connections, rooms=load.rooms, posters=posters
                )
                cookies.write_text("".join(f"{line}\n" for line in lines))
            environment = RAISED | {
                "DATABASE_URL": url,
                "DATA_DIR": str(folder),
                "LOG_LEVEL": "warning",
                "PORT": "0",
                "PYTHONPATH": str(CHECKOUT),
                "SECRET_KEY": SECRET_KEY,
            }
            async with server(
                [sys.executable, "-m", "chat", "serve"],
                cores=self._cores,
                folder=folder,
                environment=environment,
                ready=READY,
            ) as started:
                port = int(started.said.rpartition(":")[2])
                options = ("-u", "/ws", "-o", f"http://127.0.0.1:{port}", "-R", '"hello"', "-m", POST)
                yield Target(
                    pid=started.pid,
                    port=port,
                    options=(*options, "-c", str(cookies)),
                    repeats_own=True,
                    database_url=url,
                    cookies=cookies,
                )

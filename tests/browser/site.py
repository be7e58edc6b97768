"""A Roomful in a process of its own that can be killed and started again, beside one in ours on the same database."""

import asyncio
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from tests.command_line import COMMAND, START_SECONDS, environment
from tests.conftest import EASY, World
from tests.people import Person

# What the browser prints of a server that it cannot reach.
LOST_CONNECTIONS = (
    r"WebSocket connection to .* failed",
    r"ERR_CONNECTION_(REFUSED|RESET)",
    r"ERR_(EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING)",
    r"ERR_INTERNET_DISCONNECTED",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass
class Site:
    """`world` makes people and rooms, and posts while the process is away."""

    world: World
    database_url: str
    folder: Path
    port: int
    _process: asyncio.subprocess.Process | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def here(self, person: Person) -> Person:
        """The same person, who uses the process."""
        return replace(person, base=self.base)

    async def start(self) -> None:
        values = EASY | {"PORT": str(self.port), "DATABASE_URL": self.database_url, "DATA_DIR": str(self.folder)}
        with (self.folder / "errors.txt").open("a", encoding="utf-8") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *COMMAND,
                "serve",
                cwd=self.folder,
                env=environment(**values),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while line := await self._process.stdout.readline():
                if line.startswith(b"Roomful is at "):
                    return
        raise AssertionError((self.folder / "errors.txt").read_text(encoding="utf-8"))

    async def terminate(self) -> None:
        """As an operator stops it."""
        assert self._process is not None
        self._process.terminate()
        assert await self._ended() == 0

    async def kill(self) -> None:
        """As the kernel does when memory is out."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._ended()

    async def _ended(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(START_SECONDS):
            return await self._process.wait()


async def two_people(site: Site) -> tuple[Person, Person, int]:
    """Ada, who is at the process, Bob, and a room with both."""
    ada, bob = await site.world.person("ada", "owner", "Ada Lovelace"), await site.world.person("bob", name="Bob Noyce")
    return site.here(ada), bob, await site.world.room(ada, "general", bob)

"""A Redis for a test: on a unix socket in a folder of its own, to be killed, frozen and started again, empty."""

import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from tests.waiting import until


class OwnRedis:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.path.parent)  # noqa: ASYNC220
        await until(self.path.exists)
        async with self.client() as client:
            await client.ping()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Redis]:
        async with Redis(unix_socket_path=str(self.path), retry=Retry(ConstantBackoff(0.01), 500)) as client:
            yield client

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.path.unlink(missing_ok=True)
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections, takes what the kernel has room for, and answers nothing."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "started"
        self._process.send_signal(number)

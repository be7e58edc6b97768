"""Three processes of one Roomful: one database, one Redis, and nginx before them as docs/operations.md has it."""

import asyncio
import contextlib
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from tests.faults import processes
from tests.faults.site import CHECKOUT, DATABASE, START_SECONDS, Site, free_port, open_folder
from tests.processes.own_redis import OwnRedis

OPERATIONS = CHECKOUT / "docs" / "operations.md"
# Debian has nginx where only root's PATH leads.
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Node(Site):
    """One of several processes, on a database that is not its own."""

    def __init__(self, folder: Path, database_url: str, **environment: str) -> None:
        folder.mkdir()
        super().__init__(folder, DATABASE_URL=database_url, **environment)
        self._database_url = database_url

    def url(self, database: str = DATABASE) -> str:
        return self._database_url

    async def connections(self) -> int:
        """How many sockets are open here, by its own word."""
        metrics = (await AsyncHTTPClient().fetch(self.base + "/metrics")).body.decode()
        found = re.search(r"^roomful_connections (\d+)", metrics, re.MULTILINE)
        assert found is not None, "it is always there"
        return int(found[1])


class Nginx:
    """The configuration of the document, with our ports and without TLS; nothing of the system's is touched."""

    def __init__(self, folder: Path, port: int, upstreams: list[int]) -> None:
        self._folder = folder
        self._log = folder / "nginx.log"
        self.port = port
        self._process: asyncio.subprocess.Process | None = None
        (folder / "nginx.conf").write_text(
            "daemon off; worker_processes 1; pid nginx.pid;\n"
            f"error_log {self._log} notice;\n"
            "events { worker_connections 1024; }\n"
            "http {\naccess_log off;\n"
            + "".join(f"{each}_temp_path {folder}/{each};\n" for each in TEMPORARY)
            + documented(port, upstreams)
            + "}\n"
        )

    async def start(self) -> None:
        assert NGINX is not None, "the test is skipped without it"
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(NGINX, "-p", str(self._folder), "-c", "nginx.conf", "-e", str(self._log)),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        async with asyncio.timeout(START_SECONDS):
            while not await self._listens():
                assert self._process.returncode is None, self._log.read_text()
                await asyncio.sleep(0.02)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    async def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def documented(port: int, upstreams: list[int]) -> str:
    """The block of the document that begins with `upstream`."""
    block = re.search(r"```nginx\n(upstream .*?)```", OPERATIONS.read_text(), re.DOTALL)
    assert block is not None, "docs/operations.md has lost its nginx for several processes"
    text = re.sub(r"^ *ssl_.*\n", "", block[1], flags=re.MULTILINE)
    for old, new in (("listen 443 ssl;", f"listen 127.0.0.1:{port};"), ("chat.example.org", "127.0.0.1")):
        assert old in text, f"{old!r} is not in the documented configuration"
        text = text.replace(old, new)
    servers = re.findall(r"server [\d.]+:\d+", text)
    assert len(servers) == len(upstreams), servers
    for server, upstream in zip(servers, upstreams, strict=True):
        text = text.replace(server, f"server 127.0.0.1:{upstream}")
    return text


@dataclass
class Fleet:
    folder: Path
    nodes: list[Node]
    redis: OwnRedis
    nginx: Nginx

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.nginx.port}"

    async def deploy(self) -> None:
        """A new version, as the document says: one process after the other, each ready before the next one stops."""
        for node in self.nodes:
            seconds = await node.stop()
            assert (node.exit_code, seconds < 10) == (0, True), (node.exit_code, seconds, node.log.read_text()[-2000:])
            await node.start()
            await node.until_ready()

    async def one_killed(self) -> None:
        node = self.nodes[1]
        await node.kill()
        await asyncio.sleep(2)
        await node.start()
        await node.until_ready()

    async def one_frozen(self, seconds: float = 4.0) -> None:
        pid = self.nodes[2].pid
        processes.send(signal.SIGSTOP, pid)
        try:
            await asyncio.sleep(seconds)
        finally:
            processes.send(signal.SIGCONT, pid)

    async def redis_restarted_empty(self) -> None:
        self.redis.kill()
        await asyncio.sleep(2)
        await self.redis.start()

    async def redis_frozen(self, seconds: float = 4.0) -> None:
        self.redis.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.redis.thaw()


@asynccontextmanager
async def sailing(database_url: str, count: int = 3) -> AsyncIterator[Fleet]:
    with open_folder() as folder:
        port, redis = free_port(), OwnRedis(folder)
        environment = {
            "REDIS_URL": redis.url,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        nodes = [Node(folder / f"node-{place}", database_url, **environment) for place in range(count)]
        nginx = Nginx(folder, port, [node.port for node in nodes])
        try:
            await redis.start()
            await asyncio.gather(*(node.start() for node in nodes))
            await nginx.start()
            yield Fleet(folder, nodes, redis, nginx)
        finally:
            await nginx.stop()
            for node in nodes:
                await node.end()
            redis.kill()


def lacking() -> str:
    """What is missing on this machine; empty when nothing is."""
    if NGINX is None:
        return "needs nginx (Debian's package nginx)"
    if shutil.which("redis-server") is None:
        return "needs redis-server (Debian's package redis-server)"
    return "" if sys.platform == "linux" else "looks at processes in /proc"

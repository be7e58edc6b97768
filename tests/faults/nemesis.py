"""The faults. Each is done to a running site, and undone again: what the site makes of it is for the checker to say."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

from tests.faults import processes
from tests.faults.proxy import Proxy
from tests.faults.site import Site

Fault = Callable[[], Awaitable[None]]


class Nemesis:
    def __init__(self, site: Site, proxy: Proxy, dice: random.Random) -> None:
        self._site = site
        self._proxy = proxy
        self._dice = dice

    # The server

    async def server_killed(self) -> None:
        await self._site.kill()
        await self._site.start()

    async def server_restarted(self) -> None:
        seconds = await self._site.stop()
        assert seconds < 10, f"a clean stop took {seconds:.1f} s"
        assert self._site.exit_code == 0, self._site.log.read_text()[-2000:]
        await self._site.start()

    async def server_frozen(self, seconds: float = 5.0) -> None:
        pid = self._site.pid
        processes.send(signal.SIGSTOP, pid)
        try:
            await asyncio.sleep(seconds)
        finally:
            processes.send(signal.SIGCONT, pid)

    # PostgreSQL

    async def postgres_killed(self) -> None:
        """The server must start it again by itself."""
        before = self._site.postmaster
        processes.send(signal.SIGKILL, before)
        async with asyncio.timeout(30):
            while not self._is_another_than(before):  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.1)
        await self._site.until_ready(30)

    async def backend_killed(self) -> None:
        """One of the server's connections: PostgreSQL restarts all of them, and replays its log."""
        asked = "SELECT pid FROM pg_stat_activity WHERE application_name = 'roomful' AND pid <> pg_backend_pid()"
        backends = [row["pid"] for row in await self._site.query(asked)]
        processes.send(signal.SIGKILL, self._dice.choice(backends))
        await asyncio.sleep(0.5)
        await self._site.until_ready(30)

    async def backend_ended(self) -> None:
        """An administrator's pg_terminate_backend: one connection goes, PostgreSQL stays."""
        await self._site.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'roomful' AND pid <> pg_backend_pid() AND usename = current_user"
        )
        await self._site.until_ready(30)

    async def postgres_frozen(self, seconds: float = 6.0) -> None:
        family = processes.family(self._site.postmaster)
        processes.send(signal.SIGSTOP, *family)
        try:
            await asyncio.sleep(seconds)
        finally:
            processes.send(signal.SIGCONT, *family)
        await self._site.until_ready(60)

    # The network

    async def sockets_reset(self) -> None:
        self._proxy.reset()

    async def network_cut(self, seconds: float = 8.0, *, up: bool = True, down: bool = True) -> None:
        self._proxy.cut(up=up, down=down)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._proxy.restore()

    async def way_out_cut(self) -> None:
        await self.network_cut(up=True, down=False)

    async def way_back_cut(self) -> None:
        await self.network_cut(up=False, down=True)

    async def link_slow(self, seconds: float = 8.0) -> None:
        self._proxy.slow(0.3, 32 * 1024)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._proxy.restore()

    def _is_another_than(self, postmaster: int) -> bool:
        try:
            return self._site.postmaster != postmaster
        except (FileNotFoundError, IndexError):
            return False

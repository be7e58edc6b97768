"""One run: people chat while faults are done to their server; then all is quiet, and everything is compared."""

import asyncio
import itertools
import os
import random
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults import processes
from tests.faults.checker import Witness, check
from tests.faults.crowd import Crowd
from tests.faults.nemesis import Nemesis
from tests.faults.proxy import Proxy
from tests.faults.site import Site

KEPT = Path("/tmp/roomful-faults-kept")
MEMORY_GROWTH = 64 * 1024 * 1024  # bytes, from the first look on: buffers and caches fill
LOADED = 6  # looks, half a second apart, until a new process has loaded everything
LOG_BYTES_PER_SECOND = 20_000

Fault = Callable[[Nemesis], Awaitable[None]]


def seed_of_run() -> str:
    """FAULTS_SEED, which is set where it was not: the processes of a run share it."""
    return os.environ.setdefault("FAULTS_SEED", secrets.token_hex(4))


@dataclass
class Watch:
    """The server's memory meanwhile, by process, and how far its log has grown."""

    site: Site
    memory: dict[int, list[int]] = field(default_factory=dict)

    async def look_on(self) -> None:
        while True:
            pid = self.site.pid
            if processes.is_there(pid) and (size := processes.memory(pid)):  # one that is dying has none
                self.memory.setdefault(pid, []).append(size)
            await asyncio.sleep(0.5)

    def findings(self) -> list[str]:
        found = []
        for pid, seen in self.memory.items():
            if len(seen) <= LOADED:
                continue
            settled = seen[LOADED]
            if max(seen) > settled + MEMORY_GROWTH:
                found.append(f"V8: the server {pid} grew from {settled} to {max(seen)} bytes")
        return found


@dataclass
class Survived:
    """How many posts were acknowledged, refused and left unanswered; the longest time without an acknowledgement."""

    acknowledged: int
    refused: int
    unanswered: int
    silence: float


async def survive(site: Site, faults: Sequence[Fault], seed: str, *, clients: int = 2, size: int = 3) -> Survived:
    """Does the faults in turn, at moments that `seed` decides, and asserts that nothing was lost, doubled or leaked."""
    dice = random.Random(seed)
    site.runs += 1
    folder = site.folder / f"histories-{site.runs}"
    folder.mkdir()
    logged, began = site.log.stat().st_size, asyncio.get_running_loop().time()
    watch, crowd = Watch(site), Crowd(site, folder, seed)
    async with network(site) as proxy, watching(watch):
        try:
            await crowd.come([proxy.base, site.base] * (clients // 2), size)
            nemesis = Nemesis(site, proxy, dice)
            for fault in faults:
                await asyncio.sleep(dice.uniform(0.4, 1.2))
                await fault(nemesis)
            await asyncio.sleep(dice.uniform(0.4, 1.2))
            await crowd.go_quiet()
            witnesses = await crowd.finish()
            findings = check(await crowd.truth(), witnesses)
        except BaseException as error:
            error.add_note(keep(site, seed))
            raise
        finally:
            await crowd.end()
    seconds = asyncio.get_running_loop().time() - began
    findings += watch.findings()
    if (size_of_log := site.log.stat().st_size - logged) > LOG_BYTES_PER_SECOND * seconds:
        findings.append(f"V8: the server logged {size_of_log} bytes in {seconds:.0f} s")
    findings += [f"the server logged a fault of ours: {entry}" for entry in site.log_entries() if "trace" in entry]
    assert not findings, "\n".join([keep(site, seed), *findings[:20]])
    survived = account_for(witnesses)
    assert survived.acknowledged > 20, f"there was hardly anything to lose: {survived}"
    return survived


def account_for(witnesses: Sequence[Witness]) -> Survived:
    moments = sorted(
        record["time"]
        for one in witnesses
        for record in one.records
        if record["what"] == "ok" and record["op"] == "post"
    )
    silence = max((later - earlier for earlier, later in itertools.pairwise(moments)), default=0.0)
    counts = (sum(len(one.posts(what)) for one in witnesses) for what in ("ok", "fail", "unanswered"))
    return Survived(*counts, silence)


def keep(site: Site, seed: str) -> str:
    """Histories and log outlive the site, for who looks for the reason; a sentence that says where."""
    place = KEPT / seed
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(site.folder, place, ignore=shutil.ignore_patterns("data"))
    return f"FAULTS_SEED={seed} does this again; its histories and the server's log are kept in {place}"


@asynccontextmanager
async def network(site: Site) -> AsyncIterator[Proxy]:
    proxy = Proxy(site.port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()


@asynccontextmanager
async def watching(watch: Watch) -> AsyncIterator[None]:
    looking = asyncio.create_task(watch.look_on())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

"""The machine: which core is for the server and which for the rest, how busy they are, and what is told of it."""

import asyncio
import os
import platform
import resource
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

# What many systems give a process at most; ten thousand connections fit in it when the clients are another process.
DESCRIPTORS = 20_000
SAMPLES_PER_SECOND = 4


@dataclass(frozen=True, slots=True)
class Cores:
    """The server has one for itself; the load, PostgreSQL and whatever else the bench does share the other."""

    server: int
    load: int

    @property
    def are_shared(self) -> bool:
        return self.server == self.load


def settle_in() -> Cores:
    """Moves this process to the load's core, from which all that it starts inherits it, and raises its limits."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(DESCRIPTORS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    allowed = sorted(os.sched_getaffinity(0))
    cores = Cores(server=allowed[0], load=allowed[1] if len(allowed) > 1 else allowed[0])
    os.sched_setaffinity(0, {cores.load})
    return cores


@dataclass(slots=True)
class CoreWatch:
    """How busy each core was, a few times a second: (busy, all) ticks, as /proc/stat counts them since the start."""

    samples: list[dict[int, tuple[int, int]]] = field(default_factory=list)

    def busiest(self, core: int, seconds: float) -> float:
        """The share of its time that the core was busy, in the busiest stretch of that many seconds."""
        size = max(1, round(seconds * SAMPLES_PER_SECOND))
        stretches = zip(self.samples, self.samples[min(size, len(self.samples) - 1) :], strict=False)
        shares = [
            (after[core][0] - before[core][0]) / max(1, after[core][1] - before[core][1]) for before, after in stretches
        ]
        return max(shares, default=0.0)


@asynccontextmanager
async def watched_cores() -> AsyncIterator[CoreWatch]:
    """Watches until the end of the block."""
    watch = CoreWatch([_ticks()])

    async def sample() -> None:
        while True:
            await asyncio.sleep(1 / SAMPLES_PER_SECOND)
            watch.samples.append(_ticks())

    task = asyncio.create_task(sample())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _ticks() -> dict[int, tuple[int, int]]:
    found = {}
    for line in Path("/proc/stat").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(each) for each in rest.split()][:8]
            idle = ticks[3] + ticks[4]
            found[int(name[3:])] = sum(ticks) - idle, sum(ticks)
    return found


def memory_mb(pid: int, line: str = "VmHWM") -> float:
    """Memory of the process in MB (2**20 bytes): the most so far (VmHWM) or now (VmRSS)."""
    for each in Path(f"/proc/{pid}/status").read_text().splitlines():
        if each.startswith(f"{line}:"):
            return int(each.split()[1]) / 1024
    raise ProcessLookupError(f"process {pid} has ended")


def facts() -> dict[str, object]:
    """What a figure means nothing without."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": _said_by("node", "--version"),
    }


def revision(checkout: Path) -> str:
    """The commit that was measured; `-dirty` behind it where files were changed since."""
    return _said_by("git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _said_by(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None

"""Servers under test: started on their own core, awaited until they say where they are, stopped in order."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Unbelievable
from bench.machine import Cores

START_SECONDS = 60
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Started:
    """`said` is the line of its output that told that it is ready."""

    pid: int
    said: str


@asynccontextmanager
async def server(
    command: Sequence[str | Path],
    *,
    cores: Cores,
    folder: Path,
    environment: Mapping[str, str],
    ready: str,
) -> AsyncIterator[Started]:
    """Runs the server in `folder`, ready when a line of its output begins with `ready`; what it complains of goes to
    server.log there."""
    log = folder / "server.log"
    with log.open("wb") as complaints:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | dict(environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            preexec_fn=lambda: os.sched_setaffinity(0, {cores.server}),
        )
    try:
        yield Started(process.pid, await _first_line(process, ready, log))
    finally:
        await _stop(process)


@asynccontextmanager
async def beside(command: Sequence[str], *, folder: Path, is_up: Callable[[], bool]) -> AsyncIterator[None]:
    """A program that the server needs, on the core of whoever starts it; what it says goes to a log in `folder`."""
    log = folder / f"{Path(command[0]).name}.said"
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=said, stderr=said)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not is_up():
                if process.returncode is not None:
                    raise Unbelievable(f"{command[0]} ended: {await asyncio.to_thread(log.read_text)}")
                await asyncio.sleep(0.02)
        yield
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.communicate(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.communicate()


async def _first_line(process: asyncio.subprocess.Process, beginning: str, log: Path) -> str:
    assert process.stdout is not None, "it is piped"
    try:
        async with asyncio.timeout(START_SECONDS):
            while line := (await process.stdout.readline()).decode():
                if line.startswith(beginning):
                    return line.strip()
    except TimeoutError:
        pass
    complaints = await asyncio.to_thread(log.read_text)
    raise Unbelievable(f"the server did not start. It said:\n{complaints[-2000:]}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def is_open(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0

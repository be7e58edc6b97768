"""Commands run as people and scripts run them: in a process of their own, from a pipe or at a terminal."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from chat.config import Settings, describe

CHECKOUT = Path(__file__).parent.parent
COMMAND = (sys.executable, "-m", "chat")
START_SECONDS = 60


def environment(**values: str) -> dict[str, str]:
    """What a fresh shell would give: none of our settings but `values`."""
    ours = {name for name, *_ in describe(Settings())}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHONPATH": str(CHECKOUT), "BCRYPT_COST": "4"} | values


def call(*arguments: str, folder: Path, given: str = "", **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        cwd=folder,
        env=environment(**values),
        input=given,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )


async def roomful(*arguments: str, folder: Path, given: str = "", **values: str) -> subprocess.CompletedProcess[str]:
    """One command, run to its end. No traceback is ever an answer."""
    done = await asyncio.to_thread(call, *arguments, folder=folder, given=given, **values)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@contextmanager
def at_terminal(*arguments: str, folder: Path, **values: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """(process, the terminal's other end, to be closed by whoever uses it) of a command that runs at a terminal."""
    terminal, its_end = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(**values),
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        start_new_session=True,
        # Under nohup the tests ignore the end of a terminal, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - no threads yet
    ) as process:
        os.close(its_end)
        yield process, terminal


def shown(terminal: int, until: str = "") -> str:
    """What the terminal shows up to and with that pattern, or to the end."""
    text = b""
    while not (until and re.search(until.encode(), text)):
        try:
            piece = os.read(terminal, 1024)
        except OSError:  # Linux's way to say that the other side has gone
            break
        if not piece:
            break
        text += piece
    return text.decode()


def typed(password: str, again: str, *arguments: str, folder: Path, **values: str) -> tuple[int, str]:
    """(exit code, what the terminal showed) of a command that asks for a password at a terminal."""
    with at_terminal(*arguments, folder=folder, **values) as (process, terminal):
        text = shown(terminal, until="Password: $")
        os.write(terminal, f"{password}\n".encode())
        text += shown(terminal, until="again: $")
        os.write(terminal, f"{again}\n".encode())
        text += shown(terminal)
        os.close(terminal)
        return process.wait(START_SECONDS), text


@asynccontextmanager
async def running(folder: Path, **values: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, list[str]]]:
    """(process, address, what it said so far) of `roomful serve` with the embedded database in the folder."""
    errors = (folder / "errors.txt").open("w", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "serve",
        cwd=folder,
        env=environment(PORT="0", **values),
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )
    said: list[str] = []
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_SECONDS):
            while not (said and said[-1].startswith("Roomful is at ")):
                line = await process.stdout.readline()
                assert line, (folder / "errors.txt").read_text(encoding="utf-8")
                said.append(line.decode().strip())
        yield process, said[-1].removeprefix("Roomful is at "), said
    finally:
        if process.returncode is None:
            process.terminate()
            async with asyncio.timeout(START_SECONDS):
                await process.wait()
        errors.close()

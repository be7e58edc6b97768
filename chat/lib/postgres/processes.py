"""Run PostgreSQL's programs to their end, as the user they belong to."""

import asyncio
import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from chat.lib.postgres.errors import PostgresError
from chat.lib.postgres.owner import Owner

SHOWN_OUTPUT = 3000  # characters, from the end


async def run_program(*command: str | Path, owner: Owner, seconds: float = 60, inherited: tuple[int, ...] = ()) -> str:
    """Run `command` as `owner` and return what it printed.

    A program that fails, cannot be run, or is not done in `seconds` raises PostgresError with its last words.
    The descriptors in `inherited` stay open in it and in the processes it leaves behind.
    """
    name = Path(command[0]).name
    with tempfile.TemporaryFile() as output:  # not a pipe: the server that pg_ctl leaves behind would keep it open
        try:
            process = await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd="/",
                umask=0o077,
                user=owner.uid if owner.other else None,
                group=owner.gid if owner.other else None,
                extra_groups=[] if owner.other else None,  # changing the user alone would keep root's groups
                pass_fds=inherited,
                start_new_session=True,  # Ctrl-C in the terminal reaches every process of the session
            )
        except OSError as error:
            raise PostgresError(f"{command[0]} cannot be run as {owner.name}: {error.strerror}.") from error
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except TimeoutError:
            raise PostgresError(f"{name} was not done after {seconds:.0f} seconds.") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):  # it ended just now
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        output.seek(0)
        text = output.read().decode(errors="replace").strip()
    if code != 0:
        raise PostgresError(f"{name} failed ({_ending(code)}):\n{text[-SHOWN_OUTPUT:]}")
    return text


def _ending(code: int) -> str:
    return f"exit {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"


def _environment() -> dict[str, str]:
    """Little of ours: the server's user must not read our secrets there, nor PGDATA and its like change anything."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"LC_ALL": "C"}  # messages in English; and macOS refuses to start a server without a locale

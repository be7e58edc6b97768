"""One contender under one load: starts it anew, lets the load's program at it, and takes what that found."""

import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bench import growth, load
from bench.contenders import Contender, Measured, Target
from bench.figures import Figures, Unbelievable
from bench.loads import Load
from bench.machine import Cores, memory_mb
from bench.storm import Plan

CHECKOUT = Path(__file__).parent.parent


async def measure(contender: Contender, what: Load, round: int, *, generator: Path, cores: Cores) -> Measured:
    """Raises Unbelievable, with the names of both, where the figures would not be true."""
    try:
        with tempfile.TemporaryDirectory(prefix="roomful-bench-") as name:
            if what.program == "growth":
                return Measured(contender.name, round, *await growth.run(contender, what, Path(name)))
            async with contender.running(what, Path(name)) as target:
                if what.program == "storm":
                    return Measured(contender.name, round, await _storm(target, what))
                return Measured(contender.name, round, await load.run(generator, target, what, cores))
    except Unbelievable as error:
        raise Unbelievable(f"{what.name}, {contender.name}: {error}") from error


async def _storm(target: Target, what: Load) -> Figures:
    plan = Plan(
        port=target.port,
        cookies=str(target.cookies),
        connections=what.connections,
        rooms=what.rooms,
        posters=what.senders,
        rate=what.rate,
        seconds=what.seconds,
        connect_rate=what.connect_rate,
        typing=what.typing,
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.storm",
        msgspec.json.encode(plan).decode(),
        cwd=CHECKOUT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unbelievable(complaints.decode().strip())
    return msgspec.json.decode(out, type=Figures) | {"peak_rss_mb": memory_mb(target.pid)}

"""One run of the load generator against one server: its options, its figures, and whether they can be believed."""

import asyncio
import json
import subprocess
from pathlib import Path

from bench.contenders import Target
from bench.database import commit_ms
from bench.figures import Figures, Unbelievable
from bench.loads import Load
from bench.machine import Cores, watched_cores
from bench.peers import tools


def compile_generator(folder: Path) -> Path:
    """The path of the program."""
    program = folder / "wsload"
    try:
        subprocess.run(["cc", "-O2", "-o", program, tools() / "wsload.c"], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unbelievable("The load generator needs a C compiler. Install gcc or clang.") from None
    except subprocess.CalledProcessError as error:
        raise Unbelievable(f"The load generator does not compile:\n{error.stderr}") from None
    return program


async def run(generator: Path, target: Target, load: Load, cores: Cores) -> Figures:
    """Raises Unbelievable where a message was lost, doubled or seen in another order, or a connection was cut."""
    async with watched_cores() as before:
        await asyncio.sleep(1)
    async with watched_cores() as watch:
        process = await asyncio.create_subprocess_exec(
            generator,
            *_options(target, load),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode != 0 or complaints:
        raise Unbelievable(f"the load generator complains: {complaints.decode().strip() or process.returncode}")
    figures: Figures = json.loads(out)
    _check(figures, target, load)
    if figures["sent"]:
        figures["server_us_per_message"] = figures["server_busy"] / figures["sent_per_s"] * 1e6
    figures["others_busy"] = max(before.busiest(core, 1) for core in (cores.server, cores.load))
    figures["server_core_busy"] = watch.busiest(cores.server, load.seconds)
    figures["load_core_busy"] = watch.busiest(cores.load, load.seconds)
    if not target.alone:
        figures["server_busy"] = figures["server_core_busy"]
        del figures["server_us_per_message"]  # it counts one of them
    if load.connections == 1 and target.database_url is not None:
        figures["commit_ms"] = await commit_ms(target.database_url)
        figures["over_commit_ms"] = figures["p50_ms"] - figures["commit_ms"]
    return figures


def _options(target: Target, load: Load) -> list[str]:
    options: dict[str, object] = {
        "-p": target.port,
        "-P": target.pid,
        "-n": load.connections,
        "-r": load.rooms,
        "-C": load.connect_rate,
        "-S": load.settle,
        "-t": load.seconds,
    }
    if load.senders:
        options["-s"] = load.senders
        options["-q" if load.rate else "-w"] = load.rate or load.window
    words = [str(word) for option in options.items() for word in option]
    return [*words, *([] if load.senders else ["-k"]), *target.options]


def _check(figures: Figures, target: Target, load: Load) -> None:
    own = figures["sent"] if target.repeats_own else 0
    wrong = [
        f"{what}: {figures[name]:g}, not {right:g}"
        for what, name, right in (
            ("connections open at the end", "open", load.connections),
            ("messages lost", "lost", 0),
            ("messages that came twice", "doubled", own),
            ("connections that saw another order", "disordered_conns", 0),
        )
        if figures[name] != right
    ]
    if load.senders and not figures["sent"]:
        wrong.append("nothing was sent")
    if wrong:
        raise Unbelievable("; ".join(wrong))

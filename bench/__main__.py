"""`python -m bench`: Roomful and its peers in turn under the same loads; prints a table, writes JSON and a plot."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from bench import machine, report
from bench.contenders import Contender, Measured
from bench.database import Databases
from bench.figures import Unbelievable
from bench.load import compile_generator
from bench.loads import INSERTS, LOADS, ROOMFUL, SEVERAL, STORES_NOTHING, Load
from bench.machine import Cores
from bench.measure import measure
from bench.peers import SocketIO, install_socketio
from bench.report import Result
from bench.roomful import CHECKOUT, Roomful
from bench.several import Several

SHORT = {"roomful": (ROOMFUL, *SEVERAL), "socketio": (STORES_NOTHING,), "socketio-inserts": (INSERTS,)}


def parser() -> argparse.ArgumentParser:
    names = ", ".join(load.name for load in LOADS)
    top = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    top.add_argument("--loads", nargs="+", metavar="LOAD", help=f"only these of {names}")
    top.add_argument("--only", nargs="+", choices=SHORT, default=list(SHORT), help="who takes part (all)")
    top.add_argument("--rounds", type=int, default=3, help="how often each is measured, in turn (3)")
    top.add_argument("--seconds", type=float, help="how long to send, instead of what the load says")
    top.add_argument("--quick", action="store_true", help="tiny numbers, to see that it works; no true figures")
    top.add_argument("--growth", action="store_true", help="also the load that fills a database for minutes")
    top.add_argument("--output", type=Path, default=CHECKOUT / "bench" / "results", help="folder (bench/results)")
    return top


def chosen_loads(arguments: argparse.Namespace) -> list[Load]:
    known = {load.name: load for load in LOADS}
    names = arguments.loads or [name for name in known if name != "growth"]
    if arguments.growth and "growth" not in names:
        names.append("growth")
    if unknown := [name for name in names if name not in known]:
        raise Unbelievable(f"There is no load {unknown[0]}; there are {', '.join(known)}.")
    loads = [known[name].quick() if arguments.quick else known[name] for name in names]
    return [replace(load, seconds=arguments.seconds) for load in loads] if arguments.seconds else loads


async def run(arguments: argparse.Namespace, cores: Cores) -> int:
    loads = chosen_loads(arguments)
    taking_part = [who for name in arguments.only for who in SHORT[name]]
    facts = machine.facts()
    if arguments.quick:
        print("A quick run: the numbers are tiny, whatever the titles say, and the figures mean nothing.\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="roomful-bench-") as name:
        folder = Path(name)
        generator = compile_generator(folder)
        databases = Databases(folder)
        await databases.start()
        try:
            facts["postgresql"] = databases.version
            contenders: dict[str, Contender] = {ROOMFUL: Roomful(databases, cores)}
            for count, who in enumerate(SEVERAL, start=1):
                contenders[who] = Several(databases, cores, count)
            if any(who in (STORES_NOTHING, INSERTS) for who in taking_part for load in loads if who in load.contenders):
                script = install_socketio(folder)
                contenders[STORES_NOTHING] = SocketIO(script, cores)
                contenders[INSERTS] = SocketIO(script, cores, databases)
            results = []
            for load in loads:
                takers = [contenders[who] for who in load.contenders if who in taking_part]
                if takers:
                    runs = await rounds(load, takers, arguments.rounds, generator=generator, cores=cores)
                    results.append(Result(load, runs))
                    print(report.table(results[-1:]), flush=True)
        finally:
            await databases.stop()
    publish(results, arguments, facts)
    return 0


async def rounds(
    load: Load, contenders: Sequence[Contender], count: int, *, generator: Path, cores: Cores
) -> list[Measured]:
    """All in turn, every second time in the opposite order: what drifts, drifts for all."""
    runs = []
    for number in range(1, count + 1):
        for contender in contenders if number % 2 else reversed(contenders):
            progress(f"{load.name}, round {number} of {count}: {contender.name}")
            runs.append(await measure(contender, load, number, generator=generator, cores=cores))
        progress("")
    order = [contender.name for contender in contenders]
    return sorted(runs, key=lambda run: (order.index(run.contender), run.round))


def progress(text: str) -> None:
    """One line that replaces itself, where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def publish(results: Sequence[Result], arguments: argparse.Namespace, facts: dict[str, object]) -> None:
    revision = machine.revision(CHECKOUT)
    folder: Path = arguments.output
    written = [
        report.write(folder, "bench.txt", report.table(results)),
        report.write(
            folder,
            "bench.json",
            report.document(results, machine=facts, revision=revision, quick=arguments.quick),
        ),
    ]
    if find_spec("matplotlib"):
        from bench import plot  # its library is installed by `make bench` alone

        written.append(folder / "bench.png")
        caption = "A QUICK RUN, NO TRUE FIGURES. " if arguments.quick else ""
        caption += f"Roomful {revision} on {facts['cores']} cores, {facts['processor']}, Python {facts['python']}, "
        caption += f"Node {facts['node']}, PostgreSQL {facts['postgresql']}"
        plot.draw(results, written[-1], caption=caption)
    else:
        print("There is no plot without matplotlib, which `make bench` installs.")
    print("Written:", *written)


def main(argv: Sequence[str] | None = None) -> int:
    """0 when everything was measured, whether goals were met or not; 1 when a figure could not be believed."""
    arguments = parser().parse_args(argv)
    if not sys.platform.startswith("linux"):
        print("The load generator runs on Linux only.", file=sys.stderr)
        return 1
    cores = machine.settle_in()
    if cores.are_shared:
        print("There is only one core for server and load: the figures say little.", file=sys.stderr)
    try:
        return asyncio.run(run(arguments, cores))
    except Unbelievable as error:
        print(f"\nbench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

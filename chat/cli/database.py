"""`roomful migrate` and `roomful database`: the schema, and PostgreSQL's own programs on Roomful's database."""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from chat.cli.outcomes import DONE, Refused
from chat.config import Settings
from chat.lib import schema
from chat.lib.database import configured, placed
from chat.lib.db import engine


def add_migrate(commands: Any) -> None:
    migrating = commands.add_parser(
        "migrate",
        help="bring the database's schema to this version",
        description="Bring the database's schema to the one that this version needs. The embedded PostgreSQL is "
        "migrated by `roomful serve` itself; one of your own needs this after an upgrade, before the restart. Make a "
        "backup first.",
    )
    migrating.add_argument(
        "--to", metavar="REVISION", default="head", help="another revision, such as 0003; base removes everything"
    )
    migrating.add_argument(
        "--yes", action="store_true", help="do not ask before going back, which deletes what older schemas cannot hold"
    )
    migrating.set_defaults(run=migrate)


def add_database(commands: Any) -> None:
    running = commands.add_parser(
        "database",
        help="run psql, pg_dump and the like on the database",
        description="Run one of PostgreSQL's programs on Roomful's database: address and password are in its "
        "environment, and for the embedded server the programs that fit it come first on the PATH. The embedded server "
        "is started for it where it does not run already. Ends with the program's exit code.",
        epilog="for example: roomful database pg_dump --format=custom --file=backup.dump",
    )
    running.add_argument("program", metavar="PROGRAM", help="psql, pg_dump, pg_restore, …")
    running.add_argument("arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="its arguments")
    running.set_defaults(run=run_program)


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    before, after = asyncio.run(migrate_to(placed(settings)[0], arguments.to, sure=arguments.yes))
    if before == after:
        print(f"The schema is {after}, as before.")
    else:
        print(f"The schema was {before}, and is {after} now.")
    return DONE


async def migrate_to(settings: Settings, wanted: str, *, sure: bool) -> tuple[str, str]:
    """The revisions before and after; "base" is the empty database, as alembic calls it."""
    order = ("base", *schema.known())
    target = schema.needed() if wanted == "head" else wanted
    if target not in order:
        raise Refused(f"There is no revision {wanted}. There are: {', '.join(order)}, head.")
    async with configured(settings) as (url, _):
        looking = engine(url, pool_size=1)
        try:
            await schema.check_server(looking)
            before = await schema.current(looking) or "base"
        finally:
            await looking.dispose()
        if before not in order:
            raise Refused(f"The database has the schema {before} of a newer Roomful, which this one cannot change.")
        if order.index(target) >= order.index(before):
            await schema.upgrade(url, target)
        else:
            if not sure:
                await asyncio.to_thread(confirm_going_back, before, target)
            await schema.downgrade(url, target)
    return before, target


def confirm_going_back(before: str, target: str) -> None:
    if not sys.stdin.isatty():
        raise Refused(f"Going back from {before} to {target} deletes data. Say --yes if you are sure.")
    print(f"Going back from {before} to {target} deletes what the older schema cannot hold.")
    if input("Type yes to go on: ").strip().lower() != "yes":
        raise Refused("Nothing was changed.")


def run_program(settings: Settings, arguments: argparse.Namespace) -> int:
    return asyncio.run(run_on_database(placed(settings)[0], [arguments.program, *arguments.arguments]))


async def run_on_database(settings: Settings, command: list[str]) -> int:
    """The exit code of `command`, run while the database runs."""
    async with configured(settings) as (url, embedded):
        environment = {**os.environ, **libpq_environment(url)}
        if embedded is not None:
            environment["PATH"] = os.pathsep.join((str(embedded.programs), os.environ.get("PATH", os.defpath)))
        # Ctrl-C is the program's while it runs: in psql it ends a query, not the session.
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, lambda: None)
        try:
            ended = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
        except FileNotFoundError:
            raise Refused(f"There is no program {command[0]} on the PATH.") from None
    return ended.returncode


def libpq_environment(url: str) -> dict[str, str]:
    """The URL as PostgreSQL's programs read it from their environment, where other users cannot see a password."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    values = {
        "PGHOST": query.get("host", parts.hostname),
        "PGPORT": query.get("port", str(parts.port or "")),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGSSLMODE": query.get("sslmode"),
        "PGSSLROOTCERT": query.get("sslrootcert"),
    }
    return {name: value for name, value in values.items() if value}

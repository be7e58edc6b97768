"""The command line: `roomful serve | migrate | user | database | settings | version`."""

import argparse
import asyncio
import errno
import json
import os
import platform
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import version

from chat import __version__, config
from chat.cli import database, users
from chat.cli.outcomes import (
    BAD_SETTING,
    DONE,
    EXIT_CODES,
    INTERRUPTED,
    NO_DATABASE,
    OLD_SCHEMA,
    REFUSED,
    Refused,
)
from chat.config import Settings
from chat.errors import Problem
from chat.lib import logs, schema
from chat.lib.database import placed
from chat.lib.postgres import PostgresError

CANNOT_LISTEN = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
SETTINGS_COME_FROM = """\
Settings come from the environment and from a file .env in the current folder; `roomful settings` lists them.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code. Answers go to stdout, what went wrong to stderr."""
    arguments = parser().parse_args(argv)
    try:
        settings = config.load()
        logs.configure(arguments.log_level or settings.log_level, settings.log_format)
        return int(arguments.run(settings, arguments))
    except config.BadSetting as error:
        return failed(error, BAD_SETTING)
    except schema.Outdated as error:
        return failed(error, OLD_SCHEMA)
    except (schema.Unusable, PostgresError) as error:
        return failed(error, NO_DATABASE)
    except (Problem, Refused) as error:
        return failed(error, REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough of it; Python must not complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED


def failed(why: object, code: int) -> int:
    print(f"roomful: {why}", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser(
        prog="roomful",
        description="A team chat that one command starts and one process serves.",
        epilog=f"{SETTINGS_COME_FROM}\n{EXIT_CODES}",
        formatter_class=raw,
    )
    # A command speaks for itself; only the server tells what it does as well.
    top.set_defaults(log_level="warning")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    serving = commands.add_parser(
        "serve",
        help="start the server",
        description="Start the server and stay until SIGTERM or Ctrl-C. Without DATABASE_URL a private PostgreSQL is "
        "started with it, in the data folder.",
        epilog=SETTINGS_COME_FROM,
    )
    serving.set_defaults(run=serve, log_level=None)

    database.add_migrate(commands)
    users.add_user(commands)
    database.add_database(commands)

    listing = commands.add_parser(
        "settings",
        help="list every setting with its value",
        description="List every setting with its value, unit and reason. Secrets are masked.",
    )
    listing.add_argument("--json", action="store_true", help="as a JSON list, for programs")
    listing.set_defaults(run=show_settings)

    about = commands.add_parser("version", help="say which version this is")
    about.set_defaults(run=show_version)
    return top


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    from chat import app  # only this command needs the whole server, which takes a while to import

    settings, sentence = placed(settings)
    if sentence:
        print(sentence, flush=True)
    try:
        asyncio.run(app.serve(settings))
    except OSError as error:
        if error.errno not in CANNOT_LISTEN and not isinstance(error, socket.gaierror):
            raise
        place = f"port {settings.port} of {settings.host}"
        raise Refused(f"Cannot listen on {place}: {error.strerror}. Set PORT or HOST to another.") from None
    return DONE


def show_settings(settings: Settings, arguments: argparse.Namespace) -> int:
    rows = config.describe(settings)
    if arguments.json:
        names = ("name", "value", "unit", "reason")
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return DONE
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, value, unit, reason in rows:
        print(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {unit:<{widths[2]}}  {reason}")
    return DONE


def show_version(settings: Settings, arguments: argparse.Namespace) -> int:
    python, tornado = platform.python_version(), version("tornado")
    print(f"Roomful {__version__} (schema {schema.needed()}, Python {python}, Tornado {tornado})")
    return DONE

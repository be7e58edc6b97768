"""The schema of the database: which version it has, which the code needs, and the way from one to the other."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chat.lib import db

OLDEST_SERVER = 15  # major version of PostgreSQL


class Unusable(RuntimeError):
    """The database cannot be reached or is none for us; the message says why and what to do."""


class Outdated(Unusable):
    """The schema is older than the code."""


def folder() -> Path:
    """The migrations: inside the package when installed, beside it in a checkout."""
    package = Path(str(files("chat")))
    for place in (package / "migrations", package.parent / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise FileNotFoundError(f"The migrations are missing: looked in {package} and beside it. Install Roomful again.")


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def needed() -> str:
    """The revision that this code works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "there is at least one migration"
    return head


def known() -> tuple[str, ...]:
    """Every revision up to `needed()`, oldest first; one that is not among them comes from a newer Roomful."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return tuple(script.revision for script in scripts)[::-1]


async def current(engine: AsyncEngine) -> str | None:
    """The revision that the database has; None where it is empty."""
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


async def upgrade(url: str, revision: str = "head") -> None:
    """Migrates the database, each migration in one transaction; several who do it at once take turns."""
    async with _patient_connection(url) as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), revision))


async def downgrade(url: str, revision: str) -> None:
    async with _patient_connection(url) as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), revision))


@asynccontextmanager
async def _patient_connection(url: str) -> AsyncIterator[AsyncConnection]:
    """Filling a new column of a large table takes its time."""
    patient = db.engine(url, pool_size=1, command_seconds=None)
    try:
        async with patient.connect() as connection:
            yield connection
    finally:
        await patient.dispose()


async def check_server(engine: AsyncEngine) -> None:
    """Raises Unusable where nobody answers, we are not let in, or the server is too old."""
    place = engine.url.render_as_string(hide_password=True)
    try:
        async with engine.connect() as connection:
            version = int((await connection.exec_driver_sql("SHOW server_version_num")).scalar_one())
    except (OSError, exc.SQLAlchemyError) as error:
        cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig is not None else error
        said = str(cause).partition("\n")[0].rpartition("'>: ")[2].rstrip(".") or type(cause).__name__
        raise Unusable(
            f"The database {place} cannot be used: {said}. Is PostgreSQL running there, and is DATABASE_URL right?"
        ) from error
    if version // 10_000 < OLDEST_SERVER:
        raise Unusable(
            f"The database {place} is PostgreSQL {version // 10_000}; Roomful needs {OLDEST_SERVER} or newer."
        )


async def check_current(engine: AsyncEngine) -> None:
    """Raises Outdated where the schema is older than the code.

    A newer one is served, so that several servers can be renewed one after the other.
    """
    found = await current(engine)
    if found == needed() or (found is not None and found not in known()):
        return
    state = f"has the schema {found}" if found else "is empty"
    raise Outdated(
        f"The database {state}, and this version of Roomful needs {needed()}. Make a backup, then run: "
        "roomful migrate (or, from a checkout: alembic upgrade head)."
    )

"""Migrations: they make what the models describe, go back step by step, and say so where they are missing."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from chat.config import load
from chat.lib import db, schema
from chat.lib.database import prepared
from chat.lib.postgres import EmbeddedPostgres
from chat.models import metadata

CHECKOUT = Path(__file__).parent.parent
# What alembic's comparison leaves out: checks, the conditions of indexes, the order of keys. As PostgreSQL spells them.
DESCRIPTION = """
    SELECT 'column', table_name, column_name,
        concat_ws(' ', data_type, is_nullable, column_default, is_identity, identity_generation)
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        AND conrelid IS DISTINCT FROM to_regclass('alembic_version')
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    ORDER BY 1, 2, 3
"""

# The functions, which models do not describe.
FUNCTIONS = """
    SELECT 'function', proname::text, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 2
"""


@pytest_asyncio.fixture
async def empty_url(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    await postgres.create_database(name)
    yield postgres.url_of(name)
    await postgres.drop_database(name)


@pytest_asyncio.fixture
async def engine(empty_url: str) -> AsyncIterator[AsyncEngine]:
    """The way to the database of `empty_url`."""
    made = db.engine(empty_url, pool_size=1)
    yield made
    await made.dispose()


async def described(engine: AsyncEngine, *queries: str) -> list[tuple[str, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for query in queries or [DESCRIPTION] for row in await connection.execute(text(query))]


async def test_the_migrated_database_is_what_the_models_describe(empty_url: str, engine: AsyncEngine) -> None:
    await schema.upgrade(empty_url)

    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_constraint_and_index_is_the_models(
    empty_url: str, engine: AsyncEngine, postgres: EmbeddedPostgres
) -> None:
    await schema.upgrade(empty_url)
    name = f"models_{uuid.uuid4().hex[:12]}"
    await postgres.create_database(name)
    by_models = db.engine(postgres.url_of(name), pool_size=1)
    try:
        async with by_models.begin() as connection:
            await connection.run_sync(metadata.create_all)
        migrated = await described(engine)
        assert migrated == await described(by_models)
        assert len(migrated) > 50
    finally:
        await by_models.dispose()
        await postgres.drop_database(name)


async def test_every_migration_goes_back_and_forth(empty_url: str, engine: AsyncEngine) -> None:
    revisions = schema.known()
    states = [await described(engine, DESCRIPTION, FUNCTIONS)]
    for revision in revisions:
        await schema.upgrade(empty_url, revision)
        states.append(await described(engine, DESCRIPTION, FUNCTIONS))
        assert states[-1] != states[-2], f"{revision} changes nothing"
    steps = ["base", *revisions]
    for place in reversed(range(len(revisions))):
        await schema.downgrade(empty_url, steps[place])
        assert await described(engine, DESCRIPTION, FUNCTIONS) == states[place], f"going back to {steps[place]}"
        await schema.upgrade(empty_url, steps[place + 1])
        assert await described(engine, DESCRIPTION, FUNCTIONS) == states[place + 1], (
            f"coming again to {steps[place + 1]}"
        )
        await schema.downgrade(empty_url, steps[place])
    assert await schema.current(engine) is None


def test_revisions_are_numbered_by_hand_without_a_gap() -> None:
    assert schema.known() == tuple(f"{number:04}" for number in range(1, len(schema.known()) + 1))
    files = sorted(path.name for path in (CHECKOUT / "migrations" / "versions").glob("[0-9]*.py"))
    assert [name[:4] for name in files] == list(schema.known())


async def test_a_failing_migration_leaves_the_one_before_whole(empty_url: str, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE memberships (in_the_way integer)"))
    with pytest.raises(Exception, match="already exists"):
        await schema.upgrade(empty_url)
    assert await schema.current(engine) == "0002"
    async with engine.begin() as connection:
        assert not (await connection.execute(text("SELECT to_regclass('rooms')"))).scalar_one()
        assert (
            await connection.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
        ).scalar_one() == 0
        await connection.execute(text("DROP TABLE memberships"))
    await schema.upgrade(empty_url)
    assert await schema.current(engine) == schema.needed()


def run(*command: str, url: str, folder: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)


async def test_alembic_upgrades_from_the_checkout(empty_url: str, engine: AsyncEngine) -> None:
    command = (sys.executable, "-m", "alembic", "upgrade", "head")
    done = await asyncio.to_thread(run, *command, url=empty_url)
    assert done.returncode == 0, done.stderr
    assert "Running upgrade 0003 -> 0004" in done.stderr
    assert await schema.current(engine) == schema.needed()
    checked = await asyncio.to_thread(run, sys.executable, "-m", "alembic", "check", url=empty_url)
    assert checked.returncode == 0, checked.stdout + checked.stderr


async def test_several_who_migrate_at_once_take_turns(empty_url: str, engine: AsyncEngine) -> None:
    command = (sys.executable, "-m", "chat", "migrate")
    runs = [asyncio.to_thread(run, *command, url=empty_url) for _ in range(3)]
    for done in await asyncio.gather(*runs):
        assert done.returncode == 0, done.stderr
    assert await schema.current(engine) == schema.needed()


@pytest.mark.parametrize("revision", [None, "0001"])
async def test_an_old_schema_on_an_external_database_is_not_served(
    empty_url: str, tmp_path: Path, revision: str | None
) -> None:
    if revision:
        await schema.upgrade(empty_url, revision)
    done = await asyncio.to_thread(run, sys.executable, "-m", "chat", "serve", url=empty_url, folder=tmp_path)
    assert done.returncode == 5
    assert done.stderr.startswith("roomful: The database ")
    assert schema.needed() in done.stderr
    assert "roomful migrate" in done.stderr
    assert "alembic upgrade head" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_schema_of_a_newer_version_is_served_but_never_migrated(empty_url: str, engine: AsyncEngine) -> None:
    await schema.upgrade(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    async with prepared(load({"DATABASE_URL": empty_url}, dotenv=None)) as (url, embedded):
        assert url == empty_url
        assert embedded is None
    done = await asyncio.to_thread(run, sys.executable, "-m", "chat", "migrate", url=empty_url)
    assert done.returncode == 1
    assert "newer Roomful" in done.stderr

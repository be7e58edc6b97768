"""Runs migrations: on the connection that `chat.lib.schema` hands over, else on the database that the settings name."""

import asyncio
from logging.config import fileConfig

from alembic import context
from sqlalchemy import Connection

from chat.config import load
from chat.lib.database import configured, placed
from chat.lib.db import engine
from chat.models import metadata

# How long a migration waits for a lock before it gives up and leaves everything as it was: a longer wait would make
# every query behind it wait too.
LOCK_TIMEOUT = "5s"
# Names the turn of whoever migrates this database; the others wait for it and then find everything done.
TURN = 7_766_656_385


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transaction_per_migration=True,
        compare_server_default=True,
        compare_type=True,
    )
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.exec_driver_sql("SET lock_timeout = 0")
    connection.exec_driver_sql(f"SELECT pg_advisory_lock({TURN})")
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    connection.commit()
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.exec_driver_sql(f"SELECT pg_advisory_unlock({TURN})")
        connection.exec_driver_sql("RESET lock_timeout")
        connection.exec_driver_sql("RESET statement_timeout")
        connection.commit()


async def migrate_configured() -> None:
    async with configured(placed(load())[0]) as (url, _):
        database = engine(url, pool_size=1, command_seconds=None)
        async with database.connect() as connection:
            await connection.run_sync(migrate)
        await database.dispose()


if context.config.config_file_name is not None:  # alembic's own command, which says what it does
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    migrate(given)
else:
    asyncio.run(migrate_configured())

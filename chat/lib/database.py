"""Which database: the operator's own where DATABASE_URL names one, else the embedded server in the data folder."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat.config import Settings
from chat.lib import schema
from chat.lib.db import engine
from chat.lib.postgres import EmbeddedPostgres, choose_data_dir


def placed(settings: Settings) -> tuple[Settings, str | None]:
    """Settings with the data folder that can be used, and a sentence to print where it is not the usual one.

    Only the embedded server needs another, and only where nobody has chosen one with DATA_DIR.
    """
    usual = Settings().data_dir
    if settings.database_url or settings.data_dir != usual:
        return settings, None
    chosen, sentence = choose_data_dir(usual, run_as=settings.postgres_user)
    return dataclasses.replace(settings, data_dir=chosen), sentence


@asynccontextmanager
async def configured(settings: Settings) -> AsyncIterator[tuple[str, EmbeddedPostgres | None]]:
    """(URL, embedded server or None); the embedded one runs meanwhile and is stopped by the last who uses it."""
    if settings.database_url:
        yield settings.database_url, None
        return
    embedded = EmbeddedPostgres(settings.data_dir, run_as=settings.postgres_user, programs=settings.postgres_bin)
    await embedded.start()
    try:
        yield embedded.url, embedded
    finally:
        await embedded.stop()


@asynccontextmanager
async def prepared(settings: Settings) -> AsyncIterator[tuple[str, EmbeddedPostgres | None]]:
    """As `configured`, with a schema that this code can work with: the embedded server's is brought up to date.

    Raises schema.Unusable where the operator's own server cannot be used, schema.Outdated where it needs
    `roomful migrate`.
    """
    async with configured(settings) as (url, embedded):
        checking = engine(url, pool_size=1)
        try:
            await schema.check_server(checking)
            if embedded is not None and await schema.current(checking) in (None, *schema.known()[:-1]):
                await schema.upgrade(url)
            await schema.check_current(checking)
        finally:
            await checking.dispose()
        yield url, embedded

"""Which database: the operator's own where DATABASE_URL names one, else the embedded server in the data folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat.config import Settings
from chat.lib.postgres import EmbeddedPostgres


@asynccontextmanager
async def configured(settings: Settings) -> AsyncIterator[tuple[str, EmbeddedPostgres | None]]:
    """(URL, embedded server or None); the embedded one runs meanwhile and is stopped by the last who uses it."""
    if settings.database_url:
        yield settings.database_url, None
        return
    embedded = EmbeddedPostgres(
        settings.data_dir, run_as=settings.postgres_user, programs=settings.postgres_bin
    )
    await embedded.start()
    try:
        yield embedded.url, embedded
    finally:
        await embedded.stop()

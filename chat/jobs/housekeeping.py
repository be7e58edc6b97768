"""What the clock does: ends sessions that nobody uses, notes who is here, and keeps the embedded database running."""

import logging

from chat.hub.hub import Hub
from chat.hub.presence import PresenceBoard
from chat.jobs.clock import Job
from chat.lib.db import Database
from chat.lib.postgres import EmbeddedPostgres, PostgresError
from chat.models import sessions, users

log = logging.getLogger("roomful.jobs")

EXPIRE_SECONDS = 60.0
SEEN_SECONDS = 300.0
WATCH_SECONDS = 1.0


def expire_sessions(db: Database, *, days: int) -> Job:
    """Sessions unused for so many days end, and their sockets with them."""

    async def run() -> None:
        async with db.transaction() as tx:
            tx.end_sessions(await sessions.expire(tx.db, days=days))

    return Job("expiring sessions", EXPIRE_SECONDS, run)


def keep_sessions(db: Database, hub: Hub, *, days: int) -> Job:
    """A tab that stays open for weeks is in use, though nothing but its socket says so."""

    async def run() -> None:
        if ids := list({each.session for each in hub.connections}):
            async with db.transaction() as tx:
                await sessions.keep(tx.db, ids, days=days)

    return Job("keeping sessions", SEEN_SECONDS, run)


def note_who_is_here(db: Database, presence: PresenceBoard) -> Job:
    """After a crash nobody else can say when the people who were online were last seen."""

    async def run() -> None:
        if present := list(presence.here()):
            async with db.transaction() as tx:
                await users.seen(tx.db, present)

    return Job("noting who is here", SEEN_SECONDS, run)


def watch_postgres(embedded: EmbeddedPostgres) -> Job:
    """Starts the embedded server again when it was killed while we serve."""

    async def run() -> None:
        try:
            if await embedded.ensure_running():
                log.warning("the embedded PostgreSQL had stopped and was started again")
        except PostgresError as error:  # a full disk, mostly; it is tried again, and its words say what to do
            log.error("the embedded PostgreSQL cannot be started: %s", error)

    return Job("watching the embedded PostgreSQL", WATCH_SECONDS, run)

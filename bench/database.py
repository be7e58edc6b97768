"""The PostgreSQL of a run: in a temporary folder, with a migrated database from which each measurement has a copy."""

import secrets
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from bench.figures import percentile
from chat.actions.sessions import hash_of
from chat.lib import schema
from chat.lib.passwords import Passwords
from chat.lib.postgres import EmbeddedPostgres
from chat.lib.signing import Signer

TEMPLATE = "bench_template"
COMMITS = 300

# The peer that stores messages keeps a full-text index of them; while our own schema has none, the bench adds one, so
# that both do the same work for each message.
HAS_WORDS = """
    SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    WHERE indrelid = 'messages'::regclass AND amname = 'gin'
"""
ADD_WORDS = """
    ALTER TABLE messages ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED;
    CREATE INDEX messages_words_index ON messages USING gin (words);
"""


class Databases:
    """The cluster runs on the core of whoever starts it."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o711)  # PostgreSQL runs as another user when this is root
        self._postgres = EmbeddedPostgres(folder)

    async def start(self) -> None:
        await self._postgres.start()
        await self._postgres.create_database(TEMPLATE)
        url = self._postgres.url_of(TEMPLATE)
        await schema.upgrade(url)
        connection = await asyncpg.connect(url)
        try:
            if not await connection.fetchval(HAS_WORDS):
                await connection.execute(ADD_WORDS)
        finally:
            await connection.close()

    async def stop(self) -> None:
        await self._postgres.stop()

    @property
    def version(self) -> str:
        return self._postgres.version

    @asynccontextmanager
    async def one(self, *, migrated: bool) -> AsyncIterator[str]:
        """The URL of a database of its own, with Roomful's schema or empty."""
        name = f"bench_{uuid.uuid4().hex[:12]}"
        await self._postgres.create_database(name, template=TEMPLATE if migrated else None)
        try:
            yield self._postgres.url_of(name)
        finally:
            await self._postgres.drop_database(name)


def room_id(index: int) -> int:
    """The id of the room with that index: a 1 and the index, so that the generator's template can spell it."""
    return int(f"1{index}")


async def fill(url: str, signer: Signer, *, people: int, rooms: int, posters: int = 0) -> list[str]:
    """Makes accounts with sessions, and rooms; person i is in room i % rooms. The value of everyone's Cookie header.

    The `posters` are the last ones, and are spread over the rooms: poster k % posters is in room k % rooms.
    """
    everyone = people + posters
    tokens = [secrets.token_urlsafe(32) for _ in range(everyone)]
    passwords = Passwords(cost=4)
    hashed = await passwords.hash("the sea is calm tonight")
    passwords.close()
    seats = {(room_id(i % rooms), i + 1) for i in range(people)}
    if posters:
        seats |= {(room_id(k % rooms), people + k % posters + 1) for k in range(max(rooms, posters))}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            """
            INSERT INTO users (username, username_key, email, name, password_hash, role)
            SELECT 'user' || i, 'user' || i, 'user' || i || '@example.org', 'User ' || i, $2, 'member'
            FROM generate_series(1, $1::int) AS i ORDER BY i
            """,
            everyone,
            hashed,
        )
        await connection.execute(
            """
            INSERT INTO sessions (token_hash, user_id, address, user_agent)
            SELECT token_hash, user_id, '127.0.0.1', 'bench'
            FROM unnest($1::bytea[]) WITH ORDINALITY AS made (token_hash, user_id)
            """,
            [hash_of(token) for token in tokens],
        )
        await connection.execute(
            """
            INSERT INTO rooms (id, kind, name, created_by) OVERRIDING SYSTEM VALUE
            SELECT id, 'public', 'Room ' || id, 1 FROM unnest($1::int[]) AS id
            """,
            [room_id(index) for index in range(rooms)],
        )
        await connection.execute(
            "INSERT INTO memberships (room_id, user_id, read_seq) SELECT *, 0 FROM unnest($1::int[], $2::int[])",
            [room for room, _ in sorted(seats)],
            [person for _, person in sorted(seats)],
        )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return [f"session={signer.session_cookie(token)}" for token in tokens]


async def commit_ms(url: str) -> float:
    """The median time of one commit: a row inserted on its own, in the same database."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS bench_commits (id bigint GENERATED ALWAYS AS IDENTITY)")
        insert = await connection.prepare("INSERT INTO bench_commits DEFAULT VALUES")
        times = []
        for _ in range(COMMITS):
            started = time.perf_counter()
            await insert.fetch()
            times.append((time.perf_counter() - started) * 1000)
    finally:
        await connection.close()
    return percentile(times, 0.5)

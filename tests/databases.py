"""Databases for the tests: copies of one migrated template, emptied and used again while nobody changed their shape."""

import asyncpg

from chat.lib.postgres import EmbeddedPostgres

# Everything that a migration, or a test that plays one, can change; and what somebody may have set for the database.
SHAPE = """
    SELECT md5(string_agg(line, ';' ORDER BY line)) FROM (
        SELECT concat_ws(' ', relation.relname, name.attname, name.atttypid, name.attnotnull, name.attisdropped) AS line
        FROM pg_class AS relation JOIN pg_attribute AS name ON name.attrelid = relation.oid
        WHERE relation.relnamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT concat_ws(' ', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase
        WHERE datname = current_database()
        UNION ALL SELECT version_num FROM alembic_version
    ) AS lines
"""
TABLES = """
    SELECT string_agg(quote_ident(relname), ', ') FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN ('alembic_version', 'workspace')
"""
# The one row that migrations write, as they write it.
NEW_WORKSPACE = "INSERT INTO workspace (name, epoch) VALUES ('Roomful', gen_random_uuid())"


class Databases:
    """A copy takes a good part of a second to make and to drop, emptying one takes milliseconds."""

    def __init__(self, postgres: EmbeddedPostgres, template: str) -> None:
        self._postgres = postgres
        self._template = template
        self._spare: list[str] = []
        self._shape: str | None = None

    async def take(self, name: str) -> str:
        """The name of an empty migrated database: a used one, or one made as `name`."""
        if self._spare:
            return self._spare.pop()
        await self._postgres.create_database(name, template=self._template)
        if self._shape is None:
            connection = await self._connect(name)
            self._shape = await connection.fetchval(SHAPE)
            await connection.close()
        return name

    async def give_back(self, name: str) -> None:
        try:
            usable = await self._emptied(name)
        except (asyncpg.PostgresError, OSError):
            usable = False
        if usable:
            self._spare.append(name)
        else:
            await self._postgres.drop_database(name)

    async def close(self) -> None:
        for name in self._spare:
            await self._postgres.drop_database(name)

    async def _emptied(self, name: str) -> bool:
        connection = await self._connect(name)
        try:
            if await connection.fetchval(SHAPE) != self._shape:
                return False
            async with connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '1s'")
                await connection.execute(f"TRUNCATE {await connection.fetchval(TABLES)} RESTART IDENTITY CASCADE")
                await connection.execute("DELETE FROM workspace")
                await connection.execute(NEW_WORKSPACE)
            return True
        finally:
            await connection.close()

    async def _connect(self, name: str) -> asyncpg.Connection:
        return await asyncpg.connect(self._postgres.url_of(name), timeout=5)

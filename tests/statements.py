"""What is asked of PostgreSQL, counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from tests.conftest import World


@contextmanager
def counted_statements(world: World) -> Iterator[list[str]]:
    """Every statement that reaches PostgreSQL meanwhile, but for those of the clock's jobs."""
    said: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    engine = world.server.db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)

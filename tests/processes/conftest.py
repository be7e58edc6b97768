"""Servers that share a database and a Redis."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from chat.app import Server
from tests.conftest import World, settings_with
from tests.processes.own_redis import OwnRedis
from tests.waiting import until

Start = Callable[..., Awaitable[World]]


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[OwnRedis]:
    if shutil.which("redis-server") is None:
        pytest.skip("needs Debian's redis-server")
    with tempfile.TemporaryDirectory(prefix="roomful-redis-") as folder:
        own = OwnRedis(Path(folder))
        await own.start()
        yield own
        own.kill()


@pytest_asyncio.fixture
async def start(database_url: str, tmp_path: Path, redis: OwnRedis) -> AsyncIterator[Start]:
    """Starts one more server, with other settings if they are given; all are stopped after the test."""
    servers: list[Server] = []

    async def start_one(url: str = database_url, **values: str) -> World:
        server = Server(settings_with(DATA_DIR=str(tmp_path), REDIS_URL=redis.url, **values), url)
        servers.append(server)
        await server.start()
        await until(lambda: server.bus is not None and server.bus.is_up)
        return World(server)

    yield start_one
    for server in servers:
        await server.stop()


@pytest_asyncio.fixture
async def worlds(start: Start) -> tuple[World, World]:
    """Two servers that know of each other."""
    return await start(), await start()

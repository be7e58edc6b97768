"""Several processes on one database and one Redis behave as one server."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff

from chat.app import Server
from tests.conftest import World, settings_with
from tests.people import Person

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs Debian's redis-server")


class OwnRedis:
    """A Redis on a unix socket in a folder of its own, that can be killed and started again, empty."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "redis.sock"
        self.url = f"unix://{self.path}"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.path.parent)  # noqa: ASYNC220
        await until(self.path.exists)
        async with Redis(unix_socket_path=str(self.path), retry=Retry(ConstantBackoff(0.01), 500)) as client:
            await client.ping()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.path.unlink(missing_ok=True)
            self._process = None


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - the state of a server in this process has no event to wait for
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def redis() -> AsyncIterator[OwnRedis]:
    with tempfile.TemporaryDirectory(prefix="roomful-redis-") as folder:
        own = OwnRedis(Path(folder))
        await own.start()
        yield own
        own.kill()


@pytest_asyncio.fixture
async def worlds(database_url: str, tmp_path: Path, redis: OwnRedis) -> AsyncIterator[tuple[World, World]]:
    """Two servers on one database and one Redis."""
    servers = [Server(settings_with(DATA_DIR=str(tmp_path), REDIS_URL=redis.url), database_url) for _ in range(2)]
    for server in servers:
        await server.start()
        await until(lambda server=server: server.bus.is_up)  # type: ignore[misc]
    yield World(servers[0]), World(servers[1])
    for server in servers:
        await server.stop()


def at(world: World, person: Person) -> Person:
    """The same person, who asks another process."""
    return Person(world.base, person.username, person.name, person.id, person.cookie, person.email)


async def test_what_is_posted_to_one_process_is_heard_at_the_other_in_one_order(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        for turn in range(10):
            await at_one.post(room, f"ada {turn}")
            await at_other.post(room, f"bob {turn}")
        heard = [[(await s.event("message.posted"))["seq"] for _ in range(20)] for s in (at_one, at_other)]
        assert heard[0] == heard[1] == sorted(heard[0])


async def test_who_is_removed_in_one_process_hears_nothing_more_in_the_other(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        await at_one.do("member.remove", room=room, user=bob.id)
        left = await at_other.event("room.left")
        assert left["room"] == room
        await at_one.post(room, "after")
        await asyncio.sleep(0.2)
        assert not [event for event in await at_other.settle() if event.get("room") == room]
        await at_one.do("member.add", room=room, users=[bob.id])
        await at_other.event("room.joined")
        await at_one.post(room, "welcome back")
        assert (await at_other.event("message.posted", room=room))["message"]


async def test_presence_and_typing_cross_processes(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        await at_one.event("presence.changed")
        await until(lambda: one.server.presence.of(bob.id) == "online")
        await at_other.do("presence.set", state="away")
        await until(lambda: one.server.presence.of(bob.id) == "away")
        await at_other.do("typing", room=room)
        assert (await at_one.event("typing"))["user"]["id"] == bob.id
        async with bob.socket():
            assert one.server.presence.of(bob.id) == "online"
            await until(lambda: other.server.presence.of(bob.id) == "online")


async def test_a_session_that_ends_in_one_process_is_closed_in_the_other(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada = await one.person("ada")
    async with at(other, ada).socket() as at_other:
        await ada.http("DELETE", "/session")
        assert await at_other.closed(seconds=1) == 4401


async def test_a_limit_is_shared(database_url: str, tmp_path: Path, redis: OwnRedis) -> None:
    strict = settings_with(DATA_DIR=str(tmp_path), REDIS_URL=redis.url, MESSAGE_BURST="3", MESSAGES_PER_MINUTE="1")
    servers = [Server(strict, database_url) for _ in range(2)]
    for server in servers:
        await server.start()
        await until(lambda server=server: server.bus.is_up)  # type: ignore[misc]
    one, other = World(servers[0]), World(servers[1])
    ada = await one.person("ada")
    room = await one.room(ada, "general")
    async with ada.socket() as at_one, at(other, ada).socket() as at_other:
        for text in "abc":
            await at_one.post(room, text)
        await until(lambda: other.server.services.limits.messages.wait(ada.id) > 0)
        nonce = "11111111-1111-4111-8111-111111111111"
        assert (await at_other.refused("message.post", room=room, text="d", nonce=nonce))["code"] == "rate_limited"
    for server in servers:
        await server.stop()


@pytest.mark.logs("Redis is away")
async def test_without_redis_nothing_is_lost_and_its_return_is_noticed(
    worlds: tuple[World, World], redis: OwnRedis
) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    second = await one.room(ada, "second")
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        redis.kill()
        posted = await at_one.post(room, "into the dark")
        healed = await at_other.event("room.sync")
        assert [message["id"] for message in healed["sync"]["messages"]] == [posted["id"]]
        await at_one.do("member.add", room=second, users=[bob.id])
        await at_one.do("member.remove", room=room, user=bob.id)
        assert (await at_other.event("room.left"))["room"] == room
        assert (await at_other.event("room.joined"))["room"]["id"] == second
        await redis.start()
        await until(lambda: one.server.bus.is_up and other.server.bus.is_up)  # type: ignore[union-attr]
        again = await at_one.post(second, "light again")
        await until(lambda: other.server.hub.head(f"room:{second}") == again["seq"])

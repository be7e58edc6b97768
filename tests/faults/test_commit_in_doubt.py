"""The connection to PostgreSQL breaks while it commits: stored or not, everybody learns the truth, and only once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import pytest_asyncio

from chat.app import Server
from tests.conftest import World, settings_with
from tests.faults.asking import post_until_stored, send
from tests.faults.timeline import Timeline
from tests.people import Socket

PIECE = 64 * 1024


class Wire:
    """Between the server and PostgreSQL. `breaks` says what to do at the next commits: True lets the commit through and
    breaks before its answer comes, False breaks before it is sent. `commit` is what such a piece has in it: a posting
    commits by itself, with its text."""

    def __init__(self, far: str) -> None:
        self._far = far
        self.commit = b"COMMIT;"
        self._ends: set[asyncio.Task[None]] = set()
        self.breaks: list[bool] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "the server makes one for each connection"
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)
        far_reader, far_writer = await asyncio.open_unix_connection(self._far)
        back = asyncio.create_task(self._carry_back(far_reader, writer))
        try:
            while piece := await reader.read(PIECE):
                if self.commit in piece and self.breaks:
                    if self.breaks.pop(0):
                        back.cancel()
                        await asyncio.gather(back, return_exceptions=True)
                        far_writer.write(piece)
                        await far_reader.read(PIECE)
                    return
                far_writer.write(piece)
        except (ConnectionError, asyncio.CancelledError):
            return  # the other side, or the test, has ended
        finally:
            back.cancel()
            writer.transport.abort()
            far_writer.transport.abort()

    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(PIECE):
                writer.write(piece)
            writer.close()

    async def close(self) -> None:
        for end in list(self._ends):
            end.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)


@asynccontextmanager
async def wired(url: str, folder: Path) -> AsyncIterator[tuple[str, Wire]]:
    """The URL of the same database by way of a Wire."""
    parts = urlsplit(url)
    [host], [port] = parse_qs(parts.query)["host"], parse_qs(parts.query)["port"]
    name = f".s.PGSQL.{port}"
    wire = Wire(f"{host}/{name}")
    server = await asyncio.start_unix_server(wire.serve, folder / name)
    try:
        yield parts._replace(query=f"host={quote(str(folder), safe='')}&port={port}").geturl(), wire
    finally:
        server.close()
        await wire.close()


@pytest_asyncio.fixture
async def doubtful(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[World, Wire]]:
    async with wired(database_url, tmp_path) as (url, wire):
        server = Server(settings_with(DATA_DIR=str(tmp_path)), url)
        await server.start()
        yield World(server), wire
        await server.stop()


async def heard(socket: Socket, room: int, last: int) -> list[str]:
    """The texts that were told up to that seq: live, or as a gap that was filled."""
    begun = next(each["seq"] for each in socket.hello["rooms"] if each["id"] == room)
    timeline = Timeline(room, cursor=begun)
    while timeline.cursor != last:
        event = await socket.receive()
        if event["event"] == "room.sync":
            timeline.sync(event["sync"])
        elif event["event"] == "message.posted":
            timeline.event(event["seq"], event["message"])
    return [message["text"] for message in timeline.listed()]


@pytest.mark.parametrize("breaks", [[True], [False], [True, True], [False, True]])
async def test_a_post_in_doubt_is_stored_once(doubtful: tuple[World, Wire], breaks: list[bool]) -> None:
    world, wire = doubtful
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await at_ada.post(room, "before")
        wire.commit, wire.breaks = b"in doubt", list(breaks)
        stored, refused = await post_until_stored(at_ada, room, "in doubt")
        assert (wire.breaks, refused) == ([], ["busy"] * (len(breaks) - 1))  # the journal looks once by itself
        after = await at_ada.post(room, "after")
        assert after["seq"] == stored["seq"] + 1
        assert await heard(at_bob, room, after["seq"]) == ["before", "in doubt", "after"]
        listed = await at_bob.do("message.list", room=room)
        assert [message["text"] for message in listed["messages"][-3:]] == ["before", "in doubt", "after"]


async def test_an_edit_in_doubt_is_told_to_everybody(doubtful: tuple[World, Wire]) -> None:
    world, wire = doubtful
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        posted = await at_ada.post(room, "first")
        wire.breaks = [True]
        refused = await at_ada.refused("message.edit", message=posted["id"], text="second")
        assert (refused["code"], refused["retry_after"] > 0) == ("busy", True)
        healed = await at_bob.event("room.sync", 10)
        assert [message["text"] for message in healed["sync"]["messages"]] == ["second"]


@pytest.mark.parametrize("was_committed", [True, False])
@pytest.mark.parametrize("how", ["removed", "leaves"])
async def test_who_may_have_left_comes_back_and_hears_what_is_true(
    doubtful: tuple[World, Wire], how: str, was_committed: bool
) -> None:
    world, wire = doubtful
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob, bob.socket() as elsewhere:
        wire.breaks = [was_committed]
        if how == "removed":
            assert (await at_ada.refused("member.remove", room=room, user=bob.id))["code"] == "busy"
        else:
            await send(at_bob, "room.leave", room=room)
            await at_bob.link.wait_closed()
        await at_ada.post(room, "not for everybody")
        assert await at_bob.closed() == await elsewhere.closed() == 1012
        told = [event["event"] for event in (*at_bob.events, *elsewhere.events)]
        assert "message.posted" not in told or not was_committed
    async with bob.socket() as again:
        assert (room in [each["id"] for each in again.hello["rooms"]]) != was_committed


async def test_who_may_have_been_added_comes_back_and_is_in(doubtful: tuple[World, Wire]) -> None:
    world, wire = doubtful
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        wire.breaks = [True]
        assert (await at_ada.refused("member.add", room=room, users=[bob.id]))["code"] == "busy"
        assert await at_bob.closed() == 1012
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        assert room in [each["id"] for each in at_bob.hello["rooms"]]
        posted = await at_ada.post(room, "welcome")
        assert (await at_bob.event("message.posted", room=room))["message"] == posted

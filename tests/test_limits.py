"""Limits: buckets on a clock of their own, and what whoever does too much is told at each door."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from chat.errors import CLOSE_TOO_MANY
from chat.handlers.admission import AT_ONCE
from chat.lib.limits import Limit
from tests.conftest import World
from tests.people import Person
from tests.raw import RawSocket, raw_socket
from tests.visitor import serving
from tests.waiting import until


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_and_then_so_many_over_time() -> None:
    clock = Clock()
    limit = Limit(rate=2, burst=3, clock=clock)
    assert [limit.take("ada") for _ in range(3)] == [0, 0, 0]
    assert limit.take("ada") == pytest.approx(0.5)
    assert limit.take("bob") == 0
    clock.now += 0.5
    assert limit.take("ada") == 0
    assert limit.take("ada") == pytest.approx(0.5)
    clock.now += 60
    assert [limit.take("ada") for _ in range(3)] == [0, 0, 0]
    assert limit.take("ada") > 0


def test_what_is_refused_costs_nothing() -> None:
    clock = Clock()
    limit = Limit(rate=1, burst=10, clock=clock)
    assert limit.take("ada", 8) == 0
    assert [limit.take("ada", 5) for _ in range(3)] == [pytest.approx(3)] * 3
    assert limit.take("ada", 2) == 0


def test_what_costs_more_than_fits_is_allowed_when_nothing_else_was_taken() -> None:
    """Or an operator with a small limit would have forbidden it without knowing."""
    clock = Clock()
    limit = Limit(rate=1, burst=5, clock=clock)
    assert limit.take("ada", 20) == 0
    assert limit.take("ada", 20) == pytest.approx(5)
    assert limit.wait("ada", 20) == pytest.approx(5)
    clock.now += 5
    assert limit.wait("ada", 20) == 0
    assert limit.take("ada", 20) == 0


def test_what_is_given_back_can_be_taken_again() -> None:
    limit = Limit(rate=1, burst=1, clock=Clock())
    assert limit.take("ada") == 0
    assert limit.wait("ada") == pytest.approx(1)
    limit.give_back("ada")
    assert limit.wait("ada") == 0
    limit.give_back("ada")
    limit.give_back("bob")
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0


def test_keys_that_rested_are_forgotten() -> None:
    clock = Clock()
    limit = Limit(rate=1, burst=1, clock=clock)
    for number in range(100_000):
        clock.now += 0.01
        limit.take(number)
    assert len(limit) < 3000


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 3)), max_size=50))
def test_nobody_takes_more_than_the_burst_and_what_time_brings(steps: list[tuple[float, float]]) -> None:
    clock = Clock()
    limit = Limit(rate=2, burst=5, clock=clock)
    taken = 0.0
    for pause, cost in steps:
        clock.now += pause
        wait = limit.take("ada", cost)
        if wait == 0:
            taken += cost
        else:
            clock.now += wait + 1e-6
            assert limit.take("ada", cost) == 0, "after the time that was said it is allowed"
            taken += cost
        assert taken <= 5 + 2 * clock.now + 1e-3


@asynccontextmanager
async def strict(database_url: str, folder: Path, **settings: str) -> AsyncIterator[tuple[World, Person, int]]:
    """(a server with these limits, Ada, a room of hers)"""
    async with serving(database_url, folder, **settings) as world:
        ada = await world.person("ada")
        yield world, ada, await world.room(ada, "general")


async def test_messages_are_limited_for_a_person_on_all_connections(database_url: str, tmp_path: Path) -> None:
    async with strict(database_url, tmp_path, MESSAGES_PER_MINUTE="30", MESSAGE_BURST="5") as (world, ada, room):
        bob = await world.person("bob")
        hers = await world.room(bob, "hers")
        async with ada.socket() as one, ada.socket() as two, bob.socket() as at_bob:
            for socket in (one, two, one, two):
                await socket.post(room, "hello")
            message = await one.post(room, "hello")
            error = await two.refused("message.post", room=room, text="one more", nonce=str(uuid.uuid4()))
            assert error["code"] == "rate_limited"
            assert 0 < error["retry_after"] <= 2
            assert (await one.refused("message.edit", message=message["id"], text="x"))["code"] == "rate_limited"
            answer = await ada.http("POST", f"/rooms/{room}/messages", {"nonce": str(uuid.uuid4()), "text": "x"})
            assert answer.code == 429
            assert int(answer.headers["Retry-After"]) in (1, 2)
            await at_bob.post(hers, "not my limit")
        assert await world.last_seq(room) == 6


async def test_who_waits_as_told_may_go_on(database_url: str, tmp_path: Path) -> None:
    few = {"MESSAGES_PER_MINUTE": "120", "MESSAGE_BURST": "1"}
    async with strict(database_url, tmp_path, **few) as (_, ada, room), ada.socket() as socket:
        await socket.post(room, "first")
        error = await socket.refused("message.post", room=room, text="second", nonce=str(uuid.uuid4()))
        await asyncio.sleep(error["retry_after"])
        await socket.post(room, "second")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [('{"id": N, "do": "ping"}', "ok"), ('{"id": N, "do": "nothing"}', "unknown_command"), ("nonsense", "malformed")],
)
async def test_two_thousand_frames_are_answered_refused_and_ended(
    database_url: str, tmp_path: Path, sent: str, answer: str
) -> None:
    """With the usual limits, whether they are commands or not; others do not notice."""
    usual = {"COMMANDS_PER_SECOND": "50", "COMMAND_BURST": "200"}
    async with strict(database_url, tmp_path, **usual) as (world, ada, _):
        bob = await world.person("bob")
        async with ada.socket() as socket, bob.socket() as at_bob:
            with suppress(websockets.ConnectionClosed):
                for number in range(2000):
                    await socket.link.send(sent.replace("N", str(number)))
                    if number % 500 == 0:
                        await at_bob.do("ping")
            assert await socket.closed() == CLOSE_TOO_MANY
            replies = [event for event in socket.events if "ok" in event]
            ids = [reply["id"] for reply in replies]
            assert ids == (list(range(len(replies))) if "N" in sent else [None] * len(replies))
            codes = [reply.get("error", {}).get("code", "ok") for reply in replies]
            assert 200 <= codes.count(answer) < 400
            assert 200 <= codes.count("rate_limited") < 250
            await at_bob.do("ping")
        await world.server.hub.emptied()
        assert len(world.server.services.limits.commands) == len(world.server.services.limits.refusals) == 0


async def test_dear_commands_use_up_more(database_url: str, tmp_path: Path) -> None:
    few = {"COMMANDS_PER_SECOND": "1", "COMMAND_BURST": "25"}
    async with strict(database_url, tmp_path, **few) as (_, ada, room), ada.socket() as socket:
        for number in range(2):
            await socket.do("room.create", name=f"room {number}", kind="public")
        assert (await socket.refused("room.create", name="room", kind="public"))["code"] == "rate_limited"
        await socket.do("message.list", room=room)


async def test_a_connection_has_so_many_posts_under_way(world: World) -> None:
    """However quickly they are sent, each is answered: stored, or to be sent again."""
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket, world.server.db.transaction() as tx:
        await tx.db.exec_driver_sql("SELECT 1 FROM rooms FOR UPDATE")  # no commit can end meanwhile
        for number in range(150):
            sent = {"id": number, "do": "message.post", "room": room, "nonce": str(uuid.uuid4()), "text": "hello"}
            await socket.link.send(json.dumps(sent))
        refused = [await socket.reply(number) for number in range(100, 150)]
    assert {reply["error"]["code"] for reply in refused} == {"rate_limited"}
    assert {reply["error"]["retry_after"] for reply in refused} == {0.5}


async def test_requests_are_limited_by_address(database_url: str, tmp_path: Path) -> None:
    async with strict(database_url, tmp_path, REQUESTS_PER_MINUTE="60", REQUEST_BURST="10") as (_, ada, __):
        codes = [(await ada.http("GET", "/me")).code for _ in range(15)]
        assert codes == [200] * 10 + [429] * 5
        answer = await ada.http("GET", "/me")
        assert json.loads(answer.body)["error"]["code"] == "rate_limited"
        assert answer.headers["Retry-After"] == "1"
        assert (await ada.http("GET", "/health")).code == 200


async def opened(stack: AsyncExitStack, person: Person, count: int) -> list[RawSocket]:
    """That many tried at once."""
    return list(await asyncio.gather(*(stack.enter_async_context(raw_socket(person)) for _ in range(count))))


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ("CONNECTIONS_PER_USER", 429, "too_many_connections"),
        ("CONNECTIONS_PER_ADDRESS", 429, "too_many_connections"),
        ("CONNECTIONS", 503, "busy"),
    ],
)
async def test_so_many_sockets_are_held_even_when_all_come_at_once(
    database_url: str, tmp_path: Path, setting: str, status: int, code: str
) -> None:
    async with strict(database_url, tmp_path, **{setting: "5"}) as (world, ada, _), AsyncExitStack() as stack:
        tried = await opened(stack, ada, 12)
        assert sorted(socket.status for socket in tried) == [101] * 5 + [status] * 7
        for socket in tried:
            if socket.status != 101:
                assert json.loads(socket.body)["error"]["code"] == code
                assert int(socket.headers["retry-after"]) == 10
        assert len(world.server.hub.connections) == 5
        next(socket for socket in tried if socket.status == 101).writer.transport.abort()
        await until(lambda: len(world.server.hub.connections) == 4)
        assert [socket.status for socket in await opened(stack, ada, 1)] == [101]


async def test_one_person_has_no_share_in_the_connections_of_another(database_url: str, tmp_path: Path) -> None:
    async with strict(database_url, tmp_path, CONNECTIONS_PER_USER="2") as (world, ada, _), AsyncExitStack() as stack:
        assert sorted(socket.status for socket in await opened(stack, ada, 3)) == [101, 101, 429]
        assert [socket.status for socket in await opened(stack, await world.person("bob"), 1)] == [101]


async def test_who_comes_when_all_come_waits_in_line_and_more_are_told_to_come_back(
    database_url: str, tmp_path: Path
) -> None:
    """While no session can be looked up, so many have their turn, so many wait, and the line is full."""
    few = {"UPGRADES_WAITING": "5", "CONNECTIONS_PER_USER": "100"}
    async with strict(database_url, tmp_path, **few) as (world, ada, _), AsyncExitStack() as stack:
        async with world.server.db.transaction() as tx:
            await tx.db.execute(text("LOCK TABLE sessions"))
            coming = [asyncio.create_task(stack.enter_async_context(raw_socket(ada))) for _ in range(AT_ONCE + 5 + 10)]
            await until(lambda: sum(task.done() for task in coming) == 10)
            refused = [task.result() for task in coming if task.done()]
        tried = await asyncio.gather(*coming)
        assert [socket.status for socket in refused] == [503] * 10
        assert {int(socket.headers["retry-after"]) for socket in refused} <= {1, 2, 3, 4}
        assert [socket.status for socket in tried if socket not in refused] == [101] * (AT_ONCE + 5)


async def test_upgrades_count_as_requests_of_their_address(database_url: str, tmp_path: Path) -> None:
    few = {"REQUESTS_PER_MINUTE": "1", "REQUEST_BURST": "3"}
    async with strict(database_url, tmp_path, **few) as (_, ada, __), AsyncExitStack() as stack:
        assert sorted(socket.status for socket in await opened(stack, ada, 5)) == [101, 101, 101, 429, 429]

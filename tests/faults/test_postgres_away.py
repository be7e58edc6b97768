"""The database dies or hangs while people are connected: they stay connected, and are told the truth."""

import asyncio
import signal
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults import processes
from tests.faults.asking import answer, ask, people_in_a_room, post_until_stored, send
from tests.faults.site import Site
from tests.people import Socket

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]


@asynccontextmanager
async def two_people(site: Site, name: str) -> AsyncIterator[tuple[Socket, Socket, int]]:
    """Two connected people and a room that they share."""
    [ada, bob], room = await people_in_a_room(site, f"ada-{name}", f"bob-{name}")
    async with ada.socket() as one, bob.socket() as other:
        yield one, other, room


async def test_who_is_connected_stays_so_while_postgres_is_started_again(site: Site) -> None:
    async with two_people(site, "killed") as (ada, bob, room):
        before = await ada.post(room, "before")
        postmaster = site.postmaster
        processes.send(signal.SIGKILL, *processes.family(postmaster))
        began = time.monotonic()
        after, refused = await post_until_stored(ada, room, "after")
        assert time.monotonic() - began < 10
        assert set(refused) <= {"busy"}
        assert site.postmaster != postmaster
        assert after["seq"] == before["seq"] + 1
        heard = [await bob.event("message.posted", 10, room=room) for _ in range(2)]
        assert [event["message"] for event in heard] == [before, after]
        listed = await bob.do("message.list", room=room)
        assert listed["messages"][-2:] == [before, after]


async def test_connections_that_postgres_closed_cost_nobody_an_error(site: Site) -> None:
    async with two_people(site, "ended") as (ada, bob, room):
        await asyncio.gather(*(socket.do("message.list", room=room) for socket in (ada, bob)))
        await site.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'roomful' AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        for _ in range(3):
            _, refused = await post_until_stored(ada, room, "hello")
            assert refused == []  # the journal looks for itself whether a commit went through


async def test_a_hanging_postgres_holds_up_nothing_but_what_needs_it(site: Site) -> None:
    async with two_people(site, "frozen") as (ada, bob, room):
        await ada.post(room, "before")
        postgres = processes.family(site.postmaster)
        processes.send(signal.SIGSTOP, *postgres)
        try:
            nonce, text = str(uuid.uuid4()), "meanwhile"
            posting = asyncio.create_task(ask(bob, "message.post", room=room, text=text, nonce=nonce))
            waits = []
            while not posting.done():
                began = time.monotonic()
                assert await site.get("/health") == 200
                waits.append(time.monotonic() - began)
                await asyncio.sleep(0.05)
            reply = await posting
            assert (reply["ok"], reply["error"]["code"]) == (False, "busy")
            assert reply["error"]["retry_after"] > 0
            await ada.do("typing", room=room)
            await bob.event("typing", room=room)
        finally:
            processes.send(signal.SIGCONT, *postgres)
        waits.sort()
        assert waits[len(waits) // 2] < 0.1
        assert waits[-1] < 1.0
        stored, _ = await post_until_stored(bob, room, "afterwards")
        again = await bob.ask("message.post", room=room, text=text, nonce=nonce)
        assert again["ok"]
        assert {stored["text"], again["message"]["text"]} == {"afterwards", "meanwhile"}
        await site.until_ready()


async def test_a_database_that_is_away_does_not_flood_the_log(site: Site) -> None:
    logged = site.log.stat().st_size
    async with two_people(site, "flood") as (ada, bob, room):
        postgres = processes.family(site.postmaster)
        processes.send(signal.SIGSTOP, *postgres)
        try:
            numbers = [await send(bob, "message.list", room=room) for _ in range(2)]
            for _ in range(90):
                number = await send(ada, "message.post", room=room, text="hello", nonce=str(uuid.uuid4()))
            await answer(ada, number)
            await answer(bob, numbers[0])
        finally:
            processes.send(signal.SIGCONT, *postgres)
        await site.until_ready()
        await answer(bob, numbers[-1])  # it may have begun before the thaw
        assert (await answer(bob, await send(bob, "message.list", room=room)))["ok"]
    assert site.log.stat().st_size - logged < 10_000
    assert not [entry for entry in site.log_entries() if "trace" in entry]

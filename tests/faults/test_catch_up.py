"""Who was away for long: all that was said, edited and deleted is there in two seconds, or an honest new beginning."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.faults.asking import answer, people_in_a_room, send
from tests.faults.checker import list_is_the_log
from tests.faults.crowd import truth_of
from tests.faults.follower import Follower
from tests.faults.history import History
from tests.faults.link import Link, Patience
from tests.faults.site import Site
from tests.people import Person, Socket

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]

AWAY_FOR = 5000
TOO_FAR = 10_000
AT_ONCE = 80  # posts on their way; the server takes a hundred of one connection


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "history.jsonl")
    yield history
    history.close()


class Reader:
    """A client that keeps what it has while it is away."""

    def __init__(self, person: Person, history: History) -> None:
        self.follower = Follower(history)
        self.follower.link = self._link = Link(
            person.base,
            person.cookie,
            Patience(),
            history,
            random.Random(person.username),
            on_hello=self.follower.hello,
            on_event=self.follower.event,
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self._link.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def read_up_to(self, room: int, seq: int) -> float:
        """The seconds from the connection's beginning until everything up to `seq` is there."""
        began = time.monotonic()
        async with self.connected():
            async with asyncio.timeout(30):
                await self._link.up.wait()
                await self.follower.has_everything({room: seq})
            return time.monotonic() - began


async def say_much(socket: Socket, room: int, count: int) -> list[int]:
    """Posts `count` messages, a few at a time: their ids."""
    ids = []
    for start in range(0, count, AT_ONCE):
        numbers = [
            await send(socket, "message.post", room=room, text=f"line {n}", nonce=str(uuid.uuid4()))
            for n in range(start, min(start + AT_ONCE, count))
        ]
        replies = [await answer(socket, number) for number in numbers]
        assert all(reply["ok"] for reply in replies)
        ids += [reply["message"]["id"] for reply in replies]
        socket.events.clear()
    return ids


async def test_five_thousand_messages_are_caught_up_with_in_two_seconds(
    site: Site, seed: str, history: History
) -> None:
    [ada, bob], room = await people_in_a_room(site, "ada-away", "bob-away")
    reader, dice = Reader(bob, history), random.Random(seed)
    async with ada.socket() as socket:
        known = await say_much(socket, room, 30)
        await reader.read_up_to(room, (await socket.do("room.get", room=room))["room"]["seq"])
        written = await say_much(socket, room, AWAY_FOR)
        for message in dice.sample([*known[-20:], *written], 300):
            await socket.do("message.edit", message=message, text=f"edited {message}")
        for message in dice.sample([*known[-20:], *written], 150):
            await socket.do("message.delete", message=message)
        seq = (await socket.do("room.get", room=room))["room"]["seq"]

    seconds = await reader.read_up_to(room, seq)
    view = reader.follower.view()[str(room)]
    assert list(list_is_the_log(await truth_of(site, [room]), room, view)) == []
    assert len(view["messages"]) > AWAY_FOR
    assert view["reloads"] == 0
    assert seconds <= 2.0


async def test_who_is_too_far_behind_begins_anew_without_a_hole(site: Site, history: History) -> None:
    [ada, bob], room = await people_in_a_room(site, "ada-far", "bob-far")
    reader = Reader(bob, history)
    async with ada.socket() as socket:
        await say_much(socket, room, 20)
        before = (await socket.do("room.get", room=room))["room"]["seq"]
    await reader.read_up_to(room, before)
    await site.query(
        "WITH grown AS (UPDATE rooms SET last_seq = last_seq + $2 WHERE id = $1 RETURNING last_seq - $2 AS base) "
        "INSERT INTO messages (room_id, seq, changed, sender_id, nonce, text) "
        "SELECT $1, base + step, base + step, $3, gen_random_uuid(), 'line ' || step "
        "FROM grown, generate_series(1, $2) AS step",
        room,
        TOO_FAR + 1,
        ada.id,
    )

    await reader.read_up_to(room, before + TOO_FAR + 1)
    timeline = reader.follower.timelines[room]
    assert timeline.reloads == 1
    assert len(timeline.messages) == 50
    truth = await truth_of(site, [room])
    assert list(list_is_the_log(truth, room, reader.follower.view()[str(room)])) == []

    async with bob.socket() as socket:  # further up, page by page
        while timeline.oldest:
            timeline.earlier(await socket.do("message.list", room=room, before=timeline.oldest))
    assert len(timeline.messages) == before + TOO_FAR + 1
    assert list(list_is_the_log(truth, room, reader.follower.view()[str(room)])) == []

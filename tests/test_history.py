"""History in pages: each a slice of the log, whatever is asked for; long messages make it shorter, never incomplete."""

import random
import uuid
from typing import Any

import pytest

from chat.actions.messages import PAGE_CHARACTERS
from chat.models.posting import Posting, store
from tests.conftest import World
from tests.people import Person, Socket

LONG = "😀" * 10_000


async def fill(world: World, person: Person, room: int, texts: list[str]) -> None:
    """All at once, as a full commit of the journal does."""
    async with world.server.db.autocommit() as db:
        await store(db, [Posting(room, person.id, uuid.uuid4(), text) for text in texts])


def seqs(page: dict[str, Any]) -> list[int]:
    return [message["seq"] for message in page["messages"]]


async def test_a_page_is_a_slice_of_the_log_wherever_it_is_asked_for(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    await fill(world, ada, room, [f"message {number}" for number in range(119)])
    last = await world.last_seq(room)
    rng = random.Random(3)
    async with ada.socket() as socket:
        for _ in range(100):
            seq, limit = rng.randrange(0, last + 30), rng.randrange(1, 51)
            page = await socket.do("message.list", room=room, before=seq, limit=limit)
            assert seqs(page) == [each for each in range(1, last + 1) if each < seq][-limit:]
            assert page["older"] == (bool(page["messages"]) and page["messages"][0]["seq"] > 1)
            assert page["newer"] == (seq <= last)
            page = await socket.do("message.list", room=room, after=seq, limit=limit)
            assert seqs(page) == [each for each in range(1, last + 1) if each > seq][:limit]
            assert page["older"] == (seq > 0)
            assert page["newer"] == (bool(page["messages"]) and page["messages"][-1]["seq"] < last)
            page = await socket.do("message.list", room=room, around=seq, limit=limit)
            found = seqs(page)
            assert found == list(range(found[0], found[-1] + 1)) if found else seq > last
            assert seq in found or seq in (0, *range(last + 1, last + 31))
            assert len(found) <= limit
            if found:
                assert (page["older"], page["newer"]) == (found[0] > 1, found[-1] < last)
        newest = await socket.do("message.list", room=room)
        assert seqs(newest) == list(range(last - 49, last + 1))
        assert (newest["older"], newest["newer"], newest["seq"]) == (True, False, last)


async def test_an_empty_room_has_an_empty_page(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as socket:
        room = (await socket.do("room.direct", user=bob.id))["room"]["id"]
        for where in ({}, {"before": 1}, {"around": 0}, {"around": 7}):
            page = await socket.do("message.list", room=room, **where)
            assert (page["messages"], page["older"], page["seq"]) == ([], False, 0)


@pytest.mark.parametrize(
    "where",
    [
        {"limit": 0},
        {"limit": 51},
        {"limit": -1},
        {"before": 3, "after": 1},
        {"before": 3, "around": 3},
        {"before": -1},
        {"after": 2**53},
    ],
    ids=str,
)
async def test_a_page_that_cannot_be_is_refused_at_both_doors(world: World, where: dict[str, int]) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        error = await socket.refused("message.list", room=room, **where)
        assert error["code"] == "invalid"
        assert error["field"] in where
    query = "&".join(f"{name}={value}" for name, value in where.items())
    assert (await ada.http("GET", f"/rooms/{room}/messages?{query}")).code == 422


async def test_both_doors_give_the_same_page(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    await fill(world, ada, room, [f"message {number}" for number in range(9)])
    async with ada.socket() as socket:
        for where in ({}, {"before": 5}, {"after": 5}, {"around": 5}, {"limit": 2}):
            told = await socket.do("message.list", room=room, **where)
            query = "&".join(f"{name}={value}" for name, value in where.items())
            asked = await ada.api("GET", f"/rooms/{room}/messages?{query}")
            assert asked == {name: value for name, value in told.items() if name not in ("id", "ok")}


async def walk(socket: Socket, room: int, back: bool) -> tuple[list[int], int]:
    """(every seq met by paging through the whole room, the greatest number of characters in one page)"""
    met: list[int] = []
    greatest = 0
    page = await socket.do("message.list", room=room, **({} if back else {"after": 0}))
    while True:
        greatest = max(greatest, sum(len(message["text"]) for message in page["messages"]))
        met = seqs(page) + met if back else met + seqs(page)
        if not page["older" if back else "newer"]:
            return met, greatest
        page = await socket.do("message.list", room=room, **({"before": met[0]} if back else {"after": met[-1]}))


async def test_long_messages_make_shorter_pages_and_none_is_left_out(world: World) -> None:
    """A reply that takes long to arrive would make its reader look slow, and get it closed."""
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    await fill(world, ada, room, [LONG if number % 3 else "short" for number in range(60)])
    last = await world.last_seq(room)
    async with ada.socket() as socket:
        for back in (True, False):
            met, greatest = await walk(socket, room, back)
            assert met == list(range(1, last + 1))
            assert greatest <= PAGE_CHARACTERS
        page = await socket.do("message.list", room=room, around=30)
        assert 30 in seqs(page)
        assert (page["older"], page["newer"]) == (True, True)
        assert sum(len(message["text"]) for message in page["messages"]) <= PAGE_CHARACTERS


async def test_catching_up_with_long_messages_takes_more_pages_and_misses_nothing(world: World) -> None:
    ada = await world.person("ada")
    rooms = [await world.room(ada, f"room {number}") for number in range(4)]
    for room in rooms:
        await fill(world, ada, room, [LONG] * 25)
    async with ada.socket() as socket:
        cursors = {str(room): 0 for room in rooms}
        met: dict[int, list[int]] = {room: [] for room in rooms}
        rounds = 0
        while cursors:
            rounds += 1
            reply = await socket.do("resume", epoch=socket.hello["epoch"], rooms=cursors)
            told = [message["text"] for sync in reply["rooms"] for message in sync["messages"]]
            assert sum(map(len, told)) <= 2 * PAGE_CHARACTERS
            for sync in reply["rooms"]:
                met[sync["room"]] += seqs(sync)
            cursors = {str(sync["room"]): sync["to"] for sync in reply["rooms"] if sync["more"]}
        assert met == {room: list(range(1, 27)) for room in rooms}
        assert rounds > 4
        sync = (await socket.do("room.sync", room=rooms[0], after=1))["sync"]
        assert sync["more"]
        assert sum(len(message["text"]) for message in sync["messages"]) <= PAGE_CHARACTERS


async def test_resuming_over_http_is_the_same_as_by_socket(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    await fill(world, ada, room, ["hello"])
    async with ada.socket() as socket:
        for epoch in (socket.hello["epoch"], str(uuid.uuid4())):
            given = {"epoch": epoch, "rooms": {str(room): 1, "999": 5}}
            told = await socket.do("resume", **given)
            assert await ada.api("POST", "/resume", given) == {"rooms": told["rooms"]}

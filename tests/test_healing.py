"""Holes in a room's log: what nobody was told of is told from the database, as much as a room can bear at once."""

import uuid

import pytest

from chat.errors import Busy
from chat.models import rooms
from chat.models.posting import Posting, store
from tests.conftest import World
from tests.people import Person


async def store_untold(world: World, person: Person, room: int, texts: list[str]) -> None:
    """As if another program had done it: nobody is told."""
    async with world.server.db.autocommit() as db:
        await store(db, [Posting(room, person.id, uuid.uuid4(), text) for text in texts])


async def test_a_hole_of_several_pages_is_filled_and_what_came_after_it_follows(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        before = await world.last_seq(room)
        await store_untold(world, ada, room, [f"untold {number}" for number in range(450)])
        after = await at_ada.post(room, "told")
        cursor = before
        while cursor < after["seq"]:
            sync = (await at_bob.event("room.sync"))["sync"]
            assert sync["from"] == cursor
            cursor = sync["to"]
        assert cursor == after["seq"]
        next_one = await at_ada.post(room, "the next one")
        assert (await at_bob.event("message.posted"))["seq"] == next_one["seq"]


@pytest.mark.parametrize("texts", [["short"] * 1200, ["x" * 10_000] * 70], ids=["many", "long"])
async def test_a_hole_that_is_too_much_for_a_room_is_told_as_such(world: World, texts: list[str]) -> None:
    """Ten thousand long messages would make everybody in the room look slow; who wants them asks for them."""
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await store_untold(world, ada, room, texts)
        after = await at_ada.post(room, "told")
        assert (await at_bob.event("room.sync"))["sync"] == {"room": room, "to": after["seq"], "reload": True}
        next_one = await at_ada.post(room, "the next one")
        assert (await at_bob.event("message.posted"))["seq"] == next_one["seq"]


@pytest.mark.logs("roomful.healing: a hole in room:1 after 2 waits for the database")
async def test_healing_waits_for_a_database_that_is_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    usual, tries = rooms.last_seq, 0

    async def away_at_first(*arguments: object) -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Busy
        return await usual(*arguments)  # type: ignore[arg-type]

    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await store_untold(world, ada, room, ["untold"])
        monkeypatch.setattr(rooms, "last_seq", away_at_first)
        after = await at_ada.post(room, "told")
        assert (await at_bob.event("room.sync"))["sync"]["to"] == after["seq"]

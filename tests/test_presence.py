"""Presence: right with several tabs, after a crash, for guests, and in batches."""

import asyncio

import pytest

from chat.hub import presence
from tests.conftest import World
from tests.people import Person, Socket


@pytest.fixture(autouse=True)
def quick(world: World) -> None:
    """What takes half a minute for people takes a moment here."""
    world.server.presence._offline_seconds = 0.3
    world.server.presence._batch_seconds = 0.05


async def told(socket: Socket, person: Person, state: str) -> None:
    """Waits until the socket hears of that person in that state."""
    while person.id not in (await socket.event("presence.changed")).get(state, []):
        pass


async def test_coming_going_away_and_leaving_are_told(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as at_ada:
        async with bob.socket() as at_bob:
            await told(at_ada, bob, "online")
            await at_bob.do("presence.set", state="away")
            await told(at_ada, bob, "away")
            await at_bob.do("presence.set", state="online")
            await told(at_ada, bob, "online")
        await told(at_ada, bob, "offline")
        async with asyncio.timeout(5):  # it is written down just after it was told
            while not (seen := (await at_ada.do("user.get", user=bob.id))["user"]).get("last_seen"):
                pass
        assert seen["presence"] == "offline"
        assert seen["last_seen"] is not None


async def test_several_tabs_are_one_person_who_is_there_while_one_of_them_is(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as at_ada, bob.socket() as one:
        await told(at_ada, bob, "online")
        async with bob.socket() as two:
            await one.do("presence.set", state="away")
            assert world.server.presence.of(bob.id) == "online"
            await two.do("presence.set", state="away")
            await told(at_ada, bob, "away")
            await two.do("presence.set", state="online")
            await told(at_ada, bob, "online")
        await told(at_ada, bob, "away")


async def test_a_reload_is_no_reason_to_look_gone(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    world.server.presence._offline_seconds = 5
    async with ada.socket() as at_ada:
        async with bob.socket():
            await told(at_ada, bob, "online")
        assert world.server.presence.of(bob.id) == "online"
        async with bob.socket() as again:
            await again.do("ping")
            heard = [event for event in await at_ada.settle() if event.get("event") == "presence.changed"]
            assert not any(bob.id in event.get("offline", []) for event in heard)


async def test_a_tab_that_crashes_is_noticed(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await told(at_ada, bob, "online")
        at_bob.link.transport.abort()
        await told(at_ada, bob, "offline")


async def test_guests_hear_only_of_people_they_share_a_room_with(world: World) -> None:
    ada, bob, guest = await world.person("ada"), await world.person("bob"), await world.person("gus", "guest")
    await world.room(ada, "with the guest", guest)
    async with guest.socket() as at_guest, bob.socket():
        await asyncio.sleep(0.2)
        async with ada.socket():
            await told(at_guest, ada, "online")
        await told(at_guest, ada, "offline")
        heard = [event for event in await at_guest.settle() if event.get("event") == "presence.changed"]
        assert not any(bob.id in ids for event in heard for ids in event.values() if isinstance(ids, list))


async def test_a_crowd_is_told_in_frames_of_bounded_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "BATCH_SIZE", 3)
    ada = await world.person("ada")
    crowd = [await world.person(f"user{turn}") for turn in range(8)]
    async with ada.socket() as at_ada:
        await told(at_ada, ada, "online")
        world.server.presence._batch_seconds = 0.2
        sockets = [person.socket() for person in crowd]
        opened = [await socket.__aenter__() for socket in sockets]
        missing = {person.id for person in crowd}
        while missing:
            changed = await at_ada.event("presence.changed")
            assert len(changed["online"]) <= 3
            missing -= set(changed["online"])
        assert len(opened) == 8
        for socket in sockets:
            await socket.__aexit__(None, None, None)

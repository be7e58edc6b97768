"""Typing: told to the room's others at once, at most once a second for each person."""

import asyncio

from tests.conftest import World


async def test_the_others_in_the_room_see_who_types(world: World) -> None:
    ada, bob, eve = await world.person("ada"), await world.person("bob"), await world.person("eve")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob, eve.socket() as at_eve:
        await at_ada.do("typing", room=room)
        told = await at_bob.event("typing")
        assert told == {"event": "typing", "room": room, "user": {"id": ada.id, "username": "ada", "name": "Ada"}}
        assert (await at_eve.refused("typing", room=room))["code"] == "not_found"
        for socket in (at_ada, at_eve):
            assert not [event for event in await socket.settle() if event.get("event") == "typing"]


async def test_a_hundred_notices_in_a_second_are_heard_as_one(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as desk, ada.socket() as phone, bob.socket() as at_bob:
        started = asyncio.get_running_loop().time()
        replies = [await (desk, phone)[turn % 2].ask("typing", room=room) for turn in range(100)]
        seconds = asyncio.get_running_loop().time() - started
        accepted = sum(reply["ok"] for reply in replies)
        assert 1 <= accepted <= 1 + int(seconds)
        refusal = next(reply["error"] for reply in replies if not reply["ok"])
        assert refusal["code"] == "rate_limited"
        assert 0 < refusal["retry_after"] <= 1
        heard = [event for event in await at_bob.settle() if event.get("event") == "typing"]
        assert len(heard) == accepted


async def test_a_room_hears_a_few_notices_a_second_however_many_type(world: World) -> None:
    ada = await world.person("ada")
    others = [await world.person(f"user{turn}") for turn in range(14)]
    room = await world.room(ada, "general", *others)
    async with ada.socket() as at_ada:
        started = asyncio.get_running_loop().time()
        for other in others:
            async with other.socket() as socket:
                await socket.do("typing", room=room)
        seconds = asyncio.get_running_loop().time() - started
        heard = [event for event in await at_ada.settle() if event.get("event") == "typing"]
        assert 10 <= len(heard) <= min(14, 11 + 5 * seconds)

"""The hello: nothing is missed between it and what follows, whatever happens while it is being made."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chat.actions.greeting import Greeter, Hello, Newcomer
from chat.models import rooms
from tests.conftest import World
from tests.people import Person

Step = Callable[[], Awaitable[object]]


async def post(person: Person, room: int, text: str) -> None:
    await person.api("POST", f"/rooms/{room}/messages", {"nonce": str(uuid.uuid4()), "text": text})


async def test_who_was_looked_up_first_and_greeted_last_misses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room's log begins in this process with whoever is greeted first, who may have looked later."""
    ada, bob, eve = await world.person("ada"), await world.person("bob"), await world.person("eve")
    room = await world.room(ada, "general", bob, eve)
    looked, go_on = asyncio.Event(), asyncio.Event()
    usual = Greeter.hello

    async def slow_for_bob(greeter: Greeter, newcomer: Newcomer) -> Hello:
        hello = await usual(greeter, newcomer)
        if newcomer.actor.user == bob.id and not looked.is_set():
            looked.set()
            await go_on.wait()
        return hello

    monkeypatch.setattr(Greeter, "hello", slow_for_bob)

    async def connected() -> tuple[dict[str, Any], list[int]]:
        async with bob.socket() as socket:
            heard = [event["seq"] for event in await socket.settle() if event["event"] == "message.posted"]
            return socket.hello["rooms"][0], heard

    coming = asyncio.create_task(connected())
    await looked.wait()
    await post(ada, room, "while Bob's hello is on its way")
    async with eve.socket() as socket:
        last = socket.hello["rooms"][0]["seq"]
        go_on.set()
        seen, heard = await coming
    assert last == await world.last_seq(room)
    assert seen["seq"] == last or last in heard
    assert (seen["seq"], seen["unread"]) == (last, 1) or heard == [last]


async def between_the_looks(monkeypatch: pytest.MonkeyPatch, before: Step, after: Step) -> None:
    """Has `before` happen when the rooms of a newcomer are known, and `after` when they have been looked at."""
    usual = rooms.of_each
    done = False

    async def of_each(*arguments: Any) -> Any:
        nonlocal done
        if done:
            return await usual(*arguments)
        done = True
        await before()
        found = await usual(*arguments)
        await after()
        return found

    monkeypatch.setattr(rooms, "of_each", of_each)


async def nothing() -> None:
    pass


async def test_who_leaves_and_comes_back_during_the_hello_hears_the_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    await between_the_looks(
        monkeypatch,
        before=lambda: bob.api("POST", f"/rooms/{room}/leave"),
        after=lambda: bob.api("POST", f"/rooms/{room}/join"),
    )
    async with bob.socket() as socket:
        await post(ada, room, "welcome back")
        assert (await socket.event("message.posted", seq=await world.last_seq(room)))["room"] == room


async def test_who_is_removed_during_the_hello_hears_nothing_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob, kind="private")
    for step in ("before", "after"):
        steps: dict[str, Step] = {"before": nothing, "after": nothing}
        steps[step] = lambda: ada.api("DELETE", f"/rooms/{room}/members/{bob.id}")
        with monkeypatch.context() as patched:
            await between_the_looks(patched, **steps)
            async with bob.socket() as socket:
                await post(ada, room, "without Bob")
                events = await socket.settle()
                assert not [event for event in events if event["event"].startswith("message.")]
                if socket.hello["rooms"]:
                    assert [event["reason"] for event in events if event["event"] == "room.left"] == ["removed"]
        await ada.api("POST", f"/rooms/{room}/members", {"users": [bob.id]})


async def test_who_is_added_during_the_hello_hears_the_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general")
    for step in ("before", "after"):
        steps: dict[str, Step] = {"before": nothing, "after": nothing}
        steps[step] = lambda: ada.api("POST", f"/rooms/{room}/members", {"users": [bob.id]})
        with monkeypatch.context() as patched:
            await between_the_looks(patched, **steps)
            async with bob.socket() as socket:
                await post(ada, room, "welcome")
                await socket.event("message.posted", seq=await world.last_seq(room))
        await ada.api("DELETE", f"/rooms/{room}/members/{bob.id}")


async def test_who_signs_out_during_the_hello_is_sent_to_sign_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await world.person("ada")
    await world.room(ada, "general")
    await between_the_looks(monkeypatch, before=lambda: ada.http("DELETE", "/session"), after=nothing)
    with pytest.raises(Exception, match="4401"):
        async with ada.socket():
            pass
    await world.server.hub.emptied()

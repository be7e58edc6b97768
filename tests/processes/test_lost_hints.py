"""Redis promises nothing: whatever becomes of it and of the hints in it, nothing is lost and little of it shows."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chat.hub.hub import room_topic
from chat.lib import bus
from chat.lib.bus import HEADER
from chat.lib.db import Admit, Evict
from tests.conftest import World
from tests.people import Socket
from tests.processes.conftest import Start
from tests.processes.own_redis import OwnRedis
from tests.processes.test_as_one import at, sees
from tests.waiting import until


def are_up(*worlds: World) -> bool:
    return all(world.server.bus is not None and world.server.bus.is_up for world in worlds)


async def message_in(socket: Socket, text: str) -> None:
    """Told live, or by a healed gap."""
    async with asyncio.timeout(5):
        while True:
            for event in socket.events:
                told = [event["message"]] if "message" in event else event.get("sync", {}).get("messages", [])
                if any(message["text"] == text for message in told):
                    return
            socket.events.append(await socket.receive())


def times_told(socket: Socket, text: str) -> int:
    live = [event for event in socket.events if event["event"] == "message.posted"]
    return sum(event["message"]["text"] == text for event in live)


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
        await until(lambda: are_up(one, other))
        again = await at_one.post(second, "light again")
        await until(lambda: other.server.hub.head(f"room:{second}") == again["seq"])


@pytest.mark.logs("Redis is away")
async def test_what_happens_while_redis_is_restarted_empty_is_found_at_once(
    worlds: tuple[World, World], redis: OwnRedis
) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room, second = await one.room(ada, "general", bob), await one.room(ada, "second")
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        await until(lambda: one.server.presence.of(bob.id) == "online")
        redis.kill()
        await at_one.do("member.remove", room=room, user=bob.id)
        await at_one.do("member.add", room=second, users=[bob.id])
        await redis.start()
        began = time.monotonic()
        assert (await at_other.event("room.left"))["room"] == room
        assert (await at_other.event("room.joined"))["room"]["id"] == second
        assert time.monotonic() - began < 2
        await until(lambda: are_up(one, other))
        assert one.server.presence.of(bob.id) == other.server.presence.of(ada.id) == "online"
        async with at(other, ada).socket():
            await at_other.do("presence.set", state="away")
            await until(lambda: one.server.presence.of(bob.id) == "away")


@pytest.mark.logs("Redis is away .it does not answer")
async def test_a_frozen_redis_delays_by_a_second_and_loses_nothing(
    worlds: tuple[World, World], redis: OwnRedis
) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room, second = await one.room(ada, "general", bob), await one.room(ada, "second")
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        redis.freeze()
        try:
            delays = []
            for turn in range(3):
                began = time.monotonic()
                await at_one.post(room, f"frozen {turn}")
                await message_in(at_other, f"frozen {turn}")
                delays.append(time.monotonic() - began)
            assert max(delays) < 1.5, delays
            await at_one.do("member.add", room=second, users=[bob.id])
            assert (await at_other.event("room.joined"))["room"]["id"] == second
            await at_one.do("member.remove", room=room, user=bob.id)
            await at_one.post(room, "not for bob")
            assert (await at_other.event("room.left"))["room"] == room
        finally:
            redis.thaw()
        await until(lambda: are_up(one, other))
        await at_one.post(second, "thawed")
        await message_in(at_other, "thawed")
        assert all(times_told(at_other, f"frozen {turn}") <= 1 for turn in range(3))
        assert not times_told(at_other, "not for bob")


@pytest.mark.logs("Redis is away")
async def test_marks_and_names_agree_again_after_a_loss(worlds: tuple[World, World], redis: OwnRedis) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob", role="owner")
    room = await one.room(ada, "general", bob)
    async with bob.socket() as laptop, at(other, bob).socket() as phone, ada.socket() as adas:
        last = await adas.post(room, "read this")
        await phone.event("message.posted")
        redis.kill()
        await laptop.do("room.read", room=room, seq=last["seq"])
        await laptop.do("room.involve", room=room, involvement="mentions")
        await laptop.do("workspace.update", name="Renamed")
        await laptop.do("me.update", name="Bob Renamed")
        # What is found too early, before the change, is told as well.
        await phone.event("room.read", read=last["seq"], unread=0)
        await phone.event("room.involved", room=room, involvement="mentions")
        await phone.event("workspace.changed", workspace={"name": "Renamed", "open_registration": False})
        renamed = {"id": bob.id, "username": "bob", "name": "Bob Renamed", "role": "owner"}
        await phone.event("user.changed", user=renamed)


@pytest.fixture
def deaf(worlds: tuple[World, World], monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on the second server takes hints without doing what they say, and does not know that it should."""
    bridge = worlds[1].server.bridge
    return lambda: monkeypatch.setattr(bridge, "hear", lambda process, payload: True)


async def test_a_gap_is_filled_only_for_those_who_are_still_in_the_room(
    worlds: tuple[World, World], deaf: Callable[[], None]
) -> None:
    one, other = worlds
    ada, bob, cyd = [await one.person(name) for name in ("ada", "bob", "cyd")]
    room = await one.room(ada, "general", bob, cyd)
    async with ada.socket() as at_one, at(other, bob).socket() as bobs, at(other, cyd).socket() as cyds:
        deaf()
        await at_one.do("member.remove", room=room, user=bob.id)
        await at_one.post(room, "now that bob is gone")
        await message_in(cyds, "now that bob is gone")
        await bobs.event("room.left", room=room)
        assert not {"message.posted", "room.sync"} & {event["event"] for event in await bobs.settle()}


async def test_who_came_back_is_not_put_out_by_late_news_of_their_leaving(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with at(other, bob).socket() as bobs, ada.socket() as adas:
        topic = room_topic(room)
        hub, last = other.server.hub, await one.last_seq(room)
        hub.hear([Admit(bob.id, topic, last)])
        hub.hear([Evict(bob.id, topic, last - 1)])
        await adas.post(room, "still here?")
        await message_in(bobs, "still here?")
        hub.hear([Evict(bob.id, topic, last + 3)])
        hub.hear([Admit(bob.id, topic, last + 2)])
        assert bob.id not in hub.audience(topic)


@pytest.mark.logs("another version of Roomful")
async def test_hints_that_nobody_understands_stop_nothing(worlds: tuple[World, World], redis: OwnRedis) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other, redis.client() as client:
        (channel,) = await client.pubsub_channels()
        strange = [b"", b"short", b"x" * 40, HEADER.pack(b"newprocs", 1) + b"\xc1", HEADER.pack(b"\xff" * 8, 1)]
        for each in strange:
            await client.publish(channel, each)
        await at_one.post(room, "heard as ever")
        await at_other.event("message.posted")
        assert are_up(one, other)


async def test_who_was_connected_to_a_killed_process_is_offline_soon(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience = bus.SILENT_SECONDS + bus.PULSE_SECONDS + bus.GRACE_SECONDS
    one, other = await start(), await start()
    assert patience + one.server.presence._offline_seconds + one.server.presence._batch_seconds < 55
    monkeypatch.setattr(bus, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(one.server.presence, "_offline_seconds", 0.5)
    ada, bob = await one.person("ada"), await one.person("bob")
    async with ada.socket() as at_one, at(other, bob).socket():
        await sees(at_one, "online", bob)
        assert other.server.bus is not None
        for task in other.server.bus._tasks:  # as dead men do: without a word
            task.cancel()
        await sees(at_one, "offline", bob)


async def test_a_process_that_was_frozen_for_long_is_heard_again_with_its_people(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await start(), await start()
    monkeypatch.setattr(bus, "SILENT_SECONDS", 1.0)
    ada, bob = await one.person("ada"), await one.person("bob")
    async with ada.socket() as at_one, at(other, bob).socket():
        await sees(at_one, "online", bob)
        other_bus = other.server.bus
        assert other_bus is not None
        monkeypatch.setattr(other_bus, "say", lambda payload: None)
        await until(lambda: not one.server.presence._elsewhere)
        monkeypatch.undo()
        await until(lambda: bob.id in one.server.presence._elsewhere.get(other.server.process, {}))
        assert one.server.presence.of(bob.id) == "online"

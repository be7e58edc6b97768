"""Several processes on one database and one Redis behave as one server."""

import asyncio
import uuid

import pytest

from chat.hub import bridge
from chat.lib.postgres import EmbeddedPostgres
from tests.conftest import World
from tests.databases import Databases
from tests.people import Person, Socket
from tests.processes.conftest import Start
from tests.processes.own_redis import OwnRedis
from tests.waiting import until


def at(world: World, person: Person) -> Person:
    """The same person, who asks another process."""
    return Person(world.base, person.username, person.name, person.id, person.cookie, person.email)


async def sees(socket: Socket, state: str, *people: Person) -> None:
    """Is told that all of them are `state`: together or one after the other."""
    missing = {person.id for person in people}
    while missing:
        missing -= set((await socket.event("presence.changed")).get(state, ()))


async def test_what_is_posted_to_one_process_is_heard_at_the_other_in_one_order(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        for turn in range(10):
            await at_one.post(room, f"ada {turn}")
            await at_other.post(room, f"bob {turn}")
        heard = [[(await s.event("message.posted"))["seq"] for _ in range(20)] for s in (at_one, at_other)]
        assert heard[0] == heard[1] == sorted(heard[0])


async def test_the_authors_tab_at_the_other_process_learns_which_pending_message_was_sent(
    worlds: tuple[World, World],
) -> None:
    """Who has only one connection anywhere is told nothing that the reply does not say."""
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    nonce = str(uuid.uuid4())
    async with ada.socket() as at_one, at(other, ada).socket() as at_other, bob.socket() as bobs:
        await until(lambda: one.server.hub.has_several(ada.id))
        posted = await at_one.post(room, "from one tab", nonce)
        assert await at_other.event("message.sent") == {"event": "message.sent", "nonce": nonce, "message": posted}
        await bobs.post(room, "from the only tab")
        assert not [event for event in await bobs.settle() if event["event"] == "message.sent"]


async def test_who_is_removed_in_one_process_hears_nothing_more_in_the_other(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room, both = await one.room(ada, "general", bob), await one.room(ada, "both", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        await at_one.do("member.remove", room=room, user=bob.id)
        left = await at_other.event("room.left")
        assert left["room"] == room
        at_other.events.clear()  # of before
        await at_one.post(room, "after")
        await at_one.post(both, "in another room, and later")
        await at_other.event("message.posted", room=both)
        # that they left may be told twice: by the hint, and by whoever looked it up
        heard = [event for event in await at_other.settle() if event.get("room") == room]
        assert not [event for event in heard if event["event"] != "room.left"]
        await at_one.do("member.add", room=room, users=[bob.id])
        await at_other.event("room.joined")
        await at_one.post(room, "welcome back")
        assert (await at_other.event("message.posted", room=room))["message"]


async def test_presence_and_typing_cross_processes(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        await at_one.event("presence.changed")
        await until(lambda: one.server.presence.of(bob.id) == "online")
        await at_other.do("presence.set", state="away")
        await until(lambda: one.server.presence.of(bob.id) == "away")
        await at_other.do("typing", room=room)
        assert (await at_one.event("typing"))["user"]["id"] == bob.id
        async with bob.socket():
            assert one.server.presence.of(bob.id) == "online"
            await until(lambda: other.server.presence.of(bob.id) == "online")


async def test_a_session_that_ends_in_one_process_is_closed_in_the_other(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada = await one.person("ada")
    async with at(other, ada).socket() as at_other:
        await ada.http("DELETE", "/session")
        assert await at_other.closed(seconds=1) == 4401


async def test_a_limit_is_shared(start: Start) -> None:
    strict = {"MESSAGE_BURST": "3", "MESSAGES_PER_MINUTE": "1"}
    one, other = await start(**strict), await start(**strict)
    ada = await one.person("ada")
    room = await one.room(ada, "general")
    async with ada.socket() as at_one, at(other, ada).socket() as at_other:
        for text in "abc":
            await at_one.post(room, text)
        await until(lambda: other.server.services.limits.messages.wait(ada.id) > 0)
        nonce = str(uuid.uuid4())
        assert (await at_other.refused("message.post", room=room, text="d", nonce=nonce))["code"] == "rate_limited"


async def test_who_signs_in_rightly_in_one_process_keeps_their_tries_in_the_other(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge, "SPENT_SECONDS", 0.0)  # what a try takes is told before it is given back
    one, other = await start(SIGN_IN_ATTEMPTS="2"), await start(SIGN_IN_ATTEMPTS="2")
    ada = await one.person("ada")
    room = await one.room(ada, "general")
    for _ in range(4):
        await ada.sign_in()
    async with ada.socket() as at_one, at(other, ada).socket() as at_other:
        await at_one.post(room, "all that was said before this was heard before it")
        await at_other.event("message.posted")
    await at(other, ada).sign_in()


async def test_guests_hear_of_people_in_another_process_with_whom_they_share_a_room(
    worlds: tuple[World, World],
) -> None:
    one, other = worlds
    gil, bob, cyd = await one.person("gil", "guest"), await one.person("bob"), await one.person("cyd")
    await one.room(bob, "shared", gil)
    async with gil.socket() as at_one, at(other, bob).socket() as bobs, at(other, cyd).socket() as cyds:
        await sees(at_one, "online", gil, bob)
        assert not [event for event in await at_one.settle() if cyd.id in event.get("online", ())]
        await cyds.do("me.update", name="Cyd Other")
        await bobs.do("me.update", name="Bob Other")
        assert (await at_one.event("user.changed"))["user"]["name"] == "Bob Other"


async def test_a_commit_of_many_long_messages_goes_over_in_pieces(worlds: tuple[World, World]) -> None:
    one, other = worlds
    ada, bob = await one.person("ada"), await one.person("bob")
    room = await one.room(ada, "general", bob)
    said: list[int] = []
    assert one.server.bus is not None
    say = one.server.bus.say
    one.server.hub._say = lambda hint: (said.append(len(hint)), say(hint))  # type: ignore[union-attr, attr-defined]
    async with ada.socket() as at_one, at(other, bob).socket() as at_other:
        longest = "𝄞" * 10_000
        await asyncio.gather(
            *(
                ada.api("POST", f"/rooms/{room}/messages", {"nonce": str(uuid.uuid4()), "text": longest})
                for _ in range(80)
            )
        )
        heard: list[int] = []
        async with asyncio.timeout(20):
            while len(heard) < 80:  # some may come as a hole that was filled: so much takes its time on a busy machine
                told = await at_other.receive()
                if told["event"] == "message.posted":
                    heard.append(told["seq"])
                elif told["event"] == "room.sync":
                    heard += [message["seq"] for message in told["sync"]["messages"]]
        assert heard == list(range(heard[0], heard[0] + 80))
        assert (await at_one.event("message.posted", seq=heard[-1]))["message"]["text"] == longest
    assert sum(said) > 3_000_000
    assert max(said) < 1_200_000


async def test_two_sites_on_one_redis_do_not_hear_each_other(
    start: Start, postgres: EmbeddedPostgres, databases: Databases, redis: OwnRedis
) -> None:
    name = await databases.take(f"test_{uuid.uuid4().hex[:12]}")
    here, there = await start(), await start(postgres.url_of(name))
    async with redis.client() as client:
        channels = await client.pubsub_channels()
        assert len(channels) == 2
        assert [count for _, count in await client.pubsub_numsub(*channels)] == [1, 1]
    ada, eve = await here.person("ada"), await there.person("eve")
    assert (ada.id, await here.room(ada, "general")) == (eve.id, await there.room(eve, "general"))
    async with ada.socket() as at_here, eve.socket() as at_there:
        await at_here.post(1, "not for eve")
        await at_there.post(1, "hello")
        assert (await at_there.event("message.posted"))["message"]["text"] == "hello"
    await there.server.stop()
    await databases.give_back(name)

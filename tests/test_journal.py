"""The journal: one commit for all who wait, each posting once, and nobody's refusal in another's way."""

import asyncio
import uuid
from collections import Counter

import msgspec
import pytest

from chat.actions import access, members
from chat.actions.journal import CROWD
from chat.errors import Conflict, NonceConflict, NotFound, Problem
from chat.lib.db import AsyncConnection
from chat.models import rooms
from chat.models.rooms import Room
from chat.models.sessions import SignedIn
from tests.conftest import World
from tests.statements import counted_statements


async def post(
    world: World, actor: SignedIn, room: int, text: str, nonce: uuid.UUID | None = None
) -> dict[str, object]:
    message = await world.server.services.journal.post(actor, room, nonce or uuid.uuid4(), text)
    decoded: dict[str, object] = msgspec.json.decode(message)
    return decoded


async def test_what_waits_while_a_commit_runs_goes_into_the_next(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    actor = await world.actor(ada)
    with counted_statements(world) as said:
        first = asyncio.create_task(post(world, actor, room, "first"))
        await asyncio.sleep(0)
        await asyncio.gather(first, *(post(world, actor, room, f"later {turn}") for turn in range(100)))
    assert sum("post_messages" in statement for statement in said) <= 3


async def test_a_crowd_is_committed_beside_a_batch_that_waits_for_its_room(world: World) -> None:
    """And each room keeps its order."""
    ada = await world.person("ada")
    held, free = await world.room(ada, "held"), await world.room(ada, "free")
    actor = await world.actor(ada)
    async with world.server.db.transaction() as tx:
        await rooms.lock(tx.db, held)
        waits = [asyncio.create_task(post(world, actor, held, "held 0"))]
        await asyncio.sleep(0)  # the journal takes the first one before the others come
        await asyncio.sleep(0)
        waits += [asyncio.create_task(post(world, actor, held, f"held {turn}")) for turn in range(1, 5)]
        stored = await asyncio.gather(*(post(world, actor, free, f"free {turn}") for turn in range(CROWD)))
        assert not any(task.done() for task in waits)
    for messages in (stored, await asyncio.gather(*waits)):
        assert [each["seq"] for each in messages] == sorted(each["seq"] for each in messages)  # type: ignore[type-var]


async def test_an_authors_messages_keep_their_order(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        for turn in range(50):
            for socket, name in ((at_ada, "ada"), (at_bob, "bob")):
                await socket.link.send(
                    msgspec.json.encode(
                        {
                            "id": turn,
                            "do": "message.post",
                            "room": room,
                            "nonce": str(uuid.uuid4()),
                            "text": f"{name} {turn}",
                        }
                    ).decode()
                )
        heard = [(await at_bob.event("message.posted"))["message"] for _ in range(100)]
    assert [message["seq"] for message in heard] == sorted(message["seq"] for message in heard)
    for name in ("ada", "bob"):
        assert [each["text"] for each in heard if each["sender"]["username"] == name] == [
            f"{name} {n}" for n in range(50)
        ]


async def test_a_repeat_within_one_batch_is_stored_once_and_both_are_answered(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    actor, nonce = await world.actor(ada), uuid.uuid4()
    before = await world.last_seq(room)
    one, two = await asyncio.gather(post(world, actor, room, "once", nonce), post(world, actor, room, "once", nonce))
    assert one == two
    assert await world.last_seq(room) == before + 1


async def test_another_text_under_a_waiting_nonce_is_refused(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    actor, nonce = await world.actor(ada), uuid.uuid4()
    stored = asyncio.create_task(post(world, actor, room, "once", nonce))
    await asyncio.sleep(0)
    with pytest.raises(NonceConflict):
        await post(world, actor, room, "another", nonce)
    assert (await stored)["text"] == "once"


async def test_who_is_refused_does_not_keep_others_out(world: World) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    room, closed = await world.room(ada, "general"), await world.room(ada, "closed")
    await ada.api("POST", f"/rooms/{closed}/archive", {"archived": True})
    at, other = await world.actor(ada), await world.actor(eve)
    before = await world.last_seq(room)

    async def outcome(actor: SignedIn, place: int) -> type[Problem] | None:
        try:
            await post(world, actor, place, "hello")
        except Problem as problem:
            return type(problem)
        return None

    outcomes = await asyncio.gather(
        outcome(at, room),
        outcome(other, room),
        outcome(at, closed),
        outcome(other, closed),
        outcome(at, 999_999),
        outcome(at, room),
    )
    assert outcomes == [None, NotFound, Conflict, NotFound, NotFound, None]
    assert await world.last_seq(room) == before + 2


async def test_who_is_let_in_while_the_journal_looks_why_is_not_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = await world.person("ada"), await world.person("eve")
    room = await world.room(ada, "general")
    owner, newcomer = await world.actor(ada), await world.actor(eve)

    async def look_late(db: AsyncConnection, actor: SignedIn, room: int) -> Room:
        monkeypatch.undo()
        async with world.server.db.transaction() as tx:
            await members.add(tx, owner, room, [actor.user])
        return await access.room_to_post_in(db, actor, room)

    monkeypatch.setattr(access, "room_to_post_in", look_late)
    assert (await post(world, newcomer, room, "hello"))["seq"] == await world.last_seq(room)


async def test_a_repeat_of_an_edited_or_deleted_message_revives_nothing(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    nonces = [str(uuid.uuid4()), str(uuid.uuid4())]
    async with ada.socket() as socket:
        edited, deleted = [await socket.post(room, "as it was", nonce) for nonce in nonces]
        await socket.do("message.edit", message=edited["id"], text="as it is")
        await socket.do("message.delete", message=deleted["id"])
        for nonce, message in zip(nonces, (edited, deleted), strict=True):
            assert (await socket.post(room, "as it was", nonce))["id"] == message["id"]
        listed = (await socket.do("message.list", room=room))["messages"]
        assert [(each["text"], each.get("deleted", False)) for each in listed if "kind" not in each] == [
            ("as it is", False),
            ("", True),
        ]


@pytest.mark.parametrize("size", [1, 12])
async def test_a_post_and_a_connection_ask_no_more_of_a_larger_workspace(world: World, size: int) -> None:
    ada = await world.person("ada")
    others = [await world.person(f"user{n}") for n in range(size)]
    rooms = [await world.room(ada, f"room {n}", *others) for n in range(size)]
    with counted_statements(world) as said:
        async with ada.socket() as socket:
            connecting = Counter(
                statement.split()[0] for statement in said if "FROM sessions" in statement or "memberships" in statement
            )
            del said[:]
            await socket.post(rooms[0], "hello")
            posting = [statement for statement in said if "post_messages" in statement]
    assert connecting.total() <= 4, connecting  # the session, the rooms, the account, what is unread
    assert said == posting, said

"""Catching up: whoever was away ends with exactly what the database holds, each message as it is now."""

import asyncio
import random
from typing import Any

from chat.actions.returning import Return
from tests.conftest import World
from tests.people import Socket
from tests.statements import counted_statements


async def whole(socket: Socket, room: int) -> dict[int, dict[str, Any]]:
    """The room's history as it is now, read page by page: id → message."""
    found: dict[int, dict[str, Any]] = {}
    before = None
    while True:
        page = await socket.do("message.list", room=room, **({"before": before} if before else {}))
        found |= {message["id"]: message for message in page["messages"]}
        if not page["older"]:
            return found
        before = page["messages"][0]["seq"]


async def caught_up(socket: Socket, room: int, after: int) -> tuple[dict[int, dict[str, Any]], int]:
    """(everything changed after the cursor, the cursor now)."""
    found: dict[int, dict[str, Any]] = {}
    while True:
        sync = (await socket.do("room.sync", room=room, after=after))["sync"]
        assert sync["from"] == after
        order = [message.get("changed", message["seq"]) for message in sync["messages"]]
        assert order == sorted(order)
        found |= {message["id"]: message for message in sync["messages"]}
        after = sync["to"]
        if not sync["more"]:
            return found, after


async def test_a_client_that_was_away_ends_with_what_the_database_holds(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    chance = random.Random(20261124)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        posted = [(await at_ada.post(room, f"early {turn}"))["id"] for turn in range(30)]
        view = await whole(at_bob, room)
        cursor = await world.last_seq(room)
        for turn in range(260):
            kind = chance.random()
            living = (
                [each for each in posted if not (await _message(at_ada, each)).get("deleted")] if kind > 0.9 else []
            )
            if living and kind > 0.95:
                await at_ada.do("message.delete", message=chance.choice(living))
            elif living:
                await at_ada.do("message.edit", message=chance.choice(living), text=f"edited at {turn}")
            else:
                posted.append((await at_ada.post(room, f"later {turn}"))["id"])
        changes, cursor = await caught_up(at_bob, room, cursor)
        assert view | changes == await whole(at_ada, room)
        assert cursor == await world.last_seq(room)


async def _message(socket: Socket, message: int) -> dict[str, Any]:
    found: dict[str, Any] = (await socket.do("message.get", message=message))["message"]
    return found


async def test_a_change_is_told_with_a_seq_of_its_own_and_leaves_the_place_in_the_log(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        message = await at_ada.post(room, "teh gauge")
        edited = (await at_ada.do("message.edit", message=message["id"], text="the gauge"))["message"]
        assert (edited["seq"], edited["changed"], edited["text"]) == (message["seq"], message["seq"] + 1, "the gauge")
        assert "edited_at" in edited
        told = await at_bob.event("message.changed")
        assert (told["seq"], told["message"]) == (message["seq"] + 1, edited)
        deleted = (await at_ada.do("message.delete", message=message["id"]))["message"]
        assert (deleted["text"], deleted["deleted"], deleted["changed"]) == ("", True, message["seq"] + 2)
        assert (await at_ada.refused("message.edit", message=message["id"], text="x"))["code"] == "conflict"
        only = (await at_bob.do("room.sync", room=room, after=message["seq"] - 1))["sync"]
        assert only["messages"] == [deleted]


async def test_nobody_rewrites_anothers_words_and_admins_may_delete_them(world: World) -> None:
    ada, bob, root = await world.person("ada"), await world.person("bob"), await world.person("root", "admin")
    room = await world.room(ada, "general", bob, root)
    async with ada.socket() as at_ada, bob.socket() as at_bob, root.socket() as at_root:
        message = (await at_ada.post(room, "mine"))["id"]
        for other in (at_bob, at_root):
            assert (await other.refused("message.edit", message=message, text="not mine"))["code"] == "forbidden"
        assert (await at_bob.refused("message.delete", message=message))["code"] == "forbidden"
        assert (await at_root.do("message.delete", message=message))["message"]["deleted"] is True
        created = (await at_ada.do("message.list", room=room))["messages"][0]
        assert (await at_ada.refused("message.delete", message=created["id"]))["code"] == "forbidden"


async def test_who_resumes_gets_what_they_lack_of_each_room(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    one, two, gone = [await world.room(ada, name, bob) for name in ("one", "two", "gone")]
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        epoch = at_bob.hello["epoch"]
        cursors = {str(room): await world.last_seq(room) for room in (one, two, gone)}
        said = await at_ada.post(one, "while bob is away")
        await at_ada.do("member.remove", room=gone, user=bob.id)
        answer = (await at_bob.do("resume", epoch=epoch, rooms=cursors | {"999999": 3}))["rooms"]
        found = {sync["room"]: sync for sync in answer}
        assert found[one]["messages"] == [said]
        assert (found[two]["messages"], found[two]["more"]) == ([], False)
        assert found[gone] == {"room": gone, "left": True}
        assert found[999_999] == {"room": 999_999, "left": True}
        other_history = (await at_bob.do("resume", epoch="another", rooms={str(one): cursors[str(one)]}))["rooms"]
        assert other_history == [{"room": one, "to": said["seq"], "reload": True}]


async def test_a_cursor_from_the_future_is_told_to_reload(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        last = await world.last_seq(room)
        sync = (await socket.do("room.sync", room=room, after=last + 1))["sync"]
        assert sync == {"room": room, "to": last, "reload": True}
        assert (await socket.refused("room.sync", room=room, after=-1))["field"] == "after"


async def test_history_comes_in_pages_both_ways_and_around_a_message(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        seqs = [(await socket.post(room, f"{turn}"))["seq"] for turn in range(60)]

        async def page(**where: int) -> tuple[list[int], bool, bool]:
            answer = await socket.do("message.list", room=room, **where)
            assert answer["seq"] == seqs[-1]
            return [message["seq"] for message in answer["messages"]], answer["older"], answer["newer"]

        assert await page() == (seqs[-50:], True, False)
        assert await page(before=seqs[10], limit=10) == (seqs[:10], True, True)
        assert await page(before=seqs[0]) == ([1], False, True)
        assert await page(after=seqs[9], limit=5) == (seqs[10:15], True, True)
        assert await page(after=seqs[-3]) == (seqs[-2:], True, False)
        assert await page(around=seqs[30], limit=4) == (seqs[28:32], True, True)
        assert await page(around=seqs[-1], limit=10) == (seqs[-6:], True, False)
        for wrong in ({"limit": 51}, {"limit": 0}, {"before": 3, "after": 3}, {"around": "x"}):
            assert (await socket.refused("message.list", room=room, **wrong))["code"] == "invalid", wrong


async def test_a_lost_telling_is_healed_from_the_database(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    publish, world.server.db._publish = world.server.db._publish, None
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        message = await at_ada.post(room, "told by the journal")
        await at_bob.event("message.posted")
        await at_ada.do("message.edit", message=message["id"], text="told by nobody")
        world.server.db._publish = publish
        after = await at_ada.post(room, "and the next one shows the hole")
        healed = (await at_bob.event("room.sync"))["sync"]
        assert (healed["from"], healed["to"]) == (message["seq"], after["seq"])
        assert [each["text"] for each in healed["messages"]] == ["told by nobody", "and the next one shows the hole"]


async def test_a_hole_without_a_next_event_is_found_by_looking(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    publish, world.server.db._publish = world.server.db._publish, None
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await at_ada.do("room.update", room=room, topic="told by nobody")
        world.server.db._publish = publish
        healed = (await at_bob.event("room.sync"))["sync"]
        assert [each["kind"] for each in healed["messages"]] == ["topic"]


async def test_many_who_come_back_at_once_are_looked_up_together(world: World) -> None:
    """Each gets their own rooms; what all lack of the same room is read once for those in one look."""
    ada, bob = await world.person("ada"), await world.person("bob")
    both, only_hers = await world.room(ada, "general", bob), await world.room(ada, "hers")
    returns, looked_at = world.server.services.returns, {both: await world.last_seq(both)}
    async with ada.socket() as socket:
        epoch = socket.hello["epoch"]
        for room in (both, only_hers):
            await socket.post(room, "while they were away")
    backs = [Return(person.id, epoch, looked_at | {only_hers: 0}) for person in (ada, bob) for _ in range(10)]
    with counted_statements(world) as said:
        answers = await asyncio.gather(*(returns.resume(back) for back in backs))
    assert len([statement for statement in said if "messages" in statement]) <= 4
    assert len(said) <= 12
    for back, answer in zip(backs, answers, strict=True):
        general, hers = answer
        assert [message.text for message in general.messages or ()] == ["while they were away"]
        assert general.to == looked_at[both] + 1
        assert hers.left == (back.user == bob.id)
        assert bool(hers.messages) == (back.user == ada.id)

"""Rooms: made, found, named, closed; every change is a line in the room's log."""

import asyncio

from tests.conftest import World


async def test_a_room_begins_with_who_made_it_and_who_was_added(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        made = (await at_ada.do("room.create", name="  Tide   tables ", kind="private", members=[bob.id]))["room"]
        assert (made["name"], made["kind"], made["unread"], made["member"]) == ("Tide tables", "private", 0, True)
        assert (await at_bob.event("room.joined"))["room"]["id"] == made["id"]
        lines = (await at_ada.do("message.list", room=made["id"]))["messages"]
        assert [(line["kind"], line["seq"]) for line in lines] == [("created", 1), ("added", 2)]
        assert lines[1]["data"]["user"]["id"] == bob.id


async def test_open_public_rooms_never_share_a_name_and_private_ones_may(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        made = (await at_ada.do("room.create", name="Lunch", kind="public"))["room"]["id"]
        refusal = await at_bob.refused("room.create", name="lunch", kind="public")
        assert (refusal["code"], refusal["field"]) == ("conflict", "name")
        await at_ada.do("room.create", name="lunch", kind="private")
        await at_bob.do("room.create", name="lunch", kind="private")
        await at_ada.do("room.archive", room=made, archived=True)
        await at_bob.do("room.create", name="LUNCH", kind="public")
        assert (await at_ada.refused("room.archive", room=made, archived=False))["code"] == "conflict"


async def test_a_new_name_and_topic_are_lines_that_members_hear(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        changed = (await at_ada.do("room.update", room=room, name="harbour", topic="Low water 11:40"))["room"]
        assert (changed["name"], changed["topic"]) == ("harbour", "Low water 11:40")
        renamed = await at_bob.event("message.posted")
        assert renamed["message"]["kind"] == "renamed"
        assert renamed["message"]["data"] == {"name": "harbour", "before": "general"}
        topic = await at_bob.event("message.posted")
        assert (topic["message"]["kind"], topic["message"]["data"]) == ("topic", {"topic": "Low water 11:40"})
        assert topic["seq"] == renamed["seq"] + 1
        assert (await at_ada.refused("room.update", room=room, name="harbour"))["code"] == "conflict"


async def test_an_archived_room_is_read_but_not_written_until_it_is_restored(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        said = await at_bob.post(room, "before")
        assert (await at_bob.refused("room.archive", room=room, archived=True))["code"] == "forbidden"
        assert (await at_ada.do("room.archive", room=room, archived=True))["room"]["archived"] is True
        nonce = "0c4e6f4e-0000-4000-8000-000000000001"
        refusal = await at_bob.refused("message.post", room=room, nonce=nonce, text="after")
        assert refusal["code"] == "conflict"
        assert (await at_bob.refused("message.edit", message=said["id"], text="x"))["code"] == "conflict"
        assert (await at_bob.do("message.list", room=room))["messages"][-1]["kind"] == "archived"
        await at_ada.do("room.archive", room=room, archived=False)
        await at_bob.post(room, "after")


async def test_public_rooms_are_found_and_joined_private_ones_are_not_there(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    public = await world.room(ada, "field-work", kind="public")
    private = await world.room(ada, "field-secrets", kind="private")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        found = (await at_bob.do("room.browse", query="FIELD"))["rooms"]
        assert [(room["id"], room["members"], room["member"]) for room in found] == [(public, 1, False)]
        assert (await at_bob.refused("message.list", room=public))["code"] == "not_found"
        joined = (await at_bob.do("room.join", room=public))["room"]
        assert (joined["member"], joined["unread"]) == (True, 0)
        assert (await at_ada.event("message.posted"))["message"]["kind"] == "joined"
        assert (await at_bob.do("room.join", room=public))["room"]["seq"] == joined["seq"]
        assert (await at_bob.refused("room.join", room=private)) == await at_bob.refused("room.join", room=999_999)


async def test_a_direct_room_is_found_or_made_once_however_it_is_raced(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    answers = await asyncio.gather(
        *(ada.api("POST", "/rooms/direct", {"user": bob.id}) for _ in range(5)),
        *(bob.api("POST", "/rooms/direct", {"user": ada.id}) for _ in range(5)),
    )
    assert len({answer["room"]["id"] for answer in answers}) == 1
    assert answers[0]["room"]["with"]["id"] == bob.id
    assert answers[-1]["room"]["with"]["id"] == ada.id
    room = answers[0]["room"]["id"]
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await at_ada.post(room, "between us")
        assert (await at_bob.event("message.posted", room=room))["message"]["text"] == "between us"
        for verb in ("room.leave", "room.archive", "room.update"):
            fields = {"room.archive": {"archived": True}, "room.update": {"name": "x"}}.get(verb, {})
            assert (await at_ada.refused(verb, room=room, **fields))["code"] == "forbidden"


async def test_a_direct_room_with_oneself_is_for_notes(world: World) -> None:
    ada = await world.person("ada")
    room = (await ada.api("POST", "/rooms/direct", {"user": ada.id}))["room"]
    assert room["with"]["id"] == ada.id
    async with ada.socket() as socket:
        await socket.post(room["id"], "buy rope")
        assert (await ada.api("GET", "/rooms"))["rooms"][0]["unread"] == 0


async def test_how_loud_a_room_is_agrees_on_all_devices(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as desk, ada.socket() as phone:
        assert (await desk.do("room.involve", room=room, involvement="nothing"))["room"]["involvement"] == "nothing"
        assert (await phone.event("room.involved"))["involvement"] == "nothing"
        assert (await desk.refused("room.involve", room=room, involvement="loud"))["field"] == "involvement"


async def test_members_are_listed_found_and_counted(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob", name="Robert Kahn")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as socket:
        everyone = await socket.do("member.list", room=room)
        assert ([user["id"] for user in everyone["members"]], everyone["total"]) == ([ada.id, bob.id], 2)
        assert [user["presence"] for user in everyone["members"]] == ["online", "offline"]
        found = await socket.do("member.list", room=room, query="kahn")
        assert [user["id"] for user in found["members"]] == [bob.id]


async def test_who_is_removed_hears_nothing_more_and_finds_nothing(world: World) -> None:
    ada, bob, carol = await world.person("ada"), await world.person("bob"), await world.person("carol")
    room = await world.room(ada, "board", bob, carol, kind="private")
    async with ada.socket() as at_ada, bob.socket() as at_bob, carol.socket() as at_carol:
        said = await at_ada.post(room, "before")
        assert (await at_carol.event("message.posted"))["message"] == said
        assert (await at_bob.refused("member.remove", room=room, user=carol.id))["code"] == "forbidden"
        await at_ada.do("member.remove", room=room, user=carol.id)
        assert (await at_carol.event("room.left")) == {"event": "room.left", "room": room, "reason": "removed"}
        for turn in range(10):
            await at_ada.post(room, f"after {turn}")
        heard = await at_carol.settle()
        assert not [event for event in heard if event.get("seq", 0) > said["seq"] and event.get("room") == room]
        for verb, fields in (
            ("message.list", {"room": room}),
            ("room.sync", {"room": room, "after": 0}),
            ("typing", {"room": room}),
            ("member.list", {"room": room}),
            ("message.get", {"message": said["id"]}),
        ):
            assert (await at_carol.refused(verb, **fields))["code"] == "not_found", verb
        assert (await at_bob.event("message.posted", seq=said["seq"] + 1))["message"]["kind"] == "removed"
        await at_ada.do("member.add", room=room, users=[carol.id])
        assert (await at_carol.event("room.joined"))["room"]["id"] == room
        await at_ada.post(room, "welcome back")
        assert (await at_carol.event("message.posted", room=room))["seq"] > said["seq"]


async def test_who_leaves_is_gone_on_all_devices_and_the_others_are_told(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as desk, bob.socket() as phone:
        await desk.do("room.leave", room=room)
        for socket in (desk, phone):
            assert (await socket.event("room.left"))["reason"] == "left"
        assert (await at_ada.event("message.posted"))["message"]["kind"] == "left"
        assert (await phone.refused("message.list", room=room))["code"] == "not_found"


async def test_people_who_do_not_exist_or_are_closed_are_not_added(world: World) -> None:
    ada, bob = await world.person("ada", "owner"), await world.person("bob")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        assert (await socket.refused("member.add", room=room, users=[bob.id, 999_999]))["code"] == "not_found"
        await socket.do("user.deactivate", user=bob.id, deactivated=True)
        assert (await socket.refused("member.add", room=room, users=[bob.id]))["code"] == "forbidden"
        assert (await socket.refused("room.direct", user=bob.id))["code"] == "forbidden"
        assert (await socket.do("member.list", room=room))["total"] == 1

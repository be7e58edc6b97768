"""Read positions and unread counts: held on the server, the same on all of a person's devices."""

from tests.conftest import World


async def test_others_texts_after_the_read_position_are_unread(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada:
        first = await at_ada.post(room, "one")
        await at_ada.post(room, "two")
        await at_ada.do("room.update", room=room, topic="a line is not unread")
        deleted = await at_ada.post(room, "three")
        await at_ada.do("message.delete", message=deleted["id"])
    async with bob.socket() as at_bob:
        (seen,) = at_bob.hello["rooms"]
        assert (seen["unread"], seen["seq"]) == (2, await world.last_seq(room))
        reply = await at_bob.do("room.read", room=room, seq=first["seq"])
        assert (reply["read"], reply["unread"]) == (first["seq"], 1)
    async with ada.socket() as at_ada:
        assert at_ada.hello["rooms"][0]["unread"] == 0


async def test_the_read_position_agrees_on_all_devices_and_never_goes_back(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as desk, bob.socket() as phone:
        seqs = [(await at_ada.post(room, f"{turn}"))["seq"] for turn in range(3)]
        await desk.do("room.read", room=room, seq=seqs[-1])
        assert (await phone.event("room.read")) == {"event": "room.read", "room": room, "read": seqs[-1], "unread": 0}
        assert (await phone.do("room.read", room=room, seq=seqs[0]))["read"] == seqs[-1]
        refusal = await phone.refused("room.read", room=room, seq=seqs[-1] + 100)
        assert (refusal["code"], refusal["field"]) == ("invalid", "seq")
    assert not [event for event in at_ada.events if event["event"] == "room.read"]


async def test_the_count_stops_at_a_hundred(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada:
        for turn in range(105):
            await at_ada.post(room, f"{turn}")
    assert (await bob.api("GET", "/rooms"))["rooms"][0]["unread"] == 100

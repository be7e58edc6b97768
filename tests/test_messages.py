"""Messages: posted once, told to the members, read back, changed and deleted."""

import uuid

from tests.conftest import World


async def test_two_people_talk(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        posted = await at_ada.post(room, "hello")
        heard = await at_bob.event("message.posted")
        assert heard["message"] == posted
        assert heard["seq"] == posted["seq"] == await world.last_seq(room)
        assert posted["sender"] == {"id": ada.id, "username": "ada", "name": "Ada"}


async def test_a_repeat_gets_the_same_reply_and_is_stored_once(world: World) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    nonce = str(uuid.uuid4())
    async with ada.socket() as socket:
        first = await socket.post(room, "once", nonce)
    async with ada.socket() as socket:
        assert await socket.post(room, "once", nonce) == first
        refusal = await socket.refused("message.post", room=room, text="another", nonce=nonce)
        assert refusal["code"] == "nonce_conflict"
        listed = await socket.do("message.list", room=room)
        assert [message["text"] for message in listed["messages"] if "kind" not in message] == ["once"]

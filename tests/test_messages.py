"""Messages: posted once, told to the members, read back, changed and deleted."""

import json
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


async def test_the_authors_other_tabs_learn_which_pending_message_was_sent(world: World) -> None:
    """The nonce is told to nobody else."""
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    nonce = str(uuid.uuid4())
    async with ada.socket() as one, ada.socket() as two, bob.socket() as at_bob:
        posted = await one.post(room, "from one tab", nonce)
        assert await two.event("message.sent") == {"event": "message.sent", "nonce": nonce, "message": posted}
        assert (await two.event("message.posted"))["message"] == posted
        assert (await at_bob.event("message.posted"))["message"] == posted
        await at_bob.settle()
        assert nonce not in json.dumps(at_bob.events) + json.dumps(await at_bob.do("message.list", room=room))


async def test_what_is_posted_over_http_is_told_like_any_other(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    nonce = str(uuid.uuid4())
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        answers = [
            await ada.api("POST", f"/rooms/{room}/messages", {"nonce": nonce, "text": "from a program"})
            for _ in range(2)
        ]
        assert answers[0] == answers[1]
        assert answers[0]["nonce"] == nonce
        for socket in (at_ada, at_bob):
            assert (await socket.event("message.posted"))["message"] == answers[0]["message"]
        assert await ada.api("GET", f"/messages/{answers[0]['message']['id']}") == {"message": answers[0]["message"]}
        # However it was sent first, a repeat by the other door is one.
        assert await at_ada.post(room, "from a program", nonce) == answers[0]["message"]
    assert await world.last_seq(room) == answers[0]["message"]["seq"]


async def test_a_nonce_is_its_authors_own(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    nonce = str(uuid.uuid4())
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        of_ada = await at_ada.post(room, "the same", nonce)
        of_bob = await at_bob.post(room, "the same", nonce)
        assert of_ada["id"] != of_bob["id"]
        assert of_bob["sender"]["id"] == bob.id


async def test_a_repeat_in_another_room_is_refused_and_tells_nothing_of_it(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room, secret = await world.room(ada, "general", bob), await world.room(bob, "secret", kind="private")
    nonce = str(uuid.uuid4())
    async with ada.socket() as socket:
        await socket.post(room, "here", nonce)
        elsewhere = await socket.refused("message.post", room=secret, text="here", nonce=nonce)
        nowhere = await socket.refused("message.post", room=999_999, text="here", nonce=nonce)
        assert elsewhere == nowhere
        assert elsewhere["code"] == "nonce_conflict"


async def test_many_messages_sent_without_waiting_are_answered_and_told_in_order(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        for number in range(90):
            sent = {"do": "message.post", "room": room, "nonce": str(uuid.uuid4()), "text": f"message {number}"}
            await at_ada.link.send(json.dumps({"id": number, **sent}))
        replies = [await at_ada.reply(number) for number in range(90)]
        heard = [(await at_bob.event("message.posted"))["message"] for _ in range(90)]
        assert [reply["message"] for reply in replies] == heard
        assert [message["text"] for message in heard] == [f"message {number}" for number in range(90)]
        seqs = [message["seq"] for message in heard]
        assert seqs == list(range(seqs[0], seqs[0] + 90))


async def test_a_deleted_message_says_nothing_any_more_at_any_door(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        message = await at_ada.post(room, "to be forgotten")
        await at_ada.do("message.edit", message=message["id"], text="to be forgotten soon")
        await at_ada.do("message.delete", message=message["id"])
        told = (await at_bob.event("message.changed", seq=message["seq"] + 2))["message"]
        assert (told["text"], told["deleted"], told["seq"]) == ("", True, message["seq"])
        await at_bob.settle()
        at_bob.events.clear()
        for verb, fields in (
            ("message.get", {"message": message["id"]}),
            ("message.list", {"room": room}),
            ("room.sync", {"room": room, "after": 0}),
            ("resume", {"epoch": at_bob.hello["epoch"], "rooms": {str(room): 0}}),
        ):
            assert "forgotten" not in json.dumps(await at_bob.do(verb, **fields)), verb
        for verb, fields in (("message.edit", {"text": "back again"}), ("message.delete", {})):
            assert (await at_ada.refused(verb, message=message["id"], **fields))["code"] == "conflict"

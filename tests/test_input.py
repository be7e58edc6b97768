"""What people type, and what programs make up: kept as it was written, found as it was meant, refused in words."""

import json
import random
import time
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chat.handlers.routes import commands
from tests.conftest import World
from tests.people import Person

# Values that somebody could send for any field: around every border that numbers, texts and shapes have.
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    1.0,
    1.5,
    -0.0,
    2**31 - 1,
    2**31,
    2**32,
    2**53 - 1,
    2**53,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    "",
    " ",
    "1",
    "a",
    "\0",
    "a\0b",
    "%",
    "_",
    "\\",
    "'; DROP TABLE users; --",
    "\u202egnp.exe",
    "\ufeff",
    "\U0010ffff",
    "e\u0301" * 500,
    "x" * 5000,
    str(uuid.UUID(int=0)),
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    [],
    [1],
    [0],
    [-1],
    [2**31],
    [2**70],
    [True],
    ["1"],
    [[]],
    [1] * 200,
    {},
    {"1": 1},
    {"0": 0},
    {"-1": -1},
    {"x": 1},
    {"1": 2**53},
    {"1": 2**70},
    {str(2**31): 1},
    {str(2**70): 1},
    {"1": -1},
    {"1": True},
    {"1": None},
    {"1": 1.5},
]
# Signing oneself out is no bad input.
ENDING = {"session.revoke", "session.revoke_others", "me.password"}
VERBS = sorted(set(commands().commands) - ENDING)


def usual(verb: str, room: int, message: int, user: int) -> dict[str, Any]:
    """Fields that the verb accepts, or at least understands."""
    known = {
        "room": room,
        "message": message,
        "user": user,
        "users": [user],
        "session": 999,
        "invitation": 999,
        "seq": 1,
        "after": 0,
        "limit": 5,
        "text": "hello",
        "nonce": str(uuid.uuid4()),
        "epoch": "x",
        "rooms": {str(room): 0},
        "kind": "private",
        "name": "A room",
        "state": "online",
        "involvement": "everything",
        "archived": False,
        "role": "member",
        "query": "a",
        "days": 1,
        "topic": "A topic",
    }
    fields = commands().commands[verb].given.__struct_fields__
    return {name: known[name] for name in fields if name in known}


@pytest.mark.parametrize("verb", VERBS)
async def test_no_value_of_any_field_is_a_fault_or_ends_the_connection(world: World, verb: str) -> None:
    """Each field of each command gets each odd value in turn; "internal" would be a traceback in the log."""
    ada, bob, eve = await world.person("ada", role="owner"), await world.person("bob"), await world.person("eve")
    room = await world.room(ada, "general", bob, eve)
    command = commands().commands[verb]
    async with eve.socket() as at_eve, ada.socket() as socket:
        message = (await socket.post(room, "a message"))["id"]
        for field in command.given.__struct_fields__:
            for value in ODD:
                fields = usual(verb, room, message, bob.id) | {field: value}
                reply = await socket.ask(verb, **fields)
                assert reply["ok"] or reply["error"]["code"] != "internal", (field, value)
        await at_eve.do("ping")


@pytest.mark.parametrize("verb", [verb for verb in VERBS if commands().commands[verb].routes])
async def test_no_value_of_any_field_is_a_fault_over_http(world: World, verb: str) -> None:
    ada, bob = await world.person("ada", role="owner"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as socket:
        message = (await socket.post(room, "a message"))["id"]
    method, route = commands().commands[verb].routes[0]
    for field in commands().commands[verb].given.__struct_fields__:
        for value in ODD:
            fields = usual(verb, room, message, bob.id) | {field: value}
            answer = await asked(ada, method, route, fields)
            assert answer < 500, (field, value)


async def asked(person: Person, method: str, route: str, fields: dict[str, Any]) -> int:
    """The status of a request with these fields put into the path, the query or the body, as the route has it."""
    for name in list(fields):
        if f"{{{name}}}" in route:
            route = route.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
    if method == "GET":
        query = urlencode(
            {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
        )
        return (await person.http("GET", f"{route}?{query}")).code
    return (await person.http(method, route, fields)).code


@pytest.mark.parametrize("seed", range(4))
async def test_frames_spoilt_at_random_are_answered_and_nobody_else_notices(world: World, seed: int) -> None:
    """Commands with bytes changed, cut or doubled; what is still UTF-8 gets one answer each."""
    rng = random.Random(seed)
    ada, bob = await world.person("ada", role="owner"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as socket, bob.socket() as at_bob:
        message = (await socket.post(room, "a message"))["id"]
        for number in range(300):
            verb = rng.choice(VERBS)
            sent = json.dumps({"id": number, "do": verb, **usual(verb, room, message, bob.id)})
            for _ in range(rng.randrange(1, 4)):
                place = rng.randrange(len(sent) + 1)
                sent = rng.choice(
                    (
                        sent[:place] + rng.choice('{}[]",:\\0129eE+-.tfn \u00e9\u2028\U0001f600') + sent[place + 1 :],
                        sent[:place],
                        sent[:place] + sent[place // 2 :],
                    )
                )
            await socket.link.send(sent)
            while "ok" not in (told := await socket.receive()):
                pass
            assert told["ok"] or told["error"]["code"] != "internal", sent
        await socket.do("ping")
        await at_bob.do("ping")
        heard = [event["message"]["seq"] for event in at_bob.events if event["event"].startswith("message.")]
        assert heard == sorted(heard)


SEARCHES = ["%", "_", "\\", "'", '"', "/", "100%", "a_b", "\\%", "');--"]


@pytest.mark.parametrize("query", SEARCHES)
async def test_every_character_of_a_search_stands_for_itself(world: World, query: str) -> None:
    ada = await world.person("ada", name=f"Ada {query} Lovelace")
    await world.person("bob", name="Bob")
    named = await world.room(ada, f"room {query} name")
    await world.room(ada, "other")
    answer = await ada.api("GET", f"/rooms/browse?{query_string(query=query)}")
    assert [room["id"] for room in answer["rooms"]] == [named]
    for path in ("/users", f"/rooms/{named}/members"):
        answer = await ada.api("GET", f"{path}?{query_string(query=query)}")
        assert [user["id"] for user in answer.get("users", answer.get("members"))] == [ada.id]


@pytest.mark.parametrize("path", ["/rooms/browse", "/users", "/rooms/ROOM/members"])
async def test_a_long_search_is_refused_at_once(world: World, path: str) -> None:
    ada = await world.person("ada")
    path = path.replace("ROOM", str(await world.room(ada, "general")))
    for query, status in ((" ".join(["term"] * 5000), 422), ("x" * 101, 422), ("%" * 100, 200), ("é" * 100, 200)):
        started = time.perf_counter()
        answer = await ada.http("GET", f"{path}?{query_string(query=query)}")
        assert answer.code == status, answer.body
        assert time.perf_counter() - started < 0.5


def query_string(**fields: str) -> str:
    return urlencode(fields)


TEXTS = [
    "<script>alert(1)</script>",
    "  indented\n\n\tand tabbed  \n",
    "\u202etnuocca\u202c",
    "e\u0301" * 2000,
    "Z\u0351\u036b" + "\u0353" * 5000,
    "\U0001fae8",
    "👩‍👩‍👧‍👦 🏳️‍🌈 中文 العربية עברית",
    "\u2028\u2029\u0085",
    "\ufeffbom",
    "a\x07b\x1b[31mc\x7f",
    "\U0010ffff\U000e0001",
    "x" * 10_000,
    "😀" * 10_000,
]


@pytest.mark.parametrize("text", [text for text in TEXTS if text.strip()], ids=lambda text: ascii(text)[:20])
async def test_a_message_is_kept_as_it_was_written(world: World, text: str) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as socket, bob.socket() as at_bob:
        message = await socket.post(room, text)
        assert message["text"] == text
        assert (await at_bob.event("message.posted", room=room))["message"]["text"] == text
        assert (await socket.do("message.get", message=message["id"]))["message"]["text"] == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs some text"),
        (" \n\t ", "needs some text"),
        ("\u200b\u2060\ufeff", "needs some text"),
        ("\u202e\u202c", "needs some text"),
        ("x" * 10_001, "10,001"),
        ("😀" * 10_001, "10,001"),
        ("a\0b", "NUL"),
    ],
    ids=["nothing", "spaces", "nothing visible", "directions", "too long", "too many emoji", "NUL"],
)
async def test_a_message_that_cannot_be_is_refused_in_words(world: World, text: str, said: str) -> None:
    ada = await world.person("ada")
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        mine = await socket.post(room, "first")
        refused = [
            await socket.refused("message.post", room=room, text=text, nonce=str(uuid.uuid4())),
            await socket.refused("message.edit", message=mine["id"], text=text),
        ]
        for error in refused:
            assert (error["code"], error["field"]) == ("invalid", "text")
            assert said in error["text"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Difference   engine ", "Difference engine"),
        ("two\nlines\there", "two lines here"),
        ("\u202egnp.exe\u2069", "gnp.exe"),
        ("\u2066a\u2067b\u2068c", "abc"),
        ("cafe\u0301", "café"),
        ("a\x07b", "a b"),
        ("-- ' \" \\ %", "-- ' \" \\ %"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("\u2028a\u2029", "a"),
    ],
)
async def test_names_and_topics_are_one_line_that_reads_one_way(world: World, typed: str, kept: str) -> None:
    ada = await world.person("ada")
    async with ada.socket() as socket:
        room = (await socket.do("room.create", name=typed, kind="private", topic=typed))["room"]
        assert (room["name"], room["topic"]) == (kept, kept)


@pytest.mark.parametrize("name", ["", "   ", "\u200b", "\u202e", "x" * 41, "a\0b"], ids=ascii)
async def test_a_room_needs_a_name_that_people_can_read(world: World, name: str) -> None:
    ada = await world.person("ada")
    async with ada.socket() as socket:
        error = await socket.refused("room.create", name=name, kind="public")
        assert (error["code"], error["field"]) == ("invalid", "name")
        assert (await socket.do("room.list"))["rooms"] == []

"""The socket under bad input: each kind gets its stated answer, nobody else notices, and nothing grows."""

import asyncio
import gc
import gzip
import json
import os
import uuid
from pathlib import Path

import pytest

from chat.errors import CLOSE_RESTARTING
from tests.conftest import World
from tests.memory import resident
from tests.people import Person
from tests.raw import BINARY, CONTINUATION, PING, TEXT, frame, raw_socket

NONCE = "00000000-0000-4000-8000-000000000001"
DEEP = "[" * 20_000 + "]" * 20_000

# What breaks the WebSocket protocol ends the connection: with a code where there is one for it. A peer that goes on
# sending may see the connection reset before it sees the code.
BREAKING: dict[str, tuple[bytes, int | None]] = {
    "a frame that is too big": (frame(TEXT, b"a" * (64 * 1024 + 1)), 1009),
    "a frame that claims to be huge": (frame(TEXT, length=2**40), 1009),
    "fragments that are too big together": (
        frame(TEXT, b"a" * 40_000, final=False) + frame(CONTINUATION, b"a" * 40_000),
        1009,
    ),
    "bytes that are no UTF-8": (frame(TEXT, b"\xff\xfe\xfd"), None),
    "reserved bits": (frame(TEXT, b"hi", reserved=7), None),
    "an opcode that does not exist": (frame(3, b"hi"), None),
    "a ping that is too long": (frame(PING, b"a" * 126), None),
    "a continuation of nothing": (frame(CONTINUATION, b"hi"), None),
    "a new message inside another": (frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), None),
    "a ping in fragments": (frame(PING, b"a", final=False), None),
    "binary": (frame(BINARY, os.urandom(64)), 1003),
}

# What is no command is answered, and the connection goes on. R stands for the id of a room, M for that of a message.
BAD_COMMANDS: dict[str, tuple[str, int | None, str]] = {
    "half an object": ('{"id": 1, "do":', None, "malformed"),
    "nothing": ("", None, "malformed"),
    "a list": ("[]", None, "malformed"),
    "a word": ("true", None, "malformed"),
    "two objects": ('{"id": 1, "do": "ping"} {}', None, "malformed"),
    "no id": ('{"do": "ping"}', None, "malformed"),
    "no verb": ('{"id": 1}', None, "malformed"),
    "an id that is text": ('{"id": "1", "do": "ping"}', None, "malformed"),
    "an id that is true": ('{"id": true, "do": "ping"}', None, "malformed"),
    "an id with a fraction": ('{"id": 1.5, "do": "ping"}', None, "malformed"),
    "an id below zero": ('{"id": -1, "do": "ping"}', None, "malformed"),
    "an id of 5,000 digits": ('{"id": ' + "9" * 5000 + ', "do": "ping"}', None, "malformed"),
    "lists in lists": (DEEP, None, "malformed"),
    "lists in lists in a field": (
        '{"id": 1, "do": "ping", "x": ' + DEEP + "}",
        None,
        "malformed",
    ),
    "NaN": ('{"id": 1, "do": "room.get", "room": NaN}', None, "malformed"),
    "infinity": ('{"id": 1, "do": "room.get", "room": 1e400}', 1, "invalid"),
    "a number of 5,000 digits": ('{"id": 1, "do": "room.sync", "room": R, "after": ' + "9" * 5000 + "}", 1, "invalid"),
    "half a character": (
        '{"id": 1, "do": "message.post", "room": R, "nonce": "N", "text": "\\ud800"}',
        None,
        "malformed",
    ),
    "NUL": ('{"id": 1, "do": "message.post", "room": R, "nonce": "N", "text": "a\\u0000b"}', 1, "invalid"),
    "a verb that is an object": ('{"id": 1, "do": {"$ne": 1}, "room": {"$gt": 0}}', None, "malformed"),
    "a verb that there is not": ('{"id": 1, "do": "room.explode"}', 1, "unknown_command"),
    "a field given twice": ('{"id": 1, "do": "ping", "do": "room.explode"}', 1, "unknown_command"),
    "a field that there is not": ('{"id": 1, "do": "ping", "user_id": 2}', 1, "invalid"),
    "a field left out": ('{"id": 1, "do": "room.get"}', 1, "invalid"),
    "a room that is true": ('{"id": 1, "do": "room.get", "room": true}', 1, "invalid"),
    "a room in quotes": ('{"id": 1, "do": "room.get", "room": "R"}', 1, "invalid"),
    "a room that is an object": ('{"id": 1, "do": "room.get", "room": {"$gt": 0}}', 1, "invalid"),
    "a nonce that is none": ('{"id": 1, "do": "message.post", "room": R, "nonce": "1", "text": "a"}', 1, "invalid"),
    "no text": ('{"id": 1, "do": "message.post", "room": R, "nonce": "N", "text": " \\n\\u200b"}', 1, "invalid"),
}


@pytest.fixture
async def ada(world: World) -> Person:
    return await world.person("ada")


async def healthy(person: Person) -> bool:
    return (await person.http("GET", "/health")).code == 200


@pytest.mark.parametrize("kind", BREAKING)
async def test_what_breaks_the_protocol_ends_that_connection_alone(world: World, ada: Person, kind: str) -> None:
    sent, code = BREAKING[kind]
    bob = await world.person("bob")
    async with bob.socket() as at_bob, ada.socket() as other_tab, raw_socket(ada) as socket:
        await socket.told()
        await socket.send(sent)
        end = await socket.end()
        assert end.code in (code, None)
        assert end.frames == []
        await at_bob.do("ping")
        await other_tab.do("ping")
    assert await healthy(ada)


@pytest.mark.parametrize("kind", [kind for kind, (_, code) in BREAKING.items() if code == 1009])
async def test_too_big_is_said_before_it_is_read(ada: Person, kind: str) -> None:
    """The head of a frame says how long it is: the code can be seen by who waits for it there."""
    sent, _ = BREAKING[kind]
    async with raw_socket(ada) as socket:
        await socket.told()
        await socket.send(sent[: 14 if kind != "fragments that are too big together" else 40_008 + 8])
        assert (await socket.end()).code == 1009


async def test_a_connection_that_ends_is_forgotten(world: World, ada: Person) -> None:
    for sent, _ in BREAKING.values():
        async with raw_socket(ada) as socket:
            await socket.told()
            await socket.send(sent)
            await socket.end()
    await world.server.hub.emptied()
    assert not world.server.hub.heads()


@pytest.mark.parametrize("kind", BAD_COMMANDS)
async def test_what_is_no_command_is_refused_and_the_connection_goes_on(world: World, ada: Person, kind: str) -> None:
    text, number, code = BAD_COMMANDS[kind]
    room = await world.room(ada, "general")
    async with ada.socket() as socket:
        await socket.link.send(text.replace("R", str(room)).replace('"N"', f'"{NONCE}"'))
        refusal = await socket.reply(number)
        assert refusal["ok"] is False
        assert refusal["error"]["code"] == code
        assert len(refusal["error"]["text"]) > 10
        await socket.do("ping")
    assert await healthy(ada)


# What a program sends over HTTP is judged the same; there the id and the verb stand in the address.
BAD_BODIES: dict[str, tuple[bytes, int]] = {
    "half an object": (b'{"nonce":', 400),
    "no UTF-8": (b'{"nonce": "\xff\xfe"}', 400),
    "lists in lists": (DEEP.encode(), 422),
    "lists in lists in a field": (b'{"x": ' + DEEP.encode() + b"}", 400),
    "NaN": (b'{"nonce": NaN}', 400),
    "infinity": (b'{"nonce": 1e400}', 422),
    "a number of 5,000 digits": (b'{"nonce": ' + b"9" * 5000 + b"}", 422),
    "half a character": (b'{"nonce": "%s", "text": "\\ud800"}' % NONCE.encode(), 400),
    "NUL": (b'{"nonce": "%s", "text": "a\\u0000b"}' % NONCE.encode(), 422),
    "an object for text": (b'{"nonce": "%s", "text": {"$ne": 1}}' % NONCE.encode(), 422),
    "a field that there is not": (b'{"nonce": "%s", "text": "a", "sender": 2}' % NONCE.encode(), 422),
    "nothing": (b"{}", 422),
    "a list": (b"[]", 422),
}


@pytest.mark.parametrize("kind", BAD_BODIES)
async def test_bad_bodies_are_refused_over_http(world: World, ada: Person, kind: str) -> None:
    body, status = BAD_BODIES[kind]
    room = await world.room(ada, "general")
    headers = {"Content-Type": "application/json"}
    answer = await ada.http("POST", f"/rooms/{room}/messages", raw=body, headers=headers)
    assert answer.code == status, answer.body
    error = json.loads(answer.body)["error"]
    assert error["code"] == {400: "malformed", 422: "invalid"}[status]
    assert await world.last_seq(room) == 1


async def test_compressed_and_other_bodies_are_not_read(world: World, ada: Person) -> None:
    room = await world.room(ada, "general")
    body = json.dumps({"nonce": NONCE, "text": "hello"}).encode()
    for headers in (
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {},
    ):
        sent = gzip.compress(body) if "Content-Encoding" in headers else body
        answer = await ada.http("POST", f"/rooms/{room}/messages", raw=sent, headers=headers)
        assert answer.code in (400, 415), headers
    assert await world.last_seq(room) == 1


async def test_an_unmasked_frame_is_read_like_any_other(ada: Person) -> None:
    async with raw_socket(ada) as socket:
        await socket.told()
        await socket.send(frame(TEXT, b"{}", masked=False))
        assert (await socket.told())["error"]["code"] == "malformed"


async def test_a_command_may_come_in_fragments_with_a_ping_between(ada: Person) -> None:
    async with raw_socket(ada) as socket:
        await socket.told()
        await socket.send(
            frame(TEXT, b'{"id": 7, ', final=False) + frame(PING, b"!") + frame(CONTINUATION, b'"do": "ping"}')
        )
        assert await socket.receive() == (10, b"!")
        assert await socket.told() == {"id": 7, "ok": True}


async def test_compression_is_offered_in_vain(ada: Person) -> None:
    offered = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    async with raw_socket(ada, headers=offered) as socket:
        assert socket.status == 101
        assert "sec-websocket-extensions" not in socket.headers


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1:1",
        "https://127.0.0.1:PORT",
    ],
)
async def test_a_socket_opens_for_our_own_pages_only(ada: Person, origin: str) -> None:
    port = ada.base.rpartition(":")[2]
    async with raw_socket(ada, headers={"Origin": origin.replace("PORT", port)}) as socket:
        assert socket.status == 403
        assert json.loads(socket.body)["error"]["code"] == "forbidden"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1"])
async def test_a_socket_opens_under_our_own_name_only(world: World, ada: Person, host: str) -> None:
    async with raw_socket(ada, headers={"Host": host, "Origin": f"http://{host}"}) as socket:
        assert socket.status == 421
    assert not world.server.hub.connections


@pytest.mark.parametrize("cookie", ["", "session=x", "session=" + "x" * 4000, "other=1"])
async def test_without_a_session_no_socket_is_held(world: World, ada: Person, cookie: str) -> None:
    async with raw_socket(ada, headers={"Cookie": cookie}) as socket:
        assert socket.status == 401
        assert json.loads(socket.body)["error"]["code"] == "not_signed_in"
    assert not world.server.hub.connections


async def test_plain_http_at_the_sockets_address_is_refused(ada: Person) -> None:
    answer = await ada.http("GET", "/ws")
    assert answer.code in (400, 426)


async def test_who_hangs_up_during_the_hello_leaves_nothing_behind(world: World, ada: Person) -> None:
    await world.room(ada, "general")
    for _ in range(20):
        async with raw_socket(ada) as socket:
            assert socket.status == 101  # and gone before the hello is there
    await world.server.hub.emptied()
    async with ada.socket() as socket:
        await socket.do("ping")
        assert len(world.server.hub.connections) == 1
    await world.server.hub.emptied()
    assert not world.server.hub.heads()


async def test_a_stop_sends_everybody_away_to_come_back(world: World, ada: Person) -> None:
    async with ada.socket() as socket:
        await socket.do("ping")
        stopping = asyncio.create_task(world.server.stop())
        bye = await socket.event("bye")
        assert 1 <= bye["reconnect_in"] <= 2
        assert await socket.closed() == CLOSE_RESTARTING
        await stopping


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_a_thousand_bad_connections_leave_no_memory_behind(world: World, ada: Person) -> None:
    room = await world.room(ada, "general")
    commands = [
        text.replace("R", str(room)).replace('"N"', f'"{uuid.uuid4()}"') for text, _, _ in BAD_COMMANDS.values()
    ]
    bad = [sent for sent, _ in BREAKING.values()] + [frame(TEXT, text.encode()) + frame(3) for text in commands]

    async def rounds(count: int) -> int:
        for number in range(count):
            async with raw_socket(ada) as socket:
                await socket.send(bad[number % len(bad)])
                await socket.end()
        await world.server.hub.emptied()
        gc.collect()
        return resident()

    before = await rounds(200)
    assert await rounds(1000) - before < 5 * 2**20
    assert await healthy(ada)

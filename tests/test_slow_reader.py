"""One who reads nothing while much is said: closed, harmless to others, and complete after coming back."""

import asyncio
import json
import socket as sockets
import uuid
from pathlib import Path

import pytest

from chat.hub.hub import room_topic
from chat.lib.db import Emit
from tests.conftest import World
from tests.memory import resident
from tests.people import Person

TEXT = "x" * 10_000
MESSAGES = 1500  # 15 MB, fifteen times what may wait for one connection


async def deaf(person: Person) -> sockets.socket:
    """An open socket of the person's that nobody reads from, with a small buffer in the kernel."""
    link = sockets.socket()
    link.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 16 * 1024)
    link.setblocking(False)
    loop = asyncio.get_running_loop()
    host = person.base.removeprefix("http://")
    address, port = host.split(":")
    await loop.sock_connect(link, (address, int(port)))
    lines = [
        "GET /ws HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: c2xvdyByZWFkZXIgdGVzdA==",
        f"Origin: {person.base}",
        f"Cookie: {person.cookie}",
    ]
    await loop.sock_sendall(link, ("\r\n".join(lines) + "\r\n\r\n").encode())
    assert b"101" in await loop.sock_recv(link, 64)
    return link


async def test_who_reads_nothing_is_closed_and_others_hear_everything(world: World) -> None:
    ada, bob, eve = await world.person("ada"), await world.person("bob"), await world.person("eve")
    room = await world.room(ada, "general", bob, eve)
    link = await deaf(eve)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        before = await world.last_seq(room)
        (slow,) = world.server.hub.of_user(eve.id)
        most = 0
        for start in range(0, MESSAGES, 50):
            for turn in range(start, start + 50):
                command = {"id": turn, "do": "message.post", "room": room, "nonce": str(uuid.uuid4()), "text": TEXT}
                await at_ada.link.send(json.dumps(command))
            for _ in range(50):
                await at_bob.event("message.posted")
            at_bob.events.clear()
            most = max(most, slow.waiting)
            async with asyncio.timeout(10):
                while (await at_ada.receive()).get("id") != start + 49:
                    pass
        assert await world.last_seq(room) == before + MESSAGES
        assert slow.closed
        assert 0 < most < world.server.settings.write_buffer + 50 * 12_000  # the bound, and what one commit may add
        metrics = world.server.metrics.text().decode()
        assert 'roomful_connections_closed_total{code="4408"} 1.0' in metrics
    link.close()
    async with eve.socket() as socket:
        lacking, after = 0, before
        while True:
            sync = (await socket.do("room.sync", room=room, after=after))["sync"]
            lacking, after = lacking + len(sync["messages"]), sync["to"]
            if not sync["more"]:
                break
        assert (lacking, after) == (MESSAGES, before + MESSAGES)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_many_who_read_nothing_share_what_waits_for_them(world: World) -> None:
    """A commit of many long messages is megabytes: kept once, not once for each who does not take it yet."""
    ada, eve = await world.person("ada"), await world.person("eve")
    room = await world.room(ada, "general", eve)
    links = [await deaf(eve) for _ in range(20)]
    async with ada.socket() as socket:
        before = resident()
        payload = json.dumps({"event": "nothing that there is", "text": "x" * 40_000}).encode()
        world.server.hub.publish([Emit(room_topic(room), payload)] * 250)  # 10 MB, to all of them
        slow = [each.waiting for each in world.server.hub.of_user(eve.id)]
        assert sum(waiting > 2**20 for waiting in slow) == 20
        assert resident() - before < 40 * 2**20
        for _ in range(250):
            await socket.event("nothing that there is")
        world.server.hub.publish([Emit(room_topic(room), payload)])
        assert sum(each.closed for each in world.server.hub.of_user(eve.id)) == 20
        await socket.event("nothing that there is")
    for link in links:
        link.close()

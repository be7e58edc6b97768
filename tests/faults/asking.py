"""Commands of people whose server has trouble: sent without waiting, answered late, or refused and sent again."""

import asyncio
import itertools
import json
import uuid
from typing import Any

from tests.faults.site import Site
from tests.people import Person, Socket

_numbers = itertools.count(1_000_000)  # apart from those that Socket counts itself


async def send(socket: Socket, verb: str, **fields: Any) -> int:
    """The number under which the answer comes."""
    number = next(_numbers)
    await socket.link.send(json.dumps({"id": number, "do": verb, **fields}))
    return number


async def answer(socket: Socket, number: int, seconds: float = 30.0) -> dict[str, Any]:
    """The reply to that number, whenever it came."""
    for frame in socket.events:
        if frame.get("id") == number and "ok" in frame:
            return frame
    async with asyncio.timeout(seconds):
        while (frame := await socket.receive(seconds)).get("id") != number:
            socket.events.append(frame)
    return frame


async def ask(socket: Socket, verb: str, **fields: Any) -> dict[str, Any]:
    return await answer(socket, await send(socket, verb, **fields))


async def post_until_stored(
    socket: Socket, room: int, text: str, nonce: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The stored message, and the codes with which it was refused before."""
    nonce, refused = nonce or str(uuid.uuid4()), []
    while not (reply := await ask(socket, "message.post", room=room, text=text, nonce=nonce))["ok"]:
        assert reply["error"]["retry_after"] > 0, reply
        refused.append(reply["error"]["code"])
        await asyncio.sleep(reply["error"]["retry_after"])
    message: dict[str, Any] = reply["message"]
    return message, refused


async def people_in_a_room(site: Site, *names: str) -> tuple[list[Person], int]:
    accounts = await site.add_people(*names)
    room = await site.add_room(f"room of {names[0]}", *accounts)
    return [Person(site.base, each.username, each.username, id=each.id, cookie=each.cookie) for each in accounts], room

"""SIGTERM in every state: the server ends in time, and what was posted is stored or given back to be sent again."""

import asyncio
import signal
import uuid
from collections.abc import Callable

import pytest

from tests.faults import processes
from tests.faults.asking import people_in_a_room, send
from tests.faults.site import Site
from tests.people import Socket

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]

# SHUTDOWN_SECONDS is 8, PostgreSQL has one more, and this machine is shared.
IN_TIME = 11.0
POSTS = 20


async def send_all(socket: Socket, room: int, nonces: list[str]) -> list[int]:
    """Posts without waiting for the answers; the numbers under which they come."""
    return [
        await send(socket, "message.post", room=room, nonce=nonce, text=f"post {place}")
        for place, nonce in enumerate(nonces)
    ]


def codes(socket: Socket, numbers: list[int]) -> list[str]:
    """How those commands were answered, if they were."""
    answered = [frame for frame in socket.events if frame.get("id") in numbers]
    return ["ok" if frame["ok"] else frame["error"]["code"] for frame in answered]


def nothing(site: Site) -> None:
    pass


def freeze_postgres(site: Site) -> None:
    processes.send(signal.SIGSTOP, *processes.family(site.postmaster))


def kill_postgres(site: Site) -> None:
    processes.send(signal.SIGKILL, *processes.family(site.postmaster))


@pytest.mark.parametrize(
    ("do", "allowed", "code"),
    [
        (nothing, {"ok"}, 0),
        # "ok" where the watchdog had it running again before the server was told to stop.
        (kill_postgres, {"ok", "busy", "restarting"}, 0),
        (freeze_postgres, {"busy", "restarting"}, 4),
    ],
)
async def test_the_server_ends_in_time(site: Site, do: Callable[[Site], None], allowed: set[str], code: int) -> None:
    [ada], room = await people_in_a_room(site, f"ada-{do.__name__}")
    nonces = [str(uuid.uuid4()) for _ in range(POSTS)]
    async with ada.socket() as socket:
        first = await socket.post(room, "before")
        postgres = processes.family(site.postmaster)
        do(site)
        numbers = await send_all(socket, room, nonces)
        await socket.do("ping")
        stopping = asyncio.create_task(site.stop())
        close_code = await socket.closed(30)
        seconds = await stopping
    processes.send(signal.SIGCONT, *postgres)
    assert seconds < IN_TIME
    assert (site.exit_code, close_code) == (code, 1012)
    answered = codes(socket, numbers)
    assert set(answered) <= allowed
    assert len(answered) == POSTS

    await site.start()
    async with ada.socket() as socket:
        for place, nonce in enumerate(nonces):
            await socket.post(room, f"post {place}", nonce)
        listed = await socket.do("message.list", room=room)
    texts = [message["text"] for message in listed["messages"] if message["seq"] >= first["seq"]]
    expected = ["before", *(f"post {place}" for place in range(POSTS))]
    if len(set(answered)) == 1:
        assert texts == expected
    else:  # what was refused came again after what was stored
        assert sorted(texts) == sorted(expected)


async def test_a_second_signal_does_no_harm(site: Site) -> None:
    [ada], room = await people_in_a_room(site, "ada-twice")
    nonces = [str(uuid.uuid4()) for _ in range(POSTS)]
    async with ada.socket() as socket:
        numbers = await send_all(socket, room, nonces)
        stopping = asyncio.create_task(site.stop())
        while site.exit_code is None:
            for number in (signal.SIGTERM, signal.SIGINT):
                processes.send(number, site.pid)
            await asyncio.sleep(0.01)
        assert await stopping < IN_TIME
        await socket.closed(30)
    assert site.exit_code == 0
    await site.start()
    async with ada.socket() as socket:
        stored = [(await socket.post(room, f"post {place}", nonce))["seq"] for place, nonce in enumerate(nonces)]
    assert stored == sorted(stored)
    assert set(codes(socket, numbers)) <= {"ok", "restarting"}


async def test_a_stop_while_nobody_is_there_is_quick(site: Site) -> None:
    assert await site.stop() < IN_TIME / 2
    await site.start()

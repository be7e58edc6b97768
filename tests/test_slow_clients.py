"""Clients that say nothing, or say it slowly: they are gone after their time, and others never wait for them."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chat import app
from tests.conftest import World
from tests.visitor import Visitor, serving

HEADER_SECONDS, BODY_SECONDS = 1, 2


@pytest_asyncio.fixture
async def impatient(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    """A server that waits a tenth as long as the real one, or the test would."""
    monkeypatch.setattr(app, "HEADER_SECONDS", HEADER_SECONDS)
    monkeypatch.setattr(app, "BODY_SECONDS", BODY_SECONDS)
    async with serving(database_url, tmp_path) as world:
        yield world


async def held(world: World, start: bytes, drip: bytes) -> float:
    """How long the server keeps a connection that sends `drip` every 0.2 s after `start`."""
    began = time.monotonic()  # before connecting: the server may have accepted long before this task goes on
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.port)
    try:
        writer.write(start)
        while not reader.at_eof():
            if drip:
                writer.write(drip)
            try:
                await asyncio.wait_for(reader.read(65536), 0.2)
            except TimeoutError:
                pass
            assert time.monotonic() - began < 10, "the server waits for ever"
    except ConnectionError:
        pass
    finally:
        writer.close()
    return time.monotonic() - began


def test_the_real_server_waits_ten_seconds_for_headers_and_twenty_for_a_body() -> None:
    assert (app.HEADER_SECONDS, app.BODY_SECONDS) == (10, 20)


async def test_slow_headers_and_slow_bodies_end_and_others_are_served_meanwhile(impatient: World) -> None:
    head = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    post = b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    attackers = [
        asyncio.create_task(each)
        for _ in range(50)
        for each in (
            held(impatient, b"", b""),
            held(impatient, head, b"X-Slow: 1\r\n"),
            held(impatient, post + b"Content-Length: 8192\r\n\r\n", b"x"),
            held(impatient, post + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        )
    ]
    visitor, waits = Visitor(impatient.base), []
    while not all(each.done() for each in attackers):
        started = time.monotonic()
        assert (await visitor.get("/sign-in")).code == 200
        waits.append(time.monotonic() - started)
        await asyncio.sleep(0.05)
    kept = [each.result() for each in attackers]
    for n, limit in enumerate((HEADER_SECONDS, HEADER_SECONDS, BODY_SECONDS, BODY_SECONDS)):
        assert max(kept[n::4]) < limit + 2
        assert min(kept[n::4]) > limit * 0.8
    assert len(waits) > 10
    assert max(waits) < 1


async def test_who_reads_an_answer_slowly_keeps_nobody_waiting(impatient: World) -> None:
    port = impatient.server.port
    request = b"GET /static/index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    writers = []
    for _ in range(100):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
        writer.write(request * 20)
        writers.append(writer)
    started = time.monotonic()
    assert (await Visitor(impatient.base).get("/sign-in")).code == 200
    assert time.monotonic() - started < 3
    for writer in writers:
        writer.close()

"""Cost as it grows: what people do most, timed in a database that is loaded with ever more messages by COPY."""

import os
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg

from bench.client import Asker
from bench.contenders import Target
from bench.database import fill, room_id
from bench.figures import Figures, Unbelievable, percentile
from bench.roomful import SECRET_KEY
from chat.lib.signing import Signer

ROOMS = 100
PEOPLE = 1000  # person i is in room i % ROOMS; the reader is the last one and is in half of the rooms
READERS_ROOMS = ROOMS // 2
UNREAD = 40
TIMES = 200
ROWS_AT_ONCE = 5000
TEXTS = """
    the of and to in is that for it as was with be by on not he his but at are this have from they which one you were
    release deploy meeting lunch budget invoice customer design review branch merge server latency coffee holiday
"""

# Kept while rows come: the primary key, since ids only grow, and the checks. All else is made anew afterwards.
CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'messages'::regclass AND contype IN ('u', 'f')
"""
INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = 'messages'::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
"""

Points = dict[str, list[tuple[float, float]]]


async def run(target: Target, sizes: tuple[int, ...]) -> tuple[Figures, Points]:
    """Medians in ms at each size, and their ratios between the last size and the first; the same as curves."""
    assert target.database_url is not None, "Roomful stores what it is told"
    cookies = await fill(target.database_url, Signer((SECRET_KEY,)), people=PEOPLE, rooms=ROOMS)
    connection = await asyncpg.connect(target.database_url)
    figures: Figures = {}
    points: Points = {}
    try:
        await connection.execute(
            "INSERT INTO memberships (room_id, user_id, read_seq) SELECT room, $2, 0 FROM unnest($1::int[]) AS room "
            "ON CONFLICT DO NOTHING",
            [room_id(index) for index in range(READERS_ROOMS)],
            PEOPLE,
        )
        loaded = 0
        for size in sizes:
            await _load(connection, loaded // ROOMS, size // ROOMS)
            loaded = size
            for name, milliseconds in (await _measure(target.port, cookies[-1], size // ROOMS)).items():
                figures[f"{name}_ms_at_{size}"] = milliseconds
                points.setdefault(name, []).append((size, milliseconds))
    finally:
        await connection.close()
    for name, curve in points.items():
        figures[f"{name}_ratio"] = curve[-1][1] / curve[0][1]
    return figures, points


async def _load(connection: asyncpg.Connection, have: int, want: int) -> None:
    """Brings each room from `have` messages to `want`."""
    constraints = await connection.fetch(CONSTRAINTS)
    indexes = await connection.fetch(INDEXES)
    for name, _ in constraints:
        await connection.execute(f'ALTER TABLE messages DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    # What earlier measurements posted would be in the way of the seqs.
    await connection.execute("DELETE FROM messages WHERE seq > $1", have)
    await connection.copy_to_table(
        "messages",
        source=_rows(have, want),
        columns=["room_id", "seq", "changed", "sender_id", "nonce", "text", "at"],
        format="text",
    )
    for _, definition in indexes:
        await connection.execute(definition)
    for name, definition in constraints:
        await connection.execute(f'ALTER TABLE messages ADD CONSTRAINT "{name}" {definition}')
    await connection.execute("UPDATE rooms SET last_seq = $1, last_message_at = now()", want)
    await connection.execute("UPDATE memberships SET read_seq = $1", want - UNREAD)
    await connection.execute("VACUUM ANALYZE")


async def _rows(have: int, want: int) -> AsyncIterator[bytes]:
    """Lines of COPY: the rooms take turns, as they do in life, so that one room's messages lie far from each other."""
    words = TEXTS.split()
    lines = []
    ids = [room_id(index) for index in range(ROOMS)]
    for seq in range(have + 1, want + 1):
        for index in range(ROOMS):
            sender = index + ROOMS * random.randrange(PEOPLE // ROOMS) + 1
            text = " ".join(random.choices(words, k=8))
            lines.append(f"{ids[index]}\t{seq}\t{seq}\t{sender}\t{os.urandom(16).hex()}\t{text}\t2026-01-01\n")
        if len(lines) >= ROWS_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()


async def _measure(port: int, cookie: str, seqs: int) -> dict[str, float]:
    """Median milliseconds of each thing, through a socket; the things take turns."""
    reader = Asker(port, cookie)
    await reader.dial()
    await reader.hello

    def some_room() -> int:
        return room_id(random.randrange(READERS_ROOMS))

    async def open_room() -> None:
        reply = await reader.ask("message.list", room=some_room())
        _expect(len(reply["messages"]) == 50, "a room was opened without its newest 50 messages")

    async def page_history() -> None:
        reply = await reader.ask("message.list", room=some_room(), before=random.randrange(51, seqs))
        _expect(len(reply["messages"]) == 50, "a page of history was not full")

    async def unread_list() -> None:
        reply = await reader.ask("room.list")
        _expect(all(room["unread"] > 0 for room in reply["rooms"]), "a room had nothing unread")

    async def post() -> None:
        await reader.ask("message.post", room=some_room(), nonce=str(uuid.uuid4()), text="One more of many")

    things: dict[str, Callable[[], Awaitable[None]]] = {
        "open_room": open_room,
        "page_history": page_history,
        "unread_list": unread_list,
        "post": post,
    }
    times: dict[str, list[float]] = {name: [] for name in things}
    for turn in range(TIMES + TIMES // 10):
        for name, thing in things.items():
            started = time.perf_counter()
            await thing()
            if turn >= TIMES // 10:  # before that, caches fill
                times[name].append((time.perf_counter() - started) * 1000)
    reader.hang_up()
    return {name: percentile(values, 0.5) for name, values in times.items()}


def _expect(what: bool, otherwise: str) -> None:
    if not what:
        raise Unbelievable(otherwise)

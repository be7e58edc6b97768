"""Cost as it grows: what people do most, timed in databases of different sizes that are loaded by COPY."""

import os
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg

from bench.client import Asker
from bench.contenders import Contender
from bench.database import fill, room_id
from bench.figures import Figures, Unbelievable, percentile
from bench.loads import Load
from bench.roomful import SECRET_KEY
from chat.lib.signing import Signer

ROOMS = 100
PEOPLE = 1000  # person i is in room i % ROOMS; the reader is the last one and is in half of the rooms
READERS_ROOMS = ROOMS // 2
UNREAD = 40
PAGE = 50
WARMING_TURNS, TURNS = 30, 300
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


async def run(contender: Contender, load: Load, folder: Path) -> tuple[Figures, Points]:
    """Medians in ms at each size, and their ratios between the largest and the smallest; the same as curves.

    There is a server for each size, and they are asked in turn: what else the machine does slows all of them.
    """
    times: dict[tuple[str, int], list[float]] = {}
    async with AsyncExitStack() as stack:
        readers = {}
        for size in load.sizes:
            place = folder / str(size)
            place.mkdir()
            target = await stack.enter_async_context(contender.running(load, place))
            assert target.database_url is not None, "Roomful stores what it is told"
            cookie = await _loaded(target.database_url, size // ROOMS)
            readers[size] = Reader(target.port, cookie, seqs=size // ROOMS)
            await readers[size].dial()
            await readers[size].hello
        for turn in range(WARMING_TURNS + TURNS):
            for thing in Reader.THINGS:
                for size, reader in readers.items():
                    started = time.perf_counter()
                    await getattr(reader, thing)()
                    if turn >= WARMING_TURNS:
                        times.setdefault((thing, size), []).append((time.perf_counter() - started) * 1000)
        for reader in readers.values():
            reader.hang_up()
    medians = {key: percentile(values, 0.5) for key, values in times.items()}
    figures: Figures = {f"{thing}_ms_at_{size}": value for (thing, size), value in medians.items()}
    for thing in Reader.THINGS:
        figures[f"{thing}_ratio"] = medians[thing, load.sizes[-1]] / medians[thing, load.sizes[0]]
    points = {thing: [(float(size), medians[thing, size]) for size in load.sizes] for thing in Reader.THINGS}
    return figures, points


class Reader(Asker):
    """Somebody who does what people do, in rooms of `seqs` messages."""

    THINGS = ("open_room", "page_history", "unread_list", "post")

    def __init__(self, port: int, cookie: str, *, seqs: int) -> None:
        super().__init__(port, cookie)
        self._seqs = seqs

    async def open_room(self) -> None:
        _expect_page(await self.ask("message.list", room=_some_room()))

    async def page_history(self) -> None:
        before = random.randrange(PAGE + 1, self._seqs)
        _expect_page(await self.ask("message.list", room=_some_room(), before=before))

    async def unread_list(self) -> None:
        reply = await self.ask("room.list")
        if not all(room["unread"] for room in reply["rooms"]):
            raise Unbelievable("a room had nothing unread")

    async def post(self) -> None:
        await self.ask("message.post", room=_some_room(), nonce=str(uuid.uuid4()), text="One more of many")


def _some_room() -> int:
    return room_id(random.randrange(READERS_ROOMS))


def _expect_page(reply: dict[str, Any]) -> None:
    if len(reply["messages"]) != PAGE:
        raise Unbelievable(f"a page had {len(reply['messages'])} messages, not {PAGE}")


async def _loaded(url: str, seqs: int) -> str:
    """Fills the database with people, rooms and `seqs` messages in each room: the reader's cookie."""
    cookies = await fill(url, Signer((SECRET_KEY,)), people=PEOPLE, rooms=ROOMS)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO memberships (room_id, user_id, read_seq) SELECT room, $2, 0 FROM unnest($1::int[]) AS room "
            "ON CONFLICT DO NOTHING",
            [room_id(index) for index in range(READERS_ROOMS)],
            PEOPLE,
        )
        constraints = await connection.fetch(CONSTRAINTS)
        indexes = await connection.fetch(INDEXES)
        for name, _ in constraints:
            await connection.execute(f'ALTER TABLE messages DROP CONSTRAINT "{name}"')
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        columns = ["room_id", "seq", "changed", "sender_id", "nonce", "text", "at"]
        await connection.copy_to_table("messages", source=_rows(seqs), columns=columns, format="text")
        for _, definition in indexes:
            await connection.execute(definition)
        for name, definition in constraints:
            await connection.execute(f'ALTER TABLE messages ADD CONSTRAINT "{name}" {definition}')
        await connection.execute("UPDATE rooms SET last_seq = $1, last_message_at = now()", seqs)
        await connection.execute("UPDATE memberships SET read_seq = $1", seqs - UNREAD)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return cookies[-1]


async def _rows(seqs: int) -> AsyncIterator[bytes]:
    """Lines of COPY: the rooms take turns, as they do in life, so that one room's messages lie far from each other."""
    words = TEXTS.split()
    lines = []
    ids = [room_id(index) for index in range(ROOMS)]
    for seq in range(1, seqs + 1):
        for index in range(ROOMS):
            sender = index + ROOMS * random.randrange(PEOPLE // ROOMS) + 1
            text = " ".join(random.choices(words, k=8))
            lines.append(f"{ids[index]}\t{seq}\t{seq}\t{sender}\t{os.urandom(16).hex()}\t{text}\t2026-01-01\n")
        if len(lines) >= ROWS_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join(lines).encode()

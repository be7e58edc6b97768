"""The journal where a message has a large audience: authors first, fewer and larger commits, and it goes on."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from chat.actions.waitlist import Outcome
from chat.hub.connection import Connection
from chat.hub.hub import room_topic
from chat.lib.db import Effect
from chat.models.sessions import SignedIn
from tests.conftest import World
from tests.statements import counted_statements
from tests.test_hub import Line
from tests.waiting import until

AUDIENCE = 500


@dataclass
class Listener(Line):
    """Does something with what is written to it."""

    on_write: Callable[[], None] = lambda: None

    def write(self, data: bytes) -> None:
        super().write(data)
        self.on_write()


class LargeRoom:
    """A room with many listeners; the one at place 0 belongs to the author."""

    def __init__(self, world: World, actor: SignedIn, room: int, seq: int) -> None:
        self.world, self.actor, self.room = world, actor, room
        self.listeners = [Listener() for _ in range(AUDIENCE)]
        self.connections = [self._connect(place, seq) for place in range(AUDIENCE)]
        self.outcomes: list[Outcome] = []

    def _connect(self, place: int, seq: int) -> Connection:
        line, user = self.listeners[place], self.actor.user
        connection = Connection(f"c{place}", user=user, session=0, role="member", transport=line, write_limit=2**20)
        hub = self.world.server.hub
        hub.register(connection, [room_topic(self.room)])
        connection.greet(b'{"event":"hello"}')
        hub.begin_log(connection, room_topic(self.room), seq)
        return connection

    def post(self, text: str) -> None:
        def reply(outcome: Outcome) -> Connection:
            self.outcomes.append(outcome)
            self.connections[0].queue(b"\x81\x02{}")
            return self.connections[0]

        self.world.server.services.journal.submit(self.actor, self.room, uuid.uuid4(), text, reply)

    def leave(self) -> None:
        for connection in self.connections:
            self.world.server.hub.unregister(connection)


async def opened(world: World) -> LargeRoom:
    ada = await world.person("ada")
    room = await world.room(ada, "large")
    return LargeRoom(world, await world.actor(ada), room, await world.last_seq(room))


async def test_the_author_hears_first_and_what_is_written_then_is_one_commit(world: World) -> None:
    large = await opened(world)
    heard: list[int] = []

    def write_to(place: int) -> None:
        heard.append(place)
        if len(heard) in (1, AUDIENCE // 2 - 10):  # the event loop has had a turn between the two
            large.post("written while others are told")

    for place, line in enumerate(large.listeners):
        line.on_write = lambda place=place: write_to(place)  # type: ignore[misc]
    with counted_statements(world) as said:
        large.post("first")
        await until(lambda: len(large.outcomes) == 3)
        await until(lambda: len(heard) == 2 * AUDIENCE)
    assert (heard[0], heard[AUDIENCE]) == (0, 0)
    assert len([statement for statement in said if "post_messages" in statement]) == 2
    large.leave()


@pytest.mark.logs("telling a batch of 1 failed")
async def test_a_fault_in_telling_does_not_end_posting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    large = await opened(world)
    hub, told = world.server.hub, asyncio.Event()
    queue = hub.queue

    def fail_once(effects: Sequence[Effect]) -> set[Connection]:
        if told.is_set():
            return queue(effects)
        told.set()
        raise RuntimeError("a fault in telling")

    monkeypatch.setattr(hub, "queue", fail_once)
    large.post("not told")
    await told.wait()
    large.post("told")
    await until(lambda: len(large.outcomes) == 1)
    last = large.connections[-1]
    await until(lambda: len(large.listeners[-1].told) >= 2, seconds=10)
    assert not last.closed
    large.leave()

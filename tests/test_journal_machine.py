"""Journal, hub and PostgreSQL under whatever order of posts, repeats, lost replies, comings, goings and restarts."""

import asyncio
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import select

from chat.actions import members
from chat.actions.journal import Journal
from chat.actions.waitlist import Outcome
from chat.errors import NotFound, Problem
from chat.hub.connection import Connection
from chat.hub.hub import Hub, room_topic
from chat.lib.db import Database, Effect
from chat.models.messages import messages
from chat.models.rooms import rooms
from chat.models.sessions import SignedIn
from tests.conftest import World
from tests.test_hub import Line
from tests.waiting import until

T = TypeVar("T")
PATIENCE = 20


class Posts(RuleBasedStateMachine):
    """People with fake lines, on a real journal. The rules run in a thread; what they do runs in the test's loop."""

    world: World
    url: str
    loop: asyncio.AbstractEventLoop
    actors: list[SignedIn]  # the first one is the room's owner, and always in it

    people = st.integers(0, 2)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(PATIENCE)

    @initialize()
    def begin(self) -> None:
        self.sent: dict[uuid.UUID, tuple[int, str]] = {}
        self.asked = 0
        self.answers: dict[uuid.UUID, list[Outcome]] = {}
        self.lines: dict[int, tuple[Connection, Line, int]] = {}  # with the seq of the hello
        self.inside = {0, 1, 2}
        self.do(self._begin())

    async def _begin(self) -> None:
        first, *others = self.world.people
        self.room = await self.world.room(first, f"room {uuid.uuid4().hex[:8]}", *others)
        self.hub = Hub()
        self.db = Database(self.url, publish=self._publish)
        self._open_journal()

    def _publish(self, effects: Sequence[Effect]) -> None:
        self.hub.publish(effects)  # whichever there is by now

    def _open_journal(self) -> None:
        self.journal = Journal(self.db, self.hub)
        self.journal.start()

    @rule(who=people, text=st.sampled_from(["hello", "again", "🌊"]))
    def send(self, who: int, text: str) -> None:
        nonce = uuid.uuid4()
        self.sent[nonce] = who, text
        self.do(self._submit(nonce))

    @rule(data=st.data(), reply_is_lost=st.booleans())
    def repeat(self, data: st.DataObject, reply_is_lost: bool) -> None:
        if self.sent:
            self.do(self._submit(data.draw(st.sampled_from(list(self.sent))), lost=reply_is_lost))

    async def _submit(self, nonce: uuid.UUID, *, lost: bool = False) -> None:
        who, text = self.sent[nonce]
        self.asked += not lost

        def reply(outcome: Outcome) -> None:
            if not lost:
                self.answers.setdefault(nonce, []).append(outcome)

        self.journal.submit(self.actors[who], self.room, nonce, text, reply)

    @rule(who=people)
    def remove(self, who: int) -> None:
        """Who is removed leaves first: what an eviction does to an open line is the hub's own test."""
        if who and who in self.inside:
            self.disconnect(who)
            self.inside.discard(who)
            self.do(self._change(members.remove, self.actors[who].user))

    @rule(who=people)
    def add(self, who: int) -> None:
        if who not in self.inside:
            self.inside.add(who)
            self.do(self._change(members.add, [self.actors[who].user]))

    async def _change(self, change: Any, whom: int | list[int]) -> None:
        async with self.db.transaction() as tx:
            await change(tx, self.actors[0], self.room, whom)

    @rule(who=people)
    def connect(self, who: int) -> None:
        if who in self.inside and who not in self.lines:
            self.do(self._connect(who))

    async def _connect(self, who: int) -> None:
        line, user = Line(), self.actors[who].user
        connection = Connection(str(who), user=user, session=user, role="member", transport=line, write_limit=2**20)
        self.hub.register(connection, [room_topic(self.room)])
        seq = await self._head()
        connection.greet(b'{"event":"hello"}')
        self.hub.begin_log(connection, room_topic(self.room), seq)
        self.lines[who] = connection, line, seq

    async def _head(self) -> int:
        async with self.db.read() as db:
            found: int = (await db.execute(select(rooms.c.last_seq).where(rooms.c.id == self.room))).scalar_one()
        return found

    @rule(who=people)
    def disconnect(self, who: int) -> None:
        if who in self.lines:
            self.check_line(who)
            self.do(self._disconnect(who))

    async def _disconnect(self, who: int) -> None:
        self.hub.unregister(self.lines.pop(who)[0])

    @rule()
    def restart(self) -> None:
        """Nothing that is only in memory may be needed."""
        for who in self.lines:
            self.check_line(who)
        self.do(self._restart())

    async def _restart(self) -> None:
        await self.journal.close(PATIENCE)
        self.lines.clear()
        self.hub = Hub()
        self._open_journal()

    def told(self, who: int) -> list[dict[str, Any]]:
        return [event for event in map(dict[str, Any], self.lines[who][1].told) if event.get("room") == self.room]

    def check_line(self, who: int) -> None:
        """Everything since the hello, each once, in order, up to where the line has come."""
        seqs = self._seqs(who)
        first = self.lines[who][2] + 1
        assert seqs == list(range(first, first + len(seqs))), (who, first, seqs)

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.do(self._end())

    async def _end(self) -> None:
        try:
            await until(lambda: sum(map(len, self.answers.values())) == self.asked)
            head = await self._head()
            for who in self.inside & self.lines.keys():
                _, _, hello = self.lines[who]
                await until(lambda who=who, hello=hello: len(self._seqs(who)) == head - hello)  # type: ignore[misc]
            for who in self.lines:
                self.check_line(who)
            await self._check_answers()
        finally:
            await self.journal.close(PATIENCE)
            await self.db.close()

    def _seqs(self, who: int) -> list[int]:
        """What came after the hello; what it covers may be told behind it once more, and clients drop that."""
        return [event["seq"] for event in self.told(who) if event.get("seq", 0) > self.lines[who][2]]

    async def _check_answers(self) -> None:
        """What was acknowledged is there once, as it was said; who was refused was not in the room."""
        async with self.db.read() as db:
            asked = select(messages.c.nonce, messages.c.id, messages.c.seq, messages.c.text)
            found = (await db.execute(asked.where(messages.c.room_id == self.room, messages.c.kind == "text"))).all()
        stored = {row.nonce: row for row in found}
        assert len(stored) == len(found)
        for nonce, outcomes in self.answers.items():
            refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
            assert all(isinstance(problem, NotFound) for problem in refused), refused
            kept = [msgspec.json.decode(outcome) for outcome in outcomes if not isinstance(outcome, Problem)]
            for message in kept:
                row = stored[nonce]
                assert (message["id"], message["seq"], message["text"]) == (row.id, row.seq, self.sent[nonce][1])


@pytest.mark.timeout(180)
async def test_whatever_happens_what_is_acknowledged_is_there_once_and_told_in_order(
    world: World, database_url: str
) -> None:
    for name in ("ada", "bob", "cyd"):
        await world.person(name)
    people = {
        "world": world,
        "url": database_url,
        "loop": asyncio.get_running_loop(),
        "actors": [await world.actor(person) for person in world.people],
    }
    steps = settings(
        max_examples=30,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # what fails may be a matter of timing: a smaller example would be another one
    )
    machine = type("Posts", (Posts,), people)
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=steps)

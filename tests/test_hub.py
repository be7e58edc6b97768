"""The hub by itself: who listens, in which order they are told, and that nothing follows an eviction."""

import json
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chat.errors import CLOSE_RESTARTING, CLOSE_TOO_SLOW
from chat.hub.connection import Connection
from chat.hub.hub import Hub
from chat.hub.logs import RoomLog
from chat.lib.db import Admit, Effect, Emit, Evict

ROOM = "room:1"
LIMIT = 1024


@dataclass
class Line:
    """A transport without a network: what was written, each write by itself."""

    writes: list[bytes] = field(default_factory=list)
    waiting: int = 0
    closed_with: int | None = None

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self, code: int, reason: str) -> None:
        self.closed_with = code

    @property
    def told(self) -> list[str]:
        """The texts of all frames, in order."""
        data, texts = b"".join(self.writes), []
        while data:
            size, head = data[1], 2
            if size == 126:
                size, head = struct.unpack("!H", data[2:4])[0], 4
            texts.append(json.loads(data[head : head + size]))
            data = data[head + size :]
        return texts


def connect(hub: Hub, user: int, *topics: str, role: str = "member", greeted: bool = True) -> tuple[Connection, Line]:
    line = Line()
    connection = Connection(f"c{user}", user=user, session=user, role=role, transport=line, write_limit=LIMIT)
    hub.register(connection, topics)
    if greeted:
        connection.greet(b'"hello"')
    return connection, line


def begin_log(hub: Hub, seq: int) -> None:
    """The hellos of all who listen have read the room's seq."""
    for connection in list(hub.listeners(ROOM)):
        hub.begin_log(connection, ROOM, seq)


def event(seq: int) -> Emit:
    return Emit(ROOM, json.dumps(f"e{seq}").encode(), seq)


def test_a_log_tells_in_order_however_the_commits_came_back() -> None:
    log = RoomLog(head=4)
    assert log.take(7, b"7") == []
    assert log.take(6, b"6") == []
    assert log.is_waiting
    assert log.take(5, b"5") == [b"5", b"6", b"7"]
    assert not log.is_waiting
    assert log.take(5, b"again") == []


def test_a_log_begins_where_the_first_hello_saw_it_and_skips_what_was_healed() -> None:
    log = RoomLog()
    assert log.take(9, b"9") == []
    assert log.begin(8) == [b"9"]
    assert log.begin(3) == []
    log.take(12, b"12")
    assert log.skip_to(11) == [b"12"]
    assert log.head == 12


def test_one_publication_is_one_write_for_each_listener() -> None:
    hub = Hub()
    _, ada = connect(hub, 1, ROOM)
    _, bob = connect(hub, 2, ROOM)
    _, eve = connect(hub, 3)
    begin_log(hub, 0)
    hub.publish([event(1), event(2), event(3)])
    for line in (ada, bob):
        assert line.told == ["hello", "e1", "e2", "e3"]
        assert len(line.writes) == 2
    assert eve.told == ["hello"]


def test_what_is_told_before_the_hello_follows_it() -> None:
    hub = Hub()
    connection, line = connect(hub, 1, ROOM, greeted=False)
    begin_log(hub, 0)
    hub.publish([event(1)])
    assert line.writes == []
    connection.greet(b'"hello"')
    assert line.told == ["hello", "e1"]


def test_who_is_evicted_hears_what_came_before_and_nothing_after() -> None:
    hub = Hub()
    _, line = connect(hub, 1, ROOM)
    _, other = connect(hub, 2, ROOM)
    begin_log(hub, 0)
    hub.publish([event(1), Evict(1, ROOM, 2), event(2)])
    hub.publish([event(3)])
    assert line.told == ["hello", "e1"]
    assert other.told == ["hello", "e1", "e2", "e3"]


def test_who_joins_hears_nothing_that_is_still_on_the_way_from_before() -> None:
    hub = Hub()
    _, ada = connect(hub, 1, ROOM)
    _, bob = connect(hub, 2)
    begin_log(hub, 0)
    hub.publish([Admit(2, ROOM, 3), event(3)])
    assert hub.audience(ROOM) == {1, 2}
    hub.publish([event(2)])
    hub.publish([event(1)])
    assert ada.told == ["hello", "e1", "e2", "e3"]
    assert bob.told == ["hello", "e3"]


def test_who_comes_back_hears_what_the_hello_does_not_cover() -> None:
    hub = Hub()
    _, ada = connect(hub, 1, ROOM)
    begin_log(hub, 0)
    late, bob = connect(hub, 2, ROOM)
    hub.begin_log(late, ROOM, 2)
    hub.publish([event(3)])
    hub.heal(ROOM, 3, [b'"sync"'])
    hub.publish([event(1), event(2), event(4)])
    assert ada.told == bob.told == ["hello", "sync", "e4"]
    last, cyd = connect(hub, 3, ROOM)
    hub.begin_log(last, ROOM, 6)
    hub.publish([Evict(3, ROOM, 8), event(8)])
    hub.publish([event(7), event(6), event(5)])
    assert ada.told[-4:] == ["e5", "e6", "e7", "e8"]
    assert cyd.told == ["hello"]


def test_who_is_to_come_listens_when_the_last_who_was_there_leaves() -> None:
    hub = Hub()
    ada, _ = connect(hub, 1, ROOM)
    _, bob = connect(hub, 2)
    begin_log(hub, 0)
    hub.publish([Admit(2, ROOM, 3), event(3)])
    hub.unregister(ada)
    assert bob.told == ["hello", "e3"]
    assert hub.heads() == {ROOM: 3}
    hub.publish([event(4), event(3)])
    assert bob.told == ["hello", "e3", "e4"]


def test_a_slow_reader_is_closed_and_the_others_are_told() -> None:
    hub = Hub()
    slow, slow_line = connect(hub, 1, ROOM)
    _, quick = connect(hub, 2, ROOM)
    begin_log(hub, 0)
    slow_line.waiting = LIMIT + 1
    hub.publish([event(1)])
    assert slow_line.closed_with == CLOSE_TOO_SLOW
    assert slow.closed
    assert quick.told == ["hello", "e1"]


def test_who_comes_passes_over_nothing_that_another_still_waits_for() -> None:
    """Bob and Ada were removed, Bob is back; this process hears of Bob's return first. It was Ada's own removal that
    was missing."""
    gaps: set[str] = set()
    hub = Hub(on_gap=gaps.add)
    bob, at_bob = connect(hub, 2, ROOM)
    hub.begin_log(bob, ROOM, 0)
    ada, at_ada = connect(hub, 1, ROOM)
    hub.begin_log(ada, ROOM, 1)  # Bob's removal, which we have not heard of
    hub.publish([Admit(2, ROOM, 3), event(3)])
    assert at_ada.told == at_bob.told == ["hello"]
    assert gaps == {ROOM}
    hub.publish([Evict(1, ROOM, 2), event(2)])
    hub.publish([Evict(2, ROOM, 1), event(1)])
    assert at_ada.told == ["hello"]
    assert at_bob.told == ["hello", "e3"]


def test_who_is_still_to_come_and_leaves_is_forgotten() -> None:
    hub = Hub()
    bob, at_bob = connect(hub, 2, ROOM)
    hub.begin_log(bob, ROOM, 0)
    ada, at_ada = connect(hub, 1, ROOM)
    hub.begin_log(ada, ROOM, 1)
    hub.publish([Admit(2, ROOM, 3), event(3)])
    assert hub.audience(ROOM) == {1, 2}  # both are still to come
    hub.unregister(ada)
    assert hub.audience(ROOM) == {2}
    hub.unregister(bob)
    assert not hub.heads()
    assert at_ada.told == at_bob.told[:1] == ["hello"]


def test_what_is_worth_nothing_later_is_left_out_for_who_is_slow() -> None:
    hub = Hub()
    _, slow = connect(hub, 1, ROOM)
    _, quick = connect(hub, 2, ROOM)
    slow.waiting = 100_000
    hub.notice(ROOM, b'"typing"')
    assert slow.told == ["hello"]
    assert slow.closed_with is None
    assert quick.told == ["hello", "typing"]


def test_a_closed_connection_is_told_nothing_more() -> None:
    hub = Hub()
    connection, line = connect(hub, 1, ROOM)
    begin_log(hub, 0)
    connection.close(CLOSE_RESTARTING, "bye")
    hub.publish([event(1)])
    assert line.told == ["hello"]
    hub.unregister(connection)
    hub.unregister(connection)
    assert not hub.heads()


async def test_the_last_one_to_leave_is_noticed() -> None:
    hub = Hub()
    await hub.emptied()
    connection, _ = connect(hub, 1)
    hub.unregister(connection)
    await hub.emptied()


class RoomOfPeople(RuleBasedStateMachine):
    """Commits come back late, twice or never; people come and go. Whatever happens, everyone's list is a slice of the
    log in order, and nothing is in it from when they were not members."""

    people = st.integers(1, 3)

    @initialize()
    def begin(self) -> None:
        self.gaps: set[str] = set()
        self.hub = Hub(on_gap=self.gaps.add)
        self.seq = 0
        self.posts: list[int] = []
        self.late: list[list[Effect]] = []
        self.members = {1: 0, 2: 0, 3: 0}  # user → the seq at which they last came or went
        self.inside = {1, 2, 3}
        self.lines: dict[int, tuple[Connection, Line]] = {}
        self.allowed: dict[int, set[int]] = {1: set(), 2: set(), 3: set()}

    @rule(held=st.booleans())
    def post(self, held: bool) -> None:
        self.seq += 1
        for user in self.inside:
            self.allowed[user].add(self.seq)
        self.posts.append(self.seq)
        self.commit([event(self.seq)], held)

    @rule(user=people, held=st.booleans())
    def remove(self, user: int, held: bool) -> None:
        if user in self.inside:
            self.inside.discard(user)
            self.seq += 1
            for other in self.inside:
                self.allowed[other].add(self.seq)
            self.commit([Evict(user, ROOM, self.seq), event(self.seq)], held)

    @rule(user=people, held=st.booleans())
    def add(self, user: int, held: bool) -> None:
        if user not in self.inside:
            self.inside.add(user)
            self.seq += 1
            for other in self.inside:
                self.allowed[other].add(self.seq)
            self.commit([Admit(user, ROOM, self.seq), event(self.seq)], held)

    def commit(self, effects: list[Effect], held: bool) -> None:
        """`held`: the process hears of it later, when others have committed."""
        if held:
            self.late.append(effects)
        else:
            self.hub.publish(effects)

    @rule(data=st.data())
    def hear_of_a_late_commit(self, data: st.DataObject) -> None:
        if self.late:
            self.hub.publish(self.late.pop(data.draw(st.integers(0, len(self.late) - 1))))

    @rule(data=st.data())
    def hear_of_a_commit_again(self, data: st.DataObject) -> None:
        """Of messages alone: the line of a coming or going is only ever told with it."""
        if self.posts:
            self.hub.publish([event(data.draw(st.sampled_from(self.posts)))])

    @rule(user=people)
    def connect(self, user: int) -> None:
        if user not in self.lines:
            self.lines[user] = connect(self.hub, user, *([ROOM] if user in self.inside else []))
            if user in self.inside:
                self.hub.begin_log(self.lines[user][0], ROOM, self.seq)

    @rule(user=people)
    def disconnect(self, user: int) -> None:
        if user in self.lines:
            connection, _ = self.lines.pop(user)
            self.hub.unregister(connection)

    @rule()
    def restart(self) -> None:
        """Nothing that is only in memory may be needed: everybody comes back to another hub."""
        users = list(self.lines)
        self.hub, self.lines, self.late = Hub(on_gap=self.gaps.add), {}, []
        for user in users:
            self.connect(user)

    @invariant()
    def no_log_outlives_those_who_listen(self) -> None:
        assert getattr(self, "lines", None) or not (hasattr(self, "hub") and self.hub.heads())

    @invariant()
    def every_list_is_a_slice_of_the_log_in_order(self) -> None:
        for user, (_, line) in getattr(self, "lines", {}).items():
            seqs = [int(text[1:]) for text in line.told if text.startswith("e")]
            assert seqs == sorted(set(seqs)), (user, seqs)
            assert set(seqs) <= self.allowed[user], (user, seqs, self.allowed[user])


RoomOfPeople.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRoomOfPeople = pytest.mark.timeout(120)(RoomOfPeople.TestCase)

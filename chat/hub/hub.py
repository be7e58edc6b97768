"""Who listens to what: topics and connections, changed together; everything told to browsers leaves here."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence

from chat.errors import CLOSE_RESTARTING, CLOSE_SIGN_IN_AGAIN
from chat.hub.connection import Connection
from chat.hub.frames import frame
from chat.hub.logs import Entry, RoomLog
from chat.lib.db import Admit, Effect, Emit, EndSessions, Evict, Renew

# Guests hear only of people with whom they share a room, so they do not listen to what all others do.
MEMBERS = "members"
GUESTS = "guests"
EVERYONE = (MEMBERS, GUESTS)
GUESTS_IN = "guests:"
MEMBERSHIPS_LIMIT = 10_000  # those of the last seconds are needed
FLUSH_AT_ONCE = 200  # connections; about 2 ms


def room_topic(room: int) -> str:
    return f"room:{room}"


def user_topic(user: int) -> str:
    return f"user:{user}"


def guests_topic(rooms: Iterable[int]) -> str:
    """Told to the guests who are in one of the rooms: about somebody who is in those."""
    return GUESTS_IN + ",".join(map(str, sorted(rooms)))


class Hub:
    """Topics are `room:ID`, `user:ID`, `members`, `guests` and `guests:ROOM,ROOM`, the guests who are in one of those.
    A room's topic has a log that keeps its events in order.

    `on_gap` is called with the topic of a room whose next event is missing, to have it healed from the database.
    """

    def __init__(self, on_gap: Callable[[str], None] = lambda topic: None) -> None:
        self.on_gap = on_gap
        self.connections: set[Connection] = set()
        self._emptied = asyncio.Event()
        self._emptied.set()
        self.told = 0  # events so far, one for each connection that got it
        self._listeners: dict[str, set[Connection]] = {}
        self._logs: dict[str, RoomLog] = {}
        # (user, topic) → the seq of the latest coming or going that we heard of; the oldest are forgotten.
        self._memberships: dict[tuple[int, str], int] = {}

    def register(self, connection: Connection, topics: Iterable[str] = ()) -> None:
        """From now on the connection gets what its topics are told; it is held back until the connection is greeted."""
        self.connections.add(connection)
        self._emptied.clear()
        self.listen(connection, user_topic(connection.user))
        self.listen(connection, GUESTS if connection.is_guest else MEMBERS)
        for topic in topics:
            self.listen(connection, topic)

    def unregister(self, connection: Connection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self._emptied.set()
        connection.closed = True
        for topic in list(connection.topics):
            self.ignore(connection, topic)

    async def emptied(self) -> None:
        """Waits until the last connection has gone."""
        await self._emptied.wait()

    def listen(self, connection: Connection, topic: str) -> None:
        connection.topics.add(topic)
        self._listeners.setdefault(topic, set()).add(connection)

    def ignore(self, connection: Connection, topic: str) -> None:
        connection.topics.discard(topic)
        if topic in self._logs:
            self._logs[topic].turn_away(connection)
        listeners = self._listeners.get(topic)
        if listeners is not None:
            listeners.discard(connection)
            log = self._logs.get(topic)
            while not listeners and log is not None and log.coming:
                # Who is still to come need not wait for anybody any more.
                self._pass_over(topic, log, min(log.coming) - 1)
            if not listeners:
                del self._listeners[topic]
                self._logs.pop(topic, None)

    def listeners(self, topic: str) -> Collection[Connection]:
        return self._listeners.get(topic, ())

    def of_user(self, user: int) -> Collection[Connection]:
        return self.listeners(user_topic(user))

    def audience(self, topic: str) -> set[int]:
        """The users who hear the room, or are about to."""
        log = self._logs.get(topic)
        coming = log.coming.values() if log is not None else ()
        return {each.user for group in (self.listeners(topic), *coming) for each in group}

    def has_several(self, user: int) -> bool:
        """Whether there is another connection of the user that a reply on one of them does not reach."""
        return len(self._listeners.get(user_topic(user), ())) > 1

    def begin_log(self, connection: Connection, topic: str, head: int) -> None:
        """The connection's hello has read the room's seq: it hears what comes after that."""
        if topic in connection.topics:  # else it left meanwhile
            self._hear_from(connection, topic, head + 1)

    def head(self, topic: str) -> int | None:
        """The seq told last, None where nobody listens or no hello has read it yet."""
        log = self._logs.get(topic)
        return log.head if log is not None else None

    def heads(self) -> dict[str, int]:
        """The seq told last of every room that somebody listens to."""
        return {topic: log.head for topic, log in self._logs.items() if log.head is not None}

    def is_waiting(self, topic: str) -> bool:
        log = self._logs.get(topic)
        return log is not None and log.is_waiting

    def heal(self, topic: str, head: int, payloads: Sequence[bytes]) -> None:
        """Tells `payloads`, read from the database, in place of everything up to `head`."""
        log = self._logs.get(topic)
        if log is None or (log.head is not None and log.head >= head):
            return
        for each in log.arrivals(head + 1):
            self._let_in(each, topic)
        self._tell(topic, payloads)
        self._carry_out(topic, log.skip_to(head))
        self.flush(self.listeners(topic))

    def publish(self, effects: Sequence[Effect]) -> None:
        """Carries out what one or more commits emitted, in order; one write for each connection concerned."""
        self.flush(self.queue(effects))

    def queue(self, effects: Sequence[Effect]) -> set[Connection]:
        """As `publish`, but leaves the writing to the caller: the connections that have something to flush."""
        touched: set[Connection] = set()
        # What a topic is told between two changes of who listens is joined once for all of its listeners.
        told: dict[str, list[bytes]] = {}

        def tell() -> None:
            for topic, payloads in told.items():
                touched.update(self._tell(topic, payloads))
            told.clear()

        for effect in effects:
            if not isinstance(effect, Emit):
                tell()
                self._change_listeners(effect)
            elif effect.seq is None:
                if effect.membership is not None and not self._is_current(*effect.membership):
                    continue
                told.setdefault(effect.topic, []).append(effect.payload)
            else:
                for entry in self._in_order(effect.topic, effect.seq, effect.payload):
                    if isinstance(entry, bytes):
                        told.setdefault(effect.topic, []).append(entry)
                    else:
                        tell()
                        self._let_in(entry, effect.topic)
        tell()
        return touched

    def _change_listeners(self, effect: Admit | Evict | EndSessions | Renew) -> None:
        match effect:
            case Admit(user, topic, seq):
                if self._is_latest(user, topic, seq):
                    for connection in self.of_user(user):
                        self._hear_from(connection, topic, seq)
            case Evict(user, topic, left):
                if left is None or self._is_latest(user, topic, left):
                    for connection in list(self.of_user(user)):
                        self.ignore(connection, topic)
            case EndSessions(sessions):
                self._end_sessions(sessions)
            case Renew(user, reconnect):
                self._renew(user, reconnect)

    def _hear_from(self, connection: Connection, topic: str, seq: int) -> None:
        """It hears the room from `seq` on, and nothing before that, though it may still be on the way to others."""
        log, listeners = self._log(topic), self._listeners.get(topic, set())
        # Who else is still to come may have left again with what is missing, so that it must not be passed over.
        if log.head is None or (listeners <= {connection} and not log.awaited_by_others(connection)):
            self._pass_over(topic, log, seq - 1)
        if log.head is None or log.head >= seq - 1:
            self._let_in(connection, topic)
        else:
            connection.topics.add(topic)  # so that it is forgotten here when it closes
            listeners.discard(connection)
            log.coming.setdefault(seq, []).append(connection)

    def _pass_over(self, topic: str, log: RoomLog, head: int) -> None:
        """What is missing up to `head` is nobody's any more; what was held behind it is told."""
        self._carry_out(topic, log.skip_to(head))
        self.flush(self.listeners(topic))

    def _let_in(self, connection: Connection, topic: str) -> None:
        if connection in self.connections:
            self.listen(connection, topic)

    def _carry_out(self, topic: str, entries: Sequence[Entry]) -> None:
        """Tells what is to be told, to whoever listens by then; leaves the writing to the caller."""
        payloads: list[bytes] = []
        for entry in entries:
            if isinstance(entry, bytes):
                payloads.append(entry)
            else:
                self._tell(topic, payloads)
                payloads = []
                self._let_in(entry, topic)
        self._tell(topic, payloads)

    def _is_latest(self, user: int, topic: str, seq: int) -> bool:
        """Commits of several processes are not heard of in their order: who left and came back must not be put out by
        the news of the leaving."""
        known = self._memberships.pop((user, topic), 0)
        self._memberships[user, topic] = max(known, seq)
        if len(self._memberships) > MEMBERSHIPS_LIMIT:
            del self._memberships[next(iter(self._memberships))]
        return seq >= known

    def _is_current(self, user: int, topic: str, seq: int) -> bool:
        return self._memberships.get((user, topic)) == seq

    def hear(self, effects: Sequence[Effect]) -> None:
        """Carries out what happened in the database without us: another process's commit, or one we did not hear of."""
        self.publish(effects)

    def notice(self, topic: str, payload: bytes, *, besides: Connection | None = None) -> None:
        """Tells listeners everywhere what is worth nothing later, such as typing."""
        self.tell_now(topic, payload, besides=besides)

    def tell_now(self, topic: str, payload: bytes, *, besides: Connection | None = None) -> None:
        """Tells what is worth nothing later to those listeners of this process who can keep up."""
        data = frame(payload)
        for connection in self.listeners(topic):
            if connection is not besides and not connection.is_slow:
                connection.queue(data)
                connection.flush()
                self.told += 1

    def flush(self, connections: Iterable[Connection]) -> None:
        for connection in connections:
            connection.flush()

    async def flush_gently(self, connections: Iterable[Connection]) -> None:
        """Lets others run between, so that a room of thousands does not hold up the next commit or a sign-in."""
        for place, connection in enumerate(connections, start=1):
            connection.flush()
            if place % FLUSH_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _end_sessions(self, sessions: Sequence[int]) -> None:
        ended = set(sessions)
        for connection in [each for each in self.connections if each.session in ended]:
            connection.close(CLOSE_SIGN_IN_AGAIN, "signed out")

    def _renew(self, user: int, reconnect: bool) -> None:
        for connection in list(self.of_user(user)):
            connection.outdated = True
            if reconnect:
                connection.close(CLOSE_RESTARTING, "what you may hear has changed: come back")

    def _log(self, topic: str) -> RoomLog:
        return self._logs.setdefault(topic, RoomLog())

    def _in_order(self, topic: str, seq: int, payload: bytes) -> Sequence[Entry]:
        """What may be told of the room now: this event, held ones behind it, or nothing while one is missing."""
        if topic not in self._listeners:
            return ()
        log = self._log(topic)
        ready = log.take(seq, payload)
        if log.is_waiting:
            self.on_gap(topic)
        return ready

    def _tell(self, topic: str, payloads: Sequence[bytes]) -> Collection[Connection]:
        listeners = self._guests_in(topic) if topic.startswith(GUESTS_IN) else self._listeners.get(topic)
        if not listeners or not payloads:
            return ()
        data = frame(payloads[0]) if len(payloads) == 1 else b"".join(map(frame, payloads))
        for connection in listeners:
            connection.queue(data)
        self.told += len(payloads) * len(listeners)
        return listeners

    def _guests_in(self, topic: str) -> Collection[Connection]:
        rooms = {f"room:{room}" for room in topic.removeprefix(GUESTS_IN).split(",")}
        return [guest for guest in self.listeners(GUESTS) if not rooms.isdisjoint(guest.topics)]

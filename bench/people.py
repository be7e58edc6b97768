"""Who takes part in a storm: members who keep a cursor as the protocol asks, and posters who time their replies."""

import asyncio
import time
import uuid
from collections import Counter
from itertools import cycle

import msgspec

from bench.client import Client, Fault

EVENT = b'{"event":"'


class Line(msgspec.Struct):
    """What counts of a message here."""

    seq: int


class HelloRoom(msgspec.Struct):
    id: int
    seq: int


class Hello(msgspec.Struct):
    epoch: str
    rooms: list[HelloRoom]


class Posted(msgspec.Struct):
    room: int
    seq: int


class Sync(msgspec.Struct):
    to: int = 0
    more: bool = False
    reload: bool = False
    left: bool = False
    messages: list[Line] = []


class Error(msgspec.Struct):
    code: str
    retry_after: float | None = None


class Reply(msgspec.Struct):
    ok: bool
    id: int
    message: Posted | None = None
    rooms: list[Sync] = []
    sync: Sync | None = None
    error: Error | None = None

    @property
    def wait(self) -> float | None:
        """Seconds after which the command should be sent again, where it was refused for now."""
        return self.error.retry_after if self.error is not None else None


hello_of = msgspec.json.Decoder(Hello).decode
posted_of = msgspec.json.Decoder(Posted).decode
reply_of = msgspec.json.Decoder(Reply).decode


class Tally:
    """Bytes that members got, by the kind of frame; `last_presence` is when anybody was told of anybody's; `put_off`
    counts the resumes that were answered with a time to wait."""

    def __init__(self) -> None:
        self._bytes: Counter[str] = Counter()
        self.put_off = 0
        self.last_presence = time.monotonic()

    def add(self, kind: str, size: int) -> None:
        self._bytes[kind] += size
        if kind == "presence.changed":
            self.last_presence = time.monotonic()

    def take(self) -> Counter[str]:
        """What was counted since the last time."""
        found, self._bytes = self._bytes, Counter()
        return found


class Member(Client):
    """Reads one room, and resumes it after each return.

    `first` is the cursor at arrival and `heard` counts the messages since then: with nothing lost and nothing shown
    twice it is always `cursor - first`.
    """

    def __init__(self, port: int, cookie: str, address: str, room: int, tally: Tally) -> None:
        super().__init__(port, cookie, address)
        self.room = room
        self.cursor = self.first = self.heard = 0
        self.is_ready = False
        self.resumed_at = 0.0
        self._outcome: asyncio.Future[int] | None = None
        self._tally = tally
        self._epoch = ""
        self._early: set[int] = set()  # seqs that came before those that they follow
        self._asking = False

    async def come_back(self) -> int:
        """Dials and resumes: 0 when that is done, or the HTTP status or close code with which it failed."""
        self._outcome = asyncio.get_running_loop().create_future()
        await self.dial()
        return await self._outcome

    def refused(self, status: int) -> None:
        self._end(status, f"a member was refused with status {status}")

    def cut(self, code: int) -> None:
        self._end(code, f"the server ended a member's connection with code {code}")

    def frame(self, payload: bytes, size: int) -> None:
        if not payload.startswith(EVENT):
            self._tally.add("reply", size)
            self._replied(reply_of(payload))
            return
        kind = payload[len(EVENT) : payload.index(b'"', len(EVENT))].decode()
        self._tally.add(kind, size)
        if kind == "message.posted":
            self._posted(posted_of(payload))
        elif kind == "hello":
            self._greeted(hello_of(payload))

    def _greeted(self, hello: Hello) -> None:
        if not self.is_ready:
            self._epoch = hello.epoch
            self.cursor = self.first = next(room.seq for room in hello.rooms if room.id == self.room)
            self.is_ready = True
            return
        self._resume()

    def _resume(self) -> None:
        self._asking = True
        self.send(f'{{"id":1,"do":"resume","epoch":"{self._epoch}","rooms":{{"{self.room}":{self.cursor}}}}}')

    def _posted(self, posted: Posted) -> None:
        if posted.seq <= self.cursor:
            return
        self._early.add(posted.seq)
        self._apply()
        if self._early and not self._asking:
            self._ask_what_is_missing()

    def _apply(self) -> None:
        while self.cursor + 1 in self._early:
            self.cursor += 1
            self.heard += 1
            self._early.discard(self.cursor)

    def _ask_what_is_missing(self) -> None:
        self._asking = True
        self.send(f'{{"id":2,"do":"room.sync","room":{self.room},"after":{self.cursor}}}')

    def _replied(self, reply: Reply) -> None:
        if reply.wait is not None:
            self._tally.put_off += 1
            again = self._resume if reply.id == 1 else self._ask_what_is_missing
            asyncio.get_running_loop().call_later(reply.wait, again)  # nothing is sent where the line is down by then
            return
        sync = reply.sync or (reply.rooms[0] if reply.rooms else None)
        if not reply.ok or sync is None or sync.reload or sync.left:
            raise Fault(f"a resume was answered with {reply}")
        self.heard += sum(line.seq > self.cursor for line in sync.messages)
        self.cursor = max(self.cursor, sync.to)
        self._early = {seq for seq in self._early if seq > self.cursor}
        self._apply()
        if sync.more or self._early:
            self._ask_what_is_missing()
            return
        self._asking = False
        if self._outcome is not None and not self._outcome.done():
            self.resumed_at = time.monotonic()
            self._outcome.set_result(0)

    def _end(self, code: int, sentence: str) -> None:
        """While it comes back that is a failed try; who is there must not be sent away."""
        if self._outcome is None or self._outcome.done():
            raise Fault(sentence)
        self._outcome.set_result(code)


class Poster(Client):
    """Writes into each of its rooms in turn, and is never cut. `heads` has each room's newest seq that it was told.

    A post that is put off is sent again with its nonce; its latency counts from the first time.
    """

    def __init__(self, port: int, cookie: str, address: str, rooms: list[int]) -> None:
        super().__init__(port, cookie, address)
        self.is_ready = False
        self.latencies_ms: list[float] = []
        self.heads: dict[int, int] = {}
        self._rooms = cycle(rooms)
        self._room = rooms[0]
        self._sent: dict[int, tuple[float, str]] = {}  # id → when, and the frame
        self._last = 0

    @property
    def unanswered(self) -> int:
        return len(self._sent)

    def post(self) -> None:
        self._last += 1
        self._room = next(self._rooms)
        text = (
            f'{{"id":{self._last},"do":"message.post","room":{self._room},"nonce":"{uuid.uuid4()}",'
            f'"text":"Number {self._last} of many"}}'
        )
        self._sent[self._last] = time.monotonic(), text
        self.send(text)

    def type(self) -> None:
        self.send(f'{{"id":0,"do":"typing","room":{self._room}}}')

    def refused(self, status: int) -> None:
        raise Fault(f"poster refused with status {status}")

    def cut(self, code: int) -> None:
        raise Fault(f"the server ended a poster's connection with code {code}")

    def frame(self, payload: bytes, size: int) -> None:
        if payload.startswith(EVENT):
            self.is_ready = True  # the hello is the first of all
            return
        reply = reply_of(payload)
        if reply.id == 0:
            return
        sent, text = self._sent[reply.id]
        if reply.wait is not None:
            asyncio.get_running_loop().call_later(reply.wait, self.send, text)
            return
        if not reply.ok or reply.message is None:
            raise Fault(f"a post was refused: {payload.decode()}")
        del self._sent[reply.id]
        self.latencies_ms.append((time.monotonic() - sent) * 1000)
        self.heads[reply.message.room] = reply.message.seq

"""The journal: everything posted while one commit runs goes into the next; events and replies leave after it.

One task commits, another tells what was committed, so that the next commit runs while the last one is sent. Where a
crowd waits, a second commit runs beside the first, with other rooms. Each room goes strictly in order.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from chat import errors
from chat.actions import access
from chat.actions.events import MessagePosted, MessageSent
from chat.actions.waitlist import Outcome, Reply, Waiting, Waitlist
from chat.hub.hub import Hub, room_topic, user_topic
from chat.lib.db import AsyncConnection, Database, DBAPIError, Effect, Emit, IntegrityError, encode
from chat.models import posting
from chat.models.messages import Message
from chat.models.posting import Posting, Stored
from chat.models.sessions import SignedIn

log = logging.getLogger("roomful.journal")

BATCH_LIMIT = 500
# So many must wait for a second commit beside the first. With fewer, two small commits take longer than one large.
CROWD = 400
WAITING_LIMIT = 5000
# Telling so many connections for each message takes longer than a commit: the next one can wait until half of them are
# told, and have in it what the authors, who are told first, write meanwhile.
LARGE_AUDIENCE = 20
# After a commit whose end was not heard of: long enough for PostgreSQL to come back from a quick restart.
RETRY_SECONDS = 0.5
# A first try that took longer hung: so would a second one, and all who wait behind it. Their clients try again.
HANGING_SECONDS = 3.0


@dataclass(slots=True)
class Committed:
    """A batch and what became of each of its postings."""

    batch: list[Waiting]
    outcomes: list[Stored | errors.Problem]
    is_large: bool = False  # there is a large audience for it
    half_told: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Lane:
    """Commits one batch after the other, as long as so many wait."""

    at_least: int
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    committing: list[Waiting] = field(default_factory=list)


class Journal:
    """`measure` is told the size of each batch and the seconds its commit took."""

    def __init__(
        self, db: Database, hub: Hub, measure: Callable[[int, float], None] = lambda size, seconds: None
    ) -> None:
        self._db = db
        self._hub = hub
        self._measure = measure
        self._waiting = Waitlist()
        self._lanes = (Lane(at_least=1), Lane(at_least=CROWD))
        self._committed: asyncio.Queue[Committed] = asyncio.Queue(maxsize=1)
        self._committers: list[asyncio.Task[None]] = []
        self._teller: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        self._committers = [asyncio.create_task(self._commit_all(lane), name="journal") for lane in self._lanes]
        self._teller = asyncio.create_task(self._tell_all(), name="teller")

    async def close(self, seconds: float) -> None:
        """Takes no more, commits and tells what waits, and ends. What PostgreSQL has not taken after `seconds` is
        answered with Restarting: a repeat of its nonce finds out what became of it."""
        self._closing = True
        if self._teller is None:
            return
        self._wake_lanes()
        _, unfinished = await asyncio.wait(self._committers, timeout=seconds)
        if unfinished:
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
            unanswered = [each for lane in self._lanes for each in lane.committing] + self._waiting.clear()
            self._hub.flush({each for waiting in unanswered for each in waiting.answer(errors.Restarting())})
        await self._committed.put(Committed([], []))
        await self._teller

    def submit(self, actor: SignedIn, room: int, nonce: uuid.UUID, text: str, reply: Reply) -> None:
        """Has the message stored; `reply` is called once, after the commit, when the room's events are queued.

        Raises Restarting, Busy (too many wait) or NonceConflict at once.
        """
        if self._closing:
            raise errors.Restarting
        entry = self._waiting.find(actor.user, nonce)
        if entry is None:
            if len(self._waiting) >= WAITING_LIMIT:
                raise errors.Busy("The server is very busy. Please try again in a moment.")
            entry = Waiting(Posting(room, actor.user, nonce, text), actor)
            self._waiting.add(entry)
        elif (entry.posting.room, entry.posting.text) != (room, text):
            raise errors.NonceConflict
        entry.replies.append(reply)
        self._wake_lanes()

    async def post(self, actor: SignedIn, room: int, nonce: uuid.UUID, text: str) -> msgspec.Raw:
        """The stored message as JSON; raises the Problem that kept it from being stored."""
        done: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()

        def reply(outcome: Outcome) -> None:
            if done.done():
                return  # who asked has gone; the message stays
            if isinstance(outcome, errors.Problem):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

        self.submit(actor, room, nonce, text, reply)
        return await done

    def _wake_lanes(self) -> None:
        for lane in self._lanes:
            if self._closing or len(self._waiting) >= lane.at_least:
                lane.wake.set()

    async def _commit_all(self, lane: Lane) -> None:
        while not (self._closing and len(self._waiting) < lane.at_least):
            await lane.wake.wait()
            lane.wake.clear()
            while len(self._waiting) >= lane.at_least and (batch := self._waiting.take(BATCH_LIMIT)):
                lane.committing = batch
                started = time.perf_counter()
                outcomes = await self._store_safely(batch)
                self._measure(len(batch), time.perf_counter() - started)
                committed = Committed(batch, outcomes, self._audience(batch) > LARGE_AUDIENCE * len(batch))
                await self._committed.put(committed)
                lane.committing = []
                self._waiting.release(batch)
                self._wake_lanes()  # what waits may be in one of these rooms
                if committed.is_large:
                    await committed.half_told.wait()

    def _audience(self, batch: list[Waiting]) -> int:
        """So many connections will hear of it."""
        return sum(len(self._hub.listeners(room_topic(room))) for room in {each.posting.room for each in batch})

    async def _tell_all(self) -> None:
        while (committed := await self._committed.get()).batch:
            try:
                await self._tell(committed)
            except Exception:
                log.exception("telling a batch of %d failed; clients notice the gap and ask", len(committed.batch))
            finally:
                committed.half_told.set()

    async def _tell(self, committed: Committed) -> None:
        """The author's connection gets the room's events and its own reply in one write."""
        effects: list[Effect] = []
        answers: list[tuple[Waiting, Outcome]] = []
        for waiting, outcome in zip(committed.batch, committed.outcomes, strict=True):
            if isinstance(outcome, errors.Problem):
                answers.append((waiting, outcome))
                continue
            asked = waiting.posting
            message = Message(
                id=outcome.id,
                room=asked.room,
                seq=outcome.seq,
                sender=waiting.actor.author,
                text=asked.text,
                at=outcome.at,
            )
            raw = msgspec.Raw(encode(message))
            answers.append((waiting, raw))
            # A repeat is told again as well: where its event was lost with the connection to PostgreSQL this is the
            # first time, and where it was not the room's log drops it.
            event = encode(MessagePosted(room=asked.room, seq=outcome.seq, message=raw))
            effects.append(Emit(room_topic(asked.room), event, outcome.seq))
            if self._hub.has_several(asked.sender):
                effects.append(Emit(user_topic(asked.sender), encode(MessageSent(nonce=asked.nonce, message=raw))))
        touched = self._hub.queue(effects)
        authors = {each for waiting, answer in answers for each in waiting.answer(answer)}
        everybody = [*authors, *(touched - authors)] if committed.is_large else list(touched | authors)
        half = len(everybody) // 2
        await self._hub.flush_gently(everybody[:half])
        committed.half_told.set()
        await self._hub.flush_gently(everybody[half:])

    async def _store_safely(self, batch: list[Waiting]) -> list[Stored | errors.Problem]:
        """Whatever goes wrong with one batch, the next ones are committed; and a repeat finds out what became of it."""
        try:
            return await self._store(batch)
        except Exception:
            log.exception("committing a batch of %d failed", len(batch))
            return [errors.Busy()] * len(batch)

    async def _store(self, batch: list[Waiting]) -> list[Stored | errors.Problem]:
        """One outcome per posting. A commit in doubt is tried again: the nonce tells whether it had gone through."""
        started = time.perf_counter()
        try:
            return await self._attempt(batch)
        except (errors.Busy, IntegrityError) as first:
            # IntegrityError: another process stored one of these nonces after our look; the second look sees it.
            if isinstance(first, errors.Busy):
                if time.perf_counter() - started > HANGING_SECONDS:
                    return [first] * len(batch)
                await asyncio.sleep(RETRY_SECONDS)
            try:
                return await self._attempt(batch)
            except errors.Problem as problem:
                return [problem] * len(batch)
            except DBAPIError:
                return await self._store_each(batch)
        except errors.Problem as problem:
            return [problem] * len(batch)
        except DBAPIError:
            return await self._store_each(batch)

    async def _store_each(self, batch: list[Waiting]) -> list[Stored | errors.Problem]:
        """PostgreSQL refused something in the batch: whatever it was must not keep the others out."""
        outcomes: list[Stored | errors.Problem] = []
        for waiting in batch:
            try:
                outcomes += await self._attempt([waiting])
            except errors.Problem as problem:
                outcomes.append(problem)
            except DBAPIError:
                log.exception("a message could not be stored")
                outcomes.append(errors.Internal())
        return outcomes

    async def _attempt(self, batch: list[Waiting]) -> list[Stored | errors.Problem]:
        """One transaction; what it passed over is looked at one by one."""
        outcomes: list[Stored | errors.Problem] = []
        async with self._db.autocommit() as db:
            stored = {each.place: each for each in await posting.store(db, [waiting.posting for waiting in batch])}
            for place, waiting in enumerate(batch):
                outcome = stored.get(place) or await self._refused_or_late(db, waiting)
                is_another = isinstance(outcome, Stored) and not outcome.same
                outcomes.append(errors.NonceConflict() if is_another else outcome)
        return outcomes

    async def _refused_or_late(self, db: AsyncConnection, waiting: Waiting) -> Stored | errors.Problem:
        """A posting that was passed over was refused, and `access` says why; or its sender has been let in since."""
        try:
            await access.room_to_post_in(db, waiting.actor, waiting.posting.room)
        except errors.Problem as refused:
            return refused
        late = await posting.store(db, [waiting.posting])
        return late[0] if late else errors.Busy()  # put out again

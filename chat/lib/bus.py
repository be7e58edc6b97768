"""What one process says, all others hear, by Redis: fast and without any promise, but a loss does not go unnoticed."""

import asyncio
import contextlib
import logging
import struct
from collections import deque
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chat.lib.roll import Roll

log = logging.getLogger("roomful.bus")

# Before each payload: which process says it, and the how manieth it is.
HEADER = struct.Struct("!8sQ")
# More waits only while Redis is away or slow. The oldest is dropped: the others notice, and look into PostgreSQL.
WAITING_LIMIT = 10_000
WAITING_BYTES = 32 * 1024 * 1024
SAY_AT_ONCE = 200
# Every process says something so often, and expects to hear itself.
PULSE_SECONDS = 0.4
GRACE_SECONDS = 0.2
# After this much silence another process may have been cut off or killed; after this much more it counts as ended.
UNSURE_SECONDS = 1.5
SILENT_SECONDS = 15.0
RETRY_SECONDS = 0.3
# A connection that brings nothing for so long is dead, whatever TCP says: we do not even hear ourselves.
DEAF_SECONDS = 5.0


class Listener(Protocol):
    """Who is told what the other processes say."""

    def come(self) -> None:
        """The line to the others is there (again)."""

    def hear(self, process: str, payload: bytes) -> bool:
        """Whether it was understood."""

    def miss(self, process: str) -> None:
        """Something that the process said did not get here; or it was not known until now."""

    def lose(self, process: str) -> None:
        """The process has been silent for so long that it must have ended."""


class Bus:
    """`is_sure` as long as nothing can have been lost; `losses` counts the times when something may have been."""

    def __init__(self, url: str, process: str) -> None:
        # No retries inside the client: it would subscribe again without a word, and what was said meanwhile is lost.
        self._redis = Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=0, retry=Retry(NoBackoff(), 0)
        )
        self._process = process.encode()
        self._listener: Listener
        self._roll = Roll()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._said = 0
        self._returned = 0
        self._returned_at = 0.0
        self._channel = ""
        self._tasks: list[asyncio.Task[None]] = []
        self._is_subscribed = False
        self._is_silence = False  # somebody else has not been heard for a while
        self.is_up = False
        self.losses = 0

    def start(self, channel: str, listener: Listener) -> None:
        self._channel, self._listener = channel, listener
        self._tasks = [
            asyncio.create_task(self._listen_for_ever(), name="bus in"),
            asyncio.create_task(self._speak_for_ever(), name="bus out"),
            asyncio.create_task(self._watch_for_ever(), name="bus pulse"),
        ]

    async def close(self) -> None:
        """Says what waits, if Redis takes it at once, and ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._quiet.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    @property
    def is_sure(self) -> bool:
        return self.is_up and not self._is_silence

    def say(self, payload: bytes) -> None:
        """An empty payload says only that this process lives."""
        self._said += 1
        numbered = HEADER.pack(self._process, self._said) + payload
        self._waiting.append(numbered)
        self._waiting_bytes += len(numbered)
        while len(self._waiting) > WAITING_LIMIT or self._waiting_bytes > WAITING_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
        self._wake.set()
        self._quiet.clear()

    def forget(self, process: str) -> None:
        """The process has said that it ends."""
        self._roll.strike(process)

    async def _speak_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            said = [self._waiting.popleft() for _ in range(min(len(self._waiting), SAY_AT_ONCE))]
            self._waiting_bytes -= sum(map(len, said))
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for payload in said:
                        pipeline.publish(self._channel, payload)
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                # What was in it is lost, or comes too late to be told from a repeat: the others see a gap.
                self._set_up(False, error)
                await asyncio.sleep(RETRY_SECONDS)
            if not self._waiting:
                self._wake.clear()
                self._quiet.set()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as heard:
                    await heard.subscribe(self._channel)
                    await self._listen(heard)
            except (RedisError, OSError) as error:
                self._set_up(False, error)
            self._is_subscribed = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, heard: PubSub) -> None:
        loop = asyncio.get_running_loop()
        self._returned_at = loop.time()
        while loop.time() - self._returned_at < DEAF_SECONDS:
            message = await heard.get_message(timeout=PULSE_SECONDS)
            if message is None:
                continue
            if message["type"] == "subscribe":
                self._is_subscribed = True
                self._roll.excuse(loop.time())
                self._listener.come()
            elif message["type"] == "message":
                self._hear(message["data"], loop.time())

    def _hear(self, data: bytes, now: float) -> None:
        if len(data) < HEADER.size:
            return  # nothing of ours
        sender, number = HEADER.unpack_from(data)
        if sender == self._process:
            self._returned, self._returned_at = number, now
            return
        process = sender.decode(errors="replace")
        how = self._roll.hear(process, number, now)
        if how == "old":
            return
        if how != "next":
            self._doubt()
            self._listener.miss(process)
        if len(data) > HEADER.size and not self._listener.hear(process, data[HEADER.size :]):
            self._doubt()

    def _doubt(self) -> None:
        self.losses += 1

    async def _watch_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self.say(b"")
            asked, began = self._said, loop.time()
            await asyncio.sleep(PULSE_SECONDS)
            if self._returned < asked:
                await asyncio.sleep(GRACE_SECONDS)
            if loop.time() - began > 2 * PULSE_SECONDS + GRACE_SECONDS:
                # It was this process that stood still; what it was told meanwhile waits to be read.
                self._roll.excuse(loop.time())
                self._doubt()
                continue
            self._set_up(self._is_subscribed and self._returned >= asked, "it does not answer")
            self._look_for_silence(loop.time())

    def _look_for_silence(self, now: float) -> None:
        if not self.is_up:
            return
        self._is_silence = bool(self._roll.silent(now - UNSURE_SECONDS))
        for process in self._roll.silent(now - SILENT_SECONDS):
            self._roll.strike(process)
            self._listener.lose(process)

    def _set_up(self, up: bool, reason: Exception | str = "") -> None:
        if up == self.is_up:
            return
        self.is_up = up
        self._doubt()
        self._roll.excuse(asyncio.get_running_loop().time())
        if up:
            log.info("Redis carries hints to the other processes")
        else:
            log.warning("Redis is away (%s); what others do is looked up in the database meanwhile", reason)

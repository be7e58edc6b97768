"""What one process says, all others hear, by Redis: fast, and without any promise."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger("roomful.bus")

CHANNEL = "roomful"
# More than this waits only while Redis is away; the oldest is dropped, and found in PostgreSQL by whoever lacks it.
WAITING_LIMIT = 10_000
SAY_AT_ONCE = 200
LISTEN_SECONDS = 1.0
RETRY_SECONDS = 0.5


class Bus:
    """`on_heard` gets what other processes (and this one) said; `on_up` is called whenever the line is there again,
    after which everything may have been missed."""

    def __init__(self, url: str, *, on_heard: Callable[[bytes], None], on_up: Callable[[], None]) -> None:
        self._redis = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=10)
        self._on_heard = on_heard
        self._on_up = on_up
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.is_up = False

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._listen_for_ever(), name="bus in"),
            asyncio.create_task(self._speak_for_ever(), name="bus out"),
        ]

    async def close(self) -> None:
        """Says what waits, if Redis takes it at once, and ends."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._waiting.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()

    def say(self, payload: bytes) -> None:
        if self._waiting.qsize() >= WAITING_LIMIT:
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait(payload)

    async def _speak_for_ever(self) -> None:
        while True:
            said = [await self._waiting.get()]
            while len(said) < SAY_AT_ONCE and not self._waiting.empty():
                said.append(self._waiting.get_nowait())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for payload in said:
                        pipeline.publish(CHANNEL, payload)
                    await pipeline.execute()
            except (RedisError, OSError):
                # Lost: the others find it in PostgreSQL. The listener notices the same fault and tells of it.
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                for _ in said:
                    self._waiting.task_done()

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as heard:
                    await heard.subscribe(CHANNEL)
                    self._set_up(True)
                    self._on_up()
                    while True:
                        message = await heard.get_message(timeout=LISTEN_SECONDS)
                        if message is not None:
                            self._on_heard(message["data"])
            except (RedisError, OSError) as error:
                self._set_up(False, error)
                await asyncio.sleep(RETRY_SECONDS)

    def _set_up(self, up: bool, error: Exception | None = None) -> None:
        if up and not self.is_up:
            log.info("Redis carries hints to the other processes")
        if not up and self.is_up:
            log.warning("Redis is away (%s); what others do is looked up in the database meanwhile", error)
        self.is_up = up

"""Work that repeats: each job waits for its time, does its work, and is tried again when it fails."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chat.errors import Busy

log = logging.getLogger("roomful.jobs")


@dataclass(slots=True, frozen=True)
class Job:
    name: str
    seconds: float
    run: Callable[[], Awaitable[None]]


class Clock:
    """Runs the jobs, each in a task of its own, until closed."""

    def __init__(self, jobs: list[Job]) -> None:
        self._jobs = jobs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._repeat(job), name=job.name) for job in self._jobs]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, job: Job) -> None:
        while True:
            await asyncio.sleep(job.seconds)
            try:
                await job.run()
            except Busy:
                log.warning("%s: the database is busy or away; tried again in %g s", job.name, job.seconds)
            except Exception:  # a job that fails once must run again
                log.exception("%s failed; tried again in %g s", job.name, job.seconds)

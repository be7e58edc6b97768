"""A point in time by which several things must be over, however long each of them would like to take."""

import asyncio
from collections.abc import Awaitable

# Even when nothing is left each gets a chance: most are over at once.
LEAST_SECONDS = 0.1


class Deadline:
    """Begins when it is made, in a running loop."""

    def __init__(self, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds

    @property
    def left(self) -> float:
        """Seconds, never less than LEAST_SECONDS."""
        return max(LEAST_SECONDS, self._end - self._loop.time())

    async def wait(self, work: Awaitable[object], *, most: float) -> bool:
        """Whether `work` was done within `most` seconds and before the end; it is cancelled where it was not."""
        try:
            async with asyncio.timeout(min(most, self.left)):
                await work
        except TimeoutError:
            return False
        return True

"""How late the event loop is: the time between when something was due and when it ran."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

INTERVAL = 0.5  # seconds between two looks
REMEMBERED = 3  # looks


class LoopLag:
    """Looks at the loop while started. `on_look` is told each lag in seconds.

    `sustained` is the least of the last looks: one slow callback is a hiccup, every look late is a loop that
    cannot keep up.
    """

    def __init__(
        self,
        on_look: Callable[[float], None] = lambda seconds: None,
        *,
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._on_look = on_look
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._looks: deque[float] = deque(maxlen=REMEMBERED)
        self._task: asyncio.Task[None] | None = None

    @property
    def sustained(self) -> float:
        """Seconds; 0 until there were enough looks."""
        return min(self._looks) if len(self._looks) == REMEMBERED else 0.0

    def start(self) -> None:
        self._task = asyncio.create_task(self.watch(), name="loop lag")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def watch(self) -> None:
        while True:
            due = self._clock() + self._interval
            await self._sleep(self._interval)
            lag = max(0.0, self._clock() - due)
            self._looks.append(lag)
            self._on_look(lag)

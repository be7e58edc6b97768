"""Waiting for a state of the server that no event tells of."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], seconds: float = 5) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - nothing else to wait for
            await asyncio.sleep(0.01)

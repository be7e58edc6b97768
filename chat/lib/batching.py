"""Many who ask at once share one answer from the database: what waits while one look runs goes into the next."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """`load` gets up to `size` keys and gives one value for each, in order; a key may be asked for by several.

    With one who asks there is no waiting: the first look starts at once. At most `lanes` looks run at a time.
    """

    def __init__(
        self, load: Callable[[Sequence[K]], Awaitable[Sequence[V]]], *, size: int = 100, lanes: int = 2
    ) -> None:
        self._load = load
        self._size = size
        self._free_lanes = lanes
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._looks: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V:
        """The key's value; raises what `load` raised."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._free_lanes:
            self._free_lanes -= 1
            look = asyncio.create_task(self._look())
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        return await answer

    async def _look(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
                await self._answer(batch)
        finally:
            self._free_lanes += 1

    async def _answer(self, batch: list[tuple[K, asyncio.Future[V]]]) -> None:
        try:
            values = await self._load([key for key, _ in batch])
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, answer), value in zip(batch, values, strict=True):
            if not answer.done():
                answer.set_result(value)

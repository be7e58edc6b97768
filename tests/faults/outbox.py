"""What one person wrote and has no answer for yet: in order, one on its way per room, each under its own nonce."""

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

from tests.faults.history import History
from tests.faults.link import Link, until_answered


@dataclass
class Pending:
    n: int
    nonce: str
    text: str


class Outbox:
    def __init__(self, link: Link, history: History) -> None:
        self._link = link
        self._history = history
        self._pending: dict[int, deque[Pending]] = {}
        self._senders: dict[int, asyncio.Task[None]] = {}
        self._posts = 0
        self.stored: dict[int, list[dict[str, Any]]] = {}  # room → acknowledged messages

    def post(self, room: int, text: str) -> None:
        self._posts += 1
        pending = Pending(self._posts, str(uuid.uuid4()), text)
        self._history.write("invoke", op="post", room=room, n=pending.n, nonce=pending.nonce, text=text)
        self._pending.setdefault(room, deque()).append(pending)
        if room not in self._senders:
            self._senders[room] = asyncio.create_task(self._send(room))

    def waiting(self, room: int) -> int:
        return len(self._pending.get(room, ()))

    async def emptied(self) -> None:
        while self._senders:
            await asyncio.wait(self._senders.values())
            await asyncio.sleep(0)

    async def close(self) -> None:
        tasks = list(self._senders.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _send(self, room: int) -> None:
        queue = self._pending[room]
        try:
            while queue:
                await self._send_one(room, queue[0])
                queue.popleft()
        finally:
            del self._senders[room]

    async def _send_one(self, room: int, pending: Pending) -> None:
        def retried(code: str) -> None:
            self._history.write("retry", op="post", n=pending.n, code=code)

        fields = {"room": room, "nonce": pending.nonce, "text": pending.text}
        reply = await until_answered(self._link, "message.post", fields, retried)
        if reply["ok"]:
            message = reply["message"]
            self._history.write("ok", op="post", n=pending.n, nonce=pending.nonce, message=message)
            self.stored.setdefault(room, []).append(message)
        else:
            self._history.write("fail", op="post", n=pending.n, nonce=pending.nonce, code=reply["error"]["code"])

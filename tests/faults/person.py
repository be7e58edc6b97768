"""One person who chats at random: posts, edits, deletes, reads, leaves and comes back, removes and adds others."""

import asyncio
import random
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.follower import Follower
from tests.faults.history import History
from tests.faults.link import Link, Patience, until_answered
from tests.faults.outbox import Outbox

WAITING_LIMIT = 20  # unanswered posts per room; somebody who sees so many pending stops writing


class Part(msgspec.Struct):
    """Who the person is and what they do. `steady` rooms are never left; from `open` ones they go and come back;
    from `guarded` ones they, as their maker, remove `others` (user ids) and add them again."""

    name: str
    user: int
    base: str
    cookie: str
    seed: str
    history: str
    steady: list[int]
    open: list[int] = []
    guarded: list[int] = []
    others: list[int] = []
    pause: float = 0.05


class Person:
    def __init__(self, part: Part, patience: Patience) -> None:
        self.part = part
        self._dice = random.Random(part.seed)
        self._history = History(Path(part.history))
        self._follower = Follower(self._history)
        self._link = self._follower.link = Link(
            part.base,
            part.cookie,
            patience,
            self._history,
            self._dice,
            on_hello=self._follower.hello,
            on_event=self._follower.event,
        )
        self._outbox = Outbox(self._link, self._history)
        self._operations = 0
        self._edited: set[int] = set()  # messages that are being changed, or that are gone
        self._quiet = asyncio.Event()
        self._running = asyncio.create_task(self._link.run(), name=f"link of {part.name}")

    async def connected(self) -> None:
        await self._link.up.wait()

    async def chat(self) -> None:
        """Until told to be quiet; then waits for all answers."""
        posting, acting = asyncio.create_task(self._post_on()), asyncio.create_task(self._act_on())
        await posting
        await acting
        await self._outbox.emptied()

    def be_quiet(self) -> None:
        self._quiet.set()

    async def finish(self) -> None:
        """Sees everything that there is, writes down what, and leaves."""
        while True:
            reply = await until_answered(self._link, "room.list", {}, lambda code: None)
            try:
                async with asyncio.timeout(10):
                    await self._follower.has_everything({room["id"]: room["seq"] for room in reply["rooms"]})
                break
            except TimeoutError:
                behind = {room: (each.cursor, sorted(each.held)[:3]) for room, each in self._follower.timelines.items()}
                self._history.write("behind", timelines=str(behind), rooms=str(reply["rooms"]))
        self._history.write("view", user=self.part.user, epoch=self._follower.epoch, rooms=self._follower.view())
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._follower.close()
        await self._outbox.close()
        self._history.close()

    async def _pause(self, factor: float = 1.0) -> None:
        wait = self._dice.uniform(0.5, 1.5) * self.part.pause * factor
        try:
            async with asyncio.timeout(wait):
                await self._quiet.wait()
        except TimeoutError:
            pass

    async def _post_on(self) -> None:
        count = 0
        while not self._quiet.is_set():
            room = self._dice.choice([*self.part.steady, *self.part.open])
            if self._outbox.waiting(room) < WAITING_LIMIT:
                count += 1
                self._outbox.post(room, f"{self.part.name} says {count}")
            await self._pause()

    async def _act_on(self) -> None:
        """One action after the other, each until it is answered: what a person sees of a spinning button."""
        actions = [self._edit] * 4 + [self._delete] * 2 + [self._read] * 4
        actions += [self._leave_and_join] * (2 if self.part.open else 0)
        actions += [self._remove_and_add] * (3 if self.part.guarded and self.part.others else 0)
        while not self._quiet.is_set():
            await self._dice.choice(actions)()
            await self._pause(2)

    async def _do(self, verb: str, *, settled: frozenset[str] = frozenset(), **fields: Any) -> bool:
        """Whether it is done. `settled` are the codes that say it was done by an earlier try, whose answer was lost."""
        self._operations += 1
        n, tries = self._operations, 0
        self._history.write("invoke", op=verb, n=n, **fields)

        def retried(code: str) -> None:
            nonlocal tries
            tries += 1
            self._history.write("retry", op=verb, n=n, code=code)

        reply = await until_answered(self._link, verb, fields, retried)
        code = None if reply["ok"] else reply["error"]["code"]
        if code is None or (tries and code in settled):
            self._history.write("ok", op=verb, n=n, **fields)
            return True
        self._history.write("fail", op=verb, n=n, code=code, **fields)
        return False

    def _own_message(self) -> dict[str, Any] | None:
        room = self._dice.choice(self.part.steady)
        mine = [each for each in self._outbox.stored.get(room, [])[-30:] if each["id"] not in self._edited]
        return self._dice.choice(mine) if mine else None

    async def _edit(self) -> None:
        if (message := self._own_message()) is not None:
            text = f"{message['text']}, edit {self._operations}"
            if await self._do("message.edit", settled=frozenset({"conflict"}), message=message["id"], text=text):
                message["text"] = text

    async def _delete(self) -> None:
        if (message := self._own_message()) is not None:
            self._edited.add(message["id"])
            await self._do("message.delete", settled=frozenset({"conflict"}), message=message["id"])

    async def _read(self) -> None:
        room = self._dice.choice(self.part.steady)
        timeline = self._follower.timelines.get(room)
        if timeline is not None and timeline.cursor:
            await self._do("room.read", room=room, seq=timeline.cursor)

    async def _leave_and_join(self) -> None:
        room = self._dice.choice(self.part.open)
        await self._do("room.leave", settled=frozenset({"not_found"}), room=room)
        await self._pause(2)
        await self._do("room.join", room=room)

    async def _remove_and_add(self) -> None:
        room, other = self._dice.choice(self.part.guarded), self._dice.choice(self.part.others)
        await self._do("member.remove", settled=frozenset({"not_found"}), room=room, user=other)
        await self._pause(2)
        await self._do("member.add", room=room, users=[other])

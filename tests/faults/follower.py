"""Keeps every room of one person up to date: resumes, syncs, loads pages, forgets rooms that were left."""

import asyncio
from typing import Any

from tests.faults.history import History
from tests.faults.link import Frame, Link, Lost
from tests.faults.timeline import Timeline


class Follower:
    """`hello` and `event` are what a Link calls; what they find missing is asked for in the background."""

    def __init__(self, history: History) -> None:
        self.link: Link  # set by who makes both
        self.timelines: dict[int, Timeline] = {}
        self.epoch: str | None = None
        self._unsure: set[int] = set()  # rooms whose cursor waits for the answer to `resume`
        self._history = history
        self._refreshing: dict[int, asyncio.Task[None]] = {}
        self._resuming: asyncio.Task[None] | None = None

    def hello(self, hello: Frame) -> None:
        if hello["epoch"] != self.epoch:
            for timeline in self.timelines.values():
                timeline.read = 0
        for room in set(self.timelines) - {room["id"] for room in hello["rooms"]}:
            self._forget(room)
        known = {room: timeline for room, timeline in self.timelines.items() if timeline.cursor is not None}
        if self.epoch is None or not known:
            self.epoch = hello["epoch"]
        self._unsure = set(known)
        for room in hello["rooms"]:
            self._see(room)
        if known:
            if self._resuming is not None:
                self._resuming.cancel()
            self._resuming = asyncio.create_task(self._resume(hello["epoch"], known))

    def event(self, event: Frame) -> None:
        self._history.write("told", **event)
        match event["event"]:
            case "message.posted" | "message.changed":
                if (timeline := self.timelines.get(event["room"])) is not None:
                    timeline.event(event["seq"], event["message"])
                    self._mend(timeline)
            case "room.sync":
                self._take(event["sync"])
            case "room.joined":
                self._see(event["room"])
            case "room.left":
                self._forget(event["room"])
            case "room.read":
                if (timeline := self.timelines.get(event["room"])) is not None:
                    timeline.read = max(timeline.read, event["read"])

    async def has_everything(self, heads: dict[int, int]) -> None:
        """Waits until each room of `heads` (room → seq) is here up to that seq, and no other room is."""

        def behind() -> bool:
            return (
                bool(self._unsure)
                or set(heads) != set(self.timelines)
                or any(timeline.has_gap or timeline.cursor != heads[room] for room, timeline in self.timelines.items())
            )

        while behind():  # noqa: ASYNC110 - what changes it comes in by many ways
            await asyncio.sleep(0.05)

    def view(self) -> dict[str, Any]:
        """All that the person sees."""
        return {
            str(room): {
                "oldest": timeline.oldest,
                "cursor": timeline.cursor,
                "read": timeline.read,
                "reloads": timeline.reloads,
                "messages": timeline.listed(),
            }
            for room, timeline in self.timelines.items()
        }

    async def close(self) -> None:
        tasks = [*self._refreshing.values(), *([self._resuming] if self._resuming else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _see(self, room: dict[str, Any]) -> None:
        timeline = self.timelines.setdefault(room["id"], Timeline(room["id"]))
        timeline.read = max(timeline.read, room["read"])
        self._mend(timeline)

    def _forget(self, room: int) -> None:
        self._history.write("forgot", room=room)
        self.timelines.pop(room, None)
        self._unsure.discard(room)

    async def _resume(self, epoch: str, known: dict[int, Timeline]) -> None:
        """The rooms whose cursors we have, in one command. Until it is answered none of them is synced by itself:
        their cursors may be of another epoch. When the connection ends the next hello begins anew."""
        cursors = {str(room): timeline.cursor for room, timeline in known.items()}
        while True:
            try:
                reply = await self.link.ask("resume", epoch=self.epoch, rooms=cursors)
            except Lost:
                return
            if reply["ok"]:
                break
            await asyncio.sleep(reply["error"].get("retry_after", 1))
        self.epoch = epoch
        self._unsure.clear()
        for sync in reply["rooms"]:
            if self.timelines.get(sync["room"]) is known[sync["room"]]:
                self._take(sync)
                self._mend(known[sync["room"]])

    def _take(self, sync: dict[str, Any]) -> None:
        timeline = self.timelines.get(sync["room"])
        if timeline is None:
            return
        if sync.get("left"):
            self._forget(sync["room"])
        elif timeline.sync(sync):
            self._mend(timeline, anyway=True)

    def _mend(self, timeline: Timeline, *, anyway: bool = False) -> None:
        if timeline.room in self._unsure or timeline.room in self._refreshing:
            return
        if anyway or timeline.has_gap:
            task = self._refreshing[timeline.room] = asyncio.create_task(self._refresh(timeline))
            task.add_done_callback(lambda _: self._refreshed(timeline.room))

    def _refreshed(self, room: int) -> None:
        del self._refreshing[room]
        timeline = self.timelines.get(room)
        if timeline is not None and timeline.has_gap and self.link.up.is_set():
            self._mend(timeline)

    async def _refresh(self, timeline: Timeline) -> None:
        """Asks until nothing is missing, the room is gone, or the connection is."""
        more = True
        while more and self.timelines.get(timeline.room) is timeline:
            try:
                if timeline.cursor is None:
                    reply = await self.link.ask("message.list", room=timeline.room)
                else:
                    reply = await self.link.ask("room.sync", room=timeline.room, after=timeline.cursor)
            except Lost:
                return
            if self.timelines.get(timeline.room) is not timeline:
                return
            if not reply["ok"]:
                if reply["error"]["code"] == "not_found":
                    self._forget(timeline.room)
                    return
                await asyncio.sleep(reply["error"].get("retry_after", 1))
            elif "sync" in reply:
                more = timeline.sync(reply["sync"])
            else:
                timeline.page(reply)
                more = timeline.has_gap

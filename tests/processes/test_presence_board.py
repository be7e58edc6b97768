"""Who is here, by the board alone: a database that is away, guests, and what an ended process leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from chat.errors import Busy
from chat.hub.hub import Hub, room_topic
from chat.hub.presence import PresenceBoard
from tests.test_hub import Line, connect


@dataclass
class Stage:
    hub: Hub
    seen: list[list[int]] = field(default_factory=list)
    rooms: dict[int, list[int]] = field(default_factory=dict)
    is_away: bool = False

    def __post_init__(self) -> None:
        self.board = PresenceBoard(self.hub, self.note_offline, self.rooms_of, offline_seconds=0.05, batch_seconds=0.01)

    async def note_offline(self, gone: list[int]) -> None:
        if self.is_away:
            raise Busy
        self.seen.append(gone)

    async def rooms_of(self, users: list[int]) -> dict[int, list[int]]:
        if self.is_away:
            raise Busy
        return {user: self.rooms.get(user, []) for user in users}

    def come(self, user: int, *rooms: int, role: str = "member") -> tuple[Callable[[], None], Line]:
        """How they leave again, and what they are told."""
        self.rooms[user] = list(rooms)
        connection, line = connect(self.hub, user, *map(room_topic, rooms), role=role)
        self.board.connected(connection)

        def leave() -> None:
            self.hub.unregister(connection)
            self.board.disconnected(user)

        return leave, line


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage(Hub())
    stage.board.start()
    yield stage
    await stage.board.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - timers of the board have no event to wait for
            await asyncio.sleep(0.005)


def was_told(line: Line, state: str, user: int) -> bool:
    return any(isinstance(event, dict) and user in event.get(state, ()) for event in line.told)


@pytest.mark.logs("a little later")
async def test_who_goes_while_the_database_is_away_is_told_and_noted_later(stage: Stage) -> None:
    _, ada = stage.come(1)
    _, guest = stage.come(3, 7, role="guest")
    leave, _ = stage.come(2, 7)
    await until(lambda: was_told(ada, "online", 2))
    stage.is_away = True
    leave()
    await until(lambda: was_told(ada, "offline", 2))
    assert stage.seen == []
    stage.is_away = False
    await until(lambda: stage.seen == [[2]] and was_told(guest, "offline", 2))
    stage.come(2)
    await until(lambda: stage.board.of(2) == "online")


async def test_guests_are_told_only_of_those_with_whom_they_share_a_room(stage: Stage) -> None:
    _, guest = stage.come(1, 7, role="guest")
    stage.rooms |= {2: [7], 3: [8]}
    stage.board.heard("elsewhere", {2: "away", 3: "online"}, whole=True)
    await until(lambda: was_told(guest, "away", 2))
    assert stage.board.of(3) == "online"
    assert not was_told(guest, "online", 3)


async def test_who_was_away_in_a_process_that_ended_stays_away_until_they_are_gone(stage: Stage) -> None:
    _, ada = stage.come(1)
    stage.board.heard("elsewhere", {2: "away", 3: "online"}, whole=True)
    await until(lambda: was_told(ada, "away", 2))
    stage.board.forget("elsewhere")
    assert (stage.board.of(2), stage.board.of(3)) == ("away", "online")
    stage.board.heard("another", {3: "online"}, whole=True)
    await until(lambda: was_told(ada, "offline", 2))
    assert stage.board.of(3) == "online"
    assert not was_told(ada, "offline", 3)

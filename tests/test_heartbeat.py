"""Pings: who does not answer is closed; whom we could not hear is not."""

from chat.hub.connection import Connection
from chat.hub.heartbeat import CLOSE_SILENT, ROUND_SECONDS, Heartbeat
from chat.hub.hub import Hub


class Line:
    """A transport that counts pings and keeps the close code."""

    waiting = 0

    def __init__(self) -> None:
        self.pings = 0
        self.code: int | None = None

    def write(self, data: bytes) -> None:
        self.pings += 1

    def close(self, code: int, reason: str) -> None:
        self.code = code


class Place:
    """A hub with one greeted connection, and a clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0
        self.line = Line()
        self.connection = Connection(
            "one", user=1, session=1, role="member", transport=self.line, write_limit=1_000_000
        )
        self.hub = Hub()
        self.hub.register(self.connection)
        self.connection.greet(b"{}")
        self.line.pings = 0
        self.heartbeat = Heartbeat(self.hub, clock=lambda: self.now)

    async def a_round(self, *, busy: bool = False) -> None:
        for _ in range(ROUND_SECONDS):
            self.now += 1
            self.connection.is_busy = busy
            await self.heartbeat.beat()


async def test_who_answers_no_ping_is_closed() -> None:
    place = Place()
    await place.a_round()
    assert (place.line.pings, place.line.code) == (1, None)
    await place.a_round()
    assert (place.line.pings, place.line.code) == (1, CLOSE_SILENT)


async def test_nobody_is_hurried_when_the_order_of_a_round_changes() -> None:
    place = Place()
    place.connection.ping(place.now)
    place.now += 1
    await place.heartbeat.beat()
    assert place.line.code is None


async def test_who_answers_stays() -> None:
    place = Place()
    for _ in range(5):
        await place.a_round()
        place.connection.is_silent = False  # as the socket does for whatever it hears
    assert (place.line.pings, place.line.code) == (5, None)


async def test_who_waits_for_a_slow_command_is_not_taken_for_dead() -> None:
    place = Place()
    await place.a_round()
    for _ in range(3):
        await place.a_round(busy=True)
    assert place.line.code is None


async def test_a_process_that_stood_still_blames_nobody() -> None:
    place = Place()
    await place.a_round()
    place.now += 60
    await place.a_round()
    assert place.line.code is None
    await place.a_round()
    assert place.line.code == CLOSE_SILENT

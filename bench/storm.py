"""A storm: thousands of connections cut at once, who come back, resume and must have missed nothing.

A program of its own, since the descriptors of so many clients do not fit into one process beside anything else:
`python -m bench.storm PLAN`, where PLAN is a Plan as JSON. It prints its figures as JSON.
"""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path

import msgspec

from bench.database import room_id
from bench.figures import Figures, Unbelievable, percentile
from bench.people import Member, Poster, Tally

QUIET_SECONDS = 3
COME_BACK = 1012
LONGEST = 120  # seconds that any phase may take
CLIENTS_PER_ADDRESS = 250


class Plan(msgspec.Struct, kw_only=True):
    """As the fields of Load; `cookies` has a line for each connection and then for each poster."""

    port: int
    cookies: str
    connections: int
    rooms: int
    posters: int
    rate: float
    seconds: float
    connect_rate: int
    typing: bool


class Storm:
    """`faults` are what a client could not make sense of: refusals of what must be accepted, ends of connections."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tally = Tally()
        self.faults: list[str] = []
        cookies = Path(plan.cookies).read_text().splitlines()
        self.members = [
            Member(plan.port, cookies[i], _address(i), room_id(i % plan.rooms), self.tally)
            for i in range(plan.connections)
        ]
        self.posters = [
            Poster(plan.port, cookies[plan.connections + p], _address(plan.connections + p), rooms)
            for p, rooms in enumerate(_rooms_of_posters(plan))
        ]

    async def run(self) -> Figures:
        """Raises Unbelievable where anything was lost."""
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: self.faults.append(str(context.get("exception") or context["message"]))
        )
        arrival = await self._arrive()
        posting = asyncio.create_task(self._post())
        try:
            await asyncio.sleep(self.plan.seconds)
            calm = self._take_latencies()
            self.tally.take()
            back, failed_tries = await self._cut_and_return()
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        await self._until(lambda: not any(poster.unanswered for poster in self.posters), "some posts got no reply")
        stormy = self._take_latencies()
        await self._nothing_lost()
        await self._until_quiet()
        back_again = self.tally.take()
        return {
            "arrival_bytes": arrival.total() / len(self.members),
            "calm_post_p50_ms": percentile(calm, 0.5),
            "calm_post_p99_ms": percentile(calm, 0.99),
            "half_resumed_s": percentile(back, 0.5),
            "all_resumed_s": max(back),
            "failed_tries": failed_tries,
            "put_off": self.tally.put_off,
            "posts_meanwhile": len(stormy),
            "post_p50_ms": percentile(stormy, 0.5),
            "post_p99_ms": percentile(stormy, 0.99),
            "post_max_ms": max(stormy),
            "messages_heard": sum(member.heard for member in self.members),
            "return_bytes": back_again.total() / len(self.members),
            **self._shares(back_again),
        }

    async def _arrive(self) -> Counter[str]:
        """Everybody connects, a little after each other, and is told who else is there."""
        everyone: list[Poster | Member] = [*self.posters, *self.members]
        started = time.monotonic()
        for place, client in enumerate(everyone):
            if (wait := started + place / self.plan.connect_rate - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            await client.dial()
        await self._until(lambda: all(each.is_ready for each in everyone), "some did not get their hello")
        await self._until_quiet()
        return self.tally.take()

    async def _post(self) -> None:
        """Posts at an even rate whatever the server does; typing beside it, once a second each."""
        started = time.monotonic()
        for place, poster in enumerate(cycle(self.posters)):
            if (wait := started + place / self.plan.rate - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            if self.plan.typing:
                poster.type()
            poster.post()

    async def _cut_and_return(self) -> tuple[list[float], int]:
        """Seconds from the cut until each had resumed, and how many tries failed."""
        at = time.monotonic()
        for place, member in enumerate(self.members):
            member.hang_up()
            if place % 100 == 99:
                await asyncio.sleep(0)  # the posters, who are here as well, hear their replies
        returns = [asyncio.create_task(_come_back(member)) for member in self.members]
        try:
            async with asyncio.timeout(LONGEST):
                failed_tries = sum(await asyncio.gather(*returns))
        except TimeoutError:
            if self.faults:
                raise Unbelievable(self.faults[0]) from None
            missing = sum(not member.resumed_at for member in self.members)
            raise Unbelievable(f"{missing} connections had not resumed after {LONGEST} seconds") from None
        return [member.resumed_at - at for member in self.members], failed_tries

    async def _nothing_lost(self) -> None:
        heads: dict[int, int] = {}
        for poster in self.posters:
            for room, seq in poster.heads.items():
                heads[room] = max(seq, heads.get(room, 0))

        def behind() -> int:
            return sum(heads.get(member.room, member.cursor) - member.cursor for member in self.members)

        await self._until(lambda: behind() == 0, "messages did not reach everybody")
        if wrong := [member for member in self.members if member.heard != member.cursor - member.first]:
            raise Unbelievable(f"{len(wrong)} connections missed messages, or were told to reload")

    async def _until(self, done: Callable[[], bool], otherwise: str) -> None:
        try:
            async with asyncio.timeout(LONGEST):
                while not done():
                    if self.faults:
                        raise Unbelievable(self.faults[0])
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Unbelievable(otherwise) from None

    async def _until_quiet(self) -> None:
        """Until nobody has been told of anybody's presence for a while."""
        await self._until(lambda: time.monotonic() - self.tally.last_presence > QUIET_SECONDS, "it never gets quiet")

    def _take_latencies(self) -> list[float]:
        found = [each for poster in self.posters for each in poster.latencies_ms]
        for poster in self.posters:
            poster.latencies_ms.clear()
        return found

    def _shares(self, tally: Counter[str]) -> Figures:
        """What the return cost each member, by the kind of frame; messages grow with the time that it takes."""
        kinds = {"resume": "reply", "hello": "hello", "presence": "presence.changed", "typing": "typing"}
        kinds["messages"] = "message.posted"
        return {f"of_{name}": tally[kind] / len(self.members) for name, kind in kinds.items()}


async def _come_back(member: Member) -> int:
    """As docs/protocol.md asks of clients: after a random time up to half a second, doubled each try up to thirty, or
    up to five seconds where the server says that it cannot now. How often it failed."""
    longest, failures = 0.5, 0
    code = 0
    while True:
        await asyncio.sleep(random.uniform(0, 5 if code == COME_BACK else longest))
        try:
            code = await member.come_back()
        except OSError:
            code = 1006  # it does not even accept
        if not code:
            return failures
        failures += 1
        longest = min(30, longest * 2)


def _rooms_of_posters(plan: Plan) -> Iterable[list[int]]:
    """As `database.fill` seats them."""
    seats: list[dict[int, None]] = [{} for _ in range(plan.posters)]
    for k in range(max(plan.rooms, plan.posters)):
        seats[k % plan.posters][room_id(k % plan.rooms)] = None
    return [list(rooms) for rooms in seats]


def _address(index: int) -> str:
    """One source address has only so many ports."""
    block = index // CLIENTS_PER_ADDRESS
    return f"127.0.{1 + block // 250}.{1 + block % 250}"


async def main(plan: Plan) -> int:
    try:
        figures = await Storm(plan).run()
    except Unbelievable as error:
        print(error, file=sys.stderr)
        return 1
    print(msgspec.json.encode(figures).decode())
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Plan))))

"""A client process: some people who chat with a server and write down what they are told.

`python -m tests.faults.client PARTS.json`; then it is led line by line: it says `connected`, chats until it reads
`quiet`, says `answered`, and when it reads `finish` it waits until it has seen everything and ends.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from tests.faults.link import Patience
from tests.faults.person import Part, Person


class Parts(msgspec.Struct):
    people: list[Part]
    silence: float
    answer: float
    longest_wait: float


async def lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def obey(orders: asyncio.StreamReader, expected: str) -> None:
    """Whoever leads us may have died: then we end as well."""
    if (line := (await orders.readline()).decode().strip()) != expected:
        sys.exit(f"expected {expected!r}, not {line!r}")


async def main(parts: Parts) -> None:
    orders = await lines()
    people = [Person(part, Patience(parts.silence, parts.answer, parts.longest_wait)) for part in parts.people]
    await asyncio.gather(*(person.connected() for person in people))
    say("connected")
    chatting = asyncio.gather(*(person.chat() for person in people))
    await obey(orders, "quiet")
    for person in people:
        person.be_quiet()
    await chatting
    say("answered")
    await obey(orders, "finish")
    await asyncio.gather(*(person.finish() for person in people))
    say("finished")


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Parts)))

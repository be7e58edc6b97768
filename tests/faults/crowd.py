"""The people of one run, in client processes; and the look at what they and the database say when all is quiet."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from tests.faults.checker import Row, Truth, Witness
from tests.faults.client import Parts
from tests.faults.history import read
from tests.faults.person import Part
from tests.faults.site import CHECKOUT, Account, Site

# The protocol's 25, 10 and 30 s, for tests that cannot wait so long.
SILENCE, ANSWER, LONGEST_WAIT = 2.0, 2.0, 1.0


class Crowd:
    """Two rooms that all stay in, one that they leave and join, a private one from which its maker removes others.

    `bases` are the addresses by which they come, dealt out in turn; each is a process of `size` people.
    """

    def __init__(self, site: Site, folder: Path, seed: str) -> None:
        self._site = site
        self._folder = folder
        self._seed = seed
        self._clients: list[asyncio.subprocess.Process] = []
        self.accounts: list[Account] = []
        self.rooms: list[int] = []

    async def come(self, bases: Sequence[str], size: int = 3, *, pause: float = 0.05) -> None:
        count = len(bases) * size
        prefix = f"run{self._folder.name.rpartition('-')[2]}"
        self.accounts = await self._site.add_people(*(f"{prefix}-{place}" for place in range(count)))
        maker, *others = self.accounts
        hall = await self._site.add_room(f"hall {prefix}", maker, *others)
        den = await self._site.add_room(f"den {prefix}", maker, *others, kind="private")
        lobby = await self._site.add_room(f"lobby {prefix}", others[-1], maker, *others[:-1])
        club = await self._site.add_room(f"club {prefix}", maker, *others, kind="private")
        self.rooms = [hall, den, lobby, club]
        for place, base in enumerate(bases):
            parts = [
                Part(
                    name=account.username,
                    user=account.id,
                    base=base,
                    cookie=account.cookie,
                    seed=f"{self._seed} {account.username}",
                    history=str(self._history(account)),
                    steady=[hall, den],
                    open=[lobby, club] if account is not maker else [],
                    guarded=[club] if account is maker else [],
                    others=[each.id for each in others],
                    pause=pause,
                )
                for account in self.accounts[place * size : (place + 1) * size]
            ]
            path = self._folder / f"{prefix}-{place}.json"
            path.write_bytes(msgspec.json.encode(Parts(parts, SILENCE, ANSWER, LONGEST_WAIT)))
            await self._start(path)
        await self._all_say("connected")

    async def go_quiet(self) -> None:
        """Nobody says anything more, and everybody has the answer to all that they asked."""
        await self._tell_all("quiet", "answered")

    async def finish(self) -> list[Witness]:
        """Everybody has seen everything, wrote down what, and is gone."""
        await self._tell_all("finish", "finished")
        for client in self._clients:
            await client.wait()
        return self.witnesses()

    async def end(self) -> None:
        for client in self._clients:
            if client.returncode is None:
                client.kill()
                await client.wait()

    def witnesses(self) -> list[Witness]:
        return [Witness(account.id, list(read(self._history(account)))) for account in self.accounts]

    async def truth(self) -> Truth:
        return await truth_of(self._site, self.rooms)

    def _history(self, account: Account) -> Path:
        return self._folder / f"{account.username}.jsonl"

    async def _start(self, path: Path) -> None:
        self._clients.append(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.faults.client", str(path)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=CHECKOUT,
                start_new_session=True,
            )
        )

    async def _tell_all(self, order: str, answer: str, seconds: float = 180.0) -> None:
        for client in self._clients:
            assert client.stdin is not None, "a pipe"
            client.stdin.write(f"{order}\n".encode())
        await self._all_say(answer, seconds)

    async def _all_say(self, expected: str, seconds: float = 60.0) -> None:
        async with asyncio.timeout(seconds):
            for client in self._clients:
                assert client.stdout is not None, "a pipe"
                said = (await client.stdout.readline()).decode().strip()
                assert said == expected, f"a client said {said!r} and not {expected!r}"


async def truth_of(site: Site, rooms: list[int]) -> Truth:
    messages = await site.query(
        "SELECT id, room_id, seq, changed, sender_id, kind, text, nonce, deleted_at IS NOT NULL AS deleted, data "
        "FROM messages WHERE room_id = ANY ($1)",
        rooms,
    )
    versions: dict[int, dict[int, str]] = {}
    for row in await site.query("SELECT message_id, changed, text FROM message_versions"):
        versions.setdefault(row["message_id"], {})[row["changed"]] = row["text"]
    heads = await site.query("SELECT id, last_seq FROM rooms WHERE id = ANY ($1)", rooms)
    reads = await site.query("SELECT room_id, user_id, read_seq FROM memberships WHERE room_id = ANY ($1)", rooms)
    return Truth(
        rows=[_row(message, versions.get(message["id"], {})) for message in messages],
        last_seq={row["id"]: row["last_seq"] for row in heads},
        reads={(row["room_id"], row["user_id"]): row["read_seq"] for row in reads},
    )


def _row(message: asyncpg.Record, versions: dict[int, str]) -> Row:
    data: dict[str, Any] | None = json.loads(message["data"]) if message["data"] else None
    return Row(
        id=message["id"],
        room=message["room_id"],
        seq=message["seq"],
        changed=message["changed"],
        sender=message["sender_id"],
        kind=message["kind"],
        text=message["text"],
        nonce=str(message["nonce"]) if message["nonce"] else None,
        deleted=message["deleted"],
        data=data,
        versions=versions,
    )

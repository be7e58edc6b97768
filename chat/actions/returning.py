"""Those who come back, many at a time: what each lacks of the rooms it had. One's own catching up is in `messages`."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat.actions.events import Sync
from chat.actions.messages import PAGE_CHARACTERS, SYNC_PAGE, changes, is_too_far_behind
from chat.lib.batching import Batcher
from chat.lib.db import AsyncConnection, Database
from chat.models import rooms, workspace


@dataclass(slots=True, frozen=True)
class Return:
    """Who comes back, the history they know, and up to where: room → seq."""

    user: int
    epoch: str
    cursors: dict[int, int]


class Lookup:
    """What was posted in rooms after a seq, looked up once for all who stand at the same place."""

    def __init__(self, db: AsyncConnection) -> None:
        self._db = db
        self._found: dict[tuple[int, int], Sync] = {}

    async def changes(self, room: int, after: int, last: int) -> Sync:
        found = self._found.get((room, after))
        if found is None:
            found = self._found[room, after] = await changes(self._db, room, after, last)
        return found


class Returns:
    """Two statements for all who come back while the last ones ran, and one for each place in a room's log that some of
    them stand at."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._waiting = Batcher(self._answers, size=20)

    async def resume(self, back: Return) -> list[Sync]:
        """What they lack in each room; about one page in all, `more` for the rest."""
        return await self._waiting.get(back)

    async def _answers(self, returns: Sequence[Return]) -> list[list[Sync]]:
        async with self._db.read() as db:
            heads = await rooms.heads_of_each(db, sorted({back.user for back in returns}))
            epoch = str(await workspace.epoch(db))
            lookup = Lookup(db)
            return [await _answer(back, heads.get(back.user, {}), epoch, lookup) for back in returns]


async def _answer(back: Return, heads: dict[int, int], epoch: str, lookup: Lookup) -> list[Sync]:
    """`heads` has the last seq of each room that they are in, read before anything is looked up."""
    answer: list[Sync] = []
    budget, characters = SYNC_PAGE, PAGE_CHARACTERS
    for room, after in back.cursors.items():
        last = heads.get(room)
        if last is None:
            answer.append(Sync(room=room, left=True))
        elif back.epoch != epoch:
            answer.append(Sync(room=room, to=last, reload=True))
        elif (budget <= 0 or characters <= 0) and not is_too_far_behind(after, last):
            answer.append(Sync(room=room, from_=after, to=after, more=after < last, messages=[]))
        else:
            answer.append(await lookup.changes(room, after, last))
            found = answer[-1].messages or ()
            budget -= len(found)
            characters -= sum(len(message.text) for message in found)
    return answer

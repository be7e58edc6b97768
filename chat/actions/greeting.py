"""The hello of new connections, many at a time: after a restart everybody comes back in the same second."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chat.actions.events import Event
from chat.errors import NotSignedIn
from chat.lib.batching import Batcher
from chat.lib.db import Database
from chat.models import members, rooms, sessions
from chat.models.rooms import Room
from chat.models.sessions import SignedIn
from chat.models.users import User
from chat.models.workspace import Workspace

PROTOCOL = 1


class Hello(Event, tag="hello", omit_defaults=False):
    protocol: int
    server: str
    epoch: str
    time: datetime.datetime
    connection: str
    user: User
    email: str
    workspace: Workspace
    limits: dict[str, Any]
    rooms: list[Room]


@dataclass(slots=True, frozen=True)
class Newcomer:
    """`listen` is called with the ids of the user's rooms before the hello is looked up: what is posted between the two
    is told twice rather than not at all."""

    actor: SignedIn
    connection: str
    listen: Callable[[list[int]], None]


class Greeter:
    """Three statements for all who come while the last three ran, however many rooms they have."""

    def __init__(self, db: Database, *, server: str, limits: dict[str, Any]) -> None:
        self._db = db
        self._server = server
        self._limits = limits
        self._newcomers = Batcher(self._hellos, size=50)

    async def hello(self, newcomer: Newcomer) -> Hello:
        """Raises NotSignedIn where the session ended since it was looked up."""
        hello = await self._newcomers.get(newcomer)
        if hello is None:
            raise NotSignedIn
        return hello

    async def _hellos(self, newcomers: Sequence[Newcomer]) -> list[Hello | None]:
        users = sorted({newcomer.actor.user for newcomer in newcomers})
        async with self._db.read() as db:
            memberships = await members.rooms_of_each(db, users)
            for newcomer in newcomers:
                newcomer.listen(memberships.get(newcomer.actor.user, []))
            accounts = await sessions.accounts_and_workspace(db, [newcomer.actor.session for newcomer in newcomers])
            seen = await rooms.of_each(db, users)
        now = datetime.datetime.now(datetime.UTC)
        hellos: list[Hello | None] = []
        for newcomer in newcomers:
            found = accounts.get(newcomer.actor.session)
            if found is None:
                hellos.append(None)
                continue
            account, epoch, about = found
            hellos.append(
                Hello(
                    protocol=PROTOCOL,
                    server=self._server,
                    epoch=str(epoch),
                    time=now,
                    connection=newcomer.connection,
                    user=User(account.id, account.username, account.name, account.role),
                    email=account.email,
                    workspace=about,
                    limits=self._limits,
                    rooms=seen.get(account.id, []),
                )
            )
        return hellos

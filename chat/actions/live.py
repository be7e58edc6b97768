"""The hello of a new connection: who you are, your rooms with what is unread, and the limits."""

import datetime
from typing import Any

import msgspec

from chat.actions.events import Event
from chat.errors import NotSignedIn
from chat.lib.db import AsyncConnection
from chat.models import rooms, sessions
from chat.models.rooms import Room
from chat.models.sessions import SignedIn
from chat.models.users import Author, User
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


class Typing(Event, tag="typing"):
    room: int
    user: Author


class Bye(Event, tag="bye"):
    """The server goes down; come back after so many seconds."""

    reconnect_in: float


async def hello(db: AsyncConnection, actor: SignedIn, *, connection: str, server: str, limits: dict[str, Any]) -> Hello:
    """Two statements, however many rooms. Raises NotSignedIn where the session ended since it was looked up."""
    found = await sessions.account_and_workspace(db, actor.session)
    if found is None:
        raise NotSignedIn
    account, epoch, about = found
    return Hello(
        protocol=PROTOCOL,
        server=server,
        epoch=str(epoch),
        time=datetime.datetime.now(datetime.UTC),
        connection=connection,
        user=User(account.id, account.username, account.name, account.role),
        email=account.email,
        workspace=about,
        limits=limits,
        rooms=await rooms.of_user(db, actor.user),
    )


def typing(actor: SignedIn, room: int) -> bytes:
    return msgspec.json.encode(Typing(room=room, user=actor.author))

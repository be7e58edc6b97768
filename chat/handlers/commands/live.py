"""Commands that only a socket has: typing, presence, and asking whether the line still stands."""

from typing import Literal

from chat.actions import access, live
from chat.errors import RateLimited
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.commands.rooms import RoomGiven

registry = Registry()


@registry.add("ping", Given)
async def ping(ask: Ask, given: Given) -> None:
    """The reply is the answer."""


@registry.add("typing", RoomGiven)
async def typing(ask: Ask, given: RoomGiven) -> None:
    assert ask.connection is not None, "without routes, the verb is for sockets"
    access.require_listening(ask.connection, given.room)
    if wait := ask.services.typing.tell(ask.connection, given.room, live.typing(ask.actor, given.room)):
        raise RateLimited("Once a second is enough to say that you are typing.", retry_after=wait)


class SetPresence(Given):
    state: Literal["online", "away"]


@registry.add("presence.set", SetPresence)
async def presence_set(ask: Ask, given: SetPresence) -> None:
    assert ask.connection is not None, "without routes, the verb is for sockets"
    ask.services.presence.set_state(ask.connection, given.state)

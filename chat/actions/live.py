"""What has no row: typing, and the server's goodbye."""

import msgspec

from chat.actions.events import Event
from chat.models.sessions import SignedIn
from chat.models.users import Author


class Typing(Event, tag="typing"):
    room: int
    user: Author


class Bye(Event, tag="bye"):
    """The server goes down; come back after so many seconds."""

    reconnect_in: float


def typing(actor: SignedIn, room: int) -> bytes:
    return msgspec.json.encode(Typing(room=room, user=actor.author))

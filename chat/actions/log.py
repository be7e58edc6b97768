"""The log of a room: every durable change takes the next seq, is written as a line and told in that order."""

from typing import Any

from chat.actions.events import MessagePosted
from chat.hub.hub import room_topic
from chat.lib.db import Tx
from chat.models import messages, rooms
from chat.models.messages import MessageKind
from chat.models.sessions import SignedIn


async def add_line(
    tx: Tx,
    room: int,
    actor: SignedIn,
    kind: MessageKind,
    data: dict[str, Any] | None = None,
    *,
    seq: int | None = None,
) -> None:
    """Writes a line of the given kind, under `seq` where the caller has just taken one, and tells the members."""
    if seq is None:
        seq = await rooms.next_seq(tx.db, room)
    message = await messages.add_line(tx.db, room=room, seq=seq, sender=actor.user, kind=kind, data=data)
    tx.emit(room_topic(room), MessagePosted(room=room, seq=seq, message=message), seq)

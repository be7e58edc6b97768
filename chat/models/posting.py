"""The statement behind every post: many messages for many rooms, stored once each, in one round trip."""

import datetime
import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import ARRAY, Integer, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection


class Posting(msgspec.Struct, frozen=True):
    """One message that wants to be stored."""

    room: int
    sender: int
    nonce: uuid.UUID
    text: str


class Stored(msgspec.Struct, frozen=True):
    """What became of the posting at `place` in the batch, now or, for a repeat, earlier.

    `same` is False where the earlier one said something else or in another room.
    """

    place: int
    id: int
    seq: int
    at: datetime.datetime
    same: bool


# The function is made by a migration, so that locking the rooms, looking and storing are one round trip.
STATEMENT = text("SELECT place, id, seq, at, same FROM post_messages(:rooms, :senders, :nonces, :texts)").bindparams(
    bindparam("rooms", type_=ARRAY(Integer)),
    bindparam("senders", type_=ARRAY(Integer)),
    bindparam("nonces", type_=ARRAY(Uuid)),
    bindparam("texts", type_=ARRAY(Text)),
)


async def store(db: AsyncConnection, batch: Sequence[Posting]) -> list[Stored]:
    """Stores the batch; no two of it may have the same sender and nonce. What is missing in the answer was refused: the
    sender is not in the room, or it is archived."""
    rows = await db.execute(
        STATEMENT,
        {
            "rooms": [each.room for each in batch],
            "senders": [each.sender for each in batch],
            "nonces": [each.nonce for each in batch],
            "texts": [each.text for each in batch],
        },
    )
    # Taken apart as a whole: asking the rows for each column by its name took a tenth of a busy server's time.
    return [Stored(place - 1, message, seq, at, same) for place, message, seq, at, same in rows]

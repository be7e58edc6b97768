"""The statement behind every post: many messages for many rooms, stored once each, in one round trip."""

import datetime
import uuid
from collections.abc import Sequence

import msgspec
from sqlalchemy import ARRAY, Integer, Text, Uuid, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chat.lib.db import is_any
from chat.models.rooms import rooms
from chat.models.users import Author


class Posting(msgspec.Struct, frozen=True):
    """One message that wants to be stored."""

    room: int
    sender: int
    nonce: uuid.UUID
    text: str


class Stored(msgspec.Struct, frozen=True):
    """What became of the posting at `place` in the batch; a `repeat` was stored earlier.

    `same` is False where the earlier one said something else or in another room.
    """

    place: int
    id: int
    sender: Author
    seq: int
    at: datetime.datetime
    repeat: bool
    same: bool


# Runs after the rooms are locked, hence in a snapshot that sees every repeat, every membership and each room's last seq
# as they are. A posting without a row in the answer was refused: its sender is not in the room, or it is archived.
# Nothing here is joined with what was just written: the planner takes a batch for a single row, and would compare every
# two of it.
STATEMENT = text(
    """
    WITH posting AS (
        SELECT * FROM unnest(:rooms, :senders, :nonces, :texts) WITH ORDINALITY
            AS posting (room_id, sender_id, nonce, text, place)
    ), known AS (
        SELECT posting.place, messages.id, messages.seq, messages.at, messages.sender_id, messages.nonce,
            messages.room_id = posting.room_id AND posting.text = coalesce(
                (SELECT version.text FROM message_versions AS version
                 WHERE version.message_id = messages.id ORDER BY version.changed LIMIT 1),
                messages.text) AS same
        FROM posting JOIN messages USING (sender_id, nonce)
    ), fresh AS (
        SELECT posting.*, rooms.last_seq + row_number() OVER (PARTITION BY posting.room_id ORDER BY place) AS seq
        FROM posting
        JOIN memberships ON memberships.room_id = posting.room_id AND memberships.user_id = posting.sender_id
        JOIN rooms ON rooms.id = posting.room_id AND rooms.archived_at IS NULL
        WHERE place NOT IN (SELECT place FROM known)
    ), grown AS (
        UPDATE rooms SET last_seq = growth.seq, last_message_at = now()
        FROM (SELECT room_id, max(seq) AS seq FROM fresh GROUP BY room_id) AS growth
        WHERE rooms.id = growth.room_id
    ), stored AS (
        INSERT INTO messages (room_id, seq, changed, sender_id, nonce, text)
        SELECT room_id, seq, seq, sender_id, nonce, text FROM fresh ORDER BY place
        RETURNING id, seq, at, sender_id, nonce
    )
    SELECT answer.*, users.username, users.name FROM (
        SELECT id, seq, at, sender_id, nonce, false AS repeat, true AS same FROM stored
        UNION ALL
        SELECT id, seq, at, sender_id, nonce, true, same FROM known
    ) AS answer JOIN users ON users.id = answer.sender_id
    """
).bindparams(
    bindparam("rooms", type_=ARRAY(Integer)),
    bindparam("senders", type_=ARRAY(Integer)),
    bindparam("nonces", type_=ARRAY(Uuid)),
    bindparam("texts", type_=ARRAY(Text)),
)


async def lock_rooms(db: AsyncConnection, ids: Sequence[int]) -> None:
    """Locks the rooms in the order of their ids, which every batch keeps."""
    asked = select(rooms.c.id).where(is_any(rooms.c.id, ids)).order_by(rooms.c.id)
    await db.execute(asked.with_for_update(key_share=True))


async def store(db: AsyncConnection, batch: Sequence[Posting]) -> list[Stored]:
    """Stores the batch; no two of it may have the same sender and nonce. The rooms must be locked."""
    rows = await db.execute(
        STATEMENT,
        {
            "rooms": [each.room for each in batch],
            "senders": [each.sender for each in batch],
            "nonces": [each.nonce for each in batch],
            "texts": [each.text for each in batch],
        },
    )
    places = {(each.sender, each.nonce): place for place, each in enumerate(batch)}
    return [
        Stored(
            place=places[row.sender_id, row.nonce],
            id=row.id,
            sender=Author(row.sender_id, row.username, row.name),
            seq=row.seq,
            at=row.at,
            repeat=row.repeat,
            same=row.same,
        )
        for row in rows
    ]

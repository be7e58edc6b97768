"""Messages: reading history, catching up, editing and deleting. Posting goes through the journal."""

from dataclasses import dataclass

import msgspec

from chat.actions import access
from chat.actions.events import MessageChanged, Sync
from chat.actions.texts import message_text
from chat.errors import Conflict, Invalid
from chat.hub.hub import room_topic
from chat.lib.db import AsyncConnection, Tx
from chat.models import messages, rooms
from chat.models.messages import Message
from chat.models.sessions import SignedIn

PAGE = 50
SYNC_PAGE = 200
# Of all texts in one reply. Who is sent much more looks like a slow reader while it is on its way, and is closed by the
# next event; and would get the same page again on coming back.
PAGE_CHARACTERS = 100_000
TOO_FAR_BEHIND = 10_000


class Page(msgspec.Struct):
    """A stretch of a room's history, oldest first; `seq` is the room's last one when the page was read.

    It has fewer messages than were asked for where they are long.
    """

    messages: list[Message]
    older: bool
    newer: bool
    seq: int


@dataclass(slots=True, frozen=True)
class Where:
    """Which stretch: before or after a seq, around one, or the newest. At most one of the three is given."""

    before: int | None = None
    after: int | None = None
    around: int | None = None
    limit: int = PAGE


async def page(db: AsyncConnection, actor: SignedIn, room: int, where: Where) -> Page:
    """The room's seq is read first: what is posted meanwhile may be in the page, but is never missed after it."""
    if sum(each is not None for each in (where.before, where.after, where.around)) > 1:
        raise Invalid("Give only one of before, after and around.", field="before")
    if not 1 <= where.limit <= PAGE:
        raise Invalid(f"A page has 1 to {PAGE} messages.", field="limit")
    seq = (await access.room_of_member(db, actor, room)).seq
    limit = where.limit
    if where.after is not None:
        found = await messages.after(db, room, where.after, limit + 1)
        shown = _fitting(found, limit)
        return Page(shown, older=where.after > 0, newer=len(found) > len(shown), seq=seq)
    if where.around is not None:
        before_it, from_it = limit // 2, limit - limit // 2
        older = await messages.before(db, room, where.around, before_it + 1)
        newer = await messages.after(db, room, where.around - 1, from_it + 1)
        until_it = _fitting(older[::-1], before_it, PAGE_CHARACTERS // 2)[::-1]
        since_it = _fitting(newer, from_it, PAGE_CHARACTERS // 2)
        return Page(
            until_it + since_it,
            older=len(older) > len(until_it),
            newer=len(newer) > len(since_it),
            seq=seq,
        )
    found = await messages.before(db, room, where.before if where.before is not None else seq + 1, limit + 1)
    shown = _fitting(found[::-1], limit)[::-1]
    return Page(
        shown,
        older=len(found) > len(shown),
        newer=where.before is not None and where.before <= seq,
        seq=seq,
    )


async def sync(db: AsyncConnection, actor: SignedIn, room: int, after: int) -> Sync:
    """What the actor's client lacks of the room's log after `after`."""
    last = (await access.room_of_member(db, actor, room)).seq
    return await changes(db, room, after, last)


async def changes(db: AsyncConnection, room: int, after: int, last: int) -> Sync:
    """Every message changed after `after`, a page at a time, as it is now; `last` is the room's seq read before."""
    if is_too_far_behind(after, last):
        return Sync(room=room, to=last, reload=True)
    if after == last:
        return Sync(room=room, from_=after, to=last, more=False, messages=[])
    found = await messages.changed_after(db, room, after, SYNC_PAGE + 1)
    told = _fitting(found, SYNC_PAGE)
    if len(told) < len(found):
        return Sync(room=room, from_=after, to=told[-1].changed or told[-1].seq, more=True, messages=told)
    newest = max((message.changed or message.seq for message in found), default=last)
    return Sync(room=room, from_=after, to=max(last, newest), more=False, messages=found)


def is_too_far_behind(after: int, last: int) -> bool:
    """Whether loading anew is the honest answer; so it is for a cursor from the future."""
    return after > last or last - after > TOO_FAR_BEHIND


def _fitting(found: list[Message], limit: int, characters: int = PAGE_CHARACTERS) -> list[Message]:
    """The first of them: up to `limit`, and at least one where there is any, with so many characters in all."""
    shown: list[Message] = []
    for message in found[:limit]:
        characters -= len(message.text)
        if shown and characters < 0:
            break
        shown.append(message)
    return shown


async def edit(tx: Tx, actor: SignedIn, message: int, text: str, *, limit: int) -> Message:
    text = message_text(text, limit)
    room = (await access.message_to_edit(tx.db, actor, message)).room
    await rooms.lock(tx.db, room)
    await access.room_to_post_in(tx.db, actor, room)
    found = await access.message_to_edit(tx.db, actor, message)
    if found.text == text:
        raise Conflict("Nothing would change: the message already says this.")
    return await _rewrite(tx, actor, found, text)


async def delete(tx: Tx, actor: SignedIn, message: int) -> Message:
    """Leaves a tombstone: the row stays, so that no late repeat revives it, and everybody learns of it."""
    room = (await access.message_to_delete(tx.db, actor, message)).room
    await rooms.lock(tx.db, room)
    found = await access.message_to_delete(tx.db, actor, message)
    return await _rewrite(tx, actor, found, None)


async def _rewrite(tx: Tx, actor: SignedIn, found: Message, text: str | None) -> Message:
    seq = await rooms.next_seq(tx.db, found.room)
    changed = await messages.rewrite(tx.db, found, text=text, changed=seq, by=actor.user)
    tx.emit(room_topic(found.room), MessageChanged(room=found.room, seq=seq, message=changed), seq)
    return changed

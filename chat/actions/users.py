"""Users: finding them, and what admins change about them."""

import datetime

from chat.actions import access
from chat.actions.events import UserChanged
from chat.errors import Conflict, Forbidden, NotFound
from chat.hub.hub import MEMBERS, guests_topic
from chat.lib.db import AsyncConnection, Tx
from chat.models import members, sessions, users
from chat.models.sessions import SignedIn
from chat.models.users import PAGE, Account, Role, User

LAST_OWNER = "This is the last owner of the workspace. Make somebody else an owner first."


async def page(db: AsyncConnection, actor: SignedIn, *, query: str = "", after: int = 0) -> tuple[list[User], bool]:
    """(active users by id, whether more follow); guests see those who share a room with them."""
    only = None
    if actor.role == "guest":
        only = sorted({actor.user, *await members.people_around(db, actor.user)})
    found = await users.page(db, query=query, after=after, only=only)
    return found[:PAGE], len(found) > PAGE


async def change_role(tx: Tx, actor: SignedIn, user: int, role: Role) -> User:
    """From this commit on the user may do what the new role may; their sockets come back with it."""
    access.require_admin(actor)
    account, owners = await _locked(tx, user)
    access.may_change_role(actor, account, role)
    return await _set_role(tx, account, owners, role)


async def set_role(tx: Tx, user: int, role: Role) -> User:
    """For the command line, whose user may do everything but leave the workspace without an owner."""
    account, owners = await _locked(tx, user)
    return await _set_role(tx, account, owners, role)


async def deactivate(tx: Tx, actor: SignedIn, user: int) -> User:
    """Signs the user out everywhere for good; what they wrote stays."""
    access.require_admin(actor)
    account, owners = await _locked(tx, user)
    access.may_change_role(actor, account, account.role)
    if user == actor.user:
        raise Forbidden("You cannot close your own account here. Ask another admin.")
    if owners == [user]:
        raise Conflict(LAST_OWNER)
    if account.deactivated_at is None:
        await users.change(tx.db, user, deactivated_at=datetime.datetime.now(datetime.UTC))
        tx.end_sessions(await sessions.remove(tx.db, user))
    return await tell_changed(tx, user)


async def reactivate(tx: Tx, actor: SignedIn, user: int) -> User:
    access.require_admin(actor)
    account, _ = await _locked(tx, user)
    access.may_change_role(actor, account, account.role)
    await users.change(tx.db, user, deactivated_at=None)
    return await tell_changed(tx, user)


async def _locked(tx: Tx, user: int) -> tuple[Account, list[int]]:
    """(the user's account, the ids of all active owners), all held until COMMIT; owners first, so that two who
    unmake each other wait instead of both succeeding."""
    owners = await users.owners(tx.db)
    account = await users.account(tx.db, user, lock=True)
    if account is None:
        raise NotFound(access.NO_USER)
    return account, owners


async def _set_role(tx: Tx, account: Account, owners: list[int], role: Role) -> User:
    if owners == [account.id] and role != "owner":
        raise Conflict(LAST_OWNER)
    if role != account.role:
        await users.change(tx.db, account.id, role=role)
        tx.renew(account.id, reconnect=True)
    return await tell_changed(tx, account.id)


async def tell_changed(tx: Tx, user: int) -> User:
    """Tells whoever may see the user how they are now: members everyone, guests who is in a room with them."""
    found = await users.find(tx.db, user)
    assert found is not None, "it was added or is locked in this transaction"
    event = UserChanged(user=found)
    tx.emit(MEMBERS, event)
    tx.emit(guests_topic(await members.rooms_of(tx.db, user)), event)
    return found

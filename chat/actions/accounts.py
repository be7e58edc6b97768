"""Accounts: the first owner, newcomers, and what people change about themselves."""

from collections.abc import Callable
from typing import NoReturn

import msgspec

from chat.actions import names, rooms
from chat.actions.events import WorkspaceChanged
from chat.actions.users import tell_changed
from chat.errors import Conflict, Forbidden, Gone, Invalid, NotSignedIn
from chat.hub.hub import EVERYONE
from chat.lib.db import Database, IntegrityError, Tx, violated
from chat.lib.passwords import Passwords, complaint
from chat.models import invitations, sessions, users, workspace
from chat.models import rooms as room_models
from chat.models.sessions import SignedIn
from chat.models.users import Account, Role

FIRST_ROOM = "general"
NOT_YOURS = "This is not your password."
INVITATION_GONE = "This invitation ran out, was taken back, or was used as often as it may. Ask for a new link."
BY_INVITATION = "People join this workspace by invitation. Ask a member for a link."
HAS_OWNER = "This workspace has an owner already. Sign in, or ask them for an invitation."
TAKEN = {
    "users_username_key_key": ("username", "This username, or one that looks like it, is taken. Choose another."),
    "users_email_key": ("email", "There is an account with this e-mail address already."),
}


class Application(msgspec.Struct, frozen=True):
    """What somebody who wants an account has typed."""

    username: str
    email: str
    name: str
    password: str


class Person(msgspec.Struct, frozen=True):
    """An application that was found fit: as it is stored, but for the password, which is hashed meanwhile."""

    username: str
    email: str
    name: str


class Unfit(Invalid):
    """Several fields are wrong at once; `errors` has a sentence for each, by the field's name."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        field, text = next(iter(errors.items()))
        super().__init__(text, field=field)


def checked(application: Application, *, workspace: str = "", for_owner: bool = False) -> Person:
    """The person applied for. Raises Unfit. `workspace` is its name, which makes no password."""
    errors: dict[str, str] = {}
    fit: dict[str, str] = {}
    checks: dict[str, Callable[[], str]] = {
        "name": lambda: names.display_name(application.name),
        "username": lambda: names.username(application.username, for_owner=for_owner),
        "email": lambda: names.email(application.email),
        "password": lambda: fit_password(
            application.password, application.username, application.email, application.name, workspace
        ),
    }
    for field, check in checks.items():
        try:
            fit[field] = check()
        except Invalid as problem:
            errors[field] = problem.text
    if errors:
        raise Unfit(errors)
    return Person(username=fit["username"], email=fit["email"], name=fit["name"])


def fit_password(password: str, *known: str, field: str = "password") -> str:
    """Raises Invalid where the password is too weak; `known` is what others know of the person."""
    words = [word for text in known for word in (text, *text.replace("@", " ").replace(".", " ").split())]
    if wrong := complaint(password, *words):
        raise Invalid(wrong, field=field)
    return password


async def first_start(tx: Tx, person: Person, password_hash: str, *, workspace_name: str) -> int:
    """Makes the owner and the first room; the owner's id. However many try at once, one succeeds."""
    await workspace.get(tx.db, lock=True)
    if await users.any_exist(tx.db):
        raise Gone(HAS_OWNER)
    await workspace.change(tx.db, name=workspace_name)
    owner = await add(tx, person, password_hash, "owner")
    await rooms.create(tx, _as_actor(owner), name=FIRST_ROOM, kind="public")
    for topic in EVERYONE:
        tx.emit(topic, WorkspaceChanged(workspace=await workspace.get(tx.db)))
    return owner.id


async def register(tx: Tx, person: Person, password_hash: str, *, invitation: int | None) -> int:
    """A newcomer's account, by an invitation, which counts its use, or where anybody may; their id.

    Members arrive in the oldest public room, guests in none. Raises Gone, Forbidden or Conflict.
    """
    role: Role = "member"
    if invitation is not None:
        granted = await invitations.use(tx.db, invitation)
        if granted is None:
            raise Gone(INVITATION_GONE)
        role = granted
    elif not (await workspace.get(tx.db)).open_registration:
        raise Forbidden(BY_INVITATION)
    account = await add(tx, person, password_hash, role)
    return account.id


async def add(tx: Tx, person: Person, password_hash: str, role: Role) -> Account:
    """Any new account, told to those who may see it. Raises Conflict where the username or e-mail is taken."""
    try:
        async with tx.db.begin_nested():
            user = await users.add(
                tx.db,
                username=person.username,
                username_key=names.key(person.username),
                email=person.email,
                name=person.name,
                password_hash=password_hash,
                role=role,
            )
    except IntegrityError as error:
        _refuse_taken(error)
    account = await users.account(tx.db, user)
    assert account is not None, "it was added in this transaction"
    await tell_changed(tx, user)
    first = await room_models.first_public(tx.db)
    if first is not None and role != "guest":
        await rooms.join(tx, _as_actor(account), first)
    return account


async def mine(db: Database, actor: SignedIn) -> Account:
    async with db.read() as connection:
        account = await users.account(connection, actor.user)
    if account is None:
        raise NotSignedIn
    return account


async def confirmed(db: Database, passwords: Passwords, actor: SignedIn, password: str, *, field: str) -> Account:
    """The actor's account, after their password was asked for again. Raises Invalid where it is wrong."""
    account = await mine(db, actor)
    if not await passwords.verify(password, account.password_hash):
        raise Invalid(NOT_YOURS, field=field)
    return account


async def update(
    tx: Tx,
    actor: SignedIn,
    *,
    name: str | None = None,
    username: str | None = None,
    email: str | None = None,
    confirmation: Account | None = None,
) -> Account:
    """Changes what is given. A new e-mail address takes the account over, so it needs the password: `confirmation`."""
    account = await _locked(tx, actor, confirmation)
    changes: dict[str, object] = {}
    if name is not None:
        changes["name"] = names.display_name(name)
    if username is not None and username != account.username:
        changes["username"] = names.username(username, for_owner=account.role == "owner")
        changes["username_key"] = names.key(username)
    if email is not None and (address := names.email(email)) != account.email:
        if confirmation is None:
            raise Forbidden("Type your password as well to change your e-mail address.", field="password")
        changes["email"] = address
    if not changes:
        return account
    try:
        async with tx.db.begin_nested():
            await users.change(tx.db, actor.user, **changes)
    except IntegrityError as error:
        _refuse_taken(error)
    if changes.keys() & {"name", "username"}:
        tx.renew(actor.user)
        await tell_changed(tx, actor.user)
    now = await users.account(tx.db, actor.user)
    assert now is not None, "it is locked"
    return now


async def change_password(tx: Tx, actor: SignedIn, password_hash: str, *, confirmation: Account) -> None:
    """The new password counts from now on; whoever else is signed in with the old one no longer is."""
    await _locked(tx, actor, confirmation)
    await set_password(tx, actor.user, password_hash, but=actor.session)


async def set_password(tx: Tx, user: int, password_hash: str, *, but: int | None = None) -> None:
    """Without asking for the old one: the command line, and `change_password`. Ends all sessions `but` one."""
    await users.change(tx.db, user, password_hash=password_hash)
    tx.end_sessions(await sessions.remove(tx.db, user, but=but))


async def renew_hash(tx: Tx, account: Account, password_hash: str) -> Account:
    """The same password at the cost of today; nothing is done where it was changed meanwhile."""
    now = await users.account(tx.db, account.id, lock=True)
    if now is None or now.password_hash != account.password_hash:
        return account
    await users.change(tx.db, account.id, password_hash=password_hash)
    return msgspec.structs.replace(account, password_hash=password_hash)


async def _locked(tx: Tx, actor: SignedIn, confirmation: Account | None) -> Account:
    """The actor's account, held until COMMIT. Raises where the password was changed since it was confirmed."""
    account = await users.account(tx.db, actor.user, lock=True)
    if account is None or account.deactivated_at is not None:
        raise NotSignedIn
    if confirmation is not None and confirmation.password_hash != account.password_hash:
        raise Conflict("Your password was changed a moment ago. Please try again.")
    return account


def _as_actor(account: Account) -> SignedIn:
    """A newcomer has no session yet, but makes and joins rooms as anybody does."""
    return SignedIn(
        session=0,
        user=account.id,
        username=account.username,
        name=account.name,
        role=account.role,
        last_seen_at=account.created_at,
        stale=False,
    )


def _refuse_taken(error: IntegrityError) -> NoReturn:
    taken = TAKEN.get(violated(error))
    if taken is None:
        raise error
    field, text = taken
    raise Conflict(text, field=field) from error

"""Sessions: signing in and out, and the list of a person's devices."""

import datetime
import hashlib
import secrets
from collections.abc import Sequence

import msgspec

from chat.actions import names
from chat.errors import NotFound, NotSignedIn
from chat.lib.batching import Batcher
from chat.lib.db import AsyncConnection, Database, Tx
from chat.lib.passwords import Passwords
from chat.models import sessions, users
from chat.models.sessions import SignedIn
from chat.models.users import Account

WRONG = "This name and password do not belong together. Please check both."
TOKEN_BYTES = 32
USER_AGENT_LIMIT = 400


class Device(msgspec.Struct, frozen=True):
    """A session as its owner sees it in the list."""

    id: int
    current: bool
    created_at: datetime.datetime
    last_seen_at: datetime.datetime
    address: str
    device: str


def hash_of(token: str) -> bytes:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()


async def account_of_login(db: AsyncConnection, login: str) -> Account | None:
    """Who signs in by this username, however it is cased, or e-mail address."""
    if "\0" in login or len(login) > names.EMAIL_LIMIT:
        return None
    return await users.account_by_login(db, username_key=names.key(login), email=names.plain_email(login))


async def check_password(db: Database, passwords: Passwords, login: str, password: str) -> Account:
    """The account behind the login. Raises NotSignedIn, after the same time and with the same words, for a name that
    nobody has, a wrong password and a deactivated account. Holds no database connection while it hashes."""
    async with db.read() as connection:
        account = await account_of_login(connection, login)
    if account is None:
        await passwords.verify_nobody(password)
        raise NotSignedIn(WRONG)
    right = await passwords.verify(password, account.password_hash)
    if not right or account.deactivated_at is not None:
        raise NotSignedIn(WRONG)
    return account


async def begin(tx: Tx, account: Account, *, address: str, user_agent: str, instead_of: SignedIn | None = None) -> str:
    """A new session's token, which only the cookie keeps; the session that the browser held until now ends.

    Raises NotSignedIn where the password was changed or the account closed since it was checked.
    """
    now = await users.account(tx.db, account.id, lock=True)
    if now is None or now.deactivated_at is not None or now.password_hash != account.password_hash:
        raise NotSignedIn(WRONG)
    if instead_of is not None:
        tx.end_sessions(await sessions.remove(tx.db, instead_of.user, only=instead_of.session))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    await sessions.add(
        tx.db,
        token_hash=hash_of(token),
        user=account.id,
        address=address,
        user_agent=user_agent.replace("\0", "")[:USER_AGENT_LIMIT],
    )
    return token


class SessionLookup:
    """The living session of a token, for many who ask at once; its use is noted every ten minutes at most, which is
    what keeps it alive."""

    def __init__(self, db: Database, *, days: int) -> None:
        self._db = db
        self._days = days
        self._asked = Batcher(self._find)

    async def current(self, token: str, *, address: str) -> SignedIn | None:
        return await self._asked.get((hash_of(token), address))

    async def _find(self, asked: Sequence[tuple[bytes, str]]) -> list[SignedIn | None]:
        async with self._db.read() as connection:
            found = await sessions.find_each(connection, [token for token, _ in asked], days=self._days)
            if used := {
                found[token].session: address for token, address in asked if token in found and found[token].stale
            }:
                await sessions.touch(connection, used)
        return [found.get(token) for token, _ in asked]


async def known(db: Database, session: int) -> SignedIn | None:
    """Who the session's user is by now; None where it has ended."""
    async with db.read() as connection:
        return await sessions.find(connection, session)


async def devices(db: AsyncConnection, actor: SignedIn, *, days: int) -> list[Device]:
    return [
        Device(
            id=each.id,
            current=each.id == actor.session,
            created_at=each.created_at,
            last_seen_at=each.last_seen_at,
            address=each.address,
            device=device_name(each.user_agent),
        )
        for each in await sessions.of_user(db, actor.user, days=days)
    ]


async def sign_out(tx: Tx, actor: SignedIn, *, everywhere: bool = False) -> None:
    only = None if everywhere else actor.session
    tx.end_sessions(await sessions.remove(tx.db, actor.user, only=only))


async def revoke(tx: Tx, actor: SignedIn, session: int) -> None:
    """Ends one session of the actor's own, which may be the current one."""
    ended = await sessions.remove(tx.db, actor.user, only=session)
    if not ended:
        raise NotFound("There is no such session. It may have ended already.")
    tx.end_sessions(ended)


async def revoke_others(tx: Tx, actor: SignedIn) -> int:
    """Ends all sessions of the actor but the current one; how many those were."""
    ended = await sessions.remove(tx.db, actor.user, but=actor.session)
    tx.end_sessions(ended)
    return len(ended)


# What tells browsers and systems apart; many browsers also name the ones that they descend from, so the order matters.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl/", "curl"),
    ("python", "Python"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str) -> str:
    """ "Firefox on Linux": enough to tell one's devices apart."""
    browser = next((name for mark, name in BROWSERS if mark.casefold() in user_agent.casefold()), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown device"

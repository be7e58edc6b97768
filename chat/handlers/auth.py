"""Signing in and out: the form for people, the JSON for programs."""

import logging
import re
from urllib.parse import quote

import msgspec
from tornado.routing import URLSpec

from chat.actions import accounts, sessions
from chat.errors import NotSignedIn, Problem, RateLimited
from chat.handlers.base import ApiDoor, Door, PageDoor
from chat.handlers.commands.presenting import with_presence
from chat.handlers.dispatch import as_invalid
from chat.handlers.services import Services
from chat.handlers.templates import Templates
from chat.handlers.throttle import login_key, throttled
from chat.lib import logs
from chat.models import users
from chat.models.users import Account, User

log = logging.getLogger("roomful.sign_in")

# Backslashes are slashes to browsers, and they drop tabs and line ends wherever those stand.
NOT_IN_A_PATH = re.compile(r"[\x00-\x20\x7f\\]")
LONGEST_NEXT = 1000


def local_path(text: str) -> str:
    """Where to go after signing in: a path on this server, whatever was asked for."""
    if not text.startswith("/") or text.startswith("//") or NOT_IN_A_PATH.search(text) or len(text) > LONGEST_NEXT:
        return "/"
    return quote(text, safe="/?#[]@!$&'()*+,;=:~%")


async def sign_in(door: Door, login: str, password: str) -> Account:
    """Checks the password and gives the browser a session, in place of the one that it has.

    Raises NotSignedIn, or RateLimited after too many wrong passwords.
    """
    services = door.services
    address = services.guard.client_address(door.request)
    try:
        with throttled(services.limits, login_key(login), address, wrong=NotSignedIn):
            account = await sessions.check_password(services.db, services.passwords, login, password)
    except (NotSignedIn, RateLimited) as problem:
        outcome = "limited" if isinstance(problem, RateLimited) else "wrong"
        services.metrics.sign_in(outcome)
        log.info("a sign-in was refused: %s", outcome, extra=logs.fields(address=address))
        raise
    if services.passwords.is_outdated(account.password_hash):  # BCRYPT_COST was changed
        renewed = await services.passwords.hash(password)
        async with services.db.transaction() as tx:
            account = await accounts.renew_hash(tx, account, renewed)
    await begin_session(door, account)
    services.metrics.sign_in("ok")
    log.info("signed in", extra=logs.fields(user=account.id, address=address))
    return account


async def begin_session(door: Door, account: Account) -> None:
    services = door.services
    replaced = await services.guard.session_of(door.request)
    async with services.db.transaction() as tx:
        token = await sessions.begin(
            tx,
            account,
            address=services.guard.client_address(door.request),
            user_agent=door.request.headers.get("User-Agent", ""),
            instead_of=replaced,
        )
    door.give_session(token)


class SignIn(PageDoor):
    """The form; it works without JavaScript."""

    async def get(self) -> None:
        path = local_path(self.get_query_argument("next", "/"))
        if await self.load_session():
            self.go_to(path)
            return
        await self._form(path, signed_out="signed-out" in self.request.query_arguments)

    async def head(self) -> None:
        await self.get()

    async def post(self) -> None:
        login, path = self.typed("login"), local_path(self.typed("next") or "/")
        try:
            await sign_in(self, login, self.typed("password"))
        except (NotSignedIn, RateLimited) as problem:
            await self._form(path, refused=problem, login=login)
            return
        self.go_to(path)

    async def _form(
        self, path: str, *, refused: Problem | None = None, login: str = "", signed_out: bool = False
    ) -> None:
        async with self.services.db.read() as db:
            about = await self.about_workspace(db)
            if not await users.any_exist(db):
                self.page("first-run-link.html")
                return
        self.page(
            "sign-in.html",
            status=refused.status if refused else 200,
            errors={"form": refused.text} if refused else {},
            retry_after=refused.retry_after if refused else None,
            values={"login": login},
            next=path,
            signed_out=signed_out,
            open_registration=about.open_registration,
        )


class SignOut(PageDoor):
    """Ends this session, or with `everywhere` all of the person's; their sockets are closed with them."""

    async def post(self) -> None:
        await end_session(self, everywhere=bool(self.typed("everywhere")))
        self.go_to("/sign-in?signed-out")


async def end_session(door: Door, *, everywhere: bool) -> None:
    actor = await door.load_session()
    if actor is not None:
        async with door.services.db.transaction() as tx:
            await sessions.sign_out(tx, actor, everywhere=everywhere)
        log.info("signed out", extra=logs.fields(user=actor.user, everywhere=everywhere))
    door.take_session()


class SessionGiven(msgspec.Struct, forbid_unknown_fields=True):
    login: str
    password: str


class SessionEnd(msgspec.Struct, forbid_unknown_fields=True):
    everywhere: bool = False


class SessionReply(msgspec.Struct):
    user: User


class SessionApi(ApiDoor):
    """The same for programs."""

    route = "/api/v1/session"

    async def post(self) -> None:
        try:
            given = self.decoded(SessionGiven)
        except msgspec.ValidationError as error:
            raise as_invalid(error) from None
        account = await sign_in(self, given.login, given.password)
        async with self.services.db.read() as db:
            user = await users.find(db, account.id)
        if user is None:
            raise NotSignedIn
        with_presence(self.services, user)
        self.reply(SessionReply(user))

    async def delete(self) -> None:
        self.require_session()
        try:
            given = self.decoded(SessionEnd) if self.request.body else SessionEnd()
        except msgspec.ValidationError as error:
            raise as_invalid(error) from None
        await end_session(self, everywhere=given.everywhere)
        self.reply(None)


def routes(services: Services, templates: Templates) -> list[URLSpec]:
    page = {"services": services, "templates": templates}
    return [
        URLSpec("/sign-in", SignIn, page),
        URLSpec("/sign-out", SignOut, page),
        URLSpec("/api/v1/session", SessionApi, {"services": services}),
    ]

"""Making an account: the first owner's, by an invitation, or where anybody may; forms without JavaScript."""

import datetime
import logging
from collections.abc import Awaitable, Callable

from tornado.routing import URLSpec

from chat.actions import accounts, invitations, names
from chat.actions.accounts import Application, Person, Unfit
from chat.errors import Forbidden, Invalid, NotFound, Problem
from chat.handlers.auth import begin_session
from chat.handlers.base import PageDoor
from chat.handlers.services import Services
from chat.handlers.templates import Templates
from chat.lib import logs
from chat.lib.db import Tx
from chat.models import users, workspace
from chat.models.invitations import Invitation

log = logging.getLogger("roomful.accounts")

DAY = datetime.timedelta(days=1)
Make = Callable[[Tx, Person, str], Awaitable[int]]  # (transaction, checked person, password hash) → user id


class Inviting:
    """What the form says of the invitation that brought the person here."""

    def __init__(self, invitation: Invitation) -> None:
        self.inviter_name = invitation.created_by.name
        self.expires_text = in_words(invitation.expires_at - datetime.datetime.now(datetime.UTC))


def in_words(left: datetime.timedelta) -> str:
    """`in 6 days`, `in 5 hours`, `in 20 minutes`: rounded down, so that nobody comes too late."""
    for size, word in ((DAY, "day"), (DAY / 24, "hour"), (DAY / 24 / 60, "minute")):
        if (count := left // size) > 0:
            return f"in {count} {word}{'s' if count > 1 else ''}"
    return "in less than a minute"


class AccountForm(PageDoor):
    """What the three forms share: check what was typed, hash, store, sign in, or show the form again."""

    template = "register.html"

    def typed_application(self) -> Application:
        return Application(
            username=self.typed("username"),
            email=self.typed("email"),
            name=self.typed("name"),
            password=self.typed("password"),
        )

    def checked(self, application: Application) -> Person:
        """Raises Unfit. The workspace's name must have been asked for."""
        return accounts.checked(application, workspace=self.templates.workspace_name)

    async def make_account(self, make: Make, **variables: object) -> None:
        """What is wrong is shown above the form, with what was typed."""
        application = self.typed_application()
        try:
            person = self.checked(application)
            password_hash = await self.services.passwords.hash(application.password)
            async with self.services.db.transaction() as tx:
                account = await users.account(tx.db, await make(tx, person, password_hash))
                assert account is not None, "it was made in this transaction"
        except Problem as problem:
            if problem.status not in (409, 422, 429, 503):
                raise
            self.form(problem, application, **variables)
            return
        log.info("an account was made", extra=logs.fields(user=account.id, role=account.role))
        await begin_session(self, account)
        self.go_to("/")

    def form(self, problem: Problem | None = None, application: Application | None = None, **variables: object) -> None:
        errors = {}
        if isinstance(problem, Unfit):
            errors = problem.errors
        elif problem is not None:
            errors = {problem.field or "form": problem.text}
        values = {"workspace": self.typed("workspace")}
        if application is not None:
            values |= {"username": application.username, "email": application.email, "name": application.name}
        self.page(
            self.template,
            status=problem.status if problem else 200,
            errors=errors,
            values=values,
            retry_after=problem.retry_after if problem else None,
            **variables,
        )


class Join(AccountForm):
    """By an invitation. Who is signed in already is let in."""

    async def get(self, token: str) -> None:
        if await self.load_session():
            self.go_to("/")
        elif invitation := await self._invitation(token):
            self.form(invitation=Inviting(invitation))
        else:
            self.page("invitation-gone.html", status=410)

    async def head(self, token: str) -> None:
        await self.get(token)

    async def post(self, token: str) -> None:
        invitation = await self._invitation(token)
        if invitation is None:
            self.page("invitation-gone.html", status=410)
            return

        async def make(tx: Tx, person: Person, password_hash: str) -> int:
            return await accounts.register(tx, person, password_hash, invitation=invitation.id)

        await self.make_account(make, invitation=Inviting(invitation))

    async def _invitation(self, token: str) -> Invitation | None:
        async with self.services.db.read() as db:
            await self.about_workspace(db)
            return await invitations.behind_link(db, self.services.signer, token)


class Register(AccountForm):
    """Where the owner lets anybody in."""

    async def get(self) -> None:
        if await self.load_session():
            self.go_to("/")
            return
        await self._require_open()
        self.form(invitation=None)

    async def head(self) -> None:
        await self.get()

    async def post(self) -> None:
        await self._require_open()

        async def make(tx: Tx, person: Person, password_hash: str) -> int:
            return await accounts.register(tx, person, password_hash, invitation=None)

        await self.make_account(make, invitation=None)

    async def _require_open(self) -> None:
        async with self.services.db.read() as db:
            about = await self.about_workspace(db)
        if not about.open_registration:
            raise Forbidden(accounts.BY_INVITATION)


class Start(AccountForm):
    """The first start: names the workspace and makes its owner. Only whoever started the server has the link."""

    template = "first-run.html"

    async def get(self, token: str) -> None:
        if await self._may_start(token):
            self.form()

    async def head(self, token: str) -> None:
        await self.get(token)

    async def post(self, token: str) -> None:
        if not await self._may_start(token):
            return

        async def make(tx: Tx, person: Person, password_hash: str) -> int:
            name = names.workspace_name(self.typed("workspace"))
            return await accounts.first_start(tx, person, password_hash, workspace_name=name)

        await self.make_account(make)

    def checked(self, application: Application) -> Person:
        """The workspace's name first: it stands on top of the form."""
        errors: dict[str, str] = {}
        try:
            names.workspace_name(self.typed("workspace"))
        except Invalid as problem:
            errors["workspace"] = problem.text
        try:
            person = accounts.checked(application, workspace=self.typed("workspace"), for_owner=True)
        except Unfit as problem:
            raise Unfit(errors | problem.errors) from None
        if errors:
            raise Unfit(errors)
        return person

    async def _may_start(self, token: str) -> bool:
        """Whether the form may be shown; answers with another page where not."""
        async with self.services.db.read() as db:
            await self.about_workspace(db)
            has_owner = await users.any_exist(db)
            epoch = await workspace.epoch(db)
        if has_owner:
            if await self.load_session():
                self.go_to("/")
            else:
                self.page("error.html", status=410, title="This link has done its work", text=accounts.HAS_OWNER)
            return False
        if not self.services.signer.is_start_token(token, epoch):
            self.page("first-run-link.html", status=NotFound.status)
            return False
        return True


def routes(services: Services, templates: Templates) -> list[URLSpec]:
    page = {"services": services, "templates": templates}
    return [
        URLSpec("/join/([^/]{1,200})", Join, page),
        URLSpec("/register", Register, page),
        URLSpec("/start/([^/]{1,200})", Start, page),
    ]

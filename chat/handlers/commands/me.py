"""Commands about oneself: profile, e-mail, password."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chat.actions import accounts
from chat.errors import Invalid
from chat.handlers.commands.presenting import with_presence
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.throttle import own_key, throttled
from chat.models import workspace
from chat.models.users import Account, User
from chat.models.workspace import Workspace

registry = Registry()

Text = Annotated[str, Meta(max_length=1100)]


class MeReply(msgspec.Struct):
    user: User
    email: str
    workspace: Workspace


class ProfileReply(msgspec.Struct):
    user: User
    email: str


@registry.add("me.get", Given, "GET /me")
async def me_get(ask: Ask, given: Given) -> MeReply:
    account = await accounts.mine(ask.services.db, ask.actor)
    async with ask.services.db.read() as db:
        about = await workspace.get(db)
    return MeReply(shown(ask, account), account.email, about)


class Update(Given):
    name: Text | None = None
    username: Text | None = None
    email: Text | None = None
    password: Text | None = None


@registry.add("me.update", Update, "PATCH /me", cost=10)
async def me_update(ask: Ask, given: Update) -> ProfileReply:
    confirmation = None
    if given.email is not None and given.password is not None:
        confirmation = await confirmed(ask, given.password, field="password")
    async with ask.services.db.transaction() as tx:
        account = await accounts.update(
            tx,
            ask.actor,
            name=given.name,
            username=given.username,
            email=given.email,
            confirmation=confirmation,
        )
    return ProfileReply(shown(ask, account), account.email)


class Password(Given):
    current: Text
    new: Text


@registry.add("me.password", Password, "POST /me/password", cost=20)
async def me_password(ask: Ask, given: Password) -> None:
    account = await confirmed(ask, given.current, field="current")
    async with ask.services.db.read() as db:
        about = await workspace.get(db)
    accounts.fit_password(given.new, account.username, account.email, account.name, about.name, field="new")
    password_hash = await ask.services.passwords.hash(given.new)
    async with ask.services.db.transaction() as tx:
        await accounts.change_password(tx, ask.actor, password_hash, confirmation=account)


async def confirmed(ask: Ask, password: str, *, field: str) -> Account:
    """The actor's account after their password was right; a stolen session gets no more tries than a stranger."""
    services = ask.services
    with throttled(services.limits, own_key(ask.actor.user), ask.address, wrong=Invalid):
        return await accounts.confirmed(services.db, services.passwords, ask.actor, password, field=field)


def shown(ask: Ask, account: Account) -> User:
    user = User(account.id, account.username, account.name, account.role)
    with_presence(ask.services, user)
    return user

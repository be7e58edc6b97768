"""Commands about the people of the workspace."""

import msgspec

from chat.actions import access, users
from chat.actions.texts import search_text
from chat.handlers.commands.presenting import with_presence
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.commands.rooms import AfterId, Id, Query
from chat.models.users import Role, User

registry = Registry()


class UserReply(msgspec.Struct):
    user: User


class UsersReply(msgspec.Struct):
    users: list[User]
    more: bool


class UserGiven(Given):
    user: Id


class ListUsers(Given):
    query: Query = ""
    after: AfterId = 0


@registry.add("user.list", ListUsers, "GET /users", cost=2)
async def user_list(ask: Ask, given: ListUsers) -> UsersReply:
    async with ask.services.db.read() as db:
        found, more = await users.page(db, ask.actor, query=search_text(given.query), after=given.after)
    with_presence(ask.services, *found)
    return UsersReply(found, more)


@registry.add("user.get", UserGiven, "GET /users/{user}")
async def user_get(ask: Ask, given: UserGiven) -> UserReply:
    async with ask.services.db.read() as db:
        found = await access.visible_user(db, ask.actor, given.user)
    with_presence(ask.services, found)
    return UserReply(found)


class Update(UserGiven):
    role: Role


@registry.add("user.update", Update, "PATCH /users/{user}", cost=5)
async def user_update(ask: Ask, given: Update) -> UserReply:
    async with ask.services.db.transaction() as tx:
        found = await users.change_role(tx, ask.actor, given.user, given.role)
    with_presence(ask.services, found)
    return UserReply(found)


class Deactivate(UserGiven):
    deactivated: bool


@registry.add("user.deactivate", Deactivate, "POST /users/{user}/deactivate", cost=5)
async def user_deactivate(ask: Ask, given: Deactivate) -> UserReply:
    change = users.deactivate if given.deactivated else users.reactivate
    async with ask.services.db.transaction() as tx:
        found = await change(tx, ask.actor, given.user)
    with_presence(ask.services, found)
    return UserReply(found)

"""`roomful user add | password | role | list`: accounts, for whoever runs the server; it may run meanwhile."""

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args

from chat.actions import accounts, names, sessions
from chat.actions import users as user_actions
from chat.cli.outcomes import DONE, Refused
from chat.config import Settings
from chat.lib.database import placed, prepared
from chat.lib.db import Database
from chat.lib.passwords import Passwords
from chat.models import users, workspace
from chat.models.users import PAGE, Account, Role, User

ROLES: tuple[Role, ...] = get_args(Role)


def add_user(commands: Any) -> None:
    group = commands.add_parser(
        "user",
        help="add and list accounts, set passwords and roles",
        description="Add and list accounts, set passwords and roles. The server may run meanwhile.",
    )
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)

    adding = actions.add_parser(
        "add",
        help="make an account",
        description="Make an account. The first one is the owner's, and makes the room general.",
    )
    adding.add_argument("username", metavar="USERNAME", help="3 to 20 letters, digits, dots, dashes, underscores")
    adding.add_argument("--email", required=True, help="e-mail address, which signs in as well")
    adding.add_argument("--name", help="name that others see; the username where it is not given")
    adding.add_argument("--role", choices=ROLES, help="member where it is not given")
    ask_for_password(adding)
    adding.set_defaults(run=add)

    changing = actions.add_parser(
        "password",
        help="set a password",
        description="Set somebody's password. They are signed out everywhere.",
    )
    changing.add_argument("login", metavar="LOGIN", help="username or e-mail address")
    ask_for_password(changing)
    changing.set_defaults(run=set_password)

    promoting = actions.add_parser("role", help="set a role", description="Set somebody's role.")
    promoting.add_argument("login", metavar="LOGIN", help="username or e-mail address")
    promoting.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    promoting.set_defaults(run=set_role)

    listing = actions.add_parser("list", help="list the accounts", description="List the active accounts.")
    listing.add_argument("--json", action="store_true", help="as a JSON list, for programs")
    listing.set_defaults(run=show)


def ask_for_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line of stdin, do not ask"
    )


def add(settings: Settings, arguments: argparse.Namespace) -> int:
    # What can be found wrong is found before anybody types a password twice.
    names.username(arguments.username, for_owner=True)
    names.email(arguments.email)
    names.display_name(arguments.name or arguments.username)
    application = accounts.Application(
        username=arguments.username,
        email=arguments.email,
        name=arguments.name or arguments.username,
        password=new_password(from_stdin=arguments.password_stdin),
    )
    username, role = asyncio.run(make_account(settings, application, arguments.role))
    print(f"Made the account {username} ({role}).")
    return DONE


async def make_account(settings: Settings, application: accounts.Application, role: Role | None) -> tuple[str, Role]:
    async with opened(settings) as db:
        async with db.read() as connection:
            about = await workspace.get(connection)
            is_first = not await users.any_exist(connection)
        if is_first and role not in (None, "owner"):
            raise Refused("The first account is the owner's: leave --role out.")
        person = accounts.checked(application, workspace=about.name, for_owner=True)
        password_hash = await hashed(settings, application.password)
        async with db.transaction() as tx:
            if is_first:
                await accounts.first_start(tx, person, password_hash, workspace_name=about.name)
                return person.username, "owner"
            account = await accounts.add(tx, person, password_hash, role or "member")
            return account.username, account.role


def set_password(settings: Settings, arguments: argparse.Namespace) -> int:
    username = asyncio.run(username_of(settings, arguments.login))
    password = new_password(from_stdin=arguments.password_stdin)
    asyncio.run(change_password(settings, username, password))
    print(f"The password of {username} was changed; they are signed out everywhere.")
    return DONE


async def username_of(settings: Settings, login: str) -> str:
    async with opened(settings) as db:
        return (await found(db, login)).username


async def change_password(settings: Settings, login: str, password: str) -> None:
    async with opened(settings) as db:
        account = await found(db, login)
        accounts.fit_password(password, account.username, account.email, account.name)
        password_hash = await hashed(settings, password)
        async with db.transaction() as tx:
            await accounts.set_password(tx, account.id, password_hash)


def set_role(settings: Settings, arguments: argparse.Namespace) -> int:
    user = asyncio.run(change_role(settings, arguments.login, arguments.role))
    print(f"{user.username} is {user.role} now.")
    return DONE


async def change_role(settings: Settings, login: str, role: Role) -> User:
    async with opened(settings) as db:
        account = await found(db, login)
        async with db.transaction() as tx:
            return await user_actions.set_role(tx, account.id, role)


def show(settings: Settings, arguments: argparse.Namespace) -> int:
    everybody = asyncio.run(all_users(settings))
    if arguments.json:
        shown = ("id", "username", "name", "role")
        rows = [
            {name: getattr(user, name) for name in shown}
            | {"last_seen": user.last_seen.isoformat() if user.last_seen else None}
            for user in everybody
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return DONE
    width = max((len(user.username) for user in everybody), default=0)
    for user in everybody:
        seen = f"{user.last_seen:%Y-%m-%d %H:%M}" if user.last_seen else "never"
        print(f"{user.username:<{width}}  {user.role:<6}  {seen:<16}  {user.name}")
    return DONE


async def all_users(settings: Settings) -> list[User]:
    """Active ones, by id."""
    async with opened(settings) as db, db.read() as connection:
        everybody: list[User] = []
        while len(page := await users.page(connection, after=everybody[-1].id if everybody else 0)) > PAGE:
            everybody += page[:PAGE]
        return everybody + page


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, with the schema that this code needs; the embedded server is started or joined."""
    async with prepared(placed(settings)[0]) as (url, _):
        db = Database(url, pool_size=1)
        try:
            yield db
        finally:
            await db.close()


async def found(db: Database, login: str) -> Account:
    async with db.read() as connection:
        account = await sessions.account_of_login(connection, login)
    if account is None:
        raise Refused(f"There is no account {login}.")
    return account


async def hashed(settings: Settings, password: str) -> str:
    passwords = Passwords(settings.bcrypt_cost, threads=1)
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()


def new_password(*, from_stdin: bool) -> str:
    """Asked for twice at a terminal, where nobody can see it; a script says --password-stdin."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Refused("There is no terminal to ask for the password at. Give it with --password-stdin.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise Refused("The two passwords differ. Nothing was changed.")
    return password

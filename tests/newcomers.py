"""People who are not there yet: the first owner, and those who come by an invitation."""

from chat.models import users
from tests.conftest import World
from tests.people import PASSWORD, Person
from tests.visitor import Visitor

OWNER = {
    "workspace": "Analytical Engines",
    "name": "Ada Lovelace",
    "username": "ada",
    "email": "ada@example.org",
    "password": PASSWORD,
}
BOB = {"name": "Bob", "username": "bob", "email": "bob@example.org", "password": PASSWORD}


async def start_path(world: World) -> str:
    link = await world.server.start_link()
    assert link is not None
    return link.removeprefix(world.base)


async def person_of(visitor: Visitor) -> Person:
    person = Person(visitor.base, "", "", cookie=f"session={visitor.cookies['session']}")
    about = await person.api("GET", "/me")
    person.id, person.username = about["user"]["id"], about["user"]["username"]
    return person


async def owner_of(world: World) -> Person:
    visitor = Visitor(world.base)
    assert (await visitor.submit(await start_path(world), **OWNER)).code == 303
    return await person_of(visitor)


async def path_of_invitation(person: Person, **fields: object) -> str:
    invitation = (await person.api("POST", "/invitations", fields))["invitation"]
    link: str = invitation["link"]
    assert link.startswith(person.base)
    return link.removeprefix(person.base)


async def count_users(world: World) -> int:
    async with world.server.db.read() as db:
        return await users.count(db)

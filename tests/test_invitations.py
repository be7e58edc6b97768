"""Invitations: who may make them, whom they let in, and how often."""

import asyncio
import json
from pathlib import Path

from sqlalchemy import text

from tests.conftest import World
from tests.newcomers import BOB, count_users, owner_of, path_of_invitation, person_of
from tests.visitor import Visitor, serving, text_of


async def test_a_newcomer_by_invitation_arrives_in_the_first_room(world: World) -> None:
    ada = await owner_of(world)
    path = await path_of_invitation(ada)
    visitor = Visitor(world.base)
    page = await visitor.get(path)
    assert "Ada Lovelace invited you" in text_of(page)
    assert "in 6 days" in text_of(page)
    async with ada.socket() as at_ada:
        assert (await visitor.submit(path, **BOB)).code == 303
        joined = await at_ada.event("message.posted")
        assert (joined["message"]["kind"], joined["message"]["sender"]["username"]) == ("joined", "bob")
        about = await at_ada.event("user.changed")
        assert about["user"]["username"] == "bob"
    bob = await person_of(visitor)
    (room,) = (await bob.api("GET", "/rooms"))["rooms"]
    assert room["name"] == "general"
    (invitation,) = (await ada.api("GET", "/invitations"))["invitations"]
    assert invitation["uses"] == 1
    assert "max_uses" not in invitation
    assert invitation["link"].endswith(path)


async def test_a_guest_arrives_nowhere_and_sees_nobody(world: World) -> None:
    ada = await owner_of(world)
    visitor = Visitor(world.base)
    await visitor.submit(await path_of_invitation(ada, role="guest"), **BOB)
    bob = await person_of(visitor)
    assert (await bob.api("GET", "/rooms"))["rooms"] == []
    assert [user["username"] for user in (await bob.api("GET", "/users"))["users"]] == ["bob"]
    assert (await bob.http("GET", f"/users/{ada.id}")).code == 404
    assert (await bob.http("POST", "/invitations", {})).code == 403
    assert (await bob.http("GET", "/invitations")).code == 403


async def test_an_invitation_for_one_is_used_once_however_many_try_at_once(world: World) -> None:
    ada = await owner_of(world)
    path = await path_of_invitation(ada, max_uses=1)
    visitors = [Visitor(world.base) for _ in range(6)]
    for visitor in visitors:
        await visitor.get(path)
    answers = await asyncio.gather(
        *(
            visitor.send(
                path, **BOB | {"username": f"bob{n}x", "email": f"b{n}@x.org", "_xsrf": visitor.cookies["xsrf"]}
            )
            for n, visitor in enumerate(visitors)
        )
    )
    assert sorted(answer.code for answer in answers) == [303] + [410] * 5
    assert await count_users(world) == 2
    assert (await Visitor(world.base).get(path)).code == 410


async def test_a_refused_form_does_not_use_up_the_invitation(world: World) -> None:
    ada = await owner_of(world)
    path = await path_of_invitation(ada, max_uses=1)
    visitor = Visitor(world.base)
    taken = await visitor.submit(path, **BOB | {"username": "ADA"})
    assert taken.code == 409
    assert "is taken" in text_of(taken)
    known = await visitor.submit(path, **BOB | {"email": "ADA@example.org"})
    assert known.code == 409
    assert (await visitor.submit(path, **BOB)).code == 303


async def test_an_ended_invitation_lets_nobody_in(world: World) -> None:
    ada = await owner_of(world)
    expired, revoked = await path_of_invitation(ada), await path_of_invitation(ada)
    async with world.server.db.transaction() as tx:
        await tx.db.execute(text("UPDATE invitations SET expires_at = now() WHERE id = 1"))
    await ada.api("DELETE", "/invitations/2")
    assert (await ada.http("DELETE", "/invitations/2")).code == 409
    visitor = Visitor(world.base)
    await visitor.get("/sign-in")
    for path in (expired, revoked):
        assert (await visitor.get(path)).code == 410
        assert (await visitor.send(path, **BOB, _xsrf=visitor.cookies["xsrf"])).code == 410
    assert await count_users(world) == 1


async def test_invitations_cannot_be_made_up(world: World) -> None:
    ada = await owner_of(world)
    path = await path_of_invitation(ada)
    await path_of_invitation(ada)
    token = path.rpartition("/")[2]
    visitor = Visitor(world.base)
    forged = ["1", "1-1.x", token[:-1], token.replace("1-", "2-", 1), "%00", ada.cookie.partition("=")[2], "a" * 200]
    for each in forged:
        assert (await visitor.get(f"/join/{each}")).code == 410
    async with world.server.db.transaction() as tx:  # as after a restore: the id is another invitation's now
        await tx.db.execute(text("UPDATE invitations SET created_at = created_at - interval '1 day' WHERE id = 1"))
    assert (await visitor.get(path)).code == 410


async def test_fields_that_the_form_does_not_have_are_ignored(world: World) -> None:
    ada = await owner_of(world)
    visitor = Visitor(world.base)
    await visitor.submit(await path_of_invitation(ada), **BOB, role="owner", id="1", rooms="1")
    assert (await (await person_of(visitor)).api("GET", "/me"))["user"]["role"] == "member"


async def test_members_invite_and_see_their_own_invitations_only(world: World) -> None:
    ada, bob = await world.person("ada", "admin"), await world.person("bob")
    await path_of_invitation(ada)
    await path_of_invitation(bob)
    assert [each["id"] for each in (await bob.api("GET", "/invitations"))["invitations"]] == [2]
    assert [each["id"] for each in (await ada.api("GET", "/invitations"))["invitations"]] == [2, 1]
    assert (await bob.http("DELETE", "/invitations/1")).code == 404
    await ada.api("DELETE", "/invitations/2")
    (ended,) = (await bob.api("GET", "/invitations"))["invitations"]
    assert ended["revoked_at"]
    assert (await bob.http("POST", "/invitations", {"role": "owner"})).code == 422
    assert (await bob.http("POST", "/invitations", {"days": 0})).code == 422


async def test_links_lead_to_the_public_address(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, PUBLIC_URL="https://chat.example.org") as world:
        ada = await world.person("ada", "owner")
        made = await ada.http("POST", "/invitations", {}, headers={"Origin": "https://chat.example.org"})
        assert json.loads(made.body)["invitation"]["link"].startswith("https://chat.example.org/join/")

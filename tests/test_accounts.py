"""Accounts: the first owner, registering, and what people and admins change."""

import asyncio
import json

import pytest

from chat.models import users
from tests.conftest import World
from tests.newcomers import BOB, OWNER, count_users, owner_of, person_of, start_path
from tests.people import PASSWORD
from tests.visitor import Visitor, text_of


async def test_the_first_start_makes_the_owner_and_the_first_room(world: World) -> None:
    stranger = Visitor(world.base)
    assert (await stranger.get("/")).headers["Location"] == "/sign-in"
    assert "no owner yet" in text_of(await stranger.get("/sign-in"))
    path = await start_path(world)
    assert (await stranger.get("/start/guessed")).code == 404

    visitor = Visitor(world.base)
    done = await visitor.submit(path, **OWNER)
    assert (done.code, done.headers["Location"]) == (303, "/")
    ada = await person_of(visitor)
    about = await ada.api("GET", "/me")
    assert about["user"]["role"] == "owner"
    assert about["workspace"] == {"name": "Analytical Engines", "open_registration": False}
    (room,) = (await ada.api("GET", "/rooms"))["rooms"]
    assert (room["name"], room["kind"], room["member"], room["seq"]) == ("general", "public", True, 1)

    assert await world.server.start_link() is None
    assert (await stranger.get(path)).code == 410
    assert "Analytical Engines" in text_of(await stranger.get("/sign-in"))
    assert (await visitor.get(path)).code == 303


async def test_twenty_first_starts_at_once_make_one_owner(world: World) -> None:
    path = await start_path(world)
    visitors = [Visitor(world.base) for _ in range(20)]
    for visitor in visitors:
        await visitor.get(path)
    answers = await asyncio.gather(
        *(
            visitor.send(
                path,
                **OWNER | {"username": f"owner{n}x", "email": f"o{n}@example.org", "_xsrf": visitor.cookies["xsrf"]},
            )
            for n, visitor in enumerate(visitors)
        )
    )
    codes = sorted(answer.code for answer in answers)
    assert codes == [303] + [410] * 19
    assert await count_users(world) == 1


async def test_a_refused_first_start_names_every_field_and_keeps_what_was_typed(world: World) -> None:
    visitor = Visitor(world.base)
    refused = await visitor.submit(
        await start_path(world), workspace=" ", name="Ada", username="a", email="nobody", password="password1"
    )
    assert refused.code == 422
    page = text_of(refused)
    for said in ("Please give the workspace a name", "3 to 20 characters", "no e-mail address", "tried first"):
        assert said in page
    assert b'value="Ada"' in refused.body
    assert b"password1" not in refused.body
    assert await count_users(world) == 0


@pytest.mark.parametrize(
    "password", ["short", "password1", "roomful1", "ada.lovelace", "Analytical Engines!", "nul\0nul\0nul"]
)
async def test_the_form_refuses_weak_passwords(world: World, password: str) -> None:
    refused = await Visitor(world.base).submit(
        await start_path(world), **OWNER | {"username": "ada.lovelace", "password": password}
    )
    assert refused.code == 422
    assert await count_users(world) == 0


async def test_a_password_of_a_hundred_characters_works_to_its_last(world: World) -> None:
    visitor = Visitor(world.base)
    password = " spaces, \U0001f40b and " + "é" * 83
    assert (await visitor.submit(await start_path(world), **OWNER | {"password": password})).code == 303
    again = Visitor(world.base)
    assert (await again.sign_in("ada", password[:-1] + "e")).code == 401
    assert (await again.sign_in("ada", password.strip())).code == 401
    assert (await again.sign_in("ada", password)).code == 303


async def test_anybody_registers_only_where_the_owner_lets_them(world: World) -> None:
    ada = await owner_of(world)
    admin = await world.person("grace", "admin")
    visitor = Visitor(world.base)
    closed = await visitor.get("/register")
    assert closed.code == 403
    assert "by invitation" in text_of(closed)
    await visitor.get("/sign-in")
    assert (await visitor.send("/register", **BOB, _xsrf=visitor.cookies["xsrf"])).code == 403
    assert (await admin.http("PATCH", "/workspace", {"open_registration": True})).code == 403
    async with admin.socket() as socket:
        await ada.api("PATCH", "/workspace", {"open_registration": True})
        told = await socket.event("workspace.changed")
        assert told["workspace"] == {"name": "Analytical Engines", "open_registration": True}
    assert b'href="/register"' in (await visitor.get("/sign-in")).body
    assert (await visitor.submit("/register", **BOB)).code == 303
    assert (await visitor.get("/register")).code == 303, "signed in already"


async def test_admins_rename_the_workspace_and_members_do_not(world: World) -> None:
    admin, bob = await world.person("grace", "admin"), await world.person("bob")
    assert (await bob.http("PATCH", "/workspace", {"name": "Bob's"})).code == 403
    renamed = await admin.api("PATCH", "/workspace", {"name": "  Compilers \u202e"})
    assert renamed["workspace"]["name"] == "Compilers"
    assert (await admin.http("PATCH", "/workspace", {"name": ""})).code == 422


async def test_a_new_name_is_told_and_used_from_then_on(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        changed = await at_ada.do("me.update", name="Countess", username="Countess_1")
        assert (changed["user"]["name"], changed["user"]["username"]) == ("Countess", "Countess_1")
        assert (await at_bob.event("user.changed"))["user"]["name"] == "Countess"
        await at_ada.post(room, "hello")
        heard = await at_bob.event("message.posted", room=room)
        assert heard["message"]["sender"] == {"id": ada.id, "username": "Countess_1", "name": "Countess"}
    assert (await bob.http("PATCH", "/me", {"username": "countess_l"})).code == 409


async def test_a_new_address_needs_the_password(world: World) -> None:
    ada, _ = await world.person("ada"), await world.person("bob")
    refused = await ada.http("PATCH", "/me", {"email": "new@example.org"})
    assert (refused.code, json.loads(refused.body)["error"]["field"]) == (403, "password")
    wrong = await ada.http("PATCH", "/me", {"email": "new@example.org", "password": "wrong"})
    assert (wrong.code, json.loads(wrong.body)["error"]["field"]) == (422, "password")
    taken = await ada.http("PATCH", "/me", {"email": "BOB@example.org", "password": PASSWORD})
    assert taken.code == 409
    assert (await ada.api("GET", "/me"))["email"] == "ada@example.org"
    changed = await ada.api("PATCH", "/me", {"email": "New@Example.org", "password": PASSWORD})
    assert changed["email"] == "new@example.org"


async def test_a_new_password_needs_the_old_one_and_is_judged_as_a_first_one(world: World) -> None:
    ada = await world.person("ada")
    for current, new, field in (
        ("wrong", "a new one, never seen", "current"),
        (PASSWORD, "password1", "new"),
        (PASSWORD, "short", "new"),
        (PASSWORD, "nul \0 nul nul", "new"),
    ):
        refused = await ada.http("POST", "/me/password", {"current": current, "new": new})
        assert (refused.code, json.loads(refused.body)["error"]["field"]) == (422, field)
    await ada.api("POST", "/me/password", {"current": PASSWORD, "new": "a new one, never seen"})
    await ada.sign_in("a new one, never seen")


async def test_a_stolen_session_does_not_guess_the_password_for_ever(world: World) -> None:
    ada = await world.person("ada")
    codes = [
        (await ada.http("POST", "/me/password", {"current": f"guess {n}", "new": "a new one, never seen"})).code
        for n in range(12)
    ]
    assert codes == [422] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("actor", "of", "to", "code"),
    [
        ("owner", "member", "admin", 200),
        ("owner", "admin", "owner", 200),
        ("owner", "guest", "member", 200),
        ("admin", "guest", "member", 200),
        ("admin", "member", "guest", 200),
        ("admin", "member", "admin", 403),
        ("admin", "owner", "member", 403),
        ("admin", "admin", "member", 403),
        ("member", "guest", "member", 403),
        ("guest", "member", "guest", 403),
        ("owner", "member", "king", 422),
    ],
)
async def test_admins_order_members_and_owners_order_all(world: World, actor: str, of: str, to: str, code: int) -> None:
    by = await world.person("actor1", actor)
    other = await world.person("other1", of)
    assert (await by.http("PATCH", f"/users/{other.id}", {"role": to})).code == code
    assert (await by.http("PATCH", "/users/999", {"role": "member"})).code in (403, 404)


async def test_the_last_owner_stays_one_even_when_two_unmake_each_other(world: World) -> None:
    ada, bob = await world.person("ada", "owner"), await world.person("bob", "owner")
    answers = await asyncio.gather(
        ada.http("PATCH", f"/users/{bob.id}", {"role": "member"}),
        bob.http("PATCH", f"/users/{ada.id}", {"role": "member"}),
    )
    # The second waits for the first: by then it is the last owner, or its author no longer is one.
    assert sorted(answer.code for answer in answers)[0] == 200
    assert sorted(answer.code for answer in answers)[1] in (403, 409)
    async with world.server.db.read() as db:
        (last,) = await users.owners(db)
    alone = ada if last == ada.id else bob
    refused = await alone.http("PATCH", f"/users/{alone.id}", {"role": "member"})
    assert refused.code == 409


async def test_people_are_found_by_part_of_their_names(world: World) -> None:
    ada = await world.person("ada", name="Ada Lovelace")
    await world.person("grace", name="Grace Hopper")
    found = await ada.api("GET", "/users?query=love")
    assert [user["username"] for user in found["users"]] == ["ada"]
    assert found["more"] is False
    assert (await ada.api("GET", "/users?query=%25"))["users"] == []
    assert [user["username"] for user in (await ada.api("GET", f"/users?after={ada.id}"))["users"]] == ["grace"]
    assert (await ada.api("GET", f"/users/{ada.id}"))["user"]["presence"] == "offline"
    async with ada.socket():
        assert (await ada.api("GET", f"/users/{ada.id}"))["user"]["presence"] == "online"


async def test_an_admin_closes_an_account_and_opens_it_again(world: World) -> None:
    ada, bob = await world.person("ada", "admin"), await world.person("bob")
    async with bob.socket() as socket:
        closed = await ada.api("POST", f"/users/{bob.id}/deactivate", {"deactivated": True})
        assert closed["user"]["deactivated"] is True
        assert await socket.closed(seconds=1) == 4401
    assert (await bob.http("GET", "/me")).code == 401
    assert (await bob.http("POST", "/session", {"login": "bob", "password": PASSWORD})).code == 401
    assert "deactivated" not in (await ada.api("POST", f"/users/{bob.id}/deactivate", {"deactivated": False}))["user"]
    await bob.sign_in()

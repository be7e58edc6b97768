"""Sessions: cookies that cannot be made up, and ends that every open socket learns of at once."""

import base64
import hashlib
import json
import random
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from chat.actions import users
from chat.actions.sessions import device_name
from chat.jobs.housekeeping import expire_sessions, keep_sessions
from chat.lib.signing import Signer
from tests.conftest import World
from tests.people import PASSWORD, Person
from tests.visitor import Visitor, serving

KEY = "for-tests-only-0123456789-abcdefghijklm"
NEW_KEY = "the-newest-key-9876543210-zyxwvutsrqponm"


async def me(person: Person, cookie: str | None = None) -> int:
    return (await person.http("GET", "/me", headers={} if cookie is None else {"Cookie": cookie})).code


async def token_hash(world: World) -> bytes:
    async with world.server.db.read() as db:
        found: bytes = (await db.execute(text("SELECT token_hash FROM sessions"))).scalar_one()
    return found


async def age(world: World, column: str, days: int) -> None:
    async with world.server.db.transaction() as tx:
        await tx.db.execute(text(f"UPDATE sessions SET {column} = now() - make_interval(days => {days})"))


async def test_two_sign_ins_have_different_cookies_and_the_first_ends_with_the_second(world: World) -> None:
    ada = await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    await visitor.sign_in("ada", PASSWORD)
    first = visitor.cookies["session"]
    second = await ada.http(
        "POST", "/session", {"login": "ada", "password": PASSWORD}, headers={"Cookie": f"session={first}"}
    )
    cookie = second.headers["Set-Cookie"].partition(";")[0]
    assert cookie != f"session={first}"
    assert await me(ada, f"session={first}") == 401
    assert await me(ada, cookie) == 200


async def test_a_cookie_from_before_the_sign_in_is_never_taken_over(world: World) -> None:
    await world.person("ada", sign_in=False)
    chosen = Signer((KEY,)).session_cookie("a token that somebody else knows")
    visitor = Visitor(world.base, {"session": chosen})
    await visitor.sign_in("ada", PASSWORD)
    assert visitor.cookies["session"] != chosen
    assert (await Visitor(world.base, {"session": chosen}).get("/api/v1/me")).code == 401


async def test_cookies_that_we_did_not_make_are_refused_and_break_nothing(world: World) -> None:
    ada = await world.person("ada")
    name, _, good = ada.cookie.partition("=")
    rng = random.Random(7)
    values = [good[:length] for length in range(0, len(good), 6)]
    for _ in range(30):
        place = rng.randrange(len(good))
        values.append(good[:place] + rng.choice("abcXYZ019-_.~") + good[place + 1 :])
    values += ["x" * 4096, good * 40, good + ".", "." + good, "a.b.c", "%00", "\\x00", "é", '"', "=;=", good.upper()]
    codes = [await me(ada, f"{name}={value}") for value in values if value != good]
    assert set(codes) == {401}
    assert len(codes) >= 50
    assert await me(ada) == 200


async def test_what_the_database_keeps_of_a_session_opens_nothing(world: World) -> None:
    ada = await world.person("ada")
    kept = await token_hash(world)
    signer = Signer((KEY,))
    for form in (kept.hex(), base64.urlsafe_b64encode(kept).decode().rstrip("=")):
        assert await me(ada, f"session={form}") == 401
        assert await me(ada, f"session={signer.session_cookie(form)}") == 401
    token = signer.session_token(ada.cookie.removeprefix("session="))
    assert token is not None
    assert hashlib.sha256(token.encode()).digest() == kept
    assert len(base64.urlsafe_b64decode(token + "=")) == 32


async def test_an_older_key_still_opens_what_it_signed_until_it_is_dropped(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, SECRET_KEY=KEY) as world:
        ada = await world.person("ada")
    async with serving(database_url, tmp_path, SECRET_KEY=f"{NEW_KEY} {KEY}") as world:
        ada.base = world.base
        assert await me(ada) == 200
    async with serving(database_url, tmp_path, SECRET_KEY=NEW_KEY) as world:
        ada.base = world.base
        assert await me(ada) == 401


async def test_a_session_ends_fourteen_days_after_its_last_use(world: World) -> None:
    ada = await world.person("ada")
    await age(world, "created_at", 100)
    await age(world, "last_seen_at", 13)
    used = await ada.http("GET", "/me")
    assert used.code == 200
    assert "Max-Age=1209600" in used.headers["Set-Cookie"]
    assert used.headers["Set-Cookie"].startswith(ada.cookie)
    again = await ada.http("GET", "/me")
    assert "Set-Cookie" not in again.headers, "used a moment ago"
    await age(world, "last_seen_at", 15)
    assert await me(ada) == 401


async def test_an_open_socket_keeps_its_session_and_renews_its_cookie(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    days = world.server.settings.session_days
    await age(world, "last_seen_at", 13)
    async with ada.socket() as socket:
        assert socket.link.response is not None
        assert socket.link.response.headers["Set-Cookie"].startswith(ada.cookie)
        await age(world, "last_seen_at", 13)
        await keep_sessions(world.server.db, world.server.hub, days=days).run()
        await let_pass(world, 2)
        assert await me(ada) == 200
        assert await me(bob) == 401, "nothing of his was open"
        await age(world, "last_seen_at", 15)
        await keep_sessions(world.server.db, world.server.hub, days=days).run()
        assert await me(ada) == 401, "what has ended stays so"
        await expire_sessions(world.server.db, days=days).run()
        assert await socket.closed(1) == 4401


async def let_pass(world: World, days: int) -> None:
    """As if so many days more had gone by."""
    async with world.server.db.transaction() as tx:
        await tx.db.execute(text(f"UPDATE sessions SET last_seen_at = last_seen_at - make_interval(days => {days})"))


async def test_signing_out_closes_the_other_tabs_of_that_browser_and_no_others(world: World) -> None:
    ada = await world.person("ada")
    elsewhere = Person(world.base, "ada", "Ada")
    await elsewhere.sign_in()
    async with ada.socket() as here, ada.socket() as other_tab, elsewhere.socket() as there:
        started = time.monotonic()
        response = await ada.http("DELETE", "/session")
        assert response.code == 200
        assert await here.closed() == 4401
        assert await other_tab.closed() == 4401
        assert time.monotonic() - started < 1
        assert (await there.do("ping"))["ok"]
    assert '"storage"' in response.headers["Clear-Site-Data"]
    assert response.headers["Set-Cookie"].startswith('session=""')
    assert await me(ada) == 401
    assert await me(elsewhere) == 200


async def test_signing_out_everywhere_closes_everything(world: World) -> None:
    ada = await world.person("ada")
    elsewhere = Person(world.base, "ada", "Ada")
    await elsewhere.sign_in()
    async with ada.socket() as here, elsewhere.socket() as there:
        assert (await ada.http("DELETE", "/session", {"everywhere": True})).code == 200
        assert await here.closed(1) == 4401
        assert await there.closed(1) == 4401
    assert await me(elsewhere) == 401


async def test_a_person_signs_out_without_javascript(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    await visitor.sign_in("ada", PASSWORD)
    cookies = dict(visitor.cookies)
    assert (await visitor.send("/sign-out")).code == 403, "a form without its token"
    done = await visitor.send("/sign-out", _xsrf=cookies["xsrf"])
    assert (done.code, done.headers["Location"]) == (303, "/sign-in?signed-out")
    assert "Clear-Site-Data" in done.headers
    assert "session" not in visitor.cookies
    assert b"You are signed out" in (await visitor.get("/sign-in?signed-out")).body
    assert (await Visitor(world.base, cookies).get("/")).code == 303


async def test_a_person_sees_their_devices_and_ends_one(world: World) -> None:
    ada, bob = await world.person("ada"), await world.person("bob")
    phone = Person(world.base, "ada", "Ada")
    await phone.sign_in()
    async with phone.socket() as on_phone:
        listed = (await ada.api("GET", "/sessions"))["sessions"]
        assert [each["current"] for each in listed].count(True) == 1
        assert {each["address"] for each in listed} == {"127.0.0.1"}
        (other,) = (each["id"] for each in listed if not each["current"])
        assert (await bob.http("DELETE", f"/sessions/{other}")).code == 404
        await ada.api("DELETE", f"/sessions/{other}")
        assert await on_phone.closed(1) == 4401
    assert await me(phone) == 401
    assert (await ada.http("DELETE", f"/sessions/{other}")).code == 404
    assert await me(ada) == 200


async def test_all_others_are_ended_at_once_by_socket(world: World) -> None:
    ada = await world.person("ada")
    others = [Person(world.base, "ada", "Ada") for _ in range(3)]
    for other in others:
        await other.sign_in()
    async with ada.socket() as here, others[0].socket() as there:
        assert (await here.do("session.revoke_others"))["revoked"] == 3
        assert await there.closed(1) == 4401
        assert len((await here.do("session.list"))["sessions"]) == 1
    assert [await me(other) for other in others] == [401, 401, 401]


async def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    ada = await world.person("ada")
    other = Person(world.base, "ada", "Ada")
    await other.sign_in()
    async with ada.socket() as here, other.socket() as there:
        await here.do("me.password", current=PASSWORD, new="a new one, never seen")
        assert await there.closed(1) == 4401
        assert (await here.do("ping"))["ok"]
    assert (await other.http("POST", "/session", {"login": "ada", "password": PASSWORD})).code == 401
    await other.sign_in("a new one, never seen")


async def test_a_deactivated_users_sockets_are_closed(world: World) -> None:
    owner, ada = await world.person("owen", "owner"), await world.person("ada")
    async with ada.socket() as socket, owner.socket() as watching:
        async with world.server.db.transaction() as tx:
            await users.deactivate(tx, await world.actor(owner), ada.id)
        assert await socket.closed(1) == 4401
        told = await watching.event("user.changed")
        assert told["user"]["deactivated"] is True
    assert await me(ada) == 401


async def test_a_changed_role_counts_at_once_on_open_sockets(world: World) -> None:
    owner, ada = await world.person("owen", "owner"), await world.person("ada")
    async with ada.socket() as socket:
        assert (await socket.refused("workspace.update", name="Mine"))["code"] == "forbidden"
        await owner.api("PATCH", f"/users/{ada.id}", {"role": "admin"})
        assert await socket.closed(1) == 1012, "come back"
    async with ada.socket() as socket:
        assert socket.hello["user"]["role"] == "admin"
        await socket.do("workspace.update", name="Ours")
        await owner.api("PATCH", f"/users/{ada.id}", {"role": "guest"})
        assert await socket.closed(1) == 1012
    async with ada.socket() as socket:
        assert (await socket.refused("workspace.update", name="Mine"))["code"] == "forbidden"


async def test_secrets_are_not_cached(world: World) -> None:
    ada = await world.person("ada")
    for path in ("/me", "/sessions", "/nothing"):
        assert (await ada.http("GET", path)).headers["Cache-Control"] == "no-store"
    visitor = Visitor(world.base)
    for path in ("/", "/sign-in", "/nowhere"):
        assert (await visitor.get(path)).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("Python-urllib/3.11", "Python"),
        ("", "Unknown device"),
    ],
)
def test_a_device_has_a_short_name(agent: str, name: str) -> None:
    assert device_name(agent) == name


async def test_a_user_agent_of_any_kind_is_stored(world: World) -> None:
    ada = await world.person("ada", sign_in=False)
    body = {"login": "ada", "password": PASSWORD}
    response = await ada.http("POST", "/session", body, headers={"User-Agent": "x" * 5000})
    assert response.code == 200
    ada.cookie = response.headers["Set-Cookie"].partition(";")[0]
    (session,) = json.loads((await ada.http("GET", "/sessions")).body)["sessions"]
    assert session["device"] == "Unknown device"

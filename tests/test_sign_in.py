"""Signing in: by name or e-mail, without telling who exists, slowed down for those who guess."""

import asyncio
import json
import statistics
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from chat.actions import users
from chat.lib.passwords import Passwords
from chat.models import users as models
from tests.conftest import World
from tests.people import PASSWORD, Person
from tests.visitor import Visitor, serving, text_of


def wrong(login: str = "ada", password: str = "not this one") -> bytes:
    return json.dumps({"login": login, "password": password}).encode()


async def attempt(visitor: Visitor, body: bytes, address: str | None = None) -> int:
    headers = {"Content-Type": "application/json", "Origin": visitor.base}
    return (await visitor.ask("POST", "/api/v1/session", body, headers, address)).code


@pytest.mark.parametrize("login", ["ada", "ADA", " ada ", "ada@example.org", "Ada@Example.org", "ａｄａ"])
async def test_people_sign_in_by_name_or_address_however_it_is_cased(world: World, login: str) -> None:
    ada = await world.person("ada", sign_in=False)
    response = await ada.http("POST", "/session", {"login": login, "password": PASSWORD})
    assert response.code == 200
    assert json.loads(response.body)["user"]["username"] == "ada"
    await ada.sign_in()
    assert (await ada.api("GET", "/me"))["email"] == "ada@example.org"


async def test_the_session_cookie_is_kept_from_scripts_and_other_sites(world: World) -> None:
    ada = await world.person("ada", sign_in=False)
    response = await ada.http("POST", "/session", {"login": "ada", "password": PASSWORD})
    (cookie,) = response.headers.get_list("Set-Cookie")
    parts = {part.strip() for part in cookie.split(";")[1:]}
    assert cookie.startswith("session=")
    assert parts == {"HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=Lax"}


async def test_under_https_the_cookies_never_travel_without_it(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, PUBLIC_URL="https://chat.example.org") as world:
        ada = await world.person("ada", sign_in=False)
        response = await ada.http(
            "POST",
            "/session",
            {"login": "ada", "password": PASSWORD},
            headers={"Origin": "https://chat.example.org", "Host": "chat.example.org"},
        )
        (cookie,) = response.headers.get_list("Set-Cookie")
        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert "domain" not in cookie.lower()
        page = await Visitor(world.base).get("/sign-in", Host="chat.example.org")
        (xsrf,) = page.headers.get_list("Set-Cookie")
        assert xsrf.startswith("__Host-xsrf=")
        assert "Secure" in xsrf
        assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_after_ten_wrong_passwords_one_must_wait_but_elsewhere_the_right_one_works(world: World) -> None:
    await world.person("ada", sign_in=False)
    guesser = Visitor(world.base)
    codes = [await attempt(guesser, wrong()) for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    assert guesser.last is not None
    wait = int(guesser.last.headers["Retry-After"])
    assert 0 < wait <= 90
    assert json.loads(guesser.last.body)["error"]["retry_after"] <= wait
    assert await attempt(guesser, wrong(password=PASSWORD)) == 429
    assert await attempt(Visitor(world.base), wrong(password=PASSWORD), "127.0.0.2") == 200


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(world: World) -> None:
    await world.person("ada", sign_in=False)
    codes = await asyncio.gather(*(attempt(Visitor(world.base), wrong()) for _ in range(25)))
    assert codes.count(401) == 10
    assert codes.count(429) == 15


async def test_spellings_of_a_name_share_their_tries(world: World) -> None:
    await world.person("ada", sign_in=False)
    guesser = Visitor(world.base)
    codes = [await attempt(guesser, wrong(login)) for login in ["ada", "Ada", "ADA", "ａｄａ"] * 3]
    assert codes == [401] * 10 + [429] * 2


async def test_right_passwords_cost_no_tries(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    assert {await attempt(visitor, wrong(password=PASSWORD)) for _ in range(15)} == {200}


async def test_one_address_cannot_try_everybodys_name(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, SIGN_IN_ATTEMPTS_PER_ADDRESS="5") as world:
        guesser = Visitor(world.base)
        codes = [await attempt(guesser, wrong(f"somebody{n}")) for n in range(7)]
        assert codes == [401] * 5 + [429] * 2
        assert await attempt(Visitor(world.base), wrong("somebody9"), "127.0.0.2") == 401


async def test_one_name_is_not_tried_from_everywhere(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, SIGN_IN_ATTEMPTS_PER_NAME="5") as world:
        codes = [await attempt(Visitor(world.base), wrong(), f"127.0.0.{n}") for n in range(2, 9)]
        assert codes == [401] * 5 + [429] * 2


async def test_unknown_and_known_names_get_the_same_answer_after_the_same_time(
    database_url: str, tmp_path: Path
) -> None:
    easy = {"SIGN_IN_ATTEMPTS": "1000", "SIGN_IN_ATTEMPTS_PER_NAME": "1000", "BCRYPT_COST": "10"}
    async with serving(database_url, tmp_path, **easy) as world:
        await world.person("known", sign_in=False)
        visitor = Visitor(world.base)
        times: dict[str, list[float]] = {"known": [], "sombo": []}
        answers = set()
        for _ in range(30):
            for login, taken in times.items():
                started = time.perf_counter()
                assert await attempt(visitor, wrong(login)) == 401
                taken.append(time.perf_counter() - started)
                assert visitor.last is not None
                answers.add((visitor.last.body, visitor.last.headers["Content-Length"]))
        assert len(answers) == 1
        known, unknown = (statistics.median(taken) for taken in times.values())
        assert unknown == pytest.approx(known, rel=0.1)


async def test_the_server_answers_others_while_many_sign_in(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path, BCRYPT_COST="12") as world:
        await world.person("ada", sign_in=False)
        signing_in = [
            asyncio.create_task(attempt(Visitor(world.base), wrong(password=PASSWORD), "127.0.0.2")) for _ in range(8)
        ]
        probe = Person(world.base, "", "")
        taken = []
        while not all(each.done() for each in signing_in):
            started = time.perf_counter()
            assert (await probe.http("GET", "/health")).code == 200
            taken.append(time.perf_counter() - started)
            await asyncio.sleep(0.02)
        assert {each.result() for each in signing_in} == {200}
        assert statistics.quantiles(taken, n=20)[-1] < 0.1


async def test_who_is_deactivated_cannot_sign_in(world: World) -> None:
    owner = await world.person("owen", "owner")
    ada = await world.person("ada")
    await deactivate(world, owner, ada)
    assert await attempt(Visitor(world.base), wrong(password=PASSWORD)) == 401


async def deactivate(world: World, by: Person, who: Person) -> None:
    async with world.server.db.transaction() as tx:
        await users.deactivate(tx, await world.actor(by), who.id)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[" * 20_000, 422),
        (b'{"login": "ada"}', 422),
        (b'{"login": 1, "password": "x"}', 422),
        (b'{"login": "ada", "password": "x", "role": "owner"}', 422),
        (b'{"login": "ada\\u0000", "password": "x\\u0000"}', 401),
        (b'{"login": "\\ud800", "password": "x"}', 400),
        (b'{"login": "' + b"x" * 100_000 + b'", "password": "x"}', 401),
    ],
)
async def test_nonsense_is_refused_in_words(world: World, body: bytes, code: int) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    assert await attempt(visitor, body) == code
    assert visitor.last is not None
    assert json.loads(visitor.last.body)["error"]["text"]


async def test_a_person_signs_in_without_javascript_and_lands_where_they_wanted(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    sent_away = await visitor.get("/rooms/7/at/3")
    assert sent_away.code == 303
    response = await visitor.submit(sent_away.headers["Location"], login="ada", password=PASSWORD)
    assert (response.code, response.headers["Location"]) == (303, "/rooms/7/at/3")
    shell = await visitor.get("/rooms/7/at/3")
    assert (shell.code, b'id="app"' in shell.body) == (200, True)


async def test_a_refused_form_says_why_and_keeps_the_name(world: World) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    refused = await visitor.sign_in("ada", "wrong")
    assert refused.code == 401
    assert "do not belong together" in text_of(refused)
    assert b'value="ada"' in refused.body
    assert b"wrong" not in refused.body
    assert "session" not in visitor.cookies
    for _ in range(10):
        refused = await visitor.sign_in("ada", "wrong")
    assert refused.code == 429
    assert "You can try again in" in text_of(refused)


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
        "/\t/evil.example",
        "/ /evil.example",
        "/\n/evil.example",
        "evil.example",
        "",
        "/" + "x" * 5000,
    ],
)
async def test_signing_in_never_leads_to_another_site(world: World, asked: str) -> None:
    await world.person("ada", sign_in=False)
    visitor = Visitor(world.base)
    response = await visitor.submit("/sign-in", login="ada", password=PASSWORD, next=asked)
    assert (response.code, response.headers["Location"]) == (303, "/")
    again = await visitor.get(f"/sign-in?next={quote(asked)}")
    assert (again.code, again.headers["Location"]) == (303, "/")


async def test_signing_in_keeps_what_is_behind_a_local_path(world: World) -> None:
    await world.person("ada", sign_in=False)
    response = await Visitor(world.base).submit("/sign-in", login="ada", password=PASSWORD, next="/rooms/1?a=ü&b#c")
    assert response.headers["Location"] == "/rooms/1?a=%C3%BC&b#c"


async def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(world: World) -> None:
    ada = await world.person("ada", sign_in=False)
    dearer = await Passwords(cost=5).hash(PASSWORD)
    async with world.server.db.transaction() as tx:
        await models.change(tx.db, ada.id, password_hash=dearer)
    await ada.sign_in()
    async with world.server.db.read() as db:
        account = await models.account(db, ada.id)
    assert account is not None
    assert account.password_hash.startswith("$2b$04$")
    await ada.sign_in()

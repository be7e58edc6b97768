"""What the client keeps in the browser: its own built files, what one may read; and all of it goes when it has to."""

import gzip
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Error, expect

from tests.browser.conftest import STATIC, Open
from tests.browser.site import LOST_CONNECTIONS, Site, two_people
from tests.browser.storage import CACHED, STORED, eventually, installed, kept, nothing_kept, open_without_server
from tests.conftest import World
from tests.people import Person
from tests.visitor import Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.may_print(*LOST_CONNECTIONS, r"the server responded with a status of 503"),
]

AT_THE_DOOR = re.compile("/sign-in")
LONG = 45_000  # milliseconds: the longest wait between two tries, and some


async def test_only_the_built_client_is_cached(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await installed(tab.page)
    for path in (f"/rooms/{room}/members", "/people/2", "/browse", "/settings/sessions", "/"):
        await tab.go(path)
    assert await tab.page.evaluate("fetch('/api/v1/me').then(answer => answer.status)") == 200
    assert await tab.page.evaluate("fetch('/favicon.svg').then(answer => answer.status)") == 200
    built = {f"/static/assets/{path.name}" for path in (STATIC / "assets").iterdir() if path.name.startswith("app-")}
    (cached,) = (await tab.page.evaluate(CACHED)).values()
    assert set(cached) == {"/static/index.html", *built}


async def test_the_worker_is_asked_for_each_time(world: World) -> None:
    answer = await Visitor(world.base).ask("GET", "/service-worker.js")
    assert answer.code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_worker_is_light_and_needs_no_other_script(world: World) -> None:
    answer = await Visitor(world.base).ask("GET", "/service-worker.js")
    assert len(gzip.compress(answer.body)) <= 3 * 1024
    assert not re.search(rb"\bimport\b|importScripts|https?://", answer.body)


async def test_signing_out_takes_the_client_and_all_it_kept_out_of_the_browser(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("private")
    await installed(tab.page)
    await kept(tab.page, "private")
    await tab.menu("Roomful", "Sign out")
    await expect(tab.page).to_have_url(AT_THE_DOOR)
    await nothing_kept(tab.page)
    assert await tab.page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0
    await site.kill()
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        await tab.page.goto(f"{site.base}/rooms/{room}")


@pytest.mark.may_print(r"the server responded with a status of 401")
async def test_a_session_that_ended_elsewhere_leaves_only_what_was_not_sent(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("private")
    await installed(tab.page)
    await site.kill()
    await tab.write("not sent")
    await expect(tab.pending).to_have_count(1)
    await end_sessions(site, ada)
    await site.start()
    await expect(tab.page).to_have_url(AT_THE_DOOR, timeout=LONG)
    assert await tab.page.evaluate(CACHED) == {}
    stored: dict[str, list[Any]] = await tab.page.evaluate(STORED)
    assert [pending["text"] for pending in stored.pop("roomful/outbox")] == ["not sent"]
    assert not any(stored.values())


async def test_a_session_that_ended_while_no_page_was_open_leaves_nothing_either(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("private")
    await installed(tab.page)
    await tab.page.goto("about:blank")
    await end_sessions(site, ada)
    await tab.page.goto(f"{site.base}/rooms/{room}")
    await expect(tab.page).to_have_url(AT_THE_DOOR)
    await nothing_kept(tab.page)


async def end_sessions(site: Site, person: Person) -> None:
    async with site.world.server.db.transaction() as tx:
        await tx.db.exec_driver_sql(f"DELETE FROM sessions WHERE user_id = {person.id}")


def deploy(folder: Path) -> None:
    """As a build after a change: the client's files have other contents and names, all that names them is new."""
    renamed = {}
    for path in sorted((folder / "assets").glob("app-*")):
        new = path.with_name(path.name.replace("app-", "app-next-", 1))
        path.rename(new)
        renamed[path.name] = new.name
    (script,) = (folder / "assets").glob("app-next-*.js")
    script.write_text("window.build = 'next';\n" + script.read_text(encoding="utf-8"), encoding="utf-8")
    for path in (script, *(folder / name for name in ("index.html", "service-worker.js", "manifest.json"))):
        text = path.read_text(encoding="utf-8")
        for old, new_name in renamed.items():
            text = text.replace(old, new_name)
        path.write_text(re.sub(r"(?<=id:`)[0-9a-f]{16}", "0123456789abcdef", text), encoding="utf-8")


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The built client that the server of this test serves: its own copy."""
    folder = tmp_path / "static"
    shutil.copytree(STATIC, folder)
    monkeypatch.setattr("chat.handlers.templates.static_folder", lambda: folder)
    return folder


async def test_a_new_build_takes_over_with_the_next_page_and_open_pages_keep_theirs(
    static: Path, world: World, open_as: Open
) -> None:
    ada = await world.person("ada", "owner", "Ada Lovelace")
    room = await world.room(ada, "general")
    old = await open_as(ada, f"/rooms/{room}")
    await installed(old.page)
    await old.page.reload()  # the worker serves it from now on
    ((name, files),) = (await old.page.evaluate(CACHED)).items()
    script = next(file for file in files if file.endswith(".js"))
    deploy(static)
    new = await open_as(ada, f"/rooms/{room}", beside=old)
    assert await new.page.evaluate("window.build") == "next"

    async def both_kept() -> bool:
        cached = await new.page.evaluate(CACHED)
        return set(cached) == {name, "roomful-0123456789abcdef"} and "/static/index.html" in cached[max(cached)]

    await eventually(both_kept)
    assert await old.page.evaluate("path => fetch(path).then(answer => answer.status)", script) == 200
    await old.say("the old page goes on")
    await expect(new.message("the old page goes on")).to_be_visible()
    await old.page.close()

    async def old_gone() -> bool:
        await new.page.reload()
        return list(await new.page.evaluate(CACHED)) == ["roomful-0123456789abcdef"]

    await eventually(old_gone)
    await new.page.context.set_offline(True)
    await new.page.reload()
    await expect(new.message("the old page goes on")).to_be_visible()
    assert await new.page.evaluate("window.build") == "next"


async def test_a_room_that_one_left_is_not_readable_without_the_server(site: Site, open_as: Open) -> None:
    ada, bob, _ = await two_people(site)
    side = await site.world.room(bob, "side", site.world.people[0])
    tab = await open_as(ada, f"/rooms/{side}")
    await tab.say("for members alone")
    await installed(tab.page)
    await kept(tab.page, "for members alone")
    await site.here(bob).api("DELETE", f"/rooms/{side}/members/{ada.id}")

    async def forgotten() -> bool:
        return "for members alone" not in str(await tab.page.evaluate(STORED))

    await eventually(forgotten)
    await site.kill()
    tab = await open_without_server(tab.page.context, ada, f"/rooms/{side}")
    await expect(tab.row("general")).to_be_visible()
    await expect(tab.row("side")).to_have_count(0)
    await expect(tab.log).to_have_count(0)

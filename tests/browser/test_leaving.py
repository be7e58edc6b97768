"""Signing out: here, everywhere, from another device; within a second every tab is at the door, and nothing is left."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AT_THE_DOOR = re.compile("/sign-in")
# A second, as a person counts it: from when this one is at the door until that one is.
A_SECOND = 1000

LEFT_BEHIND = """async () => {
    const kept = [...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(await caches.keys())];
    for (const { name } of await indexedDB.databases()) {
        const database = await new Promise((done, failed) => {
            const asked = indexedDB.open(name);
            asked.onsuccess = () => done(asked.result);
            asked.onerror = () => failed(asked.error);
        });
        for (const store of database.objectStoreNames) {
            const count = await new Promise((done) => {
                database.transaction(store).objectStore(store).count().onsuccess = (event) => done(event.target.result);
            });
            if (count) kept.push(`${name}/${store}: ${count}`);
        }
        database.close();
    }
    return kept;
}"""


async def two_people(world: World) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    return ada, bob, await world.room(ada, "general", bob)


async def left_behind(page: Page) -> list[str]:
    kept: list[str] = await page.evaluate(LEFT_BEHIND)
    return kept


async def test_signing_out_closes_the_other_tab_and_leaves_nothing(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    one = await open_as(ada, f"/rooms/{room}")
    other = await open_as(ada, f"/rooms/{room}/members", beside=one)
    await one.say("something private")
    await one.composer.fill("and a draft")
    assert await left_behind(one.page)
    await one.menu("Roomful", "Sign out")
    await expect(one.page).to_have_url(AT_THE_DOOR)
    await expect(other.page).to_have_url(AT_THE_DOOR, timeout=A_SECOND)
    await expect(one.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await left_behind(one.page) == []
    assert ada.cookie.partition("=")[0] not in {cookie.get("name") for cookie in await one.page.context.cookies()}
    assert (await ada.http("GET", "/me")).code == 401
    await one.page.go_back()
    await expect(one.page.get_by_role("button", name="Sign in")).to_be_visible()
    await expect(one.page.get_by_text("something private")).to_have_count(0)


async def test_a_session_revoked_from_another_device_ends_at_once(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    desk = await open_as(ada, "/settings/sessions")
    await ada.sign_in()
    phone = await open_as(ada, f"/rooms/{room}", phone=True)
    await desk.page.reload()
    sessions = desk.page.get_by_role("list", name="Sessions").get_by_role("listitem")
    await expect(sessions).to_have_count(2)
    await sessions.nth(1).get_by_role("button", name="Sign out").click()
    await expect(sessions).to_have_count(1)
    await expect(phone.page).to_have_url(AT_THE_DOOR, timeout=A_SECOND)
    await expect(desk.page).to_have_url(re.compile("/settings/sessions"))


async def test_sign_out_everywhere_ends_all_of_them(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    tabs = []
    for _ in range(3):
        await ada.sign_in()
        tabs.append(await open_as(ada, f"/rooms/{room}"))
    at_bob = await open_as(bob, f"/rooms/{room}")
    await tabs[0].menu("Roomful", "Sign out everywhere")
    await tabs[0].dialog.get_by_role("button", name="Sign out everywhere").click()
    for tab in tabs:
        await expect(tab.page).to_have_url(AT_THE_DOOR)
    await at_bob.say("still here")


async def test_unsent_messages_are_mentioned_before_they_are_thrown_away(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.page.route_web_socket("**/ws", mute)
    await tab.go(f"/rooms/{room}")
    await tab.write("never answered")
    await expect(tab.pending).to_have_count(1)
    await tab.menu("Roomful", "Sign out")
    await expect(tab.dialog).to_contain_text("1 message was not sent yet")
    await tab.dialog.get_by_role("button", name="Stay").click()
    await expect(tab.pending).to_have_count(1)


def mute(socket: object) -> None:
    """Passes everything on but what is posted."""
    server = socket.connect_to_server()  # type: ignore[attr-defined]
    socket.on_message(lambda frame: None if "message.post" in frame else server.send(frame))  # type: ignore[attr-defined]

"""What people type is text, wherever it is shown; nothing that anybody types runs, loads or asks anything."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.corpus import NAMES, SHORT, UNBROKEN, ZALGO
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Elements that our own components never make, addresses that must not be, handlers in the markup.
STRANGE = """() => {
    const foreign = "script:not([src]), style, iframe, object, embed, base, img, video, math, meta[http-equiv]";
    const found = document.querySelectorAll(foreign);
    const links = [...document.querySelectorAll("a[href], form[action]")].filter((link) => {
        const address = new URL(link.getAttribute("href") ?? link.getAttribute("action"), location.href);
        if (!/^https?:$/.test(address.protocol)) return true;
        return address.host !== location.host && link.rel !== "noopener noreferrer nofollow";
    });
    const handlers = [...document.querySelectorAll("body *")].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith("on")));
    return [...found, ...links, ...handlers].map((element) => element.outerHTML.slice(0, 200));
}"""


async def nothing_strange(page: Page) -> None:
    found = await page.evaluate(STRANGE)
    assert not found, "\n".join(found)


async def hostile_world(world: World) -> tuple[Person, list[Person], list[int]]:
    """Everybody and everything has a bad name, written past the checks straight into the tables."""
    ada = await world.person("ada", "owner", "Ada Lovelace")
    people = [await world.person(f"person{number}", sign_in=False) for number in range(len(NAMES))]
    rooms = [
        await world.room(ada, f"room {number}", *people[: 3 if number == 0 else 0]) for number in range(len(NAMES))
    ]
    async with world.server.db.transaction() as tx:
        for text, person, room in zip(NAMES, people, rooms, strict=True):
            person.name = text
            await tx.db.exec_driver_sql("UPDATE users SET name = $1 WHERE id = $2", (text, person.id))
            await tx.db.exec_driver_sql("UPDATE rooms SET name = $1, topic = $1 WHERE id = $2", (text, room))
        await tx.db.exec_driver_sql("UPDATE workspace SET name = $1", (NAMES[5],))
    return ada, people, rooms


async def test_messages_are_shown_as_text(world: World, open_as: Open) -> None:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    room = await world.room(ada, "general", bob)
    tab = await open_as(ada, f"/rooms/{room}")
    async with bob.socket() as at_bob:
        for text in SHORT:
            await at_bob.post(room, text)
    shown = tab.messages.locator("[dir=auto]")
    await expect(shown).to_have_count(len(SHORT))
    assert await shown.evaluate_all("all => all.map((one) => one.textContent)") == list(SHORT)
    await nothing_strange(tab.page)
    for text in SHORT[:3]:
        await tab.composer.fill(text)
        await tab.composer.press("Enter")
    await expect(tab.messages).to_have_count(len(SHORT) + 3)
    await tab.composer.press("ArrowUp")
    await expect(tab.page.get_by_role("textbox", name="Edit the message")).to_have_value(SHORT[2])
    await tab.page.keyboard.press("Escape")
    await tab.messages.last.hover()
    await tab.messages.last.get_by_role("button", name="More").click()
    await tab.page.get_by_role("menuitem", name="Delete").click()
    await expect(tab.dialog).to_contain_text(SHORT[2])
    await nothing_strange(tab.page)


async def test_names_of_people_and_rooms_are_shown_as_text_in_every_view(world: World, open_as: Open) -> None:
    ada, people, rooms = await hostile_world(world)
    page = (tab := await open_as(ada, f"/rooms/{rooms[0]}")).page

    async def shows(*texts: str) -> None:
        for text in texts:
            await expect(page.get_by_text(text).or_(page.locator("bdi", has_text=text)).first).to_be_attached()
        await nothing_strange(page)

    await shows(*NAMES[:3])
    names = await tab.rooms.locator("li bdi").evaluate_all("all => all.map((one) => one.textContent)")
    assert sorted(names) == sorted(NAMES)
    for room, name in list(zip(rooms, NAMES, strict=True))[::15]:
        await tab.go(f"/rooms/{room}")
        await expect(page.locator("h1 bdi")).to_have_text(name, use_inner_text=False)
        await nothing_strange(page)
    await tab.go(f"/rooms/{rooms[0]}/members")
    await shows(*NAMES[:3])
    await tab.go(f"/people/{people[5].id}")
    await expect(tab.panel.locator("bdi").first).to_have_text(NAMES[5])
    await nothing_strange(page)
    await tab.go("/browse")
    await expect(page.locator("#main li")).to_have_count(len(NAMES))
    await nothing_strange(page)
    for section in ("profile", "sessions", "invitations", "workspace"):
        await tab.go(f"/settings/{section}")
        await nothing_strange(page)
    await expect(page.get_by_role("list", name="People").get_by_role("listitem").first).to_be_visible()
    await nothing_strange(page)


async def test_dialogs_and_the_switcher_show_names_as_text(world: World, open_as: Open) -> None:
    ada, _, rooms = await hostile_world(world)
    tab = await open_as(ada, f"/rooms/{rooms[0]}")
    page = tab.page
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox").fill("script")
    await expect(page.get_by_role("option").first).to_be_visible()
    await expect(page.get_by_role("option", selected=True)).to_contain_text(re.compile("<script>", re.IGNORECASE))
    await nothing_strange(page)
    await page.get_by_role("combobox").fill("@<img")
    await expect(page.get_by_role("option").first).to_contain_text("<img")
    await nothing_strange(page)
    await page.keyboard.press("Escape")
    for item, button in (
        ("Name and topic", "Cancel"),
        ("Add people", "Cancel"),
        ("Leave room", "Cancel"),
        ("Archive room", "Cancel"),
    ):
        await tab.menu("More about this room", item)
        await expect(tab.dialog).to_be_visible()
        await nothing_strange(page)
        await tab.confirm(button)
    await page.get_by_role("button", name="New direct conversation").click()
    await expect(tab.dialog.get_by_role("button", name="@person").first).to_be_visible()
    await nothing_strange(page)
    await page.keyboard.press("Escape")


async def test_lines_toasts_and_typing_show_names_as_text(world: World, open_as: Open) -> None:
    bad = '<img src=x onerror=alert(1)>"'
    ada, mal = await world.person("ada", "owner", "Ada Lovelace"), await world.person("mal", name=bad)
    room, side = await world.room(ada, "general", mal), await world.room(mal, "side", ada)
    tab = await open_as(ada, f"/rooms/{room}")
    async with world.server.db.transaction() as tx:
        await tx.db.exec_driver_sql("UPDATE rooms SET name = $1 WHERE id = $2", (bad, side))
    await tab.page.reload()
    await tab.connected()
    async with mal.socket() as at_mal:
        await at_mal.do("typing", room=room)
        await expect(tab.typing).to_have_text(f"{bad} is typing…")
        await nothing_strange(tab.page)
        await at_mal.do("room.update", room=room, topic="<b>topic</b>")
        await at_mal.do("room.update", room=room, name="<i>name</i>")
        await expect(tab.line(f"{bad} set the topic: <b>topic</b>")).to_be_visible()
        await expect(tab.line(f"{bad} renamed the room from general to <i>name</i>")).to_be_visible()
        await at_mal.do("member.remove", room=side, user=ada.id)
        await expect(tab.page.get_by_role("status", name="News")).to_contain_text(bad)
    await nothing_strange(tab.page)
    await expect(tab.page).to_have_title(re.compile("^<i>name</i>"))


async def test_piled_marks_and_endless_words_stay_in_their_message(world: World, open_as: Open) -> None:
    ada, bob = await world.person("ada", "owner"), await world.person("bob")
    room = await world.room(ada, "general", bob)
    async with bob.socket() as at_bob:
        await at_bob.post(room, UNBROKEN)
        await at_bob.post(room, ZALGO[:10_000])
        await at_bob.post(room, "after")
    tab = await open_as(ada, f"/rooms/{room}")
    zalgo, after = tab.messages.nth(1), tab.messages.nth(2)
    await after.scroll_into_view_if_needed()
    text = zalgo.locator("[dir=auto]")
    assert await text.evaluate("element => getComputedStyle(element).overflow") == "clip"
    box = await text.bounding_box()
    assert box is not None
    assert box["height"] < 100
    assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await tab.log.evaluate("log => log.scrollWidth <= log.clientWidth")


@pytest.mark.may_print("status of 401 ")
async def test_the_pages_without_javascript_give_back_what_was_typed_as_text(world: World, open_as: Open) -> None:
    await world.person("ada", "owner")
    async with world.server.db.transaction() as tx:
        await tx.db.exec_driver_sql("UPDATE workspace SET name = $1", (SHORT[5],))
    page = (await open_as(path="/sign-in")).page
    await expect(page.get_by_role("heading", level=1)).to_have_text(SHORT[5])
    for text in (SHORT[0], SHORT[6], SHORT[8], SHORT[9]):
        await page.locator("[name=login]").fill(text)
        await page.locator("[name=password]").fill("wrong")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("[name=login]")).to_have_value(text)
        found = await page.evaluate(STRANGE)
        assert not found, found

"""axe finds nothing on any screen, light or dark; and everything can be done by keyboard, heard, and without motion."""

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.tab import Tab
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Fading in lowers the contrast for a moment.
SETTLED = """Promise.all(document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity)
    .map((animation) => animation.finished.catch(() => null))).then(() => null)"""

both = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


async def people(world: World) -> tuple[Person, Person, int]:
    """A room with everything in it: names, groups, days, links, an edit, a tombstone, what is unread."""
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    await world.person("grace", "admin", "Grace Hopper")
    await world.person("guest", "guest", "Guido Guest")
    await world.room(ada, "empty")
    room = await world.room(ada, "general", bob)
    secret = await world.room(bob, "secret", ada, kind="private")
    await ada.api("POST", "/invitations", {})
    await ada.api("PATCH", f"/rooms/{room}", {"topic": "Engines of all kinds"})
    async with bob.socket() as at_bob, ada.socket() as at_ada:
        await at_bob.post(room, "Hello, see https://example.org/a?b=c for more")
        await at_bob.post(room, "one more\nwith two lines")
        mine = await at_ada.post(room, "🎉")
        gone = await at_ada.post(room, "to be deleted")
        changed = await at_ada.post(room, "to be edited")
        await at_ada.do("message.delete", message=gone["id"])
        await at_ada.do("message.edit", message=changed["id"], text="was edited")
        await at_ada.do("room.read", room=room, seq=mine["seq"])
        direct = (await at_bob.do("room.direct", user=ada.id))["room"]["id"]
        await at_bob.post(direct, "psst")
        await at_bob.post(room, "unread")
        await at_bob.post(secret, "unread in secret")
    return ada, bob, room


async def sound(tab: Tab, screen: str, *, dark: bool) -> list[str]:
    """What axe finds. The dark screens differ from the light ones in their colours alone."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if dark:
        options["runOnly"] = ["color-contrast", "link-in-text-block"]
    await tab.page.evaluate(SETTLED)
    results = await Axe().run(tab.page, options=options)
    return [
        f"{screen}: {violation['id']}: {violation['help']}\n    "
        + "\n    ".join(node["html"][:160] for node in violation["nodes"])
        for violation in results.response["violations"]
    ]


@both
async def test_axe_sees_what_is_wrong(world: World, open_as: Open, dark: bool) -> None:
    ada, _, room = await people(world)
    tab = await open_as(ada, f"/rooms/{room}", dark=dark)
    await tab.page.evaluate(
        "document.querySelector('h1').style.color = getComputedStyle(document.body).backgroundColor"
    )
    assert [line for line in await sound(tab, "spoilt", dark=dark) if "color-contrast" in line]


@both
@pytest.mark.may_print(r"status of 4\d\d ")
async def test_the_pages_at_the_door_are_accessible(world: World, open_as: Open, dark: bool) -> None:
    link = await world.server.start_link()
    assert link is not None
    tab = await open_as(path=link.removeprefix(world.base), dark=dark)
    found = await sound(tab, "first start", dark=dark)
    await tab.page.locator("[name=workspace]").fill("Engines")
    for name in ("name", "username", "email", "password"):
        await tab.page.locator(f"[name={name}]").fill("x@example.org" if name == "email" else "password")
    await tab.page.get_by_role("button").click()
    await expect(tab.page).to_have_title(re.compile("^Error"))
    found += await sound(tab, "first start with errors", dark=dark)
    await tab.go("/")
    found += await sound(tab, "the way to the first start", dark=dark)
    ada = await world.person("ada", "owner")
    made = (await ada.api("POST", "/invitations", {}))["invitation"]
    for path in (
        made["link"].removeprefix(world.base),
        "/sign-in",
        "/sign-in?signed-out",
        "/nothing-here",
        "/register",
    ):
        await tab.go(path)
        found += await sound(tab, path, dark=dark)
    await ada.api("DELETE", f"/invitations/{made['id']}")
    await tab.go(made["link"].removeprefix(world.base))
    found += await sound(tab, "an invitation that ended", dark=dark)
    assert not found, "\n".join(found)


@both
async def test_every_view_is_accessible(world: World, open_as: Open, dark: bool) -> None:
    ada, bob, room = await people(world)
    empty = next(each["id"] for each in (await ada.api("GET", "/rooms"))["rooms"] if each["name"] == "empty")
    tab = await open_as(ada, f"/rooms/{room}", dark=dark)
    await expect(tab.new_line).to_be_visible()
    await tab.message("was edited").hover()
    found = await sound(tab, "a room", dark=dark)
    for path, seen in (
        (f"/rooms/{empty}", tab.page.get_by_role("heading", name="Your first room")),
        (f"/rooms/{room}/members", tab.panel.get_by_role("link", name="Bob Noyce")),
        (f"/people/{bob.id}", tab.panel.get_by_text("@bob")),
        ("/browse", tab.page.locator("#main").get_by_role("link", name="empty")),
        ("/settings", tab.page.get_by_role("heading", name="Appearance")),
        ("/settings/sessions", tab.page.get_by_text("this one")),
        ("/settings/invitations", tab.page.get_by_text("/join/")),
        ("/settings/workspace", tab.page.get_by_text("@grace")),
        ("/rooms/999", tab.page.get_by_role("heading", name="There is no such room")),
        ("/settings/nowhere", tab.page.get_by_role("heading", name="There is nothing here")),
    ):
        await tab.go(path)
        await expect(seen).to_be_visible()
        found += await sound(tab, path, dark=dark)
    assert not found, "\n".join(found)


@both
async def test_every_dialog_and_menu_is_accessible(world: World, open_as: Open, dark: bool) -> None:
    ada, _, room = await people(world)
    tab = await open_as(ada, f"/rooms/{room}", dark=dark)
    page, found = tab.page, []
    await expect(tab.new_line).to_be_visible()

    async def looked_at(screen: str) -> None:
        found.extend(await sound(tab, screen, dark=dark))
        await page.keyboard.press("Escape")
        await expect(tab.dialog).to_be_hidden()

    for button in ("New room", "New conversation"):
        await page.get_by_role("button", name=button).click()
        await looked_at(button)
    for item in ("Name and topic", "Add people", "Leave room", "Archive room"):
        await tab.menu("More about this room", item)
        await expect(tab.dialog).to_be_visible()
        await looked_at(item)
    for item in ("Invite people", "Keys", "Sign out everywhere"):
        await tab.menu("Roomful", item)
        await expect(tab.dialog).to_be_visible()
        await looked_at(item)
    await tab.message_menu("was edited", "Delete")
    await looked_at("deleting a message")
    await page.get_by_role("button", name="Jump to").click()
    await expect(page.get_by_role("option", name="Grace Hopper")).to_be_visible()
    await looked_at("the switcher")
    await page.get_by_role("button", name="More about this room").click()
    await expect(page.get_by_role("menuitem", name="Members")).to_be_focused()
    await looked_at("a menu")
    await tab.message_menu("was edited", "Edit")
    await looked_at("editing a message")
    assert not found, "\n".join(found)


@both
async def test_the_regions_of_a_phone_are_accessible(world: World, open_as: Open, dark: bool) -> None:
    ada, bob, room = await people(world)
    tab, found = await open_as(ada, "/", phone=True, dark=dark), []
    for path, seen in (
        ("/", tab.row("general")),
        (f"/rooms/{room}", tab.message("was edited")),
        (f"/rooms/{room}/members", tab.panel.get_by_role("link", name="Bob Noyce")),
        (f"/people/{bob.id}", tab.panel.get_by_text("@bob")),
        ("/settings", tab.page.get_by_role("heading", name="Appearance")),
    ):
        await tab.go(path)
        await expect(seen).to_be_visible()
        found += await sound(tab, f"phone {path}", dark=dark)
    await tab.go("/")
    await tab.page.get_by_role("button", name="New room").tap()
    found += await sound(tab, "phone, a dialog", dark=dark)
    assert not found, "\n".join(found)


@both
@pytest.mark.may_print("WebSocket connection to .* failed", "ERR_CONNECTION")
async def test_what_is_said_of_a_lost_connection_is_accessible(world: World, open_as: Open, dark: bool) -> None:
    ada, _, room = await people(world)
    tab = await open_as(ada, f"/rooms/{room}", dark=dark)
    await expect(tab.new_line).to_be_visible()
    await tab.page.route_web_socket("**/ws", lambda socket: socket.close())
    await tab.page.reload()
    await expect(tab.banner).to_be_visible()
    found = await sound(tab, "the banner", dark=dark)
    assert not found, "\n".join(found)

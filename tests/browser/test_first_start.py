"""The way in: the link of the first start makes the owner, an invitation brings the others; also without JavaScript."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Open
from tests.conftest import World
from tests.people import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

OWNER = {
    "workspace": "Analytical Engines",
    "name": "Ada Lovelace",
    "username": "ada",
    "email": "ada@example.org",
    "password": PASSWORD,
}
# The browser prints every answer that says no.
REFUSED_FORM = r"status of (409|410|422) "


async def fill(page: Page, fields: dict[str, str]) -> None:
    for name, value in fields.items():
        await page.locator(f"[name={name}]").fill(value)


async def start_link(world: World) -> str:
    link = await world.server.start_link()
    assert link is not None
    return link.removeprefix(world.base)


@pytest.mark.may_print(REFUSED_FORM)
async def test_the_first_start_makes_the_owner_and_shows_how_to_invite(world: World, open_as: Open) -> None:
    tab = await open_as(path=await start_link(world))
    page = tab.page
    await expect(page.get_by_label("Workspace name")).to_be_focused()
    await fill(page, OWNER | {"username": "a!", "password": "password"})
    await page.get_by_role("button", name="Create workspace").click()
    await expect(page).to_have_title(re.compile("^Error: "))
    for label in ("Username", "Password"):
        await expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label(label)).to_have_accessible_description(re.compile(r"\w.*\."))
    await expect(page.get_by_label("Username")).to_be_focused()
    await expect(page.get_by_label("Workspace name")).to_have_value("Analytical Engines")
    await expect(page.get_by_label("Password")).to_have_value("")
    await fill(page, OWNER)
    await page.get_by_role("button", name="Create workspace").click()
    await expect(tab.heading("general")).to_be_visible()
    await expect(page.get_by_role("heading", name="Your first room")).to_be_visible()
    await page.get_by_role("button", name="Make a link").click()
    link = await page.get_by_label("Invitation link").input_value()
    assert link.startswith(f"{world.base}/join/")

    guest = await open_as(path=link.removeprefix(world.base))
    await expect(guest.page.get_by_role("heading", name="Join Analytical Engines")).to_be_visible()
    await fill(
        guest.page, {"name": "Bob", "username": "ada", "email": "bob@example.org", "password": "calm is the sea"}
    )
    await guest.page.get_by_role("button", name="Join Analytical Engines").click()
    await expect(guest.page.get_by_label("Username")).to_have_attribute("aria-invalid", "true")
    await fill(guest.page, {"username": "bob", "password": "calm is the sea"})
    await guest.page.get_by_role("button", name="Join Analytical Engines").click()
    await expect(guest.heading("general")).to_be_visible()
    await expect(tab.line("Bob joined")).to_be_visible()
    await guest.say("I am in")
    await expect(tab.message("I am in")).to_be_visible()


@pytest.mark.may_print(REFUSED_FORM)
async def test_of_two_who_start_at_once_one_becomes_the_owner(world: World, open_as: Open) -> None:
    link = await start_link(world)
    tabs = [await open_as(path=link) for _ in range(2)]
    for number, tab in enumerate(tabs):
        await fill(tab.page, OWNER | {"username": f"ada{number}", "email": f"ada{number}@example.org"})
    await asyncio.gather(*(tab.page.get_by_role("button", name="Create workspace").click() for tab in tabs))
    for tab in tabs:
        inside = tab.page.get_by_role("heading", level=1, name="general")
        await expect(inside.or_(tab.page.get_by_text("has an owner")).first).to_be_visible()
    owners = [tab for tab in tabs if await tab.heading("general").count()]
    assert len(owners) == 1
    late = await open_as(path=link)
    await expect(late.page.get_by_role("heading", name="This link has done its work")).to_be_visible()
    assert await world.server.start_link() is None


@pytest.mark.may_print(REFUSED_FORM)
async def test_without_the_link_a_stranger_is_told_where_it_is(world: World, open_as: Open) -> None:
    tab = await open_as(path="/")
    await expect(tab.page.get_by_role("heading", name="One step to go")).to_be_visible()


@pytest.mark.may_print(r"status of (401|409|422) ")
async def test_the_forms_work_without_javascript(world: World, open_as: Open) -> None:
    ada = await world.person("ada", "owner", "Ada Lovelace")
    await world.room(ada, "general")
    link = (await ada.api("POST", "/invitations", {}))["invitation"]["link"]
    page = (await open_as(path=link.removeprefix(world.base), java_script_enabled=False)).page
    await fill(page, {"name": "Bob", "username": "ada", "email": "bob@example.org", "password": "calm is the sea"})
    await page.get_by_role("button", name="Join").click()
    await expect(page.get_by_label("Username")).to_have_attribute("aria-invalid", "true")
    await fill(page, {"username": "bob", "password": "calm is the sea"})
    await page.get_by_role("button", name="Join").click()
    await expect(page.locator("noscript p")).to_have_text(re.compile("Roomful needs JavaScript"))

    page = (await open_as(path="/browse", java_script_enabled=False)).page
    await expect(page).to_have_url(f"{world.base}/sign-in?next=/browse")
    await fill(page, {"login": "bob@example.org", "password": "wrong"})
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_label("Username or e-mail")).to_have_value("bob@example.org")
    await fill(page, {"password": "calm is the sea"})
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(f"{world.base}/browse")


@pytest.mark.may_print(REFUSED_FORM)
async def test_an_invitation_that_was_revoked_says_so(world: World, open_as: Open) -> None:
    ada = await world.person("ada", "owner")
    made = (await ada.api("POST", "/invitations", {}))["invitation"]
    await ada.api("DELETE", f"/invitations/{made['id']}")
    tab = await open_as(path=made["link"].removeprefix(world.base))
    await expect(tab.page.get_by_role("heading", name="This invitation has ended")).to_be_visible()

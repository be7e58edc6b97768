"""On a phone one region shows at a time and back works; the largest text on the smallest screen leaves all in reach."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.tab import Tab
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# What cannot be reached sideways: the page scrolls, or something to press or read sticks out of the window.
STICKING_OUT = """() => {
    const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
    const hidden = (element) => element.closest("[inert], .visually-hidden, .skip-link");
    const { scrollWidth } = document.documentElement;
    const found = scrollWidth > innerWidth ? [`the page: ${scrollWidth}`] : [];
    for (const element of document.querySelectorAll("button, a, input, textarea, select, h1, h2, h3, p, label")) {
        const box = element.getBoundingClientRect();
        if (box.width === 0 || hidden(element) || !element.checkVisibility({ opacityProperty: true })) continue;
        let parent = element.parentElement;
        while (parent && !scrolls(parent)) parent = parent.parentElement;
        if (parent && parent.scrollWidth > parent.clientWidth) continue;
        if (box.left >= -1 && box.right <= innerWidth + 1) continue;
        found.push(`${element.outerHTML.slice(0, 120)}: ${box.left} to ${box.right}`);
    }
    return found;
}"""


async def three_people(world: World) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    await world.person("grace", name="Grace Brewster Murray Hopper")
    return ada, bob, await world.room(ada, "general", bob)


async def test_a_phone_shows_one_region_at_a_time_and_back_leads_out(world: World, open_as: Open) -> None:
    _, bob, _ = await three_people(world)
    tab = await open_as(bob, "/", phone=True)
    main = tab.page.locator("#main")
    await expect(tab.row("general")).to_be_visible()
    await expect(main).to_be_hidden()
    await tab.row("general").tap()
    await expect(tab.heading("general")).to_be_visible()
    await expect(tab.rooms).to_be_hidden()
    await expect(tab.composer).not_to_be_focused()
    await tab.page.get_by_role("button", name=re.compile("^Members")).tap()
    await expect(tab.panel.get_by_role("heading", level=1, name="Members")).to_be_visible()
    await expect(main).to_be_hidden()
    await tab.panel.get_by_role("link", name="Ada Lovelace").tap()
    await expect(tab.panel.get_by_role("heading", level=1, name="Profile")).to_be_visible()
    for seen, gone in (("Members", "Profile"), ("general", "Members")):
        await tab.page.go_back()
        await expect(tab.heading(seen)).to_be_visible()
        await expect(tab.heading(gone)).to_be_hidden()
    await tab.page.go_back()
    await expect(tab.row("general")).to_be_visible()
    await expect(main).to_be_hidden()


async def test_the_buttons_back_do_the_same_also_where_one_came_in_by_a_link(world: World, open_as: Open) -> None:
    ada, bob, room = await three_people(world)
    side = await world.room(ada, "side", bob)
    tab = await open_as(bob, f"/rooms/{room}/members", phone=True)
    await tab.panel.get_by_role("button", name="Back to messages").tap()
    await expect(tab.heading("general")).to_be_visible()
    async with ada.socket() as at_ada:
        await at_ada.post(side, "over here")
    back = tab.page.get_by_role("link", name="Back to rooms")
    await expect(back).to_contain_text("1 unread")
    await back.tap()
    await expect(tab.row("side")).to_be_visible()
    await expect(tab.page).to_have_url(f"{world.base}/")


async def test_under_a_finger_enter_breaks_the_line_and_the_button_sends(world: World, open_as: Open) -> None:
    ada, bob, room = await three_people(world)
    at_bob, at_ada = await open_as(bob, f"/rooms/{room}", phone=True), await open_as(ada, f"/rooms/{room}")
    await at_bob.composer.tap()
    await at_bob.composer.press_sequentially("one")
    await at_bob.composer.press("Enter")
    await at_bob.composer.press_sequentially("two")
    await at_bob.page.get_by_role("button", name="Send").tap()
    assert await at_ada.message("one").locator("[dir=auto]").inner_text() == "one\ntwo"
    await expect(at_bob.message("one")).to_be_in_viewport()
    await expect(at_bob.composer).to_be_in_viewport()
    await expect(at_bob.composer).to_have_value("")


async def test_what_can_be_pressed_is_large_enough_for_a_finger(world: World, open_as: Open) -> None:
    _, bob, room = await three_people(world)
    tab = await open_as(bob, f"/rooms/{room}", phone=True)
    for button in await tab.page.get_by_role("button").all():
        box = await button.bounding_box()
        if box is not None and await button.is_visible():
            assert min(box["width"], box["height"]) >= 36, await button.inner_text() or await button.get_attribute(
                "aria-label"
            )


async def in_reach(tab: Tab, screen: str) -> None:
    found = await tab.page.evaluate(STICKING_OUT)
    assert not found, f"{screen}:\n" + "\n".join(found)


async def test_at_320_pixels_and_200_percent_everything_is_in_reach(world: World, open_as: Open) -> None:
    ada, bob, room = await three_people(world)
    async with ada.socket() as at_ada:
        await at_ada.post(room, "https://example.org/" + "a" * 200)
        await at_ada.post(room, "unbroken" * 60)
    tab = await open_as(ada, "/settings", phone=True, viewport={"width": 320, "height": 640})
    page = tab.page
    await page.get_by_role("radio", name="200 %").check()
    await in_reach(tab, "settings")
    for path, seen in (
        ("/", tab.row("general")),
        (f"/rooms/{room}", tab.message("unbroken")),
        (f"/rooms/{room}/members", tab.panel.get_by_role("link", name="Bob Noyce")),
        (f"/people/{bob.id}", tab.panel.get_by_role("button", name="Message", exact=True)),
        ("/browse", page.get_by_role("searchbox")),
        ("/settings/sessions", page.get_by_role("heading", name="Sessions")),
        ("/settings/invitations", page.get_by_role("heading", name="Invitations")),
        ("/settings/workspace", page.get_by_role("heading", name="People")),
        ("/settings/nowhere", page.get_by_role("link", name="Back to your rooms")),
    ):
        await page.goto(world.base + path)
        await expect(seen).to_be_visible()
        await in_reach(tab, path)
    await tab.go("/")
    for button in ("New room", "New direct conversation"):
        await page.get_by_role("button", name=button).tap()
        await expect(tab.dialog.get_by_role("textbox").or_(tab.dialog.get_by_role("searchbox")).first).to_be_visible()
        await in_reach(tab, button)
        await tab.dialog.get_by_role("button", name="Close").tap()
    await page.get_by_role("button", name="Jump to").tap()
    await expect(page.get_by_role("option").first).to_be_visible()
    await in_reach(tab, "the switcher")


@pytest.mark.may_print("status of 401 ")
async def test_the_pages_without_javascript_fit_a_small_phone(world: World, open_as: Open) -> None:
    await world.person("ada", "owner")
    tab = await open_as(path="/sign-in", phone=True, viewport={"width": 320, "height": 640})
    await in_reach(tab, "sign in")
    await tab.page.locator("[name=login]").fill("ada")
    await tab.page.locator("[name=password]").fill("wrong")
    await tab.page.get_by_role("button", name="Sign in").tap()
    await expect(tab.page.get_by_role("alert")).to_be_visible()
    await in_reach(tab, "a refused sign-in")
    await expect(tab.page.locator("html")).to_have_js_property("clientWidth", 320)

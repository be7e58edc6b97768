"""Everything by keyboard, everything heard, nothing moving for those who do not want it."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# The focused element, or the box that it fills, is drawn another way than without the focus.
RING = """() => {
    let element = document.activeElement;
    for (let level = 0; element && level < 3; level += 1, element = element.parentElement) {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        if (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) return true;
        if (level > 0 && boxShadow !== "none" && element.matches(":focus-within")) return true;
    }
    return false;
}"""
LONGEST_MOTION = """() => Math.max(0, ...document.getAnimations().map((animation) => {
    const { duration, iterations } = animation.effect.getTiming();
    return iterations === Infinity ? Infinity : duration;
}))"""


async def three_messages(world: World) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    room = await world.room(ada, "general", bob)
    await world.room(ada, "side", bob)
    async with bob.socket() as at_bob, ada.socket() as at_ada:
        await at_bob.post(room, "first, by Bob")
        await at_ada.post(room, "second, by Ada")
        seq = (await at_ada.post(room, "third, by Ada"))["seq"]
        await at_ada.do("room.read", room=room, seq=seq)
    return ada, bob, room


async def test_the_skip_link_leads_to_the_message_box(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await expect(tab.composer).to_be_focused()
    stops = tab.page.locator("a[href], button, input, textarea, [tabindex='0']")
    link = tab.page.get_by_role("link", name="Skip to the message box")
    await expect(stops.first).to_have_text("Skip to the message box")
    await link.focus()
    await expect(link).to_be_in_viewport()
    await tab.page.keyboard.press("Enter")
    await expect(tab.composer).to_be_focused()


async def test_arrows_lead_through_the_rooms(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    keys = tab.page.keyboard
    await tab.row("general").focus()
    await keys.press("ArrowDown")
    await expect(tab.row("side")).to_be_focused()
    await keys.press("ArrowDown")
    await expect(tab.rooms.get_by_role("link", name="Browse rooms")).to_be_focused()
    await keys.press("Home")
    await expect(tab.row("general")).to_be_focused()
    await keys.press("ArrowDown")
    await keys.press("Enter")
    await expect(tab.heading("side")).to_be_visible()
    assert await tab.rooms.locator("[data-row][tabindex='0']").count() == 1


async def test_messages_are_reached_read_edited_and_deleted(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    page, keys = tab.page, tab.page.keyboard
    third, second, first = (tab.message(text) for text in ("third", "second", "first"))
    await third.focus()
    await keys.press("ArrowUp")
    await expect(second).to_be_focused()
    await keys.press("Home")
    await expect(first).to_be_focused()
    await keys.press("End")
    await expect(third).to_be_focused()
    assert await tab.log.locator("[data-message][tabindex='0']").count() == 1

    await keys.press("Enter")
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_focused()
    await keys.press("Escape")
    await expect(page.get_by_role("menu", name="Message")).to_be_hidden()
    await expect(third).to_be_focused()

    await keys.press("e")
    box = page.get_by_role("textbox", name="Edit the message")
    await expect(box).to_be_focused()
    await box.fill("third, changed")
    await keys.press("Enter")
    await expect(third).to_contain_text("changed")
    await expect(third).to_be_focused()

    await keys.press("Delete")
    await expect(tab.dialog).to_be_visible()
    await keys.press("Escape")
    await expect(third).to_be_focused()
    await expect(third).to_contain_text("changed")


async def test_escape_closes_what_was_opened_and_gives_the_focus_back(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    page, keys = tab.page, tab.page.keyboard
    button = page.get_by_role("button", name="New room")
    await button.focus()
    await keys.press("Enter")
    await expect(tab.dialog.get_by_label("Name")).to_be_focused()
    await keys.press("Escape")
    await expect(button).to_be_focused()

    members = page.get_by_role("button", name=re.compile("^Members"))
    await members.focus()
    await keys.press("Enter")
    await expect(tab.panel.locator(":focus")).to_have_count(1)
    await keys.press("Escape")
    await expect(tab.panel).to_have_count(0)
    await expect(members).to_be_focused()

    more = page.get_by_role("button", name="More about this room")
    await more.focus()
    await keys.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Members")).to_be_focused()
    await keys.press("l")
    await expect(page.get_by_role("menuitem", name="Leave room")).to_be_focused()
    await keys.press("Escape")
    await expect(more).to_be_focused()


async def test_f6_goes_around_the_regions_and_the_keys_are_listed(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    page, keys = tab.page, tab.page.keyboard
    await expect(tab.composer).to_be_focused()
    await keys.press("F6")
    await expect(tab.row("general")).to_be_focused()
    await keys.press("F6")
    await expect(page.locator("#main")).to_be_focused()
    await keys.press("F6")
    await expect(tab.composer).to_be_focused()
    await keys.press("Shift+F6")
    await keys.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


async def test_wherever_tab_leads_the_focus_is_seen(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    for path in (f"/rooms/{room}/members", "/settings", "/browse"):
        tab = await open_as(ada, path)
        await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
        await tab.page.get_by_role("link", name=re.compile("^Skip")).focus()
        for _step in range(24):
            await tab.page.keyboard.press("Tab")
            if await tab.page.evaluate("document.activeElement === document.body"):
                continue
            where = await tab.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
            assert await tab.page.evaluate(RING), f"{path}: {where}"
        await tab.page.close()


async def test_new_messages_are_said_aloud_and_ones_own_are_not(world: World, open_as: Open) -> None:
    ada, bob, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await expect(tab.log).to_have_accessible_name("Messages in general")
    said = tab.page.locator("[aria-live=polite]")
    await tab.say("my own words")
    async with bob.socket() as at_bob:
        await at_bob.post(room, "can you hear me?")
    await expect(said.filter(has_text="Bob Noyce: can you hear me?")).to_have_count(1)
    await expect(said.filter(has_text="my own words")).to_have_count(0)


async def test_with_reduced_motion_nothing_moves(world: World, open_as: Open) -> None:
    ada, _, room = await three_messages(world)
    tab = await open_as(ada, f"/rooms/{room}", reduced_motion="reduce")
    await tab.page.get_by_role("button", name=re.compile("^Members")).click()
    assert await tab.page.evaluate(LONGEST_MOTION) <= 1
    await tab.page.keyboard.press("Control+k")
    assert await tab.page.evaluate(LONGEST_MOTION) <= 1
    await tab.page.keyboard.press("Escape")
    await tab.page.get_by_role("button", name="New room").click()
    assert await tab.page.evaluate(LONGEST_MOTION) <= 1

"""Rooms: made, found, joined, changed, left; who is in them; the way to any of them by keyboard."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def two_people(world: World) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    return ada, bob, await world.room(ada, "general", bob)


async def test_a_room_is_made_found_and_joined(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, "/browse")
    await at_ada.page.get_by_role("button", name="New room").click()
    await at_ada.dialog.get_by_label("Name").fill("Difference engine")
    await at_ada.dialog.get_by_label("Topic").fill("Cogs, mostly")
    await at_ada.confirm("Create room")
    await expect(at_ada.heading("Difference engine")).to_be_visible()
    await expect(at_ada.page.locator("#main").get_by_text("Cogs, mostly").first).to_be_visible()
    await expect(at_ada.page.get_by_role("heading", name="Your first room")).to_have_count(0)

    await at_bob.page.get_by_role("searchbox", name="Find a room").fill("engine")
    await expect(at_bob.page.locator("#main").get_by_role("listitem")).to_have_count(1)
    await at_bob.page.get_by_role("button", name="Join Difference engine").click()
    await expect(at_bob.heading("Difference engine")).to_be_visible()
    await expect(at_ada.line("Bob Noyce joined")).to_be_visible()
    await at_bob.say("Found it")
    await expect(at_ada.message("Found it")).to_be_visible()


async def test_a_name_that_is_taken_is_said_at_the_field(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.page.get_by_role("button", name="New room").click()
    name = tab.dialog.get_by_label("Name")
    await name.fill("General")
    await tab.dialog.get_by_role("button", name="Create room").click()
    await expect(name).to_have_attribute("aria-invalid", "true")
    await expect(name).to_have_accessible_description(re.compile("Choose another name"))
    await tab.page.keyboard.press("Escape")
    await expect(tab.dialog).to_be_hidden()


async def test_a_change_of_name_and_topic_shows_as_lines(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.menu("More about this room", "Name and topic")
    await at_ada.dialog.get_by_label("Name").fill("engine-room")
    await at_ada.dialog.get_by_label("Topic").fill("What drives us")
    await at_ada.confirm("Save")
    for tab in (at_ada, at_bob):
        await expect(tab.heading("engine-room")).to_be_visible()
        await expect(tab.row("engine-room")).to_be_visible()
        await expect(tab.line("renamed the room from general to engine-room")).to_be_visible()
        await expect(tab.line("set the topic: What drives us")).to_be_visible()


async def test_a_conversation_of_two_is_started_and_found_again(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.page.get_by_role("button", name="New direct conversation").click()
    await at_ada.dialog.get_by_role("button", name="Bob Noyce").click()
    await expect(at_ada.heading("Bob Noyce")).to_be_visible()
    await at_ada.say("Between us")
    await expect(at_bob.row("Ada Lovelace")).to_have_accessible_name(re.compile("1 for you"))
    await at_bob.row("Ada Lovelace").click()
    await expect(at_bob.message("Between us")).to_be_visible()
    path = re.sub(r".*(/rooms/\d+).*", r"\1", at_ada.page.url)
    await at_bob.enter("general")
    await at_bob.page.get_by_role("button", name="New direct conversation").click()
    await at_bob.dialog.get_by_role("button", name="Ada Lovelace").click()
    await expect(at_bob.page).to_have_url(world.base + path)


async def test_members_are_added_and_removed(world: World, open_as: Open) -> None:
    ada, bob, _ = await two_people(world)
    secret = await world.room(ada, "secret", kind="private")
    at_ada, at_bob = await open_as(ada, f"/rooms/{secret}"), await open_as(bob)
    await expect(at_bob.row("secret")).to_have_count(0)
    await at_ada.menu("More about this room", "Add people")
    await at_ada.dialog.get_by_role("checkbox", name="Bob Noyce").check()
    await at_ada.confirm("Add")
    await expect(at_ada.line("Ada Lovelace added Bob Noyce")).to_be_visible()
    await at_bob.enter("secret")

    await at_ada.page.get_by_role("button", name=re.compile("^Members")).click()
    await at_ada.panel.get_by_role("listitem").filter(has_text="Bob Noyce").hover()
    await at_ada.panel.get_by_role("button", name="Remove Bob Noyce from this room").click()
    await at_ada.confirm("Remove")
    await expect(at_ada.line("Ada Lovelace removed Bob Noyce")).to_be_visible()
    await expect(at_ada.panel.get_by_role("link", name="Bob Noyce")).to_have_count(0)
    await expect(at_bob.row("secret")).to_have_count(0)
    await expect(at_bob.page.get_by_role("status", name="News")).to_contain_text("You are not in secret any more")
    await expect(at_bob.heading("general")).to_be_visible()
    await at_bob.go(f"/rooms/{secret}")
    await expect(at_bob.page.get_by_role("heading", name="There is no such room")).to_be_visible()


async def test_leaving_a_room_takes_it_away_and_leaves_a_line(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    side = await world.room(ada, "side", bob)
    at_ada, at_bob = await open_as(ada, f"/rooms/{side}"), await open_as(bob, f"/rooms/{side}")
    await at_bob.menu("More about this room", "Leave room")
    await at_bob.confirm("Leave")
    await expect(at_ada.line("Bob Noyce left")).to_be_visible()
    await expect(at_bob.row("side")).to_have_count(0)
    await expect(at_bob.page).to_have_url(f"{world.base}/rooms/{room}")


async def test_an_archived_room_can_be_read_but_not_written_in(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.say("The last word")
    await at_ada.menu("More about this room", "Archive room")
    await at_ada.confirm("Archive")
    for tab in (at_ada, at_bob):
        await expect(tab.page.get_by_text("You can read it, but not write.")).to_be_visible()
        await expect(tab.composer).to_have_count(0)
        await expect(tab.message("The last word")).to_be_visible()
        await expect(tab.line("Ada Lovelace archived this room")).to_be_visible()
    await at_ada.page.get_by_role("button", name="Reopen it").click()
    await expect(at_bob.composer).to_be_visible()


async def test_the_switcher_goes_anywhere_by_keyboard_alone(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    side = await world.room(ada, "side", bob)
    tab = await open_as(ada, f"/rooms/{room}")
    keys = tab.page.keyboard
    await keys.press("Control+k")
    field = tab.page.get_by_role("combobox", name="Room, person or action")
    await expect(field).to_be_focused()
    await keys.type("si")
    await expect(tab.page.get_by_role("option", selected=True)).to_contain_text("side")
    await keys.press("Enter")
    await expect(tab.page).to_have_url(f"{world.base}/rooms/{side}")
    await expect(tab.composer).to_be_focused()

    await keys.press("Control+k")
    await keys.type("@bob")
    await expect(tab.page.get_by_role("option", name="Bob Noyce")).to_be_visible()
    await expect(tab.page.get_by_role("option", selected=True)).to_contain_text("Bob Noyce")
    await keys.press("Enter")
    await expect(tab.heading("Bob Noyce")).to_be_visible()

    await keys.press("Control+k")
    await keys.press("ArrowDown")
    first = await tab.page.get_by_role("option", selected=True).inner_text()
    await keys.press("ArrowUp")
    await expect(tab.page.get_by_role("option", selected=True)).not_to_have_text(first)
    await keys.press("Escape")
    await expect(tab.dialog).to_be_hidden()
    await expect(tab.composer).to_be_focused()


async def test_a_muted_room_stays_quiet(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    side = await world.room(ada, "side", bob)
    tab = await open_as(bob, f"/rooms/{side}")
    await tab.menu("More about this room", "Mute")
    await tab.enter("general")
    async with ada.socket() as at_ada:
        await at_ada.post(side, "noise")
        await at_ada.post(room, "after it")
    await expect(tab.message("after it")).to_be_visible()
    await expect(tab.row("side")).to_have_accessible_name(re.compile("^side ?, muted$"))


async def test_the_settings_change_what_others_see(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}/members"), await open_as(bob, "/settings")
    await at_bob.page.get_by_label("Name", exact=True).fill("Robert Noyce")
    await at_bob.page.get_by_role("button", name="Save").click()
    await expect(at_bob.page.get_by_text("Saved. Everybody sees it now.")).to_be_visible()
    await expect(at_ada.panel.get_by_role("link", name="Robert Noyce")).to_be_visible()
    await at_bob.page.get_by_role("radio", name="Dark").check()
    await expect(at_bob.page.locator("html")).to_have_css("color-scheme", "dark")
    await at_bob.page.reload()
    await expect(at_bob.page.get_by_role("radio", name="Dark")).to_be_checked()

"""Two people chat: what one writes the other sees, at once and once."""

import asyncio
import re

import pytest
from playwright.async_api import WebSocketRoute, expect

from tests.browser.conftest import Open
from tests.browser.tab import Tab
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def two_people(world: World) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    return ada, bob, await world.room(ada, "general", bob)


async def test_a_message_appears_at_once_and_then_is_sent(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    answered, let_through = asyncio.Event(), asyncio.Event()

    async def hold(browser_side: WebSocketRoute) -> None:
        server_side = browser_side.connect_to_server()

        async def pass_on(frame: str | bytes) -> None:
            if "message.post" in str(frame):
                answered.set()
                await let_through.wait()
            server_side.send(frame)

        browser_side.on_message(lambda frame: asyncio.ensure_future(pass_on(frame)))

    await tab.page.route_web_socket("**/ws", hold)
    await tab.go(f"/rooms/{room}")
    await tab.write("before the server knows")
    await expect(tab.pending).to_have_text(re.compile("before the server knows"))
    await expect(tab.composer).to_have_value("")
    await expect(tab.pending.get_by_text("Sending…")).to_be_visible()
    await answered.wait()
    let_through.set()
    await expect(tab.message("before the server knows")).to_be_visible()
    await expect(tab.pending).to_have_count(0)


async def test_two_people_talk(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.say("Hello Bob")
    await expect(at_bob.message("Hello Bob")).to_be_visible()
    await at_bob.say("Hello Ada")
    await expect(at_ada.message("Hello Ada")).to_be_visible()
    for tab in (at_ada, at_bob):
        await expect(tab.messages).to_have_count(2)
        await expect(tab.pending).to_have_count(0)
        await expect(tab.message("Hello Bob").get_by_role("link", name="Ada Lovelace")).to_be_visible()


async def test_what_comes_elsewhere_is_counted_until_it_is_seen(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    await world.room(ada, "side", bob)
    tab = await open_as(bob, f"/rooms/{room}")
    await tab.enter("side")
    async with ada.socket() as at_ada:
        await at_ada.post(room, "one")
        await at_ada.post(room, "two")
        await expect(tab.row("general")).to_have_accessible_name("general 2 unread")
        await expect(tab.page).to_have_title(re.compile(r"^\(2\) side"))
        await tab.enter("general")
        await expect(tab.new_line).to_be_visible()
        await expect(tab.message("two")).to_be_in_viewport()
        await expect(tab.row("general")).to_have_accessible_name("general")
        await expect(tab.page).to_have_title(re.compile("^general"))
        first, line = tab.message("one"), tab.new_line
        assert (await line.bounding_box())["y"] < (await first.bounding_box())["y"]  # type: ignore[index]


async def test_typing_shows_until_the_message_comes(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_bob.composer.press_sequentially("He")
    await expect(at_ada.typing).to_have_text("Bob Noyce is typing…")
    await at_bob.say("Hey")
    await expect(at_ada.typing).to_have_count(0)
    await expect(at_ada.message("Hey")).to_be_visible()


async def test_typing_that_comes_to_nothing_is_over_after_a_few_seconds(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    async with bob.socket() as at_bob:
        await at_bob.do("typing", room=room)
        await expect(tab.typing).to_have_text("Bob Noyce is typing…")
        await expect(tab.typing).to_have_count(0)
    await expect(tab.messages).to_have_count(0)


async def test_the_member_list_says_who_is_here(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}/members")
    row = tab.panel.get_by_role("link", name="Bob Noyce")
    await expect(row.get_by_role("img", name="Offline")).to_be_visible()
    async with bob.socket() as at_bob:
        await expect(row.get_by_role("img", name="Online")).to_be_visible()
        await at_bob.do("presence.set", state="away")
        await expect(row.get_by_role("img", name="Away")).to_be_visible()


async def test_messages_of_one_author_are_grouped(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("first")
    await tab.say("second")
    async with bob.socket() as at_bob:
        await at_bob.post(room, "third")
    await expect(tab.message("first").locator("header")).to_have_count(1)
    await expect(tab.message("second").locator("header")).to_have_count(0)
    await expect(tab.message("third").locator("header")).to_have_count(1)


async def test_days_are_separated_in_the_readers_zone(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    async with ada.socket() as at_ada:
        await at_ada.post(room, "long ago")
        async with world.server.db.transaction() as tx:
            await tx.db.exec_driver_sql("UPDATE messages SET at = '2026-03-01T20:30Z'")
        await at_ada.post(room, "just now")
    tab = await open_as(ada, f"/rooms/{room}", timezone_id="Asia/Tokyo")
    await expect(tab.log.get_by_role("heading", name=re.compile("2 March"))).to_be_visible()
    await expect(tab.log.get_by_role("heading", name="Today")).to_be_visible()
    time = tab.message("long ago").locator("time")
    await expect(time).to_have_text("05:30")
    await expect(time).to_have_attribute("title", re.compile(r"Monday,? 2 March 2026.*05:30"))


async def test_what_was_written_is_shown_as_written(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.composer.fill("one")
    await tab.composer.press("Shift+Enter")
    await tab.composer.press_sequentially("two")
    await tab.composer.press("Enter")
    await expect(tab.pending).to_have_count(0)
    text = tab.message("one").locator("[dir=auto]")
    assert await text.inner_text() == "one\ntwo"
    await tab.say("日本語 and ελληνικά")
    await tab.say("🎉")
    large, usual = (size_of(tab, text) for text in ("🎉", "日本語"))
    assert await large > await usual


async def size_of(tab: Tab, text: str) -> float:
    script = "element => parseFloat(getComputedStyle(element).fontSize)"
    size: float = await tab.message(text).locator("[dir=auto]").evaluate(script)
    return size


async def test_an_address_becomes_a_link_that_tells_its_target_nothing(world: World, open_as: Open) -> None:
    ada, _, room = await two_people(world)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say(f"see {world.base}/browse, it lives")
    link = tab.message("it lives").get_by_role("link", name="/browse")
    await expect(link).to_have_attribute("href", f"{world.base}/browse")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    async with tab.page.context.expect_page() as opened:
        await link.click()
    there = await opened.value
    await there.wait_for_load_state()
    assert await there.evaluate("[window.opener, document.referrer]") == [None, ""]


async def test_up_edits_the_last_message_and_escape_leaves_it(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.say("I wrote thsi")
    await at_ada.composer.press("ArrowUp")
    box = at_ada.page.get_by_role("textbox", name="Edit the message")
    await expect(box).to_be_focused()
    await box.press("Escape")
    await expect(at_ada.composer).to_be_focused()
    await at_ada.composer.press("ArrowUp")
    await box.fill("I wrote this")
    await box.press("Enter")
    for tab in (at_ada, at_bob):
        await expect(tab.message("I wrote this")).to_contain_text("(edited)")
        await expect(tab.message("thsi")).to_have_count(0)
    await expect(at_ada.composer).to_be_focused()


async def test_a_deleted_message_leaves_a_tombstone(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    at_ada, at_bob = await open_as(ada, f"/rooms/{room}"), await open_as(bob, f"/rooms/{room}")
    await at_ada.say("regrettable")
    await expect(at_bob.message("regrettable")).to_be_visible()
    await at_ada.message_menu("regrettable", "Delete")
    await expect(at_ada.dialog).to_contain_text("regrettable")
    await at_ada.confirm("Delete")
    for tab in (at_ada, at_bob):
        await expect(tab.message("Message deleted")).to_be_visible()
        await expect(tab.page.get_by_text("regrettable")).to_have_count(0)


async def test_read_here_is_read_in_the_other_tab_within_a_second(world: World, open_as: Open) -> None:
    ada, bob, room = await two_people(world)
    side = await world.room(ada, "side", bob)
    one = await open_as(bob, f"/rooms/{side}")
    other = await open_as(bob, f"/rooms/{side}", beside=one)
    async with ada.socket() as at_ada:
        await at_ada.post(room, "news")
    for tab in (one, other):
        await expect(tab.row("general")).to_have_accessible_name("general 1 unread")
    async with one.page.expect_event("websocket") as opened:
        await one.page.reload()
    socket = await opened.value
    async with socket.expect_event("framesent", lambda frame: "room.read" in str(frame)):
        await one.row("general").click()
    await expect(other.row("general")).to_have_accessible_name("general", timeout=1000)
    await expect(one.row("general")).to_have_accessible_name("general")

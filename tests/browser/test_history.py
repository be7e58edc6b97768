"""Reading back: history loads where the reader is, without moving what they read, and the way back to the newest."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.tab import Tab
from tests.conftest import World
from tests.people import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Scrolls up so far that the beginning of what is loaded is near, and says where that message is then.
SCROLL_UP = """(scroller) => {
    scroller.scrollTop = -(scroller.scrollHeight - scroller.clientHeight - 400);
    const rows = [...scroller.querySelectorAll("[data-message]")];
    const top = scroller.getBoundingClientRect().top;
    const row = rows.find((one) => one.getBoundingClientRect().top >= top);
    return { id: row.dataset.message, y: row.getBoundingClientRect().top, rows: rows.length };
}"""


async def long_room(world: World, count: int) -> tuple[Person, Person, int]:
    ada, bob = await world.person("ada", "owner", "Ada Lovelace"), await world.person("bob", name="Bob Noyce")
    room = await world.room(ada, "general", bob)
    async with bob.socket() as at_bob:
        for number in range(1, count + 1):
            await at_bob.post(room, f"message {number:03}\n" + "and another line\n" * (number % 3) + "end")
    await ada.api("POST", f"/rooms/{room}/read", {"seq": await world.last_seq(room)})
    return ada, bob, room


async def test_history_loads_upwards_without_a_jump(world: World, open_as: Open) -> None:
    ada, _, room = await long_room(world, 180)
    tab = await open_as(ada, f"/rooms/{room}")
    await expect(tab.message("message 180")).to_be_in_viewport()
    for _ in range(3):
        before = await tab.log.evaluate(SCROLL_UP)
        await expect(tab.messages).not_to_have_count(before["rows"])
        box = await tab.log.locator(f"[data-message='{before['id']}']").bounding_box()
        assert box is not None
        assert abs(box["y"] - before["y"]) <= 1, "what was read has moved"
    await scroll_to_beginning(tab)
    await expect(tab.log.get_by_text("This is the beginning of")).to_be_in_viewport()
    await expect(tab.message("message 001")).to_be_visible()


async def scroll_to_beginning(tab: Tab) -> None:
    beginning = tab.log.get_by_text("This is the beginning of")
    while not await beginning.count():
        first = await tab.messages.first.get_attribute("data-message")
        await tab.log.evaluate("scroller => { scroller.scrollTop = -scroller.scrollHeight }")
        await expect(tab.log.locator(f"[data-message='{first}']")).to_be_attached()
        await expect(tab.messages.first.or_(beginning).first).to_be_attached()
    await tab.log.evaluate("scroller => { scroller.scrollTop = -scroller.scrollHeight }")


async def test_who_reads_back_is_not_disturbed_and_finds_the_newest_by_a_button(world: World, open_as: Open) -> None:
    ada, bob, room = await long_room(world, 60)
    tab = await open_as(ada, f"/rooms/{room}")
    await expect(tab.message("message 060")).to_be_in_viewport()
    before = await tab.log.evaluate(SCROLL_UP)
    await expect(tab.page.get_by_role("button", name="Newest messages")).to_be_visible()
    async with bob.socket() as at_bob:
        for text in ("one", "two", "three"):
            await at_bob.post(room, f"meanwhile {text}")
    button = tab.page.get_by_role("button", name="3 new messages")
    await expect(button).to_be_visible()
    await expect(tab.row("general")).to_have_accessible_name("general 3 unread")
    still = await tab.log.locator(f"[data-message='{before['id']}']").bounding_box()
    assert still is not None
    assert abs(still["y"] - before["y"]) <= 1
    await button.click()
    await expect(tab.message("meanwhile three")).to_be_in_viewport()
    await expect(tab.new_line).to_be_attached()
    await expect(tab.row("general")).to_have_accessible_name("general")
    await expect(tab.page.get_by_role("button", name="new message")).to_have_count(0)


async def test_a_room_opens_at_the_first_unread_message(world: World, open_as: Open) -> None:
    ada, bob, room = await long_room(world, 60)
    async with bob.socket() as at_bob:
        for number in range(80):
            await at_bob.post(room, f"unread {number} end\n" * 2)
    tab = await open_as(ada, f"/rooms/{room}")
    await expect(tab.new_line).to_be_in_viewport()
    await expect(tab.message("unread 0 end")).to_be_in_viewport()
    await expect(tab.row("general")).to_have_accessible_name("general 80 unread")
    await tab.page.get_by_role("button", name="Newest messages").click()
    await expect(tab.message("unread 79 end")).to_be_in_viewport()
    await expect(tab.row("general")).to_have_accessible_name("general")


async def test_a_link_to_a_message_opens_at_it(world: World, open_as: Open) -> None:
    ada, _, room = await long_room(world, 150)
    messages = (await ada.api("GET", f"/rooms/{room}/messages?before=40&limit=1"))["messages"]
    tab = await open_as(ada, f"/rooms/{room}/at/{messages[0]['seq']}")
    await expect(tab.log.locator(f"[data-message='{messages[0]['id']}']")).to_be_in_viewport()
    await expect(tab.message("message 150")).to_have_count(0)
    await tab.page.get_by_role("button", name="Newest messages").click()
    await expect(tab.message("message 150")).to_be_in_viewport()

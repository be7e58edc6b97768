"""Connections end, servers die, tabs close: nobody has to reload, and what was written is sent, once."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.site import LOST_CONNECTIONS, Site, two_people
from tests.browser.tab import Tab
from tests.people import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.may_print(*LOST_CONNECTIONS),
]


async def in_room(open_as: Open, person: Person, room: int, beside: Tab | None = None) -> Tab:
    """A tab with the room's messages in it."""
    tab = await open_as(person, f"/rooms/{room}", beside=beside)
    await expect(tab.line("made this room")).to_be_visible()
    return tab


async def texts(person: Person, room: int) -> list[str]:
    """What the room holds, in order."""
    listed = await person.api("GET", f"/rooms/{room}/messages")
    return [message["text"] for message in listed["messages"] if "kind" not in message]


async def same_page(tab: Tab) -> None:
    """Marks the page, so that a reload would be noticed."""
    await tab.page.evaluate("window.stayed = true")


async def stayed(tab: Tab) -> bool:
    answer: bool = await tab.page.evaluate("window.stayed === true")
    return answer


@pytest.mark.parametrize("how", ["terminate", "kill"])
async def test_a_restart_is_survived_without_a_reload(site: Site, open_as: Open, how: str) -> None:
    ada, bob, room = await two_people(site)
    tab = await in_room(open_as, ada, room)
    await tab.say("before")
    await same_page(tab)
    await (site.terminate() if how == "terminate" else site.kill())
    await expect(tab.banner).to_be_visible()
    await tab.write("while it was away")
    await expect(tab.pending).to_contain_text("Will be sent when you are back online")
    async with bob.socket() as at_bob:
        await at_bob.post(room, "bob did not wait")
    await site.start()
    await expect(tab.message("bob did not wait")).to_be_visible(timeout=45_000)
    await expect(tab.message("while it was away")).to_be_visible()
    await expect(tab.pending).to_have_count(0)
    await expect(tab.banner).to_be_hidden()
    assert await stayed(tab)
    expected = ["before", "bob did not wait", "while it was away"]
    assert await texts(bob, room) == expected
    await expect(tab.messages.locator("[dir=auto]")).to_have_text(expected)


async def test_who_does_not_want_to_wait_presses_a_button(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await in_room(open_as, ada, room)
    await site.kill()
    await expect(tab.banner).to_contain_text("Trying again")
    await site.start()
    await tab.page.get_by_role("button", name="Try now").or_(tab.rooms.get_by_text("Online", exact=True)).first.click()
    await expect(tab.banner).to_be_hidden()


async def test_offline_is_said_and_what_was_written_goes_out_afterwards(site: Site, open_as: Open) -> None:
    ada, bob, room = await two_people(site)
    tab = await in_room(open_as, ada, room)
    await tab.page.context.set_offline(True)
    await site.kill()
    await expect(tab.banner).to_contain_text("You are offline")
    await tab.write("from the tunnel")
    await site.start()
    await tab.page.context.set_offline(False)
    await expect(tab.message("from the tunnel")).to_be_visible()
    assert await texts(bob, room) == ["from the tunnel"]


async def test_the_outbox_survives_closing_the_page(site: Site, open_as: Open) -> None:
    ada, bob, room = await two_people(site)
    tab = await in_room(open_as, ada, room)
    await site.kill()
    await expect(tab.banner).to_be_visible()
    await tab.write("one")
    await tab.write("two")
    await expect(tab.pending).to_have_count(2)
    keeper = await tab.page.context.new_page()
    await tab.page.close()
    await site.start()
    again = await open_as(ada, f"/rooms/{room}", beside=Tab(keeper, ada, site.base))
    await expect(again.messages.locator("[dir=auto]")).to_have_text(["one", "two"])
    await expect(again.pending).to_have_count(0)
    assert await texts(bob, room) == ["one", "two"]


async def test_two_tabs_empty_the_outbox_once(site: Site, open_as: Open) -> None:
    ada, bob, room = await two_people(site)
    one = await in_room(open_as, ada, room)
    other = await in_room(open_as, ada, room, beside=one)
    await site.kill()
    written = [f"message {number}" for number in range(6)]
    for number, text in enumerate(written):
        tab = (one, other)[number % 2]
        await expect(tab.banner).to_be_visible()
        await tab.write(text)
        for seen in (one, other):
            await expect(seen.pending).to_have_count(number + 1)
    await site.start()
    for tab in (one, other):
        await expect(tab.messages.locator("[dir=auto]")).to_have_text(written, timeout=45_000)
        await expect(tab.pending).to_have_count(0)
    assert await texts(bob, room) == written


async def test_a_message_that_the_server_refuses_says_why_and_can_be_taken_back(site: Site, open_as: Open) -> None:
    ada, _, room = await two_people(site)
    tab = await in_room(open_as, ada, room)
    await site.kill()
    await expect(tab.banner).to_be_visible()
    await tab.write("too late")
    await site.world.people[0].api("POST", f"/rooms/{room}/archive", {"archived": True})
    await site.start()
    failed = tab.pending.get_by_role("alert")
    await expect(failed).to_contain_text("Not sent.", timeout=45_000)
    await expect(failed).to_contain_text(re.compile("archived"))
    await failed.get_by_role("button", name="Delete").click()
    await expect(tab.pending).to_have_count(0)

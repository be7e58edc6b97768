"""Without the server: the client starts, shows what it knows, takes what is written, and sends it later, once."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.conftest import Open, launch_options
from tests.browser.site import LOST_CONNECTIONS, Site, two_people
from tests.browser.storage import installed, kept, open_without_server, written_down
from tests.browser.tab import Tab
from tests.browser.watch import Watch
from tests.people import Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.may_print(*LOST_CONNECTIONS, r"the server responded with a status of 503"),
]

AT_THE_DOOR = re.compile("/sign-in")
LONG = 45_000  # milliseconds: the longest wait between two tries, and some


async def texts(person: Person, room: int) -> list[str]:
    """What the room holds, in order."""
    listed = await person.api("GET", f"/rooms/{room}/messages")
    return [message["text"] for message in listed["messages"] if "kind" not in message]


Cut = Callable[[Site, BrowserContext], Awaitable[None]]


async def kill(site: Site, context: BrowserContext) -> None:
    await site.kill()


async def start(site: Site, context: BrowserContext) -> None:
    await site.start()


async def disconnect(site: Site, context: BrowserContext) -> None:
    await context.set_offline(True)


async def connect(site: Site, context: BrowserContext) -> None:
    await context.set_offline(False)


@pytest.mark.parametrize(
    ("cut", "mend"), [(kill, start), (disconnect, connect)], ids=["server killed", "network cut off"]
)
async def test_what_is_written_without_the_server_survives_the_page_and_is_sent_once_in_order(
    site: Site, open_as: Open, cut: Cut, mend: Cut
) -> None:
    ada, bob, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("before")
    await installed(tab.page)
    await kept(tab.page, "before")
    context = tab.page.context
    await cut(site, context)
    await expect(tab.banner).to_be_visible()
    await tab.write("one")
    await tab.write("two")
    await expect(tab.pending).to_have_count(2)
    await context.new_page()  # Chromium ends with its last page
    await tab.page.close()
    again = await open_without_server(context, ada, f"/rooms/{room}")
    await expect(again.heading("general")).to_be_visible()
    await expect(again.banner).to_be_visible()
    await expect(again.message("before")).to_be_visible()
    await expect(again.pending).to_have_count(2)
    await again.write("three")
    await expect(again.pending.locator("[dir=auto]")).to_have_text(["one", "two", "three"])
    await again.page.evaluate("window.stayed = true")
    async with bob.socket() as at_bob:
        await at_bob.post(room, "bob was here")
    await mend(site, context)
    expected = ["before", "bob was here", "one", "two", "three"]
    await expect(again.messages.locator("[dir=auto]")).to_have_text(expected, timeout=LONG)
    await expect(again.pending).to_have_count(0)
    await expect(again.banner).to_be_hidden()
    assert await again.page.evaluate("window.stayed")
    assert await texts(bob, room) == expected


@asynccontextmanager
async def whole_browser(browser: Browser, folder: Path, base: str) -> AsyncIterator[tuple[BrowserContext, Watch]]:
    """A browser with its own profile, which is still in the folder after it was closed."""
    context = await browser.browser_type.launch_persistent_context(folder, **launch_options())
    watch = Watch(base)
    await watch.follow(context)
    yield context, watch
    await context.close()
    patterns = [pattern for mark in pytestmark if getattr(mark, "name", "") == "may_print" for pattern in mark.args]
    assert not watch.faults(patterns)


async def test_the_browser_itself_may_be_closed_meanwhile(site: Site, browser: Browser, tmp_path: Path) -> None:
    ada, bob, room = await two_people(site)
    name, _, value = ada.cookie.partition("=")
    async with whole_browser(browser, tmp_path / "profile", site.base) as (context, _):
        later = timedelta(days=14).total_seconds()
        now: float = await context.pages[0].evaluate("Date.now() / 1000")
        await context.add_cookies([{"name": name, "value": value, "url": site.base, "expires": now + later}])
        tab = Tab(context.pages[0], ada, site.base)
        await tab.go(f"/rooms/{room}")
        await tab.say("before")
        await installed(tab.page)
        await kept(tab.page, "before")
        await site.kill()
        await expect(tab.banner).to_be_visible()
        await tab.write("one")
        await tab.write("two")
        await expect(tab.pending).to_have_count(2)
        await written_down(tab.page, "two")
    async with whole_browser(browser, tmp_path / "profile", site.base) as (context, _):
        tab = await open_without_server(context, ada, "/")
        await tab.row("general").click()
        await expect(tab.message("before")).to_be_visible()
        await expect(tab.pending.locator("[dir=auto]")).to_have_text(["one", "two"])
        await site.start()
        await expect(tab.messages.locator("[dir=auto]")).to_have_text(["before", "one", "two"], timeout=LONG)
    assert await texts(bob, room) == ["before", "one", "two"]


async def test_two_tabs_that_started_without_the_server_empty_the_outbox_once(site: Site, open_as: Open) -> None:
    ada, bob, room = await two_people(site)
    first = await open_as(ada, f"/rooms/{room}")
    await installed(first.page)
    await site.kill()
    context = first.page.context
    one, other = [await open_without_server(context, ada, f"/rooms/{room}") for _ in range(2)]
    await first.page.close()
    written = [f"message {number}" for number in range(6)]
    for number, text in enumerate(written):
        await (one, other)[number % 2].write(text)
        for tab in (one, other):
            await expect(tab.pending).to_have_count(number + 1)
    await site.start()
    for tab in (one, other):
        await expect(tab.messages.locator("[dir=auto]")).to_have_text(written, timeout=LONG)
        await expect(tab.pending).to_have_count(0)
    assert await texts(bob, room) == written


async def test_a_room_that_was_never_open_here_says_so_and_takes_messages(site: Site, open_as: Open) -> None:
    ada, bob, room = await two_people(site)
    side = await site.world.room(bob, "side", site.world.people[0])
    async with bob.socket() as at_bob:
        await at_bob.post(side, "not seen yet")
    tab = await open_as(ada, f"/rooms/{room}")
    await installed(tab.page)
    await site.kill()
    tab = await open_without_server(tab.page.context, ada, f"/rooms/{side}")
    await expect(tab.log).to_contain_text("The messages of this room come as soon as there is a connection.")
    await tab.write("are you there?")
    await expect(tab.pending).to_have_text(re.compile("are you there?"))
    await site.start()
    await expect(tab.messages.locator("[dir=auto]")).to_have_text(["not seen yet", "are you there?"], timeout=LONG)


@asynccontextmanager
async def instead_of(site: Site, answer: bytes) -> AsyncIterator[None]:
    """Something else listens where the server was: it takes every connection and says this, or nothing at all."""
    ended = asyncio.Event()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        if not answer:
            await ended.wait()
        writer.close()

    async with await asyncio.start_server(meet, "127.0.0.1", site.port):
        yield
        ended.set()


BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("answer", [b"", BUSY], ids=["silent", "a proxy's 503"])
async def test_a_server_that_does_not_serve_keeps_nobody_waiting(site: Site, open_as: Open, answer: bytes) -> None:
    ada, _, room = await two_people(site)
    tab = await open_as(ada, f"/rooms/{room}")
    await tab.say("before")
    await installed(tab.page)
    await kept(tab.page, "before")
    await site.kill()
    async with instead_of(site, answer):
        again = await open_without_server(tab.page.context, ada, f"/rooms/{room}")
        await expect(again.message("before")).to_be_visible()
    await site.start()
    await expect(again.banner).to_be_hidden(timeout=LONG)


@pytest.mark.parametrize(
    "script",
    [
        "delete Navigator.prototype.serviceWorker",
        "if (navigator.serviceWorker) navigator.serviceWorker.register = () => Promise.reject(new Error('not here'))",
    ],
    ids=["none", "refused"],
)
async def test_a_browser_without_a_service_worker_chats_all_the_same(site: Site, open_as: Open, script: str) -> None:
    ada, bob, room = await two_people(site)
    tab = await open_as(ada)
    await tab.page.context.add_init_script(script)
    again = await open_as(ada, f"/rooms/{room}", beside=tab)
    await again.say("hello")
    await again.menu("Roomful", "Sign out")
    await expect(again.page).to_have_url(AT_THE_DOOR)
    assert await texts(bob, room) == ["hello"]

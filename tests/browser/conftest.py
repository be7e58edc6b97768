"""A real Chromium for each worker, a context for each person, and a watch on what must never happen in a page."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ViewportSize, async_playwright, expect

from chat.app import Server
from tests.browser.site import Site, free_port
from tests.browser.tab import Tab
from tests.browser.watch import Watch
from tests.conftest import World, settings_with
from tests.people import Person

CHECKOUT = Path(__file__).parents[2]
STATIC = CHECKOUT / "chat" / "static"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
# Two workers on two busy cores: what takes long is still right, and what a test says of time it measures itself.
PATIENCE = 15_000  # milliseconds

# No word with anybody but the server under test: neither the browser itself nor a page finds another host.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--no-first-run",
]


class Open(Protocol):
    async def __call__(
        self,
        person: Person | None = None,
        path: str = "/",
        *,
        phone: bool = False,
        dark: bool = False,
        beside: Tab | None = None,
        **options: Any,
    ) -> Tab: ...


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "may_print(*patterns): the browser's console may show these errors")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session", autouse=True)
def built_client() -> None:
    if not (STATIC / "index.html").exists():
        pytest.fail("The browser client is not built: `make run` builds it, and so does `npm --prefix web run build`.")


def launch_options() -> dict[str, Any]:
    """The system's Chromium, or else Playwright's own, and how it is started."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return {"executable_path": found, "args": [*ARGUMENTS, "--no-sandbox"] if os.getuid() == 0 else ARGUMENTS}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(**launch_options())
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def world(database_url: str, tmp_path: Path) -> AsyncIterator[World]:
    """The server, in the loop that the browser is driven from."""
    server = Server(settings_with(DATA_DIR=str(tmp_path)), database_url)
    await server.start()
    yield World(server)
    await server.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def site(world: World, database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """A server in a process of its own, which can be killed, beside the one in which people are made."""
    found = Site(world, database_url, tmp_path, free_port())
    await found.start()
    yield found
    await found.kill()


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    """The address of the server under test: of the process, where a test has one."""
    found = request.getfixturevalue("site" if "site" in request.fixturenames else "world")
    address: str = found.base
    return address


async def with_session(context: BrowserContext, person: Person) -> None:
    name, _, value = person.cookie.partition("=")
    await context.add_cookies([{"name": name, "value": value, "url": person.base, "httpOnly": True, "sameSite": "Lax"}])


@pytest_asyncio.fixture(loop_scope="session")
async def open_as(browser: Browser, base: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a page as a person who is signed in, or as a stranger: in a context of their own, or `beside` another tab
    of theirs. Further options are those of Playwright's new_context. Afterwards nothing must have gone wrong in any."""
    watch = Watch(base)
    tabs: list[Tab] = []
    contexts: list[BrowserContext] = []

    async def open_(
        person: Person | None = None,
        path: str = "/",
        *,
        phone: bool = False,
        dark: bool = False,
        beside: Tab | None = None,
        **options: Any,
    ) -> Tab:
        if beside is None:
            look: dict[str, Any] = {"viewport": DESK, "color_scheme": "dark" if dark else "light", "locale": "en-GB"}
            if phone:
                look |= {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
            context = await browser.new_context(**look | options)
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
            await watch.follow(context)
            if person is not None:
                await with_session(context, person)
        else:
            context = beside.page.context
        tab = Tab(await context.new_page(), person, base)
        tabs.append(tab)
        await tab.go(path)
        return tab

    yield open_
    if request.node.stash.get(FAILED, False):
        for number, tab in enumerate(tabs):
            if not tab.page.is_closed():
                await tab.page.screenshot(path=tmp_path / f"tab-{number}.png")
        print(f"What the tabs showed: {tmp_path}/tab-*.png")  # noqa: T201
    for context in contexts:
        await context.close()
    allowed = [pattern for marker in request.node.iter_markers("may_print") for pattern in marker.args]
    faults = watch.faults(allowed)
    assert not faults, "in the browser:\n" + "\n".join(faults)

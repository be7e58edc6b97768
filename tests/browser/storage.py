"""What a page has stored in its browser, and pages that start from it."""

import asyncio
from collections.abc import Awaitable, Callable

from playwright.async_api import BrowserContext, Page

from tests.browser.tab import Tab
from tests.people import Person

# Resolves when the client is kept whole: the worker comes into force after its cache is filled.
INSTALLED = "async () => (await navigator.serviceWorker.ready).active.state"
CACHED = """async () => {
    const found = {};
    for (const name of await caches.keys())
        found[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
    return found;
}"""
# By database and table: all records.
STORED = """async () => {
    const found = {};
    for (const { name } of await indexedDB.databases()) {
        const database = await new Promise((done, failed) => {
            const asked = indexedDB.open(name);
            asked.onsuccess = () => done(asked.result);
            asked.onerror = () => failed(asked.error);
        });
        for (const table of database.objectStoreNames)
            found[`${name}/${table}`] = await new Promise((done) => {
                const asked = database.transaction(table).objectStore(table).getAll();
                asked.onsuccess = () => done(asked.result);
            });
        database.close();
    }
    return found;
}"""


async def installed(page: Page) -> None:
    assert await page.evaluate(INSTALLED) in ("activating", "activated")


async def kept(page: Page, text: str) -> None:
    """Waits until this browser could show the text without the server."""

    async def stored() -> bool:
        return text in str((await page.evaluate(STORED)).get("roomful-kept/pages"))

    await eventually(stored)


async def written_down(page: Page, text: str) -> None:
    """Waits until the unsent message is where closing the browser does not reach it."""

    async def stored() -> bool:
        return text in str((await page.evaluate(STORED)).get("roomful/outbox"))

    await eventually(stored)


async def nothing_kept(page: Page) -> None:
    async def empty() -> bool:
        return not await page.evaluate(CACHED) and not any((await page.evaluate(STORED)).values())

    await eventually(empty)


async def open_without_server(context: BrowserContext, person: Person, path: str) -> Tab:
    """A new page: what it shows comes from this browser."""
    tab = Tab(await context.new_page(), person, person.base)
    await tab.page.goto(tab.base + path)
    return tab


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await holds():  # noqa: ASYNC110 - the doing of a browser
            await asyncio.sleep(0.05)

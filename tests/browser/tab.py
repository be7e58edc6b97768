"""One tab of one person: what they see of Roomful, and what they do there."""

import re
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from tests.people import Person


@dataclass
class Tab:
    page: Page
    person: Person | None
    base: str

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Message "))

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def messages(self) -> Locator:
        """Those that are stored, in order; what is on its way has no number yet."""
        return self.log.locator("[data-message]")

    @property
    def pending(self) -> Locator:
        return self.log.locator("article:not([data-message])")

    @property
    def rooms(self) -> Locator:
        return self.page.locator("#rooms")

    @property
    def panel(self) -> Locator:
        return self.page.locator("#panel")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def banner(self) -> Locator:
        """What is said about the connection while there is none."""
        return self.page.locator("#main [role=status]", has_text="Messages you write are kept")

    @property
    def new_line(self) -> Locator:
        return self.log.locator("[data-new]")

    @property
    def typing(self) -> Locator:
        return self.page.locator("#main").get_by_text(re.compile("typing…"))

    def message(self, text: str) -> Locator:
        return self.messages.filter(has_text=text)

    def line(self, text: str) -> Locator:
        """A line about the room."""
        return self.log.locator("p", has_text=text)

    def row(self, room: str) -> Locator:
        """The room in the sidebar."""
        name = self.page.locator("bdi").get_by_text(room, exact=True)
        return self.rooms.get_by_role("listitem").get_by_role("link").filter(has=name)

    def heading(self, title: str) -> Locator:
        return self.page.get_by_role("heading", level=1, name=title, exact=True)

    async def go(self, path: str) -> None:
        """As by a link from outside: the page is loaded anew."""
        await self.page.goto(self.base + path)
        if self.person is not None:
            await self.connected()

    async def connected(self) -> None:
        await expect(self.rooms.get_by_text("Online", exact=True)).to_be_attached()

    async def enter(self, room: str) -> None:
        """Through the sidebar."""
        await self.row(room).click()
        await expect(self.heading(room)).to_be_visible()
        await expect(self.composer).to_be_visible()

    async def write(self, text: str) -> None:
        """Types it and presses Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def say(self, text: str) -> None:
        """Writes it and sees it sent."""
        await self.write(text)
        await expect(self.message(text)).to_be_visible()

    async def menu(self, button: str, item: str) -> None:
        """Opens the menu behind a button and chooses from it."""
        await self.page.get_by_role("button", name=button, exact=True).click()
        menu = self.page.get_by_role("menu", name=button, exact=True)
        await (
            menu.get_by_role("menuitem", name=named(item))
            .or_(menu.get_by_role("menuitemcheckbox", name=named(item)))
            .click()
        )

    async def message_menu(self, text: str, item: str) -> None:
        message = self.message(text)
        await message.hover()
        await message.get_by_role("button", name="More").click()
        await self.page.get_by_role("menuitem", name=named(item)).click()

    async def confirm(self, action: str) -> None:
        await self.dialog.get_by_role("button", name=action, exact=True).click()
        await expect(self.dialog).to_be_hidden()


def named(item: str) -> re.Pattern[str]:
    """An entry of a menu; those that ask first end in three dots."""
    return re.compile(rf"^{re.escape(item)}…?$")

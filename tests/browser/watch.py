"""What must never happen in a page, whatever a test is about: errors, dialogs, refused content, other hosts."""

import asyncio
import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, WebError, WebSocket

# Chromium prints a refused piece of content; this makes sure of those it would only report.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watch:
    """Notes what goes wrong in the contexts that it follows. `base` is the only address that a page may ask."""

    def __init__(self, base: str) -> None:
        self._host = urlsplit(base).netloc
        self._faults: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(self, context: BrowserContext) -> None:
        await context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._printed)
        context.on("weberror", self._threw)
        context.on("dialog", self._asked)
        context.on("request", self._requested)
        context.on("page", self._opened)

    def faults(self, allowed: list[str]) -> list[str]:
        """Everything noted that fits none of the patterns."""
        return [fault for fault in self._faults if not any(re.search(pattern, fault) for pattern in allowed)]

    def _printed(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert"):
            self._faults.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _threw(self, error: WebError) -> None:
        self._faults.append(f"thrown: {error.error}")

    def _asked(self, dialog: Dialog) -> None:
        self._faults.append(f"dialog: {dialog.type} {dialog.message}")
        task = asyncio.create_task(dialog.dismiss())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _requested(self, request: Request) -> None:
        self._check(request.url)

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _connected(self, socket: WebSocket) -> None:
        self._check(socket.url)

    def _check(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self._host:
            self._faults.append(f"request to another host: {address}")

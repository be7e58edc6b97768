"""The page in which the browser client runs, for whoever is signed in; everybody else is sent to sign in."""

from urllib.parse import quote

from tornado.routing import URLSpec

from chat.handlers.base import PageDoor
from chat.handlers.services import Services
from chat.handlers.templates import Templates

# The addresses that the client's router knows: see web/src/lib/router.svelte.ts.
CLIENT_ROUTES = r"/(?:(?:browse|people|rooms|settings)(?:/.*)?)?"


class Shell(PageDoor):
    route = "client"

    async def get(self) -> None:
        if await self.load_session() is None:
            here = self.request.uri or "/"
            self.go_to("/sign-in" if here == "/" else f"/sign-in?next={quote(here, safe='/')}")
            return
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(self.templates.shell())

    async def head(self) -> None:
        await self.get()


def routes(services: Services, templates: Templates) -> list[URLSpec]:
    return [URLSpec(CLIENT_ROUTES, Shell, {"services": services, "templates": templates})]

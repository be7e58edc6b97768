"""The built client's files: what changes its name with its content may be kept for ever, the rest is asked for."""

import mimetypes
from pathlib import Path

from tornado.routing import URLSpec
from tornado.web import StaticFileHandler

from chat.handlers.base import Door
from chat.handlers.services import Services
from chat.handlers.templates import Templates

# Said here because the machine's own table may know other types, and browsers run nothing of a wrong one.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
A_YEAR = 365 * 24 * 60 * 60
# What browsers and robots ask for at the top. A service worker reaches no further than the folder that it is in.
AT_THE_TOP = r"/(favicon\.ico|favicon\.svg|robots\.txt|service-worker\.js|manifest\.webmanifest)"


class Static(Door, StaticFileHandler):
    """Files below chat/static. A browser asks for many at once, so that they do not count against its address."""

    is_limited = False

    def initialize(self, services: Services, path: str) -> None:  # type: ignore[override]  # as routes() has it
        Door.initialize(self, services)
        StaticFileHandler.initialize(self, path)

    def set_extra_headers(self, path: str) -> None:
        if path.startswith("assets/"):
            self.set_header("Cache-Control", f"public, max-age={A_YEAR}, immutable")
        else:
            self.set_header("Cache-Control", "no-cache")

    def compute_etag(self) -> str:
        """Of the content as it is: Tornado remembers it while the process lives, and would miss a new build."""
        assert self.absolute_path is not None, "Tornado has found the file"
        return f'"{self.get_content_version(self.absolute_path)}"'

    def get_content_type(self) -> str:
        assert self.absolute_path is not None, "Tornado has found the file"
        suffix = Path(self.absolute_path).suffix
        return TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")

    def get_cache_time(self, path: str, modified: object, mime_type: str) -> int:
        """`set_extra_headers` says it all."""
        return 0


def routes(services: Services, templates: Templates) -> list[URLSpec]:
    files = {"services": services, "path": str(templates.static)}
    return [URLSpec("/static/(.*)", Static, files), URLSpec(AT_THE_TOP, Static, files)]

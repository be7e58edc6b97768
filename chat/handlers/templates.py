"""The pages' templates, and the addresses of the built files that they and the client's shell need."""

from importlib.resources import files
from pathlib import Path

import msgspec
import tornado.template

from chat.errors import Internal

NOT_BUILT = "The browser client is not built. In a checkout, `make run` builds it."


class Entry(msgspec.Struct):
    """What Vite's manifest says of one source file."""

    file: str


def static_folder() -> Path:
    """Where Vite put the built client: in the package, in a checkout and in a wheel alike."""
    return Path(str(files("chat") / "static"))


def template_folder() -> Path:
    """The templates: inside the package when installed, beside it in a checkout."""
    package = Path(str(files("chat")))
    for place in (package / "templates", package.parent / "web" / "templates"):
        if (place / "base.html").is_file():
            return place
    raise FileNotFoundError(
        f"The page templates are missing: looked in {package} and beside it. Install Roomful again."
    )


class Templates:
    """Loads templates, and built files by the name of their source; sees when the client was built anew."""

    def __init__(self, static: Path | None = None) -> None:
        self.static = static or static_folder()
        self.loader = tornado.template.Loader(str(template_folder()))
        # What the workspace was called when a page asked last: for error pages, which ask nothing.
        self.workspace_name = "Roomful"
        self._manifest: dict[str, Entry] = {}
        self._shell = b""
        self._built_at = 0

    def asset(self, name: str) -> str:
        """`pages.css` → `/static/assets/pages-C0ffee.css`."""
        self._look_again()
        return f"/static/{self._manifest[f'src/{name}'].file}"

    def shell(self) -> bytes:
        """The page in which the browser client runs."""
        self._look_again()
        return self._shell

    def _look_again(self) -> None:
        manifest = self.static / "manifest.json"
        try:
            built_at = manifest.stat().st_mtime_ns
            if built_at != self._built_at:
                self._manifest = msgspec.json.decode(manifest.read_bytes(), type=dict[str, Entry])
                self._shell = (self.static / "index.html").read_bytes()
                self._built_at = built_at
        except FileNotFoundError:
            raise Internal(NOT_BUILT) from None

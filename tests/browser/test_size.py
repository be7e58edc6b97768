"""What the built client weighs and holds: little JavaScript, nothing inline, no foreign host, no markup from text."""

import re
from html.parser import HTMLParser

import pytest

from tests.browser.conftest import CHECKOUT, STATIC, Open
from tests.conftest import World

# Of compressed JavaScript before a room can be read, in bytes.
FIRST_LOAD = 100 * 1024
# Named in code and never asked for: where Svelte explains its errors, and the names of the markup's languages.
NAMES = re.compile(r"https?://(svelte\.dev/e/|www\.w3\.org/)")


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_first_load_is_light(world: World, open_as: Open) -> None:
    ada = await world.person("ada", "owner")
    tab = await open_as(ada, f"/rooms/{await world.room(ada, 'general')}")
    sizes = await tab.page.evaluate(
        """() => performance.getEntriesByType("resource").filter((entry) => /\\.js$/.test(new URL(entry.name).pathname))
            .map((entry) => [entry.encodedBodySize, entry.decodedBodySize])"""
    )
    sent, unpacked = (sum(column) for column in zip(*sizes, strict=True))
    assert 0 < sent <= FIRST_LOAD, f"{sent} bytes of JavaScript"
    assert sent < unpacked / 2, "it was sent uncompressed"


class Inline(HTMLParser):
    """Finds what the content security policy would refuse."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]


def test_nothing_is_inline() -> None:
    pages = [STATIC / "index.html", *(CHECKOUT / "web" / "templates").glob("*.html")]
    assert len(pages) > 1
    assert {page.name: found for page in pages if (found := Inline(page.read_text(encoding="utf-8")).found)} == {}


def test_the_built_client_names_no_other_host() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in (".html", ".js", ".css", ".svg", ".json")]
    assert len(files) > 3
    for path in files:
        text = NAMES.sub("", path.read_text(encoding="utf-8"))
        assert re.findall(r"(?:https?:)?//[\w-]+\.[a-z]{2,}[^\s\"'`]{0,40}", text) == [], path.name


def test_no_component_makes_markup_from_text() -> None:
    sources = [path for path in (CHECKOUT / "web" / "src").rglob("*") if path.suffix in (".svelte", ".ts")]
    assert len(sources) > 10
    ways = re.compile(r"\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [path.name for path in sources if ways.search(path.read_text(encoding="utf-8"))] == []

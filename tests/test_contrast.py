"""The design tokens: colours against WCAG 2.2 AA, by day and by night, and used by name only."""

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parent.parent / "web"
TOKENS = WEB / "src" / "styles" / "tokens.css"

# Least contrast: of text (success criterion 1.4.3), and of edges, signs and the focus ring (1.4.11).
TEXT = 4.5
PART = 3.0

# Front and back by the tokens' names. "hover over sheet" is a translucent colour lying on another one.
PAIRS: list[tuple[str, str, float]] = [
    *(("text", back, TEXT) for back in ("sheet", "backdrop", "raised", "sunken", "selected")),
    *(("text", back, TEXT) for back in ("accent-soft", "attention-soft", "danger-soft", "ok-soft")),
    *(("text", f"{veil} over {back}", TEXT) for veil in ("hover", "press") for back in ("sheet", "backdrop", "raised")),
    *(("text-soft", back, TEXT) for back in ("sheet", "backdrop", "raised", "sunken", "accent-soft", "attention-soft")),
    *(("text-soft", f"hover over {back}", TEXT) for back in ("sheet", "backdrop", "raised")),
    *(("text-quiet", back, TEXT) for back in ("sheet", "backdrop", "raised", "sunken", "attention-soft")),
    *(("text-quiet", f"hover over {back}", TEXT) for back in ("sheet", "backdrop")),
    *(("accent-text", back, TEXT) for back in ("sheet", "raised", "sunken", "accent-soft", "attention-soft")),
    *(("accent-text", f"hover over {back}", TEXT) for back in ("sheet", "raised")),
    *(("on-accent", back, TEXT) for back in ("accent", "accent-hover", "accent-press")),
    *(("on-danger", back, TEXT) for back in ("danger", "danger-hover", "danger-press")),
    *(
        ("danger-text", back, TEXT)
        for back in ("sheet", "raised", "danger-soft", "hover over sheet", "hover over raised")
    ),
    *(("attention-text", back, TEXT) for back in ("attention-soft", "sheet")),
    *(("ok-text", back, TEXT) for back in ("ok-soft", "raised")),
    ("on-attention", "attention", TEXT),
    ("on-mark", "mark", TEXT),
    *((f"code-{kind}", "sunken", TEXT) for kind in ("word", "string", "number", "quiet")),
    *((f"person-{number}-ink", f"person-{number}", TEXT) for number in range(1, 9)),
    *(("line-strong", back, PART) for back in ("sheet", "raised")),
    *(("danger-text", back, PART) for back in ("sheet", "raised")),
    *(("focus", back, PART) for back in ("sheet", "backdrop", "raised", "sunken", "selected", "attention-soft")),
    *(("accent", back, PART) for back in ("sheet", "raised")),
    *(("danger", back, PART) for back in ("sheet",)),
    *((presence, back, PART) for presence in ("online", "away", "offline") for back in ("sheet", "backdrop")),
]

Colour = tuple[float, float, float, float]  # red, green, blue and opacity, from 0 to 1


def declared(css: str) -> dict[str, str]:
    """The first declaration of each token, without those inside @media."""
    everyday = css[: css.index("@media")]
    found: dict[str, str] = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", everyday):
        found.setdefault(name, value)
    return found


def shown(value: str, at_night: bool) -> Colour:
    """'#rrggbb' or 'rgb(r g b / a%)', perhaps one for the day and one for the night inside light-dark()."""
    if both := re.fullmatch(r"light-dark\((#\w+|rgb\([^)]*\)), (#\w+|rgb\([^)]*\))\)", value):
        value = both[2 if at_night else 1]
    if hexadecimal := re.fullmatch(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})", value):
        red, green, blue = (int(part, 16) / 255 for part in hexadecimal.groups())
        return red, green, blue, 1.0
    if veil := re.fullmatch(r"rgb\((\d+) (\d+) (\d+) / ([\d.]+)%\)", value):
        red, green, blue = (int(part) / 255 for part in veil.groups()[:3])
        return red, green, blue, float(veil[4]) / 100
    raise AssertionError(f"not a colour: {value}")


def laid_over(front: Colour, back: Colour) -> Colour:
    red, green, blue = (f * front[3] + b * (1 - front[3]) for f, b in zip(front[:3], back[:3], strict=True))
    return red, green, blue, 1.0


def luminance(colour: Colour) -> float:
    """Relative luminance as WCAG 2.2 defines it, from 0 (black) to 1 (white)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(front: Colour, back: Colour) -> float:
    lighter, darker = sorted((luminance(front), luminance(back)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def surface(name: str, tokens: dict[str, str], at_night: bool) -> Colour:
    veil, _, under = name.partition(" over ")
    top = shown(tokens[veil], at_night)
    return laid_over(top, shown(tokens[under], at_night)) if under else top


def test_the_formula_gives_the_standards_own_figures() -> None:
    white, black = (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 0.0, 1.0)
    assert contrast(white, black) == pytest.approx(21)
    assert contrast(shown("#777777", False), white) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("at_night", [False, True], ids=["day", "night"])
def test_every_pair_has_enough_contrast(at_night: bool) -> None:
    tokens = declared(TOKENS.read_text())
    weak = []
    for front, back, least in PAIRS:
        ground = surface(back, tokens, at_night)
        found = contrast(laid_over(shown(tokens[front], at_night), ground), ground)
        if found < least:
            weak.append(f"{front} on {back}: {found:.2f}, needs {least}")
    assert weak == []


def test_colours_are_written_in_the_tokens_alone() -> None:
    strays = []
    for path in sorted((WEB / "src").rglob("*")):
        if path.suffix not in (".css", ".svelte") or path == TOKENS:
            continue
        styles = (
            path.read_text()
            if path.suffix == ".css"
            else "".join(re.findall(r"<style>(.*?)</style>", path.read_text(), re.S))
        )
        styles = re.sub(r"/\*.*?\*/", "", styles, flags=re.S)
        strays += [
            f"{path.relative_to(WEB)}: {raw}"
            for raw in re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(", styles)
        ]
    assert strays == []


def test_every_name_that_is_used_is_declared() -> None:
    sources = {path: path.read_text() for path in (WEB / "src").rglob("*") if path.suffix in (".css", ".svelte", ".ts")}
    known = {name for text in sources.values() for name in re.findall(r"--([\w-]+)(?::|=|\"|`)", text)}
    unknown = []
    for path, text in sorted(sources.items()):
        # A name with a fallback may be left to the place where the part stands.
        used = re.findall(r"var\(--([\w-]+)\)", text)
        unknown += [f"{path.relative_to(WEB)}: --{name}" for name in used if name not in known]
    assert unknown == []

"""What people type, made fit to keep: one-line names and the text of messages."""

import unicodedata

from chat.errors import Invalid

# Controls that turn the reading direction of whatever follows: they disguise names. In messages each text stands alone.
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
INVISIBLE = ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")  # controls, formats, halves of characters, spaces
_NO_BIDI = dict.fromkeys(map(ord, BIDI_CONTROLS))


def one_line(text: str, field: str, when_empty: str, limit: int) -> str:
    """Trimmed, white space folded, without control and direction characters.

    Raises Invalid where nothing is left (unless `when_empty` is empty) or more than `limit` characters are.
    """
    refuse_unstorable(text, field)
    kept = "".join(
        " " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text.translate(_NO_BIDI)
    )
    line = unicodedata.normalize("NFC", " ".join(kept.split()))
    if when_empty and not _is_visible(line):
        raise Invalid(when_empty, field=field)
    if len(line) > limit:
        raise Invalid(f"Please use {limit} characters or fewer; this has {len(line)}.", field=field)
    return line


def message_text(text: str, limit: int) -> str:
    """A message as it is stored: as written, but for white space around it. Raises Invalid."""
    refuse_unstorable(text, "text")
    if not _is_visible(text):
        raise Invalid("A message needs some text.", field="text")
    if len(text) > limit:
        raise Invalid(f"A message has at most {limit:,} characters; this has {len(text):,}.", field="text")
    return text


def refuse_unstorable(text: str, field: str) -> None:
    """PostgreSQL stores no NUL, and UTF-8 no lone surrogate."""
    if "\0" in text:
        raise Invalid("The character NUL cannot be stored. Please remove it.", field=field)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("The text has half of a character. Please remove it.", field=field) from None


def search_text(text: str) -> str:
    """What somebody looks for. Raises Invalid."""
    refuse_unstorable(text, "query")
    return text.strip()


def _is_visible(text: str) -> bool:
    """Characters that Python does not know yet count: the newest emoji are among them."""
    return any(unicodedata.category(each) not in INVISIBLE for each in text)

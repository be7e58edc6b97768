"""Names that people go by: usernames that nobody can imitate, display names, e-mail addresses."""

import re
import unicodedata

from chat.actions.texts import one_line, refuse_unstorable
from chat.errors import Invalid
from chat.lib.lookalikes import skeleton

SHORTEST, LONGEST = 3, 20
NAME_LIMIT = 40
WORKSPACE_NAME_LIMIT = 80
EMAIL_LIMIT = 254  # RFC 5321, as RFC 3696's errata count it

# Nobody's: they call many people at once, or stand for nobody.
FOR_NOBODY = "all anyone channel deleted everybody everyone group here nobody none null room someone undefined unknown"
# They promise power over the workspace: only its first owner, and whoever runs the command line, may take one.
FOR_THE_OWNER = """
    abuse admin administrator administration api assistant bot help helpdesk host hostmaster info moderator moderators
    mods noreply official operator owner postmaster roomful root security server staff support sysadmin system team
    webmaster workspace www
"""
# Characters that show nothing (Unicode's Default_Ignorable_Code_Point) and yet count as letters or marks.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]")
ACCENTS = re.compile("[\u0300-\u036f]")
SIGNS = "._-"
# Scripts that are written together every day (UTS 39, "highly restrictive"); any other mix is made to deceive.
WRITTEN_TOGETHER = (
    {"latin", "han", "hiragana", "katakana"},
    {"latin", "han", "bopomofo"},
    {"latin", "han", "hangul"},
)
EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"/]+\.[^\s@<>()\[\]\\,;:\"/.]{2,63}")


def username(text: str, *, for_owner: bool = False) -> str:
    """The username as it is stored and shown. Raises Invalid with a sentence that says what to change."""
    refuse_unstorable(text, "username")
    name = unicodedata.normalize("NFKC", text.strip())
    if not SHORTEST <= len(name) <= LONGEST:
        raise Invalid(f"A username has {SHORTEST} to {LONGEST} characters.", field="username")
    for each in name:
        if (unicodedata.category(each)[0] not in "LMN" and each not in SIGNS) or INVISIBLE.match(each):
            raise Invalid("A username has only letters, digits, dots, dashes and underscores.", field="username")
    if not name[0].isalnum() or name[-1] in ".-":
        raise Invalid("A username begins with a letter or digit, and ends with no dot or dash.", field="username")
    scripts = {script(each) for each in name} - {"any"}
    if len(scripts) > 1 and not any(scripts <= together for together in WRITTEN_TOGETHER):
        raise Invalid("Please write the username in letters of one script: mixed ones deceive.", field="username")
    if _has_piled_marks(name):
        raise Invalid("A letter of a username carries two marks at most.", field="username")
    if key(name) in NOBODYS_KEYS or (key(name) in OWNERS_KEYS and not for_owner):
        raise Invalid("This username is reserved. Please choose another.", field="username")
    return name


def key(text: str) -> str:
    """Equal for usernames that are or look the same: case, width, accents and lookalikes of other scripts are gone."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())
    bare = INVISIBLE.sub("", ACCENTS.sub("", unicodedata.normalize("NFKD", folded)))
    return skeleton(unicodedata.normalize("NFKC", bare))


def script(char: str) -> str:
    """The script that the character is written in, by the first word of its Unicode name; "any" for shared ones."""
    if char.isascii() and not char.isalpha():
        return "any"
    word = unicodedata.name(char, "unnamed").partition(" ")[0].partition("-")[0].casefold()
    return {"cjk": "han", "ideographic": "han", "combining": "any", "modifier": "any", "extended": "arabic"}.get(
        word, word
    )


def display_name(text: str) -> str:
    return one_line(text, "name", "Please tell the name that others should see.", NAME_LIMIT)


def workspace_name(text: str) -> str:
    return one_line(text, "workspace", "Please give the workspace a name.", WORKSPACE_NAME_LIMIT)


def plain_email(text: str) -> str:
    """The address in the one form in which addresses are compared and kept."""
    return unicodedata.normalize("NFC", text.strip()).lower()


def email(text: str) -> str:
    """Raises Invalid where it cannot be an address; whether it is somebody's, only a mail to it could tell."""
    refuse_unstorable(text, "email")
    address = plain_email(text)
    if len(address) > EMAIL_LIMIT or not EMAIL.fullmatch(address) or not address.isprintable() or ".." in address:
        raise Invalid("This is no e-mail address. It looks like ada@example.org.", field="email")
    return address


def _has_piled_marks(name: str) -> bool:
    marks = 0
    for each in unicodedata.normalize("NFD", name):
        marks = marks + 1 if unicodedata.category(each) in ("Mn", "Me") else 0
        if marks > 2:
            return True
    return False


NOBODYS_KEYS = frozenset(map(key, FOR_NOBODY.split()))
OWNERS_KEYS = frozenset(map(key, FOR_THE_OWNER.split()))

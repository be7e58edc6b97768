"""Names: nobody can pass for another by a lookalike, and nothing hides in them."""

import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data

from chat.actions import names
from chat.errors import Invalid
from chat.lib.lookalikes import skeleton
from tests.conftest import World


@pytest.mark.parametrize(
    "name",
    [
        "ada",
        "Ada_L",
        "a.b-c",
        "42nd",
        "José",
        "Müller",
        "алиса",
        "Ἀθηνᾶ",
        "田中さん",
        "김철수",
        "राम",
        "ไทยแลนด์",
        "مريم",
        "x" * 20,
    ],
)
def test_people_may_be_called_what_they_are_called(name: str) -> None:
    assert names.username(name) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "x" * 21,
        "a b",
        "ada!",
        "@ada",
        "_ada",
        "ada.",
        "ada-",
        "аda",  # Cyrillic а
        "paypаl",
        "ad\u200ba",
        "ada\u200b",
        "ada\u202e",
        "ada\u3164",
        "ada\ufe0f",
        "a\u0301\u0302\u0303\u0304da",
        "nul\0",
        "half\ud800",
        "ada\nadmin",
    ],
)
def test_a_name_that_deceives_or_hides_something_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        names.username(name)
    assert refusal.value.field == "username"


@pytest.mark.parametrize(
    "name", ["admin", "Admin", "ａｄｍｉｎ", "ⓐdmin", "ádmin", "adm1n", "admln", "adrnin", "system", "here", "Everyone"]
)
def test_a_name_that_promises_power_is_reserved(name: str) -> None:
    with pytest.raises(Invalid):
        names.username(name)


def test_the_first_owner_may_be_called_admin() -> None:
    assert names.username("admin", for_owner=True) == "admin"
    with pytest.raises(Invalid):
        names.username("everyone", for_owner=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "aDA"),
        ("ace", "асе"),
        ("jose", "José"),
        ("bill", "bi11"),
        ("modem", "rnodern"),
        ("oslo", "0slo"),
        ("ｂｏｂ", "bob"),
    ],
)
def test_names_that_look_alike_are_the_same(one: str, other: str) -> None:
    assert names.key(one) == names.key(other)


@pytest.mark.parametrize(("one", "other"), [("ada", "bob"), ("ada", "adah"), ("a.b", "ab"), ("алиса", "лиса")])
def test_names_that_look_different_are_different(one: str, other: str) -> None:
    assert names.key(one) != names.key(other)


def test_the_table_knows_every_letter_that_unicode_lists_as_a_lookalike_of_ascii() -> None:
    def folded(text: str) -> str:
        return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip("\u200e")).casefold())

    missing = set()
    for char, alike in confusables_data.items():
        letter = folded(char)
        if len(letter) != 1 or letter.isascii() or unicodedata.category(letter)[0] not in "LN":
            continue
        shown_as = {each["c"] for each in alike}
        if any(each.isascii() and each.isalnum() for each in shown_as) and skeleton(letter) == letter:
            missing.add(letter)
    assert not missing


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "ada@",
        "@example.org",
        "a b@example.org",
        "ada@example",
        "ada@exa mple.org",
        "a@b..org",
        "a@[::1]",
        "x" * 250 + "@example.org",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        names.email(address)


def test_an_address_is_kept_in_lower_case() -> None:
    assert names.email(" Ada@Example.ORG ") == "ada@example.org"


def test_a_display_name_is_trimmed_and_turns_no_text_around() -> None:
    assert names.display_name("  Ada \u202eecalevoL\u2066\n") == "Ada ecalevoL"
    with pytest.raises(Invalid):
        names.display_name("\u202e \u200f")
    with pytest.raises(Invalid):
        names.display_name("x" * 41)


async def test_nobody_takes_a_name_that_looks_like_anothers(world: World) -> None:
    await world.person("ace")
    bob = await world.person("bob")
    taken = await bob.http("PATCH", "/me", {"username": "асе"})  # all Cyrillic
    assert (taken.code, b'"field":"username"' in taken.body) == (409, True)
    mixed = await bob.http("PATCH", "/me", {"username": "аce"})
    assert mixed.code == 422
    await bob.api("PATCH", "/me", {"username": "Bob"})

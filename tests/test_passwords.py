"""Passwords: hashed beside the event loop, never interchangeable, never among those that everybody tries."""

import asyncio
import statistics
import time

import pytest

from chat.errors import Busy
from chat.lib.passwords import WAITING_PER_THREAD, Passwords, complaint

SHARED = "x" * 72


async def test_two_long_passwords_that_begin_alike_are_not_interchangeable() -> None:
    passwords = Passwords(cost=4)
    hashed = await passwords.hash(SHARED + "one")
    assert await passwords.verify(SHARED + "one", hashed)
    assert not await passwords.verify(SHARED + "two", hashed)
    assert not await passwords.verify(SHARED, hashed)


@pytest.mark.parametrize(
    "password", ["a" * 36 + "é" * 64, "schön \U0001f334 und weiß", "tab\tand nul \0 after", "\ud800 half"]
)
async def test_any_text_is_hashed_whole(password: str) -> None:
    passwords = Passwords(cost=4)
    hashed = await passwords.hash(password)
    assert await passwords.verify(password, hashed)
    assert not await passwords.verify(password[:-1], hashed)


async def test_the_usual_hash_is_bcrypt_of_cost_12() -> None:
    hashed = await Passwords().hash("the sea is calm tonight")
    assert hashed.startswith("$2b$12$")
    assert len(hashed) == 60


async def test_the_keyboard_that_typed_an_accent_does_not_matter() -> None:
    passwords = Passwords(cost=4)
    assert await passwords.verify("cafe\u0301 au lait", await passwords.hash("caf\u00e9 au lait"))


async def test_nobodys_password_takes_as_long_as_somebodys() -> None:
    passwords = Passwords(cost=9, threads=1)
    hashed = await passwords.hash("the sea is calm tonight")
    known, unknown = [], []
    for _ in range(25):
        started = time.perf_counter()
        await passwords.verify("wrong", hashed)
        known.append(time.perf_counter() - started)
        started = time.perf_counter()
        await passwords.verify_nobody("wrong")
        unknown.append(time.perf_counter() - started)
    assert statistics.median(unknown) == pytest.approx(statistics.median(known), rel=0.2)


async def test_hashing_leaves_the_event_loop_free() -> None:
    passwords = Passwords(cost=11, threads=2)
    hashing = [asyncio.create_task(passwords.hash("the sea is calm tonight")) for _ in range(6)]
    late = []
    while not all(each.done() for each in hashing):
        started = time.perf_counter()
        await asyncio.sleep(0.01)
        late.append(time.perf_counter() - started - 0.01)
    assert statistics.quantiles(late, n=20)[-1] < 0.1


async def test_whoever_would_wait_too_long_is_told_to_come_back() -> None:
    passwords = Passwords(cost=4, threads=1)
    tries = [passwords.hash("the sea is calm tonight") for _ in range(WAITING_PER_THREAD + 3)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    busy = [each for each in outcomes if isinstance(each, Busy)]
    assert len(busy) == 3
    assert busy[0].retry_after
    assert (await passwords.hash("again")).startswith("$2b$04$")


async def test_a_hash_of_another_cost_is_outdated() -> None:
    assert Passwords(cost=5).is_outdated(await Passwords(cost=4).hash("x"))
    assert not Passwords(cost=4).is_outdated(await Passwords(cost=4).hash("x"))


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password1",
        "P@ssw0rd!",
        "Pa$$word",
        "letmein!!",
        "Dragon99",
        "qwerty123456",
        "1q2w3e4r",
        "zyxwvuts",
        "йцукен12",
        "aaaaaaaaaa",
        "abababab",
        "        ",
        "19840512",
        "roomful1",
        "Roomful!",
        "nul\0inside it",
        "adalovelace",
        "AdaLovelace1",
        "analytical engines",
        "x" * 1025,
    ],
)
def test_a_password_that_others_try_first_is_refused(password: str) -> None:
    assert complaint(password, "adalovelace", "Analytical Engines")


@pytest.mark.parametrize(
    "password",
    [
        "the sea is calm tonight",
        "plum-otter-94",
        "correct horse battery",
        "tr0ub4dor&3",
        "\U0001f334\U0001f40b\U0001f9ed\U0001f30a\u2693\U0001f41a\U0001f980\U0001f3dd",
        "пёс на крыше",
        "8 spaces",
        "271828182845904523",
        "n" * 20 + "o" * 20 + "p" * 24,
        "long " * 204,
    ],
)
def test_a_password_that_is_good_enough_is_accepted(password: str) -> None:
    assert complaint(password, "adalovelace", "Analytical Engines") is None

"""Passwords: which are good enough, and their bcrypt hashes, computed in a few threads beside the event loop."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from chat.errors import Busy
from chat.lib.worst_passwords import COMMON

T = TypeVar("T")

SHORTEST = 8
LONGEST = 1024
# Whoever comes when this many wait for each thread is told to try again: at 0.3 s each they would wait ten seconds.
WAITING_PER_THREAD = 32
BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# Rows of keyboards and counts, along which a password is no secret in either direction.
SEQUENCES = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "йцукенгшщзхъфывапролджэячсмитьбю",
)
DECORATION = re.compile(r"^\d+|[\d!@$]+$")
LOOKALIKES = str.maketrans("@4310!$5", "aaeioiss")
SHORTEST_NUMBER = 14


class Passwords:
    """Hashes and verifies without holding up the event loop: at most `threads` at once, others wait their turn.

    `cost` is bcrypt's: 2**cost rounds. bcrypt reads 72 bytes and stops at NUL, so it is given the base64 of an
    HMAC-SHA-384 of the whole password: 64 characters, whatever the length (OWASP Password Storage Cheat Sheet,
    "Pre-Hashing Passwords with bcrypt"). The HMAC's key is no secret; it keeps hashes that leaked elsewhere from
    being tried here as if they were passwords.
    """

    def __init__(self, cost: int = 12, threads: int = 2) -> None:
        self._cost = cost
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._waiting = 0
        self._most_waiting = threads * WAITING_PER_THREAD
        # Well-formed, of our cost, and the hash of nothing that anybody knows.
        ending = "".join(secrets.choice(BCRYPT_ALPHABET) for _ in range(31))
        self._nobody = bcrypt.gensalt(cost).decode() + ending

    async def hash(self, password: str) -> str:
        """`$2b$12$…`, 60 characters. Raises Busy where too many wait already."""
        prepared = _prepared(password)
        return await self._run(lambda: bcrypt.hashpw(prepared, bcrypt.gensalt(self._cost)).decode())

    async def verify(self, password: str, hashed: str) -> bool:
        prepared = _prepared(password)
        return await self._run(lambda: bcrypt.checkpw(prepared, hashed.encode()))

    async def verify_nobody(self, password: str) -> None:
        """Takes as long as `verify`: who asks for an unknown name must not be answered sooner."""
        await self.verify(password, self._nobody)

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made at another cost than we use now."""
        return not hashed.startswith(f"$2b${self._cost:02}$")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._most_waiting:
            raise Busy("Many people are signing in at this moment. Please try again.", retry_after=5.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _prepared(password: str) -> bytes:
    """What bcrypt is given. Keyboards differ in how they write é: NFKC makes them equal (NIST SP 800-63B, 3.1.1.2)."""
    text = unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
    return base64.b64encode(hmac.digest(b"roomful password, version 1", text, hashlib.sha384))


def complaint(password: str, *forbidden: str) -> str | None:
    """What is wrong with a new password, in a sentence, or None. `forbidden` are names that others can guess."""
    if len(password) < SHORTEST:
        return f"Please use {SHORTEST} characters or more."
    if len(password) > LONGEST:
        return f"Please use {LONGEST:,} characters or fewer."
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in password):
        return "Please use no control characters."
    plain = _plain(password)
    if len(set(password.casefold())) <= 2:
        return "This repeats one or two characters. Please use something that nobody would try."
    if plain.isdigit() and len(plain) < SHORTEST_NUMBER:
        return f"A number is guessed quickly. Please use {SHORTEST_NUMBER} digits or more, or better a few words."
    if _is_common(plain):
        return "This is one of the passwords that are tried first. Please use another."
    for name in forbidden:
        known = _plain(name)
        if len(known) >= 3 and known in plain and len(plain.replace(known, "")) < 4:
            return "This is made of a name that others know. Please use something that nobody would try."
    return None


def _plain(text: str) -> str:
    """Lower case, without the spaces and signs by which people think to hide a word."""
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum() or each in "@!$")


def _is_common(plain: str) -> bool:
    """Whether the password, or the word that it decorates with digits and signs, is tried first by everybody."""
    whole = {plain, _without_repeats(plain)}
    words = whole | {DECORATION.sub("", reading) for reading in whole}
    words |= {word.translate(LOOKALIKES) for word in words}
    return not words.isdisjoint(COMMON) or any(_is_sequence(reading) for reading in whole)


def _without_repeats(text: str) -> str:
    """`abcabc` → `abc`: the shortest part that the text is made of."""
    for size in range(1, len(text) // 2 + 1):
        if len(text) % size == 0 and text[:size] * (len(text) // size) == text:
            return text[:size]
    return text


def _is_sequence(text: str) -> bool:
    """Whether the text is made of runs along the rows of four characters and more: `qwerty123456`."""
    if not text:  # emoji alone
        return False
    most = max(1, len(text) // 4)
    for _ in range(most):
        size = next((n for n in range(len(text), 0, -1) if _runs_along_a_row(text[:n])), 1)
        text = text[size:]
        if not text:
            return True
    return False


def _runs_along_a_row(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in SEQUENCES)

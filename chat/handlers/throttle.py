"""Slows down the guessing of passwords: by name and address, by name, and by address."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from chat.actions import names
from chat.errors import Problem, RateLimited
from chat.handlers.guard import rate_key
from chat.handlers.services import Limits
from chat.lib.limits import Limit

TOO_MANY = "Too many wrong passwords were tried."


class Throttle:
    """One try's place in the three buckets. It is counted before it is made and given back unless it was wrong, so
    that many at once get no more tries than one after the other."""

    def __init__(self, limits: Limits, name: Hashable, address: str) -> None:
        place = rate_key(address)
        self._taken: list[tuple[Limit, Hashable]] = []
        for limit, key in (
            (limits.sign_in, (name, place)),
            (limits.sign_in_name, name),
            (limits.sign_in_address, place),
        ):
            if wait := limit.take(key):
                self.give_back()
                raise RateLimited(TOO_MANY, retry_after=wait)
            self._taken.append((limit, key))

    def give_back(self) -> None:
        for limit, key in self._taken:
            limit.give_back(key)
        self._taken.clear()


@contextmanager
def throttled(limits: Limits, name: Hashable, address: str, *, wrong: type[Problem]) -> Iterator[None]:
    """Around one check of a password, which raises `wrong` where it is. Raises RateLimited before too many."""
    throttle = Throttle(limits, name, address)
    try:
        yield
    except wrong:
        raise
    except BaseException:
        throttle.give_back()
        raise
    throttle.give_back()


def login_key(login: str) -> str:
    """The same for every spelling of a name, so that case and accents give no further tries."""
    return names.key(login[: names.EMAIL_LIMIT])


def own_key(user: int) -> tuple[str, int]:
    """Of who is signed in and types their password again: nobody else can use up their tries."""
    return ("user", user)

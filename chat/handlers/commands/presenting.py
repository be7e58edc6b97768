"""Presence put into what is shown: it lives in memory, not in the rows."""

from collections.abc import Iterable

from chat.handlers.services import Services
from chat.models.rooms import Room
from chat.models.users import User


def with_presence(services: Services, *users: User) -> None:
    """Fills in each user's presence; when they were last seen is told only of those who are offline."""
    for user in users:
        user.presence = services.presence.of(user.id)
        if user.presence != "offline":
            user.last_seen = None


def rooms_with_presence(services: Services, rooms: Iterable[Room]) -> None:
    with_presence(services, *(room.with_ for room in rooms if room.with_ is not None))

"""The table of commands: verb → what it takes, what it costs, what it does; and the HTTP routes to the same verbs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from chat.handlers.services import Services
from chat.hub.connection import Connection
from chat.models.sessions import SignedIn


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of a command; decoding is validation. A subclass per verb."""


@dataclass(slots=True, frozen=True)
class Ask:
    """Who asks, through what."""

    services: Services
    actor: SignedIn
    connection: Connection | None = None  # None over HTTP
    address: str = ""
    origin: str = ""  # where the person reached the server, such as https://chat.example.org, to build links from


G = TypeVar("G", bound=Given)
Run = Callable[[Ask, G], Awaitable[msgspec.Struct | None]]


@dataclass(slots=True, frozen=True)
class Command:
    verb: str
    given: type[Given]
    run: Run[Any]
    cost: float
    routes: tuple[tuple[str, str], ...]  # (method, path below /api/v1 with {field} for fields taken from it)


@dataclass(slots=True)
class Registry:
    commands: dict[str, Command] = field(default_factory=dict)

    def add(self, verb: str, given: type[G], *routes: str, cost: float = 1.0) -> Callable[[Run[G]], Run[G]]:
        """Registers the decorated coroutine: `@registry.add("room.get", RoomGiven, "GET /rooms/{room}")`.

        `cost` is taken from the connection's bucket; without routes the verb is for the socket only.
        """

        def register(run: Run[G]) -> Run[G]:
            if verb in self.commands:
                raise ValueError(f"the verb {verb} is registered twice")
            split = tuple((method, path) for method, _, path in (route.partition(" ") for route in routes))
            self.commands[verb] = Command(verb, given, run, cost, split)
            return run

        return register

    def include(self, other: "Registry") -> None:
        for verb, command in other.commands.items():
            if verb in self.commands:
                raise ValueError(f"the verb {verb} is registered twice")
            self.commands[verb] = command

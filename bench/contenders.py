"""Who is measured: what a load needs to know of a server, whoever wrote it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.loads import Load


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running server. `options` are what wsload must be told to speak its protocol."""

    pid: int
    port: int
    options: tuple[str, ...]
    alone: bool = True  # `pid` is all of the server; else it is one of several processes
    repeats_own: bool = False  # a sender gets its message twice: as the reply and as the room's event
    database_url: str | None = None
    cookies: Path | None = None  # a Cookie header a line: connections first, then posters


class Contender(Protocol):
    name: str

    def running(self, load: Load, folder: Path) -> AbstractAsyncContextManager[Target]:
        """The server with all that the load needs, made anew; its files go to `folder`, which is empty."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One contender under one load, in one round."""

    contender: str
    round: int
    figures: dict[str, float] = field(default_factory=dict)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # curves by name, for the plot

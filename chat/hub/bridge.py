"""Several processes as one: what one tells, others hear as a hint. PostgreSQL is the truth; a lost hint is healed."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import msgspec

from chat.hub.connection import Connection
from chat.hub.hub import Hub
from chat.hub.presence import PresenceBoard, State
from chat.lib.db import Effect, Emit
from chat.lib.limits import Limit

log = logging.getLogger("roomful.bridge")

# A reader who falls behind by 32 MB is cut off by Redis as it comes: a commit of many long messages goes in pieces.
HINT_BYTES = 1024 * 1024
SPENT_SECONDS = 0.1
# Several who ask at once are answered together, and one who misses much asks no more often.
ANSWER_SECONDS = 0.2
ASK_SECONDS = 1.0


class Told(msgspec.Struct, tag="told"):
    """Effects of a commit."""

    effects: list[Effect]


class Noticed(msgspec.Struct, tag="noticed"):
    """Something that is worth nothing later: typing."""

    topic: str
    payload: bytes


class Present(msgspec.Struct, tag="present"):
    """Who is connected to that process; `whole` when it is everybody, else only who changed."""

    states: dict[int, State]
    whole: bool


class Asking(msgspec.Struct, tag="asking"):
    """The process does not know (any more) who is present elsewhere."""


class Gone(msgspec.Struct, tag="gone"):
    """The process ends; its people are about to come back to another one. It says nothing after this."""


class Spent(msgspec.Struct, tag="spent"):
    """What was taken from rate limits, or given back: (limit, key, cost)."""

    taken: list[tuple[str, Any, float]]


Hint = Told | Noticed | Present | Asking | Gone | Spent

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Hint).decode
Say = Callable[[bytes], None]


class SharedHub(Hub):
    """A hub whose effects are also heard by the other processes. `say` sends one encoded hint."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say
        # Whether the user is connected to another process, as far as it was heard.
        self.is_elsewhere: Callable[[int], bool] = lambda user: False

    def queue(self, effects: Sequence[Effect]) -> set[Connection]:
        touched = super().queue(effects)
        for piece in _pieces(effects):
            self._say(encode(Told(piece)))
        return touched

    def hear(self, effects: Sequence[Effect]) -> None:
        self.flush(super().queue(effects))

    def notice(self, topic: str, payload: bytes, *, besides: Connection | None = None) -> None:
        super().notice(topic, payload, besides=besides)
        self._say(encode(Noticed(topic, payload)))

    def hear_notice(self, topic: str, payload: bytes) -> None:
        super().notice(topic, payload)

    def has_several(self, user: int) -> bool:
        return super().has_several(user) or self.is_elsewhere(user)


class Bridge:
    """Hears the hints of other processes, and tells them who is present here and what was taken from the limits.

    `forget` is called with a process that said that it ends.
    """

    def __init__(
        self,
        hub: SharedHub,
        presence: PresenceBoard,
        limits: dict[str, Limit],
        *,
        say: Say,
        forget: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._presence = presence
        self._limits = limits
        self._say = say
        self._forget = forget
        self._taken: dict[tuple[str, Hashable], float] = {}
        self._spending: asyncio.TimerHandle | None = None
        self._answering: asyncio.TimerHandle | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._must_ask = False
        hub.is_elsewhere = presence.is_elsewhere
        presence.on_here = self._say_present
        for name, limit in limits.items():
            limit.on_take = self._taker(name)

    def come(self) -> None:
        """The line to the others is there (again): tell them who is here, and ask the same."""
        self._say(encode(Asking()))
        self._say_all_present()

    def leave(self) -> None:
        """Nothing may be said after this."""
        for timer in (self._spending, self._answering, self._asking):
            if timer is not None:
                timer.cancel()
        self._presence.on_here = None
        for limit in self._limits.values():
            limit.on_take = None
        self._say(encode(Gone()))

    def hear(self, process: str, payload: bytes) -> bool:
        """One hint of another process; False where it could not be made use of: what it says must be looked up."""
        try:
            self._apply(process, decode(payload))
        except msgspec.MsgspecError as error:
            log.warning("a hint of another version of Roomful (%s): what it says is looked up in the database", error)
            return False
        except Exception:
            log.exception("a hint could not be carried out; what it says is looked up in the database")
            return False
        return True

    def miss(self, process: str) -> None:
        """Something that the process said got lost, perhaps who came and went: ask."""
        self._must_ask = True
        if self._asking is None:
            self._ask()

    def lose(self, process: str) -> None:
        """The process has been silent for so long that it was killed."""
        self._presence.forget(process)

    def _apply(self, process: str, hint: Hint) -> None:
        match hint:
            case Told(effects):
                self._hub.hear(effects)
            case Noticed(topic, notice):
                self._hub.hear_notice(topic, notice)
            case Present(states, whole):
                self._presence.heard(process, states, whole=whole)
            case Asking():
                if self._answering is None:
                    self._answering = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._say_all_present)
            case Gone():
                self._presence.forget(process)
                self._forget(process)
            case Spent(taken):
                for name, key, cost in taken:
                    if name in self._limits:
                        self._limits[name].spend(tuple(key) if isinstance(key, list) else key, cost)

    def _ask(self) -> None:
        self._asking = None
        if self._must_ask:
            self._must_ask = False
            self._say(encode(Asking()))
            self._asking = asyncio.get_running_loop().call_later(ASK_SECONDS, self._ask)

    def _say_all_present(self) -> None:
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None
        self._say(encode(Present(self._presence.here(), whole=True)))

    def _say_present(self, user: int, state: State) -> None:
        self._say(encode(Present({user: state}, whole=False)))

    def _taker(self, name: str) -> Callable[[Hashable, float], None]:
        def note(key: Hashable, cost: float) -> None:
            self._taken[name, key] = self._taken.get((name, key), 0.0) + cost
            if self._spending is None:
                self._spending = asyncio.get_running_loop().call_later(SPENT_SECONDS, self._say_spent)

        return note

    def _say_spent(self) -> None:
        self._spending = None
        taken = [(name, key, cost) for (name, key), cost in self._taken.items() if cost]
        self._taken.clear()
        if taken:
            self._say(encode(Spent(taken)))


def _pieces(effects: Sequence[Effect]) -> Iterator[list[Effect]]:
    """The effects in their order, in lists of about HINT_BYTES each at most; none where there are none."""
    piece: list[Effect] = []
    size = 0
    for effect in effects:
        cost = len(effect.payload) if isinstance(effect, Emit) else 0
        if piece and size + cost > HINT_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(effect)
        size += cost
    if piece:
        yield piece

"""Several processes as one: what one tells, others hear as a hint. PostgreSQL is the truth; a lost hint is healed."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import msgspec

from chat.hub.connection import Connection
from chat.hub.hub import Hub
from chat.hub.presence import PresenceBoard, State
from chat.lib.db import Admit, Effect, Emit, EndSessions, Evict, Renew
from chat.lib.limits import Limit

ALIVE_SECONDS = 5.0
SILENT_SECONDS = 20.0
SPENT_SECONDS = 0.1


class Told(msgspec.Struct, tag="told"):
    """Effects of a commit."""

    process: str
    effects: list["WireEffect"]


class Noticed(msgspec.Struct, tag="noticed"):
    """Something that is worth nothing later: typing."""

    process: str
    topic: str
    payload: bytes


class Present(msgspec.Struct, tag="present"):
    """Who is connected to that process; `whole` when it is everybody, else only who changed."""

    process: str
    states: dict[int, State]
    whole: bool


class Alive(msgspec.Struct, tag="alive"):
    """The process still runs; `greets` when it has just come and wants to know who is present elsewhere."""

    process: str
    greets: bool = False


class Gone(msgspec.Struct, tag="gone"):
    """The process ends; its people are about to come back to another one."""

    process: str


class Spent(msgspec.Struct, tag="spent"):
    """What was taken from rate limits: (limit, key, cost)."""

    process: str
    taken: list[tuple[str, Any, float]]


class WireEffect(msgspec.Struct, array_like=True):
    """An effect as it travels: its kind and its fields in order."""

    kind: str
    fields: tuple[Any, ...]


KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Emit, Admit, Evict, EndSessions, Renew)}
Hint = Told | Noticed | Present | Alive | Gone | Spent

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Hint).decode


class SharedHub(Hub):
    """A hub whose effects are also heard by the other processes. `say` sends one encoded hint."""

    def __init__(self, process: str, say: Callable[[bytes], None]) -> None:
        super().__init__()
        self._process = process
        self._say = say

    def queue(self, effects: Sequence[Effect]) -> set[Connection]:
        touched = super().queue(effects)
        wire = [WireEffect(type(effect).__name__, _fields(effect)) for effect in effects]
        self._say(encode(Told(self._process, wire)))
        return touched

    def hear(self, effects: Sequence[Effect]) -> None:
        self.flush(super().queue(effects))

    def notice(self, topic: str, payload: bytes, *, besides: Connection | None = None) -> None:
        super().notice(topic, payload, besides=besides)
        self._say(encode(Noticed(self._process, topic, payload)))

    def has_several(self, user: int) -> bool:
        return True  # perhaps elsewhere


class Bridge:
    """Hears the hints of other processes, and tells them who is present here and what was taken from the limits."""

    def __init__(
        self,
        process: str,
        say: Callable[[bytes], None],
        hub: SharedHub,
        presence: PresenceBoard,
        limits: dict[str, Limit],
    ) -> None:
        self._process = process
        self._say = say
        self._hub = hub
        self._presence = presence
        self._limits = limits
        self._heard_at: dict[str, float] = {}
        self._taken: dict[tuple[str, Hashable], float] = {}
        self._timer: asyncio.TimerHandle | None = None
        presence.on_here = self._say_present
        for name, limit in limits.items():
            limit.on_take = self._taker(name)

    def come(self) -> None:
        """The line to the others is there (again): tell them who is here, and ask the same."""
        self._say(encode(Alive(self._process, greets=True)))
        self._say(encode(Present(self._process, self._presence.here(), whole=True)))

    def leave(self) -> None:
        self._say(encode(Gone(self._process)))

    async def keep_alive(self) -> None:
        """Said every ALIVE_SECONDS; who has been silent for long was killed, and its people are not there."""
        self._say(encode(Alive(self._process)))
        now = asyncio.get_running_loop().time()
        for process in [each for each, at in self._heard_at.items() if now - at > SILENT_SECONDS]:
            self._forget(process)

    def hear(self, payload: bytes) -> None:
        """One hint; one's own come back and are passed over. What a newer version says differently is left alone."""
        try:
            hint = decode(payload)
        except msgspec.MsgspecError:
            return
        if hint.process == self._process:
            return
        self._heard_at[hint.process] = asyncio.get_running_loop().time()
        match hint:
            case Told(effects=effects):
                self._hub.hear([KINDS[each.kind](*each.fields) for each in effects if each.kind in KINDS])
            case Noticed(topic=topic, payload=notice):
                Hub.notice(self._hub, topic, notice)
            case Present(process=process, states=states, whole=whole):
                self._presence.heard(process, states, whole=whole)
            case Alive(greets=True):
                self._say(encode(Present(self._process, self._presence.here(), whole=True)))
            case Gone(process=process):
                self._forget(process)
            case Spent(taken=taken):
                for name, key, cost in taken:
                    if name in self._limits:
                        self._limits[name].spend(tuple(key) if isinstance(key, list) else key, cost)

    def _forget(self, process: str) -> None:
        self._heard_at.pop(process, None)
        self._presence.forget(process)

    def _say_present(self, user: int, state: State) -> None:
        self._say(encode(Present(self._process, {user: state}, whole=False)))

    def _taker(self, name: str) -> Callable[[Hashable, float], None]:
        def note(key: Hashable, cost: float) -> None:
            self._taken[name, key] = self._taken.get((name, key), 0.0) + cost
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(SPENT_SECONDS, self._say_spent)

        return note

    def _say_spent(self) -> None:
        self._timer = None
        taken = [(name, key, cost) for (name, key), cost in self._taken.items()]
        self._taken.clear()
        self._say(encode(Spent(self._process, taken)))


def _fields(effect: Effect) -> tuple[Any, ...]:
    return tuple(getattr(effect, name) for name in effect.__slots__)

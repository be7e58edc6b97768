"""From a frame to its reply: decode, take the cost, run the command, answer; whatever comes in, the line stays up."""

import logging
import math
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import Annotated, Any

import msgspec

from chat.errors import (
    CLOSE_TOO_MANY,
    Internal,
    Invalid,
    Malformed,
    Problem,
    RateLimited,
    UnknownCommand,
)
from chat.handlers.commands.messages import Post, checked_post
from chat.handlers.commands.registry import Ask, Command, Registry
from chat.hub.connection import Connection
from chat.hub.frames import frame
from chat.lib.metrics import Metrics
from chat.models.sessions import SignedIn

log = logging.getLogger("roomful.commands")

# Posts of one connection that may wait for their commit; a client that outruns this is told to slow down.
POSTS_IN_FLIGHT = 100
# What is no command has to be read and answered like one.
NONSENSE_COST = 1.0

Id = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Head(msgspec.Struct):
    """What every frame must have."""

    id: Id
    do: str


class ErrorBody(msgspec.Struct, omit_defaults=True):
    code: str
    text: str
    field: str | None = None
    retry_after: float | None = None


encode = msgspec.json.Encoder().encode
decode_head = msgspec.json.Decoder(Head).decode


def error_body(problem: Problem) -> ErrorBody:
    # Rounded up: who waits as long as told must not be told to wait once more.
    wait = None if problem.retry_after is None else math.ceil(problem.retry_after * 100) / 100
    return ErrorBody(problem.code, problem.text, problem.field, wait)


def refusal(id: int | None, problem: Problem) -> bytes:
    return encode({"id": id, "ok": False, "error": error_body(problem)})


def acceptance(id: int, reply: msgspec.Struct | None) -> bytes:
    """The reply's fields beside `id` and `ok`."""
    head = b'{"id":%d,"ok":true' % id
    body = b"{}" if reply is None else encode(reply)
    return head + b"}" if body == b"{}" else head + b"," + body[1:]


def as_invalid(error: msgspec.ValidationError) -> Invalid:
    """msgspec's complaint in words for a person, with the field it is about."""
    what, _, path = str(error).partition(" - at `")
    field = path.rstrip("`").removeprefix("$").lstrip(".").split("[")[0] or None
    if what.startswith("Object missing required field"):
        field = what.split("`")[1]
        return Invalid(f"The field {field} is missing.", field=field)
    if what.startswith("Object contains unknown field"):
        field = what.split("`")[1]
        return Invalid("There is no such field here.", field=field[:40])
    detail = what.replace("`", "")
    return Invalid(
        f"The field {field} is wrong: {detail[:1].lower()}{detail[1:]}." if field else f"{detail}.", field=field
    )


class FrameTable:
    """The commands of the socket, each with a decoder for its frame."""

    def __init__(self, registry: Registry) -> None:
        self._commands: dict[str, tuple[Command, msgspec.json.Decoder[Any]]] = {}
        for command in registry.commands.values():
            fields = [("id", int), ("do", str)]
            shape = msgspec.defstruct("Frame", fields, bases=(command.given,), kw_only=True, forbid_unknown_fields=True)
            self._commands[command.verb] = command, msgspec.json.Decoder(shape)

    def find(self, verb: str) -> tuple[Command, msgspec.json.Decoder[Any]] | None:
        return self._commands.get(verb)


class Dispatch:
    """One connection's commands. They run one after the other, so that a flood is read no faster than it is served;
    only posts do not wait for each other's commits."""

    def __init__(self, table: FrameTable, ask: Ask, connection: Connection, metrics: Metrics) -> None:
        self._table = table
        self._ask = ask
        self._connection = connection
        self._metrics = metrics
        self._posting = 0

    def known_as(self, actor: SignedIn) -> None:
        """From now on the commands are asked by that person, as they are called now."""
        self._ask = replace(self._ask, actor=actor)

    def __call__(self, message: str) -> Awaitable[None] | None:
        """Answers the frame; what is returned must be awaited before the next one is read."""
        started = time.perf_counter()
        asked, verb = None, "unknown"
        try:
            try:
                head = decode_head(message)
            except (msgspec.DecodeError, RecursionError, ValueError) as error:
                self._take(NONSENSE_COST)
                raise Malformed(_how_malformed(error)) from None
            asked = head.id
            found = self._table.find(head.do)
            if found is None:
                self._take(NONSENSE_COST)
                raise UnknownCommand
            command, decoder = found
            verb = command.verb
            self._take(command.cost)
            try:
                given = decoder.decode(message)
            except msgspec.ValidationError as error:
                raise as_invalid(error) from None
            if command.given is Post:
                self._post(asked, given, started)
                return None
            return self._run(asked, command, given, started)
        except Problem as problem:
            self._answer(verb, problem.code, started, refusal(asked, problem))
        return None

    def _take(self, cost: float) -> None:
        limits = self._ask.services.limits
        if wait := limits.commands.take(self._connection.id, cost):
            if limits.refusals.take(self._connection.id):
                self._connection.close(CLOSE_TOO_MANY, "too many commands")
            raise RateLimited(retry_after=wait)

    async def _run(self, id: int, command: Command, given: Any, started: float) -> None:
        self._connection.is_busy = True
        try:
            payload = acceptance(id, await command.run(self._ask, given))
        except Problem as problem:
            self._answer(command.verb, problem.code, started, refusal(id, problem))
        except Exception:
            log.exception("the command %s failed", command.verb)
            self._answer(command.verb, Internal.code, started, refusal(id, Internal()))
        else:
            self._answer(command.verb, "ok", started, payload)
        finally:
            self._connection.is_busy = False

    def _post(self, id: int, given: Post, started: float) -> None:
        """Hands the message to the journal; the reply leaves with the commit, in one write with the room's events."""
        if self._posting >= POSTS_IN_FLIGHT:
            raise RateLimited("Too many messages wait for an answer on this connection.", retry_after=0.5)
        text = checked_post(self._ask, given)
        nonce = encode(given.nonce)

        def reply(outcome: msgspec.Raw | Problem) -> Connection | None:
            self._posting -= 1
            if isinstance(outcome, Problem):
                self._answer("message.post", outcome.code, started, refusal(id, outcome))
                return None
            self._metrics.command("message.post", "ok", time.perf_counter() - started)
            payload = b'{"id":%d,"ok":true,"nonce":%b,"message":%b}' % (id, nonce, bytes(outcome))
            self._connection.queue(frame(payload))
            return self._connection

        self._ask.services.journal.submit(self._ask.actor, given.room, given.nonce, text, reply)
        self._posting += 1

    def _answer(self, verb: str, outcome: str, started: float, payload: bytes) -> None:
        self._metrics.command(verb, outcome, time.perf_counter() - started)
        self._connection.tell(payload)


def _how_malformed(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return 'A command is an object with "id", a whole number, and "do", its name.'
    if isinstance(error, RecursionError):
        return "This JSON is nested too deeply."
    return "This is not JSON: " + str(error)[:100].rstrip(".") + "."

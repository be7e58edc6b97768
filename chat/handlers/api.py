"""The same commands over HTTP: path parts, query or JSON body become the fields, the reply is the answer."""

import re
import time
from typing import Any

import msgspec
from tornado.routing import URLSpec

from chat.errors import Malformed, MethodNotAllowed, Problem
from chat.handlers.base import ApiDoor
from chat.handlers.commands.registry import Ask, Command, Registry
from chat.handlers.dispatch import as_invalid
from chat.handlers.guard import rate_key
from chat.handlers.services import Services

PREFIX = "/api/v1"


class Api(ApiDoor):
    """One path; `methods` says which command each HTTP method is."""

    def initialize(self, services: Services, methods: dict[str, Command] | None = None, route: str = "") -> None:
        super().initialize(services)
        self.methods = methods or {}
        self.route = route

    async def get(self, **path: str) -> None:
        await self._run("GET", path)

    async def head(self, **path: str) -> None:
        await self._run("GET", path)

    async def post(self, **path: str) -> None:
        await self._run("POST", path)

    async def patch(self, **path: str) -> None:
        await self._run("PATCH", path)

    async def delete(self, **path: str) -> None:
        await self._run("DELETE", path)

    async def _run(self, method: str, path: dict[str, str]) -> None:
        command = self.methods.get(method)
        if command is None:
            raise MethodNotAllowed
        started = time.perf_counter()
        outcome = "internal"
        try:
            guard = self.services.guard
            ask = Ask(
                self.services,
                self.require_session(),
                address=rate_key(guard.client_address(self.request)),
                origin=guard.own_origin(self.request),
            )
            given = self._given(command, path)
            reply = await command.run(ask, given)
            outcome = "ok"
        except Problem as problem:
            outcome = problem.code
            raise
        finally:
            self.services.metrics.command(command.verb, outcome, time.perf_counter() - started)
        self.reply(reply)

    def _given(self, command: Command, path: dict[str, str]) -> Any:
        """Path parts are whole numbers; a query's values are text that is read as what the field wants."""
        try:
            parts: dict[str, Any] = {name: int(text) for name, text in path.items()}
            if self.request.method in ("GET", "HEAD"):
                query = {name: self.get_query_argument(name) for name in self.request.query_arguments}
                return msgspec.convert(query | parts, type=command.given, strict=False)
            body = self.decoded(dict[str, Any]) if self.request.body else {}
            return msgspec.convert(body | parts, type=command.given, str_keys=True)
        except msgspec.ValidationError as error:
            raise as_invalid(error) from None
        except RecursionError:
            raise Malformed("This JSON is nested too deeply.") from None

    def _methods(self) -> list[str]:
        return sorted([*self.methods, *(["HEAD"] if "GET" in self.methods else []), "OPTIONS"])


def routes(services: Services, registry: Registry) -> list[URLSpec]:
    """One entry per path; those without parameters first, so that a word is never taken for an id."""
    paths: dict[str, dict[str, Command]] = {}
    for command in registry.commands.values():
        for method, path in command.routes:
            paths.setdefault(path, {})[method] = command
    return [
        URLSpec(
            PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[0-9]{1,15})", path),
            Api,
            {"services": services, "methods": methods, "route": PREFIX + path},
        )
        for path, methods in sorted(paths.items(), key=lambda each: ("{" in each[0], each[0]))
    ]

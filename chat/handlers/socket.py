"""The socket: who may open one, its hello, and its end. What comes in goes to Dispatch, what goes out to the hub."""

import logging
import math
import secrets
from collections.abc import Awaitable

from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from chat.actions import sessions
from chat.actions.greeting import Hello, Newcomer
from chat.errors import (
    CLOSE_FAULT,
    CLOSE_RESTARTING,
    CLOSE_SIGN_IN_AGAIN,
    NotSignedIn,
    Problem,
    RateLimited,
    Restarting,
)
from chat.handlers.admission import Admission
from chat.handlers.commands.presenting import rooms_with_presence
from chat.handlers.commands.registry import Ask
from chat.handlers.dispatch import Dispatch, FrameTable, encode, error_body
from chat.handlers.guard import rate_key
from chat.handlers.services import Services
from chat.handlers.transport import StreamTransport
from chat.handlers.websocket import EagerProtocol
from chat.hub.connection import Connection
from chat.hub.hub import room_topic
from chat.models.sessions import SignedIn

log = logging.getLogger("roomful.socket")

CLOSE_NOT_TEXT = 1003


class SocketHandler(WebSocketHandler):
    """One connection, from the upgrade to its end."""

    def initialize(self, services: Services, table: FrameTable, admission: Admission) -> None:
        self.services = services
        self.guard = services.guard
        self.table = table
        self.admission = admission
        self.actor: SignedIn
        self.connection: Connection | None = None
        self.dispatch: Dispatch
        self.address = ""
        self.entered = False

    def set_default_headers(self) -> None:
        for name, value in self.application.settings["security_headers"].items():
            self.set_header(name, value)

    def check_origin(self, origin: str) -> bool:
        return True  # `prepare` has checked it, more strictly, and answered in our own words

    def get_compression_options(self) -> None:
        """No permessage-deflate: it costs memory per connection, and frames are shared by all who get them."""
        return

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        chosen = super().get_websocket_protocol()
        return EagerProtocol(self, False, chosen.params) if isinstance(chosen, WebSocketProtocol13) else chosen

    async def prepare(self) -> None:
        """Everything that can refuse the upgrade, the cheapest first. No socket is held for who is refused."""
        try:
            self.guard.check_host(self.request)
            self.guard.check_origin(self.request, required=True)
            if self.services.stopping:
                raise Restarting
            self.address = rate_key(self.guard.client_address(self.request))
            self.admission.check_address(self.address)
            if wait := self.services.limits.requests.take(self.address):
                raise RateLimited(retry_after=wait)
            async with self.admission.line.turn():
                actor = await self.guard.session_of(self.request)
            if actor is None:
                raise NotSignedIn
            self.admission.check_address(self.address)  # others may have come while the session was looked up
            self.admission.check_user(actor.user)
            self.actor = actor
            if actor.stale:  # who never loads the page again must not lose the cookie while the session lives on
                cookie = self.request.cookies[self.guard.cookie_name].value
                self.set_cookie(self.guard.cookie_name, cookie, **self.guard.cookie_attributes)
        except Problem as problem:
            self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        self.set_status(problem.status)
        if problem.retry_after is not None:
            self.set_header("Retry-After", str(max(1, math.ceil(problem.retry_after))))
        self.set_header("Content-Type", "application/json")
        self.finish(encode({"error": error_body(problem)}))

    async def open(self, *args: str, **kwargs: str) -> None:
        """Listens first and asks the database then: what is posted meanwhile waits behind the hello."""
        assert self.ws_connection is not None
        stream = self.ws_connection.stream
        assert stream is not None, "the socket is open"
        self.set_nodelay(True)
        self.admission.enter(self.actor.user, self.address)
        self.entered = True
        settings = self.services.settings
        self.connection = connection = Connection(
            secrets.token_hex(8),
            user=self.actor.user,
            session=self.actor.session,
            role=self.actor.role,
            transport=StreamTransport(self, stream, self.services.metrics.closed),
            write_limit=settings.write_buffer,
        )
        ask = Ask(self.services, self.actor, connection, self.address, self.guard.own_origin(self.request))
        self.dispatch = Dispatch(self.table, ask, connection, self.services.metrics)
        self.services.hub.register(connection)
        self._forget_request()
        try:
            await self._greet(connection)
        except NotSignedIn:
            connection.close(CLOSE_SIGN_IN_AGAIN, "sign in again")
        except Problem as problem:
            connection.close(CLOSE_RESTARTING, problem.code)

    def _forget_request(self) -> None:
        """The handshake is over; what its headers hold would stay as long as the connection, 4 KB each."""
        self.request.headers.clear()  # in place: the HTTP connection below holds them as well
        self.request.cookies.clear()
        self._headers = HTTPHeaders()

    async def _greet(self, connection: Connection) -> None:
        services = self.services
        hello = await self._look(connection)
        if hello is None:
            return
        services.presence.connected(connection)
        hello.user.presence = services.presence.of(self.actor.user)
        rooms_with_presence(services, hello.rooms)
        connection.greet(encode(hello))
        for room in hello.rooms:
            services.hub.begin_log(connection, room_topic(room.id), room.seq)

    async def _look(self, connection: Connection) -> Hello | None:
        """A hello after which the connection misses nothing; None where it has closed meanwhile."""
        hub = self.services.hub
        while True:
            expected: set[int] = set()
            unbegun: set[int] = set()  # rooms whose events nobody was told when we began to listen

            def listen(rooms: list[int], expected: set[int] = expected, unbegun: set[int] = unbegun) -> None:
                expected.update(rooms)
                unbegun.update(room for room in rooms if hub.head(room_topic(room)) is None)
                if not connection.closed:
                    for room in rooms:
                        hub.listen(connection, room_topic(room))

            hello = await self.services.greeter.hello(Newcomer(self.actor, connection.id, listen))
            if connection.closed:
                return None
            seen = {room.id: room.seq for room in hello.rooms}
            # Who was removed between the two looks was evicted before they listened; they may be back by now.
            left = expected - seen.keys()
            for room in left:
                hub.ignore(connection, room_topic(room))
            # Somebody who looked later than we did was greeted first: what lies between is told to nobody.
            missed = [room for room in unbegun & seen.keys() if (hub.head(room_topic(room)) or 0) > seen[room]]
            if not left and not missed:
                return hello

    def on_pong(self, data: bytes) -> None:
        if self.connection is not None:
            self.connection.is_silent = False

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        if self.connection is None or self.connection.closed:
            return None
        self.connection.is_silent = False
        if isinstance(message, bytes):
            self.connection.close(CLOSE_NOT_TEXT, "send text frames")
            return None
        if self.connection.outdated:
            return self._handle_as_now(message)
        return self._handle(message)

    async def _handle_as_now(self, message: str) -> None:
        """The person has another name than when the connection was opened: what they do now is done under the new."""
        connection = self.connection
        assert connection is not None, "it was there a moment ago"
        connection.outdated = False
        try:
            actor = await sessions.known(self.services.db, self.actor.session)
        except Problem as problem:
            connection.close(CLOSE_RESTARTING, problem.code)
            return
        if actor is None:
            connection.close(CLOSE_SIGN_IN_AGAIN, "sign in again")
            return
        self.actor = actor
        self.dispatch.known_as(actor)
        if (answering := self._handle(message)) is not None:
            await answering

    def _handle(self, message: str) -> Awaitable[None] | None:
        assert self.connection is not None, "the socket is open"
        try:
            return self.dispatch(message)
        except Exception:
            log.exception("a frame could not be handled")
            self.connection.close(CLOSE_FAULT, "a fault of the server's")
            return None

    def on_close(self) -> None:
        if self.entered:
            self.entered = False
            self.admission.leave(self.actor.user, self.address)
        connection, self.connection = self.connection, None
        if connection is not None:
            self.services.hub.unregister(connection)
            self.services.presence.disconnected(connection.user)
            self.services.limits.commands.forget(connection.id)
            self.services.limits.refusals.forget(connection.id)

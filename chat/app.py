"""The only place that builds things: settings → database, hub, services → routes; and the order of start and stop."""

import asyncio
import contextlib
import gc
import logging
import secrets
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import tornado.httpserver
import tornado.netutil
import tornado.web

from chat import __version__
from chat.actions import messages, rooms
from chat.actions.greeting import Greeter
from chat.actions.healing import Healer
from chat.actions.journal import Journal
from chat.actions.live import Bye
from chat.actions.reconciling import look_for_news
from chat.actions.returning import Returns
from chat.config import Settings
from chat.errors import CLOSE_RESTARTING, Problem
from chat.handlers.base import application_settings
from chat.handlers.guard import Guard
from chat.handlers.readiness import Readiness
from chat.handlers.request_log import RequestLog
from chat.handlers.routes import routes
from chat.handlers.services import Limits, Services
from chat.handlers.templates import Templates
from chat.hub.bridge import Bridge, SharedHub
from chat.hub.heartbeat import Heartbeat
from chat.hub.hub import Hub
from chat.hub.presence import PresenceBoard
from chat.hub.typing import TypingNotices
from chat.jobs.clock import Clock, Job
from chat.jobs.housekeeping import expire_sessions, keep_sessions, note_who_is_here, watch_postgres
from chat.jobs.revocation import notice_changes_elsewhere
from chat.jobs.sharing import sharing_jobs
from chat.lib.database import prepared
from chat.lib.db import Database, encode
from chat.lib.deadline import Deadline
from chat.lib.doorway import Doorway
from chat.lib.limits import Limit
from chat.lib.loop import LoopLag
from chat.lib.metrics import Metrics
from chat.lib.passwords import Passwords
from chat.lib.postgres import EmbeddedPostgres
from chat.lib.signing import Signer, load_or_make_keys
from chat.models import members, users, workspace

if TYPE_CHECKING:
    from chat.lib.bus import Bus

log = logging.getLogger("roomful")

# A stranger who opens connections and says nothing is gone after this; people's requests take milliseconds.
HEADER_SECONDS = 10
BODY_SECONDS = 20
BODY_BYTES = 1024 * 1024
HEADER_BYTES = 32 * 1024
# Taken from a socket at a time, into a buffer made for each read: hardly a command or a request's head is longer.
READ_BYTES = 8 * 1024
BACKLOG = 4096
TYPING_SECONDS = 5
# A commit whose end was not heard, or another program's, with no later event to show the hole it left.
NEWS_SECONDS = 2.0
FIFTEEN_MINUTES = 15 * 60
# Clients come back spread over this time; the hello of a thousand at once would make everybody wait.
COME_BACK_PER_SECOND = 1000
# Those who catch up wait in line for the database, and leave most of its connections to others.
CATCH_UP_AT_ONCE = 4
# What the embedded PostgreSQL has for its own stop on top of what the server left of SHUTDOWN_SECONDS.
POSTGRES_STOP_SECONDS = 1.0


def limits_of(settings: Settings) -> Limits:
    return Limits(
        messages=Limit(rate=settings.messages_per_minute / 60, burst=settings.message_burst),
        commands=Limit(rate=settings.commands_per_second, burst=settings.command_burst),
        refusals=Limit(rate=1, burst=200),
        requests=Limit(rate=settings.requests_per_minute / 60, burst=settings.request_burst),
        sign_in=Limit(rate=settings.sign_in_attempts / FIFTEEN_MINUTES, burst=settings.sign_in_attempts),
        sign_in_name=Limit(
            rate=settings.sign_in_attempts_per_name / FIFTEEN_MINUTES, burst=settings.sign_in_attempts_per_name
        ),
        sign_in_address=Limit(
            rate=settings.sign_in_attempts_per_address / FIFTEEN_MINUTES, burst=settings.sign_in_attempts_per_address
        ),
    )


def limits_told(settings: Settings) -> dict[str, int]:
    """The limits that a client must know to stay within them: in the hello."""
    return {
        "text": settings.text_limit,
        "frame": settings.frame_limit,
        "page": messages.PAGE,
        "typing_seconds": TYPING_SECONDS,
        "name": rooms.NAME_LIMIT,
        "topic": rooms.TOPIC_LIMIT,
    }


class Server:
    """Everything that runs; `start` and `stop` keep the order in which the parts need each other."""

    def __init__(self, settings: Settings, url: str, embedded: EmbeddedPostgres | None = None) -> None:
        self.settings = settings
        self.process = secrets.token_hex(4)
        self._place = embedded.place if embedded is not None else ""
        self.bus = self._make_bus()
        self.bridge: Bridge | None = None
        self.hub = SharedHub(self.bus.say) if self.bus is not None else Hub()
        self.db = Database(url, pool_size=settings.database_pool, publish=self.hub.publish)
        self.healer = Healer(self.db, self.hub)
        self.hub.on_gap = self.healer.on_gap
        self.metrics = Metrics()
        self.loop_lag = LoopLag(self.metrics.loop_lag)
        self.presence = PresenceBoard(self.hub, on_offline=self._note_last_seen, rooms_of=self._rooms_of)
        signer = Signer(settings.secret_keys or load_or_make_keys(settings.data_dir))
        self.services = Services(
            settings=settings,
            db=self.db,
            hub=self.hub,
            journal=Journal(self.db, self.hub, self.metrics.commit),
            catching_up=asyncio.Semaphore(CATCH_UP_AT_ONCE),
            returns=Returns(self.db),
            greeter=Greeter(self.db, server=__version__, limits=limits_told(settings)),
            presence=self.presence,
            typing=TypingNotices(self.hub, per_user=Limit(rate=1, burst=1), per_room=Limit(rate=5, burst=10)),
            limits=limits_of(settings),
            signer=signer,
            guard=Guard(settings, self.db, signer),
            passwords=Passwords(settings.bcrypt_cost, settings.bcrypt_threads),
            metrics=self.metrics,
        )
        jobs = [
            *self._sharing_jobs(),
            expire_sessions(self.db, days=settings.session_days),
            keep_sessions(self.db, self.hub, days=settings.session_days),
            note_who_is_here(self.db, self.presence),
            Job("asking who is still there", 1.0, Heartbeat(self.hub).beat),
            Job("looking for news", NEWS_SECONDS, lambda: look_for_news(self.db, self.hub, self.healer)),
            notice_changes_elsewhere(self.db, self.hub),
            *([watch_postgres(embedded)] if embedded is not None else []),
        ]
        self.clock = Clock(jobs)
        self.readiness = Readiness(
            self.db,
            data_dir=settings.data_dir if embedded is not None else None,
            loop_lag=lambda: self.loop_lag.sustained,
            is_stopping=lambda: self.services.stopping,
        )
        self.metrics.watch("connections", "Open sockets.", lambda: len(self.hub.connections))
        self.metrics.watch("users_online", "People who are online or away.", self.presence.online_count)
        self.metrics.watch("database_connections_in_use", "Connections taken from the pool.", lambda: self.db.in_use)
        self.metrics.watch_count("events_told", "Events told, one for each connection.", lambda: self.hub.told)
        if (bus := self.bus) is not None:
            self.metrics.watch("redis_up", "1 while hints of the other processes get here.", lambda: int(bus.is_up))
            self.metrics.watch_count("hints_doubted", "Times that hints may have been lost.", lambda: bus.losses)
        self.port = settings.port
        self._http: tornado.httpserver.HTTPServer | None = None

    async def start(self) -> None:
        """Listens, and serves from here on. Raises OSError where the address is taken."""
        async with self.db.transaction() as tx:
            if await workspace.renew_epoch(tx.db, self._place):
                log.warning("the database was restored or copied: what browsers keep of it is loaded anew")
            database = await workspace.database(tx.db)
        sockets = tornado.netutil.bind_sockets(self.settings.port, self.settings.host, backlog=BACKLOG)
        self.port = sockets[0].getsockname()[1]
        self.services.journal.start()
        self.presence.start()
        if self.bus is not None and self.bridge is not None:
            self.bus.start(f"roomful:{database}", self.bridge)
        self.loop_lag.start()
        self.clock.start()
        application = tornado.web.Application(
            routes(self.services, self.readiness, Templates()),
            **application_settings(self.settings),
            websocket_ping_interval=0,  # `hub.heartbeat` asks them all, without a task for each
            websocket_max_message_size=self.settings.frame_limit,
            log_function=RequestLog(self.metrics, self.services.guard.client_address),
        )
        self._http = tornado.httpserver.HTTPServer(
            application,
            idle_connection_timeout=HEADER_SECONDS,
            body_timeout=BODY_SECONDS,
            max_body_size=BODY_BYTES,
            max_header_size=HEADER_BYTES,
            chunk_size=READ_BYTES,
        )
        self._http.add_sockets(Doorway(each) for each in sockets)

    async def stop(self) -> None:
        """Accepts nothing more, commits what was posted, sends people away to come back, and closes everything.

        Over after SHUTDOWN_SECONDS, whatever the database and the browsers do meanwhile.
        """
        deadline, quarter = Deadline(self.settings.shutdown_seconds), self.settings.shutdown_seconds / 4
        self.services.stopping = True
        if self._http is not None:
            self._http.stop()
        await self.services.journal.close(quarter)
        self._say_bye()
        await deadline.wait(self.hub.emptied(), most=2 * quarter)
        closing = (self.clock.close(), self.presence.close(), self.healer.close(), self.loop_lag.stop())
        await deadline.wait(asyncio.gather(*closing), most=quarter)
        if self._http is not None:
            await deadline.wait(self._http.close_all_connections(), most=quarter)
        if self.bus is not None and self.bridge is not None:
            self.bridge.leave()
            await deadline.wait(self.bus.close(), most=quarter)
        self.services.passwords.close()
        if not await deadline.wait(self._remember_present(), most=quarter / 2):
            log.warning("could not note who was online: the database does not answer")
        await deadline.wait(self.db.close(), most=quarter / 2)

    def _make_bus(self) -> "Bus | None":
        """With REDIS_URL this process is one of several; without it none of this is there, nor costs anything."""
        if self.settings.redis_url is None:
            return None
        from chat.lib.bus import Bus  # needs the extra `redis`, which others do not install

        return Bus(self.settings.redis_url, self.process)

    def _sharing_jobs(self) -> list[Job]:
        if self.bus is None or not isinstance(self.hub, SharedHub):
            return []
        limits = self.services.limits
        names = ("messages", "requests", "sign_in", "sign_in_name", "sign_in_address")
        shared = {name: getattr(limits, name) for name in names}
        self.bridge = Bridge(self.hub, self.presence, shared, say=self.bus.say, forget=self.bus.forget)
        return sharing_jobs(self.db, self.hub, self.healer, self.bus)

    def _say_bye(self) -> None:
        spread = max(1, len(self.hub.connections) // COME_BACK_PER_SECOND)
        for connection in list(self.hub.connections):
            wait = round(1 + secrets.randbelow(1000) / 1000 * spread, 2)
            connection.tell(encode(Bye(reconnect_in=wait)))
            connection.close(CLOSE_RESTARTING, "the server is restarting")

    async def _rooms_of(self, people: list[int]) -> dict[int, list[int]]:
        async with self.db.read() as db:
            return await members.rooms_of_each(db, people)

    async def _note_last_seen(self, gone: list[int]) -> None:
        async with self.db.transaction() as tx:
            await users.seen(tx.db, gone)

    async def _remember_present(self) -> None:
        """A clean stop says when everybody was last seen; without the database it cannot."""
        if present := list(self.presence.here()):
            try:
                await self._note_last_seen(present)
            except Problem as problem:
                log.warning("could not note who was online: %s", problem.text)

    async def start_link(self) -> str | None:
        """The link that makes the owner's account, while there is nobody."""
        async with self.db.read() as db:
            if await users.count(db):
                return None
            token = self.services.signer.start_token(await workspace.epoch(db))
        return f"{self.settings.address(self.port)}/start/{token}"


async def serve(settings: Settings, *, on_ready: Callable[[Server], None] | None = None) -> None:
    """Runs the server until SIGTERM, SIGINT or the end of its terminal, and stops it in order; a second signal does
    not hurry it."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup asks to outlive the terminal
        signals.append(signal.SIGHUP)
    for name in signals:
        loop.add_signal_handler(name, stop.set)
    async with prepared(settings) as (url, embedded):
        server = Server(settings, url, embedded)
        await server.start()
        collect_garbage_rarely()
        try:
            say(f"Roomful is at {settings.address(server.port)}")
            if link := await server.start_link():
                say(f"Make the owner's account at {link}")
            if on_ready is not None:
                on_ready(server)
            await stop.wait()
            say("Stopping…")
        finally:
            deadline = Deadline(settings.shutdown_seconds + POSTGRES_STOP_SECONDS)
            await server.stop()
            if embedded is not None:
                await embedded.stop(deadline.left)
            for name in signals:  # one more must not spoil the exit code
                loop.remove_signal_handler(name)
                signal.signal(name, signal.SIG_IGN)


def collect_garbage_rarely() -> None:
    """Python looks for cycles after every 700 new objects, through all that live: with thousands of connections a
    third of the time. What is made per message has none, so that a look now and then is enough."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 5, 500)


def say(sentence: str) -> None:
    """To the person at the terminal, whatever the log level."""
    with contextlib.suppress(OSError):  # the terminal may be gone; who started us need not hear us
        sys.stdout.write(sentence + "\n")
        sys.stdout.flush()

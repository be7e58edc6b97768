"""What all HTTP doors have in common: who may knock, the headers of every answer, errors in words, the cookie."""

import logging
import math
from types import TracebackType
from typing import Any, TypeVar

import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from chat.config import Settings
from chat.errors import (
    Forbidden,
    Internal,
    Malformed,
    MethodNotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    RateLimited,
    UnknownCommand,
    UnsupportedMediaType,
)
from chat.handlers.dispatch import encode, error_body
from chat.handlers.guard import rate_key
from chat.handlers.headers import security_headers
from chat.handlers.services import Services
from chat.handlers.templates import Templates
from chat.lib import logs
from chat.lib.db import AsyncConnection
from chat.models import workspace
from chat.models.sessions import SignedIn
from chat.models.workspace import Workspace

log = logging.getLogger("roomful.http")

READING = ("GET", "HEAD", "OPTIONS")
NOTHING_HERE = "Nothing is at this address. It may have been mistyped."
STALE_FORM = "This form was open for too long, or did not come from here. Please load the page again."
TITLES = {
    400: "This request was not understood",
    401: "Please sign in",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This cannot be done here",
    409: "Something is in the way",
    410: "This link has ended",
    415: "This request was not understood",
    421: "This is not the right address",
    422: "This needs another look",
    429: "A little slower, please",
    503: "One moment, please",
    507: "The disk is full",
}
FAULT_TITLE = "Something went wrong"

S = TypeVar("S")


def application_settings(settings: Settings) -> dict[str, Any]:
    """What these doors need of the Tornado application that they are in."""
    return {
        "security_headers": security_headers(settings),
        "xsrf_cookies": True,
        "xsrf_cookie_name": "__Host-xsrf" if settings.secure else "xsrf",
        "xsrf_cookie_kwargs": {
            "httponly": True,
            "path": "/",
            "samesite": "Lax",
            "secure": settings.secure,
        },
        "cross_origin_protection": True,
        "compress_response": True,
    }


class Door(RequestHandler):
    """Checks host, origin and rate before anything else, and renders every refusal; subclasses say how."""

    services: Services
    actor: SignedIn | None = None
    is_limited = True
    lets_others_in = False  # pages of ALLOWED_ORIGINS

    def initialize(self, services: Services) -> None:
        self.services = services

    def set_default_headers(self) -> None:
        # Tornado calls this before `initialize`, hence from its settings.
        for name, value in self.application.settings["security_headers"].items():
            self.set_header(name, value)
        if request := logs.request_id.get():
            self.set_header("X-Request-Id", request)

    async def prepare(self) -> None:
        guard = self.services.guard
        given = self.request.headers.get("X-Request-Id", "") if guard.is_from_proxy(self.request) else ""
        self.set_header("X-Request-Id", logs.begin_request(given))
        guard.check_host(self.request)
        if self.is_limited:
            address = rate_key(guard.client_address(self.request))
            if wait := self.services.limits.requests.take(address):
                raise RateLimited(retry_after=wait)
        if self.request.method not in READING:
            guard.check_origin(self.request, others=self.lets_others_in)

    def check_trusted_origin(self, origin: str) -> bool:
        """For Tornado's own check, which comes first and knows neither PUBLIC_URL nor ALLOWED_ORIGINS."""
        guard = self.services.guard
        return guard.is_own_origin(self.request, origin) or (self.lets_others_in and guard.allows_other(origin))

    async def load_session(self) -> SignedIn | None:
        """Who is signed in, in `actor` from here on; a cookie that is used goes on for as long as its session does."""
        guard = self.services.guard
        self.actor = await guard.session_of(self.request)
        if self.actor is not None and self.actor.stale:
            self._set_session_cookie(self.request.cookies[guard.cookie_name].value)
        return self.actor

    def give_session(self, token: str) -> None:
        self._set_session_cookie(self.services.signer.session_cookie(token))

    def take_session(self) -> None:
        """Signed out: the cookie goes, and with it what the browser client has stored here."""
        guard = self.services.guard
        attributes = {name: value for name, value in guard.cookie_attributes.items() if name != "max_age"}
        self.clear_cookie(guard.cookie_name, **attributes)
        # Not "cookies": that would reach the cookies of other services on sibling hosts.
        self.set_header("Clear-Site-Data", '"cache", "storage"')

    def _set_session_cookie(self, value: str) -> None:
        guard = self.services.guard
        self.set_cookie(guard.cookie_name, value, **guard.cookie_attributes)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Only faults of ours are worth a traceback; the request log tells of refusals."""
        refusal = isinstance(value, Problem | HTTPError) and not isinstance(value, Internal)
        if refusal or isinstance(value, StreamClosedError):
            log.debug("refused: %s", value)
        else:
            log.error("a request failed", exc_info=(typ, value, tb) if typ and value else None)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        problem = self.as_problem(error, status_code)
        self.set_status(problem.status)
        # Tornado refuses some before `prepare` is asked.
        self.set_header("X-Request-Id", logs.request_id.get() or logs.begin_request())
        if problem.retry_after is not None:
            self.set_header("Retry-After", str(max(1, math.ceil(problem.retry_after))))
        if isinstance(problem, MethodNotAllowed):
            self.set_header("Allow", ", ".join(self._methods()))
        self.render_problem(problem)

    def as_problem(self, error: BaseException | None, status: int) -> Problem:
        """Whatever ended a request, in words that may be shown."""
        if isinstance(error, Problem):
            return error
        match error.status_code if isinstance(error, HTTPError) else status:
            case 403:
                return Forbidden()
            case 404:
                return NotFound(NOTHING_HERE)
            case 405:
                return MethodNotAllowed()
            case code if 400 <= code < 500:
                return Malformed("This request is not well-formed.")
            case _:
                return Internal()

    def render_problem(self, problem: Problem) -> None:
        """As JSON; pages override it."""
        self.set_header("Content-Type", "application/json")
        self.finish(encode({"error": error_body(problem)}))

    def _methods(self) -> list[str]:
        missing = RequestHandler.head  # what Tornado answers 405 with
        return [each for each in self.SUPPORTED_METHODS if getattr(type(self), each.lower()) is not missing]


class ApiDoor(Door):
    """JSON in, JSON out. No XSRF token: JSON and the Origin checks keep other sites' forms and scripts out."""

    lets_others_in = True

    def check_xsrf_cookie(self) -> None:
        """See the class."""

    async def prepare(self) -> None:
        self._let_other_origin_read()
        await super().prepare()
        if self.request.method not in READING and self.request.body:
            self._check_media_type()
        if self.request.method != "OPTIONS":
            await self.load_session()

    def as_problem(self, error: BaseException | None, status: int) -> Problem:
        """Tornado looks into bodies of other types before we can say that we take none."""
        if isinstance(error, HTTPError) and error.status_code == 400 and self._media_type() != "application/json":
            return UnsupportedMediaType()
        return super().as_problem(error, status)

    def require_session(self) -> SignedIn:
        if self.actor is None:
            raise NotSignedIn
        return self.actor

    def decoded(self, shape: type[S]) -> S:
        """The body as that struct. Raises Malformed; msgspec.ValidationError where the JSON has another shape."""
        try:
            return msgspec.json.decode(self.request.body, type=shape)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise Malformed from None

    def reply(self, answer: msgspec.Struct | None) -> None:
        self.set_header("Content-Type", "application/json")
        self.finish(b"{}" if answer is None else encode(answer))

    def options(self, *args: str, **kwargs: str) -> None:
        """A browser asks before it sends another origin's request: only those of ALLOWED_ORIGINS get a yes."""
        if self.services.guard.allows_other(self.request.headers.get("Origin", "")):
            self.set_header("Access-Control-Allow-Methods", ", ".join(self._methods()))
            self.set_header("Access-Control-Allow-Headers", "Content-Type")
            self.set_header("Access-Control-Max-Age", "600")
        self.set_status(204)

    def _media_type(self) -> str:
        return self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def _check_media_type(self) -> None:
        encoding = self.request.headers.get("Content-Encoding", "identity").lower()
        if self._media_type() != "application/json":
            raise UnsupportedMediaType
        if encoding != "identity":
            raise UnsupportedMediaType("Send the JSON uncompressed, without Content-Encoding.")

    def _let_other_origin_read(self) -> None:
        origin = self.request.headers.get("Origin", "")
        if origin and self.services.guard.allows_other(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Credentials", "true")
            self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
            self.set_header("Vary", "Origin")


class PageDoor(Door):
    """Pages for people, made from templates; they work without JavaScript."""

    templates: Templates

    def initialize(self, services: Services, templates: Templates | None = None) -> None:
        super().initialize(services)
        assert templates is not None, "pages are made from templates"
        self.templates = templates

    def check_xsrf_cookie(self) -> None:
        try:
            super().check_xsrf_cookie()
        except HTTPError:
            raise Forbidden(STALE_FORM) from None

    async def about_workspace(self, db: AsyncConnection) -> Workspace:
        """The workspace; its name goes to the top of this page and, until the next one asks, of error pages."""
        about = await workspace.get(db)
        self.templates.workspace_name = about.name
        return about

    def typed(self, field: str) -> str:
        """What stands in that field of the form, as it was typed. Raises Malformed where it is not UTF-8.

        Tornado's get_body_argument would strip passwords and turn control characters into spaces.
        """
        try:
            return self.request.body_arguments.get(field, [b""])[-1].decode()
        except UnicodeDecodeError:
            raise Malformed(f"The field {field} is not written in UTF-8.") from None

    def page(self, name: str, *, status: int = 200, **variables: Any) -> None:
        """Answers with a template, which knows the workspace's name and the addresses of built files."""
        self.set_status(status)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(
            self.templates.loader.load(name).generate(
                **{
                    "status": status,
                    "workspace_name": self.templates.workspace_name,
                    "asset": self.templates.asset,
                    "xsrf_form_html": self.xsrf_form_html,
                    **variables,
                }
            )
        )

    def go_to(self, path: str) -> None:
        """303: the browser gets the next page, whatever it did here."""
        self.redirect(path, status=303)

    def render_problem(self, problem: Problem) -> None:
        title = TITLES.get(problem.status, FAULT_TITLE)
        text = problem.text
        if problem.status == 500:
            text = f"{text} The number of this request is {logs.request_id.get()}."
        try:
            self.page(
                "error.html",
                status=problem.status,
                title=title,
                text=text,
                retry_after=problem.retry_after,
            )
        except Exception:  # an error page that fails must still say something
            log.exception("the error page could not be made")
            self.set_status(problem.status)
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(f"{title}\n\n{text}\n")


class UnknownApi(ApiDoor):
    """Below /api, what leads nowhere is told in JSON."""

    async def prepare(self) -> None:
        await super().prepare()
        raise UnknownCommand("There is no such address in the API. docs/protocol.md lists them.")


class UnknownPage(PageDoor):
    """Every address that leads nowhere."""

    async def prepare(self) -> None:
        await super().prepare()
        raise NotFound(NOTHING_HERE)

    def check_xsrf_cookie(self) -> None:
        """There is nothing to change here."""

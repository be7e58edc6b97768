"""One line and one measurement for each HTTP request that was answered."""

import logging
import re
from collections.abc import Callable

from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

from chat.lib import logs
from chat.lib.metrics import METHODS, Metrics

log = logging.getLogger("roomful.requests")

READING = frozenset(("GET", "HEAD", "OPTIONS"))
# Asked every few seconds by machines; a line for each would bury the rest.
MACHINES = frozenset(("/health", "/ready", "/metrics"))
# An invitation's token, or another secret that somebody put into an address.
LONG_PART = re.compile(r"(?<=/)[^/]{21,}")


def shown_path(path: str) -> str:
    """The path without what may be a secret: long parts are cut, a query is never there."""
    return LONG_PART.sub(lambda part: f"{part[0][:4]}…", path[:300])


def route_of(handler: RequestHandler) -> str:
    """The handler's `route` where it names one, else its class: few in number, whatever clients ask for."""
    return str(getattr(handler, "route", None) or type(handler).__name__)


class RequestLog:
    """Tornado's `log_function`. What changes something or fails is logged at info, the rest at debug."""

    def __init__(self, metrics: Metrics, client_address: Callable[[HTTPServerRequest], str]) -> None:
        self._metrics = metrics
        self._client_address = client_address

    def __call__(self, handler: RequestHandler) -> None:
        request, status = handler.request, handler.get_status()
        method = (request.method or "").upper()
        if method not in METHODS:
            method = "other"
        seconds = request.request_time()
        self._metrics.request(method, route_of(handler), status, seconds)
        path = request.path
        if path in MACHINES:
            return
        level = logging.INFO if status >= 400 or method not in READING else logging.DEBUG
        if not log.isEnabledFor(level):
            return
        shown = shown_path(path)
        milliseconds = round(seconds * 1000, 1)
        log.log(
            level,
            "%s %s %d",
            method,
            shown,
            status,
            extra=logs.fields(
                method=method,
                path=shown,
                status=status,
                ms=milliseconds,
                address=self._client_address(request),
            ),
        )

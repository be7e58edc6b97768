"""What machines ask about the server: /health (it lives), /ready (it can work), /metrics (its numbers)."""

import hmac
import ipaddress

import msgspec
from tornado.httputil import HTTPServerRequest
from tornado.routing import URLSpec

from chat.config import Settings
from chat.errors import NotFound
from chat.handlers.base import Door
from chat.handlers.readiness import Readiness
from chat.handlers.services import Services
from chat.lib import logs
from chat.lib.metrics import CONTENT_TYPE

# A proxy that was asked by somebody says so in one of these; its own address then proves nothing.
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip")


class MachineDoor(Door):
    """Answers under any Host and at any rate: load balancers and monitors ask by address, and often."""

    async def prepare(self) -> None:
        self.set_header("X-Request-Id", logs.begin_request())

    def check_xsrf_cookie(self) -> None:
        """There is nothing to change here."""

    def text(self, answer: str) -> None:
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(f"{answer}\n")


class Health(MachineDoor):
    """200 as long as the process answers at all: for whoever restarts it."""

    async def get(self) -> None:
        self.text("ok")

    head = get


class Ready(MachineDoor):
    """200, or 503 with the reasons: for whoever sends people here, or elsewhere."""

    def initialize(self, services: Services, readiness: Readiness | None = None) -> None:
        super().initialize(services)
        assert readiness is not None, "routes() hands it over"
        self.readiness = readiness

    async def get(self) -> None:
        reasons = await self.readiness.reasons()
        self.set_status(503 if reasons else 200)
        if "application/json" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "application/json")
            self.finish(msgspec.json.encode({"ready": not reasons, "reasons": reasons}))
        else:
            self.text("\n".join(reasons) or "ready")

    head = get


class Numbers(MachineDoor):
    """For Prometheus, from allowed peers and with the token; for others there is no such page."""

    async def get(self) -> None:
        if not may_read_metrics(self.request, self.services.settings):
            raise NotFound
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(self.services.metrics.text())

    head = get


def may_read_metrics(request: HTTPServerRequest, settings: Settings) -> bool:
    """By the bearer token, or by the peer's own address; a proxy's address says nothing of who asked it."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if settings.metrics_token and scheme.casefold() == "bearer":
        return hmac.compare_digest(given.strip().encode(), settings.metrics_token.encode())
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    try:
        peer = ipaddress.ip_address(request.remote_ip or "")
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return any(peer in network for network in settings.metrics_allow)


def routes(services: Services, readiness: Readiness) -> list[URLSpec]:
    return [
        URLSpec("/health", Health, {"services": services}),
        URLSpec("/ready", Ready, {"services": services, "readiness": readiness}),
        URLSpec("/metrics", Numbers, {"services": services}),
    ]

"""Who is asking, and may they ask from there: host, origin, address and session of a request, for every door."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPServerRequest

from chat.actions.sessions import SessionLookup
from chat.config import Settings
from chat.errors import Forbidden, WrongHost
from chat.lib.db import Database
from chat.lib.signing import Signer
from chat.models.sessions import SignedIn

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CROSS_ORIGIN = "This request came from another site's page. Open Roomful itself and try again."
NO_ORIGIN = "A request with a session cookie needs an Origin header that names this server."
DAY = 24 * 60 * 60  # seconds
WILDCARDS = ("0.0.0.0", "::", "")


class Guard:
    """The checks that the pages, the API and the socket share. It knows the settings; it keeps nothing of a request."""

    def __init__(self, settings: Settings, db: Database, signer: Signer) -> None:
        self.secure = settings.secure
        # A cookie with this prefix is refused by browsers unless it is Secure, for this host alone and for all paths.
        self.cookie_name = "__Host-session" if settings.secure else "session"
        self.session_days = settings.session_days
        self.cookie_attributes: dict[str, Any] = {
            "path": "/",
            "secure": settings.secure,
            "httponly": True,
            "samesite": "Lax",
            "max_age": settings.session_days * DAY,
        }
        self._sessions = SessionLookup(db, days=settings.session_days)
        self._signer = signer
        self._trusted_proxies = settings.trusted_proxies
        self._allowed_origins = frozenset(settings.allowed_origins)
        self._public_url = settings.public_url
        self._public_netloc = urlsplit(settings.public_url).netloc if settings.public_url else None
        public_host = urlsplit(settings.public_url).hostname if settings.public_url else None
        self._hosts = {"localhost", settings.host.casefold()} | ({public_host} if public_host else set())
        self._any_address = settings.host in WILDCARDS

    def check_host(self, request: HTTPServerRequest) -> None:
        """Raises WrongHost unless the Host header is a name of ours.

        Without this any web site could point its own name at our address, and be same-origin with us (DNS rebinding).
        """
        host = _host_name(request.host)
        if host in self._hosts:
            return
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise WrongHost from None
        # Nobody can point an address somewhere else; but one that we do not listen on is not ours.
        if not (address.is_loopback or self._any_address):
            raise WrongHost

    def check_origin(self, request: HTTPServerRequest, *, required: bool = False, others: bool = False) -> None:
        """Raises Forbidden where another site's page is behind the request.

        A request without Origin passes unless it carries the session cookie or an origin is `required` (sockets):
        browsers send one with everything that changes something, programs need none to sign in. `others` lets the
        pages named in ALLOWED_ORIGINS in.
        """
        given = request.headers.get("Origin")
        site = request.headers.get("Sec-Fetch-Site")
        if given is None:
            if site is not None and site != "same-origin":
                raise Forbidden(CROSS_ORIGIN)
            if required or (site is None and self.cookie_name in request.cookies):
                raise Forbidden(NO_ORIGIN)
            return
        if others and given.casefold() in self._allowed_origins:
            return
        if not self.is_own_origin(request, given) or site not in (None, "same-origin"):
            raise Forbidden(CROSS_ORIGIN)

    def allows_other(self, origin: str) -> bool:
        """Whether the operator lets pages of that origin use the API."""
        return origin.casefold() in self._allowed_origins

    def is_own_origin(self, request: HTTPServerRequest, origin: str) -> bool:
        """Whether pages of ours have that origin: PUBLIC_URL, or the Host (checked before) that the request names."""
        origin, host = origin.casefold(), request.host.casefold()
        if origin == self._public_url:
            return True
        return host != self._public_netloc and origin == f"{self.protocol(request)}://{host}"

    def protocol(self, request: HTTPServerRequest) -> str:
        """http or https, as the person's browser sees it where a trusted proxy says so."""
        if self._is_trusted(_address(request.remote_ip)):
            said = request.headers.get("X-Forwarded-Proto", "").rpartition(",")[2].strip()
            if said in ("http", "https"):
                return said
        return request.protocol

    def own_origin(self, request: HTTPServerRequest) -> str:
        """Where the person reached us, to build links from: PUBLIC_URL, or else the Host, which must be checked."""
        return self._public_url or f"{self.protocol(request)}://{request.host.casefold()}"

    def is_from_proxy(self, request: HTTPServerRequest) -> bool:
        return self._is_trusted(_address(request.remote_ip))

    def client_address(self, request: HTTPServerRequest) -> str:
        """The address of who asks: the peer, or the one that trusted proxies saw, last written first."""
        address = _address(request.remote_ip)
        if not self._is_trusted(address):
            return str(address or request.remote_ip)
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            seen = _address(hop.strip())
            if seen is None:
                break
            address = seen
            if not self._is_trusted(seen):
                break
        return str(address)

    async def session_of(self, request: HTTPServerRequest) -> SignedIn | None:
        """The living session whose cookie the request carries."""
        morsel = request.cookies.get(self.cookie_name)
        if morsel is None:
            return None
        token = self._signer.session_token(morsel.value)
        if token is None:
            return None
        return await self._sessions.current(token, address=self.client_address(request))

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted_proxies)


def rate_key(address: str) -> str:
    """What limits count by: a home or phone has a /64 of IPv6 addresses to ask from."""
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def _address(text: str | None) -> Address | None:
    """The address, an IPv4 one bare of its IPv6 wrapping; None for what is none, such as a unix socket's peer."""
    try:
        found = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _host_name(host: str) -> str:
    """`Example.org:8000` → `example.org`, `[::1]:8000` → `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].casefold()
    return host.partition(":")[0].casefold().removesuffix(".")

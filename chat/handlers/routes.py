"""Every route of the server, in one table."""

from tornado.routing import URLSpec

from chat.handlers import api, auth, joining, ops, pages, static
from chat.handlers.admission import Admission
from chat.handlers.base import UnknownApi, UnknownPage
from chat.handlers.commands import invitations, live, me, members, messages, rooms, sessions, users, workspace
from chat.handlers.commands.registry import Registry
from chat.handlers.dispatch import FrameTable
from chat.handlers.readiness import Readiness
from chat.handlers.services import Services
from chat.handlers.socket import SocketHandler
from chat.handlers.templates import Templates


def commands() -> Registry:
    """All verbs of docs/protocol.md."""
    registry = Registry()
    for module in (rooms, members, messages, live, me, sessions, users, workspace, invitations):
        registry.include(module.registry)
    return registry


def routes(services: Services, readiness: Readiness, templates: Templates) -> list[URLSpec]:
    registry = commands()
    socket = {
        "services": services,
        "table": FrameTable(registry),
        "admission": Admission(services.settings),
    }
    return [
        *ops.routes(services, readiness),
        URLSpec("/ws", SocketHandler, socket),
        *auth.routes(services, templates),
        *api.routes(services, registry),
        *joining.routes(services, templates),
        *static.routes(services, templates),
        *pages.routes(services, templates),
        URLSpec("/api/.*", UnknownApi, {"services": services}),
        URLSpec(".*", UnknownPage, {"services": services, "templates": templates}),
    ]

"""Every route of the server, in one table."""

from tornado.routing import URLSpec

from chat.handlers import api, ops
from chat.handlers.admission import Admission
from chat.handlers.commands import live, members, messages, rooms
from chat.handlers.commands.registry import Registry
from chat.handlers.dispatch import FrameTable
from chat.handlers.readiness import Readiness
from chat.handlers.services import Services
from chat.handlers.socket import SocketHandler


def commands() -> Registry:
    """All verbs of docs/protocol.md."""
    registry = Registry()
    for module in (rooms, members, messages, live):
        registry.include(module.registry)
    return registry


def routes(services: Services, readiness: Readiness) -> list[URLSpec]:
    registry = commands()
    socket = {
        "services": services,
        "table": FrameTable(registry),
        "admission": Admission(services.settings),
    }
    return [
        *ops.routes(services, readiness),
        URLSpec("/ws", SocketHandler, socket),
        *api.routes(services, registry),
    ]

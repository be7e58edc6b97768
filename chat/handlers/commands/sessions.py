"""Commands about one's own sessions: the list of devices, and ending some."""

import msgspec

from chat.actions import sessions
from chat.actions.sessions import Device
from chat.handlers.commands.registry import Ask, Given, Registry
from chat.handlers.commands.rooms import Seq

registry = Registry()


class SessionsReply(msgspec.Struct):
    sessions: list[Device]


class RevokedReply(msgspec.Struct):
    revoked: int


@registry.add("session.list", Given, "GET /sessions")
async def session_list(ask: Ask, given: Given) -> SessionsReply:
    async with ask.services.db.read() as db:
        found = await sessions.devices(db, ask.actor, days=ask.services.settings.session_days)
    return SessionsReply(found)


class Revoke(Given):
    session: Seq


@registry.add("session.revoke", Revoke, "DELETE /sessions/{session}", cost=5)
async def session_revoke(ask: Ask, given: Revoke) -> None:
    async with ask.services.db.transaction() as tx:
        await sessions.revoke(tx, ask.actor, given.session)


@registry.add("session.revoke_others", Given, "DELETE /sessions", cost=5)
async def session_revoke_others(ask: Ask, given: Given) -> RevokedReply:
    async with ask.services.db.transaction() as tx:
        revoked = await sessions.revoke_others(tx, ask.actor)
    return RevokedReply(revoked)

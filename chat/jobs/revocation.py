"""Sessions that ended and roles that changed elsewhere: by the command line, or by hand in the database."""

from chat.hub.hub import Hub
from chat.jobs.clock import Job
from chat.lib.db import Database, Effect, EndSessions, Renew
from chat.models import sessions
from chat.models.users import Role

NOTICE_SECONDS = 1.0


def notice_changes_elsewhere(db: Database, hub: Hub) -> Job:
    """Who was signed out elsewhere hears nothing more within a second; one statement looks at all connections."""
    known: dict[int, Role] = {}

    async def run() -> None:
        nonlocal known
        connections = list(hub.connections)
        if not connections:
            known = {}
            return
        async with db.read() as connection:
            roles = await sessions.roles(connection, list({each.session for each in connections}))
        effects: set[Effect] = set()
        for each in connections:
            role = roles.get(each.session)
            if role is None:
                effects.add(EndSessions((each.session,)))
            elif (role == "guest") != each.is_guest:
                effects.add(Renew(each.user, reconnect=True))
            elif known.get(each.session, role) != role:
                effects.add(Renew(each.user, reconnect=False))
        known = roles
        hub.publish(list(effects))

    return Job("noticing changes elsewhere", NOTICE_SECONDS, run)

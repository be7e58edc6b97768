"""Sessions that ended and roles that changed elsewhere: by the command line, or by hand in the database."""

from chat.hub.hub import Hub
from chat.jobs.clock import Job
from chat.lib.db import Database, Effect, EndSessions, Renew
from chat.models import sessions

NOTICE_SECONDS = 1.0
# With more connections it takes a second more for each thousand: looking at ten thousand every second would cost more
# than all else that an idle server does.
AT_ONCE = 1000


def notice_changes_elsewhere(db: Database, hub: Hub) -> Job:
    """Who was signed out elsewhere hears nothing more within a second, and who got another role comes back with it;
    one statement looks at all connections."""

    async def run() -> None:
        connections = list(hub.connections)
        if not connections:
            return
        async with db.read() as connection:
            roles = await sessions.roles(connection, list({each.session for each in connections}))
        effects: set[Effect] = set()
        for each in connections:
            if each.closed:
                continue
            role = roles.get(each.session)
            if role is None:
                effects.add(EndSessions((each.session,)))
            elif role != each.role:
                effects.add(Renew(each.user, reconnect=True))
        hub.hear(list(effects))

    return Job("noticing changes elsewhere", NOTICE_SECONDS, run)

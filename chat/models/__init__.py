"""Tables and the questions asked of them: the only floor with SQL, no rules, no events."""

from chat.lib.db import metadata
from chat.models import invitations, members, messages, rooms, sessions, users, workspace

# Everything that migrations and models must agree on.
__all__ = ["invitations", "members", "messages", "metadata", "rooms", "sessions", "users", "workspace"]

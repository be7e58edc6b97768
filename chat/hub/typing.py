"""Typing notices: told at once and never stored; no louder than a room can bear."""

from chat.hub.connection import Connection
from chat.hub.hub import Hub, room_topic
from chat.lib.limits import Limit


class TypingNotices:
    """One notice a second per user and room, and a few a second per room: "several people are typing" needs no more."""

    def __init__(self, hub: Hub, *, per_user: Limit, per_room: Limit) -> None:
        self._hub = hub
        self._per_user = per_user
        self._per_room = per_room

    def tell(self, connection: Connection, room: int, payload: bytes) -> float:
        """0, or the seconds after which the user may say so again. The connection must listen to the room."""
        if wait := self._per_user.take((connection.user, room)):
            return wait
        if not self._per_room.take(room):
            self._hub.notice(room_topic(room), payload, besides=connection)
        return 0.0

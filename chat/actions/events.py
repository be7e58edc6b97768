"""Events: what browsers are told after a commit, in the past tense. docs/protocol.md describes each."""

import uuid
from typing import Literal

import msgspec

from chat.models.members import Involvement
from chat.models.messages import Message
from chat.models.rooms import Room
from chat.models.users import User
from chat.models.workspace import Workspace


class Event(msgspec.Struct, tag_field="event", omit_defaults=True):
    """The tag is the event's name on the wire."""


class MessagePosted(Event, tag="message.posted"):
    room: int
    seq: int
    message: Message | msgspec.Raw


class MessageChanged(Event, tag="message.changed"):
    room: int
    seq: int
    message: Message


class MessageSent(Event, tag="message.sent"):
    nonce: uuid.UUID
    message: Message | msgspec.Raw


class Sync(msgspec.Struct, omit_defaults=True):
    """What a room's log holds after `from_`: see "Rooms are logs" in docs/protocol.md."""

    room: int
    from_: int | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="from")
    to: int | msgspec.UnsetType = msgspec.UNSET
    more: bool | msgspec.UnsetType = msgspec.UNSET
    messages: list[Message] | msgspec.UnsetType = msgspec.UNSET
    reload: bool = False
    left: bool = False


class RoomSynced(Event, tag="room.sync"):
    sync: Sync


class RoomJoined(Event, tag="room.joined"):
    room: Room


class RoomLeft(Event, tag="room.left"):
    room: int
    reason: Literal["left", "removed"]


class RoomRead(Event, tag="room.read"):
    room: int
    read: int
    unread: int


class RoomInvolved(Event, tag="room.involved"):
    room: int
    involvement: Involvement


class UserChanged(Event, tag="user.changed"):
    user: User


class WorkspaceChanged(Event, tag="workspace.changed"):
    workspace: Workspace

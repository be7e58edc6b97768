"""docs/protocol.md is what the server does: its examples are replayed, its tables are compared with the code."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chat import errors
from chat.actions import greeting, live, messages  # noqa: F401 - their events are among the subclasses of Event
from chat.actions.events import Event, Sync
from chat.actions.sessions import Device
from chat.config import Settings
from chat.handlers.commands.invitations import Invitation
from chat.handlers.routes import commands
from chat.hub.presence import PresenceChanged
from chat.models import members
from chat.models.messages import Message
from chat.models.rooms import Room
from chat.models.users import User
from tests.conftest import World
from tests.people import Socket

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()

# What differs from run to run; of these only the type is compared.
VARYING = {"at", "connection", "epoch", "last_at", "server", "time"}


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """("→" or "←", frame) in the order of the document."""
    for block in re.findall(r"^```roomful\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL):
        for direction, text in re.findall(r"^([→←]) (.*?)(?=^[→←]|\Z)", block, re.MULTILINE | re.DOTALL):
            yield direction, json.loads(text)


def shape(value: Any, key: str = "") -> Any:
    """The value with what varies replaced by its type."""
    if isinstance(value, dict):
        is_message = "sender" in value
        return {name: "its id" if is_message and name == "id" else shape(value[name], name) for name in value}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__ if key in VARYING else value


async def test_the_examples_are_what_the_server_does(world: World) -> None:
    """Ada has made the room, and read what Bob said in it before he said it."""
    ada = await world.person("ada", role="owner", name="Ada Lovelace")
    bob = await world.person("bob")
    room = await world.room(ada, "general")
    async with world.server.db.transaction() as tx:
        await members.add(tx.db, room, bob.id, read=0)
        await tx.db.exec_driver_sql("UPDATE workspace SET name = 'Analytical Engines'")
    async with bob.socket() as at_bob:
        await at_bob.post(room, "good morning")
    async with ada.socket() as socket:
        told = [socket.hello]
        for direction, frame in examples():
            if direction == "→":
                assert told == [], "the document leaves these out"
                sent = json.dumps(frame).replace("$epoch", socket.hello["epoch"])
                await socket.link.send(sent)
                told = await until_reply(socket, frame["id"])
            else:
                assert told, f"the document promises {frame}"
                assert shape(told.pop(0)) == shape(frame)


async def until_reply(socket: Socket, number: int) -> list[dict[str, Any]]:
    """Everything up to the reply, and what the same write brought with it; others' presence is another matter."""
    frames = []
    while not frames or frames[-1].get("id") != number:
        frames.append(await socket.receive())
    before = len(socket.events)
    await socket.settle()
    frames += socket.events[before:]
    del socket.events[before:]
    return [frame for frame in frames if frame.get("event") != "presence.changed"]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table after that heading, without its head."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2]
    lines = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert lines, f"no table below {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


COMMANDS = {names(row[0])[0]: row for row in table("Commands")}


def test_every_command_is_in_the_table_and_nothing_else() -> None:
    assert set(COMMANDS) == set(commands().commands)


@pytest.mark.parametrize("verb", sorted(commands().commands))
def test_the_table_of_commands_tells_fields_and_address(verb: str) -> None:
    command = commands().commands[verb]
    _, given, _, address = COMMANDS[verb]
    routes = [f"{method} {re.sub(r'{(.*?)}', lambda part: part[1].upper(), path)}" for method, path in command.routes]
    assert ([] if address == "–" else [address]) == routes
    for field in msgspec.structs.fields(command.given):
        assert re.search(rf"\b{field.encode_name}\b", given), f"{field.encode_name} is missing"
        optional = re.search(rf"\b{field.encode_name}\?", given)
        assert field.required != bool(optional), f"whether {field.encode_name} is optional"
    told = set(re.findall(r"\b[a-z]+\b", re.sub(r"`.*?`|\(.*?\)|\[.*?\]|\{.*?\}", "", given)))
    known = {field.encode_name for field in msgspec.structs.fields(command.given)}
    assert told - known <= {"or", "true", "false"}


def events() -> dict[str, list[str]]:
    """Event → its fields."""
    structs: list[type[msgspec.Struct]] = [PresenceChanged]
    waiting = list(Event.__subclasses__())
    while waiting:
        structs.append(waiting.pop())
        waiting += structs[-1].__subclasses__()
    found = {}
    for struct in structs:
        tag = struct.__struct_config__.tag
        assert isinstance(tag, str)
        found[tag] = list(struct.__struct_encode_fields__)
    return found


def test_every_event_is_in_the_table_with_its_fields() -> None:
    told = {names(row[0])[0]: row[1] for row in table("Events")}
    assert set(told) == set(events())
    for event, fields in events().items():
        for field in fields if event != "hello" else []:
            assert re.search(rf"\b{field}\b", told[event]), f"{event}: {field} is missing"


def test_the_hello_of_the_example_is_whole() -> None:
    hello = next(frame for direction, frame in examples() if direction == "←")
    assert set(hello) == {"event", *greeting.Hello.__struct_encode_fields__}


def problems() -> set[type[errors.Problem]]:
    return {errors.Internal, *errors.Problem.__subclasses__()}


def test_every_error_is_in_the_table_with_its_status_and_whether_to_try_again() -> None:
    told = {names(row[0])[0]: (int(row[1]), row[2].startswith("after")) for row in table("Error codes")}
    known = {each.code: (each.status, each.default_retry_after is not None) for each in problems()}
    assert told == known


def test_every_close_code_is_in_the_table() -> None:
    told = {int(code) for row in table("Keeping the connection") for code in row[0].split(",")}
    source = "".join(path.read_text() for path in ROOT.glob("chat/**/*.py"))
    ours = {int(code) for code in re.findall(r"^CLOSE_\w+(?:: Final)? = (\d+)$", source, re.MULTILINE)}
    assert told == ours | {1009}  # which Tornado sends by itself


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("Message", Message),
        ("Room", Room),
        ("User", User),
        ("Session", Device),
        ("Invitation", Invitation),
    ],
)
def test_the_shapes_have_the_fields_that_are_told(name: str, struct: type[msgspec.Struct]) -> None:
    paragraph = DOCUMENT.partition("## Shapes")[2].partition(f"**{name}**")[2].partition("\n\n")[0]
    for field in struct.__struct_encode_fields__:
        assert re.search(rf"\b{field}\b", paragraph), f"{name}: {field} is missing"


def test_a_sync_is_told_with_all_its_fields() -> None:
    section = DOCUMENT.partition("## Rooms are logs")[2].partition("\n## ")[0]
    for field in Sync.__struct_encode_fields__:
        assert f'"{field}"' in section or f"`{field}`" in section


def test_the_limits_are_the_defaults() -> None:
    limits = {row[0]: row[1] for row in table("Limits")}
    numbers = re.compile(r"\d[\d,]*")
    told = {name: [int(each.replace(",", "")) for each in numbers.findall(text)] for name, text in limits.items()}
    usual = Settings()
    assert told == {
        "text of a message": [usual.text_limit],
        "frame": [usual.frame_limit // 1024],
        "messages": [usual.messages_per_minute, usual.message_burst],
        "commands": [usual.commands_per_second, usual.command_burst, 200, errors.CLOSE_TOO_MANY],
        "typing": [1],
        "page of history": [messages.PAGE],
        "texts in one reply": [messages.PAGE_CHARACTERS],
        "connections": [usual.connections_per_user, usual.connections_per_address, usual.connections],
        "waiting for a slow reader": [usual.write_buffer // 2**20],
    }

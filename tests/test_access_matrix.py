"""Every command and every address, asked by every kind of person, against the table in access_table.py."""

import json
import re
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from chat.handlers import api, routes
from chat.handlers.commands.registry import Command
from chat.handlers.templates import Templates
from tests.access_table import ADDRESSES, KINDS, rows
from tests.conftest import World
from tests.people import PASSWORD, Person, Socket

ROWS = rows()
COMMANDS = routes.commands().commands
NOBODYS = 999_999_999
SECRET = "The secret room"
ROLES = {"guest": "guest", "admin": "admin", "inside": "admin"}


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert {row.split()[0] for row in ROWS} == set(COMMANDS)


@dataclass
class Cast:
    """One of each kind, at their sockets, and a stranger who shares no room with the guest."""

    world: World
    people: dict[str, Person] = field(default_factory=dict)
    sockets: dict[str, Socket] = field(default_factory=dict)

    async def gather(self, stack: AsyncExitStack) -> None:
        for kind in KINDS:
            self.people[kind] = await self.world.person(kind, role=ROLES.get(kind, "member"))
            self.sockets[kind] = await stack.enter_async_context(self.people[kind].socket())
        self.people["stranger"] = await self.world.person("stranger")

    async def fields(self, verb: str, subject: str) -> dict[str, Any]:
        """What the verb takes, about a room and a message that were made for it alone."""
        maker, member = self.sockets["maker"], self.people["member"].id
        inside: list[str] = []
        if subject == "direct":
            room = (await maker.do("room.direct", user=member))["room"]["id"]
        else:
            inside = ["removed", "member", "inside"]
            inside += ["guest"] if subject != "public" else []
            inside += ["stranger"] if verb == "member.remove" else []
            kind = "public" if subject == "public" else "private"
            name = f"{SECRET} {uuid.uuid4().hex[:8]}"
            made = await maker.do(
                "room.create", name=name, kind=kind, members=[self.people[each].id for each in inside]
            )
            room = made["room"]["id"]
            await maker.do("member.remove", room=room, user=self.people["removed"].id)
        invitation = await maker.do("invitation.create") if verb == "invitation.revoke" else None
        known = {
            "room": room,
            "message": (await maker.post(room, "a secret word"))["id"],
            "user": self.people["stranger" if "stranger" in (subject, *inside) else "member"].id,
            "users": [self.people["stranger"].id],
            "session": NOBODYS,
            "invitation": invitation and invitation["invitation"]["id"],
            "seq": 1,
            "after": 0,
            "text": "changed",
            "nonce": str(uuid.uuid4()),
            "epoch": maker.hello["epoch"],
            "rooms": {str(room): 0},
            "kind": "private",
            "state": "away",
            "involvement": "nothing",
            "archived": True,
            "deactivated": True,
            "role": "member",
            "current": PASSWORD,
            "new": PASSWORD + "!",
            "name": f"New name {uuid.uuid4().hex[:8]}",
        }
        if subject == "register":
            return {"open_registration": True}
        return {name: known[name] for name in COMMANDS[verb].given.__struct_fields__ if name in known}


def outcome(reply: dict[str, Any]) -> str:
    return "ok" if reply["ok"] else reply["error"]["code"]


async def over_http(person: Person, command: Command, fields: dict[str, Any]) -> tuple[int, bytes]:
    method, path = command.routes[0]
    rest = dict(fields)
    for name in re.findall(r"{(\w+)}", path):
        path = path.replace(f"{{{name}}}", str(rest.pop(name)))
    if method == "GET" and rest:
        path += "?" + "&".join(f"{name}={value}" for name, value in rest.items())
    answer = await person.http(method, path, None if method == "GET" else rest)
    return answer.code, answer.body


async def forget_password_change(world: World, person: Person) -> None:
    """So that the old password is right again for the next door."""
    async with world.server.db.transaction() as tx:
        new = await world.server.services.passwords.hash(PASSWORD)
        await tx.db.exec_driver_sql("UPDATE users SET password_hash = $1 WHERE id = $2", (new, person.id))


@pytest.mark.parametrize("row", ROWS)
async def test_a_command_has_the_outcome_of_its_row_at_both_doors(world: World, row: str) -> None:
    """And what is not found is answered to the byte as it is where there is nothing."""
    verb, subject = [*row.split(), ""][:2]
    command = COMMANDS[verb]
    async with AsyncExitStack() as stack:
        cast = Cast(world)
        await cast.gather(stack)
        for kind, expected in ROWS[row].items():
            person, socket = cast.people[kind], cast.sockets[kind]
            fields = await cast.fields(verb, subject)
            told = await raw(socket, verb, fields)
            assert outcome(json.loads(told)) == expected, kind
            if expected == "not_found":
                assert told == await raw(socket, verb, of_nothing(fields)), kind
            if not command.routes:
                continue
            if verb == "me.password":
                await forget_password_change(world, person)
            fields = await cast.fields(verb, subject)
            status, body = await over_http(person, command, fields)
            if expected == "ok":
                assert status == 200, (kind, body)
            else:
                assert json.loads(body)["error"]["code"] == expected, kind
            if expected == "not_found":
                assert (status, body) == await over_http(person, command, of_nothing(fields)), kind


def of_nothing(fields: dict[str, Any]) -> dict[str, Any]:
    """The same about a room, message, person or invitation that does not exist."""
    about = next(name for name in ("message", "room", "invitation", "user", "session") if name in fields)
    return fields | {about: NOBODYS}


async def raw(socket: Socket, verb: str, fields: dict[str, Any]) -> str:
    """The reply as it stands on the wire."""
    await socket.settle()
    await socket.link.send(json.dumps({"id": 0, "do": verb, **fields}))
    while '"ok"' not in (frame := str(await socket.link.recv())):
        pass
    return frame


@pytest.mark.parametrize("verb", [verb for verb, command in COMMANDS.items() if command.routes])
async def test_without_a_session_every_command_asks_to_sign_in(world: World, verb: str) -> None:
    nobody = Person(world.base, "nobody", "Nobody")
    for method, path in COMMANDS[verb].routes:
        answer = await nobody.http(method, re.sub(r"{\w+}", "1", path), None if method == "GET" else {})
        assert answer.code == 401
        assert json.loads(answer.body)["error"]["code"] == "not_signed_in"


@pytest.mark.parametrize("verb", [verb for verb, command in COMMANDS.items() if command.routes])
async def test_what_changes_something_is_never_done_by_another_method(world: World, verb: str) -> None:
    ada = await world.person("ada")
    for method, path in COMMANDS[verb].routes:
        known = {each for command in COMMANDS.values() for each, other in command.routes if other == path}
        for wrong in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - known:
            if wrong == "HEAD" and "GET" in known:
                continue
            answer = await ada.http(
                wrong, re.sub(r"{\w+}", "1", path), {} if wrong in ("POST", "PUT", "PATCH") else None
            )
            assert answer.code == 405, (wrong, path)
            assert method in answer.headers["Allow"]


LINES = [line.split() for line in ADDRESSES.strip("\n").splitlines()[1:]]


@pytest.mark.parametrize(("method", "path", "anonymous", "member", "admin"), LINES)
async def test_an_address_answers_each_as_its_line_says(
    world: World, method: str, path: str, anonymous: str, member: str, admin: str
) -> None:
    await world.person("owner", role="owner")
    people = [
        (Person(world.base, "nobody", "Nobody"), anonymous),
        (await world.person("ada"), member),
        (await world.person("root", role="admin"), admin),
    ]
    for person, expected in people:
        request = HTTPRequest(
            world.base + path,
            method=method,
            headers={"Origin": world.base} | ({"Cookie": person.cookie} if person.cookie else {}),
            follow_redirects=False,
            allow_nonstandard_methods=True,
        )
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        assert str(answer.code) == expected, person.username


async def test_every_address_has_a_line(world: World) -> None:
    server = world.server
    table = routes.routes(server.services, server.readiness, Templates())
    found = {}
    for _, path, *_ in LINES:
        found[path] = next(spec for spec in table if spec.regex.match(path))
    missing = [spec.regex.pattern for spec in table if spec not in found.values() and spec.handler_class is not api.Api]
    assert not missing
    used = list(found.values())
    assert all(used.count(spec) == 1 or spec.regex.match("/rooms/1") for spec in used)


async def test_nothing_that_an_outsider_is_told_names_the_room(world: World) -> None:
    """While everything happens in it that can: not in events, lists, searches, people or refusals."""
    async with AsyncExitStack() as stack:
        cast = Cast(world)
        await cast.gather(stack)
        fields = await cast.fields("message.edit", "private")
        room = (await cast.sockets["maker"].do("message.get", message=fields["message"]))["message"]["room"]
        maker, outside = cast.sockets["maker"], [cast.sockets["outsider"], cast.sockets["admin"]]
        for socket in outside:
            await socket.settle()
            socket.events.clear()
        for number in range(10):
            await maker.post(room, f"a secret word {number}")
        await maker.do("typing", room=room)
        await maker.do("message.edit", message=fields["message"], text="another secret word")
        await maker.do("message.delete", message=fields["message"])
        await maker.do("room.update", room=room, name=f"{SECRET} renamed", topic="a secret topic")
        await maker.do("member.add", room=room, users=[cast.people["stranger"].id])
        for socket in outside:
            for verb, given in (
                ("room.sync", {"room": room, "after": 0}),
                ("resume", {"epoch": socket.hello["epoch"], "rooms": {str(room): 0}}),
                ("room.list", {}),
                ("room.browse", {"query": "secret"}),
                ("room.browse", {}),
                ("user.list", {}),
                ("user.get", {"user": cast.people["maker"].id}),
                ("room.join", {"room": room}),
                ("typing", {"room": room}),
                ("member.list", {"room": room}),
            ):
                assert "ecret" not in json.dumps(await socket.ask(verb, **given)), verb
            assert [event for event in await socket.settle() if event["event"] != "presence.changed"] == []
        # Nor is its name taken for others.
        assert outcome(await outside[0].ask("room.create", name=f"{SECRET} renamed", kind="private")) == "ok"
        assert outcome(await outside[0].ask("room.create", name=f"{SECRET} renamed", kind="public")) == "ok"
        left = await cast.sockets["removed"].do("resume", epoch=maker.hello["epoch"], rooms={str(room): 0})
        assert left["rooms"] == [{"room": room, "left": True}]

"""The command line, as people and scripts meet it: through a process, its output and its exit code."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from chat import __version__
from chat.cli import main
from chat.config import Settings, describe
from chat.lib import schema
from chat.lib.db import Database
from chat.models import users
from tests.command_line import at_terminal, roomful, running, shown, typed
from tests.conftest import World
from tests.people import PASSWORD, Person


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder to run in, which the embedded server's user can enter."""
    with tempfile.TemporaryDirectory(prefix="roomful-test-", dir="/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("serve",),
        ("migrate",),
        ("user",),
        ("user", "add"),
        ("user", "password"),
        ("user", "role"),
        ("user", "list"),
        ("database",),
        ("settings",),
        ("version",),
    ],
)
def test_every_command_explains_itself(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: {' '.join(('roomful', *command))}")
    assert not said.err


async def test_the_help_names_every_exit_code(tmp_path: Path) -> None:
    done = await roomful("--help", folder=tmp_path)
    for code in ("0", "1", "2", "3", "4", "5", "130"):
        assert re.search(rf"^  {code} ", done.stdout, re.MULTILINE), code


@pytest.mark.parametrize("arguments", [(), ("sing",), ("user",), ("user", "role", "ada", "king"), ("serve", "--loud")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: roomful")


async def test_version_says_which(tmp_path: Path) -> None:
    done = await roomful("version", folder=tmp_path)
    assert done.stdout.startswith(f"Roomful {__version__} (")


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("settings",), ("user", "list")])
def test_a_bad_setting_stops_every_command_and_is_named(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    assert main(command) == 3
    assert capsys.readouterr().err == "roomful: The setting PORT is not a whole number (it is 'eighty').\n"


async def test_settings_lists_what_is_in_force_with_secrets_masked(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\nMETRICS_TOKEN=hunter2-hunter2-hunter2\n", encoding="utf-8")
    done = await roomful("settings", folder=tmp_path, LOG_LEVEL="error")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() == {name for name, *_ in describe(Settings())}
    assert lines["PORT"].split()[1] == "8123"
    assert lines["LOG_LEVEL"].split()[1] == "error"
    assert "hunter2" not in done.stdout
    as_json = await roomful("settings", "--json", folder=tmp_path)
    rows = {row["name"]: row for row in json.loads(as_json.stdout)}
    assert rows["PORT"]["value"] == "8123"
    assert rows["METRICS_TOKEN"]["value"] == "(set)"
    assert rows["SESSION_DAYS"]["unit"] == "days"


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("user", "list"), ("database", "psql")])
async def test_a_database_that_cannot_be_reached_is_said_in_a_sentence(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    url = "postgresql://roomful:hunter2@127.0.0.1:1/roomful"
    done = await roomful(*command, folder=tmp_path, DATABASE_URL=url)
    if command[0] == "database":
        assert done.returncode == 2  # psql's own code, and its own words
    else:
        assert done.returncode == 4
        assert done.stderr.startswith("roomful: The database ")
        assert "DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


async def test_going_back_is_done_only_by_who_is_sure(database_url: str, tmp_path: Path) -> None:
    newest = schema.needed()
    done = await roomful("migrate", "--to", "0001", folder=tmp_path, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert "deletes data" in done.stderr
    done = await roomful("migrate", "--to", "0001", "--yes", folder=tmp_path, DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (0, f"The schema was {newest}, and is 0001 now.\n")
    done = await roomful("migrate", folder=tmp_path, DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (0, f"The schema was 0001, and is {newest} now.\n")
    done = await roomful("migrate", folder=tmp_path, DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (0, f"The schema is {newest}, as before.\n")
    done = await roomful("migrate", "--to", "7777", folder=tmp_path, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert "There is no revision 7777." in done.stderr


async def test_the_first_account_is_the_owners_and_makes_the_first_room(database_url: str, tmp_path: Path) -> None:
    options = ("--email", "ada@example.org", "--name", "Ada Lovelace", "--password-stdin")
    done = await roomful(
        "user", "add", "ada", *options, "--role", "guest", folder=tmp_path, given=PASSWORD, DATABASE_URL=database_url
    )
    assert done.returncode == 1
    done = await roomful("user", "add", "ada", *options, folder=tmp_path, given=PASSWORD, DATABASE_URL=database_url)
    assert (done.returncode, done.stdout) == (0, "Made the account ada (owner).\n")
    done = await roomful(
        "database", "psql", "-Atc", "SELECT name FROM rooms", folder=tmp_path, DATABASE_URL=database_url
    )
    assert done.stdout == "general\n"


async def test_accounts_are_made_listed_and_given_roles_while_the_server_runs(
    world: World, database_url: str, tmp_path: Path
) -> None:
    async def user(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return await roomful("user", *arguments, folder=tmp_path, given=given, DATABASE_URL=database_url)

    await world.person("ada", "owner")
    made = await user("add", "bob", "--email", "Bob@example.org", "--password-stdin", given=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout, made.stderr) == (0, "Made the account bob (member).\n", "")
    bob = Person(world.base, "bob", "bob")
    await bob.sign_in()
    assert (await bob.api("GET", "/me"))["email"] == "bob@example.org"
    assert (await user("role", "bob@example.org", "admin")).stdout == "bob is admin now.\n"
    assert (await bob.api("GET", "/me"))["user"]["role"] == "admin"
    listed = await user("list")
    assert [line.split()[:2] for line in listed.stdout.splitlines()] == [["ada", "owner"], ["bob", "admin"]]
    assert [row["username"] for row in json.loads((await user("list", "--json")).stdout)] == ["ada", "bob"]


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (("add", "ADA", "--email", "other@example.org", "--password-stdin"), PASSWORD, "is taken"),
        (("add", "bob", "--email", "ada@example.org", "--password-stdin"), PASSWORD, "e-mail"),
        (("add", "b", "--email", "bob@example.org", "--password-stdin"), PASSWORD, "3 to 20 characters"),
        (("add", "bob", "--email", "nowhere", "--password-stdin"), PASSWORD, "e-mail address"),
        (("add", "bob", "--email", "bob@example.org", "--password-stdin"), "short", "8 characters"),
        (("add", "bob", "--email", "bob@example.org", "--password-stdin"), "password1", "tried first"),
        (("add", "bob", "--email", "bob@example.org"), PASSWORD, "--password-stdin"),
        (("role", "ada", "member"), "", "last owner"),
        (("role", "nobody", "member"), "", "no account nobody"),
        (("password", "nobody", "--password-stdin"), PASSWORD, "no account nobody"),
        (("password", "ada", "--password-stdin"), "ada", "8 characters"),
    ],
)
async def test_what_is_refused_is_refused_in_a_sentence_and_changes_nothing(
    world: World, database_url: str, tmp_path: Path, arguments: tuple[str, ...], given: str, said: str
) -> None:
    ada = await world.person("ada", "owner")
    done = await roomful("user", *arguments, folder=tmp_path, given=given, DATABASE_URL=database_url)
    assert done.returncode == 1
    assert done.stderr.startswith("roomful: ")
    assert said in done.stderr
    assert not done.stdout
    async with world.server.db.read() as db:
        assert await users.count(db) == 1
    assert (await ada.api("GET", "/me"))["user"]["role"] == "owner"


async def test_a_new_password_signs_out_everywhere_and_closes_open_sockets(
    world: World, database_url: str, tmp_path: Path
) -> None:
    ada = await world.person("ada", "owner")
    async with ada.socket() as socket:
        given = "another sea, another day"
        done = await roomful(
            "user", "password", "ada", "--password-stdin", folder=tmp_path, given=given, DATABASE_URL=database_url
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert await socket.closed() == 4401
    assert (await ada.http("GET", "/me")).code == 401
    await ada.sign_in(given)
    assert (await ada.http("GET", "/me")).code == 200


async def test_a_new_role_counts_for_open_sockets_within_a_second(
    world: World, database_url: str, tmp_path: Path
) -> None:
    ada, bob = await world.person("ada", "owner"), await world.person("bob", "admin")
    async with ada.socket() as at_ada, bob.socket() as at_bob:
        await at_bob.do("workspace.update", name="Bob's")
        await roomful("user", "role", "bob", "member", folder=tmp_path, DATABASE_URL=database_url)
        assert await at_bob.closed() == 1012
        assert (await at_ada.ask("ping"))["ok"]
    async with bob.socket() as at_bob:
        assert at_bob.hello["user"]["role"] == "member"
        assert (await at_bob.refused("workspace.update", name="Bob's"))["code"] == "forbidden"


async def test_at_a_terminal_the_password_is_asked_for_twice_and_never_shown(
    world: World, database_url: str, tmp_path: Path
) -> None:
    await world.person("ada", "owner")
    command = ("user", "add", "bob", "--email", "bob@example.org")
    code, seen = await asyncio.to_thread(
        typed, PASSWORD, PASSWORD, *command, folder=tmp_path, DATABASE_URL=database_url
    )
    assert code == 0, seen
    assert "Made the account bob (member)." in seen
    assert PASSWORD not in seen
    await Person(world.base, "bob", "bob").sign_in()


async def test_two_different_passwords_change_nothing(world: World, database_url: str, tmp_path: Path) -> None:
    ada = await world.person("ada", "owner")
    code, seen = await asyncio.to_thread(
        typed, PASSWORD, PASSWORD + "x", "user", "password", "ada", folder=tmp_path, DATABASE_URL=database_url
    )
    assert code == 1
    assert "The two passwords differ. Nothing was changed." in seen
    assert (await ada.http("GET", "/me")).code == 200


@pytest.mark.slow
async def test_one_command_serves_with_a_database_of_its_own_which_commands_join(folder: Path) -> None:
    async with running(folder) as (process, address, _):
        made = await roomful(
            "user", "add", "ada", "--email", "ada@example.org", "--password-stdin", folder=folder, given=PASSWORD
        )
        assert (made.returncode, made.stdout) == (0, "Made the account ada (owner).\n"), made.stderr
        ada = Person(address, "ada", "ada")
        await ada.sign_in()
        room = (await ada.api("GET", "/rooms"))["rooms"][0]["id"]
        async with ada.socket() as socket:
            await socket.post(room, "kept")
            dumped = await roomful("database", "pg_dump", "--format=custom", "--file=kept.dump", folder=folder)
            assert dumped.returncode == 0, dumped.stderr
            process.send_signal(signal.SIGTERM)
            assert (await socket.event("bye"))["reconnect_in"] > 0
            assert await socket.closed() == 1012
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    assert not (folder / "data" / "postgres" / "cluster" / "postmaster.pid").exists()
    logged = (folder / "errors.txt").read_text(encoding="utf-8")
    for line in logged.splitlines():
        assert json.loads(line)["level"] == "info", line
    for secret in (PASSWORD, "kept", ada.cookie.partition("=")[2]):
        assert secret not in logged
    # The commands of docs/operations.md that put a backup back, with the server stopped.
    for command in (
        ("psql", "-qc", "DROP SCHEMA public CASCADE", "-c", "CREATE SCHEMA public"),
        ("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname=roomful", "kept.dump"),
        ("psql", "-qc", "UPDATE workspace SET epoch = gen_random_uuid()"),
    ):
        done = await roomful("database", *command, folder=folder)
        assert done.returncode == 0, done.stderr
    async with running(folder) as (_, address, _):
        ada.base = address
        assert (await ada.api("GET", f"/rooms/{room}/messages"))["messages"][-1]["text"] == "kept"


@pytest.mark.slow
async def test_the_first_start_says_where_the_owner_makes_the_account(folder: Path) -> None:
    async with running(folder, LOG_FORMAT="text") as (process, address, said):
        assert process.stdout is not None
        said.append((await process.stdout.readline()).decode().strip())
        link = said[-1].rpartition(" ")[2]
        assert link.startswith(f"{address}/start/")
        page = await AsyncHTTPClient().fetch(link)
        assert b"<form" in page.body


@pytest.mark.slow
def test_a_closed_terminal_stops_the_server_and_its_database(folder: Path) -> None:
    with at_terminal("serve", folder=folder, PORT="0") as (process, terminal):
        assert "Roomful is at http://127.0.0.1:" in shown(terminal, until="Roomful is at .*\n")
        os.close(terminal)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 0
    assert not (folder / "data" / "postgres" / "cluster" / "postmaster.pid").exists()


async def test_a_taken_port_is_said_in_a_sentence(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = await roomful("serve", folder=tmp_path, PORT=port, DATABASE_URL=database_url)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert (
        last
        == f"roomful: Cannot listen on port {port} of 127.0.0.1: Address already in use. Set PORT or HOST to another."
    )


async def test_a_program_runs_on_the_database_and_its_exit_code_is_ours(database_url: str, tmp_path: Path) -> None:
    async def psql(statement: str) -> subprocess.CompletedProcess[str]:
        return await roomful("database", "psql", "-Atc", statement, folder=tmp_path, DATABASE_URL=database_url)

    assert (await psql("SELECT count(*) FROM users")).stdout == "0\n"
    assert (await psql("SELECT nonsense")).returncode == 1
    done = await roomful("database", "no-such-program", folder=tmp_path, DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (1, "roomful: There is no program no-such-program on the PATH.\n")


async def test_the_database_of_the_tests_is_asked_as_its_owner(database_url: str) -> None:
    database = Database(database_url)
    async with database.read() as db:
        assert (
            await db.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        ).scalar() is False
    await database.close()

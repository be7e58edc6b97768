"""Logs: readable at a terminal, JSON elsewhere, one line each, without secrets, bounded when a fault repeats."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from chat.lib import logs
from chat.lib.db import Database

log = logging.getLogger("chat.lib.trying")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    """Logging is the process's; a test gives it back as it found it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        if handler not in root.handlers:
            root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(False)
    logs.request_id.set("")


def logged(format: str = "json", level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, format, stream)
    return stream


def entries(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_terminal_gets_text_and_a_pipe_gets_json() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    logs.configure("info", "auto", terminal)
    log.info("hello")
    logs.configure("info", "auto", pipe)
    log.info("hello")
    assert terminal.getvalue().endswith("info    lib.trying     hello\n")
    assert entries(pipe)[0]["message"] == "hello"


def test_json_has_time_level_logger_message_request_and_fields() -> None:
    stream = logged()
    name = logs.begin_request()
    log.info("signed in", extra=logs.fields(user=3, message="cannot replace what was said"))
    [entry] = entries(stream)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "logger": "chat.lib.trying",
        "message": "signed in",
        "request": name,
        "user": 3,
    }


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_that_is_logged_can_begin_a_line_of_its_own(format: str) -> None:
    stream = logged(format)
    forged = "x\n07:00:00.000 error root forged\r\u2028\x85\x1b[2J\u202e"
    log.info("name %s", forged, extra=logs.fields(name=forged))
    written = stream.getvalue()
    assert len(written.splitlines()) == 1
    assert not {"\x1b", "\u202e", "\r"} & set(written)


def test_an_error_in_text_is_indented_below_its_line() -> None:
    stream = logged("text")
    try:
        raise ValueError("one\n07:00:00.000 error root forged")
    except ValueError:
        log.exception("it failed")
    first, *others = stream.getvalue().splitlines()
    assert first.endswith("it failed")
    assert all(line.startswith("    ") for line in others)
    assert "    ValueError: one" in others


async def test_a_database_error_is_logged_without_what_it_quotes(database_url: str) -> None:
    stream = logged()
    database = Database(database_url)
    secret = "the text of somebody's message"
    try:
        async with database.read() as connection:
            await connection.exec_driver_sql("SELECT CAST($1 AS integer)", (secret,))
    except Exception:
        log.exception("it failed")
    finally:
        await database.close()
    [entry] = entries(stream)
    assert "invalid input for query argument" in entry["error"]
    assert secret not in stream.getvalue()


def test_the_detail_of_a_broken_constraint_is_left_out_of_every_cause() -> None:
    stream = logged()
    broken = asyncpg.UniqueViolationError('duplicate key value violates unique constraint "users_email_key"')
    broken.detail = "Key (email)=(ada@example.org) already exists."
    assert "ada@example.org" in str(broken)
    try:
        try:
            raise broken
        except asyncpg.UniqueViolationError as error:
            raise RuntimeError("not stored") from error
    except RuntimeError:
        log.exception("it failed")
    [entry] = entries(stream)
    assert "users_email_key" in "\n".join(entry["trace"])
    assert "ada@example.org" not in stream.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_password_of_a_url_is_masked(format: str) -> None:
    stream = logged(format)
    log.warning("cannot reach postgresql://roomful:s3cret@db:5432/roomful")
    assert "s3cret" not in stream.getvalue()
    assert "@db:5432/roomful" in stream.getvalue()


def test_an_error_that_repeats_is_written_once_and_counted() -> None:
    stream, clock = io.StringIO(), Clock()
    handler = logs.BoundedHandler(stream, clock)
    handler.setFormatter(logs.JsonFormatter())
    bounded = logging.getLogger("chat.lib.bounded")
    bounded.propagate = False
    bounded.setLevel("INFO")
    bounded.addHandler(handler)
    try:
        for attempt in range(1000):
            bounded.error("the database is gone, try %d", attempt)
        bounded.error("something else")
        assert [entry["message"] for entry in entries(stream)] == [
            "the database is gone, try 0",
            "something else",
        ]
        clock.now += logs.QUIET_SECONDS
        bounded.info("life goes on")
        late = entries(stream)[2:]
        assert late[0]["message"] == "the database is gone, try 999"
        assert late[0]["repeated"] == 999
        assert late[1]["message"] == "life goes on"
        clock.now += 2 * logs.QUIET_SECONDS
        bounded.info("and on")
        bounded.error("the database is gone, try %d", 1000)
        assert entries(stream)[-1]["message"] == "the database is gone, try 1000"
    finally:
        bounded.removeHandler(handler)


def test_what_was_held_back_is_written_when_logging_ends() -> None:
    stream = logged()
    for _ in range(3):
        log.error("gone")
    logs.configure("info", "json", io.StringIO())
    assert [entry.get("repeated") for entry in entries(stream)] == [None, 2]


def test_informing_lines_are_never_held_back() -> None:
    stream = logged()
    for _ in range(20):
        log.info("signed in")
    assert len(entries(stream)) == 20


@pytest.mark.parametrize(
    ("given", "kept"), [("a1b2c3d4", True), ("short", False), ("evil\nid", False), ("x" * 65, False), ("", False)]
)
def test_a_request_id_is_taken_over_only_when_it_is_sensible(given: str, kept: bool) -> None:
    assert (logs.begin_request(given) == given) is kept
    assert logs.ACCEPTED_REQUEST_ID.fullmatch(logs.request_id.get())


@pytest.mark.parametrize("level", ["debug", "info"])
def test_libraries_are_heard_from_warnings_on(level: str) -> None:
    stream = logged(level=level)
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    logging.getLogger("alembic.runtime.migration").warning("strange")
    assert [entry["message"] for entry in entries(stream)] == ["strange"]


async def test_no_level_logs_what_is_read_from_the_database(database_url: str) -> None:
    stream = logged(level="debug")
    log.debug("heard")
    database = Database(database_url)
    async with database.read() as connection:
        row = await connection.exec_driver_sql("SELECT $1::text", ("the text of somebody's message",))
        assert row.scalar_one() == "the text of somebody's message"
    await database.close()
    assert [entry["message"] for entry in entries(stream)] == ["heard"]

"""Structured logs: readable lines at a terminal, JSON lines elsewhere; each carries the id of its request."""

import datetime
import json
import logging
import re
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TextIO

from chat.lib import tracebacks

# Of the request or command that is being handled; empty outside one. Each task has its own.
request_id: ContextVar[str] = ContextVar("request_id", default="")
ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")

# The same warning or error again within this many seconds is counted instead of written.
QUIET_SECONDS = 5.0
QUIET_KINDS = 1000  # different ones remembered

# What a terminal would obey, a reader would take for a new line, or that turns the direction of writing.
CONTROLS = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        *(0x200E, 0x200F, 0x2028, 0x2029),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    )
} | {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
PASSWORD_IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
COLOURS = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[31m", logging.CRITICAL: "\x1b[1;31m"}
NO_COLOUR = "\x1b[0m"


def begin_request(given: str = "") -> str:
    """Gives the running task a request id, `given` if it is a sensible one, and returns it."""
    name = given if ACCEPTED_REQUEST_ID.fullmatch(given) else uuid.uuid4().hex[:16]
    request_id.set(name)
    return name


def fields(**values: object) -> dict[str, Any]:
    """For `log.info("signed in", extra=fields(user=3))`: values that programs can search for by name."""
    return {"fields": values}


def configure(level: str, format: str, stream: TextIO | None = None) -> None:
    """Sends everything that is logged to `stream` (stderr), in the `format` that LOG_FORMAT names."""
    stream = stream or sys.stderr
    at_terminal = stream.isatty()
    handler = BoundedHandler(stream)
    if format == "text" or (format == "auto" and at_terminal):
        handler.setFormatter(TextFormatter(colour=at_terminal))
    else:
        handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Below warning they tell every step, and SQLAlchemy every row that it reads: people's messages.
    for name in ("alembic", "asyncio", "sqlalchemy", "tornado"):
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(True)


def one_line(text: str) -> str:
    """`text` as it can stand in a line: without controls, and without the password of a URL."""
    return PASSWORD_IN_URL.sub(r"\1…@", text.translate(CONTROLS))


def _error_of(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _fields_of(record: logging.LogRecord) -> Mapping[str, object]:
    values: Mapping[str, object] = getattr(record, "fields", {})
    repeated = getattr(record, "repeated", 0)
    return {**values, "repeated": repeated} if repeated else values


class TextFormatter(logging.Formatter):
    """`14:02:11.123 warning lib.db     the message  field=value request=…`, tracebacks indented below."""

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = record.levelname.lower()
        logger = record.name.removeprefix("chat.").removeprefix("roomful.")
        head = f"{moment}.{int(record.msecs):03d} {level:<7} {logger:<14}"
        if self._colour and record.levelno in COLOURS:
            head = f"{COLOURS[record.levelno]}{head}{NO_COLOUR}"
        parts = [head, one_line(record.getMessage())]
        parts += [f"{name}={one_line(str(value))}" for name, value in _fields_of(record).items()]
        if request := getattr(record, "request", request_id.get()):
            parts.append(f"request={request}")
        lines = [" ".join(parts)]
        if (error := _error_of(record)) is not None:
            # Indented, so that nothing that an error says can pass for a line of the log.
            lines += [f"    {one_line(line)}" for line in tracebacks.trace(error)]
        return "\n".join(lines)


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in ASCII: time (UTC), level, logger, message, request, error, trace, fields."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        entry: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": PASSWORD_IN_URL.sub(r"\1…@", record.getMessage()),
        }
        if request := getattr(record, "request", request_id.get()):
            entry["request"] = request
        if (error := _error_of(record)) is not None:
            entry["error"] = tracebacks.describe(error)
            entry["trace"] = [PASSWORD_IN_URL.sub(r"\1…@", line) for line in tracebacks.trace(error)]
        for name, value in _fields_of(record).items():
            entry.setdefault(name, value)
        return json.dumps(entry, default=str)


@dataclass(slots=True)
class Quiet:
    """One kind of warning or error that was written a moment ago."""

    until: float
    held: int = 0
    last: logging.LogRecord | None = None


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes a warning or error once in QUIET_SECONDS, counts those like it, and writes the last one after.

    Two are alike when they come from one logger with the same message before its arguments and the same type
    of error: a database that is down costs a line every few seconds, not thousands.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._quiet: dict[tuple[object, ...], Quiet] = {}

    def emit(self, record: logging.LogRecord) -> None:
        now = self._clock()
        self._write_held(now)
        if record.levelno >= logging.WARNING:
            kind = (record.name, record.levelno, record.msg, type(_error_of(record)))
            if (quiet := self._quiet.get(kind)) is not None:
                quiet.held += 1
                quiet.last = _without_trace(record)
                return
            if len(self._quiet) < QUIET_KINDS:
                self._quiet[kind] = Quiet(now + QUIET_SECONDS)
        super().emit(record)

    def close(self) -> None:
        self.acquire()
        try:
            self._write_held(float("inf"))
        finally:
            self.release()
        super().close()

    def _write_held(self, now: float) -> None:
        for kind, quiet in [(kind, quiet) for kind, quiet in self._quiet.items() if quiet.until <= now]:
            if quiet.last is None:
                del self._quiet[kind]
                continue
            quiet.last.repeated = quiet.held
            super().emit(quiet.last)
            self._quiet[kind] = Quiet(now + QUIET_SECONDS)


def _without_trace(record: logging.LogRecord) -> logging.LogRecord:
    """A copy to keep: a trace would hold on to everything its frames know, and one like it was written."""
    error = _error_of(record)
    said = record.getMessage() + (f" ({tracebacks.describe(error)})" if error is not None else "")
    kept = logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, said, None, None)
    kept.created, kept.msecs = record.created, record.msecs
    kept.fields = getattr(record, "fields", {})
    kept.request = request_id.get()
    return kept
